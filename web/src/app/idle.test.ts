import { describe, expect, it } from "vitest";
import { end, isToBeTold, warningMs } from "./idle";

const MINUTE = 60_000;
const idle = { touchedAt: 0, refreshedAt: 0, idleMs: 15 * MINUTE, endsAt: 720 * MINUTE };

describe("the session's end", () => {
  it("is never told later than the server's", () => {
    expect(end({ ...idle, touchedAt: 5 * MINUTE, refreshedAt: 2 * MINUTE })).toEqual({
      at: 17 * MINUTE,
      isFinal: false,
    });
    expect(end({ ...idle, touchedAt: 5 * MINUTE, refreshedAt: 8 * MINUTE })).toEqual({
      at: 20 * MINUTE,
      isFinal: false,
    });
  });

  it("cannot be put off beyond the session's life", () => {
    expect(end({ ...idle, endsAt: 10 * MINUTE })).toEqual({ at: 10 * MINUTE, isFinal: true });
  });

  it("is warned of a minute ahead, or less where little time is given", () => {
    expect(warningMs(15 * MINUTE)).toBe(MINUTE);
    expect(warningMs(30_000)).toBe(10_000);
  });

  it("is put off by an exchange after a touch, and by nothing without one", () => {
    const touched = { ...idle, touchedAt: 1 };
    expect(isToBeTold(touched, 2 * MINUTE)).toBe(false);
    expect(isToBeTold(touched, 3 * MINUTE)).toBe(true);
    expect(isToBeTold(idle, 14 * MINUTE)).toBe(false);
  });

  it("comes a whole idle time after the last touch while the server answers", () => {
    let [refreshedAt, touchedAt] = [0, 0];
    for (let now = 0; now <= 40 * MINUTE; now += 1000) {
      if (now <= 20 * MINUTE && now % (7 * 1000) === 0) touchedAt = now;
      if (isToBeTold({ ...idle, touchedAt, refreshedAt }, now)) refreshedAt = now;
      const left = end({ ...idle, touchedAt, refreshedAt }).at - now;
      if (now < 20 * MINUTE) expect(left).toBeGreaterThan(11 * MINUTE);
    }
    expect(end({ ...idle, touchedAt, refreshedAt }).at).toBe(touchedAt + 15 * MINUTE);
  });
});
