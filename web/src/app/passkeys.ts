import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";

/** One exchange with an authenticator, as the server begins it. */
export interface Ceremony {
  ceremony: string;
  /** The options, as WebAuthn writes them in JSON; some servers put them under `publicKey`. */
  public_key: unknown;
}

/** No passkey came of it, and no server was asked: the person or the device said no, or the device cannot. */
export class Refused extends Error {
  constructor(readonly why: "cancelled" | "known" | "impossible") {
    super(why);
  }
}

/** Whether this browser knows passkeys at all; it does so on secure addresses alone. */
export const hasPasskeys = () => typeof PublicKeyCredential === "function" && isSecureContext;

const options = <T>(given: unknown): T => (given as { publicKey?: T }).publicKey ?? (given as T);

/** Has the person show a passkey. Throws [`Refused`]. */
export async function passkeyFor(given: unknown): Promise<unknown> {
  const { startAuthentication } = await import("@simplewebauthn/browser");
  const optionsJSON = options<PublicKeyCredentialRequestOptionsJSON>(given);
  return startAuthentication({ optionsJSON }).catch((error: unknown) => {
    throw new Refused(whyOf(error));
  });
}

/** Has the person's device make a passkey. Throws [`Refused`]. */
export async function newPasskey(given: unknown): Promise<unknown> {
  const { startRegistration } = await import("@simplewebauthn/browser");
  const optionsJSON = options<PublicKeyCredentialCreationOptionsJSON>(given);
  return startRegistration({ optionsJSON }).catch((error: unknown) => {
    throw new Refused(whyOf(error));
  });
}

function whyOf(error: unknown): Refused["why"] {
  const name = error instanceof Error ? error.name : "";
  if (name === "InvalidStateError") return "known";
  return name === "NotAllowedError" || name === "AbortError" ? "cancelled" : "impossible";
}
