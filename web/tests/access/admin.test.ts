import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, openBrowser, openWindow } from "../pages";
import { arrived, enter, makeUser } from "./people";

describe("an administrator's work on access", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("makes a role, gives it for a time, sees it in the matrix, takes it back and removes it", async () => {
    const [chief, kim] = [await makeUser("admin"), await makeUser("user")];
    const role = `desk-${Date.now().toString(36)}`;
    const { page, complaints, close } = await openWindow(browser);
    await enter(page, chief);
    await arrived(page, chief);
    await page.goto("/app/admin/roles");
    await page.getByRole("link", { name: "New role" }).click();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill(role);
    await page.getByLabel("What it is for").fill("Nights at the desk");
    await page.getByRole("checkbox", { name: "audit:read" }).check();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Store the role" }).click();
    await page.getByRole("link", { name: role }).waitFor();

    await page.getByRole("link", { name: "Permission matrix" }).click();
    await page.getByRole("columnheader", { name: role }).waitFor();
    await expectAccessible(page);

    await page.goto(`/app/admin/users/${kim.id}`);
    await page.getByRole("button", { name: "Give something" }).click();
    await page.getByRole("combobox", { name: "Role" }).fill(role);
    await page.getByRole("option", { name: role }).click();
    await page.getByLabel("Until").fill("2099-01-01T08:00");
    await page.getByLabel("Reason").fill("holiday");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Give it" }).click();
    await page.getByRole("button", { name: `End: ${role}` }).waitFor();
    const theirs = await openWindow(browser);
    await enter(theirs.page, kim);
    await theirs.page.waitForURL((url) => url.pathname.startsWith("/app/audit"));

    await page.getByRole("button", { name: `End: ${role}` }).click();
    await page.getByRole("dialog").getByLabel("Reason").fill("back again");
    await page.getByRole("dialog").getByRole("button", { name: "End", exact: true }).click();
    await page.getByRole("button", { name: `End: ${role}` }).waitFor({ state: "detached" });
    // It counts from the next request on.
    await theirs.page.goto("/app/");
    await theirs.page.getByRole("heading", { name: "There is nothing here for you" }).waitFor();

    await page.goto("/app/admin/roles");
    await page.getByRole("link", { name: role }).click();
    await page.getByRole("button", { name: "Remove the role" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove the role" }).click();
    await page.getByRole("heading", { name: "Roles", exact: true }).waitFor();
    expect(await page.getByRole("link", { name: role }).count()).toBe(0);
    expect([...complaints, ...theirs.complaints]).toEqual([]);
    await theirs.close();
    await close();
  });

  it("reviews access, but never the own, and reads the report", async () => {
    const [chief, kim] = [await makeUser("admin"), await makeUser("nurse")];
    const { page, complaints, close } = await openWindow(browser);
    await enter(page, chief);
    await arrived(page, chief);
    await page.goto("/app/admin/access-reviews");
    await page.getByRole("button", { name: "Start a round" }).click();
    await page.getByText("Somebody else decides about you").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: `Keep what ${kim.username} may do?` }).click();
    await page.getByRole("dialog").getByLabel("Reason").fill("still at work");
    await page.getByRole("dialog").getByRole("button", { name: "Keep" }).click();
    await page.getByText("still at work").waitFor();
    await page.goto("/app/admin/report");
    await page.getByRole("heading", { name: /^Far-reaching rights/ }).waitFor();
    await page.getByRole("link", { name: chief.username }).first().waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("changes who somebody is, and resets lost factors", async () => {
    const [chief, kim] = [await makeUser("admin"), await makeUser("nurse")];
    const { page, complaints, close } = await openWindow(browser);
    await enter(page, chief);
    await arrived(page, chief);
    await page.goto(`/app/admin/users/${kim.id}`);
    await page.getByLabel("Name", { exact: true }).fill("Kim Example");
    await page.getByLabel("E-mail address").fill(`${kim.username}@clinic.example`);
    await page.getByRole("region", { name: "Person" }).getByRole("button", { name: "Store" }).click();
    await page.getByText("Stored.").waitFor();
    await page.reload();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("Kim Example");
    await page.getByRole("button", { name: "Take them away" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Take them away" }).click();
    await page.getByText("The second proofs are taken away.").waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("makes an organization whose people sign in apart from all others", async () => {
    const chief = await makeUser("admin");
    const name = `north-${Date.now().toString(36)}`;
    const { page, complaints, close } = await openWindow(browser);
    await enter(page, chief);
    await arrived(page, chief);
    await page.goto("/app/admin/tenants");
    const form = page.getByRole("region", { name: "New organization" });
    await form.getByRole("textbox", { name: "Name", exact: true }).fill(name);
    await form.getByLabel("User name of its first administrator").fill("first");
    await form.getByRole("button", { name: "Make the organization" }).click();
    const password = (await form.locator("code").first().textContent()) ?? "";
    await expectAccessible(page);
    const theirs = await openWindow(browser);
    await theirs.page.goto("/app/");
    await theirs.page.getByRole("button", { name: "I belong to another organization" }).click();
    await theirs.page.getByLabel("Organization").fill(name);
    await theirs.page.getByLabel("User name").fill("first");
    await theirs.page.getByLabel(/^Password/).fill(password);
    await theirs.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await theirs.page.getByRole("heading", { name: "Choose a password of your own" }).waitFor();
    await expectAccessible(theirs.page);
    await theirs.page.getByLabel("Password until now").fill(password);
    await theirs.page.getByLabel("New password").fill("harbour clay violet north");
    await theirs.page.getByRole("button", { name: "Change the password" }).click();
    await arrived(theirs.page, { username: "first" });
    expect([...complaints, ...theirs.complaints]).toEqual([]);
    await theirs.close();
    await close();
  });
});
