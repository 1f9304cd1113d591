import AxeBuilder from "@axe-core/playwright";
import { type Browser, type BrowserContext, chromium, type Page, type Request } from "playwright-core";
import { expect, inject, onTestFailed } from "vitest";
import type { Role } from "./setup";

export const demo = inject("demo");

/** The sizes that pages are looked at in: a desk, the narrowest telephone, and a desk at 400 % zoom. */
export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 360, height: 740 };
export const ZOOMED = { width: 320, height: 256 };

/** Passkeys are good for a name, and a number is none. */
export const BY_NAME = { baseURL: demo.url.replace("127.0.0.1", "localhost") };

/** What still moves is not what people read. */
export const STILL = { reducedMotion: "reduce" as const };

/** Starts the system's Chromium, or the one that `CHROMIUM` names. Only root needs it without its sandbox. */
export function openBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args });
}

/** Longest wait for something to appear: debug builds on busy machines take their time. */
const WAIT_MS_MAX = 30_000;

type ContextOptions = Parameters<Browser["newContext"]>[0];

/** A window of its own, with what went wrong in it. */
export interface Window {
  context: BrowserContext;
  page: Page;
  /** Errors of scripts and of the console, where Chromium also tells of breaches of the content security policy. None is expected. */
  complaints: string[];
  close(): Promise<void>;
}

export async function openWindow(browser: Browser, options: ContextOptions = {}): Promise<Window> {
  const context = await browser.newContext({ baseURL: demo.url, viewport: WIDE, locale: "en-US", ...options });
  context.setDefaultTimeout(WAIT_MS_MAX);
  const [complaints, told]: [string[], string[]] = [[], []];
  context.on("page", (page) => listen(page, complaints));
  context.on("response", (answer) => note(told, answer.request(), String(answer.status())));
  context.on("requestfailed", (request) => note(told, request, request.failure()?.errorText ?? "failed"));
  onTestFailed(async () => {
    const last = told.slice(-TOLD_MAX).join("\n");
    for (const page of context.pages()) process.stderr.write(`${await seenOn(page)}${last}\n`);
  });
  const page = await context.newPage();
  return { context, page, complaints, close: () => context.close() };
}

/** How many of the last answers are shown of a window in which a test has failed. */
const TOLD_MAX = 20;

/** What was answered, other than files that were there. */
function note(told: string[], request: Request, what: string): void {
  const { pathname } = new URL(request.url());
  if (what !== "200" || !pathname.startsWith("/app/assets/")) told.push(`${request.method()} ${pathname}: ${what}`);
}

/** What somebody would see on the page, for whoever looks for why a test has failed. */
async function seenOn(page: Page): Promise<string> {
  const text = await page.locator("body").ariaSnapshot().catch(String);
  return `a window at ${page.url()} shows:\n${text.slice(0, 2000)}\nand the server said last:\n`;
}

function listen(page: Page, complaints: string[]) {
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // An answer of 4xx is part of what is tested; the browser tells of each.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
}

/** Signs in with the account that the demo clinic has for a role, and waits for the first page. */
export async function signIn(page: Page, role: Role, at = "/app/"): Promise<void> {
  const { username, password } = demo.accounts[role];
  await page.goto(at);
  await page.getByLabel("User name").fill(username);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: `Account of ${username}` }).waitFor();
}

/** Fails with the details of every serious or critical fault that axe finds on the page, by all of its rules or by some. */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  let told = await violations(page, rules);
  for (let look = 1; look < LOOKS && told.length > 0; look++) told = await violations(page, rules);
  expect(told, told.join("\n\n")).toEqual([]);
}

/** How often a page is looked at: what is still fading or turning from day to night is not what people read. */
const LOOKS = 4;

async function violations(page: Page, rules?: string[]): Promise<string[]> {
  await standing(page);
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return grave.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}\n  ${node.target.join(" ")}\n  ${node.html}\n  ${node.failureSummary}`),
  );
}

/** Waits until nothing moves any more but what turns for as long as something is on its way. */
export async function standing(page: Page): Promise<void> {
  await page.evaluate(() => {
    const ends = (animation: Animation) => Number.isFinite(Number(animation.effect?.getComputedTiming().endTime));
    return Promise.allSettled(
      document
        .getAnimations()
        .filter(ends)
        .map((animation) => animation.finished),
    );
  });
}

/** Fails if one has to scroll sideways to read the page (WCAG 2.2, 1.4.10), once it has taken the width that it was given. */
export async function expectNoSideways(page: Page): Promise<void> {
  const fits = () => document.documentElement.scrollWidth <= document.documentElement.clientWidth;
  await page.waitForFunction(fits, undefined, { timeout: 5_000 }).catch(() => undefined);
  const widths = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    screen: document.documentElement.clientWidth,
  }));
  expect(widths.content).toBeLessThanOrEqual(widths.screen);
}

/**
 * Looks at a page as people have it: wide and narrow, by day and by night. All rules at each width, and by night those that see a
 * difference.
 */
export async function expectGood(page: Page): Promise<void> {
  for (const size of [NARROW, WIDE]) {
    await page.setViewportSize(size);
    await expectNoSideways(page);
    await expectAccessible(page);
    await paint(page, "dark");
    await expectAccessible(page, COLOURS);
    await paint(page, "light");
  }
}

/** Rules that see a difference between day and night. */
export const COLOURS = ["color-contrast", "link-in-text-block"];

/** Day or night, once the page has turned to it. */
export async function paint(page: Page, colorScheme: "dark" | "light"): Promise<void> {
  await page.emulateMedia({ colorScheme });
  // What stands before the pages is drawn over them, and the page as such has no height.
  await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor({ state: "attached" });
  // Two frames: one in which the styles are computed anew, and one in which what they set in motion has begun and ended.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** The text of the element that has the focus. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? "");
}
