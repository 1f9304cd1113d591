import { keptOrganization } from "../../app/organizations";
import { passkeyFor } from "../../app/passkeys";
import { session } from "../../app/session";
import { Problem, problemOf } from "../problem";
import type { Begun } from "./account";

/**
 * Sends something to `/auth` in the name of who is signed in. Not by the client of all pages: there an answer of 401 ends the session,
 * and here it may say no more than that what was typed is wrong.
 */
async function send(what: string, sent: unknown): Promise<Response> {
  const token = await session.token();
  if (!token) throw new Problem(401, { error_type: "unauthenticated" });
  const headers = { "Content-Type": "application/json", Accept: "application/json", Authorization: `Bearer ${token}` };
  const request = { method: "POST", headers, body: JSON.stringify(sent) };
  const answer = await fetch(`/api/v1/auth/${what}`, request).catch(() => {
    throw Problem.unreachable();
  });
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

/** Shows once more who is there, by a password or a code of the app. */
export async function proveByWord(way: "password" | "code", typed: string): Promise<void> {
  await send("step-up", { [way]: typed });
}

/** Shows once more who is there, by a passkey. */
export async function proveByPasskey(): Promise<void> {
  const username = session.current().user?.username;
  const tenant = keptOrganization();
  const who = { ...(username && { username }), ...(tenant && { tenant }) };
  const begun = (await (await send("passkeys/login", who)).json()) as Begun;
  const credential = await passkeyFor(begun.public_key);
  await send("step-up", { ceremony: begun.ceremony, credential });
}
