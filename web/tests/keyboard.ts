import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { standing } from "./pages";

/** Most keys that a way may take where a page is not made of a long list. */
const TABS_MAX = 30;

/** Goes on with the key until the element has the focus; at each step the focus must be seen. */
export async function tabTo(page: Page, goal: Locator, keysMax = TABS_MAX): Promise<void> {
  for (let keys = 0; keys <= keysMax; keys++) {
    if (keys > 0) {
      await page.keyboard.press("Tab");
      await expectFocusSeen(page);
    }
    if (await goal.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`the focus did not get to ${goal} with ${keysMax} keys`);
}

/** Waits until the element has the focus. */
export async function expectFocus(goal: Locator): Promise<void> {
  await goal.waitFor();
  await expect.poll(() => goal.evaluate((element) => element === document.activeElement)).toBe(true);
}

/** What has the focus lies on the screen and has a ring around it. */
async function expectFocusSeen(page: Page): Promise<void> {
  // Where nothing is to move, a ring still takes its first frame to come.
  await standing(page);
  const seen = await page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return "nothing";
    const { width, height, bottom, right } = element.getBoundingClientRect();
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    // The browser rings the parts of its own date fields, such as the button of the calendar, inside of them.
    const isPart = element.matches("[type=date], [type=time]") && !element.matches(":focus-visible");
    const isRinged = isPart || (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2);
    return isRinged && width > 0 && height > 0 && bottom > 0 && right > 0 ? "seen" : element.outerHTML.slice(0, 200);
  });
  expect(["seen", "nothing"], `focus without a ring: ${seen}`).toContain(seen);
}
