import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { session } from "../../app/session";
import { show, signIn } from "../../testing/render";
import { askedOf, on } from "../../testing/server";
import { Component as Admin } from ".";
import { changeOf } from "./Details";
import { draftOf } from "./Grants";
import { rowsOf } from "./Matrix";

configure({ asyncUtilTimeout: 8_000 });

const ADMIN = { id: "u-1", username: "ada", roles: ["admin"], permissions: ["system:admin", "access:review"] };
const kim = { id: "u-2", username: "kim", roles: ["nurse"], grants: [], departments: [], locked: false };
const role = { id: "nurse", name: "nurse", permissions: ["healthcare:read"], families: ["clinical"], built_in: true };
const own = { ...role, id: "r-1", name: "night-desk", description: "At night", built_in: false };
const matrix = {
  items: [
    { name: "healthcare:read", description: "See records." },
    { name: "healthcare:write", description: "Change them." },
    { name: "system:admin", description: "Run it." },
  ],
  families: [
    { name: "clinical", permissions: { read: "healthcare:read", create: "healthcare:write" } },
    { name: "accounts", permissions: { read: "system:admin" } },
  ],
  cells: [
    { role: "nurse", family: "clinical", read: "yes", create: "yes" },
    { role: "nurse", family: "accounts", read: "no" },
    { role: "patient", family: "clinical", read: "own", create: "no" },
    { role: "patient", family: "accounts", read: "no" },
  ],
};
const open = (at: string) => show(<Admin />, "/admin/*", at);
const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));

beforeEach(async () => {
  on("POST /api/v1/auth/logout", () => new Response(null, { status: 204 }));
  await session.signOut();
  await signIn(ADMIN);
  on("GET /api/v1/auth/roles", () => ({ items: [role, own], next_cursor: null, total: 2 }));
  on("GET /api/v1/auth/permissions", () => matrix);
});

describe("roles", () => {
  it("are listed, those of the product without a way to change them", async () => {
    await open("/admin/roles");
    expect(await screen.findByRole("link", { name: "night-desk" })).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Nurse" })).toBeNull();
  });

  it("are made with what they need", async () => {
    on("POST /api/v1/auth/roles", () => Response.json(own, { status: 201 }));
    await open("/admin/roles/new");
    press((await screen.findByRole("button", { name: "Store the role" })).textContent ?? "");
    expect(await screen.findByText("Enter a name.")).toBeTruthy();
    expect(screen.getByText(/Choose at least one permission/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: "night-desk" } });
    fireEvent.click(screen.getByRole("checkbox", { name: "healthcare:read" }));
    press("Store the role");
    await waitFor(() => expect(askedOf("POST /api/v1/auth/roles")).toHaveLength(1));
    expect(askedOf("POST /api/v1/auth/roles")[0]?.body).toEqual({
      name: "night-desk",
      permissions: ["healthcare:read"],
      families: [],
    });
  });

  it("keep what the form was not asked to change", async () => {
    const based = { ...own, based_on: "registrar" };
    on("GET /api/v1/auth/roles", () => ({ items: [based], next_cursor: null, total: 1 }));
    on("PUT /api/v1/auth/roles/r-1", () => based);
    await open("/admin/roles/r-1");
    fireEvent.change(await screen.findByLabelText(/What it is for/), { target: { value: "Nights and weekends" } });
    press("Store the role");
    await waitFor(() => expect(askedOf("PUT /api/v1/auth/roles/r-1")).toHaveLength(1));
    expect(askedOf("PUT /api/v1/auth/roles/r-1")[0]?.body).toEqual({
      name: "night-desk",
      description: "Nights and weekends",
      based_on: "registrar",
      permissions: ["healthcare:read"],
      families: ["clinical"],
    });
  });

  it("stand in a matrix that says who may what where, also to who does not see it", async () => {
    const { roles, rows } = rowsOf(matrix);
    expect(roles).toEqual(["nurse", "patient"]);
    expect(rows.map(({ family, action, marks }) => [family, action, ...marks])).toEqual([
      ["clinical", "read", "yes", "own"],
      ["clinical", "create", "yes", "no"],
      ["accounts", "read", "no", "no"],
    ]);
    await open("/admin/roles/matrix");
    const table = within(await screen.findByRole("region", { name: "Permission matrix" })).getByRole("table");
    expect(within(table).getByRole("row", { name: /Clinical records: read/ }).textContent).toContain(
      "own record alone",
    );
  });
});

describe("grants", () => {
  it("are given for a time, with a reason", async () => {
    on("GET /api/v1/admin/users/u-2", () => kim);
    on("POST /api/v1/auth/users/u-2/roles", () => kim);
    await open("/admin/users/u-2");
    fireEvent.click(await screen.findByRole("button", { name: "Give something" }));
    press("Give it");
    expect(await screen.findByText("Choose what is given.")).toBeTruthy();
    expect(screen.getByText("Give a reason.")).toBeTruthy();
    expect(askedOf("POST /api/v1/auth/users/u-2/roles")).toHaveLength(0);
    const draft = {
      kind: "permission" as const,
      what: "access:review",
      from: "",
      until: "2026-12-01T08:00",
      reason: " x ",
    };
    expect(draftOf(draft)).toEqual({
      permission: "access:review",
      valid_until: new Date("2026-12-01T08:00").toISOString(),
      reason: "x",
    });
  });

  it("are ended one by one", async () => {
    const grant = { id: "g-1", role: "night-desk", reason: "holiday", counts: true };
    on("GET /api/v1/admin/users/u-2", () => ({ ...kim, grants: [grant] }));
    on("DELETE /api/v1/auth/users/u-2/roles", () => kim);
    await open("/admin/users/u-2");
    fireEvent.click(await screen.findByRole("button", { name: "End: night-desk" }));
    const question = await screen.findByRole("dialog");
    fireEvent.change(within(question).getByLabelText(/Reason/), { target: { value: "back again" } });
    fireEvent.click(within(question).getByRole("button", { name: "End" }));
    await waitFor(() => expect(askedOf("DELETE /api/v1/auth/users/u-2/roles")).toHaveLength(1));
    expect(askedOf("DELETE /api/v1/auth/users/u-2/roles")[0]?.body).toEqual({
      role: "night-desk",
      grant_id: "g-1",
      reason: "back again",
    });
  });
});

describe("a person", () => {
  it("is changed in what was changed, and emptied in what was emptied", () => {
    const user = { display_name: "Kim", email: "k@example.org", departments: ["a"] };
    expect(changeOf(user, {})).toEqual({});
    expect(changeOf(user, { display_name: " Kim " })).toEqual({});
    expect(changeOf(user, { email: "", departments: ["a", "b"] })).toEqual({ email: null, departments: ["a", "b"] });
  });

  it("loses the second proofs after a question", async () => {
    on("GET /api/v1/admin/users/u-2", () => kim);
    on("POST /api/v1/admin/users/u-2/reset-mfa", () => new Response(null, { status: 204 }));
    await open("/admin/users/u-2");
    fireEvent.click(await screen.findByRole("button", { name: "Take them away" }));
    const question = await screen.findByRole("dialog");
    fireEvent.click(within(question).getByRole("button", { name: "Take them away" }));
    expect(await screen.findByText("The second proofs are taken away.")).toBeTruthy();
  });
});

describe("rules", () => {
  it("are changed in what was changed", async () => {
    const policy = {
      consent: "opt_out",
      care_team: "open",
      break_glass_minutes: 60,
      mfa_roles: [],
      self_registration: false,
    };
    on("GET /api/v1/admin/policy", () => policy);
    on("PUT /api/v1/admin/policy", ({ body }) => body);
    await open("/admin/policy");
    const [, teamsOnly] = await screen.findAllByRole("radio", { name: "Nobody may see the record" });
    fireEvent.click(teamsOnly as HTMLElement);
    fireEvent.click(screen.getByRole("checkbox", { name: "Physician" }));
    press("Store the rules");
    await waitFor(() => expect(askedOf("PUT /api/v1/admin/policy")).toHaveLength(1));
    expect(askedOf("PUT /api/v1/admin/policy")[0]?.body).toEqual({
      care_team: "required",
      mfa_roles: ["physician"],
    });
  });
});

describe("organizations", () => {
  it("are made with their first administrator", async () => {
    on("GET /api/v1/admin/tenants", () => ({ items: [{ number: 0, name: "main", active: true }], next_cursor: null }));
    on("POST /api/v1/admin/tenants", () =>
      Response.json({ number: 1, name: "north", active: true, initial_password: "clay-violet" }, { status: 201 }),
    );
    await open("/admin/tenants");
    const form = within(await screen.findByRole("region", { name: "New organization" }));
    fireEvent.change(form.getByLabelText(/^Name/), { target: { value: "north" } });
    fireEvent.change(form.getByLabelText(/User name of its first/), { target: { value: "nadia" } });
    press("Make the organization");
    expect(await screen.findByText("clay-violet")).toBeTruthy();
    expect(askedOf("POST /api/v1/admin/tenants")[0]?.body).toEqual({ name: "north", admin: { username: "nadia" } });
  });
});

describe("access reviews", () => {
  const round = {
    id: "v-1",
    scope: "all",
    started_at: "2026-11-01T00:00:00Z",
    started_by: "ada",
    due: "2026-12-01T00:00:00Z",
    overdue: false,
    total: 2,
    decided: 0,
  };
  const item = (id: string, username: string) => ({
    user_id: id,
    username,
    roles: ["nurse"],
    grants: [],
    locked: false,
  });

  it("are decided person by person, never about oneself", async () => {
    on("GET /api/v1/admin/access-reviews/v-1", () => ({
      ...round,
      items: [item("u-1", "ada"), item("u-2", "kim")],
      next_cursor: null,
    }));
    on("POST /api/v1/admin/access-reviews/v-1/decide", () => round);
    await open("/admin/access-reviews/v-1");
    expect(await screen.findByText("Somebody else decides about you")).toBeTruthy();
    press("Take away what kim may do?");
    const question = await screen.findByRole("dialog");
    fireEvent.change(within(question).getByLabelText(/Reason/), { target: { value: "has left" } });
    fireEvent.click(within(question).getByRole("button", { name: "Take away" }));
    await waitFor(() => expect(askedOf("POST /api/v1/admin/access-reviews/v-1/decide")).toHaveLength(1));
    expect(askedOf("POST /api/v1/admin/access-reviews/v-1/decide")[0]?.body).toEqual({
      user_id: "u-2",
      verdict: "revoke",
      reason: "has left",
    });
  });

  it("are what reviewers without accounts to look after come to", async () => {
    await signIn({ ...ADMIN, permissions: ["access:review"] });
    on("GET /api/v1/admin/access-reviews", () => ({ items: [round], next_cursor: null, total: 1 }));
    const { router } = await open("/admin");
    await waitFor(() => expect(router.state.location.pathname).toBe("/admin/access-reviews"));
    expect(screen.queryByRole("link", { name: "Users" })).toBeNull();
  });
});

describe("the access report", () => {
  it("says what is found in words, page by page", async () => {
    const user = { id: "u-2", username: "kim", roles: ["nurse"], why: "never_signed_in, no_email", locked: false };
    const none = { privileged: [], dormant: [], orphans: [] };
    on("GET /api/v1/admin/access-report", ({ query }) =>
      query.has("cursor")
        ? { ...none, generated_at: "2026-11-22T00:00:00Z", dormant_days: 90, orphans: [user], next_cursor: null }
        : {
            ...none,
            generated_at: "2026-11-22T00:00:00Z",
            dormant_days: 90,
            failed_sign_ins: [{ count: 7, addresses: 3, last_at: "2026-11-21T00:00:00Z" }],
            next_cursor: "n",
          },
    );
    await open("/admin/report");
    expect((await screen.findAllByText("No known account")).length).toBeGreaterThan(0);
    press("Show more");
    expect((await screen.findAllByText("never signed in, no e-mail address")).length).toBeGreaterThan(0);
  });
});
