import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { show, signIn, tokens } from "../testing/render";
import { askedOf, on } from "../testing/server";
import { IdleGuard } from "./IdleGuard";
import { session } from "./session";
import { mark } from "./tabs";

const REFRESH = "POST /api/v1/auth/refresh";
const MINUTE = 60_000;

/** Lets time pass a second at a time, as the guard looks; `work` is what somebody does each second. */
async function pass(ms: number, work: () => void = () => undefined) {
  for (let gone = 0; gone < ms; gone += 1000) {
    work();
    await act(() => vi.advanceTimersByTimeAsync(1000));
  }
}

describe("the end of an idle session", () => {
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"] });
    on(REFRESH, () => tokens());
    on("POST /api/v1/auth/logout", () => new Response(null, { status: 204 }));
    await signIn();
    await show(<IdleGuard />, "/p");
    // The texts are there.
    await act(() => vi.advanceTimersByTimeAsync(0));
  });
  afterEach(async () => {
    vi.useRealTimers();
    await session.signOut();
  });

  it("does not come while somebody works, and the server is told in time, but not at every touch", async () => {
    await pass(20 * MINUTE, () => fireEvent.keyDown(document.body));
    expect(screen.queryByRole("dialog")).toBeNull();
    const times = askedOf(REFRESH).length;
    expect(times).toBeGreaterThanOrEqual(5);
    expect(times).toBeLessThanOrEqual(7);
  });

  it("is warned of; then only the button counts, and it tells the server", async () => {
    await pass(14 * MINUTE + 2000);
    expect(await screen.findByText("You have not used IRIS for a while")).toBeTruthy();
    await pass(5000, () => fireEvent.pointerDown(document.body));
    expect(screen.getByRole("timer").textContent).toMatch(/in 5\d seconds/);
    await act(async () => fireEvent.click(screen.getByRole("button", { name: "Stay signed in" })));
    expect(askedOf(REFRESH)).toHaveLength(1);
    await pass(2000);
    await waitFor(() => expect(screen.queryByRole("timer")).toBeNull());
  });

  it("says so when the server cannot be reached, and does not claim that the session goes on", async () => {
    await pass(14 * MINUTE + 2000);
    on(REFRESH, () => {
      throw new TypeError("no network");
    });
    await act(async () => fireEvent.click(screen.getByRole("button", { name: "Stay signed in" })));
    expect(await screen.findByText(/cannot be reached to go on/)).toBeTruthy();
    await pass(MINUTE);
    expect(session.current().status).toBe("locked");
  });

  it("comes when nobody is there, and the server is told to end the session", async () => {
    await pass(15 * MINUTE + 1000);
    expect(session.current().status).toBe("locked");
    expect(askedOf("POST /api/v1/auth/logout").length).toBeGreaterThan(0);
  });

  it("does not come while another tab is used", async () => {
    await pass(20 * MINUTE, () => {
      mark("touched", Date.now());
      mark("refreshed", Date.now());
    });
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(askedOf(REFRESH)).toHaveLength(0);
  });
});
