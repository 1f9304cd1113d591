import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { session } from "../../app/session";
import { show, signIn } from "../../testing/render";
import { askedOf, on, problem } from "../../testing/server";
import { Component as Audit } from ".";
import golden from "./proof/golden.json";
import { SeenBy } from "./SeenBy";

const AUDITOR = { id: "u-9", username: "bea", roles: ["auditor"], permissions: ["audit:read", "audit:admin"] };
const LOGS = "GET /api/v1/audit/logs";
const { id } = golden.entry;
const entry = { ...golden.entry, proof_state: "proven" };

const open = (at = "/audit") => show(<Audit />, "/audit/*", at);

// The first page of a file waits for its texts to be loaded.
configure({ asyncUtilTimeout: 5000 });

beforeEach(async () => {
  await session.signOut();
  await signIn(AUDITOR);
});

describe("the log", () => {
  it("says each entry in words, folds what is said again, and goes on by cursor", async () => {
    const again = [1, 2].map((number) => ({ ...entry, id: `${number}`, action: "audit.query", resources: [] }));
    on(LOGS, ({ query }) =>
      query.get("cursor") === "next"
        ? { items: [{ ...entry, id: "0", proof_state: "pending" }], next_cursor: null, unreadable: 0, pending: 0 }
        : { items: [entry, ...again], next_cursor: "next", unreadable: 0, pending: 0 },
    );
    await open();
    expect(await screen.findByText(/looked for patients and saw the master record of patient/)).toBeTruthy();
    expect(screen.getByText("and 1 more of the same")).toBeTruthy();
    expect(screen.getAllByText("Proven")).toHaveLength(3);
    fireEvent.click(screen.getByRole("button", { name: "Show older entries" }));
    const end = await screen.findByText("These are all.");
    expect(screen.getByText("Not signed yet")).toBeTruthy();
    await waitFor(() => expect(document.activeElement).toBe(end));
  });

  it("asks with its filters only when they are applied, and keeps them out of the address", async () => {
    on(LOGS, () => ({ items: [], next_cursor: null }));
    const { router } = await open();
    fireEvent.click(await screen.findByRole("button", { name: "Show filters" }));
    fireEvent.change(screen.getByLabelText("Who"), { target: { value: "nurse.kim" } });
    fireEvent.change(screen.getByLabelText("Action"), { target: { value: "phi.read" } });
    expect(askedOf(LOGS)).toHaveLength(1);
    fireEvent.click(screen.getByRole("button", { name: "Apply" }));
    expect(await screen.findByText("No entry matches these filters")).toBeTruthy();
    expect(Object.fromEntries(askedOf(LOGS)[1]?.query ?? [])).toEqual({
      limit: "25",
      user_name: "nurse.kim",
      action: "phi.read",
    });
    expect(router.state.location.search).toBe("");
  });

  it("does not ask for days in the wrong order", async () => {
    on(LOGS, () => ({ items: [entry], next_cursor: null }));
    await open();
    fireEvent.click(await screen.findByRole("button", { name: "Show filters" }));
    fireEvent.change(screen.getByLabelText("From day"), { target: { value: "2026-11-22" } });
    fireEvent.change(screen.getByLabelText("To day"), { target: { value: "2026-11-21" } });
    fireEvent.click(screen.getByRole("button", { name: "Apply" }));
    expect(screen.getByText("The first day is after the last.")).toBeTruthy();
    expect(askedOf(LOGS)).toHaveLength(1);
  });

  it("goes on where a page has nothing but a cursor, and tells of what cannot be read", async () => {
    on(LOGS, ({ query }) => ({
      items: query.has("cursor") ? [entry] : [],
      next_cursor: query.has("cursor") ? null : "next",
      unreadable: 2,
    }));
    await open();
    expect(await screen.findByText("2 entries cannot be read.")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Search further back" }));
    expect(await screen.findByText("These are all.")).toBeTruthy();
  });

  it("shows what went wrong with its correlation id", async () => {
    on(LOGS, () => problem(403, { title: "Not allowed" }));
    await open();
    expect((await screen.findByRole("alert")).textContent).toContain("c-1");
  });
});

describe("one entry", () => {
  beforeEach(() => {
    on(`GET /api/v1/audit/logs/${id}`, () => entry);
    on(`GET /api/v1/audit/logs/${id}/proof`, () => golden.proof);
  });

  it("is proven here, step by step, with the key that the reader gives", async () => {
    await open(`/audit/entries/${id}`);
    fireEvent.change(await screen.findByLabelText("Public key of the log"), { target: { value: golden.key } });
    fireEvent.click(screen.getByRole("button", { name: "Check the proof now" }));
    expect(await screen.findByText("The entry is genuine and unchanged")).toBeTruthy();
    expect(screen.getByText(/position 155 of the log of 247 entries/)).toBeTruthy();
    expect(screen.getAllByText(/: holds$/)).toHaveLength(7);
  });

  it("is told from one that the page shows otherwise than it was signed", async () => {
    on(`GET /api/v1/audit/logs/${id}`, () => ({ ...entry, user_name: "somebody.else" }));
    await open(`/audit/entries/${id}`);
    fireEvent.click(await screen.findByRole("button", { name: "Check the proof now" }));
    expect(await screen.findByText("The proof does not hold")).toBeTruthy();
    expect(screen.getByText(/This page shows the clear text as it is: fails/)).toBeTruthy();
  });

  it("leads to all that the same person did", async () => {
    on(LOGS, () => ({ items: [entry], next_cursor: null }));
    const { router } = await open(`/audit/entries/${id}`);
    fireEvent.click(await screen.findByRole("button", { name: "Everything this person did" }));
    await waitFor(() => expect(askedOf(LOGS)[0]?.query.get("user_name")).toBe("nurse.kim"));
    expect(router.state.location.pathname).toBe("/audit");
  });
});

describe("the check of the whole log", () => {
  const CHECK = "POST /api/v1/audit/verify-integrity";
  const report = {
    valid: true,
    size: 1000,
    root: "r",
    checkpoints: 7,
    opened: 990,
    earlier: 0,
    faults: [],
    faults_more: 0,
  };

  it("says that all is well, and how much was looked at", async () => {
    on(CHECK, () => report);
    await open("/audit/check");
    fireEvent.click(await screen.findByRole("button", { name: "Check the log now" }));
    expect(await screen.findByText("The log is whole and unchanged")).toBeTruthy();
    expect(screen.getByText("1,000 entries looked at")).toBeTruthy();
  });

  it("says where it is not", async () => {
    const faults = [
      { kind: "changed", position: 41, stream: "reads", ordinal: 12, what: "not the entry that was signed here" },
      { kind: "span", position: 50, until: 60, what: "log positions without a source" },
      { kind: "new_kind", what: "something else" },
    ];
    on(CHECK, () => ({ ...report, valid: false, faults, faults_more: 2 }));
    await open("/audit/check");
    fireEvent.click(await screen.findByRole("button", { name: "Check the log now" }));
    expect(await screen.findByText("5 faults were found")).toBeTruthy();
    const [, changed, span, other] = within(screen.getByRole("table")).getAllByRole("row");
    expect(changed?.textContent).toContain("entry 41 (entry 12 of the stream of reads)");
    expect(changed?.textContent).toContain("An entry was changed");
    expect(span?.textContent).toContain("entries 50 to 59");
    expect(other?.textContent).toContain("Fault “new_kind”");
    expect(screen.getByText("2 further faults are not listed.")).toBeTruthy();
  });

  it("is not offered to those who may not", async () => {
    await session.signOut();
    await signIn({ ...AUDITOR, permissions: ["audit:read"] });
    await open("/audit/check");
    expect(await screen.findByText(/may read the log but not have it checked/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Check the log now" })).toBeNull();
  });
});

describe("who has seen a record", () => {
  const [patient = ""] = golden.entry.patient_ids;
  const SEEN = `GET /api/v1/audit/patients/${patient}/disclosures`;

  it("says it by person and day; a patient gets no way into the log", async () => {
    await session.signOut();
    await signIn({
      id: "u-5",
      username: "ana",
      roles: ["patient"],
      permissions: ["healthcare:read"],
      patient_id: patient,
    });
    const read = { ...entry, action: "phi.summary" };
    on(SEEN, () => ({ items: [{ ...read, id: "9" }, { ...read, id: "8" }, entry], next_cursor: null }));
    await show(<SeenBy patientId={patient} />, "/record/seen");
    const visit = await screen.findByRole("region", { name: /nurse\.kim.*2026/ });
    expect(visit.textContent).toContain("Read the chart, 2 times");
    expect(visit.textContent).toContain("Looked for patients and saw the master record");
    expect(visit.textContent).toContain("All entries proven");
    expect(within(visit).queryByRole("link")).toBeNull();
    expect(screen.getByText(/ask the clinic/)).toBeTruthy();
  });

  it("says that nobody has", async () => {
    on(SEEN, () => ({ items: [], next_cursor: null }));
    await show(<SeenBy patientId={patient} />, "/record/seen");
    expect(await screen.findByText("Nobody has opened this record yet")).toBeTruthy();
  });
});
