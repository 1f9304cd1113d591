import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, expectNoSideways, NARROW, openBrowser, signIn, WIDE } from "../pages";
import { answer, ask, familyName, openWalk, registered, secretsOf } from "../walks/walk";
import { arrived, enter, makeUser } from "./people";

describe("consents and emergencies", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("a consent is recorded in words, gets a new version, and is revoked", async () => {
    const person = await registered("Consenta", familyName());
    const { page, expectSilent, close } = await openWalk(browser);
    await signIn(page, "physician", `/app/patients/${person.id}/consents`);
    await page.getByText("No consent is recorded").waitFor();
    await page.getByRole("link", { name: "Record a consent" }).click();
    await page.getByLabel("Those who treat may see the record, except …").check();
    await page.getByRole("button", { name: "Add an exception" }).click();
    const exception = page.getByRole("group", { name: "Exception 1" });
    await exception.getByLabel("Only for").first().fill("research");
    await page.getByRole("option", { name: "research" }).click();
    await page.getByText("Nobody may see the whole record, for research.").waitFor();
    // The list of what can be chosen closes.
    await page.keyboard.press("Escape");
    await expectAccessible(page);
    await page.setViewportSize(NARROW);
    await expectNoSideways(page);
    await page.setViewportSize(WIDE);
    await page.getByRole("button", { name: "Record", exact: true }).click();
    await page.getByText("Counts now").waitFor();
    await page.getByText("Nobody may see the whole record, for research.").waitFor();

    await page.getByRole("link", { name: "Record a new version" }).click();
    await page.getByLabel("What was agreed, in words").fill("as signed on paper");
    await page.getByRole("button", { name: "Record", exact: true }).click();
    await page.getByText("version 2").waitFor();
    await page.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByLabel("Reason").fill("a change of mind");
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("Revoked").waitFor();
    await expectAccessible(page);
    await expectSilent(secretsOf(person));
    await close();
  });

  it("a chart that a consent hides is opened in an emergency, says so, and is looked at by somebody else", async () => {
    const person = await registered("Hidden", familyName());
    const nurse = await makeUser("nurse");
    await answer("physician", `/patients/${person.id}/consents`, { decision: "deny" });
    expect((await ask("physician", `/patients/${person.id}`)).status).toBe(404);

    const walk = await openWalk(browser);
    const { page } = walk;
    await enter(page, nurse);
    await arrived(page, nurse);
    await page.goto(`/app/patients/${person.id}`);
    await page.getByText("There is nothing here", { exact: true }).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Open the chart in an emergency" }).click();
    await page.getByRole("button", { name: "Open it now" }).click();
    await page.getByText("Say why in at least ten characters.").waitFor();
    await page.getByLabel("Why is it needed?").fill("unconscious, no relatives here");
    await page.getByLabel("15 minutes").check();
    await page.getByRole("button", { name: "Open it now" }).click();
    const banner = page.getByRole("region", { name: "Emergency access" });
    await banner.waitFor();
    await page.getByRole("heading", { name: `${person.last_name}, Hidden` }).waitFor();
    expect(await banner.getByRole("timer").textContent()).toMatch(/^1[45]:\d\d$/);
    await expectAccessible(page);
    await page.setViewportSize(NARROW);
    await expectNoSideways(page);
    await walk.expectSilent(secretsOf(person));
    await walk.close();

    const theirs = await openWalk(browser);
    await signIn(theirs.page, "auditor", "/app/emergency");
    const row = theirs.page.getByRole("row", { name: new RegExp(nurse.username) });
    await row.getByText("unconscious, no relatives here").waitFor();
    await expectAccessible(theirs.page);
    await row.getByRole("button", { name: "Not justified" }).click();
    await theirs.page.getByRole("dialog").getByLabel("Reason").fill("nobody was there");
    await theirs.page.getByRole("dialog").getByRole("button", { name: "Not justified" }).click();
    await row.waitFor({ state: "detached" });
    await theirs.page.getByLabel("All", { exact: true }).check();
    await theirs.page.getByText("nobody was there").waitFor();
    await theirs.expectSilent(secretsOf(person));
    await theirs.close();
  });

  it("a care team is put together and stored", async () => {
    const person = await registered("Teamed", familyName());
    const doctor = await makeUser("physician");
    const { page, expectSilent, close } = await openWalk(browser);
    await signIn(page, "nurse", `/app/patients/${person.id}/care-team`);
    await page.getByText("Nobody is in the care team.").waitFor();
    await page.getByRole("combobox", { name: "Who" }).fill(doctor.username);
    await page.getByRole("option", { name: doctor.username }).click();
    await page.getByLabel("As what").fill("family doctor");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("button", { name: "Store the care team" }).click();
    await page.getByText("The care team is stored.").waitFor();
    await expectAccessible(page);
    await page.reload();
    await page.getByText(/family doctor/).waitFor();
    await expectSilent(secretsOf(person));
    await close();
  });
});
