import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import i18next from "i18next";
import { beforeEach, describe, expect, it } from "vitest";
import type { Consent, Provision } from "../../../api/access/care";
import { show, signIn } from "../../../testing/render";
import { askedOf, on, problem } from "../../../testing/server";
import { Component as Chart } from "..";
import { serve } from "../testing";
import { draftOf, emptyRule, isBackwards, isEmpty, isSimple, sentOf } from "./draft";
import { kindsOf, sentenceOf, standOf } from "./words";

configure({ asyncUtilTimeout: 8_000 });

const CONSENTS = "GET /api/v1/patients/p-1/consents";
const base: Consent = {
  id: "k-1",
  status: "active",
  decision: "permit",
  given_at: "2026-01-02T10:00:00Z",
  period: { end: "2030-12-31" },
  provisions: [
    { decision: "deny", actors: ["Practitioner/d-9"], classes: ["Observation", "DiagnosticReport"], labels: ["HIV"] },
  ],
  counts: true,
  version: 3,
  warnings: [],
};
const colleagues = {
  items: [{ id: "u-9", username: "drno", display_name: "Dr. No", practitioner_id: "d-9" }],
  next_cursor: null,
};

beforeEach(async () => {
  await signIn();
  serve();
  on(CONSENTS, () => ({ items: [base], next_cursor: null }));
  on("GET /api/v1/auth/users", () => colleagues);
});

const open = (place = "consents") => show(<Chart />, "/patients/:id/*", `/patients/p-1/${place}`);

describe("a consent", () => {
  it("is read as sentences, with the names of those whom it names", async () => {
    await open();
    expect(
      await screen.findByText(/Everybody whose role allows it may see the whole record, until .*2030\./),
    ).toBeTruthy();
    expect(
      await screen.findByText("Dr. No may not see results and measurements, where it deals with HIV."),
    ).toBeTruthy();
    expect(screen.getByText("Counts now")).toBeTruthy();
  });

  it("is recorded with exceptions, and its meaning is shown before", async () => {
    on("POST /api/v1/patients/p-1/consents", () => Response.json({ ...base, id: "k-2" }, { status: 201 }));
    await open("consents/new");
    expect(await screen.findByText("Nobody may see the whole record.")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Add an exception" }));
    fireEvent.click(screen.getByRole("button", { name: "Record" }));
    expect(await screen.findByText(/Say what the exception is/)).toBeTruthy();
    expect(askedOf("POST /api/v1/patients/p-1/consents")).toHaveLength(0);
    const exception = screen.getByRole("group", { name: "Exception 1" });
    fireEvent.click(within(exception).getByRole("checkbox", { name: "immunizations" }));
    expect(await screen.findByText("Everybody whose role allows it may see immunizations.")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Record" }));
    await waitFor(() => expect(askedOf("POST /api/v1/patients/p-1/consents")).toHaveLength(1));
    expect(askedOf("POST /api/v1/patients/p-1/consents")[0]?.body).toEqual({
      decision: "deny",
      provisions: [{ decision: "permit", classes: ["Immunization"] }],
    });
  });

  it("gets a new version of what was read, and is told when somebody else was faster", async () => {
    on("PUT /api/v1/patients/p-1/consents/k-1", () => problem(412, { error_type: "lost_update" }));
    await open("consents/k-1");
    fireEvent.click(await screen.findByRole("radio", { name: /Nobody may see the record/ }));
    fireEvent.click(screen.getByRole("button", { name: "Record" }));
    expect(await screen.findByText("Somebody else has changed this")).toBeTruthy();
    const [sent] = askedOf("PUT /api/v1/patients/p-1/consents/k-1");
    expect(sent?.headers.get("If-Match")).toBe('W/"3"');
    expect(sent?.body).toEqual({
      decision: "deny",
      period: { end: "2030-12-31" },
      provisions: base.provisions,
      policy_text: null,
    });
  });

  it("is revoked with a reason", async () => {
    on("POST /api/v1/patients/p-1/consents/k-1/revoke", () => ({ ...base, status: "inactive", counts: false }));
    await open();
    fireEvent.click(await screen.findByRole("button", { name: "Revoke" }));
    const question = await screen.findByRole("dialog");
    fireEvent.click(within(question).getByRole("button", { name: "Revoke" }));
    expect(await within(question).findByText("Give a reason.")).toBeTruthy();
    fireEvent.change(within(question).getByLabelText(/Reason/), { target: { value: "changed my mind" } });
    fireEvent.click(within(question).getByRole("button", { name: "Revoke" }));
    await waitFor(() => expect(askedOf("POST /api/v1/patients/p-1/consents/k-1/revoke")).toHaveLength(1));
    expect(askedOf("POST /api/v1/patients/p-1/consents/k-1/revoke")[0]?.body).toEqual({ reason: "changed my mind" });
  });

  it("that a form cannot show is not offered to it", async () => {
    const provisions: Provision[] = [{ decision: "deny", further: true }];
    on(CONSENTS, () => ({ items: [{ ...base, provisions }], next_cursor: null }));
    await open();
    expect(await screen.findByText(/more finely made than this form/)).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Record a new version" })).toBeNull();
  });
});

describe("what a consent says", () => {
  const said = (rule: Provision) =>
    sentenceOf(rule, { t: i18next.getFixedT("en", "care"), locale: "en", day: (at) => at, name: (who) => who });

  it("is a sentence of its parts", async () => {
    await i18next.loadNamespaces("care");
    expect(said({ decision: "deny" })).toBe("Nobody may see the whole record.");
    expect(
      said({
        decision: "permit",
        actors: ["A", "B"],
        classes: ["Condition", "Basic"],
        purposes: ["HRESCH"],
        period: { start: "2026-01-01", end: "2026-12-31" },
      }),
    ).toBe("A and B may see problems and Basic, for research, from 2026-01-01 on, until 2026-12-31.");
  });

  it("keeps the types of a kind together only where all of them are there", () => {
    expect(kindsOf(["Observation"])).toEqual({ kinds: [], others: ["Observation"] });
    expect(kindsOf(["DiagnosticReport", "Observation", "Condition"])).toEqual({
      kinds: ["results", "problems"],
      others: [],
    });
  });

  it("counts when the server says so, and says why where it does not", () => {
    const now = Date.parse("2026-06-01T12:00:00Z");
    const rest = { ...base, counts: false };
    expect(standOf(base, now)).toBe("counts");
    expect(standOf({ ...rest, status: "inactive" }, now)).toBe("revoked");
    expect(standOf({ ...rest, period: { start: "2026-07-01" } }, now)).toBe("ahead");
    expect(standOf({ ...rest, period: { end: "2026-05-01" } }, now)).toBe("over");
    expect(standOf({ ...rest, status: "draft" }, now)).toBe("draft");
  });

  it("goes through the form and back unchanged", () => {
    const { decision, period, provisions } = base;
    expect(sentOf(draftOf(base))).toEqual({ decision, period, provisions, policy_text: null });
    expect(isSimple(base)).toBe(true);
    expect(isSimple({ ...base, period: { start: "2026-01-01T08:00:00Z" } })).toBe(false);
    expect(isSimple({ ...base, provisions: [{ decision: "deny", classes: ["Basic"] }] })).toBe(false);
    expect(isSimple({ ...base, provisions: [{ decision: "deny", actions: ["use"] }] })).toBe(false);
  });

  it("has to make sense", () => {
    expect(isEmpty(emptyRule("deny"))).toBe(true);
    expect(isEmpty({ ...emptyRule("deny"), from: "2026-01-01" })).toBe(false);
    expect(isBackwards({ from: "2026-01-02", until: "2026-01-01" })).toBe(true);
    expect(isBackwards({ from: "", until: "2026-01-01" })).toBe(false);
  });
});

describe("a care team", () => {
  it("is read, changed and stored against the version that was read", async () => {
    const team = {
      members: [{ member: "Practitioner/d-9", role: "surgeon" }],
      other_teams: ["CareTeam/x"],
      version: 2,
    };
    on("GET /api/v1/patients/p-1/care-team", () => team);
    on("PUT /api/v1/patients/p-1/care-team", ({ body }) => ({ ...team, ...(body as object), version: 3 }));
    await open("care-team");
    expect((await screen.findByText("Dr. No")).textContent).toBe("Dr. No");
    expect(screen.getByText(/1 further team/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Remove Dr. No" }));
    fireEvent.click(screen.getByRole("button", { name: "Store the care team" }));
    await waitFor(() => expect(askedOf("PUT /api/v1/patients/p-1/care-team")).toHaveLength(1));
    const [sent] = askedOf("PUT /api/v1/patients/p-1/care-team");
    expect(sent?.body).toEqual({ members: [] });
    expect(sent?.headers.get("If-Match")).toBe('W/"2"');
  });
});
