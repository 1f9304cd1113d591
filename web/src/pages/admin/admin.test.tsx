import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { session } from "../../app/session";
import { show, signIn } from "../../testing/render";
import { askedOf, on, problem } from "../../testing/server";
import { Component as Admin } from ".";
import { bytesSaid } from "./bytes";

const ADMIN = { id: "u-1", username: "ada", roles: ["admin"], permissions: ["system:admin"] };
const USERS = "GET /api/v1/admin/users";
const ada = { id: "u-1", username: "ada", roles: ["admin"], locked: false };
const kim = { id: "u-2", username: "kim", roles: ["nurse"], locked: false };
const open = (at = "/admin") => show(<Admin />, "/admin/*", at);

// The first page of a file waits for its texts to be loaded.
configure({ asyncUtilTimeout: 5000 });

beforeEach(async () => {
  await session.signOut();
  await signIn(ADMIN);
});

describe("the state of the system", () => {
  const part = (status: string, detail = "answers") => ({ status, detail });
  const health = {
    status: "healthy",
    timestamp: "2026-11-22T03:00:00.000Z",
    version: "0.1.0",
    components: { database: part("healthy"), index: part("healthy"), audit: part("healthy"), keys: part("healthy") },
  };
  const figures = {
    index: { phase: "ready", applied: 90, documents: 12345, segments: 3, tail: 20 },
    audit: {
      size: 500,
      checkpoint_size: 490,
      checkpoint_at: "2026-11-22T02:59:00.000Z",
      pending: 2,
      signing: "working",
    },
    store: { head: 100, bytes: 12_300_000 },
    users: { total: 6, locked: 1 },
    sessions: { active: 2 },
  };

  it("is good when every part is, and has its figures", async () => {
    on("GET /health/detailed", () => health);
    on("GET /api/v1/admin/dashboard", () => figures);
    await open();
    expect(await screen.findByText(/Everything works/)).toBeTruthy();
    expect((await screen.findByRole("region", { name: "Figures: Store" })).textContent).toContain("12.3 MB");
    const index = screen.getByRole("region", { name: "Figures: Search index" });
    expect(index.textContent).toContain("12,345");
    expect(index.textContent).toContain("by 10 changes");
  });

  it("says what to do when a part is not, also when the server answers with 503", async () => {
    const components = { ...health.components, keys: part("unhealthy", "the key provider gives no key") };
    on("GET /health/detailed", () => Response.json({ ...health, status: "unhealthy", components }, { status: 503 }));
    on("GET /api/v1/admin/dashboard", () => problem(503));
    await open();
    expect(await screen.findByText(/IRIS cannot do its work/)).toBeTruthy();
    const keys = screen.getByRole("region", { name: "State: Keys" });
    expect(keys.textContent).toContain("the key provider gives no key");
    expect(keys.textContent).toContain("never delete it");
  });
});

describe("users", () => {
  it("are listed with roles and state", async () => {
    on(USERS, () => ({ items: [ada, { ...kim, locked: true }], next_cursor: null }));
    await open("/admin/users");
    const [, first, second] = await screen.findAllByRole("row");
    expect(first?.textContent).toContain("ada (you)");
    expect(second?.textContent).toContain("Nurse");
    expect(second?.textContent).toContain("Locked");
  });

  it("are made with a password that is shown once", async () => {
    on("POST /api/v1/admin/users", () =>
      Response.json({ ...kim, initial_password: "clay-violet-105" }, { status: 201 }),
    );
    await open("/admin/users/new");
    fireEvent.click(await screen.findByRole("button", { name: "Make the user" }));
    expect(screen.getByText("Enter a user name.")).toBeTruthy();
    expect(screen.getByText("Choose at least one role.")).toBeTruthy();
    expect(askedOf("POST /api/v1/admin/users")).toHaveLength(0);
    fireEvent.change(screen.getByLabelText(/User name/), { target: { value: " kim " } });
    fireEvent.click(screen.getByRole("checkbox", { name: "Nurse" }));
    fireEvent.click(screen.getByRole("button", { name: "Make the user" }));
    const [asked] = await waitFor(() => {
      const sent = askedOf("POST /api/v1/admin/users");
      expect(sent).toHaveLength(1);
      return sent;
    });
    const password = "clay-violet-105";
    expect(asked?.body).toEqual({ username: "kim", roles: ["nurse"] });
    expect(await screen.findByText(password)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Make another user" }));
    expect(screen.queryByText(password)).toBeNull();
  });

  it("show the server's fault at its field", async () => {
    const errors = [{ pointer: "/username", detail: "is taken" }];
    on("POST /api/v1/admin/users", () => problem(422, { errors }));
    await open("/admin/users/new");
    fireEvent.change(await screen.findByLabelText(/User name/), { target: { value: "kim" } });
    fireEvent.click(screen.getByRole("checkbox", { name: "Auditor" }));
    fireEvent.click(screen.getByRole("button", { name: "Make the user" }));
    expect(await screen.findByText("is taken")).toBeTruthy();
  });

  it("get other roles", async () => {
    let roles = ["nurse"];
    on("GET /api/v1/admin/users/u-2", () => ({ ...kim, roles }));
    on("PATCH /api/v1/admin/users/u-2", ({ body }) => {
      ({ roles } = body as { roles: string[] });
      return { ...kim, roles };
    });
    await open("/admin/users/u-2");
    fireEvent.click(await screen.findByRole("checkbox", { name: "Physician" }));
    fireEvent.click(screen.getByRole("button", { name: "Store the roles" }));
    expect(await screen.findByText(/The roles were stored/)).toBeTruthy();
    expect(roles).toEqual(["nurse", "physician"]);
  });

  it("are locked after a question, and unlocked without one", async () => {
    let locked = false;
    on("GET /api/v1/admin/users/u-2", () => ({ ...kim, locked }));
    for (const [what, then] of [["lock", true] as const, ["unlock", false] as const]) {
      on(`POST /api/v1/admin/users/u-2/${what}`, () => {
        locked = then;
        return { ...kim, locked };
      });
    }
    await open("/admin/users/u-2");
    fireEvent.click(await screen.findByRole("button", { name: "Lock" }));
    const question = await screen.findByRole("dialog");
    expect(askedOf("POST /api/v1/admin/users/u-2/lock")).toHaveLength(0);
    fireEvent.click(within(question).getByRole("button", { name: "Lock kim" }));
    expect(await screen.findByText("The user is locked.")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Unlock" }));
    expect(await screen.findByText(/is unlocked and can sign in again/)).toBeTruthy();
  });

  it("keep their last administrator", async () => {
    const bob = { ...kim, roles: ["admin"] };
    on("GET /api/v1/admin/users/u-2", () => bob);
    const detail = "this is the last administrator who can sign in";
    on("PATCH /api/v1/admin/users/u-2", () => problem(409, { detail }));
    await open("/admin/users/u-2");
    fireEvent.click(await screen.findByRole("checkbox", { name: "Nurse" }));
    fireEvent.click(screen.getByRole("checkbox", { name: "Administrator" }));
    fireEvent.click(screen.getByRole("button", { name: "Store the roles" }));
    const refused = await screen.findByRole("alert");
    expect(refused.textContent).toContain("This was refused");
    expect(refused.textContent).toContain(detail);
  });

  it("do nothing to themselves", async () => {
    on("GET /api/v1/admin/users/u-1", () => ada);
    await open("/admin/users/u-1");
    expect(await screen.findByRole("button", { name: "Lock" })).toHaveProperty("disabled", true);
    expect(screen.getByRole("checkbox", { name: "Nurse" })).toHaveProperty("disabled", true);
  });

  it("need the own record with the role patient", async () => {
    on("GET /api/v1/admin/users/u-2", () => kim);
    on("PATCH /api/v1/admin/users/u-2", () => ({ ...kim, roles: ["nurse", "patient"], patient_id: "p-1" }));
    await open("/admin/users/u-2");
    fireEvent.click(await screen.findByRole("checkbox", { name: "Patient" }));
    const store = screen.getByRole("button", { name: "Store the roles" });
    expect(store).toHaveProperty("disabled", true);
    fireEvent.change(screen.getByLabelText(/Id of the patient/), { target: { value: "p-1" } });
    fireEvent.click(store);
    await waitFor(() => expect(askedOf("PATCH /api/v1/admin/users/u-2")).toHaveLength(1));
    expect(askedOf("PATCH /api/v1/admin/users/u-2")[0]?.body).toEqual({
      roles: ["nurse", "patient"],
      patient_id: "p-1",
    });
  });
});

describe("keys", () => {
  it("are counted and dated, and the log's public key can be handed on", async () => {
    on("GET /api/v1/keys", () => ({
      root: { wraps: 2 },
      data_keys: { total: 1234, of_tenant: 1200 },
      signing_keys: [{ id: "k-1", algorithm: "EdDSA", created_at: "2026-11-01T00:00:00.000Z", active: true }],
      audit_key: "iris-audit+ad1fca23+AAAA",
    }));
    await open("/admin/keys");
    expect(await screen.findByText("1,234")).toBeTruthy();
    expect(screen.getByText("iris-audit+ad1fca23+AAAA")).toBeTruthy();
    expect(screen.getByText("Signs now")).toBeTruthy();
  });
});

describe("keys of a tenant of its own", () => {
  it("are counted without those of the whole installation", async () => {
    on("GET /api/v1/keys", () => ({
      root: { wraps: null },
      data_keys: { total: null, of_tenant: 1200 },
      signing_keys: [],
      audit_key: "iris-audit+ad1fca23+AAAA",
    }));
    await open("/admin/keys");
    expect(await screen.findByText("1,200")).toBeTruthy();
    const table = screen.getAllByRole("table")[0] as HTMLElement;
    expect(within(table).getAllByRole("row")).toHaveLength(2);
  });
});

describe("small things", () => {
  it("bytes are said as people say them", () => {
    expect([0, 999, 1000, 12_345_678, 5e15].map((bytes) => bytesSaid(bytes, "en"))).toEqual([
      "0 byte",
      "999 byte",
      "1 kB",
      "12.3 MB",
      "5,000 TB",
    ]);
  });
});
