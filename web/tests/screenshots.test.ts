import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { arrived, enter, leave, makeNamed, withApp } from "./access/people";
import { openBrowser, openWindow, signIn, standing, WIDE } from "./pages";
import { everyPlace, type Place, theirPatient } from "./places";
import type { Role } from "./setup";
import { answer, type Person, registered, settled } from "./walks/walk";

const FOLDER = join(import.meta.dirname, "../../docs/guide/images");
/** A desk and a telephone of today; the name of a picture ends in its width. */
const SIZES = [WIDE, { width: 390, height: 844 }];
/** A picture shows no more of a long page than helps to know it. */
const HEIGHT_MAX = { 1280: 1000, 390: 1300 } as Record<number, number>;
/** What these show stands at their end. */
const WHOLE = new Set(["register", "log-entry"]);
const QUALITY = 60;
/** Somebody is signed in there as well. */
const TELEPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/** What is done on a page before it is taken, so that it shows what it is for. */
const DONE: Record<string, (page: Page, person: Person) => Promise<void>> = {
  find: async (page, person) => {
    await page.getByRole("searchbox").fill(person.last_name);
    await page.getByRole("listitem").first().waitFor();
  },
  register: async (page, person) => {
    await page.getByLabel("First name").fill(person.first_name);
    await page.getByLabel("Last name").fill(person.last_name);
    await page.getByLabel(/^Birth date/).fill(person.date_of_birth);
    await page.getByRole("button", { name: "Register", exact: true }).click();
    await page.getByRole("button", { name: "This is somebody else: register anyway" }).waitFor();
  },
  "dose-new": async (page) => {
    await page.getByRole("combobox", { name: "Vaccine" }).pressSequentially("tdap");
    await page.getByRole("option", { name: /^BOOSTRIX/ }).waitFor();
  },
  "care-team": async (page) => {
    await page.getByRole("combobox", { name: "Who" }).fill("physician");
    await page.getByRole("option", { name: "physician", exact: true }).click();
    await page.getByLabel("As what").fill("family doctor");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("family doctor").waitFor();
  },
  results: async (page) => {
    await page.getByRole("button", { name: /^Systolic/ }).click();
    await page.getByRole("region", { name: /^Values of/ }).waitFor();
  },
  "log-entry": async (page) => {
    await page.getByRole("button", { name: "Check the proof now" }).click();
    await page.getByText("All that could be checked holds").waitFor();
  },
  "log-check": async (page) => {
    await page.getByRole("button", { name: "Check the log now" }).click();
    await page.getByText("The log is whole and unchanged").waitFor();
  },
};

/** The pictures of the guide. Only on demand: a run of the tests leaves the tree as it is. */
describe.runIf(process.env.IRIS_SCREENSHOTS === "1")("the guide's pictures", () => {
  let browser: Browser;
  let places: Place[];
  let person: Person;
  let hidden: Person;
  beforeAll(async () => {
    browser = await openBrowser();
    [places, person] = await Promise.all([everyPlace(), theirPatient()]);
    hidden = await fill(person);
    mkdirSync(FOLDER, { recursive: true });
  });
  afterAll(() => browser.close());

  it.each(["registrar", "nurse", "physician", "patient", "auditor", "admin"] as Role[])(
    "are taken as the %s sees the pages",
    async (role) => {
      for (const size of SIZES) {
        const { page, close } = await openWindow(browser, { viewport: size, reducedMotion: "reduce" });
        if (role === "registrar") {
          await page.goto("/app/");
          await page.getByRole("heading", { name: "Sign in" }).waitFor();
          await take(page, "sign-in", size.width);
        }
        await signIn(page, role);
        for (const { name, path } of places.filter((place) => place.role === role)) {
          await page.goto(`/app${path}`);
          await settled(page);
          await DONE[name]?.(page, person);
          await take(page, name, size.width);
        }
        await close();
      }
    },
    300_000,
  );

  it("are taken of a sign-in with a second proof, and of a chart that is opened in an emergency", async () => {
    const [careful, urgent, another] = [
      await makeNamed("ines.marin", "nurse"),
      await makeNamed("jonas.okafor", "physician"),
      await makeNamed("mila.santos", "nurse"),
    ];
    await withApp(careful);
    const { page, close } = await openWindow(browser, { reducedMotion: "reduce" });
    await enter(page, careful);
    await page.getByLabel("Code from your app").waitFor();
    await takeAll(page, "sign-in-code");
    await page.goto("/app/patient");
    await page.getByRole("heading", { name: "Sign in as a patient" }).waitFor();
    await takeAll(page, "sign-in-patient");
    await enter(page, another);
    await arrived(page, another);
    await page.goto("/app/account/factors");
    await page.getByRole("button", { name: "Set up an app" }).click();
    await page.getByRole("img", { name: /^Picture for the app/ }).waitFor();
    await takeAll(page, "account-app");
    const elsewhere = await openWindow(browser, { userAgent: TELEPHONE });
    await enter(elsewhere.page, another);
    await arrived(elsewhere.page, another);
    await page.goto("/app/account/sessions");
    await settled(page);
    await takeAll(page, "account-sessions");
    await elsewhere.close();
    await leave(page);

    await enter(page, urgent);
    await arrived(page, urgent);
    await page.goto(`/app/patients/${hidden.id}`);
    await page.getByRole("button", { name: "Open the chart in an emergency" }).click();
    await page.getByLabel("Why is it needed?").fill("unconscious, no relatives here");
    await takeAll(page, "emergency-ask");
    await page.getByRole("button", { name: "Open it now" }).click();
    await page.getByRole("region", { name: "Emergency access" }).waitFor();
    await settled(page);
    await takeAll(page, "emergency-open");
    await close();
  }, 300_000);
});

/** Puts into the clinic what pages of access are for: pages that are empty show nothing. Gives a patient whose chart is hidden. */
async function fill(person: Person): Promise<Person> {
  await answer("physician", `/patients/${person.id}/consents`, {
    decision: "permit",
    policy_text: "As signed on paper at the first visit",
    provisions: [{ decision: "deny", purposes: ["HRESCH"] }],
  });
  await answer("admin", "/auth/roles", {
    name: "night-desk",
    description: "The desk at night: reads the access log too",
    based_on: "registrar",
    permissions: ["audit:read"],
  });
  await answer("admin", "/admin/access-reviews", { scope: "all" });
  await answer("admin", "/admin/tenants", { name: "north", admin: { username: "first" } });
  const reasons = ["unconscious after a fall, nobody with her", "seizure, allergies are not known"];
  const people = await Promise.all([registered("Amalia", "Reyes"), registered("Leonor", "Holm")]);
  for (const [at, reason] of reasons.entries()) {
    const patient_id = people[at]?.id ?? "";
    await answer("physician", `/patients/${patient_id}/consents`, { decision: "deny" });
    await answer("nurse", "/break-glass", { patient_id, reason, minutes: 30 });
  }
  const hidden = await registered("Rosa", "Lindqvist");
  await answer("physician", `/patients/${hidden.id}/consents`, { decision: "deny" });
  return hidden;
}

/** Takes a page as it is, in each width. */
async function takeAll(page: Page, name: string): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await take(page, name, size.width);
  }
  await page.setViewportSize(WIDE);
}

async function take(page: Page, name: string, width: number): Promise<void> {
  await standing(page);
  const content = await page.evaluate(() => {
    scrollTo(0, 0);
    return document.documentElement.scrollHeight;
  });
  const height = WHOLE.has(name) ? content : Math.min(content, HEIGHT_MAX[width] ?? content);
  const path = join(FOLDER, `${name}-${width}.jpg`);
  await page.screenshot({ path, type: "jpeg", quality: QUALITY, fullPage: true, clip: { x: 0, y: 0, width, height } });
}
