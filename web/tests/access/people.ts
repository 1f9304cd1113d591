import { createHmac } from "node:crypto";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { demo } from "../pages";
import { answer } from "../walks/walk";

/** An account that a test has made for itself. */
export interface Made {
  id: string;
  username: string;
  password: string;
}

let count = 0;

/** Makes an account whose password is known and needs no change. */
export function makeUser(...roles: string[]): Promise<Made> {
  count += 1;
  return makeNamed(`tester${Date.now().toString(36)}${process.pid.toString(36)}${count}`, ...roles);
}

/** The same with a name of one's choice, for pictures. */
export async function makeNamed(username: string, ...roles: string[]): Promise<Made> {
  const password = `harbour clay violet ${username}`;
  const { id } = await answer<{ id: string }>("admin", "/admin/users", { username, roles, password });
  return { id, username, password };
}

/** Enters name and password where the page asks for them. */
export async function enter(page: Page, { username, password }: Omit<Made, "id">): Promise<void> {
  await page.goto("/app/");
  await page.getByLabel("User name").fill(username);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Waits until the pages are there. */
export async function arrived(page: Page, { username }: Pick<Made, "username">): Promise<void> {
  await page.getByRole("button", { name: `Account of ${username}` }).waitFor();
}

/** Signs out by the menu. */
export async function leave(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}

const STEP_MS = 30_000;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function decoded(secret: string): Buffer {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

/** The code of an app for one step of thirty seconds (RFC 6238). */
export function codeAt(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", decoded(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/**
 * An app that shows codes. A server takes each once and none from before it, and those of a step more or less; so this gives each time
 * the next one, and waits where there is none yet.
 */
export function app(secret: string): () => Promise<string> {
  let last = 0;
  const present = () => Math.floor(Date.now() / STEP_MS);
  return async () => {
    const step = Math.max(last + 1, present() - 1);
    while (step > present() + 1) await new Promise((resolve) => setTimeout(resolve, 500));
    last = step;
    return codeAt(secret, step);
  };
}

/** Puts a device that makes and shows passkeys, as if a finger touched it each time, into the browser. */
export async function authenticator(context: BrowserContext, page: Page): Promise<void> {
  const device = await context.newCDPSession(page);
  await device.send("WebAuthn.enable");
  await device.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** Gives an account an app, beside the pages; gives what shows its codes. */
export async function withApp({ username, password }: Made): Promise<() => Promise<string>> {
  const send = async <T>(path: string, content: unknown, bearer?: string): Promise<T> => {
    const headers = { "content-type": "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) };
    const body = JSON.stringify(content);
    const response = await fetch(`${demo.url}/api/v1/auth/${path}`, { method: "POST", headers, body });
    expect(response.ok, `${path}: ${response.status}`).toBe(true);
    return (await response.json()) as T;
  };
  const { access_token: token } = await send<{ access_token: string }>("login", { username, password });
  const { secret } = await send<{ secret: string }>("mfa/setup", {}, token);
  const next = app(secret);
  await send("mfa/verify", { code: await next() }, token);
  return next;
}
