import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, expectNoSideways, focused, NARROW, openBrowser, openWindow, signIn, ZOOMED } from "./pages";

/** Names that no seed makes, so that each run finds only its own. */
const FAMILY = `Quixotewicz${Date.now().toString(36)}`;
/** Longer than a lookup takes. */
const PRESS_MS = 1_000;

async function register(page: Page, first: string, born: string, more: Record<string, string> = {}) {
  await page.goto("/app/patients/register");
  await page.getByLabel("First name").fill(first);
  await page.getByLabel("Last name").fill(FAMILY);
  await page.getByLabel(/^Birth date/).fill(born);
  for (const [label, value] of Object.entries(more)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByRole("button", { name: "Register", exact: true }).click();
}

/** Presses a button as people do, who hold it for a while: whatever moves it meanwhile swallows the press. */
async function pressSlowly(page: Page, name: string) {
  await page.getByRole("button", { name, exact: true }).hover();
  await page.mouse.down();
  await page.waitForTimeout(PRESS_MS);
  await page.mouse.up();
}

/** The id in the address of an open chart. */
async function opened(page: Page): Promise<string> {
  await page.waitForURL(/\/app\/patients\/[0-9a-f-]{36}$/);
  return page.url().split("/").at(-1) ?? "";
}

describe("patients", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("are registered and found again by name in any order, birth date and telephone, with the keyboard", async () => {
    const { page, complaints, close } = await openWindow(browser);
    await signIn(page, "registrar");
    await register(page, "Zebedee", "02/29/1984", { Telephone: "555-867-5309" });
    const id = await opened(page);
    expect(await page.title()).not.toContain(FAMILY);

    await page.goto("/app/patients");
    const field = page.getByRole("searchbox");
    for (const text of [
      `zebedee ${FAMILY}`,
      `${FAMILY} zebedee`,
      `${FAMILY} 1984-02-29`,
      `${FAMILY.slice(0, -1)} 02/29/1984`,
    ]) {
      await field.fill(text);
      await page.getByRole("link", { name: `${FAMILY}, Zebedee` }).waitFor();
      await page.getByText("1 patient found").waitFor();
    }
    await expectAccessible(page);
    expect(page.url()).not.toContain(FAMILY);
    await field.press("ArrowDown");
    expect(await focused(page)).toBe(`${FAMILY}, Zebedee`);
    await page.keyboard.press("Enter");
    expect(await opened(page)).toBe(id);
    await page.goBack();
    expect(await page.getByRole("searchbox").inputValue()).toContain(FAMILY.slice(0, -1));
    expect(complaints).toEqual([]);
    await close();
  });

  it("that are new begin with what was typed, and a likely double is shown before anything is stored", async () => {
    const { page, close } = await openWindow(browser);
    await signIn(page, "registrar");
    await register(page, "Ottilie", "1990-05-17");
    const id = await opened(page);
    await page.goto("/app/patients");
    await page.getByRole("searchbox").fill(`Ottilia ${FAMILY}x 1990-05-18`);
    await page
      .getByRole("link", { name: /^Register/ })
      .last()
      .click();
    await page.getByLabel(/^Birth date/).fill("May 17, 1990");
    await page.getByText("Understood as May 17, 1990").waitFor();
    await page.getByLabel("Last name").fill(FAMILY);
    await pressSlowly(page, "Register");
    await page.getByText("This is somebody else: register anyway").waitFor();
    expect(page.url()).toContain("/register");
    await expectAccessible(page);
    await page.getByRole("link", { name: `Open the record of ${FAMILY}, Ottilie` }).click();
    await page.getByRole("button", { name: "Leave and lose it" }).click();
    expect(await opened(page)).toBe(id);
    await close();
  });

  it("are stored once when the answer is lost and the form is sent again", async () => {
    const { page, close } = await openWindow(browser);
    await signIn(page, "registrar");
    let isLost = false;
    await page.route("**/api/v1/patients", async (route) => {
      if (route.request().method() !== "POST" || isLost) return route.continue();
      isLost = true;
      await route.fetch();
      return route.abort();
    });
    await register(page, "Once", "2001-01-01");
    await page.getByText("stored once, however often").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await opened(page);
    await page.goto("/app/patients");
    await page.getByRole("searchbox").fill(`once ${FAMILY}`);
    await page.getByText("1 patient found").waitFor();
    await close();
  });

  it("whose fields are wrong are not stored: each fault stands at its field", async () => {
    const { page, close } = await openWindow(browser, { viewport: NARROW });
    await signIn(page, "registrar");
    await page.goto("/app/patients/register");
    await page.getByLabel(/^Birth date/).fill("31/31/1980");
    await page.getByRole("button", { name: "Register", exact: true }).click();
    await page.getByText("3 fields need your attention").waitFor();
    expect(await page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.name)).toBe("first_name");
    await expectAccessible(page);
    await expectNoSideways(page);
    await close();
  });

  it("that two people change at once are compared field by field", async () => {
    const { page, complaints, close } = await openWindow(browser);
    await signIn(page, "registrar");
    await register(page, "Conny", "1975-12-24", { Telephone: "555-0100" });
    const id = await opened(page);
    await page.goto(`/app/patients/${id}/edit`);
    await page.getByLabel("Telephone", { exact: true }).fill("555-0101");

    const other = await openWindow(browser);
    await signIn(other.page, "nurse", `/app/patients/${id}/edit`);
    await other.page.getByLabel("Telephone", { exact: true }).fill("555-0102");
    await other.page.getByLabel("City").fill("Bend");
    await other.page.getByRole("button", { name: "Save" }).click();
    await opened(other.page);
    await other.close();

    await page.getByRole("button", { name: "Save" }).click();
    const dialog = page.getByRole("dialog", { name: "Somebody else has changed this record" });
    await dialog.getByText("Bend").waitFor();
    await expectAccessible(page);
    await dialog.getByLabel("Yours: 555-0101").check();
    await dialog.getByRole("button", { name: "Save like this" }).click();
    await opened(page);
    await page.goto(`/app/patients/${id}/edit`);
    await page.getByLabel("City").waitFor();
    expect(await page.getByLabel("City").inputValue()).toBe("Bend");
    expect(await page.getByLabel("Telephone", { exact: true }).inputValue()).toBe("555-0101");
    expect(complaints).toEqual([]);
    await close();
  });

  it("are found and registered at 400 % zoom, mirrored, in the dark and with the system's own colours", async () => {
    const ways = [
      { viewport: ZOOMED },
      { colorScheme: "dark" as const, viewport: NARROW },
      { forcedColors: "active" as const, reducedMotion: "reduce" as const },
    ];
    for (const way of ways) {
      const { page, complaints, close } = await openWindow(browser, way);
      await signIn(page, "registrar");
      await page.getByRole("searchbox").fill("garcia");
      await page.getByRole("listitem").first().waitFor();
      await expectAccessible(page);
      await expectNoSideways(page);
      // The same pages from right to left, with texts that are longer.
      await page.goto("/app/patients/register?lng=ar-XB");
      await page.locator("[name=first_name]").waitFor();
      expect(await page.evaluate(() => document.documentElement.dir)).toBe("rtl");
      await expectAccessible(page);
      await expectNoSideways(page);
      expect(complaints).toEqual([]);
      await close();
    }
  });
});
