import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoSideways, openBrowser, openWindow, signIn } from "./pages";
import { everyPlace, named, of, type Place, ROLES, visit } from "./places";

/** Texts that are the same in every language: the name, commands that one types, numbers with their units, days and months, an address. */
const UNTRANSLATED = [
  /^(· )?IRIS$/,
  /^iris( [\w-]+)+/,
  /^[\d.,/]+ \S+$/,
  /^\p{L}{3} \d{1,2}, \d{4}$/u,
  /^\p{L}+ \d{4}$/u,
  /^[\p{L} ]+ [A-Z]{2} \d{5}$/u,
];

describe("every page in other languages", () => {
  let browser: Browser;
  let places: Place[];
  beforeAll(async () => {
    browser = await openBrowser();
    places = await everyPlace();
  });
  afterAll(() => browser.close());

  it.each(ROLES)("turns around and leaves no text untranslated for the %s", async (role) => {
    const { page, complaints, close } = await openWindow(browser);
    const data = await listen(page);
    await signIn(page, role);
    for (const place of of(places, role)) {
      await visit(page, { ...place, path: `${place.path}?lng=ar-XB` });
      await named(place, async () => {
        expect(await page.evaluate(() => document.documentElement.dir)).toBe("rtl");
        expect(await isMirrored(page)).toBe(true);
        await expectNoSideways(page);
        expect(await untranslated(page, data)).toEqual([]);
      });
    }
    expect(complaints).toEqual([]);
    await close();
  });

  it.each(ROLES)("speaks Spanish to the %s without a gap", async (role) => {
    const { page, complaints, close } = await openWindow(browser);
    await signIn(page, role);
    for (const place of of(places, role)) {
      await visit(page, { ...place, path: `${place.path}?lng=es` });
      await named(place, async () => {
        expect(await page.evaluate(() => document.documentElement.lang)).toBe("es");
        expect((await texts(page)).filter((text) => /^[a-z]\w*(\.\w+)+$/.test(text))).toEqual([]);
      });
    }
    expect(complaints).toEqual([]);
    await close();
  });
});

/** What the server has answered: that is not ours to translate. */
async function listen(page: Page): Promise<string[]> {
  const data: string[] = [];
  page.on("response", async (response) => {
    if (response.request().resourceType() === "fetch") data.push(await response.text().catch(() => ""));
  });
  return data;
}

/** The navigation stands at the right, and the account at the left. */
function isMirrored(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const middle = innerWidth / 2;
    const side = (selector: string) => {
      const box = document.querySelector(selector)?.getBoundingClientRect();
      return box ? Math.sign((box.left + box.right) / 2 - middle) : 0;
    };
    return side("nav#navigation, #navigation") === 1 && side("header button[aria-label]:not([aria-controls])") === -1;
  });
}

/** Every text that people see or hear: what is painted, and names of what has none. */
function texts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      // Data is named by what it is: a moment, a code, a command. Scripts and styles are not read.
      if (!parent || parent.closest("time, code, script, style, noscript, [lang=en]")) continue;
      if (parent.checkVisibility()) found.push((node.textContent ?? "").trim());
    }
    for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
      for (const name of ["aria-label", "title", "placeholder", "alt"])
        found.push(element.getAttribute(name)?.trim() ?? "");
    return found.filter((text) => /\p{L}{2}/u.test(text));
  });
}

/** Texts without the marks of the pseudo-language that are neither data nor the same everywhere. */
async function untranslated(page: Page, data: readonly string[]): Promise<string[]> {
  const known = data.join("\n");
  const isData = (text: string) =>
    text.split(/[,·:()/\n]/).every((part) => part.trim().length < 2 || known.includes(part.trim()));
  const lines = (await texts(page)).flatMap((text) => (isData(text) ? [] : text.split("\n")));
  return lines.filter(
    (text) => !/[\u27e6\u27e7]/.test(text) && !UNTRANSLATED.some((one) => one.test(text)) && !isData(text),
  );
}
