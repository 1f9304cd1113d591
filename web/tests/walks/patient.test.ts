import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demo, openBrowser, signIn } from "../pages";
import { answer, ask, familyName, openWalk, type Person, registered, secretsOf } from "./walk";

describe("a patient's day", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("sees the own record and who has seen it, and of nobody else anything", async () => {
    const { patient_id: own } = await answer<{ patient_id: string }>("patient", "/auth/me");
    const { patient } = await answer<{ patient: Person }>("physician", `/patients/${own}/summary`);
    const stranger = await registered("Griselda", familyName());
    const { page, expectSilent, close } = await openWalk(browser);
    await signIn(page, "patient");
    await page.waitForURL(/\/app\/record$/);
    await page.getByText(`${patient.last_name}, ${patient.first_name}`).first().waitFor();
    expect(await page.getByRole("link", { name: "Patients" }).count()).toBe(0);

    for (const part of ["Vaccinations", "Measurements and tests", "Visits"]) {
      await page.getByRole("link", { name: part, exact: true }).click();
      await page.locator("main :is(li, tr, [aria-expanded])").first().waitFor();
    }
    await page.getByRole("link", { name: "Who has seen my record" }).click();
    await page
      .getByRole("heading", { name: new RegExp(demo.accounts.physician.username) })
      .first()
      .waitFor();

    // Somebody else's chart gives nothing, in the pages and behind them, and does not say whether there is one.
    for (const foreign of [stranger.id, crypto.randomUUID()]) {
      await page.goto(`/app/patients/${foreign}`);
      await page.getByRole("alert").first().waitFor();
      expect(await page.getByText(stranger.last_name).count()).toBe(0);
    }
    const known = await ask("patient", `/patients/${stranger.id}`);
    const unknown = await ask("patient", `/patients/${crypto.randomUUID()}`);
    expect(known.ok).toBe(false);
    expect(known.status).toBe(unknown.status);
    expect(await known.text()).not.toContain(stranger.last_name);
    await expectSilent([...secretsOf(patient), ...secretsOf(stranger)]);
    await close();
  });
});
