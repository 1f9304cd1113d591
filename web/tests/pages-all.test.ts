import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  COLOURS,
  expectAccessible,
  expectNoSideways,
  NARROW,
  openBrowser,
  openWindow,
  paint,
  signIn,
  WIDE,
  ZOOMED,
} from "./pages";
import { everyPlace, named, of, type Place, ROLES, visit } from "./places";

/** A role's pages in two goes: all of an administrator's at once take minutes. */
const HALVES = ROLES.flatMap((role) => [[role, 1] as const, [role, 2] as const]);

describe("every page and role", () => {
  let browser: Browser;
  let places: Place[];
  beforeAll(async () => {
    browser = await openBrowser();
    places = await everyPlace();
  });
  afterAll(() => browser.close());

  it.each(HALVES)(
    "is accessible to the %s, half %i: wide, narrow and zoomed, by day and by night",
    async (role, half) => {
      // Colours that are still changing are none that people read.
      const { page, complaints, close } = await openWindow(browser, { reducedMotion: "reduce" });
      await signIn(page, role);
      for (const place of of(places, role).filter((_, at) => at % 2 === half - 1)) {
        await visit(page, place);
        await named(place, async () => {
          await expectAccessible(page);
          await paint(page, "dark");
          await expectAccessible(page, COLOURS);
          await page.setViewportSize(NARROW);
          await expectAccessible(page);
          await expectNoSideways(page);
          await page.setViewportSize(ZOOMED);
          await expectNoSideways(page);
          await paint(page, "light");
          await expectAccessible(page, [...COLOURS, "scrollable-region-focusable", "target-size"]);
          await page.setViewportSize(WIDE);
        });
      }
      expect(complaints).toEqual([]);
      await close();
    },
  );

  it("is read with the system's own colours and without movement", async () => {
    const { page, complaints, close } = await openWindow(browser, { forcedColors: "active", reducedMotion: "reduce" });
    await signIn(page, "physician");
    for (const place of of(places, "physician")) {
      await visit(page, place);
      await named(place, async () => {
        await expectAccessible(page);
        const moving = await page.evaluate(() => {
          const long = (animation: Animation) => Number(animation.effect?.getComputedTiming().duration) > 1;
          return document.getAnimations().filter(long).length;
        });
        expect(moving).toBe(0);
      });
    }
    expect(complaints).toEqual([]);
    await close();
  });
});
