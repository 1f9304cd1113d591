import { afterEach, describe, expect, it, vi } from "vitest";
import { Charts } from "./guard";

/** Channels of one browser: a message reaches every other channel of the same name, in its own turn. */
class Channel extends EventTarget {
  static all = new Set<Channel>();
  static sent: unknown[] = [];
  onmessage: ((event: MessageEvent) => void) | undefined;
  constructor(readonly name: string) {
    super();
    Channel.all.add(this);
  }
  postMessage(data: unknown) {
    if (!Channel.all.has(this)) return;
    Channel.sent.push(data);
    for (const other of Channel.all) {
      if (other === this || other.name !== this.name) continue;
      queueMicrotask(() => {
        if (!Channel.all.has(other)) return;
        const event = new MessageEvent("message", { data });
        other.onmessage?.(event);
        other.dispatchEvent(event);
      });
    }
  }
  close() {
    Channel.all.delete(this);
  }
}

const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};

afterEach(() => {
  Channel.all.clear();
  Channel.sent = [];
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("charts of several tabs", () => {
  it("both tabs know that two patients are open, until one of them goes", async () => {
    vi.stubGlobal("BroadcastChannel", Channel);
    const [one, two] = [new Charts(), new Charts()];
    const closeOne = one.open("p1");
    const closeTwo = two.open("p2");
    await settle();
    expect([one.current(), two.current()]).toEqual([true, true]);
    closeTwo();
    await settle();
    expect(one.current()).toBe(false);
    closeOne();
  });

  it("the same patient twice is no danger", async () => {
    vi.stubGlobal("BroadcastChannel", Channel);
    const [one, two] = [new Charts(), new Charts()];
    const close = [one.open("p1"), two.open("p1")];
    await settle();
    expect([one.current(), two.current()]).toEqual([false, false]);
    for (const end of close) end();
  });

  it("a tab that no longer answers is forgotten", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("BroadcastChannel", Channel);
    const [one, two] = [new Charts(), new Charts()];
    const close = one.open("p1");
    two.open("p2");
    await vi.advanceTimersByTimeAsync(10);
    expect(one.current()).toBe(true);
    // It crashes: its channel is gone and says nothing.
    const crashed = [...Channel.all].at(-1);
    crashed?.close();
    await vi.advanceTimersByTimeAsync(33_000);
    expect(one.current()).toBe(false);
    close();
  });

  it("nothing but ids is said", async () => {
    vi.stubGlobal("BroadcastChannel", Channel);
    const close = new Charts().open("p1");
    close();
    expect(Channel.sent.length).toBeGreaterThan(0);
    for (const message of Channel.sent) {
      expect(Object.keys(message as object).every((key) => ["tab", "kind", "patient"].includes(key))).toBe(true);
    }
  });
});
