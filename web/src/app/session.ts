import { useSyncExternalStore } from "react";
import { openly } from "../api/openly";
import { Problem } from "../api/problem";
import { keepOrganization } from "./organizations";
import type { Ceremony } from "./passkeys";
import { listen, mark, type Told, tell } from "./tabs";

/** Who is signed in. */
export interface User {
  id: string;
  username: string;
  roles: string[];
  permissions: string[];
  patient_id?: string;
}

/** What must be done before anything else: until then the server answers to nothing but that. */
export type Must = "mfa_setup" | "password_change";

/** A password was right, and now a second proof is wanted. */
export interface Challenge {
  challenge: string;
  /** What may be shown: `totp`, `recovery_code`, `passkey`. */
  factors: string[];
  /** Whose it is, and at which organization, as typed. */
  username: string;
  tenant: string;
}

/** A second proof: what an app shows, or one of the codes that were kept for the day on which the app is lost. */
export type Proof = { code: string } | { recovery_code: string };

/**
 * - `starting`: asking the server whether this browser has a session.
 * - `away`: the server could not be asked that, so nobody knows; it is asked again.
 * - `out`: nobody is signed in.
 * - `in`: signed in.
 * - `locked`: the session ended while pages were open; they stay in memory, out of sight, until the same person returns.
 */
export type Status = "starting" | "away" | "out" | "in" | "locked";

export interface State {
  status: Status;
  user: User | undefined;
  must: readonly Must[];
  /** Why the server could not be asked; another one after each try. */
  error: unknown;
  /** Seconds without an exchange after which the server lets the session end. */
  idleSeconds: number;
  /** When it ends whatever happens, in milliseconds since 1970. */
  expiresAt: number;
}

interface Tokens {
  access_token: string;
  expires_in: number;
  user: User;
  must?: Must[];
  passkey_offer?: boolean;
  session: { id: string; idle_seconds: number; expires_at: string };
}

/** What a patient shows: who they are, and the code that came to them. */
export interface PatientAnswer {
  patient_id: string;
  date_of_birth: string;
  verification_code: string;
  challenge?: string;
  tenant?: string;
}

/** What a sign-in is answered with where a password alone does not do. */
interface Asked {
  mfa_required: true;
  challenge: string;
  factors: string[];
}

/** How long before its end an access token is exchanged. */
const EARLY_MS = 30_000;

/**
 * The one session of this browser. The access token lives here, in the memory of one tab, and nowhere else; the refresh token is a
 * cookie that no script can read and that all tabs share, so what happens to the session in one tab happens to it in all.
 */
class Session {
  private state: State = {
    status: "starting",
    user: undefined,
    must: [],
    error: undefined,
    idleSeconds: 900,
    expiresAt: 0,
  };
  private access: { token: string; until: number } | undefined;
  private listeners = new Set<() => void>();
  private forgetters = new Set<() => void>();
  private refreshing: Promise<void> | undefined;

  constructor() {
    listen((told) => void this.heard(told));
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  current = () => this.state;

  private set(change: Partial<State>) {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  /** Calls `forget` whenever what is in memory must go: another person has signed in, or this one has signed out. */
  onForget(forget: () => void): () => void {
    this.forgetters.add(forget);
    return () => this.forgetters.delete(forget);
  }

  private forget() {
    for (const forget of this.forgetters) forget();
  }

  /** Asks whether this browser still has a session, at the start of the page. */
  async start(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      // Only an answer says that there is none: a server that is away or busy has taken nobody's session.
      const isOut = error instanceof Problem && error.isRefusal;
      this.set({ status: isOut ? "out" : "away", user: undefined, error: isOut ? undefined : error });
    }
  }

  /** Has somebody sign in anew where the server could not say whether there is a session. */
  giveUp(): void {
    if (this.state.status === "away") this.leave();
  }

  /** Signs in by name and password; gives what is to be answered first, where a password alone does not do. */
  async signIn(username: string, password: string, tenant = ""): Promise<Challenge | undefined> {
    const asked = Date.now();
    const who = { username, password, ...(tenant && { tenant }) };
    const answer = await this.ask<Tokens | Asked>("login", { ...who, session: "cookie" });
    if (!("mfa_required" in answer)) return this.enter(answer, asked, tenant);
    return { challenge: answer.challenge, factors: answer.factors, username, tenant };
  }

  /** Answers the challenge that a sign-in has ended with. */
  async prove({ challenge, tenant }: Challenge, proof: Proof): Promise<void> {
    const asked = Date.now();
    this.enter(await this.ask<Tokens>("mfa/verify", { challenge, ...proof, session: "cookie" }), asked, tenant);
  }

  /** Signs in by a passkey, of anybody or of one account. Throws a `Refused` when the person or the device says no. */
  async signInByPasskey(username = "", tenant = ""): Promise<undefined> {
    const { passkeyFor } = await import("./passkeys");
    const who = { ...(username && { username }), ...(tenant && { tenant }) };
    const begun = await this.ask<Ceremony>("passkeys/login", who);
    const credential = await passkeyFor(begun.public_key);
    const asked = Date.now();
    const answer = { ceremony: begun.ceremony, credential, session: "cookie" };
    return this.enter(await this.ask<Tokens>("passkeys/login", answer), asked, tenant);
  }

  /**
   * Signs a patient in with the code that was sent to them; gives whether a passkey is to be offered to them, or what is to be answered
   * first where they have a second factor.
   */
  async signInAsPatient(shown: PatientAnswer): Promise<boolean | Challenge> {
    const asked = Date.now();
    const tenant = shown.tenant ?? "";
    const answer = await this.ask<Tokens | Asked>("patient-login", { ...shown, session: "cookie" });
    if ("mfa_required" in answer) {
      return { challenge: answer.challenge, factors: answer.factors, username: "", tenant };
    }
    this.enter(answer, asked, tenant);
    return answer.passkey_offer ?? false;
  }

  private enter(tokens: Tokens, asked: number, tenant: string): undefined {
    keepOrganization(tenant);
    this.take(tokens, asked);
    mark("touched", asked);
    tell({ what: "in", user: tokens.user.id });
  }

  async signOut(): Promise<void> {
    await this.end();
    tell({ what: "out" });
    this.leave();
  }

  private leave() {
    this.access = undefined;
    this.set({ status: "out", user: undefined, must: [], error: undefined });
    this.forget();
  }

  /** Ends the session on the server and hides the pages of every tab: nobody has touched them for too long. */
  async lock(): Promise<void> {
    // First the screen: the server may take its time to answer, or not be there.
    const ending = this.end();
    this.lost();
    tell({ what: "locked" });
    await ending;
  }

  private async end(): Promise<void> {
    const token = this.access?.token;
    this.access = undefined;
    const headers: Record<string, string> = { "X-IRIS-Session": "cookie", "Content-Type": "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    // It goes on when the page is closed at once. Without an answer the server ends the session by itself when its idle time is over.
    await fetch("/api/v1/auth/logout", { method: "POST", headers, body: "{}", keepalive: true }).catch(() => undefined);
  }

  /** The server no longer knows us. */
  lost(): void {
    this.access = undefined;
    if (this.state.status === "in") this.set({ status: "locked" });
    else if (this.state.status === "starting") this.set({ status: "out", user: undefined });
  }

  private async heard(told: Told): Promise<void> {
    const { status, user } = this.state;
    if (told.what === "out") return this.leave();
    if (told.what === "locked") return this.lost();
    if (told.user === user?.id) {
      // The new sign-in has ended the session that this tab's token is of.
      this.access = undefined;
      if (status === "locked") await this.refresh().catch(() => undefined);
      return;
    }
    // The cookie is somebody else's now: nothing of the person before may stay, and nothing may be asked in their name.
    this.access = undefined;
    this.set({ status: "starting", user: undefined });
    this.forget();
    await this.start();
  }

  /**
   * A token that is good for a while yet; none if nobody is signed in.
   *
   * Throws a [`Problem`] when a new one is needed and the server cannot be asked: the session may well go on.
   */
  async token(): Promise<string | undefined> {
    if (this.state.status !== "in") return undefined;
    if (this.access && Date.now() < this.access.until - EARLY_MS) return this.access.token;
    await this.refresh();
    return this.access?.token;
  }

  /**
   * Exchanges the cookie for a new access token: once, however many ask, and one tab at a time. The server counts idleness from here.
   *
   * Throws a [`Problem`]; after a refusal the pages are locked.
   */
  refresh(): Promise<void> {
    this.refreshing ??= this.exchange().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  private async exchange(): Promise<void> {
    try {
      await alone(async () => {
        const asked = Date.now();
        this.take(await this.ask<Tokens>("refresh", {}), asked);
      });
    } catch (error) {
      if (error instanceof Problem && error.isRefusal) this.lost();
      throw error;
    }
  }

  private take(tokens: Tokens, asked: number) {
    const before = this.state.user;
    this.access = { token: tokens.access_token, until: asked + tokens.expires_in * 1000 };
    mark("refreshed", asked);
    if (this.state.status !== "in") mark("touched", asked);
    // Somebody else's pages must not come back to this person.
    if (before && before.id !== tokens.user.id) this.forget();
    this.set({
      status: "in",
      user: tokens.user,
      must: tokens.must ?? [],
      error: undefined,
      idleSeconds: tokens.session.idle_seconds,
      expiresAt: Date.parse(tokens.session.expires_at),
    });
  }

  private async ask<T>(what: string, sent: unknown): Promise<T> {
    const response = await openly(what, sent);
    // A browser without a cookie has no session, which is no failure; here it is the same as one that ended.
    if (response.status === 204) throw new Problem(401, { error_type: "unauthenticated" });
    return (await response.json()) as T;
  }
}

/**
 * Does something while no other tab does it. Browsers know locks on secure addresses alone; without them it is done at once, and the
 * server gives all who ask within seconds the same successor.
 */
async function alone(work: () => Promise<void>): Promise<void> {
  const locks: LockManager | undefined = navigator.locks;
  await (locks ? locks.request("iris-refresh", work) : work());
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
