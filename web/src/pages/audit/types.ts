import type { Shown } from "./proof/check";

/** One entry of the access log, as the API shows it. */
export interface Entry extends Shown {
  content: "open" | "shredded" | "damaged";
  /** Whether a signed checkpoint covers it. */
  proof_state?: "proven" | "pending";
}

export interface EntryPage {
  items: Entry[];
  next_cursor?: string | null;
  /** Entries that cannot be read. */
  unreadable?: number;
  /** Entries that are stored and have no place in the log yet. */
  pending?: number;
}

/** What a check of the whole log found. */
export interface Report {
  valid: boolean;
  size: number;
  root: string;
  checkpoints: number;
  opened: number;
  /** Entries that bear an earlier time than those before them; no fault. */
  earlier?: number;
  faults: Fault[];
  faults_more: number;
}

/** One fault of the log, and where it is: positions count from 0, `until` is one past the last. */
export interface Fault {
  kind: string;
  position?: number;
  until?: number;
  stream?: string;
  ordinal?: number;
  line?: number;
  what: string;
}

export interface CheckpointItem {
  size: number;
  root: string;
  /** When the newest entry under it was made. */
  timestamp: string | null;
  note: string;
}

export interface CheckpointPage {
  items: CheckpointItem[];
  next_cursor?: string | null;
}
