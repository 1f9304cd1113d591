import { api, body } from "../client";

interface Sent {
  /** Parts of the path. */
  path?: Record<string, string | number>;
  query?: Record<string, unknown>;
  body?: unknown;
}

type Method = "get" | "post" | "put" | "patch" | "delete";

/** Asks for something whose answer has a body. */
export async function ask<T>(method: Method, path: string, sent: Sent = {}, signal?: AbortSignal): Promise<T> {
  return body((await send(method, path, sent, signal)) as { data?: T });
}

/** Asks for something that is answered without a body. */
export async function tell(method: Method, path: string, sent: Sent = {}): Promise<void> {
  await send(method, path, sent);
}

function send(method: Method, path: string, { path: parts, query, body }: Sent, signal?: AbortSignal) {
  const params = { path: parts ?? {}, query: query ?? {} };
  return api.request(method, path as never, { params, ...(body !== undefined && { body }), signal } as never);
}
