import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { show, signIn } from "../../testing/render";
import { askedOf, on, problem } from "../../testing/server";
import { Component as Chart } from ".";
import { serve } from "./testing";

// A machine that is busy with other things is no fault of the page.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 20_000 });

const open = (place = "") => show(<Chart />, "/patients/:id/*", `/patients/p-1/${place}`);
const banner = () => screen.findByRole("region", { name: "Patient" });

describe("the chart", () => {
  beforeEach(async () => {
    await signIn();
    serve();
  });

  it("says whose it is by more than the name, with allergies and alerts, and names nobody in the tab", async () => {
    await open();
    const text = (await banner()).textContent;
    for (const part of ["Ruiz, Ana", "1980", "female", "MRN-7", "Penicillin", "severe", "Falls easily"])
      expect(text).toContain(part);
    expect(document.title).not.toMatch(/Ruiz|Ana/);
  });

  it("says which of its parts is open, however the address ends", async () => {
    const { router } = await open();
    await banner();
    const current = () => screen.getAllByRole("link", { current: "page" }).map((link) => link.textContent);
    expect(current()).toEqual(["Overview"]);
    await router.navigate("/patients/p-1");
    expect(current()).toEqual(["Overview"]);
    await router.navigate("/patients/p-1/immunizations/new");
    await waitFor(() => expect(current()).toEqual(["Immunizations"]));
  });

  it("folds up and keeps two identifiers", async () => {
    await open();
    const fold = within(await banner()).getByRole("button", { name: "More" });
    expect(fold.getAttribute("aria-expanded")).toBe("false");
    fireEvent.click(fold);
    expect(
      within(await banner())
        .getByRole("button", { name: "Less" })
        .getAttribute("aria-expanded"),
    ).toBe("true");
  });

  it("does not take an empty list of allergies for none", async () => {
    serve({ allergies: [] });
    await open();
    expect((await banner()).textContent).toContain("nothing recorded");
    expect((await banner()).textContent).not.toContain("No known allergies");
  });

  it("says who recorded that there are none, and when", async () => {
    const none = {
      id: "a",
      resource: "AllergyIntolerance/a",
      code: "716186003",
      status: "active",
      recorded_at: "2024-02-01",
    };
    serve({ allergies: [none] });
    await open();
    expect((await banner()).textContent).toContain("No known allergies");
    expect((await banner()).textContent).toContain("2024");
  });

  it("says of which lists it does not show all", async () => {
    serve({ truncated: ["allergies", "vital_signs"] });
    await open();
    expect((await screen.findByRole("alert")).textContent).toContain("not all of: allergies, vital signs");
  });

  it("calls no allergy of one kind by its name", async () => {
    const food = {
      id: "a-9",
      resource: "AllergyIntolerance/a-9",
      code: "429625007",
      substance: "No known food allergy",
    };
    serve({ allergies: [food] });
    await open();
    const text = (await banner()).textContent;
    expect(text).toContain("No known food allergy");
    expect(text).toContain("nothing recorded about others");
    expect(text).not.toContain("No known allergies");
  });

  it("says what the role may not see, and does not call it empty", async () => {
    serve({
      allergies: undefined,
      problems: undefined,
      alerts: undefined,
      withheld: ["alerts", "allergies", "problems"],
    });
    await open();
    expect((await banner()).textContent).toContain("your role may not see them");
    expect(within(screen.getByRole("region", { name: /Problems/ })).getByText(/may not see this part/)).toBeTruthy();
    expect(screen.queryByText(/No problems recorded/)).toBeNull();
  });

  it("shows what holds now, and what is over on request", async () => {
    await open();
    const problems = await screen.findByRole("region", { name: /Problems/ });
    expect(problems.textContent).toContain("Asthma");
    expect(problems.textContent).not.toContain("Broken arm");
    fireEvent.click(within(problems).getByRole("button", { name: "1 past problem" }));
    expect(problems.textContent).toContain("Broken arm");
  });

  it("marks a value outside of its range in words", async () => {
    await open();
    const signs = await screen.findByRole("region", { name: "Vital signs" });
    expect(signs.textContent).toContain("150");
    expect(signs.textContent).toContain("high");
    expect(signs.textContent).toContain("80 mmHg");
  });

  it("says what went wrong, and tries again", async () => {
    on("GET /api/v1/patients/p-1/summary", () => problem(404, { detail: "no such record" }));
    await open();
    await screen.findByText("There is nothing here");
    serve();
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await banner();
  });

  it("loads the timeline page by page, of the kinds that are chosen", async () => {
    const one = {
      id: "e-1",
      resource: "Encounter/e-1",
      kind: "encounter",
      at: "2024-03-01",
      title: "Check-up",
      detail: null,
      status: "finished",
    };
    const two = { ...one, id: "e-2", resource: "Encounter/e-2", at: "2023-03-01", title: "First visit" };
    on("GET /api/v1/patients/p-1/timeline", ({ query }) =>
      query.get("cursor")
        ? { items: [two], next_cursor: null, withheld: ["document"] }
        : { items: [one], next_cursor: "c", withheld: ["document"] },
    );
    await open("timeline");
    await screen.findByText("Check-up");
    expect(screen.getByText(/may not see these kinds: Document/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Load more" }));
    await screen.findByText("First visit");
    expect(screen.getByRole("heading", { name: "March 2023" })).toBeTruthy();
    fireEvent.click(screen.getByRole("checkbox", { name: "Allergy" }));
    await waitFor(() => {
      const last = askedOf("GET /api/v1/patients/p-1/timeline").at(-1);
      expect(last?.query.getAll("kinds")).toEqual(["allergy"]);
    });
  });

  it("prints what was chosen, with two identifiers, who and when, and only from here", async () => {
    await open();
    await banner();
    expect(document.querySelector(".sheet")).toBeNull();
    fireEvent.click(screen.getByRole("link", { name: /Print/ }));
    await screen.findByRole("heading", { name: "Print" });
    await waitFor(() => expect(document.body.lastElementChild?.textContent).toContain("Printed by nora"));
    const sheet = document.body.lastElementChild;
    for (const part of ["Ruiz, Ana", "1980", "MRN-7", "Penicillin", "Asthma", "Salbutamol", "MMR"]) {
      expect(sheet?.textContent).toContain(part);
    }
    expect(sheet?.textContent).not.toContain("Hemoglobin");
    expect(sheet?.querySelector("time")?.dateTime).toBe("1980-03-31");
  });
});

describe("two charts", () => {
  it("both say that another patient is open", async () => {
    await signIn();
    serve();
    await open();
    await banner();
    expect(screen.queryByText("Two charts are open")).toBeNull();
    const other = new BroadcastChannel("iris-charts");
    other.postMessage({ tab: "t-2", kind: "here", patient: "p-2" });
    await screen.findByText("Two charts are open");
    other.postMessage({ tab: "t-2", kind: "gone" });
    await waitFor(() => expect(screen.queryByText("Two charts are open")).toBeNull());
    other.close();
  });
});
