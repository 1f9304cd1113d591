import { useSyncExternalStore } from "react";
import { Problem, problemOf } from "../api/problem";

/** Who is signed in. */
export interface User {
  id: string;
  username: string;
  roles: string[];
  permissions: string[];
  patient_id?: string;
}

/**
 * - `starting`: asking the server whether this browser has a session.
 * - `out`: nobody is signed in.
 * - `in`: signed in.
 * - `locked`: the session ended while pages were open; they stay in memory, out of sight, until the same person returns.
 */
export type Status = "starting" | "out" | "in" | "locked";

export interface State {
  status: Status;
  user: User | undefined;
  /** Seconds without a touch after which the server lets the session end. */
  idleSeconds: number;
  /** When it ends whatever happens, in milliseconds since 1970. */
  expiresAt: number;
}

interface Tokens {
  access_token: string;
  expires_in: number;
  user: User;
  session: { id: string; idle_seconds: number; expires_at: string };
}

/** How long before its end an access token is exchanged. */
const EARLY_MS = 30_000;

/**
 * The one session of this browser tab. The access token lives here, in memory, and nowhere else; the refresh token is a cookie
 * that no script can read.
 */
class Session {
  private state: State = { status: "starting", user: undefined, idleSeconds: 900, expiresAt: 0 };
  private access: { token: string; until: number } | undefined;
  private listeners = new Set<() => void>();
  private refreshing: Promise<void> | undefined;

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  current = () => this.state;

  private set(change: Partial<State>) {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  /** Asks whether this browser still has a session, at the start of the page. */
  async start(): Promise<void> {
    try {
      await this.refresh();
    } catch {
      this.set({ status: "out" });
    }
  }

  async signIn(username: string, password: string): Promise<void> {
    const tokens = await this.ask<Tokens>("login", { username, password, session: "cookie" });
    // Somebody else's pages must not come back to this person.
    const isSame = this.state.user === undefined || this.state.user.id === tokens.user.id;
    if (!isSame) return this.takeOver(tokens);
    this.take(tokens);
  }

  private takeOver(tokens: Tokens) {
    this.take(tokens);
    for (const forget of this.forgetters) forget();
  }

  private forgetters = new Set<() => void>();

  /** Calls `forget` whenever what is in memory must go: another person has signed in, or this one has signed out. */
  onForget(forget: () => void): () => void {
    this.forgetters.add(forget);
    return () => this.forgetters.delete(forget);
  }

  async signOut(): Promise<void> {
    await this.end();
    this.set({ status: "out", user: undefined });
    for (const forget of this.forgetters) forget();
  }

  /** Ends the session on the server and hides the pages: nobody has touched them for too long. */
  async lock(): Promise<void> {
    await this.end();
    this.lost();
  }

  private async end(): Promise<void> {
    const token = this.access?.token;
    this.access = undefined;
    const headers: Record<string, string> = { "X-IRIS-Session": "cookie", "Content-Type": "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    await fetch("/api/v1/auth/logout", { method: "POST", headers, body: "{}" }).catch(() => undefined);
  }

  /** The server no longer knows us. */
  lost(): void {
    this.access = undefined;
    this.set({ status: this.state.user ? "locked" : "out" });
  }

  /** A token that is good for a while yet; none if nobody is signed in. */
  async token(): Promise<string | undefined> {
    if (this.state.status !== "in") return undefined;
    if (this.access && Date.now() < this.access.until - EARLY_MS) return this.access.token;
    await this.refresh().catch(() => this.lost());
    return this.access?.token;
  }

  /** Exchanges the cookie for a new access token: once, however many ask, and one tab at a time. */
  refresh(): Promise<void> {
    this.refreshing ??= this.exchange().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  private async exchange(): Promise<void> {
    await navigator.locks.request("iris-refresh", async () => this.take(await this.ask<Tokens>("refresh", {})));
  }

  private take(tokens: Tokens) {
    this.access = { token: tokens.access_token, until: Date.now() + tokens.expires_in * 1000 };
    this.set({
      status: "in",
      user: tokens.user,
      idleSeconds: tokens.session.idle_seconds,
      expiresAt: Date.parse(tokens.session.expires_at),
    });
  }

  private async ask<T>(what: "login" | "refresh", sent: unknown): Promise<T> {
    const headers = { "Content-Type": "application/json", "X-IRIS-Session": "cookie" };
    const request = { method: "POST", headers, body: JSON.stringify(sent) };
    const response = await fetch(`/api/v1/auth/${what}`, request).catch(() => {
      throw Problem.unreachable();
    });
    if (!response.ok) throw await problemOf(response);
    return (await response.json()) as T;
  }
}

export const session = new Session();

/** The session as React sees it. */
export function useSession(): State {
  return useSyncExternalStore(session.subscribe, session.current);
}

/** Whether the person signed in has a permission. The server decides; this only spares people doors that stay shut. */
export function usePermission(permission: string): boolean {
  return useSession().user?.permissions.includes(permission) ?? false;
}
