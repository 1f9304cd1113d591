import { describe, expect, it } from "vitest";
import { ageOf, isDay, localeOf, momentOf, partsOf, said } from "./when";

describe("ages", () => {
  const cases: [string, string, string][] = [
    ["2024-05-10", "2024-05-10", "0 days"],
    ["2024-05-10", "2024-05-23", "13 days"],
    ["2024-05-10", "2024-05-24", "2 weeks"],
    ["2024-05-10", "2024-08-09", "13 weeks"],
    ["2024-05-10", "2024-08-10", "3 months"],
    ["2022-05-10", "2024-05-09", "23 months"],
    ["2022-05-10", "2024-05-10", "2 years"],
    ["2024-01-31", "2024-04-30", "12 weeks"],
    ["2024-01-31", "2024-05-01", "3 months"],
    // A birthday on 29 February comes on 1 March in a year without it, and on the day in a year with it.
    ["2004-02-29", "2023-02-28", "18 years"],
    ["2004-02-29", "2023-03-01", "19 years"],
    ["2004-02-29", "2024-02-28", "19 years"],
    ["2004-02-29", "2024-02-29", "20 years"],
    ["1920-12-31", "2024-01-01", "103 years"],
    ["0099-01-01", "0100-01-01", "12 months"],
    ["1980", "2024-03-01", "44 years?"],
    ["1980-05", "2024-05-01", "44 years?"],
    ["1980-05", "2024-04-30", "43 years?"],
    ["2024-01", "2024-03-01", "2 months?"],
  ];
  for (const [born, today, expected] of cases) {
    it(`born ${born}, on ${today}: ${expected}`, () => {
      const age = ageOf(born, today);
      expect(`${age?.count} ${age?.unit}${age?.isRough ? "?" : ""}`).toBe(expected);
    });
  }

  it("nobody has an age before the birth, nor with a date that is none", () => {
    expect(ageOf("2024-05-10", "2024-05-09")).toBeUndefined();
    expect(ageOf("soon", "2024-05-09")).toBeUndefined();
  });
});

describe("dates", () => {
  it("a day stays the day it is, wherever the reader is", () => {
    expect(said("2024-05-10", "en-US")).toBe("May 10, 2024");
    expect(said("2024-05", "en-US")).toBe("May 2024");
    expect(said("1985", "en-US")).toBe("1985");
    expect(said("2024-05-10", "es", "long")).toBe("10 de mayo de 2024");
    expect(said("at birth", "en")).toBe("at birth");
  });

  it("day and time make a moment and come back from it", () => {
    const moment = momentOf("2024-05-10", "14:05");
    expect(moment).toMatch(/^2024-05-1\dT..:..:00Z$|^2024-05-09T..:..:00Z$/);
    expect(partsOf(moment)).toEqual({ day: "2024-05-10", time: "14:05" });
    expect(momentOf("2024-05-10", "")).toBe("2024-05-10");
    expect(partsOf("2024-05-10")).toEqual({ day: "2024-05-10", time: "" });
  });

  it("knows the days of the calendar", () => {
    expect(["2024-02-29", "2023-02-29", "2024-13-01", "2024-05"].map(isDay)).toEqual([true, false, false, false]);
  });

  it("writes in the reader's own variant of the language chosen", () => {
    expect(localeOf("en", ["de-DE", "en-GB", "en-US"])).toBe("en-GB");
    expect(localeOf("es", ["en-GB"])).toBe("es");
    expect(localeOf("ar-XB", ["en-US"])).toBe("en-US");
  });
});
