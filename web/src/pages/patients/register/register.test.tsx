import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { session } from "../../../app/session";
import { show, signIn } from "../../../testing/render";
import { askedOf, on, problem } from "../../../testing/server";
import { keepTyped } from "../typed";
import { Component as Register } from ".";

const CREATE = "POST /api/v1/patients";
const DUPLICATES = "POST /api/v1/patients/duplicates";
const stored = { id: "p-9", first_name: "Ana", last_name: "Ruiz", date_of_birth: "1980-03-31" };
const twin = {
  patient: { ...stored, id: "p-1", medical_record_number: "1234567897" },
  score: 91,
  certainty: "probable",
  reasons: ["same_birth_date", "similar_name"],
  against: ["other_gender"],
};

const input = (name: string) => document.querySelector<HTMLInputElement>(`[name="${name}"]`) as HTMLInputElement;
const type = (name: string, value: string) => fireEvent.change(input(name), { target: { value } });
const submit = () => fireEvent.click(screen.getByRole("button", { name: "Register" }));

async function filled() {
  const drawn = await show(<Register />, "/patients/register");
  await screen.findByRole("button", { name: "Register" });
  type("first_name", "Ana");
  type("last_name", "Ruiz");
  type("date_of_birth", "03/31/1980");
  return drawn;
}

describe("registering a patient", () => {
  beforeEach(async () => {
    await session.signOut();
    await signIn();
    on(DUPLICATES, () => ({ items: [] }));
    on(CREATE, () => Response.json(stored, { status: 201 }));
  });

  it("says at each field what is missing, goes to the first and sends nothing", async () => {
    await show(<Register />, "/patients/register");
    await screen.findByRole("button", { name: "Register" });
    submit();
    expect(await screen.findByText("3 fields need your attention; nothing was stored")).toBeTruthy();
    expect(document.activeElement).toBe(input("first_name"));
    fireEvent.click(screen.getByRole("button", { name: "Birth date" }));
    expect(document.activeElement).toBe(input("date_of_birth"));
    expect(input("date_of_birth").getAttribute("aria-invalid")).toBe("true");
    expect(askedOf(CREATE)).toHaveLength(0);
  });

  it("says how the birth date was understood", async () => {
    await filled();
    expect(screen.getByText(/Understood as March 31, 1980/)).toBeTruthy();
  });

  it("stores once on a double click, under one key, and opens the chart", async () => {
    const { router } = await filled();
    submit();
    submit();
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-9"));
    expect(askedOf(CREATE)).toHaveLength(1);
    expect(askedOf(CREATE)[0]?.body).toEqual({ first_name: "Ana", last_name: "Ruiz", date_of_birth: "1980-03-31" });
    expect(askedOf(CREATE)[0]?.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("brings what was typed in the search along", async () => {
    keepTyped("Ana María Ruiz 1980-03-31");
    await show(<Register />, "/patients/register");
    await screen.findByRole("button", { name: "Register" });
    expect(input("first_name").value).toBe("Ana María");
    expect(input("last_name").value).toBe("Ruiz");
    expect(input("date_of_birth").value).toBe("1980-03-31");
  });

  it("shows the server's faults at their fields", async () => {
    const errors = [
      { pointer: "/address/zip_code", detail: "is too long" },
      { pointer: "/medical_record_number", detail: "is another patient's" },
    ];
    on(CREATE, () => problem(422, { errors, detail: "two faults" }));
    await filled();
    submit();
    expect(await screen.findByText("2 fields need your attention; nothing was stored")).toBeTruthy();
    await waitFor(() => expect(document.activeElement).toBe(input("medical_record_number")));
    expect(screen.queryByText("two faults")).toBeNull();
  });

  it("looks for duplicates when the birth date is left for another field, and says nothing is stored", async () => {
    on(DUPLICATES, () => ({ items: [twin] }));
    await filled();
    fireEvent.blur(input("date_of_birth"), { relatedTarget: input("medical_record_number") });
    expect(await screen.findByText("1 patient may be the same person")).toBeTruthy();
    expect(screen.getByText("For it: same birth date and similar name")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /somebody else/ })).toBeNull();
    expect(askedOf(CREATE)).toHaveLength(0);
  });

  it("moves nothing while a button is being pressed", async () => {
    on(DUPLICATES, () => ({ items: [twin] }));
    await filled();
    fireEvent.blur(input("date_of_birth"), { relatedTarget: screen.getByRole("button", { name: "Register" }) });
    await act(() => Promise.resolve());
    expect(askedOf(DUPLICATES)).toHaveLength(0);
  });

  it("stops before somebody who may be the same; a person decides", async () => {
    on(DUPLICATES, () => ({ items: [twin] }));
    const { router } = await filled();
    submit();
    const anyway = await screen.findByRole("button", { name: /somebody else/ });
    expect(screen.getByRole("link", { name: "Open the record of Ruiz, Ana" })).toBeTruthy();
    expect(askedOf(CREATE)).toHaveLength(0);
    fireEvent.click(anyway);
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-9"));
    expect(askedOf(CREATE)).toHaveLength(1);
  });

  it("does not store without the check unless told so", async () => {
    on(DUPLICATES, () => problem(503));
    const { router } = await filled();
    submit();
    const without = await screen.findByRole("button", { name: "Register without the check" });
    expect(askedOf(CREATE)).toHaveLength(0);
    fireEvent.click(without);
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-9"));
  });

  it("sends the same again after a lost answer, under the same key", async () => {
    on(CREATE, () => {
      throw new TypeError("lost");
    });
    const { router } = await filled();
    submit();
    expect(await screen.findByText(/stored once, however often/)).toBeTruthy();
    on(CREATE, () => Response.json(stored, { status: 201 }));
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-9"));
    const [first, second] = askedOf(CREATE).map(({ headers }) => headers.get("Idempotency-Key"));
    expect(second).toBe(first);
    expect(askedOf(DUPLICATES)).toHaveLength(1);
  });

  it("finds what was stored before its answer was lost, when the form was changed since", async () => {
    on(CREATE, () => problem(500));
    await filled();
    submit();
    await screen.findByText(/stored once, however often/);
    on(CREATE, ({ body }) =>
      (body as { phone?: string }).phone
        ? problem(422, { errors: [{ pointer: "Idempotency-Key", detail: "was used with another body" }] })
        : Response.json(stored, { status: 201 }),
    );
    type("phone", "555 0100");
    submit();
    expect(await screen.findByText("This patient was stored already")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Open the record" }).getAttribute("href")).toBe("/patients/p-9");
  });

  it("asks before what was typed is left", async () => {
    const { router } = await filled();
    fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
    expect(await screen.findByText("Leave without storing?")).toBeTruthy();
    expect(router.state.location.pathname).toBe("/patients/register");
    await act(async () => fireEvent.click(screen.getByRole("button", { name: "Leave and lose it" })));
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients"));
  });
});
