import type { Listed } from "./admin";
import { ask } from "./ask";

/** One rule of a consent, and rules below it that make exceptions. */
export interface Provision {
  type?: "permit" | "deny";
  period?: { start?: string; end?: string };
  actors?: Actor[];
  purposes?: string[];
  classes?: string[];
  labels?: string[];
  provisions?: Provision[];
}

/** Whom a rule is about. */
export interface Actor {
  reference: string;
  display?: string;
}

export interface Consent {
  id: string;
  status: string;
  dated_at?: string;
  provision?: Provision;
  version: number;
  updated_at?: string;
  /** What of it cannot be followed to the letter, and what is done instead. */
  warnings?: string[];
}

export interface ConsentDraft {
  provision: Provision;
}

export interface Member {
  reference: string;
  display?: string;
  role?: string;
  period?: { start?: string; end?: string };
}

export interface CareTeam {
  members: Member[];
  version?: number;
}

/** A record that was opened in an emergency. */
export interface Glass {
  id: string;
  patient_id: string;
  user_id: string;
  username?: string;
  reason: string;
  opened_at: string;
  ends_at: string;
  review?: { verdict: "justified" | "unjustified"; note?: string; reviewed_by?: string; reviewed_at?: string };
}

const CONSENTS = "/api/v1/patients/{id}/consents";

export const readConsents = (id: string, signal?: AbortSignal) =>
  ask<Listed<Consent>>("get", CONSENTS, { path: { id } }, signal);

export const makeConsent = (id: string, draft: ConsentDraft) =>
  ask<Consent>("post", CONSENTS, { path: { id }, body: draft });

export const changeConsent = (id: string, consent_id: string, draft: ConsentDraft) =>
  ask<Consent>("put", `${CONSENTS}/{consent_id}`, { path: { id, consent_id }, body: draft });

export const revokeConsent = (id: string, consent_id: string, reason: string) =>
  ask<Consent>("post", `${CONSENTS}/{consent_id}/revoke`, { path: { id, consent_id }, body: { reason } });

const TEAM = "/api/v1/patients/{id}/care-team";

export const readTeam = (id: string, signal?: AbortSignal) => ask<CareTeam>("get", TEAM, { path: { id } }, signal);

export const changeTeam = (id: string, team: CareTeam) => ask<CareTeam>("put", TEAM, { path: { id }, body: team });

export const breakGlass = (patient_id: string, reason: string, minutes: number) =>
  ask<Glass>("post", "/api/v1/break-glass", { body: { patient_id, reason, minutes } });

export const readGlass = (query: Record<string, unknown>, signal?: AbortSignal) =>
  ask<Listed<Glass>>("get", "/api/v1/break-glass", { query }, signal);

export const reviewGlass = (id: string, verdict: "justified" | "unjustified", note: string) =>
  ask<Glass>("post", "/api/v1/break-glass/{id}/review", { path: { id }, body: { verdict, note } });
