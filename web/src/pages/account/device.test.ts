import { describe, expect, it } from "vitest";
import { deviceOf } from "./device";

describe("a device", () => {
  it("is called as people call it", () => {
    const windows =
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
    expect(deviceOf(windows)).toBe("Chrome, Windows");
    expect(deviceOf(`${windows} Edg/130.0.0.0`)).toBe("Edge, Windows");
    expect(deviceOf("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")).toBe("Firefox, Linux");
    const phone =
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1";
    expect(deviceOf(phone)).toBe("Safari, iOS");
  });

  it("that is none of these is called by what it says, cut short", () => {
    expect(deviceOf("curl/8.5.0")).toBe("curl/8.5.0");
    expect(deviceOf("x".repeat(500))).toHaveLength(40);
    expect(deviceOf(undefined)).toBe("");
  });
});
