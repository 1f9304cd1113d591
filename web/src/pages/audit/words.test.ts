import { readFileSync } from "node:fs";
import i18next, { type TFunction } from "i18next";
import { beforeAll, describe, expect, it } from "vitest";
import { startLanguage } from "../../i18n";
import { ACTIONS } from "./proof/header";
import type { Entry } from "./types";
import { didOf, optionOf, sentenceOf, whoOf } from "./words";

const ANA = "5d422f1a-f0c8-4f7f-bfac-dc621b743aae";
const BEN = "6e533a2b-f0c8-4f7f-bfac-dc621b743aae";
const entry = (change: Partial<Entry>) =>
  ({
    id: "1",
    timestamp: "2026-11-22T02:41:00.000Z",
    action: "phi.read",
    outcome: "success",
    content: "open",
    user_id: "u-1",
    user_name: "nurse.kim",
    proof_state: "proven",
    ...change,
  }) as Entry;
let t: TFunction;
const plain = (text: string) => text.replace(/[\u2068\u2069]/g, "");
const said = (change: Partial<Entry>) => plain(sentenceOf(entry(change), t));

beforeAll(async () => {
  await startLanguage();
  await i18next.loadNamespaces("audit");
  t = i18next.getFixedT("en", "audit") as TFunction;
});

describe("an entry in words", () => {
  it("says who did what to whose record", () => {
    const one = { patient_ids: [ANA], resources: [`Patient/${ANA}/_history/1`] };
    expect(said(one)).toBe("nurse.kim read the master record of patient 5d422f1a");
    expect(said({ ...one, action: "phi.summary" })).toBe("nurse.kim read the chart of patient 5d422f1a");
    const doses = ["Immunization/a/_history/1", "Immunization/a/_history/2", "Immunization/b"];
    expect(said({ action: "phi.create", patient_ids: [ANA], resources: doses })).toBe(
      "nurse.kim recorded 2 immunizations of patient 5d422f1a",
    );
    expect(said({ patient_ids: [ANA], resources: ["Flag/1", "Coverage/2"] })).toBe(
      "nurse.kim read 2 records of patient 5d422f1a",
    );
    expect(said({ resources: ["Basic/1"] })).toBe("nurse.kim read a record of type Basic");
  });

  it("tells what was looked for from what was seen", () => {
    const search = { action: "phi.search", detail: "Patient?name=mu%C3%B1oz" };
    expect(said(search)).toBe("nurse.kim looked for patients and saw none");
    const found = { resources: [`Patient/${ANA}`, `Patient/${BEN}`], patient_ids: [ANA, BEN] };
    expect(said({ ...search, ...found })).toBe("nurse.kim looked for patients and saw 2 patients");
    expect(plain(didOf(entry({ ...search, ...found }), t, ANA))).toBe(
      "looked for patients and saw the master record, among 2 patients",
    );
    // Patients are not told what was searched for.
    expect(
      plain(didOf(entry({ action: "phi.search", resources: [`Patient/${ANA}`], patient_ids: [ANA] }), t, ANA)),
    ).toBe("looked for patients and saw the master record");
  });

  it("tells what was done from what was tried in vain", () => {
    const one = { patient_ids: [ANA], resources: [`Patient/${ANA}`] };
    expect(said({ ...one, outcome: "failure" })).toBe(
      "nurse.kim tried without success: read the master record of patient 5d422f1a",
    );
    expect(said({ ...one, action: "phi.denied", outcome: "denied" })).toBe(
      "nurse.kim was refused access to the master record of patient 5d422f1a",
    );
  });

  it("names the server, those who proved nothing, and nobody where the details are gone", () => {
    expect(plain(whoOf(entry({ user_id: "00000000-0000-0000-0000-000000000000", user_name: "system" }), t))).toBe(
      "IRIS itself",
    );
    const unknown = { user_id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };
    expect(plain(whoOf(entry({ ...unknown, user_name: "root" }), t))).toBe("Somebody who gave the name root");
    expect(plain(whoOf(entry({ ...unknown, user_name: "" }), t))).toBe("Somebody without a name");
    const { user_id: _, user_name: __, ...bare } = entry({ content: "shredded" });
    expect(plain(sentenceOf(bare, t))).toBe("Somebody read records");
  });

  it("has words for every action in every language, and some for one it does not know", async () => {
    for (const language of ["en", "es"]) {
      await i18next.changeLanguage(language);
      const words = i18next.getFixedT(language, "audit") as TFunction;
      const options = Object.values(ACTIONS).map((action) => optionOf(action, words));
      expect(options.filter((option) => /[{}“«]|^(did|option)/.test(option))).toEqual([]);
      expect(new Set(options).size).toBe(options.length);
    }
    expect(said({ action: "moon.land" })).toBe("nurse.kim did “moon.land”");
  });

  it("knows every number that stands in a signed entry", () => {
    const catalogue = readFileSync("../spine/audit/tests/catalogue.txt", "utf8");
    const lines = catalogue.split("\n").flatMap((line) => /^(\d+)\s+([a-z_.]+)/.exec(line) ?? []);
    expect(lines.length).toBeGreaterThan(200);
    for (let at = 0; at < lines.length; at += 3) expect(ACTIONS[Number(lines[at + 1])]).toBe(lines[at + 2]);
  });
});
