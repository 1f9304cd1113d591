import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demo, openBrowser, signIn } from "../pages";
import { answer, ask, familyName, openWalk } from "./walk";

describe("an administrator's day", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("makes a user, who signs in, is locked and thereby signed out at once, and let in again", async () => {
    const username = familyName().toLowerCase();
    const admin = await openWalk(browser);
    await signIn(admin.page, "admin");
    await admin.page.getByRole("link", { name: "Administration" }).click();
    await admin.page.getByText("Everything works").waitFor();
    await admin.page.getByRole("link", { name: "Users" }).click();
    await admin.page.getByRole("link", { name: "New user" }).click();
    await admin.page.getByLabel("User name").fill(username);
    await admin.page.getByRole("checkbox", { name: "Nurse", exact: true }).check();
    await admin.page.getByRole("button", { name: "Make the user" }).click();
    await admin.page.getByText(`${username} can sign in now`).waitFor();
    const password = (await admin.page.locator("code").first().textContent()) ?? "";
    expect(password.length).toBeGreaterThan(11);

    const theirs = await openWalk(browser);
    const own = `harbour clay violet ${username}`;
    const enter = async (typed: string) => {
      await theirs.page.goto("/app/");
      await theirs.page.getByLabel("User name").fill(username);
      await theirs.page.getByLabel(/^Password/).fill(typed);
      await theirs.page.getByRole("button", { name: "Sign in", exact: true }).click();
    };
    await enter(password);
    // Somebody else has seen this password: it is good for setting one's own.
    await theirs.page.getByRole("heading", { name: "Choose a password of your own" }).waitFor();
    await theirs.page.getByLabel("Password until now").fill(password);
    await theirs.page.getByLabel("New password").fill(own);
    await theirs.page.getByRole("button", { name: "Change the password" }).click();
    await theirs.page.getByRole("searchbox").waitFor();

    await admin.page.getByRole("link", { name: "To the user", exact: true }).click();
    await admin.page.getByRole("button", { name: "Lock", exact: true }).click();
    await admin.page.getByRole("button", { name: `Lock ${username}` }).click();
    await admin.page.getByText("The user is locked.").waitFor();
    // Whatever is tried next is refused, and the pages ask for a sign-in, which is refused too.
    await theirs.page.getByRole("searchbox").fill("garcia");
    await theirs.page.getByRole("heading", { name: /Sign in|Your session has ended/ }).waitFor();
    await theirs.page.reload();
    await enter(own);
    await theirs.page.getByText("This name and password do not belong together.").waitFor();

    await admin.page.getByRole("button", { name: "Unlock" }).click();
    await admin.page.getByText("The user is unlocked and can sign in again.").waitFor();
    await enter(own);
    await theirs.page.getByRole("searchbox").waitFor();
    for (const walk of [admin, theirs]) {
      await walk.expectSilent([password, own]);
      await walk.close();
    }
  });

  it("cannot lock or lessen the own account, so that somebody is always left who administers", async () => {
    const { items } = await answer<{ items: { id: string; username: string }[] }>("admin", "/admin/users");
    const own = items.find(({ username }) => username === demo.accounts.admin.username);
    const { page, expectSilent, close } = await openWalk(browser);
    await signIn(page, "admin", `/app/admin/users/${own?.id}`);
    await page.getByText("This is your own account. Ask another administrator to lock it.").waitFor();
    expect(await page.getByRole("button", { name: "Lock", exact: true }).isDisabled()).toBe(true);
    // What the page does not offer, the server refuses.
    const lock = await ask("admin", `/admin/users/${own?.id}/lock`, {});
    const lessen = await ask("admin", `/admin/users/${own?.id}`, { roles: ["nurse"] }, "PATCH");
    expect([lock.status, lessen.status].every((status) => status >= 400 && status < 500)).toBe(true);
    expect((await ask("admin", "/admin/users")).ok).toBe(true);
    await expectSilent([]);
    await close();
  });

  it("sees the state of every part, and the keys in numbers without any of their bytes", async () => {
    const { page, expectSilent, close } = await openWalk(browser);
    await signIn(page, "admin", "/app/admin");
    await page.getByText("Everything works").waitFor();
    for (const part of ["Store of records", "Search index", "Access log", "Keys"])
      await page
        .getByRole("region", { name: `State: ${part}` })
        .or(page.getByText(part, { exact: true }))
        .first()
        .waitFor();
    await page.getByRole("link", { name: "Keys", exact: true }).click();
    await page.getByRole("heading", { name: "Public key of the access log" }).waitFor();
    await expectSilent([]);
    await close();
  });
});
