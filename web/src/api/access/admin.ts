import type { components } from "../schema";
import { ask, tell } from "./ask";

type Schemas = components["schemas"];

/** A list that is read page by page. */
export interface Listed<T> {
  items: T[];
  next_cursor?: string | null;
}

/** Something that was given to a person beside the standing roles, perhaps for a time. */
export type Grant = Schemas["Grant"];

/** A role: one of the product's own, or one that was made here. */
export type Role = Schemas["Role"];

export type RoleDraft = Schemas["NewRole"];

export interface PermissionItem {
  name: string;
  description: string;
}

/** What may be done with records of one family: each action with the permission that it asks for. */
export interface FamilyItem {
  name: string;
  permissions: Record<string, string>;
}

/** What one role may do with one family: by action `yes`, `own` (the own record alone) or `no`. */
export type Cell = { role: string; family: string } & Record<string, string>;

/** Every permission, every family, and what each role may do there. */
export interface PermissionMatrix {
  items: PermissionItem[];
  families: FamilyItem[];
  cells: Cell[];
}

export type GrantDraft = Schemas["NewGrant"];

/** A colleague, for who is to be chosen. */
export type Colleague = Schemas["Colleague"];

export type Tenant = Schemas["Tenant"];

/** Rules that hold for everybody in one organization. */
export type Policy = Schemas["AccessPolicy"];

/** A round in which all access is looked at. */
export type AccessReview = Schemas["AccessReview"];

export interface ReviewItem {
  user_id: string;
  username: string;
  display_name?: string;
  roles: string[];
  grants?: Grant[];
  last_login?: string;
  verdict?: "keep" | "revoke";
  decided_by?: string;
  decided_at?: string;
  reason?: string;
}

/** What is worth a look in who may do what. */
export type AccessReport = Schemas["AccessReport"];

export interface FailedSignIns {
  user_id?: string;
  username?: string;
  count: number;
  addresses: number;
  last_at: string;
}

export interface ReportedUser {
  id: string;
  username: string;
  roles?: string[];
  last_login?: string;
  why?: string;
}

export const grant = (id: string, draft: GrantDraft) =>
  tell("post", "/api/v1/auth/users/{id}/roles", { path: { id }, body: draft });

export const revoke = (id: string, what: { role?: string; permission?: string; grant_id: string; reason: string }) =>
  tell("delete", "/api/v1/auth/users/{id}/roles", { path: { id }, body: what });

export const readColleagues = (signal?: AbortSignal) =>
  ask<Listed<Colleague>>("get", "/api/v1/auth/users", { query: { limit: 100 } }, signal);

export const readRoles = (signal?: AbortSignal) => ask<Listed<Role>>("get", "/api/v1/auth/roles", {}, signal);

export const makeRole = (role: RoleDraft) => ask<Role>("post", "/api/v1/auth/roles", { body: role });

export const changeRole = (id: string, role: RoleDraft) =>
  ask<Role>("put", "/api/v1/auth/roles/{id}", { path: { id }, body: role });

export const removeRole = (id: string) => tell("delete", "/api/v1/auth/roles/{id}", { path: { id } });

export const readPermissions = (signal?: AbortSignal) =>
  ask<PermissionMatrix>("get", "/api/v1/auth/permissions", {}, signal);

export const readTenants = (signal?: AbortSignal) =>
  ask<Listed<Tenant>>("get", "/api/v1/admin/tenants", { query: { limit: 100 } }, signal);

export const makeTenant = (draft: { name: string; admin: { username: string; email?: string } }) =>
  ask<Tenant & { initial_password?: string }>("post", "/api/v1/admin/tenants", { body: draft });

export const changeTenant = (number: number, change: { name?: string; active?: boolean }) =>
  ask<Tenant>("patch", "/api/v1/admin/tenants/{number}", { path: { number }, body: change });

export const readPolicy = (signal?: AbortSignal) => ask<Policy>("get", "/api/v1/admin/policy", {}, signal);

/** What is not named stays. */
export const changePolicy = (change: Partial<Policy>) => ask<Policy>("put", "/api/v1/admin/policy", { body: change });

export const readReviews = (signal?: AbortSignal) =>
  ask<Listed<AccessReview>>("get", "/api/v1/admin/access-reviews", { query: { limit: 100 } }, signal);

export const startReview = () => ask<AccessReview>("post", "/api/v1/admin/access-reviews", { body: {} });

export const readReview = (id: string, cursor: string, signal?: AbortSignal) =>
  ask<AccessReview & Listed<ReviewItem>>(
    "get",
    "/api/v1/admin/access-reviews/{id}",
    { path: { id }, query: cursor ? { cursor } : {} },
    signal,
  );

export const decide = (id: string, user_id: string, verdict: "keep" | "revoke", reason: string) =>
  tell("post", "/api/v1/admin/access-reviews/{id}/decide", { path: { id }, body: { user_id, verdict, reason } });

export const readReport = (cursor: string, signal?: AbortSignal) =>
  ask<AccessReport>("get", "/api/v1/admin/access-report", { query: cursor ? { cursor } : {} }, signal);
