import type { components } from "../schema";
import type { Listed } from "./admin";
import { ask } from "./ask";

type Schemas = components["schemas"];

export type Decision = "permit" | "deny";

export interface Span {
  start?: string;
  end?: string;
}

/** An exception to what a consent says: whom it names, for what, about what, and when. What is left out means all of it. */
export interface Provision {
  decision: Decision;
  /** References such as `Practitioner/…`, `Organization/…` or `Account/…`. */
  actors?: string[];
  purposes?: string[];
  classes?: string[];
  labels?: string[];
  actions?: string[];
  period?: Span;
  /** It has parts that only the FHIR API shows and changes. */
  further?: boolean;
}

export interface Consent {
  id: string;
  status?: string;
  decision?: Decision;
  given_at?: string;
  period?: Span;
  provisions: Provision[];
  policy_text?: string;
  revoke_reason?: string;
  /** Whether it decides about access now. */
  counts: boolean;
  version: number;
  /** What of it cannot be followed to the letter, and what is done instead. */
  warnings: string[];
}

export interface ConsentDraft {
  decision: Decision;
  period: Span | null;
  provisions: Provision[];
  policy_text: string | null;
}

export interface Member {
  /** A reference such as `Practitioner/…`, `Organization/…` or `Account/…`. */
  member: string;
  role?: string;
  period?: Span;
}

export interface CareTeam {
  members: Member[];
  /** Further active teams of the patient, whose members treat too. */
  other_teams: string[];
  version?: number;
}

/** A record that was opened in an emergency. */
export type Glass = Schemas["BreakGlass"];

export type GlassState = "all" | "open" | "unreviewed" | "reviewed";

const CONSENTS = "/api/v1/patients/{id}/consents";

export const readConsents = (id: string, signal?: AbortSignal) =>
  ask<Listed<Consent>>("get", CONSENTS, { path: { id } }, signal);

/** A new record has nothing that could be taken away. */
const given = ({ period, policy_text, ...draft }: ConsentDraft) => ({
  ...draft,
  ...(period && { period }),
  ...(policy_text && { policy_text }),
});

export const makeConsent = (id: string, draft: ConsentDraft) =>
  ask<Consent>("post", CONSENTS, { path: { id }, body: given(draft) });

export const changeConsent = (id: string, consent: { id: string; version: number }, draft: ConsentDraft) =>
  ask<Consent>("put", `${CONSENTS}/{consent_id}`, {
    path: { id, consent_id: consent.id },
    version: consent.version,
    body: draft,
  });

export const revokeConsent = (id: string, consent_id: string, reason: string) =>
  ask<Consent>("post", `${CONSENTS}/{consent_id}/revoke`, { path: { id, consent_id }, body: { reason } });

const TEAM = "/api/v1/patients/{id}/care-team";

export const readTeam = (id: string, signal?: AbortSignal) => ask<CareTeam>("get", TEAM, { path: { id } }, signal);

/** `version` is the one that was read; none where there was no team yet. */
export const changeTeam = (id: string, version: number | undefined, members: Member[]) =>
  ask<CareTeam>("put", TEAM, { path: { id }, ...(version !== undefined && { version }), body: { members } });

export const breakGlass = (patient_id: string, reason: string, minutes: number) =>
  ask<Glass>("post", "/api/v1/break-glass", { body: { patient_id, reason, minutes } });

/** The newest first: everybody's for who reviews them, else one's own. */
export const readGlass = (state: GlassState, cursor = "", signal?: AbortSignal) =>
  ask<Listed<Glass>>("get", "/api/v1/break-glass", { query: { state, limit: 100, ...(cursor && { cursor }) } }, signal);

export const reviewGlass = (id: string, verdict: "justified" | "unjustified", note: string) =>
  ask<Glass>("post", "/api/v1/break-glass/{id}/review", { path: { id }, body: { verdict, note } });
