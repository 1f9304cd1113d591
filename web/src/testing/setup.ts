import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";
import { answer, forget } from "./server";

/** What jsdom lacks of a browser. */
class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}
globalThis.ResizeObserver ??= Observer;
window.matchMedia ??= (media: string) =>
  ({
    media,
    matches: false,
    addEventListener() {},
    removeEventListener() {},
    addListener() {},
    removeListener() {},
  }) as never;
Element.prototype.scrollIntoView ??= () => undefined;
Object.defineProperty(navigator, "locks", {
  value: { request: (_name: string, work: () => unknown) => Promise.resolve(work()) },
});

/** Addresses without a host mean the page's own, as in a browser. */
const NodeRequest = globalThis.Request;
globalThis.Request = class extends NodeRequest {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(typeof input === "string" ? new URL(input, location.origin) : input, init);
  }
};
globalThis.fetch = (input, init) => answer(new Request(input, init));

beforeEach(() => forget());
afterEach(() => {
  cleanup();
  localStorage.clear();
});
