import { describe, expect, it } from "vitest";
import { type TrendPoint, timeMarks, timeSpan, valueSpan } from "./trend";

const point = (at: number, value: number): TrendPoint => ({ at, value, isOut: false, text: "" });

describe("the frame of a trend", () => {
  it("values and reference range both fit, and a value that cannot be negative does not look so", () => {
    expect(valueSpan([5, 7], 4, 6)).toEqual([3.7, 7.3]);
    expect(valueSpan([0, 10], undefined, undefined)).toEqual([0, 11]);
    expect(valueSpan([-10, 10], undefined, undefined)).toEqual([-12, 12]);
    expect(valueSpan([3], undefined, undefined)).toEqual([2.7, 3.3]);
    expect(valueSpan([], undefined, undefined)).toEqual([0, 1]);
  });

  it("a single value stands between two days", () => {
    expect(timeSpan([point(86_400_000, 1)])).toEqual([0, 172_800]);
    expect(timeSpan([point(0, 1), point(100_000_000, 2)])).toEqual([-3_000, 103_000]);
  });

  it("marks are as fine as they lie apart", () => {
    const at = Date.UTC(2024, 4, 10, 12) / 1000;
    expect(timeMarks([at], 366 * 86_400, "en-US")).toEqual(["2024"]);
    expect(timeMarks([at], 30 * 86_400, "en-US")).toEqual(["May 2024"]);
    expect(timeMarks([at], 86_400, "en-US")).toEqual(["May 10"]);
  });
});
