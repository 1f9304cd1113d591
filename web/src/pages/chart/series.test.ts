import { expect, it } from "vitest";
import { gistOf, keyOf } from "./series";
import type { Series } from "./types";

const series = (values: number[]): Series => ({
  code: "4548-4",
  system: "http://loinc.org",
  name: "Hemoglobin A1c",
  unit: "%",
  low: 4,
  high: 5.6,
  points: values.map((value, day) => ({ id: `o-${day}`, at: `2024-01-0${day + 1}`, value, interpretation: null })),
});

it("says the last, the extremes, where it goes and how many lie outside", () => {
  expect(gistOf(series([5, 7, 3, 6]))).toMatchObject({
    count: 4,
    last: { value: 6 },
    lowest: { value: 3 },
    highest: { value: 7 },
    flag: "high",
    out: 3,
    direction: "up",
  });
  expect(gistOf(series([5, 5]))).toMatchObject({ out: 0, direction: "same", flag: "normal" });
  expect(gistOf(series([5]))?.direction).toBeUndefined();
  expect(gistOf(series([]))).toBeUndefined();
});

it("the same test in another unit is another series", () => {
  expect(keyOf(series([]))).not.toBe(keyOf({ ...series([]), unit: "mmol/mol" }));
});
