import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { NURSE, show, signIn } from "../../../testing/render";
import { askedOf, on, problem } from "../../../testing/server";
import { Component as Queue } from "../../glass";
import { Component as Chart } from "..";
import { serve } from "../testing";
import { clockSaid } from "./useGlass";

configure({ asyncUtilTimeout: 8_000 });

const SUMMARY = "GET /api/v1/patients/p-1/summary";
const BREAKER = { ...NURSE, permissions: [...NURSE.permissions, "healthcare:break_glass"] };
const glass = (minutes: number) => ({
  id: "g-1",
  patient_id: "p-1",
  user_id: "u-1",
  username: "nora",
  reason: "unconscious after a fall",
  opened_at: new Date().toISOString(),
  ends_at: new Date(Date.now() + minutes * 60_000).toISOString(),
  open: minutes > 0,
  review: null,
});
const open = () => show(<Chart />, "/patients/:id/*", "/patients/p-1");

describe("a hidden chart", () => {
  beforeEach(() => {
    on(SUMMARY, () => problem(404, { error_type: "not_found" }));
    on("GET /api/v1/break-glass", () => ({ items: [], next_cursor: null }));
  });

  it("is not offered to who may not open it in an emergency", async () => {
    await signIn();
    await open();
    expect(await screen.findByText("There is nothing here")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Open the chart in an emergency" })).toBeNull();
  });

  it("is opened with a reason and for a time, and then says so", async () => {
    await signIn(BREAKER);
    on("POST /api/v1/break-glass", () => {
      serve();
      on("GET /api/v1/break-glass", () => ({ items: [glass(30)], next_cursor: null }));
      return Response.json(glass(30), { status: 201 });
    });
    await open();
    fireEvent.click(await screen.findByRole("button", { name: "Open the chart in an emergency" }));
    const reason = await screen.findByLabelText(/Why is it needed/);
    fireEvent.change(reason, { target: { value: "fall" } });
    fireEvent.click(screen.getByRole("button", { name: "Open it now" }));
    expect(await screen.findByText(/at least ten characters/)).toBeTruthy();
    expect(askedOf("POST /api/v1/break-glass")).toHaveLength(0);
    fireEvent.change(reason, { target: { value: "unconscious after a fall" } });
    fireEvent.click(screen.getByRole("radio", { name: "15 minutes" }));
    fireEvent.click(screen.getByRole("button", { name: "Open it now" }));
    const banner = await screen.findByRole("region", { name: "Emergency access" });
    expect(banner.textContent).toContain("unconscious after a fall");
    expect(within(banner).getByRole("timer").textContent).toMatch(/^(30:00|29:\d\d)$/);
    expect(await screen.findByRole("region", { name: "Patient" })).toBeTruthy();
    expect(askedOf("POST /api/v1/break-glass")[0]?.body).toEqual({
      patient_id: "p-1",
      reason: "unconscious after a fall",
      minutes: 15,
    });
  });

  it("closes when its time is over, and nothing of it stays on the screen", async () => {
    await signIn(BREAKER);
    serve();
    const short = { ...glass(0), ends_at: new Date(Date.now() + 2500).toISOString() };
    on("GET /api/v1/break-glass", () => ({ items: [short], next_cursor: null }));
    await open();
    await screen.findByRole("region", { name: "Emergency access" });
    expect(screen.getByText(/closes in less than a minute/)).toBeTruthy();
    on(SUMMARY, () => problem(404, { error_type: "not_found" }));
    on("GET /api/v1/break-glass", () => ({ items: [], next_cursor: null }));
    expect(await screen.findByText("There is nothing here")).toBeTruthy();
    expect(screen.queryByRole("region", { name: "Patient" })).toBeNull();
    expect(screen.queryByRole("region", { name: "Emergency access" })).toBeNull();
  });
});

describe("the time that is left", () => {
  it("is told in minutes and seconds", () => {
    expect([0, 999, 61_000, 3_600_000, -5].map(clockSaid)).toEqual(["0:00", "0:01", "1:01", "60:00", "0:00"]);
  });
});

describe("the queue of emergency access", () => {
  it("is judged by somebody else, with a note", async () => {
    await signIn({ ...NURSE, id: "u-7", permissions: ["access:review"] });
    on("GET /api/v1/break-glass", () => ({
      items: [glass(5), { ...glass(5), id: "g-2", user_id: "u-7", username: "me" }],
      next_cursor: null,
    }));
    on("POST /api/v1/break-glass/g-1/review", () => glass(5));
    await show(<Queue />, "/emergency");
    expect(await screen.findByText("Somebody else decides about you")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Justified" }));
    const question = await screen.findByRole("dialog");
    fireEvent.change(within(question).getByLabelText(/Reason/), { target: { value: "the log fits" } });
    fireEvent.click(within(question).getByRole("button", { name: "Justified" }));
    await waitFor(() => expect(askedOf("POST /api/v1/break-glass/g-1/review")).toHaveLength(1));
    expect(askedOf("POST /api/v1/break-glass/g-1/review")[0]?.body).toEqual({
      verdict: "justified",
      note: "the log fits",
    });
  });
});

vi.setConfig({ testTimeout: 30_000 });
