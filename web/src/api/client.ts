import createClient, { type Middleware } from "openapi-fetch";
import { session } from "../app/session";
import { stepUp } from "../app/stepUp";
import { Problem, problemOf } from "./problem";
import type { paths } from "./schema";

const authorise: Middleware = {
  async onRequest({ request }) {
    const token = await session.token();
    // A page that is locked or closing still asks now and then; without a token the answer is known.
    if (!token) throw new Problem(401, { error_type: "unauthenticated" });
    request.headers.set("Authorization", `Bearer ${token}`);
    request.headers.set("Accept", "application/json");
    return request;
  },
  async onResponse({ response }) {
    if (response.status === 401) session.lost();
    if (!response.ok) throw await problemOf(response);
    return response;
  },
  onError() {
    return Problem.unreachable();
  },
};

/** What the server wants before it goes on, by the type of its refusal. */
async function wanted(response: Response): Promise<string> {
  if (response.status !== 403) return "";
  const document: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  const { error_type: type } = (document ?? {}) as { error_type?: unknown };
  return typeof type === "string" ? type : "";
}

/** Sends a request; where a fresh proof of who is there is wanted, has it given, and sends the request once more. */
async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await fetch(request);
  const type = await wanted(response);
  // The pages learn from the session what is to be done first.
  if (type === "mfa_setup_required" || type === "password_change_required")
    void session.refresh().catch(() => undefined);
  if (type !== "step_up_required" || !(await stepUp.ask())) return response;
  const token = await session.token();
  if (token) again.headers.set("Authorization", `Bearer ${token}`);
  return fetch(again);
}

/** The plain API, typed from our OpenAPI. A bad answer is thrown as a [`Problem`]. */
export const api = createClient<paths>({ baseUrl: "/", fetch: send });
api.use(authorise);

/** The body of an answer that has one. */
export function body<T>(answer: { data?: T }): T {
  if (answer.data === undefined) throw new Problem(502, { detail: "the answer has no body", error_type: "unknown" });
  return answer.data;
}
