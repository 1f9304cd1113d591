import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, expectNoSideways, NARROW, openBrowser, openWindow, ZOOMED } from "../pages";

const PLACES = {
  register: "Make an account",
  reset: "Forgotten password",
  "reset#token=abc": "Set a new password",
  "verify-email#token=abc": "Confirm your e-mail address",
  "invitation#token=abc": "Welcome to IRIS",
  patient: "Sign in as a patient",
};

describe("pages that are open to all", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("are accessible wide, narrow and zoomed, by day and by night, and keep no token in their address", async () => {
    for (const options of [{}, { colorScheme: "dark" as const }, { forcedColors: "active" as const }]) {
      const { page, complaints, close } = await openWindow(browser, options);
      for (const [place, heading] of Object.entries(PLACES)) {
        await page.goto("about:blank");
        await page.goto(`/app/${place}`);
        await page.getByRole("heading", { name: heading }).waitFor();
        await expectAccessible(page);
        for (const size of [NARROW, ZOOMED]) {
          await page.setViewportSize(size);
          await expectNoSideways(page);
        }
        expect(page.url()).not.toContain("abc");
      }
      expect(complaints).toEqual([]);
      await close();
    }
  });

  it("say that a link is no longer good, and lead on", async () => {
    const { page, complaints, close } = await openWindow(browser);
    await page.goto("/app/verify-email#token=never-made");
    await page.getByRole("button", { name: "Confirm the address" }).click();
    await page.getByText("This link is no longer good", { exact: false }).waitFor();
    await page.goto("about:blank");
    await page.goto("/app/reset#token=never-made");
    await page.getByLabel(/^Password/).fill("harbour clay violet");
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("This link is no longer good", { exact: false }).waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: "Send me a link" }).click();
    await page.getByRole("heading", { name: "Forgotten password" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("answer the same whether there is such an account or not", async () => {
    const { page, close } = await openWindow(browser);
    for (const who of ["nobody-at-all", "admin@nowhere.example"]) {
      await page.goto("about:blank");
      await page.goto("/app/reset");
      await page.getByLabel("User name or e-mail address").fill(who);
      await page.getByRole("button", { name: "Send me a link" }).click();
      await page.getByText("If there is such an account", { exact: false }).waitFor();
    }
    await close();
  });
});
