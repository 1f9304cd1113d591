/** A request as a test sees it. */
export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
  signal: AbortSignal;
}

type Handler = (asked: Asked) => unknown;

let handlers = new Map<string, Handler>();

/** Everything that was asked since the test began, the oldest first. */
export let asked: Asked[] = [];

export function forget(): void {
  handlers = new Map();
  asked = [];
}

/**
 * Answers a request, `"GET /api/v1/patients/1"`, with what the handler gives: a `Response`, or something that is sent as JSON. What it
 * throws is a network that fails.
 */
export function on(what: string, handler: Handler): void {
  handlers.set(what, handler);
}

/** What was asked of one endpoint. */
export const askedOf = (what: string) => asked.filter(({ method, path }) => `${method} ${path}` === what);

/** A problem document. */
export function problem(status: number, document: Record<string, unknown> = {}): Response {
  return Response.json({ status, correlation_id: "c-1", ...document }, { status });
}

export async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const text = await request.text();
  const { method, headers, signal } = request;
  const one: Asked = {
    method,
    path: pathname,
    query: searchParams,
    headers,
    signal,
    body: text ? JSON.parse(text) : undefined,
  };
  asked.push(one);
  const handler = handlers.get(`${method} ${pathname}`);
  if (!handler) return problem(404, { title: `no test answers ${method} ${pathname}` });
  const given = await handler(one);
  return given instanceof Response ? given : Response.json(given);
}
