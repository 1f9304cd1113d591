import { describe, expect, it } from "vitest";
import type { Dose, Vaccine } from "../types";
import {
  cautionsOf,
  changed,
  changeOf,
  draftOf,
  emptyDraft,
  faultsOf,
  inputOf,
  optionsOf,
  placed,
  voidNote,
  volumeOf,
  volumeText,
} from "./draft";
import { versionsOf } from "./history";

const dose = {
  id: "d-1",
  patient_id: "p-1",
  vaccine_code: "140",
  vaccine_name: "Influenza, seasonal",
  administered_at: "2024-10-01",
  lot_number: "A1",
  dose_volume: 0.5,
  status: "completed",
  version: 2,
} as Dose;
const empty = () => emptyDraft("2024-10-02", "", "u-1");

describe("a dose in the form", () => {
  it("sends what is filled in and nothing else", () => {
    const draft = { ...empty(), vaccine: { cvx: "08", name: "Hep B" }, lot: " X9 ", volume: "0,5" };
    expect(inputOf(draft)).toEqual({
      vaccine_code: "08",
      vaccine_name: "Hep B",
      administered_at: "2024-10-02",
      lot_number: "X9",
      dose_volume: 0.5,
      provider_id: "u-1",
    });
    expect(inputOf({ ...draft, vaccine: { cvx: undefined, name: "House mix" } })).not.toHaveProperty("vaccine_code");
  });

  it("a stored dose that nobody touches is not changed", () => {
    expect(changeOf(draftOf(dose), draftOf(dose))).toEqual({});
    expect(changed(draftOf(dose), { ...draftOf(dose), lot: "A1 " })).toEqual([]);
  });

  it("a correction sends what differs, and null for what is taken away", () => {
    const after = { ...draftOf(dose), lot: "", site: "left deltoid", time: "09:00" };
    const change = changeOf(draftOf(dose), after);
    expect(Object.keys(change).sort()).toEqual(["administered_at", "lot_number", "site"]);
    expect(change.lot_number).toBeNull();
  });

  it("amounts are numbers of millilitres, or texts with a unit", () => {
    expect([volumeOf("0.5"), volumeOf("0,25"), volumeOf(".5"), volumeOf("5 mg")]).toEqual([0.5, 0.25, 0.5, "5 mg"]);
    expect([volumeText(0.5), volumeText(undefined), volumeText({ value: 5, unit: "mg" } as never)]).toEqual([
      "0.5",
      "",
      "5 mg",
    ]);
  });

  it("days that cannot be are faults before anything is sent", () => {
    const faults = (day: string) =>
      faultsOf({ ...empty(), vaccine: { cvx: "08", name: "B" }, day }, "2020-02-03", "2024-10-02").day;
    expect([
      faults(""),
      faults("2024-10-03"),
      faults("2020-02-02"),
      faults("2020-02-03"),
      faults("2020-02"),
      faults("2019"),
      faults("2023-02-30"),
    ]).toEqual(["day", "future", "beforeBirth", undefined, undefined, "beforeBirth", "noDay"]);
    expect(faultsOf(empty(), "", "2024-10-02").vaccine).toBe("vaccine");
  });

  it("an expired lot and the same vaccine close by ask for a second look", () => {
    const draft = { ...empty(), vaccine: { cvx: "08", name: "B" }, expires: "2024-10-01" };
    const given = [
      { id: "1", code: "140", at: "2024-10-01" },
      { id: "2", code: "08", at: "2024-09-20" },
    ];
    expect(cautionsOf(draft, given)).toEqual([{ kind: "expired" }, { kind: "again", at: "2024-09-20" }]);
    expect(cautionsOf({ ...draft, expires: "2024-10-02" }, [{ id: "2", code: "08", at: "2024-08-20" }])).toEqual([]);
    expect(cautionsOf({ ...draft, expires: "2024-10" }, [])).toEqual([]);
  });

  it("server faults go to their fields, whatever is left to the page", () => {
    const errors = [
      { pointer: "/lot_number", detail: "is too long" },
      { pointer: "/vaccine_code/code", detail: "is no code" },
      { pointer: "/patient_id", detail: "is not the patient" },
      { pointer: "", detail: "is odd" },
    ];
    expect(placed(errors)).toEqual({
      fields: { lot: "is too long", vaccine: "is no code" },
      rest: ["/patient_id: is not the patient", "is odd"],
    });
  });

  it("a note keeps what stood there before the reason", () => {
    expect(voidNote("Left arm sore", "Entered in error: twice")).toBe("Left arm sore\nEntered in error: twice");
    expect(voidNote(undefined, "why")).toBe("why");
  });
});

describe("the list of vaccines", () => {
  const flu: Vaccine = {
    cvx: "140",
    name: "Influenza",
    full_name: "Influenza, seasonal, injectable",
    status: "active",
    groups: ["FLU"],
    products: [
      { trade_name: "Afluria", mvx: "SEQ", manufacturer: "Seqirus", status: "active" },
      { trade_name: "Fluzone", mvx: "PMC", manufacturer: "Sanofi Pasteur", status: "active" },
      { trade_name: "Agriflu", mvx: "NOV", manufacturer: "Novartis", status: "inactive" },
    ],
  };

  it("begins with the vaccine, and with a product whose name was typed", () => {
    expect(optionsOf([flu], "infl").map((one) => one.title)).toEqual(["Influenza", "Afluria", "Fluzone"]);
    const [first] = optionsOf([flu], "fluz");
    expect(first).toMatchObject({
      title: "Fluzone",
      manufacturer: "Sanofi Pasteur",
      choice: { cvx: "140", name: "Influenza (Fluzone)" },
    });
  });

  it("shows a product that is gone only to who asks for it, and says so", () => {
    expect(optionsOf([flu], "agri")[0]).toMatchObject({ title: "Agriflu", isCurrent: false });
    expect(new Set(optionsOf([flu], "").map((one) => one.key)).size).toBe(3);
    expect(optionsOf([flu], "fluzone 2026").map((one) => one.title)).toEqual(["Fluzone", "Influenza"]);
  });
});

it("a FHIR history becomes versions, latest first, without those that were deleted", () => {
  const resource = (version: string, lot: string) => ({
    resourceType: "Immunization",
    meta: { versionId: version, lastUpdated: `2024-10-0${version}T10:00:00Z` },
    status: "completed",
    vaccineCode: { coding: [{ system: "http://hl7.org/fhir/sid/cvx", code: "140", display: "Influenza" }] },
    lotNumber: lot,
    doseQuantity: { value: 0.5, unit: "mL", code: "mL" },
    site: { coding: [{ code: "LD", display: "left deltoid" }] },
    performer: [{ actor: { identifier: { value: "u-1" } } }],
    note: [{ text: "sore" }],
  });
  const bundle = {
    entry: [{ request: { method: "DELETE" } }, { resource: resource("2", "B") }, { resource: resource("1", "A") }],
  };
  const versions = versionsOf(bundle);
  expect(versions.map((version) => [version.number, version.at, version.dose.lot_number])).toEqual([
    [2, "2024-10-02T10:00:00Z", "B"],
    [1, "2024-10-01T10:00:00Z", "A"],
  ]);
  const [first, second] = versions;
  expect(first && second && changed(draftOf(second.dose), draftOf(first.dose))).toEqual(["lot"]);
  expect(first?.dose).toMatchObject({
    vaccine_name: "Influenza",
    dose_volume: 0.5,
    site: "left deltoid",
    provider_id: "u-1",
    notes: "sore",
  });
  expect(versionsOf(undefined)).toEqual([]);
});
