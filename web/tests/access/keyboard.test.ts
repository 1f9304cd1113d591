import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectFocus, tabTo } from "../keyboard";
import { expectGood, openBrowser, openWindow, STILL, signIn } from "../pages";
import { answer, familyName, openWalk, registered, secretsOf } from "../walks/walk";
import { makeUser, withApp } from "./people";

describe("without a mouse", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("one signs in with a second proof, sees at each step where the focus is, and signs out", async () => {
    const user = await makeUser("nurse");
    const next = await withApp(user);
    const { page, complaints, close } = await openWindow(browser, STILL);
    await page.goto("/app/");
    await expectFocus(page.getByLabel("User name"));
    await page.keyboard.type(user.username);
    await tabTo(page, page.getByLabel(/^Password/));
    await page.keyboard.type(user.password);
    await page.keyboard.press("Enter");
    const code = page.getByLabel("Code from your app");
    await expectFocus(code);
    // The other way and back.
    await tabTo(page, page.getByRole("button", { name: /use a recovery code/ }));
    await page.keyboard.press("Enter");
    await expectFocus(page.getByLabel("Recovery code"));
    await tabTo(page, page.getByRole("button", { name: "Use the app" }));
    await page.keyboard.press("Enter");
    await expectFocus(code);
    await page.keyboard.type("000000");
    await page.keyboard.press("Enter");
    await page.getByText("This code is not right", { exact: false }).waitFor();
    await expectFocus(code);
    await page.keyboard.type(await next());
    await page.keyboard.press("Enter");

    const menu = page.getByRole("button", { name: `Account of ${user.username}` });
    await menu.waitFor();
    await tabTo(page, menu);
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
    await page.keyboard.press("End");
    await expectFocus(page.getByRole("menuitem", { name: "Sign out" }));
    await page.keyboard.press("Enter");
    await expectFocus(page.getByLabel("User name"));
    expect(complaints).toEqual([]);
    await close();
  });

  it("a hidden chart is opened in an emergency, and the emergency is judged", async () => {
    const person = await registered("Quiet", familyName());
    const nurse = await makeUser("nurse");
    await answer("physician", `/patients/${person.id}/consents`, { decision: "deny" });
    const theirs = await openWalk(browser, STILL);
    const { page } = theirs;
    await page.goto(`/app/patients/${person.id}`);
    await expectFocus(page.getByLabel("User name"));
    await page.keyboard.type(nurse.username);
    await tabTo(page, page.getByLabel(/^Password/));
    await page.keyboard.type(nurse.password);
    await page.keyboard.press("Enter");
    const offer = page.getByRole("button", { name: "Open the chart in an emergency" });
    await offer.waitFor();
    await tabTo(page, offer);
    await page.keyboard.press("Enter");
    await expectFocus(page.getByLabel("Why is it needed?"));
    await expectGood(page);
    // What is missing is said, and the focus is where it is missing.
    await tabTo(page, page.getByRole("button", { name: "Open it now" }));
    await page.keyboard.press("Enter");
    await page.getByText("Say why in at least ten characters.").waitFor();
    await expectFocus(page.getByLabel("Why is it needed?"));
    await page.keyboard.type("unconscious, no relatives here");
    await tabTo(page, page.getByRole("radio", { name: "30 minutes" }));
    await page.keyboard.press("ArrowLeft");
    await expectFocus(page.getByRole("radio", { name: "15 minutes" }));
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Emergency access" }).waitFor();
    // What had the focus is gone; the focus is on what has come in its place.
    await expectFocus(page.getByRole("region", { name: "Emergency access" }));
    await expectGood(page);
    await theirs.expectSilent(secretsOf(person));
    await theirs.close();

    const judge = await openWalk(browser, STILL);
    await signIn(judge.page, "auditor", "/app/emergency");
    const row = judge.page.getByRole("row", { name: new RegExp(nurse.username) });
    const verdict = row.getByRole("button", { name: "Justified", exact: true });
    await verdict.waitFor();
    await expectGood(judge.page);
    await tabTo(judge.page, verdict, LONG);
    await judge.page.keyboard.press("Enter");
    const dialog = judge.page.getByRole("dialog");
    await expectFocus(dialog.getByLabel("Reason"));
    await expectGood(judge.page);
    await judge.page.keyboard.type("the log fits");
    await tabTo(judge.page, dialog.getByRole("button", { name: "Justified", exact: true }));
    await judge.page.keyboard.press("Enter");
    await row.waitFor({ state: "detached" });
    await expectFocus(judge.page.getByRole("alert").filter({ hasText: "Your decision is stored." }));
    await judge.expectSilent(secretsOf(person));
    await judge.close();
  });
});

/** Emergencies of other tests stand in the same list. */
const LONG = 80;
