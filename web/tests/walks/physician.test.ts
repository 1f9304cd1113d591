import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signIn } from "../pages";
import { answer, chartOpened, familyName, openWalk, type Person, registered, secretsOf } from "./walk";

interface Summary {
  patient: Person;
  problems?: { title?: string }[];
  lab_results?: { id: string }[];
  encounters?: unknown[];
}

/** Somebody of the seed who has laboratory results: their own record is what the demo's patient sees. */
async function examined(): Promise<Summary> {
  const { patient_id } = await answer<{ patient_id: string }>("patient", "/auth/me");
  return answer<Summary>("physician", `/patients/${patient_id}/summary`);
}

describe("a physician's day", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("reviews a chart: what matters at once, results over time with their table, the time line, encounters", async () => {
    const { patient } = await examined();
    const { page, expectSilent, close } = await openWalk(browser);
    await signIn(page, "physician");
    await page.getByRole("searchbox").fill(patient.medical_record_number);
    await page.getByRole("link", { name: `${patient.last_name}, ${patient.first_name}` }).click();
    expect(await chartOpened(page)).toBe(patient.id);

    // Two identifiers stay in sight however far one reads.
    const banner = page
      .getByRole("region", { name: "Patient", exact: true })
      .or(page.getByLabel("Patient", { exact: true }))
      .first();
    await banner.getByText(patient.medical_record_number).waitFor();
    for (const part of [
      "Problems",
      "Medications",
      "Allergies",
      "Immunizations",
      "Vital signs",
      "Laboratory results",
      "Encounters",
    ])
      await page
        .getByRole("heading", { name: new RegExp(`^${part}`) })
        .first()
        .waitFor();
    await page.keyboard.press("End");
    expect(await banner.evaluate((element) => element.getBoundingClientRect().top >= 0)).toBe(true);

    // From a value in the overview to its trend: sentence, chart and table say the same.
    await page.getByRole("link", { name: "Results" }).click();
    await page.waitForURL(/\/results$/);
    const series = page.getByRole("button", { name: /Body weight|Heart rate/ }).first();
    await series.press("Enter");
    const table = page.getByRole("region", { name: /^Values of/ });
    await table.getByRole("row").nth(1).waitFor();
    await page.getByText(/^Latest:/).waitFor();
    const count = Number(/(\d+) values?/.exec((await series.textContent()) ?? "")?.[1]);
    expect(await table.getByRole("row").count()).toBe(count + 1);
    await page.locator("canvas").first().waitFor();

    await page.getByRole("link", { name: "Timeline" }).click();
    await page.getByText("Immunization:").first().waitFor();
    await page.getByRole("checkbox", { name: "Encounter" }).press("Space");
    await page.getByText("Immunization:").first().waitFor({ state: "detached" });
    await page.getByText("Encounter:").first().waitFor();

    await page.getByRole("link", { name: "Encounters" }).click();
    await page.getByRole("heading", { name: "Encounters" }).waitFor();
    await page.getByRole("listitem").first().waitFor();
    await expectSilent(secretsOf(patient));
    await close();
  });

  it("is shown both versions when two windows change the same patient, and decides", async () => {
    const person = await registered("Theodora", familyName(), { phone: "555-0100" });
    const mine = await openWalk(browser);
    await signIn(mine.page, "physician", `/app/patients/${person.id}/edit`);
    await mine.page.getByLabel("Telephone", { exact: true }).fill("555-0111");
    const theirs = await openWalk(browser);
    await signIn(theirs.page, "registrar", `/app/patients/${person.id}/edit`);
    await theirs.page.getByLabel("Telephone", { exact: true }).fill("555-0122");
    await theirs.page.getByRole("button", { name: "Save" }).click();
    await chartOpened(theirs.page);

    await mine.page.getByRole("button", { name: "Save" }).click();
    const dialog = mine.page.getByRole("dialog", { name: "Somebody else has changed this record" });
    await dialog.getByText("Theirs: 555-0122").waitFor();
    await dialog.getByLabel("Theirs: 555-0122").check();
    await dialog.getByRole("button", { name: "Save like this" }).click();
    await chartOpened(mine.page);
    expect(await answer<object>("physician", `/patients/${person.id}`)).toMatchObject({ phone: "555-0122" });
    for (const walk of [mine, theirs]) {
      await walk.expectSilent([...secretsOf(person), "555-0111", "555-0122"]);
      await walk.close();
    }
  });

  it("prints nothing but what is chosen for the paper", async () => {
    const { patient } = await examined();
    const { page, expectSilent, close } = await openWalk(browser);
    await signIn(page, "physician", `/app/patients/${patient.id}`);
    await page.getByRole("heading", { name: /^Problems/ }).waitFor();
    // biome-ignore lint/performance/useDomNodeTextContent: only what is painted counts
    const shown = () => page.evaluate(() => document.body.innerText.trim());
    expect(await shown()).toContain(patient.last_name);
    await page.emulateMedia({ media: "print" });
    expect(await shown()).toBe("");

    await page.emulateMedia({ media: "screen" });
    await page.getByRole("link", { name: /^Print/ }).click();
    await page.getByRole("button", { name: "Print", exact: true }).waitFor();
    await page.emulateMedia({ media: "print" });
    await expect.poll(shown).toContain(patient.last_name);
    const paper = await shown();
    for (const part of [patient.last_name, patient.medical_record_number, "Printed by"]) expect(paper).toContain(part);
    expect(paper).not.toContain("Timeline");
    await expectSilent(secretsOf(patient));
    await close();
  });
});
