import { MantineProvider } from "@mantine/core";
import { configure, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { startLanguage } from "../i18n";
import { tokens } from "../testing/render";
import { askedOf, on, problem } from "../testing/server";
import { Gate } from "./Gate";
import { session } from "./session";
import { theme } from "./theme";

vi.mock("./Pages", () => ({ default: () => <p>the pages</p> }));
const device = vi.hoisted(() => ({ startAuthentication: vi.fn(), startRegistration: vi.fn() }));
vi.mock("@simplewebauthn/browser", () => device);

// What is loaded on demand takes its time on a busy machine.
configure({ asyncUtilTimeout: 5_000 });

const LOGIN = "POST /api/v1/auth/login";
const VERIFY = "POST /api/v1/auth/mfa/verify";
const PASSKEY = "POST /api/v1/auth/passkeys/login";
const STEP_UP_REQUIRED = { error_type: "step_up_required" };
const challenge = {
  mfa_required: true,
  challenge: "c-1",
  factors: ["totp", "recovery_code", "passkey"],
  expires_in: 300,
};

async function open() {
  render(
    <MantineProvider theme={theme} env="test">
      <Gate />
    </MantineProvider>,
  );
  await screen.findByRole("heading", { name: "Sign in" });
}

/** Enters name and password. */
async function enter() {
  fireEvent.change(screen.getByLabelText(/User name/), { target: { value: "nora" } });
  fireEvent.change(screen.getByLabelText(/^Password/), { target: { value: "secret" } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

beforeEach(async () => {
  await startLanguage();
  on("POST /api/v1/auth/logout", () => new Response(null, { status: 204 }));
  on("POST /api/v1/auth/refresh", () => new Response(null, { status: 204 }));
  await session.signOut();
  // jsdom knows no passkeys.
  vi.stubGlobal("PublicKeyCredential", () => undefined);
  vi.stubGlobal("isSecureContext", true);
  device.startAuthentication.mockReset();
});

describe("a second factor", () => {
  it("is asked for after the password, has the focus, and signs in", async () => {
    on(LOGIN, () => challenge);
    on(VERIFY, () => tokens());
    await open();
    await enter();
    const code = await screen.findByLabelText<HTMLInputElement>(/Code from your app/);
    expect(document.activeElement).toBe(code);
    expect(code.autocomplete).toBe("one-time-code");
    expect(session.current().status).toBe("out");
    fireEvent.change(code, { target: { value: "123 456" } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByText("the pages")).toBeTruthy();
    expect(askedOf(VERIFY)[0]?.body).toEqual({ challenge: "c-1", code: "123456", session: "cookie" });
    expect(askedOf(VERIFY)[0]?.headers.get("X-IRIS-Session")).toBe("cookie");
  });

  it("that is wrong can be typed again, and another way can be taken", async () => {
    on(LOGIN, () => challenge);
    on(VERIFY, () => problem(401));
    await open();
    await enter();
    fireEvent.change(await screen.findByLabelText(/Code from your app/), { target: { value: "000000" } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByText(/This code is not right/)).toBeTruthy();
    on(VERIFY, () => tokens());
    fireEvent.click(screen.getByRole("button", { name: /use a recovery code/ }));
    const code = await screen.findByLabelText(/Recovery code/);
    await waitFor(() => expect(document.activeElement).toBe(code));
    fireEvent.change(code, { target: { value: "abcd-efgh" } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByText("the pages")).toBeTruthy();
    expect(askedOf(VERIFY)[1]?.body).toEqual({ challenge: "c-1", recovery_code: "abcd-efgh", session: "cookie" });
  });

  it("can be left for another name", async () => {
    on(LOGIN, () => ({ ...challenge, factors: ["totp"] }));
    await open();
    await enter();
    await screen.findByLabelText(/Code from your app/);
    expect(screen.queryByRole("button", { name: /recovery code/ })).toBeNull();
    expect(screen.queryByRole("button", { name: "Use a passkey" })).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: /Begin again/ }));
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(/User name/)));
  });
});

describe("a passkey", () => {
  const begun = { ceremony: "k-1", public_key: { publicKey: { challenge: "AAAA" } } };

  it("signs in without a name", async () => {
    on(PASSKEY, ({ body }) => ("ceremony" in (body as object) ? tokens() : begun));
    device.startAuthentication.mockResolvedValue({ id: "pk" });
    await open();
    fireEvent.click(screen.getByRole("button", { name: "Sign in with a passkey" }));
    expect(await screen.findByText("the pages")).toBeTruthy();
    expect(device.startAuthentication).toHaveBeenCalledWith({ optionsJSON: { challenge: "AAAA" } });
    expect(askedOf(PASSKEY).map(({ body }) => body)).toEqual([
      {},
      { ceremony: "k-1", credential: { id: "pk" }, session: "cookie" },
    ]);
  });

  it("that is not shown is said, and nothing is lost", async () => {
    on(PASSKEY, () => begun);
    device.startAuthentication.mockRejectedValue(Object.assign(new Error("no"), { name: "NotAllowedError" }));
    await open();
    fireEvent.click(screen.getByRole("button", { name: "Sign in with a passkey" }));
    expect(await screen.findByText(/No passkey was shown/)).toBeTruthy();
    expect(askedOf(PASSKEY)).toHaveLength(1);
  });

  it("is offered only where the browser knows them", async () => {
    vi.stubGlobal("PublicKeyCredential", undefined);
    await open();
    expect(screen.queryByRole("button", { name: "Sign in with a passkey" })).toBeNull();
  });
});

describe("what must be done first", () => {
  it("keeps the pages shut until it is done", async () => {
    on(LOGIN, () => ({ ...tokens(), must: ["password_change", "mfa_setup"] }));
    on("POST /api/v1/auth/change-password", () => new Response(null, { status: 204 }));
    on("POST /api/v1/auth/mfa/setup", () => ({
      secret: "ABCDEFGHIJKLMNOP",
      otpauth_uri: "otpauth://totp/IRIS:nora?secret=X",
    }));
    on(VERIFY, () => ({ recovery_codes: ["one-1", "two-2"] }));
    await open();
    await enter();
    const heading = await screen.findByRole("heading", { name: "Choose a password of your own" });
    await waitFor(() => expect(document.activeElement).toBe(heading));
    expect(screen.queryByText("the pages")).toBeNull();
    on("POST /api/v1/auth/refresh", () => ({ ...tokens(), must: ["mfa_setup"] }));
    fireEvent.change(screen.getByLabelText(/Password until now/), { target: { value: "secret" } });
    fireEvent.change(screen.getByLabelText(/New password/), { target: { value: "a much longer one" } });
    fireEvent.click(screen.getByRole("button", { name: "Change the password" }));
    await screen.findByRole("heading", { name: "Protect your account" });
    fireEvent.click(screen.getByRole("button", { name: /app that shows codes/ }));
    expect(await screen.findByRole("img", { name: /Picture for the app/ })).toBeTruthy();
    expect(screen.getByText("ABCD EFGH IJKL MNOP")).toBeTruthy();
    fireEvent.change(screen.getByLabelText(/Code that the app shows/), { target: { value: "123456" } });
    fireEvent.click(screen.getByRole("button", { name: /Check the code/ }));
    expect((await screen.findAllByText("two-2")).length).toBeGreaterThan(0);
    expect(screen.queryByText("the pages")).toBeNull();
    on("POST /api/v1/auth/refresh", () => tokens());
    fireEvent.click(screen.getByRole("button", { name: "I have kept them" }));
    expect(await screen.findByText("the pages")).toBeTruthy();
  });

  it("asks for a fresh proof where the sign-in was long ago, and goes on then", async () => {
    let isProven = false;
    on(LOGIN, () => ({ ...tokens(), must: ["mfa_setup"] }));
    on("POST /api/v1/auth/mfa/setup", () =>
      isProven ? { secret: "ABCDEFGHIJKLMNOP", otpauth_uri: "otpauth://totp/x" } : problem(403, STEP_UP_REQUIRED),
    );
    on("POST /api/v1/auth/step-up", () => {
      isProven = true;
      return new Response(null, { status: 204 });
    });
    await open();
    await enter();
    fireEvent.click(await screen.findByRole("button", { name: /app that shows codes/ }));
    const question = await screen.findByRole("dialog", { name: "Confirm that it is you" });
    fireEvent.change(within(question).getByLabelText(/^Password/), { target: { value: "secret" } });
    fireEvent.click(within(question).getByRole("button", { name: "Confirm" }));
    expect(await screen.findByText("ABCD EFGH IJKL MNOP")).toBeTruthy();
  });

  it("does not send a password that is too short", async () => {
    on(LOGIN, () => ({ ...tokens(), must: ["password_change"] }));
    await open();
    await enter();
    fireEvent.change(await screen.findByLabelText(/Password until now/), { target: { value: "secret" } });
    fireEvent.change(screen.getByLabelText(/New password/), { target: { value: "short" } });
    fireEvent.click(screen.getByRole("button", { name: "Change the password" }));
    expect(await screen.findByText("Use at least 8 characters.")).toBeTruthy();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(/New password/)));
    expect(askedOf("POST /api/v1/auth/change-password")).toHaveLength(0);
  });
});
