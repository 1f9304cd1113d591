import { describe, expect, it, vi } from "vitest";
import { NURSE, signIn, tokens } from "../testing/render";
import { askedOf, on, problem } from "../testing/server";
import { session } from "./session";
import type { Told } from "./tabs";

/** What another tab of the browser tells. */
async function otherTab(told: Told) {
  const channel = new BroadcastChannel("iris-session");
  channel.postMessage(told);
  await new Promise((resolve) => setTimeout(resolve, 20));
  channel.close();
}

describe("the session", () => {
  it("keeps the access token in memory only", async () => {
    await signIn();
    expect(await session.token()).toBe("t-1");
    expect(JSON.stringify({ ...localStorage })).not.toContain("t-1");
    expect(document.cookie).toBe("");
  });

  it("locks on a refusal, and keeps who it was", async () => {
    await signIn();
    on("POST /api/v1/auth/refresh", () => problem(401));
    await expect(session.refresh()).rejects.toThrow();
    expect(session.current()).toMatchObject({ status: "locked", user: { id: NURSE.id } });
    expect(await session.token()).toBeUndefined();
  });

  it("is signed out where the browser has no session, which the server answers without an error", async () => {
    on("POST /api/v1/auth/logout", () => new Response(null, { status: 204 }));
    await session.signOut();
    on("POST /api/v1/auth/refresh", () => new Response(null, { status: 204 }));
    await session.start();
    expect(session.current()).toMatchObject({ status: "out", user: undefined });
    expect(await session.token()).toBeUndefined();
  });

  it.each([
    ["is busy", () => problem(503)],
    ["has had too many questions", () => problem(429)],
    ["is broken", () => problem(500)],
    ["answers with something that is no session", () => new Response("<html>")],
    [
      "cannot be reached",
      () => {
        throw new TypeError("no network");
      },
    ],
  ])(
    "is not taken for ended at the start of a page because the server %s, and goes on once it answers",
    async (_, answer) => {
      on("POST /api/v1/auth/logout", () => new Response(null, { status: 204 }));
      await session.signOut();
      on("POST /api/v1/auth/refresh", answer);
      await session.start();
      expect(session.current().status).toBe("away");
      expect(session.current().error).toBeDefined();
      on("POST /api/v1/auth/refresh", () => tokens());
      await session.start();
      expect(session.current()).toMatchObject({ status: "in", user: { id: NURSE.id }, error: undefined });
    },
  );

  it("does not lock because the server cannot be reached for a moment", async () => {
    await signIn();
    on("POST /api/v1/auth/refresh", () => {
      throw new TypeError("no network");
    });
    await expect(session.refresh()).rejects.toMatchObject({ status: 0 });
    expect(session.current().status).toBe("in");
  });

  it("ends in every tab when it ends in one", async () => {
    const forget = vi.fn();
    const stop = session.onForget(forget);
    await signIn();
    await otherTab({ what: "locked" });
    expect(session.current().status).toBe("locked");
    expect(forget).not.toHaveBeenCalled();
    await otherTab({ what: "out" });
    expect(session.current()).toMatchObject({ status: "out", user: undefined });
    expect(forget).toHaveBeenCalled();
    stop();
  });

  it("goes on in every tab when the same person signs in again in one", async () => {
    await signIn();
    session.lost();
    on("POST /api/v1/auth/refresh", () => tokens());
    await otherTab({ what: "in", user: NURSE.id });
    expect(session.current().status).toBe("in");
  });

  it("takes a new token when the same person has signed in anew in another tab, which ended the session of the old one", async () => {
    await signIn();
    on("POST /api/v1/auth/refresh", () => ({ ...tokens(), access_token: "t-2" }));
    await otherTab({ what: "in", user: NURSE.id });
    expect(session.current().status).toBe("in");
    expect(await session.token()).toBe("t-2");
  });

  it("leaves nothing of one person to the next, also when that happens in another tab", async () => {
    await signIn();
    const forget = vi.fn();
    const stop = session.onForget(forget);
    on("POST /api/v1/auth/refresh", () => tokens({ ...NURSE, id: "u-2", username: "paul" }));
    await otherTab({ what: "in", user: "u-2" });
    expect(forget).toHaveBeenCalled();
    expect(session.current()).toMatchObject({ status: "in", user: { id: "u-2" } });
    stop();
  });

  it("asks for a new token once, however many ask", async () => {
    await signIn();
    on("POST /api/v1/auth/refresh", () => tokens());
    await Promise.all([session.refresh(), session.refresh(), session.refresh()]);
    expect(askedOf("POST /api/v1/auth/refresh")).toHaveLength(1);
    expect(askedOf("POST /api/v1/auth/refresh")[0]?.headers.get("X-IRIS-Session")).toBe("cookie");
  });
});
