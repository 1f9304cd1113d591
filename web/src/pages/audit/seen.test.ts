import { describe, expect, it } from "vitest";
import { active, EVERYTHING, queryOf } from "./filter";
import { counted, runsOf, visitsOf } from "./seen";
import type { Entry } from "./types";

const at = (id: string, day: number, hour: number, user = "u-1", change: Partial<Entry> = {}): Entry => ({
  id,
  timestamp: new Date(2026, 10, day, hour).toISOString(),
  action: "phi.read",
  outcome: "success",
  content: "open",
  user_id: user,
  user_name: user,
  proof_state: "proven",
  ...change,
});

describe("entries by person and day", () => {
  it("keep the day of this device, the newest person first, and count what is proven", () => {
    const entries = [
      at("5", 22, 9, "u-1", { proof_state: "pending" }),
      at("4", 22, 8, "u-2"),
      at("3", 22, 0),
      at("2", 21, 23),
      at("1", 21, 22, "u-1"),
    ];
    const visits = visitsOf(entries);
    expect(visits.map(({ day, newest, oldest, proven }) => [day, newest.id, oldest.id, proven])).toEqual([
      ["2026-11-22", "5", "3", 1],
      ["2026-11-22", "4", "4", 1],
      ["2026-11-21", "2", "1", 2],
    ]);
  });

  it("tell apart callers without an identity by the names they gave", () => {
    const unknown = { user_name: "eve" };
    expect(visitsOf([at("2", 22, 9, "f", unknown), at("1", 22, 9, "f", { user_name: "mallory" })])).toHaveLength(2);
  });

  it("say the same once, with how often; neighbours fold only while nothing is between them", () => {
    expect(counted(["a", "b", "a"], (item) => item).map(({ said, count }) => [said, count])).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
    expect(runsOf(["a", "a", "b", "a"], (item) => item)).toEqual([["a", "a"], ["b"], ["a"]]);
  });
});

describe("the filter of the log", () => {
  it("asks for nothing that is not filled in", () => {
    expect(queryOf(EVERYTHING)).toEqual({});
    expect(active(EVERYTHING)).toBe(0);
    expect(queryOf({ ...EVERYTHING, who: " nurse.kim ", outcome: "denied" })).toEqual({
      user_name: "nurse.kim",
      outcome: "denied",
    });
  });

  it("takes whole days as they are on this device, the last one included", () => {
    expect(queryOf({ ...EVERYTHING, from: "2026-11-21", to: "2026-11-21" })).toEqual({
      date_from: new Date(2026, 10, 21).toISOString(),
      date_to: new Date(2026, 10, 22).toISOString(),
    });
  });
});
