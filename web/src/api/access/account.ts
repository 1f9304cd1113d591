import { openly } from "../openly";
import type { components } from "../schema";
import { ask, tell } from "./ask";

type Schemas = components["schemas"];

/** Somebody's own account. */
export type Me = Schemas["Profile"];

/** What is to be changed; `null` takes it away. */
export type ProfileChange = Schemas["ProfileChange"];

/** A place where somebody is signed in. */
export type SessionItem = Schemas["OpenSession"];

/** What an app is to know so that it shows codes. */
export type TotpSetup = Schemas["MfaSetup"];

/** Which second proofs somebody has. */
export type Mfa = Schemas["Mfa"];

export type Passkey = Schemas["Passkey"];

/** A passkey that was just made, with codes for the day on which it is lost if it is the first second proof. */
export type NewPasskey = Schemas["NewPasskey"];

/** One exchange with an authenticator, as the server begins it. */
export interface Begun {
  ceremony: string;
  public_key: unknown;
}

export const readMe = (signal?: AbortSignal) => ask<Me>("get", "/api/v1/auth/me", {}, signal);

export const changeProfile = (change: ProfileChange) => ask<Me>("put", "/api/v1/auth/profile", { body: change });

export const changePassword = (current_password: string, new_password: string) =>
  tell("post", "/api/v1/auth/change-password", { body: { current_password, new_password } });

export const readSessions = (signal?: AbortSignal) =>
  ask<{ items: SessionItem[] }>("get", "/api/v1/auth/sessions", {}, signal);

export const endSession = (id: string) => tell("delete", "/api/v1/auth/sessions/{id}", { path: { id } });

export const endOtherSessions = () => tell("delete", "/api/v1/auth/sessions");

export const readMfa = (signal?: AbortSignal) => ask<Mfa>("get", "/api/v1/auth/mfa", {}, signal);

export const beginTotp = () => ask<TotpSetup>("post", "/api/v1/auth/mfa/setup", { body: {} });

/** Ends the set-up with a code that the app shows; gives the codes for the day on which the app is lost. */
export const finishTotp = (code: string) =>
  ask<{ recovery_codes: string[] }>("post", "/api/v1/auth/mfa/verify", { body: { code } });

export const removeTotp = (code: string) => tell("delete", "/api/v1/auth/mfa/disable", { body: { code } });

export const readPasskeys = (signal?: AbortSignal) =>
  ask<{ items: Passkey[] }>("get", "/api/v1/auth/passkeys", {}, signal);

export const beginPasskey = () => ask<Begun>("post", "/api/v1/auth/passkeys/register", { body: {} });

export const finishPasskey = (ceremony: string, credential: unknown, name: string) =>
  ask<NewPasskey>("post", "/api/v1/auth/passkeys/register", { body: { ceremony, credential, name } });

export const renamePasskey = (id: string, name: string) =>
  ask<Passkey>("patch", "/api/v1/auth/passkeys/{id}", { path: { id }, body: { name } });

export const removePasskey = (id: string) => tell("delete", "/api/v1/auth/passkeys/{id}", { path: { id } });

/** At which organization somebody is, where it is not the installation's own, and the language of messages that follow. */
export interface Whereabouts {
  tenant?: string;
  language?: string;
}

/** What nobody has to be signed in for. The answers that tell nothing are the same whether there is such an account or not. */
export const open = {
  register: (person: { username: string; email: string; password: string; display_name?: string } & Whereabouts) =>
    openly("register", person),
  verifyEmail: (token: string) => openly("verify-email", { token }),
  askReset: (who: ({ email: string } | { username: string }) & Whereabouts) => openly("reset-password", who),
  reset: (token: string, new_password: string) => openly("verify-reset", { token, new_password }),
  async askPatientCode(
    who: { patient_id: string; date_of_birth: string } & Whereabouts,
  ): Promise<{ challenge?: string }> {
    const answer = await openly("patient-login", who);
    return (await answer.json()) as { challenge?: string };
  },
};
