import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import { demo, openWindow, type Window } from "../pages";
import type { Role } from "../setup";

/** What may be known of a patient by who looks over a shoulder or at what the browser keeps: nothing. */
export interface Walk extends Window {
  /** Fails if any of the texts stood in an address, a title, what the browser keeps or its console; or if a script complained. */
  expectSilent(secrets: readonly string[]): Promise<void>;
}

type Options = Parameters<typeof openWindow>[1];

/** A window that takes down every address, title and message of the console from its first page on. */
export async function openWalk(browser: Browser, options: Options = {}): Promise<Walk> {
  const window = await openWindow(browser, options);
  const heard: string[] = [];
  const listen = (page: Page) => {
    page.on("console", (message) => heard.push(message.text()));
    page.on("framenavigated", (frame) => heard.push(frame.url()));
  };
  listen(window.page);
  window.context.on("page", listen);
  await window.context.exposeFunction("tellTitle", (title: string) => heard.push(title));
  await window.context.addInitScript(() => {
    const tell = (globalThis as unknown as { tellTitle: (title: string) => void }).tellTitle;
    new MutationObserver(() => tell(document.title)).observe(document, { subtree: true, childList: true });
  });
  const expectSilent = async (secrets: readonly string[]) => {
    for (const page of window.context.pages()) {
      heard.push(page.url(), await page.title());
      heard.push(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])));
      heard.push(await page.evaluate(() => `${document.cookie} ${JSON.stringify(history.state)}`));
    }
    expect(heard.some((text) => text.includes("IRIS"))).toBe(true);
    const told = secrets.filter((secret) => heard.some((text) => decoded(text).includes(secret.toLowerCase())));
    expect(told).toEqual([]);
    expect(window.complaints).toEqual([]);
  };
  return { ...window, expectSilent };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text).toLowerCase();
  } catch {
    return text.toLowerCase();
  }
}

const tokens = new Map<Role, Promise<string>>();

function token(role: Role): Promise<string> {
  let known = tokens.get(role);
  if (!known) {
    known = send("/auth/login", undefined, demo.accounts[role]).then(
      async (answer) => ((await answer.json()) as { access_token: string }).access_token,
    );
    tokens.set(role, known);
  }
  return known;
}

function send(path: string, bearer: string | undefined, content?: unknown, method?: string): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  const what = content === undefined ? {} : { body: JSON.stringify(content) };
  return fetch(`${demo.url}/api/v1${path}`, { method: method ?? (content ? "POST" : "GET"), headers, ...what });
}

/** Asks the server beside the pages: to prepare a walk, and to see what it left behind. */
export async function ask(role: Role, path: string, content?: unknown, method?: string): Promise<Response> {
  return send(path, await token(role), content, method);
}

/** The same, where an answer is expected. */
export async function answer<T>(role: Role, path: string, content?: unknown): Promise<T> {
  const response = await ask(role, path, content);
  expect(response.ok, `${path}: ${response.status}`).toBe(true);
  return (await response.json()) as T;
}

/** A name that no seed makes, so that each walk finds only its own people. */
export function familyName(): string {
  return `Walkerov${Date.now().toString(36)}`;
}

export interface Person {
  id: string;
  first_name: string;
  last_name: string;
  date_of_birth: string;
  medical_record_number: string;
}

export function registered(first: string, last: string, more: Record<string, unknown> = {}): Promise<Person> {
  const fields = { first_name: first, last_name: last, date_of_birth: "1987-03-09", gender: "female", ...more };
  return answer<Person>("registrar", "/patients", fields);
}

/** What must not be seen of a person outside of the page. */
export function secretsOf(person: Person): string[] {
  return [person.last_name, person.first_name, person.date_of_birth, person.medical_record_number];
}

/** The id in the address of a chart. */
export async function chartOpened(page: Page): Promise<string> {
  await page.waitForURL(/\/app\/patients\/[0-9a-f-]{36}$/);
  return page.url().split("/").at(-1) ?? "";
}

/** Waits until the page has its heading and no longer shows that it loads. */
export async function settled(page: Page): Promise<void> {
  await page.locator("h1, main h2").first().waitFor();
  await page.waitForFunction(() => document.querySelector("#content .mantine-Loader-root") === null);
}
