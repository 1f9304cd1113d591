/** Somebody who can sign in. */
export interface UserItem {
  id: string;
  username: string;
  roles: string[];
  locked: boolean;
  /** Whose record somebody with the role patient may see. */
  patient_id?: string | null;
  created_at?: string | null;
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
    /** The last change of the store that searching sees. */
    applied: number;
    /** The last change of the store. */
    committed: number;
    documents: number;
    segments: number;
    /** Records that are searched in memory until the next segment is written. */
    tail: number;
  };
  audit: { size: number; checkpoint_size: number; checkpoint_at?: string | null; signing: boolean };
  store: { head: number; bytes: number };
  users: { total: number; locked: number };
  sessions: { active: number };
}
