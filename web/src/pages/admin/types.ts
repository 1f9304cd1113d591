import type { components } from "../../api/schema";

type Schemas = components["schemas"];

/** Somebody who can sign in. */
export type UserItem = Schemas["User"];
export type UserPage = Schemas["UserList"];

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
export type Dashboard = Schemas["Dashboard"];
/** The keys in numbers and dates. */
export type Keys = Schemas["Keys"];
