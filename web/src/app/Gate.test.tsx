import { MantineProvider, Modal, TextInput } from "@mantine/core";
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { startLanguage } from "../i18n";
import { NURSE, tokens } from "../testing/render";
import { askedOf, on, problem } from "../testing/server";
import { Gate } from "./Gate";
import { LAYERS } from "./layers";
import { session } from "./session";
import { theme } from "./theme";

vi.mock("./Pages", () => ({
  default: () => (
    <>
      <TextInput label="Draft" />
      <Modal opened onClose={() => undefined} title="Something about a patient" />
    </>
  ),
}));

const LOGIN = "POST /api/v1/auth/login";

function draw() {
  render(
    <MantineProvider theme={theme} env="test">
      <Gate />
    </MantineProvider>,
  );
}

async function open() {
  draw();
  return (await screen.findByLabelText("Draft")) as HTMLInputElement;
}

describe("the gate", () => {
  beforeEach(async () => {
    await startLanguage();
    on("POST /api/v1/auth/refresh", () => tokens());
    on("POST /api/v1/auth/logout", () => new Response(null, { status: 204 }));
  });

  it("asks who is not signed in, and names no page", async () => {
    on("POST /api/v1/auth/refresh", () => problem(401));
    draw();
    expect(await screen.findByRole("heading", { name: "Sign in" })).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByLabelText(/User name/));
    expect(document.title).toBe("Sign in · IRIS");
  });

  it("says that the server is away, asks again by itself, and goes on as if nothing had been", async () => {
    on("POST /api/v1/auth/refresh", () => problem(503));
    draw();
    expect(await screen.findByRole("heading", { name: "IRIS cannot be opened now" })).toBeTruthy();
    expect(screen.getByText("The server cannot answer at the moment.")).toBeTruthy();
    expect(screen.queryByRole("heading", { name: "Sign in" })).toBeNull();
    on("POST /api/v1/auth/refresh", () => tokens());
    expect(await screen.findByLabelText("Draft", {}, { timeout: 5_000 })).toBeTruthy();
  });

  it("lets people sign in anew, or try at once, while the server asks them to wait", async () => {
    on("POST /api/v1/auth/refresh", () => {
      const headers = { "Retry-After": "240" };
      return Response.json({ status: 429, error_type: "too_many_requests" }, { status: 429, headers });
    });
    draw();
    expect(await screen.findByText("Too many attempts. Try again in 240 seconds.")).toBeTruthy();
    const asked = askedOf("POST /api/v1/auth/refresh").length;
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(askedOf("POST /api/v1/auth/refresh")).toHaveLength(asked + 1));
    fireEvent.click(screen.getByRole("button", { name: "Sign in anew" }));
    expect(await screen.findByRole("heading", { name: "Sign in" })).toBeTruthy();
  });

  it("hides a locked page with its dialogs, keeps what was typed, and gives the focus back", async () => {
    const draft = await open();
    await screen.findByText("Something about a patient");
    fireEvent.change(draft, { target: { value: "half a sentence" } });
    draft.focus();
    await act(() => session.lock());
    expect(screen.getByRole("heading", { name: "Your session has ended" })).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByLabelText(/^Password/));
    expect(draft.closest("[hidden]")).not.toBeNull();
    expect(document.getElementById(LAYERS)?.closest("[hidden]")).not.toBeNull();
    expect(screen.getByText("Something about a patient").closest("[hidden]")).not.toBeNull();

    on(LOGIN, () => tokens());
    fireEvent.change(screen.getByLabelText(/^Password/), { target: { value: "secret" } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await waitFor(() => expect(screen.queryByRole("heading", { name: "Your session has ended" })).toBeNull());
    expect(screen.getByLabelText<HTMLInputElement>("Draft").value).toBe("half a sentence");
    expect(draft.closest("[hidden]")).toBeNull();
    expect(document.activeElement).toBe(draft);
  });

  it("throws away what was typed when somebody else signs in", async () => {
    const draft = await open();
    fireEvent.change(draft, { target: { value: "half a sentence" } });
    await act(() => session.lock());
    on(LOGIN, () => tokens({ ...NURSE, id: "u-2", username: "paul" }));
    fireEvent.change(screen.getByLabelText(/User name/), { target: { value: "paul" } });
    fireEvent.change(screen.getByLabelText(/^Password/), { target: { value: "secret" } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>("Draft").value).toBe(""));
  });

  it("says that name and password do not belong together, and keeps the name", async () => {
    on("POST /api/v1/auth/refresh", () => problem(401));
    on(LOGIN, () => problem(401));
    draw();
    fireEvent.change(await screen.findByLabelText(/User name/), { target: { value: "nora" } });
    fireEvent.change(screen.getByLabelText(/^Password/), { target: { value: "wrong" } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByText("This name and password do not belong together.")).toBeTruthy();
    expect(screen.getByLabelText<HTMLInputElement>(/User name/).value).toBe("nora");
    expect(askedOf(LOGIN)).toHaveLength(1);
  });
});
