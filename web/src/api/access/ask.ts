import { api, body } from "../client";

interface Sent {
  /** Parts of the path. */
  path?: Record<string, string | number>;
  query?: Record<string, unknown>;
  /** The version that was read: a change of any other is refused. */
  version?: number;
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

function send(method: Method, path: string, { path: parts, query, version, body }: Sent, signal?: AbortSignal) {
  const header = version === undefined ? {} : { "If-Match": `W/"${version}"` };
  const params = { path: parts ?? {}, query: query ?? {}, header };
  return api.request(method, path as never, { params, ...(body !== undefined && { body }), signal } as never);
}
