import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectFocus, tabTo } from "../keyboard";
import { demo, openBrowser, openWindow, signIn } from "../pages";
import { answer, chartOpened, familyName, openWalk, registered, secretsOf } from "./walk";

/** From the search to the saved dose: what issue 3 allows, a field that is filled or a click being one interaction. */
const INTERACTIONS_MAX = 6;

interface Dose {
  id: string;
  status: string;
  lot_number?: string;
  vaccine_code: unknown;
}

describe("a nurse's day", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("records a dose within six interactions, corrects a mistake, and takes a dose back with a reason", async () => {
    const person = await registered("Henrietta", familyName());
    const { page, expectSilent, close } = await openWalk(browser);
    await signIn(page, "nurse");

    let interactions = 0;
    const click = (what: Locator) => {
      interactions++;
      return what.click();
    };
    const fill = (what: Locator, text: string) => {
      interactions++;
      return what.fill(text);
    };
    await fill(page.getByRole("searchbox"), `henrietta ${person.last_name}`);
    await click(page.getByRole("link", { name: `${person.last_name}, Henrietta` }));
    await click(page.getByRole("link", { name: "Record a dose" }));
    await fill(page.getByRole("combobox", { name: "Vaccine" }), "boostrix");
    await click(page.getByRole("option", { name: /^BOOSTRIX/ }).first());
    await click(page.getByRole("button", { name: "Save the dose" }));
    await page.getByText("The dose is recorded").waitFor();
    expect(interactions).toBeLessThanOrEqual(INTERACTIONS_MAX);

    // The lot was forgotten.
    await page.getByRole("link", { name: /^Tdap/ }).click();
    await page.getByRole("link", { name: "Correct" }).click();
    await page.getByLabel("Lot", { exact: true }).fill("BX 4471");
    await page.getByLabel("Site").selectOption({ label: "left deltoid" });
    await page.getByRole("button", { name: "Save the correction" }).click();
    await page.getByText("The correction is stored").waitFor();
    const [corrected] = await dosesOf(person.id);
    expect(corrected).toMatchObject({ status: "completed", lot_number: "BX 4471" });

    // And it was another patient's after all.
    await page.getByRole("link", { name: /^Tdap/ }).click();
    await page.getByText("Version 2").waitFor();
    await page.getByRole("button", { name: "Mark as entered in error" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(person.last_name).waitFor();
    await dialog.getByRole("button", { name: "Mark as entered in error" }).click();
    await dialog.getByText("Say why.").waitFor();
    await dialog.getByLabel("It was given to another patient").check();
    await dialog.getByRole("button", { name: "Mark as entered in error" }).click();
    await page.getByText("The dose is marked as entered in error").waitFor();
    await page.getByText("Entered in error", { exact: true }).waitFor();
    expect((await dosesOf(person.id)).map(({ status }) => status)).toEqual(["entered-in-error"]);
    await expectSilent([...secretsOf(person), "BX 4471", "Boostrix"]);
    await close();
  });

  it("records a dose without a mouse, and sees at every step where the focus is", async () => {
    const person = await registered("Wilhelmina", familyName());
    const { page, complaints, close } = await openWindow(browser);
    await page.goto("/app/");
    await page.getByLabel("User name").waitFor();
    await page.keyboard.type(demo.accounts.nurse.username);
    await tabTo(page, page.getByLabel(/^Password/));
    await page.keyboard.type(demo.accounts.nurse.password);
    await page.keyboard.press("Enter");

    await page.getByRole("searchbox").waitFor();
    await tabTo(page, page.getByRole("searchbox"));
    await page.keyboard.type(`${person.last_name} wil`);
    await page.getByRole("link", { name: `${person.last_name}, Wilhelmina` }).waitFor();
    await page.keyboard.press("ArrowDown");
    await expectFocus(page.getByRole("link", { name: `${person.last_name}, Wilhelmina` }));
    await page.keyboard.press("Enter");

    await chartOpened(page);
    await page.getByRole("link", { name: "Record a dose" }).waitFor();
    await tabTo(page, page.getByRole("link", { name: "Record a dose" }));
    await page.keyboard.press("Enter");
    await expectFocus(page.getByRole("combobox", { name: "Vaccine" }));
    await page.keyboard.type("140");
    await page
      .getByRole("option", { name: /influenza/i })
      .first()
      .waitFor();
    await page.keyboard.press("ArrowDown");
    await page.locator("[role=option][data-combobox-selected]").waitFor();
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByLabel("Lot", { exact: true }));
    await page.keyboard.type("K 1");
    await tabTo(page, page.getByRole("button", { name: "Save the dose" }));
    await page.keyboard.press("Enter");
    await page.getByText("The dose is recorded").waitFor();
    expect(await dosesOf(person.id)).toMatchObject([{ lot_number: "K 1" }]);
    expect(complaints).toEqual([]);
    await close();
  });

  it("is asked which patient is meant while the charts of two are open, and told so in both", async () => {
    const family = familyName();
    const [one, two] = [
      await registered("Agnes", family),
      await registered("Beatrix", family, { date_of_birth: "1950-01-02" }),
    ];
    const { page, context, expectSilent, close } = await openWalk(browser);
    await signIn(page, "nurse", `/app/patients/${one.id}/immunizations/new`);
    await page.getByRole("combobox", { name: "Vaccine" }).waitFor();
    const other = await context.newPage();
    await other.goto(`/app/patients/${two.id}`);
    await other.getByText("Two charts are open").waitFor();
    await page.getByText("Two charts are open").waitFor();
    await page.bringToFront();

    await page.getByRole("combobox", { name: "Vaccine" }).fill("boostrix");
    await page
      .getByRole("option", { name: /^BOOSTRIX/ })
      .first()
      .click();
    await page.getByRole("button", { name: "Save the dose" }).click();
    const question = page.getByRole("dialog", { name: "Is this the patient you mean?" });
    await question.getByText("Agnes").waitFor();
    await question.getByRole("button", { name: "No, store nothing" }).click();
    await question.waitFor({ state: "hidden" });
    expect(await dosesOf(one.id)).toEqual([]);

    await page.getByRole("button", { name: "Save the dose" }).click();
    await question.getByRole("button", { name: "Yes, store it for this patient" }).click();
    await page.getByText("The dose is recorded").waitFor();
    expect(await dosesOf(one.id)).toHaveLength(1);
    expect(await dosesOf(two.id)).toEqual([]);
    // Where the other chart is left, the warning goes.
    await other.bringToFront();
    await other.getByRole("link", { name: "Patients" }).click();
    await page.bringToFront();
    await page.getByText("Two charts are open").waitFor({ state: "hidden" });
    await expectSilent([...secretsOf(one), ...secretsOf(two)]);
    await close();
  });

  it("is given back the dose that was being typed when the session ended", async () => {
    const person = await registered("Dorothea", familyName());
    const { page, expectSilent, close } = await openWalk(browser);
    await page.clock.install();
    await signIn(page, "nurse", `/app/patients/${person.id}/immunizations/new`);
    await page.getByLabel("Lot", { exact: true }).fill("half a lot");
    const MINUTE_MS = 60_000;
    await page.clock.fastForward(14 * MINUTE_MS + 5_000);
    await page.getByRole("dialog", { name: "You have not used IRIS for a while" }).waitFor();
    await page.clock.fastForward(MINUTE_MS);
    await page.getByRole("heading", { name: "Your session has ended" }).waitFor();
    expect(await page.getByText(person.last_name).first().isVisible()).toBe(false);
    await page.getByLabel(/^Password/).fill(demo.accounts.nurse.password);
    await page.keyboard.press("Enter");
    await page.getByLabel("Lot", { exact: true }).waitFor();
    expect(await page.getByLabel("Lot", { exact: true }).inputValue()).toBe("half a lot");
    await expectSilent([...secretsOf(person), "half a lot"]);
    await close();
  });
});

async function dosesOf(patient: string): Promise<Dose[]> {
  return (await answer<{ items: Dose[] }>("nurse", `/patients/${patient}/immunizations`)).items;
}
