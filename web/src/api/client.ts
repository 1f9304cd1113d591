import createClient, { type Middleware } from "openapi-fetch";
import { session } from "../app/session";
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

/** The plain API, typed from our OpenAPI. A bad answer is thrown as a [`Problem`]. */
export const api = createClient<paths>({ baseUrl: "/" });
api.use(authorise);

/** The body of an answer that has one. */
export function body<T>(answer: { data?: T }): T {
  if (answer.data === undefined) throw new Problem(502, { detail: "the answer has no body", error_type: "unknown" });
  return answer.data;
}
