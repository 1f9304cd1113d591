import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demo, openBrowser, signIn } from "../pages";
import { answer, ask, familyName, openWalk, registered, secretsOf } from "./walk";

describe("an auditor's day", () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    browser = await openBrowser();
    folder = mkdtempSync(join(tmpdir(), "iris-auditor-"));
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("proves what the nurse has read, has the log checked, and checks an export without the server", async () => {
    const person = await registered("Philippa", familyName());
    await read(person.id);
    // The administrator hands the public key of the log over on paper.
    const key = await publicKey();
    const { page, expectSilent, close } = await openWalk(browser, { acceptDownloads: true });
    await signIn(page, "auditor");

    await page.getByLabel("Who").fill(demo.accounts.nurse.username);
    await page.getByLabel("Who").press("Enter");
    await page.getByText("1 filter", { exact: true }).waitFor();
    const entries = page.getByRole("list", { name: "Entries, newest first" });
    const opened = entries.getByRole("link", {
      name: new RegExp(`read the chart of patient .?${person.id.slice(0, 8)}`),
    });
    await opened.first().waitFor();
    for (const name of await entries.getByRole("link").allTextContents())
      expect(name).toContain(demo.accounts.nurse.username);
    await opened.first().click();

    await page.getByRole("heading", { name: /^Entry \d+ of the access log$/ }).waitFor();
    await page.getByText(person.id).first().waitFor();
    await page.getByLabel("Public key of the log").fill(key);
    await page.getByRole("button", { name: "Check the proof now" }).click();
    await page.getByText("The entry is genuine and unchanged").waitFor();
    await page.getByText("The leaf leads to the signed root: holds").waitFor();
    await page.getByText("The checkpoint is signed by the log’s key: holds").waitFor();

    await page.getByRole("link", { name: "Check", exact: true }).click();
    await page.getByRole("button", { name: "Check the log now" }).click();
    await page.getByText("The log is whole and unchanged").waitFor();

    await page.getByRole("link", { name: "Export", exact: true }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: /export|download/i }).click(),
    ]);
    const file = join(folder, download.suggestedFilename());
    await download.saveAs(file);
    expect(verify(file, key)).toMatchObject({ good: true, faults: [] });

    // One changed byte is found.
    const text = readFileSync(file, "utf8");
    const at = text.indexOf('"commitment"') >= 0 ? text.indexOf('"commitment"') + 20 : Math.floor(text.length / 2);
    const changed = `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;
    writeFileSync(file, changed);
    expect(() => verify(file, key)).toThrow();
    await expectSilent(secretsOf(person));
    await close();
  });

  it("sees no record, and who has seen one by its id", async () => {
    const person = await registered("Leocadia", familyName());
    await read(person.id);
    const { page, close } = await openWalk(browser);
    await signIn(page, "auditor", `/app/audit/patients/${person.id}`);
    await page
      .getByRole("heading", { name: new RegExp(demo.accounts.nurse.username) })
      .first()
      .waitFor();
    await page.goto(`/app/patients/${person.id}`);
    await page.getByText("You may not do this").waitFor();
    expect(await page.getByText(person.last_name).count()).toBe(0);
    await close();
  });
});

/** The nurse opens a chart; done when the log has a place for it, which takes up to a second. */
async function read(patient: string): Promise<void> {
  expect((await ask("nurse", `/patients/${patient}/summary`)).ok).toBe(true);
  const { accounts } = demo;
  const names = async () =>
    (await answer<{ items: { user_name?: string }[] }>("auditor", `/audit/patients/${patient}/disclosures`)).items.map(
      ({ user_name }) => user_name,
    );
  await expect.poll(names, { timeout: 10_000 }).toContain(accounts.nurse.username);
}

async function publicKey(): Promise<string> {
  const keys = JSON.stringify(await answer<object>("admin", "/keys"));
  const [found] = /iris-audit\+[^"\\]+/.exec(keys) ?? [];
  if (!found) throw new Error(`there is no public key of the log in ${keys}`);
  return found;
}

/** What `iris audit verify` says of a file, with nothing but the key and away from the installation. */
function verify(file: string, key: string): unknown {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("IRIS_")));
  const args = ["audit", "verify", "--file", file, "--key", key, "--output", "json"];
  return JSON.parse(execFileSync(demo.binary, args, { env, cwd: tmpdir(), encoding: "utf8", stdio: "pipe" }));
}
