import { describe, expect, it } from "vitest";
import {
  allergyStatement,
  flagOf,
  isCurrentMedication,
  isCurrentProblem,
  named,
  rangeSaid,
  unitSaid,
  valueSaid,
} from "./clinical";
import type { Allergy } from "./types";

const allergy = (given: Partial<Allergy>): Allergy => ({ id: "a", resource: "AllergyIntolerance/a", ...given });

describe("allergies", () => {
  const none = allergy({ code: "716186003", substance: "No known allergy", status: "active" });
  const nuts = allergy({ substance: "Peanut", severity: "severe", status: "active" });

  it("a list that is not there is withheld, an empty one says nothing", () => {
    expect(allergyStatement(undefined).kind).toBe("withheld");
    expect(allergyStatement([]).kind).toBe("unrecorded");
  });

  it("no known allergy is a statement of its own, which a real one outweighs", () => {
    expect(allergyStatement([none]).kind).toBe("none");
    expect(allergyStatement([none, nuts])).toEqual({ kind: "some", allergies: [nuts] });
  });

  it("no known allergy of one kind says nothing of the others", () => {
    const food = allergy({ code: "429625007", substance: "No known food allergy", status: "active" });
    expect(allergyStatement([food])).toEqual({ kind: "partly", statements: [food] });
    expect(allergyStatement([food, none]).kind).toBe("none");
    expect(allergyStatement([food, nuts])).toEqual({ kind: "some", allergies: [nuts] });
  });

  it("what was refuted, resolved or entered in error does not count", () => {
    const gone = [
      { ...nuts, verification: "refuted" },
      { ...nuts, verification: "entered-in-error" },
      { ...nuts, status: "resolved" },
      { ...none, status: "inactive" },
    ];
    expect(allergyStatement(gone).kind).toBe("unrecorded");
  });

  it("the worst comes first", () => {
    const mild = allergy({ substance: "Pollen", severity: "mild" });
    const unknown = allergy({ substance: "Dust" });
    const statement = allergyStatement([unknown, mild, nuts]);
    expect(statement.kind === "some" && statement.allergies).toEqual([nuts, mild, unknown]);
  });
});

describe("values", () => {
  it("the laboratory's word comes before the range, and without either there is no flag", () => {
    expect(flagOf({ value: 5, low: 1, high: 9, interpretation: "HH" })).toBe("criticalHigh");
    expect(flagOf({ value: 0.5, low: 1, high: 9 })).toBe("low");
    expect(flagOf({ value: 9, high: 9 })).toBe("normal");
    expect(flagOf({ value: 9.1, high: 9, interpretation: null })).toBe("high");
    expect(flagOf({ value: 9 })).toBeUndefined();
    expect(flagOf({ value: "Positive", low: 1 })).toBeUndefined();
  });

  it("numbers keep their digits, units are written as people do", () => {
    expect(valueSaid(7.25, "%", "en")).toBe("7.25 %");
    expect(valueSaid(1234.5, "mm[Hg]", "es")).toBe("1234,5 mmHg");
    expect(valueSaid("Negative", null, "en")).toBe("Negative");
    expect(["Cel", "{score}", "mg/dL", "10*3/uL", "uIU/mL", null].map(unitSaid)).toEqual([
      "°C",
      "",
      "mg/dL",
      "×10³/µL",
      "µIU/mL",
      "",
    ]);
  });

  it("names lose what only a terminology says", () => {
    expect(named("Peanut (substance)", "762952008")).toBe("Peanut");
    expect(named("Influenza (Fluzone)")).toBe("Influenza (Fluzone)");
    expect([named(undefined, "123"), named(null), named("")]).toEqual(["123", undefined, undefined]);
    expect([unitSaid("m[IU]/L"), unitSaid("kg/m2")]).toEqual(["mIU/L", "kg/m²"]);
  });

  it("a range has one end, two or none", () => {
    expect([
      rangeSaid(4, 5.6, "en"),
      rangeSaid(null, 5, "en"),
      rangeSaid(4, null, "en"),
      rangeSaid(null, null, "en"),
    ]).toEqual(["4–5.6", "≤\u00a05", "≥\u00a04", undefined]);
  });
});

it("what is over is not current", () => {
  const head = { id: "1", resource: "x/1" };
  expect(isCurrentProblem({ ...head, status: "active" })).toBe(true);
  expect(isCurrentProblem({ ...head, status: "resolved" })).toBe(false);
  expect(isCurrentProblem({ ...head, verification: "refuted" })).toBe(false);
  expect(isCurrentMedication({ ...head, status: "active" })).toBe(true);
  expect(isCurrentMedication({ ...head, status: "stopped" })).toBe(false);
});
