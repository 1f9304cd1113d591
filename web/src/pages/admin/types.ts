/** Somebody who can sign in. */
export interface UserItem {
  id: string;
  username: string;
  roles: string[];
  locked: boolean;
  /** Whose record somebody with the role patient may see. */
  patient_id?: string;
}

/** Somebody who can sign in from now on, with the password that is answered this once. */
export interface UserMade extends UserItem {
  initial_password?: string;
}

export interface UserPage {
  items: UserItem[];
  next_cursor?: string | null;
}

export const ROLES = ["registrar", "nurse", "physician", "auditor", "admin", "patient"] as const;

export type State = "healthy" | "degraded" | "unhealthy";

/** How every part of the server is. */
export interface Health {
  status: State;
  timestamp: string;
  version: string;
  components: Record<string, { status: State; detail: string }>;
}

/** The figures of the server. */
export interface Dashboard {
  index: {
    phase: string;
    /** The last change of the store that a search sees. */
    applied: number;
    documents: number;
    segments: number;
    /** Changes that are in memory only, until the next segment is written. */
    tail: number;
  };
  audit: {
    size: number;
    checkpoint_size: number;
    checkpoint_at: string | null;
    /** Entries that are stored and have no place in the log yet. */
    pending: number;
    signing: "working" | "stopped";
  };
  /** `head`: the newest change. */
  store: { head: number; bytes: number };
  /** `locked` is not counted where there are very many. */
  users: { total: number; locked: number | null };
  /** Sessions in which something was asked for in the last quarter of an hour. */
  sessions: { active: number };
}

/** The keys in numbers and dates. */
export interface Keys {
  root: { wraps: number };
  data_keys: { total: number; of_tenant: number };
  signing_keys: { id: string; algorithm: string; created_at: string; active: boolean }[];
  /** The public key that checks the access log. */
  audit_key: string;
}
