import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signIn } from "../pages";
import { answer, chartOpened, familyName, openWalk, registered } from "./walk";

describe("a registrar's day", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("registers the twin sister of a known patient: the warning is met and decided, and both are found again", async () => {
    const family = familyName();
    const sister = await registered("Rosalind", family, { phone: "555-234-8801" });
    const { page, expectSilent, close } = await openWalk(browser);
    await signIn(page, "registrar");

    // Is she here already? Only her sister is.
    await page.getByRole("searchbox").fill(`${family} rosalinda`);
    await page.getByRole("link", { name: `${family}, Rosalind` }).waitFor();
    await page
      .getByRole("link", { name: /^Register/ })
      .first()
      .click();

    // From here on without the mouse.
    await page.getByLabel("First name").waitFor();
    await page.getByLabel("First name").fill("Rosalinda");
    await page.getByLabel("First name").press("Tab");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(family);
    await page.getByLabel(/^Birth date/).fill("March 9, 1987");
    await page.getByText("Understood as Mar 9, 1987").or(page.getByText("Understood as March 9, 1987")).waitFor();
    await page.getByLabel("Telephone", { exact: true }).fill("555-234-8801");
    await page.keyboard.press("Enter");

    // The same name, day and telephone: the server warns, says why, and nothing is stored yet.
    const anyway = page.getByRole("button", { name: "This is somebody else: register anyway" });
    await anyway.waitFor();
    await page.getByText("same telephone").waitFor();
    await page.getByText("same birth date").waitFor();
    expect(await found(family)).toEqual(["Rosalind"]);
    await anyway.press("Enter");
    const twin = await chartOpened(page);
    expect(twin).not.toBe(sister.id);

    // Found again in another order and spelling, and by the telephone that both share.
    await page.getByRole("link", { name: "Patients" }).click();
    await page.getByRole("searchbox").fill(`rosalynda ${family}`);
    await page.getByRole("link", { name: `${family}, Rosalinda` }).waitFor();
    await page.getByRole("searchbox").fill("5552348801");
    await page.getByRole("link", { name: `${family}, Rosalinda` }).waitFor();
    await page.getByRole("link", { name: `${family}, Rosalind`, exact: true }).waitFor();
    expect(await found(family)).toEqual(["Rosalind", "Rosalinda"]);
    await expectSilent([family, "rosalind", "1987-03-09", "555-234-8801", "5552348801"]);
    await close();
  });
});

async function found(family: string): Promise<string[]> {
  const path = `/patients/search?q=${family}`;
  const { items } = await answer<{ items: { first_name: string; last_name: string }[] }>("registrar", path);
  return items
    .filter(({ last_name }) => last_name === family)
    .map(({ first_name }) => first_name)
    .sort();
}
