/** One fault of a request: where, and what is wrong with it. Never the value. */
export interface Fault {
  pointer: string;
  detail: string;
}

/** What the server (or the way to it) answered instead of what was asked for: RFC 9457 with our members. */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly errors: readonly Fault[];
  readonly correlationId: string | undefined;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter: number | undefined;
  /** The whole document, for members that one page alone needs. */
  readonly document: Record<string, unknown>;

  constructor(status: number, document: Record<string, unknown>, headers?: Headers) {
    const text = (name: string) => (typeof document[name] === "string" ? (document[name] as string) : undefined);
    super(text("detail") ?? text("title") ?? `status ${status}`);
    this.status = status;
    this.document = document;
    this.type = text("error_type") ?? "unknown";
    this.title = text("title") ?? "";
    this.errors = faults(document.errors);
    this.correlationId = text("correlation_id") ?? headers?.get("X-Correlation-ID") ?? undefined;
    const wait = Number(headers?.get("Retry-After"));
    this.retryAfter = Number.isFinite(wait) && wait > 0 ? wait : undefined;
  }

  /** The request never reached a server, so far as we know. */
  static unreachable(): Problem {
    return new Problem(0, { error_type: "unreachable" });
  }

  /** Whether the server said that it does not (or no longer) know who is asking. */
  get isRefusal(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /** The fault at a field, by the last part of its pointer. */
  at(field: string): string | undefined {
    return this.errors.find((fault) => fault.pointer === field || fault.pointer === `/${field}`)?.detail;
  }
}

function faults(value: unknown): Fault[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    if (typeof item !== "object" || item === null) return [];
    const { pointer, detail } = item as { pointer?: unknown; detail?: unknown };
    return [{ pointer: String(pointer ?? ""), detail: String(detail ?? "") }];
  });
}

/** Reads the problem document of an answer; an answer that is none becomes one with its status. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => ({}));
  const document = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  return new Problem(response.status, document, response.headers);
}
