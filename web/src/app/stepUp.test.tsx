import { configure, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "../api/client";
import { show, signIn } from "../testing/render";
import { askedOf, on, problem } from "../testing/server";
import { StepUpDialog } from "./StepUpDialog";
import { session } from "./session";

configure({ asyncUtilTimeout: 5_000 });

const LOCK = "POST /api/v1/admin/users/u-2/lock";
const STEP_UP = "POST /api/v1/auth/step-up";
const lock = () => api.POST("/api/v1/admin/users/{id}/lock", { params: { path: { id: "u-2" } } });
const change = () =>
  api.PATCH("/api/v1/admin/users/{id}", { params: { path: { id: "u-2" } }, body: { roles: ["nurse"] } });
const wanted = () => problem(403, { error_type: "step_up_required" });

describe("a fresh proof", () => {
  beforeEach(async () => {
    await signIn();
    await show(<StepUpDialog />, "/");
  });

  it("is asked for, and what was refused is sent again with all that was in it", async () => {
    let isProven = false;
    on("PATCH /api/v1/admin/users/u-2", () => (isProven ? { id: "u-2" } : wanted()));
    on(STEP_UP, () => {
      isProven = true;
      return new Response(null, { status: 204 });
    });
    const answer = change();
    const password = await screen.findByLabelText(/^Password/);
    await waitFor(() => expect(document.activeElement).toBe(password));
    fireEvent.change(password, { target: { value: "secret" } });
    fireEvent.click(screen.getByRole("button", { name: "Confirm" }));
    expect((await answer).data).toEqual({ id: "u-2" });
    expect(askedOf(STEP_UP)[0]?.body).toEqual({ password: "secret" });
    const sent = askedOf("PATCH /api/v1/admin/users/u-2");
    expect(sent.map(({ body }) => body)).toEqual([{ roles: ["nurse"] }, { roles: ["nurse"] }]);
    expect(sent[1]?.headers.get("Authorization")).toBe("Bearer t-1");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("is asked for once, however many requests wait", async () => {
    let isProven = false;
    on(LOCK, () => (isProven ? { id: "u-2" } : wanted()));
    on(STEP_UP, () => {
      isProven = true;
      return new Response(null, { status: 204 });
    });
    const answers = Promise.all([lock(), lock(), lock()]);
    fireEvent.click(await screen.findByRole("button", { name: "Use a code from the app" }));
    fireEvent.change(await screen.findByLabelText(/Code from your app/), { target: { value: "123456" } });
    fireEvent.click(screen.getByRole("button", { name: "Confirm" }));
    expect(await answers).toHaveLength(3);
    expect(askedOf(STEP_UP).map(({ body }) => body)).toEqual([{ code: "123456" }]);
  });

  it("that is wrong does not end the session, and can be given again", async () => {
    on(LOCK, wanted);
    on(STEP_UP, () => problem(401));
    const answer = lock().catch((error: unknown) => error);
    fireEvent.change(await screen.findByLabelText(/^Password/), { target: { value: "wrong" } });
    fireEvent.click(screen.getByRole("button", { name: "Confirm" }));
    expect(await screen.findByText("That was not right. Try again.")).toBeTruthy();
    expect(session.current().status).toBe("in");
    fireEvent.keyDown(screen.getByLabelText(/^Password/), { key: "Escape" });
    expect(await answer).toMatchObject({ status: 403, type: "step_up_required" });
    expect(askedOf(LOCK)).toHaveLength(1);
  });

  it("is not asked for after a sign-out", async () => {
    on(LOCK, wanted);
    on("POST /api/v1/auth/logout", () => new Response(null, { status: 204 }));
    const answer = lock().catch((error: unknown) => error);
    await screen.findByRole("dialog");
    await session.signOut();
    expect(await answer).toMatchObject({ type: "step_up_required" });
  });
});

describe("what must be done first", () => {
  it("is learned from a refusal", async () => {
    await signIn();
    on(LOCK, () => problem(403, { error_type: "mfa_setup_required" }));
    on("POST /api/v1/auth/refresh", () => problem(503));
    await lock().catch(() => undefined);
    await waitFor(() => expect(askedOf("POST /api/v1/auth/refresh")).toHaveLength(1));
  });
});
