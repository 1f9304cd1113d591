import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BY_NAME, expectGood, expectNoSideways, openBrowser, openWindow, STILL } from "../pages";
import { app, arrived, authenticator, codeAt, enter, leave, type Made, makeUser, withApp } from "./people";

/** Sets an app up on one's own page; gives its secret and the recovery codes. */
async function setUp(page: Page): Promise<{ next: () => Promise<string>; secret: string; kept: string[] }> {
  await page.goto("/app/account/factors");
  await page.getByRole("button", { name: "Set up an app" }).click();
  await page.getByRole("img", { name: /^Picture for the app/ }).waitFor();
  await expectGood(page);
  const secret = ((await page.locator("main code").first().textContent()) ?? "").replaceAll(" ", "");
  expect(secret).toMatch(/^[A-Z2-7]{16,}$/);
  const next = app(secret);
  await page.getByLabel("Code that the app shows now").fill(await next());
  await page.getByRole("button", { name: /^Check the code/ }).click();
  await page.getByText("Keep these recovery codes").waitFor();
  await expectGood(page);
  const kept = await page.locator("main li code").allTextContents();
  expect(kept).toHaveLength(10);
  await page.getByRole("button", { name: "I have kept them" }).click();
  await page.getByText("The app is set up.", { exact: false }).waitFor();
  return { next, secret, kept };
}

describe("second factors", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("by an app: set up, asked for at the next sign-in, wrong ones told, recovery codes good once", async () => {
    const user = await makeUser("nurse");
    const { page, complaints, close } = await openWindow(browser, STILL);
    await enter(page, user);
    await arrived(page, user);
    const { next, secret, kept } = await setUp(page);
    await leave(page);

    await enter(page, user);
    const code = page.getByLabel("Code from your app");
    await code.waitFor();
    expect(await code.evaluate((field) => field === document.activeElement)).toBe(true);
    await expectGood(page);
    await code.fill(codeAt(secret, 1));
    await page.keyboard.press("Enter");
    await page.getByText("This code is not right", { exact: false }).waitFor();
    await code.fill(await next());
    await page.keyboard.press("Enter");
    await arrived(page, user);
    await leave(page);

    const recover = async () => {
      await enter(page, user);
      await page.getByRole("button", { name: /use a recovery code/ }).click();
      await page.getByLabel("Recovery code").fill(kept[0] ?? "");
      await page.getByRole("button", { name: "Sign in" }).click();
    };
    await recover();
    await arrived(page, user);
    await leave(page);
    await recover();
    await page.getByText("This code is not right", { exact: false }).waitFor();
    const seen = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + location.href);
    expect(seen).not.toContain(secret);
    expect(complaints).toEqual([]);
    await close();
  });

  it("by a passkey: made, used to sign in without a name, called by another name, removed", async () => {
    const user = await makeUser("nurse");
    const { page, context, complaints, close } = await openWindow(browser, { ...STILL, ...BY_NAME });
    await authenticator(context, page);
    await enter(page, user);
    await arrived(page, user);
    await page.goto("/app/account/factors");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByLabel("What to call it").fill("Test device");
    await page.getByRole("button", { name: "Make the passkey" }).click();
    // The first second proof brings codes for the day on which it is lost.
    await page.getByRole("button", { name: "I have kept them" }).click();
    await page.getByText("The passkey is made.", { exact: false }).waitFor();
    await expectGood(page);
    await leave(page);

    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await arrived(page, user);
    await leave(page);
    // The password alone no longer does.
    await enter(page, user);
    await page.getByRole("heading", { name: "One more step" }).waitFor();
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await arrived(page, user);

    await page.goto("/app/account/factors");
    await page.getByRole("button", { name: "Rename Test device" }).click();
    await page.getByLabel("What to call it").fill("Old device");
    await page.getByRole("button", { name: "Store the name" }).click();
    await page.getByRole("button", { name: "Remove Old device" }).click();
    await page.getByRole("button", { name: "Remove the passkey" }).click();
    await page.getByText("The passkey is removed.").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("is asked for a fresh proof before what is dangerous, and what was asked for is done then", async () => {
    const user = await makeUser("nurse");
    const { page, complaints, close } = await openWindow(browser, STILL);
    await enter(page, user);
    await arrived(page, user);
    await page.goto("/app/account/sessions");
    await page.getByRole("button", { name: "End all others" }).waitFor();
    await secondWindow(browser, user);
    await page.reload();
    // Ten minutes are long; the first answer is what the server says after them.
    let isFirst = true;
    await page.route("**/api/v1/auth/sessions", async (route) => {
      if (route.request().method() !== "DELETE" || !isFirst) return route.continue();
      isFirst = false;
      const problem = { status: 403, title: "Forbidden", error_type: "step_up_required", errors: [], detail: "x" };
      return route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify(problem) });
    });
    await page.getByRole("button", { name: "End all others" }).click();
    const question = page.getByRole("dialog", { name: "Confirm that it is you" });
    await question.waitFor();
    expect(await question.getByLabel(/^Password/).evaluate((field) => field === document.activeElement)).toBe(true);
    await expectNoSideways(page);
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await question.getByText("That was not right. Try again.").waitFor();
    await question.getByLabel(/^Password/).fill(user.password);
    await page.keyboard.press("Enter");
    await page.getByText("Ended.").waitFor();
    expect(await page.getByRole("row").count()).toBe(2);
    expect(complaints).toEqual([]);
    await close();
  });

  it("proves anew who is there: a code of the app, and a passkey", async () => {
    const user = await makeUser("nurse");
    const next = await withApp(user);
    const { page, context, complaints, close } = await openWindow(browser, { ...STILL, ...BY_NAME });
    await authenticator(context, page);
    await enter(page, user);
    await page.getByLabel("Code from your app").fill(await next());
    await page.keyboard.press("Enter");
    await arrived(page, user);
    await page.goto("/app/account/factors");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByRole("button", { name: "Make the passkey" }).click();
    await page.getByText("The passkey is made.", { exact: false }).waitFor();

    await page.goto("/app/account");
    let isStale = false;
    await page.route("**/api/v1/auth/profile", async (route) => {
      if (route.request().method() !== "PUT" || !isStale) return route.continue();
      isStale = false;
      const problem = { status: 403, title: "Forbidden", error_type: "step_up_required", errors: [], detail: "x" };
      return route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify(problem) });
    });
    const question = page.getByRole("dialog", { name: "Confirm that it is you" });
    const change = async (name: string, prove: () => Promise<void>) => {
      isStale = true;
      await page.getByLabel("Your name").fill(name);
      await page.getByRole("button", { name: "Store", exact: true }).click();
      await question.waitFor();
      await prove();
      await question.waitFor({ state: "hidden" });
      await page.getByText("Stored.").waitFor();
    };
    await change("Kim by the app", async () => {
      await question.getByRole("button", { name: "Use a code from the app" }).click();
      const code = question.getByLabel("Code from your app");
      await expectGood(page);
      await code.fill("000000");
      await page.keyboard.press("Enter");
      await question.getByText("That was not right. Try again.").waitFor();
      await code.fill(await next());
      await page.keyboard.press("Enter");
    });
    await change("Kim by the passkey", () => question.getByRole("button", { name: "Use a passkey" }).click());
    await page.reload();
    await page.getByLabel("Your name").waitFor();
    expect(await page.getByLabel("Your name").inputValue()).toBe("Kim by the passkey");
    expect(complaints).toEqual([]);
    await close();
  });

  it("is what some roles must set up, and nothing else opens before", async () => {
    const admin = await openWindow(browser, STILL);
    const chief = await makeUser("admin");
    await enter(admin.page, chief);
    await arrived(admin.page, chief);
    // Radiologists, of whom no other test makes any.
    const rule = async (isOn: boolean) => {
      await admin.page.goto("/app/admin/policy");
      await admin.page.getByRole("checkbox", { name: "Radiologist" }).setChecked(isOn);
      await admin.page.getByRole("button", { name: "Store the rules" }).click();
      await admin.page.getByText("The rules are stored.").waitFor();
    };
    await rule(true);
    try {
      const user = await makeUser("radiologist");
      const { page, complaints, close } = await openWindow(browser, STILL);
      await enter(page, user);
      await page.getByRole("heading", { name: "Protect your account" }).waitFor();
      await expectGood(page);
      await page.goto("/app/patients");
      await page.getByRole("heading", { name: "Protect your account" }).waitFor();
      await page.getByRole("button", { name: /app that shows codes/ }).click();
      const secret = ((await page.locator("main code").first().textContent()) ?? "").replaceAll(" ", "");
      await page.getByLabel("Code that the app shows now").fill(await app(secret)());
      await page.getByRole("button", { name: /^Check the code/ }).click();
      await page.getByRole("button", { name: "I have kept them" }).click();
      await arrived(page, user);
      expect(complaints).toEqual([]);
      await close();
    } finally {
      await rule(false);
      await admin.close();
    }
  });
});

/** The same person somewhere else. */
async function secondWindow(browser: Browser, user: Made): Promise<void> {
  const { page } = await openWindow(browser, STILL);
  await enter(page, user);
  await arrived(page, user);
}
