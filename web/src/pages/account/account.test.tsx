import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { NURSE, show, signIn } from "../../testing/render";
import { askedOf, on, problem } from "../../testing/server";
import { Component as Account } from ".";

const device = vi.hoisted(() => ({ startAuthentication: vi.fn(), startRegistration: vi.fn() }));
vi.mock("@simplewebauthn/browser", () => device);
configure({ asyncUtilTimeout: 8_000 });

const nothing = () => new Response(null, { status: 204 });
const open = (at = "/account") => show(<Account />, "/account/*", at);
const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));

beforeEach(async () => {
  await signIn();
  vi.stubGlobal("PublicKeyCredential", () => undefined);
  vi.stubGlobal("isSecureContext", true);
  on("GET /api/v1/auth/mfa", () => ({ totp: false, recovery_codes_left: 0, passkeys: 0 }));
  on("GET /api/v1/auth/passkeys", () => ({ items: [] }));
});

describe("the profile", () => {
  it("stores what was changed and nothing else, and takes away what was emptied", async () => {
    const me = { ...NURSE, display_name: "Nora", email: "n@example.org", email_verified: false };
    on("GET /api/v1/auth/me", () => me);
    on("PUT /api/v1/auth/profile", () => me);
    await open();
    expect(await screen.findByText(/This address is not confirmed yet/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText(/Your name/), { target: { value: "" } });
    fireEvent.change(screen.getByLabelText(/Telephone/), { target: { value: "+12025550143" } });
    press("Store");
    await waitFor(() => expect(askedOf("PUT /api/v1/auth/profile")).toHaveLength(1));
    expect(askedOf("PUT /api/v1/auth/profile")[0]?.body).toEqual({ display_name: null, phone: "+12025550143" });
  });
});

describe("sessions", () => {
  const one = {
    id: "s-1",
    created_at: "2026-11-22T08:00:00Z",
    last_used_at: "2026-11-22T09:00:00Z",
    ends_at: "2026-11-22T20:00:00Z",
    address: "192.0.2.7",
    agent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    factor: "two",
    current: true,
  };
  const other = { ...one, id: "s-2", agent: "curl/8", factor: "password", current: false };

  it("are listed with device and address, and ended one by one or all others", async () => {
    on("GET /api/v1/auth/sessions", () => ({ items: [one, other] }));
    on("DELETE /api/v1/auth/sessions/s-2", nothing);
    on("DELETE /api/v1/auth/sessions", nothing);
    await open("/account/sessions");
    const [, first, second] = await screen.findAllByRole("row");
    expect(first?.textContent).toContain("Firefox, Linux");
    expect(first?.textContent).toContain("this one");
    expect(second?.textContent).toContain("192.0.2.7");
    press("End the session: curl/8");
    await waitFor(() => expect(askedOf("DELETE /api/v1/auth/sessions/s-2")).toHaveLength(1));
    press("End all others");
    await waitFor(() => expect(askedOf("DELETE /api/v1/auth/sessions")).toHaveLength(1));
  });
});

describe("second proofs", () => {
  it("begin with an app, whose recovery codes are shown once", async () => {
    on("POST /api/v1/auth/mfa/setup", () => ({ secret: "ABCDEFGH", otpauth_uri: "otpauth://totp/x?secret=ABCDEFGH" }));
    on("POST /api/v1/auth/mfa/verify", () => problem(422, { errors: [{ pointer: "/code", detail: "is wrong" }] }));
    await open("/account/factors");
    fireEvent.click(await screen.findByRole("button", { name: "Set up an app" }));
    const code = await screen.findByLabelText(/Code that the app shows/);
    fireEvent.change(code, { target: { value: "000000" } });
    press(/Check the code/);
    expect(await screen.findByText(/This code is not right/)).toBeTruthy();
    on("POST /api/v1/auth/mfa/verify", () => ({ recovery_codes: ["aa-1", "bb-2"] }));
    on("GET /api/v1/auth/mfa", () => ({ totp: true, recovery_codes_left: 2, passkeys: 0 }));
    press(/Check the code/);
    expect((await screen.findAllByText("bb-2")).length).toBeGreaterThan(0);
    press("I have kept them");
    expect(await screen.findByText(/The app is set up/)).toBeTruthy();
    expect(screen.queryByText("bb-2")).toBeNull();
    expect(await screen.findByText("2 recovery codes are left.")).toBeTruthy();
  });

  it("are passkeys, made, called by name and removed", async () => {
    const passkey = { id: "k-1", name: "Laptop", created_at: "2026-11-22T08:00:00Z" };
    on("POST /api/v1/auth/passkeys/register", ({ body }) =>
      "ceremony" in (body as object)
        ? Response.json(passkey, { status: 201 })
        : { ceremony: "c-1", public_key: { publicKey: { challenge: "AA" } } },
    );
    device.startRegistration.mockResolvedValue({ id: "cred" });
    await open("/account/factors");
    fireEvent.click(await screen.findByRole("button", { name: "Add a passkey" }));
    fireEvent.change(await screen.findByLabelText(/What to call it/), { target: { value: "Laptop" } });
    on("GET /api/v1/auth/passkeys", () => ({ items: [passkey] }));
    press("Make the passkey");
    expect(await screen.findByText(/The passkey is made/)).toBeTruthy();
    expect(askedOf("POST /api/v1/auth/passkeys/register")[1]?.body).toEqual({
      ceremony: "c-1",
      credential: { id: "cred" },
      name: "Laptop",
    });
    on("PATCH /api/v1/auth/passkeys/k-1", () => passkey);
    fireEvent.click(await screen.findByRole("button", { name: "Rename Laptop" }));
    fireEvent.change(await screen.findByLabelText(/What to call it/), { target: { value: "Old laptop" } });
    press("Store the name");
    await waitFor(() => expect(askedOf("PATCH /api/v1/auth/passkeys/k-1")[0]?.body).toEqual({ name: "Old laptop" }));
    on("DELETE /api/v1/auth/passkeys/k-1", nothing);
    fireEvent.click(await screen.findByRole("button", { name: "Remove Laptop" }));
    press("Remove the passkey");
    expect(await screen.findByText("The passkey is removed.")).toBeTruthy();
  });
});

describe("the password", () => {
  it("is changed by the one before, and the server's fault stands at its field", async () => {
    const errors = [{ pointer: "/current_password", detail: "is wrong" }];
    on("POST /api/v1/auth/change-password", () => problem(422, { errors }));
    await open("/account/password");
    fireEvent.change(await screen.findByLabelText(/Password until now/), { target: { value: "nope" } });
    fireEvent.change(screen.getByLabelText(/New password/), { target: { value: "violet clay harbour" } });
    press("Change the password");
    expect(await screen.findByText("is wrong")).toBeTruthy();
    on("POST /api/v1/auth/change-password", nothing);
    press("Change the password");
    const done = await screen.findByText(/Your password is changed/);
    await waitFor(() => expect(document.activeElement?.contains(done)).toBe(true));
    expect(within(document.body).getByLabelText<HTMLInputElement>(/New password/).value).toBe("");
  });
});
