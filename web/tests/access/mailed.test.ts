import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linkIn, mailTo } from "../mail";
import { BY_NAME, demo, expectGood, openBrowser, openWindow, STILL } from "../pages";
import { ask, familyName, openWalk, registered, secretsOf } from "../walks/walk";
import { arrived, authenticator, enter, leave, makeUser } from "./people";

/** What only a mail may hold. */
const tokenIn = (link: string) => link.split("token=")[1] ?? "";

describe("what comes by mail", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("confirms the address of who makes an account, and lets them in again who forgot the password", async () => {
    const username = familyName().toLowerCase();
    const email = `${username}@people.example`;
    const [first, second] = [`harbour clay violet ${username}`, `lantern moss copper ${username}`];
    const allow = (isAllowed: boolean) => ask("admin", "/admin/policy", { self_registration: isAllowed }, "PUT");
    expect((await allow(true)).ok).toBe(true);
    const { page, expectSilent, close } = await openWalk(browser, STILL);
    await page.goto("/app/register");
    await page.getByLabel("User name").fill(username);
    await page.getByLabel("E-mail address").fill(email);
    await page.getByLabel(/^Password/).fill(first);
    await page.getByRole("button", { name: "Make the account" }).click();
    await page.getByRole("heading", { name: "Look at your mail" }).waitFor();
    await expectGood(page);

    const confirm = linkIn(await mailTo(demo.mails, email, "Confirm your e-mail address"));
    await page.goto(confirm);
    await page.getByRole("button", { name: "Confirm the address" }).click();
    await page.getByRole("heading", { name: "The address is confirmed" }).waitFor();
    // Until here: where nobody may register any more, the link of who has begun to is good no longer.
    expect((await allow(false)).ok).toBe(true);
    await expectGood(page);
    await page.getByRole("link", { name: "To the sign-in" }).click();
    await enter(page, { username, password: first });
    // An account that nobody has given anything opens nothing.
    await page.getByRole("heading", { name: "There is nothing here for you" }).waitFor();
    await leave(page);

    await page.getByRole("link", { name: "I have forgotten my password" }).click();
    await page.getByLabel("User name or e-mail address").fill(email);
    await page.getByRole("button", { name: "Send me a link" }).click();
    await page.getByRole("heading", { name: "Look at your mail" }).waitFor();
    const reset = linkIn(await mailTo(demo.mails, email, "Set a new password"));
    const elsewhere = await openWindow(browser);
    await enter(elsewhere.page, { username, password: first });
    await arrived(elsewhere.page, { username });
    await page.goto(reset);
    await page.getByRole("heading", { name: "Set a new password" }).waitFor();
    await expectGood(page);
    await page.getByLabel(/^Password/).fill("short");
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("Use at least 8 characters.").waitFor();
    await page.getByLabel(/^Password/).fill(second);
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByRole("heading", { name: "The new password is set" }).waitFor();
    // Whoever else was signed in is out.
    await elsewhere.page.reload();
    await elsewhere.page.getByRole("heading", { name: "Sign in" }).waitFor();
    await elsewhere.close();
    await enter(page, { username, password: first });
    await page.getByText("This name and password do not belong together.").waitFor();
    await enter(page, { username, password: second });
    await arrived(page, { username });
    await leave(page);

    // Each link is good once.
    for (const [link, button] of [
      [confirm, "Confirm the address"],
      [reset, "Set the password"],
    ] as const) {
      await page.goto("about:blank");
      await page.goto(link);
      if (link === reset) await page.getByLabel(/^Password/).fill(first);
      await page.getByRole("button", { name: button }).click();
      await page.getByText("This link is no longer good", { exact: false }).waitFor();
    }
    // The address that was opened holds the token; the page takes it out at once, before anything is kept of it.
    expect(page.url()).not.toContain("token");
    await expectSilent([email, first, second]);
    await close();
  });

  it("invites who is to have an account: nobody else ever sees the password", async () => {
    const chief = await makeUser("admin");
    const username = familyName().toLowerCase();
    const email = `${username}@clinic.example`;
    const admin = await openWindow(browser, STILL);
    await enter(admin.page, chief);
    await arrived(admin.page, chief);
    await admin.page.goto("/app/admin/users/new");
    await admin.page.getByLabel("User name").fill(username);
    await admin.page.getByLabel("E-mail address").fill(email);
    await admin.page.getByRole("checkbox", { name: "Nurse", exact: true }).check();
    await admin.page.getByRole("button", { name: "Make the user" }).click();
    await admin.page.getByText(`${username} is invited`).waitFor();
    expect(await admin.page.locator("main code").count()).toBe(0);
    await expectGood(admin.page);

    const link = linkIn(await mailTo(demo.mails, email, "Your account is ready"));
    expect(tokenIn(link)).not.toBe("");
    const { page, complaints, close } = await openWindow(browser, STILL);
    await page.goto(link);
    await page.getByRole("heading", { name: "Welcome to IRIS" }).waitFor();
    await expectGood(page);
    const kept = () =>
      page.evaluate(() => location.href + JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    expect(await kept()).not.toContain(tokenIn(link));
    const password = `harbour clay violet ${username}`;
    await page.getByLabel(/^Password/).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your password is set" }).waitFor();
    await expectGood(page);
    await page.getByRole("link", { name: "To the sign-in" }).click();
    await enter(page, { username, password });
    await page.getByRole("searchbox").waitFor();
    await admin.page.getByRole("link", { name: "To the user", exact: true }).click();
    await admin.page.getByText("The person has confirmed it.").waitFor();
    expect([...complaints, ...admin.complaints]).toEqual([]);
    await admin.close();
    await close();
  });

  it("lets a patient in by a code, and without one once there is a passkey", async () => {
    const family = familyName();
    const email = `${family.toLowerCase()}@people.example`;
    const person = await registered("Portia", family, { email });
    const { page, context, expectSilent, close } = await openWalk(browser, { ...STILL, ...BY_NAME });
    await authenticator(context, page);
    const codeFor = async (before: number) => {
      await page.goto("/app/");
      await page.getByRole("link", { name: "I am a patient" }).click();
      await page.getByLabel("Your patient id").fill(person.id);
      await page.getByLabel("Birth date").fill(person.date_of_birth);
      await page.getByRole("button", { name: "Send me a code" }).click();
      await page.getByRole("heading", { name: "Enter the code" }).waitFor();
      return /\b\d{8}\b/.exec((await mailTo(demo.mails, email, "Your sign-in code", before)).text)?.[0] ?? "";
    };
    const code = await codeFor(0);
    await expectGood(page);
    const field = page.getByLabel("Code");
    await field.fill(code === "00000000" ? "00000001" : "00000000");
    await page.keyboard.press("Enter");
    await page.getByText("This code is not right", { exact: false }).waitFor();
    await field.fill(code);
    await page.keyboard.press("Enter");

    await page.getByRole("heading", { name: "Without a code next time" }).waitFor();
    await expectGood(page);
    await page.getByLabel("What to call it").fill("Own telephone");
    await page.getByRole("button", { name: "Make the passkey" }).click();
    await page.getByRole("button", { name: "I have kept them" }).click();
    const own = page.getByText(`${family}, Portia`).first();
    await own.waitFor();
    expect(new URL(page.url()).pathname).toBe("/app/record");
    // It is a session for the own record and nothing else.
    expect(await page.getByRole("link", { name: "Patients" }).count()).toBe(0);
    await leave(page);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await own.waitFor();
    await leave(page);
    // Whoever reads the patient's mail is not let in by that alone.
    const second = await codeFor(1);
    await field.fill(second);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "One more step" }).waitFor();
    await expectGood(page);
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await own.waitFor();
    await expectSilent([...secretsOf(person), email, code, second]);
    await close();
  });
});
