import { Problem, problemOf } from "./problem";

/** Asks something of `/auth` that nobody has to be signed in for. What may begin a session keeps its token in the cookie. */
export async function openly(what: string, sent: unknown): Promise<Response> {
  const headers = { "Content-Type": "application/json", "X-IRIS-Session": "cookie" };
  // A page that is left in the middle must not lose the cookie of the answer: the one before it is good no longer, and shown again it
  // would be taken for stolen.
  const request = { method: "POST", headers, body: JSON.stringify(sent), keepalive: true };
  const response = await fetch(`/api/v1/auth/${what}`, request).catch(() => {
    throw Problem.unreachable();
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}
