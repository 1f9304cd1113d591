import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demo, expectAccessible, expectNoSideways, focused, NARROW, openBrowser, openWindow, signIn } from "./pages";

/** What may be loaded before anybody can sign in. */
const FIRST_SCREEN_BYTES_MAX = 250_000;
const MINUTE_MS = 60_000;
/** The idle time of a session where no setting says otherwise. */
const IDLE_MS = 15 * MINUTE_MS;

describe("signing in", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("asks for name and password on a page that is small and open to all", async () => {
    for (const options of [
      {},
      { viewport: NARROW },
      { colorScheme: "dark" as const },
      { forcedColors: "active" as const },
    ]) {
      const { page, complaints, close } = await openWindow(browser, options);
      await page.goto("/app/");
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await expectAccessible(page);
      await expectNoSideways(page);
      const bytes = await page.evaluate(() =>
        performance
          .getEntriesByType("resource")
          .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).transferSize, 0),
      );
      expect(bytes).toBeLessThan(FIRST_SCREEN_BYTES_MAX);
      expect(await page.title()).toBe("Sign in · IRIS");
      expect(complaints).toEqual([]);
      await close();
    }
  });

  it("tells a wrong password, keeps the name, and needs no mouse", async () => {
    const { page, close } = await openWindow(browser);
    await page.goto("/app/");
    await page.getByLabel("User name").waitFor();
    // The first field has the focus.
    await page.keyboard.type("nobody");
    await page.keyboard.press("Tab");
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("This name and password do not belong together.").waitFor();
    expect(await page.getByLabel("User name").inputValue()).toBe("nobody");
    await expectAccessible(page);
    await close();
  });

  it("keeps nothing in the browser that a script or the next person could read", async () => {
    const { page, context, complaints, close } = await openWindow(browser);
    await signIn(page, "nurse");
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie);
    expect(kept).not.toMatch(/eyJ|iris_session|nurse/);
    const cookie = (await context.cookies(`${demo.url}/api/v1/auth/refresh`)).find(
      ({ name }) => name === "iris_session",
    );
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/api/v1/auth" });
    expect(complaints).toEqual([]);
    await close();
  });

  it("goes on after a reload, and ends in every tab at once", async () => {
    const { page, context, close } = await openWindow(browser);
    await signIn(page, "nurse");
    await page.reload();
    await page.getByRole("heading", { name: "Find a patient" }).waitFor();
    const other = await context.newPage();
    await other.goto("/app/");
    await other.getByRole("heading", { name: "Find a patient" }).waitFor();
    await page.getByRole("button", { name: /^Account of/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
    await expectAccessible(page);
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await other.getByRole("heading", { name: "Sign in" }).waitFor();
    await close();
  });

  it("leads each role to where it has most to do", async () => {
    const places = {
      nurse: "/app/patients",
      patient: "/app/record",
      auditor: "/app/audit",
      registrar: "/app/patients",
    };
    for (const [role, place] of Object.entries(places)) {
      const { page, close } = await openWindow(browser);
      await signIn(page, role as keyof typeof places);
      await page.waitForURL((url) => url.pathname.startsWith(place));
      await close();
    }
  });

  it("speaks Spanish to who chooses it, and remembers", async () => {
    const { page, close } = await openWindow(browser);
    await page.goto("/app/");
    await page.getByRole("button", { name: "Español" }).click();
    await page.getByRole("heading", { name: "Iniciar sesión" }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("es");
    await page.reload();
    await page.getByRole("heading", { name: "Iniciar sesión" }).waitFor();
    await close();
  });

  it("moves the focus to the heading of a new page, and says when there is no network", async () => {
    const { page, context, close } = await openWindow(browser);
    await signIn(page, "registrar");
    await page.getByRole("link", { name: "Register a patient" }).click();
    await page.getByLabel("First name").waitFor();
    expect(await focused(page)).toBe("Register a patient");
    expect(await page.title()).toBe("Register a patient · IRIS");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.name)).toBe("first_name");
    await context.setOffline(true);
    await page.getByText("There is no connection").waitFor();
    await expectAccessible(page);
    await context.setOffline(false);
    await page.getByText("There is no connection").waitFor({ state: "hidden" });
    await close();
  });

  it("warns before the session ends, hides what is open when it does, and gives it back to the same person", async () => {
    const { page, complaints, close } = await openWindow(browser);
    await page.clock.install();
    await signIn(page, "registrar");
    await page.getByRole("link", { name: "Register a patient" }).first().click();
    await page.getByLabel("First name").fill("Half a na");
    await page.clock.fastForward(IDLE_MS - MINUTE_MS + 5_000);
    const warning = page.getByRole("dialog", { name: "You have not used IRIS for a while" });
    await warning.waitFor();
    await expectAccessible(page);
    await warning.getByRole("button", { name: "Stay signed in" }).click();
    await warning.waitFor({ state: "hidden" });
    expect(await page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.name)).toBe("first_name");

    await page.clock.fastForward(IDLE_MS - MINUTE_MS + 5_000);
    await warning.waitFor();
    await page.clock.fastForward(MINUTE_MS);
    await page.getByRole("heading", { name: "Your session has ended" }).waitFor();
    expect(await page.getByLabel("First name").isVisible()).toBe(false);
    expect(await page.title()).not.toContain("Half");
    await expectAccessible(page);
    await page.getByLabel(/^Password/).fill(demo.accounts.registrar.password);
    await page.keyboard.press("Enter");
    await page.getByLabel("First name").waitFor();
    expect(await page.getByLabel("First name").inputValue()).toBe("Half a na");
    expect(complaints).toEqual([]);
    await close();
  });
});
