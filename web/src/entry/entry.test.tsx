import { MantineProvider } from "@mantine/core";
import { configure, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openPlace } from "../app/open";
import { keptOrganization } from "../app/organizations";
import { theme } from "../app/theme";
import { startLanguage } from "../i18n";
import { tokens } from "../testing/render";
import { askedOf, on, problem } from "../testing/server";
import Open from "./Open";
import { tokenOf } from "./useToken";

configure({ asyncUtilTimeout: 5_000 });

const nothing = (status = 204) => new Response(null, { status });

async function open(address: string) {
  history.replaceState(null, "", address);
  const place = openPlace(location.pathname);
  if (!place) throw new Error(`${address} is not open to all`);
  render(
    <MantineProvider theme={theme} env="test">
      <Open place={place} />
    </MantineProvider>,
  );
  await screen.findByRole("heading", { level: 1 });
}

beforeEach(() => startLanguage());
afterEach(() => history.replaceState(null, "", "/"));

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));
const type = (label: RegExp, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } });

describe("pages that are open to all", () => {
  it("stand at their paths alone", () => {
    expect(openPlace("/app/reset")).toBe("reset");
    expect(openPlace("/app/verify-email/")).toBe("verify-email");
    for (const path of ["/app/", "/app/patients", "/app/reset/x", "/reset", "/app/constructor"])
      expect(openPlace(path)).toBeUndefined();
  });

  it("read the token behind the # or in the query", () => {
    expect(tokenOf({ hash: "#token=a-b_c", search: "" })).toBe("a-b_c");
    expect(tokenOf({ hash: "", search: "?token=x" })).toBe("x");
    expect(tokenOf({ hash: "#other", search: "" })).toBe("");
  });
});

describe("a mailed link", () => {
  it("is used by a press, not by being opened, and leaves the address", async () => {
    on("POST /api/v1/auth/verify-email", () => nothing());
    await open("/app/verify-email#token=t-9");
    await waitFor(() => expect(location.href).not.toContain("t-9"));
    expect(askedOf("POST /api/v1/auth/verify-email")).toHaveLength(0);
    press("Confirm the address");
    expect(await screen.findByRole("heading", { name: "The address is confirmed" })).toBeTruthy();
    expect(askedOf("POST /api/v1/auth/verify-email")[0]?.body).toEqual({ token: "t-9" });
  });

  it("that was used already says so", async () => {
    on("POST /api/v1/auth/verify-email", () =>
      problem(422, { errors: [{ pointer: "/token", detail: "is not good" }] }),
    );
    await open("/app/verify-email#token=t-9");
    press("Confirm the address");
    expect(await screen.findByText(/This link is no longer good/)).toBeTruthy();
  });

  it("that is not whole says so", async () => {
    await open("/app/invitation");
    expect(screen.getByText(/This link is not whole/)).toBeTruthy();
  });

  it("sets a new password, and tells the server's fault at its field", async () => {
    const detail = "is on a list of passwords that were stolen elsewhere";
    on("POST /api/v1/auth/verify-reset", () => problem(422, { errors: [{ pointer: "/new_password", detail }] }));
    await open("/app/reset#token=t-9");
    type(/^Password/, "password1");
    press("Set the password");
    expect(await screen.findByText(detail)).toBeTruthy();
    on("POST /api/v1/auth/verify-reset", () => nothing());
    type(/^Password/, "violet clay harbour");
    press("Set the password");
    expect(await screen.findByRole("heading", { name: "The new password is set" })).toBeTruthy();
    expect(askedOf("POST /api/v1/auth/verify-reset")[1]?.body).toEqual({
      token: "t-9",
      new_password: "violet clay harbour",
    });
  });
});

describe("a forgotten password", () => {
  it("is asked for by name or address, and the answer tells nobody whether there is such an account", async () => {
    on("POST /api/v1/auth/reset-password", () => nothing(202));
    await open("/app/reset");
    press("Send me a link");
    expect(await screen.findByText(/Enter your user name/)).toBeTruthy();
    type(/User name or e-mail/, "nora@example.org");
    press("Send me a link");
    const box = await screen.findByText(/If there is such an account/);
    await waitFor(() => expect(document.activeElement?.contains(box)).toBe(true));
    expect(askedOf("POST /api/v1/auth/reset-password")[0]?.body).toEqual({ email: "nora@example.org", language: "en" });
  });
});

describe("registering", () => {
  it("names every fault at once, then sends", async () => {
    on("POST /api/v1/auth/register", () => nothing(202));
    await open("/app/register");
    press("Make the account");
    expect(await screen.findByText("Enter a user name.")).toBeTruthy();
    expect(screen.getByText("Enter an e-mail address.")).toBeTruthy();
    expect(screen.getByText("Enter a password.")).toBeTruthy();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(/User name/)));
    type(/User name/, " kim ");
    type(/E-mail/, "kim@example.org");
    type(/^Password/, "violet clay harbour");
    press("Make the account");
    expect(await screen.findByRole("heading", { name: "Look at your mail" })).toBeTruthy();
    expect(askedOf("POST /api/v1/auth/register")[0]?.body).toEqual({
      username: "kim",
      email: "kim@example.org",
      password: "violet clay harbour",
      language: "en",
    });
  });
});

describe("a patient", () => {
  it("asks for a code and is told when it is wrong", async () => {
    on("POST /api/v1/auth/patient-login", ({ body }) =>
      "verification_code" in (body as object) ? problem(401) : Response.json({ challenge: "c-7" }, { status: 202 }),
    );
    await open("/app/patient");
    type(/Your patient id/, "p-1");
    type(/Birth date/, "1980-03-31");
    press("Send me a code");
    const code = await screen.findByLabelText(/^Code/);
    await waitFor(() => expect(document.activeElement).toBe(code));
    fireEvent.change(code, { target: { value: "111 222" } });
    press("Sign in");
    expect(await screen.findByText(/This code is not right/)).toBeTruthy();
    expect(askedOf("POST /api/v1/auth/patient-login")[1]?.body).toEqual({
      patient_id: "p-1",
      date_of_birth: "1980-03-31",
      verification_code: "111222",
      challenge: "c-7",
      session: "cookie",
    });
  });

  it("is offered a passkey where the server says so, and goes on without one", async () => {
    vi.stubGlobal("PublicKeyCredential", () => undefined);
    vi.stubGlobal("isSecureContext", true);
    on("POST /api/v1/auth/patient-login", ({ body }) =>
      "verification_code" in (body as object)
        ? { ...tokens(), passkey_offer: true }
        : Response.json({ challenge: "c-7" }, { status: 202 }),
    );
    await open("/app/patient?organization=north");
    type(/Your patient id/, "p-1");
    type(/Birth date/, "1980-03-31");
    press("Send me a code");
    fireEvent.change(await screen.findByLabelText(/^Code/), { target: { value: "11112222" } });
    press("Sign in");
    expect(await screen.findByRole("heading", { name: "Without a code next time" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Not now" })).toBeTruthy();
    expect(askedOf("POST /api/v1/auth/patient-login")[1]?.body).toMatchObject({ tenant: "north" });
    expect(keptOrganization()).toBe("north");
  });

  it("with a passkey is asked for more than the code, and a kept code does", async () => {
    on("POST /api/v1/auth/patient-login", ({ body }) =>
      "verification_code" in (body as object)
        ? { mfa_required: true, challenge: "t-1", factors: ["recovery_code", "passkey"], expires_in: 300 }
        : Response.json({ challenge: "c-7" }, { status: 202 }),
    );
    on("POST /api/v1/auth/mfa/verify", () => tokens());
    await open("/app/patient");
    type(/Your patient id/, "p-1");
    type(/Birth date/, "1980-03-31");
    press("Send me a code");
    fireEvent.change(await screen.findByLabelText(/^Code/), { target: { value: "11112222" } });
    press("Sign in");
    const kept = await screen.findByLabelText(/^Recovery code/);
    fireEvent.change(kept, { target: { value: "aaaaaa-bbbbbb" } });
    press("Sign in");
    await waitFor(() => expect(askedOf("POST /api/v1/auth/mfa/verify").length).toBe(1));
    expect(askedOf("POST /api/v1/auth/mfa/verify")[0]?.body).toEqual({
      challenge: "t-1",
      recovery_code: "aaaaaa-bbbbbb",
      session: "cookie",
    });
  });
});
