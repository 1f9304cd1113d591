import { act, configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { show, signIn } from "../../../testing/render";
import { askedOf, on, problem } from "../../../testing/server";
import { Component as Chart } from "..";
import { dose, serve } from "../testing";

// A machine that is busy with other things is no fault of the page.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 20_000 });

const POST = "POST /api/v1/patients/p-1/immunizations";
const PUT = "PUT /api/v1/immunizations/d-1";
const hepatitis = {
  cvx: "08",
  name: "Hep B, adolescent or pediatric",
  full_name: "hepatitis B vaccine",
  status: "active",
  groups: ["HepB"],
  products: [{ trade_name: "Engerix-B", mvx: "SKB", manufacturer: "GlaxoSmithKline", status: "active" }],
};

const open = (place: string) => show(<Chart />, "/patients/:id/*", `/patients/p-1/${place}`);
const field = (name: string) =>
  screen.getByLabelText<HTMLInputElement>(new RegExp(`^${name}( \\*)?$`), { selector: "input" });
const type = (name: string, value: string) => fireEvent.change(field(name), { target: { value } });
const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

async function choose(typed: string, option: RegExp) {
  fireEvent.change(await screen.findByRole("combobox", { name: /Vaccine/ }), { target: { value: typed } });
  fireEvent.click(await screen.findByRole("option", { name: option }));
}

beforeEach(async () => {
  await signIn();
  serve();
  on("GET /api/v1/iris/vaccines", () => ({ items: [hepatitis], total: 1, edition: "2026-01-01" }));
  on(POST, ({ body }) => Response.json({ ...dose, ...(body as object), id: "d-2", warnings: [] }, { status: 201 }));
});

describe("recording a dose", () => {
  it("needs a vaccine, a lot and a click: the rest is there already", async () => {
    await open("immunizations/new");
    await choose("engerix", /Engerix-B/);
    expect(field("Manufacturer").value).toBe("GlaxoSmithKline");
    type("Lot", "X1");
    press("Save the dose");
    await screen.findByText("The dose is recorded");
    const [sent] = askedOf(POST);
    expect(sent?.body).toMatchObject({
      vaccine_code: "08",
      vaccine_name: "Hep B, adolescent or pediatric (Engerix-B)",
      manufacturer: "GlaxoSmithKline",
      lot_number: "X1",
      provider_id: "u-1",
    });
    const { administered_at: at } = Object(sent?.body);
    expect(Date.now() - Date.parse(at)).toBeLessThan(120_000);
    expect(sent?.headers.get("Idempotency-Key")).toBeTruthy();
  });

  it("begins at the vaccine, and chooses none by itself", async () => {
    await open("immunizations/new");
    const box = await screen.findByRole("combobox", { name: /Vaccine/ });
    expect(document.activeElement).toBe(box);
    fireEvent.change(box, { target: { value: "hep" } });
    await screen.findByRole("option", { name: /Engerix/ });
    fireEvent.keyDown(box, { key: "Enter", code: "Enter" });
    press("Save the dose");
    await screen.findByText("Choose a vaccine from the list.");
    expect(askedOf(POST)).toHaveLength(0);
    await waitFor(() => expect(document.activeElement).toBe(box));
  });

  it("offers nothing to choose before the table has answered what was typed", async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    on("GET /api/v1/iris/vaccines", async ({ query }) => {
      if (query.get("q")) await answered;
      return { items: [hepatitis], total: 1, edition: "2026-01-01" };
    });
    await open("immunizations/new");
    const box = await screen.findByRole("combobox", { name: /Vaccine/ });
    const offered = () => screen.queryAllByRole("option", { name: /Engerix|Hep B|without a code|no longer in use/ });
    fireEvent.click(box);
    await screen.findByRole("option", { name: /Engerix/ });
    fireEvent.change(box, { target: { value: "hep" } });
    expect(offered()).toHaveLength(0);
    await act(() => new Promise((resolve) => setTimeout(resolve, 300)));
    expect(offered()).toHaveLength(0);
    fireEvent.keyDown(box, { key: "ArrowDown", code: "ArrowDown" });
    fireEvent.keyDown(box, { key: "Enter", code: "Enter" });
    expect((box as HTMLInputElement).value).toBe("hep");
    answer();
    await screen.findByRole("option", { name: /Engerix/ });
  });

  it("forgets the vaccine when its name is typed over", async () => {
    await open("immunizations/new");
    await choose("hep", /Hep B, adolescent or pediatric hepatitis/);
    fireEvent.change(screen.getByRole("combobox", { name: /Vaccine/ }), { target: { value: "Hep" } });
    press("Save the dose");
    await screen.findByText("Choose a vaccine from the list.");
  });

  it("does not keep the maker of a vaccine that was not the one", async () => {
    await open("immunizations/new");
    await choose("engerix", /Engerix/);
    expect(field("Manufacturer").value).toBe("GlaxoSmithKline");
    await choose("hep", /Hep B, adolescent or pediatric hepatitis/);
    expect(field("Manufacturer").value).toBe("");
    type("Manufacturer", "Somebody");
    await choose("hep b", /Hep B, adolescent or pediatric hepatitis/);
    expect(field("Manufacturer").value).toBe("Somebody");
  });

  it("shows the server's faults at their fields", async () => {
    on(POST, () =>
      problem(422, {
        title: "wrong",
        errors: [
          { pointer: "/lot_number", detail: "is too long" },
          { pointer: "/odd", detail: "is unknown" },
        ],
      }),
    );
    await open("immunizations/new");
    await choose("hep", /Engerix/);
    type("Lot", "X1");
    press("Save the dose");
    await waitFor(() => expect(field("Lot").getAttribute("aria-invalid")).toBe("true"));
    expect(screen.getByText("is too long")).toBeTruthy();
    expect(screen.getByText("/odd: is unknown")).toBeTruthy();
    expect(document.activeElement).toBe(field("Lot"));
  });

  it("sends the same again under the same key, and something else under another", async () => {
    let answers = 0;
    on(POST, () => problem(503, {}));
    await open("immunizations/new");
    await choose("hep", /Engerix/);
    for (const lot of ["X1", "X1", "X2"]) {
      type("Lot", lot);
      press("Save the dose");
      answers += 1;
      await waitFor(() => expect(askedOf(POST)).toHaveLength(answers));
      await screen.findByText("The server cannot take this now");
      await waitFor(() =>
        expect(screen.getByRole("button", { name: "Save the dose" }).dataset.loading).toBeUndefined(),
      );
    }
    const keys = askedOf(POST).map(({ headers }) => headers.get("Idempotency-Key"));
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  it("passes on what the server warns of, and what is odd about the lot", async () => {
    on(POST, () =>
      Response.json({ ...dose, id: "d-2", warnings: ["vaccine_code is in no known table"] }, { status: 201 }),
    );
    await open("immunizations/new");
    await choose("house mix", /without a code/);
    type("Lot expires", "2001-01-01");
    await screen.findByText(/had expired/);
    press("Save the dose");
    await screen.findByText("vaccine_code is in no known table");
    expect(askedOf(POST)[0]?.body).toMatchObject({ vaccine_name: "house mix" });
  });

  it("asks whether this is the patient while another chart is open, and stores nothing on no", async () => {
    await open("immunizations/new");
    await choose("hep", /Engerix/);
    const other = new BroadcastChannel("iris-charts");
    other.postMessage({ tab: "t-2", kind: "here", patient: "p-2" });
    await screen.findByText("Two charts are open");
    press("Save the dose");
    const question = await screen.findByRole("dialog", { name: "Is this the patient you mean?" });
    for (const part of ["Ruiz, Ana", "1980", "MRN-7"]) expect(question.textContent).toContain(part);
    fireEvent.click(within(question).getByRole("button", { name: "No, store nothing" }));
    await act(() => new Promise((resolve) => setTimeout(resolve, 50)));
    expect(askedOf(POST)).toHaveLength(0);
    press("Save the dose");
    fireEvent.click(await screen.findByRole("button", { name: "Yes, store it for this patient" }));
    await screen.findByText("The dose is recorded");
    other.close();
  });
});

describe("correcting a dose", () => {
  it("sends what was changed, on the version that was read", async () => {
    on(PUT, ({ body }) => ({ ...dose, ...(body as object), version: 4, warnings: [] }));
    await open("immunizations/d-1/correct");
    await screen.findByRole("combobox", { name: /Vaccine/ });
    type("Lot", "B2");
    press("Save the correction");
    await screen.findByText("The correction is stored");
    expect(askedOf(PUT)[0]?.body).toEqual({ lot_number: "B2" });
    expect(askedOf(PUT)[0]?.headers.get("If-Match")).toBe('W/"3"');
  });

  it("compares when somebody was faster, and stores over it only when told so", async () => {
    let isFirst = true;
    on(PUT, ({ body }) => {
      if (!isFirst) return { ...dose, ...(body as object), version: 5, warnings: [] };
      isFirst = false;
      on("GET /api/v1/immunizations/d-1", () => ({ ...dose, lot_number: "C3", version: 4 }));
      return problem(412, {});
    });
    await open("immunizations/d-1/correct");
    await screen.findByRole("combobox", { name: /Vaccine/ });
    type("Lot", "B2");
    press("Save the correction");
    const row = await screen.findByRole("region", { name: "Lot" });
    for (const lot of ["A1", "C3", "B2"]) expect(row.textContent).toContain(lot);
    press("Store my fields over it");
    await screen.findByText("The correction is stored");
    expect(askedOf(PUT).map(({ headers }) => headers.get("If-Match"))).toEqual(['W/"3"', 'W/"4"']);
  });

  it("does not make a conflict of its own change whose answer was lost", async () => {
    on(PUT, () => {
      on("GET /api/v1/immunizations/d-1", () => ({ ...dose, lot_number: "B2", version: 4 }));
      return problem(412, {});
    });
    await open("immunizations/d-1/correct");
    await screen.findByRole("combobox", { name: /Vaccine/ });
    type("Lot", "B2");
    press("Save the correction");
    await screen.findByText("The correction is stored");
  });

  it("opens no dose of another patient", async () => {
    on("GET /api/v1/immunizations/d-1", () => ({ ...dose, patient_id: "p-2" }));
    await open("immunizations/d-1/correct");
    await screen.findByText(/belongs to another patient/);
  });
});

describe("taking a dose back", () => {
  it("asks why, naming the patient by two identifiers, and keeps the note that was there", async () => {
    on("GET /api/v1/immunizations/d-1", () => ({ ...dose, notes: "Arm sore" }));
    on(PUT, ({ body }) => ({ ...dose, ...(body as object), version: 4, warnings: [] }));
    await open("immunizations/d-1");
    fireEvent.click(await screen.findByRole("button", { name: "Mark as entered in error" }));
    const question = await screen.findByRole("dialog");
    for (const part of ["Ruiz, Ana", "1980", "MRN-7", "MMR"]) expect(question.textContent).toContain(part);
    fireEvent.click(within(question).getByRole("button", { name: "Mark as entered in error" }));
    await within(question).findByText("Say why.");
    expect(askedOf(PUT)).toHaveLength(0);
    fireEvent.click(within(question).getByRole("radio", { name: "It is recorded twice" }));
    fireEvent.click(within(question).getByRole("button", { name: "Mark as entered in error" }));
    await screen.findByText("The dose is marked as entered in error");
    expect(askedOf(PUT)[0]?.body).toEqual({
      status: "entered-in-error",
      notes: "Arm sore\nEntered in error: It is recorded twice",
    });
    expect(askedOf(PUT)[0]?.headers.get("If-Match")).toBe('W/"3"');
  });
});

it("who may not write is offered nothing to write with", async () => {
  await signIn({ id: "u-2", username: "paul", roles: ["x"], permissions: ["healthcare:read"] });
  await open("immunizations/d-1");
  await screen.findByRole("heading", { name: "MMR" });
  expect(screen.queryByRole("button", { name: "Mark as entered in error" })).toBeNull();
  expect(screen.queryByRole("link", { name: "Record a dose" })).toBeNull();
});
