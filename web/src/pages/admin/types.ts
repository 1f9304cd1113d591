import type { components } from "../../api/schema";

type Schemas = components["schemas"];

/** Somebody who can sign in. */
export type UserItem = Schemas["User"];
export type UserPage = Schemas["UserList"];

/** What of an account an administrator looks after beside its roles. */
export interface UserChange {
  display_name?: string | null;
  email?: string | null;
  phone?: string | null;
  departments?: string[];
  practitioner_id?: string | null;
}

/** Roles of the product that a person can have, the most usual first. */
export const ROLES = [
  "registrar",
  "nurse",
  "nurse_practitioner",
  "physician",
  "radiologist",
  "clinical_admin",
  "financial_admin",
  "auditor",
  "administrator",
  "admin",
  "patient",
  "user",
] as const;

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
