import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { show, signIn } from "../../../testing/render";
import { askedOf, on, problem } from "../../../testing/server";
import { Component as Edit } from ".";

const READ = "GET /api/v1/patients/p-1";
const WRITE = "PUT /api/v1/patients/p-1";
const ana = {
  id: "p-1",
  first_name: "Ana",
  last_name: "Ruiz",
  date_of_birth: "1980-03-31",
  ssn: "***-**-1234",
  phone: "555 0100",
  email: "ana@example.org",
};

const input = (name: string) => document.querySelector<HTMLInputElement>(`[name="${name}"]`) as HTMLInputElement;
const type = (name: string, value: string) => fireEvent.change(input(name), { target: { value } });
const save = () => fireEvent.click(screen.getByRole("button", { name: "Save" }));
const read = (patient: object, etag: string) => () => Response.json(patient, { headers: { ETag: etag } });

async function open() {
  const drawn = await show(<Edit />, "/patients/:id/edit", "/patients/p-1/edit");
  await screen.findByRole("button", { name: "Save" });
  return drawn;
}

describe("changing a record", () => {
  beforeEach(async () => {
    await signIn();
    on(READ, read(ana, 'W/"1"'));
    on(WRITE, () => Response.json(ana));
  });

  it("sends what was changed and nothing else, on the version that was read", async () => {
    const { router } = await open();
    expect(document.title).not.toContain("Ruiz");
    expect(input("ssn").value).toBe("");
    type("phone", "555 0199");
    type("email", "");
    save();
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-1"));
    expect(askedOf(WRITE)[0]?.body).toEqual({ phone: "555 0199", email: null });
    expect(askedOf(WRITE)[0]?.headers.get("If-Match")).toBe('W/"1"');
  });

  it("compares when somebody was faster: field by field, with nothing chosen, then saves on the newer version", async () => {
    const { router } = await open();
    type("phone", "555 0199");
    type("city", "Bend");
    on(READ, read({ ...ana, phone: "555 0111", email: "new@example.org" }, 'W/"2"'));
    on(WRITE, ({ headers }) => (headers.get("If-Match") === 'W/"1"' ? problem(412) : Response.json(ana)));
    save();
    await screen.findByText("Somebody else has changed this record");
    expect(screen.getByText(/new@example.org/)).toBeTruthy();
    for (const radio of screen.getAllByRole("radio")) expect((radio as HTMLInputElement).checked).toBe(false);
    fireEvent.click(screen.getByRole("button", { name: "Save like this" }));
    expect(screen.getByText("Choose one of the two.")).toBeTruthy();
    expect(askedOf(WRITE)).toHaveLength(1);
    fireEvent.click(screen.getByLabelText("Yours: 555 0199"));
    fireEvent.click(screen.getByRole("button", { name: "Save like this" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-1"));
    expect(askedOf(WRITE)[1]?.headers.get("If-Match")).toBe('W/"2"');
    expect(askedOf(WRITE)[1]?.body).toEqual({ phone: "555 0199", address: { city: "Bend" } });
  });

  it("keeps theirs where theirs is chosen", async () => {
    const { router } = await open();
    type("phone", "555 0199");
    on(READ, read({ ...ana, phone: "555 0111" }, 'W/"2"'));
    on(WRITE, () => problem(412));
    save();
    fireEvent.click(await screen.findByLabelText("Theirs: 555 0111"));
    fireEvent.click(screen.getByRole("button", { name: "Save like this" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-1"));
    expect(askedOf(WRITE)).toHaveLength(1);
  });

  it("does not make a conflict of its own change whose answer was lost", async () => {
    const { router } = await open();
    type("phone", "555 0199");
    on(WRITE, () => {
      throw new TypeError("lost");
    });
    save();
    await screen.findByRole("button", { name: "Try again" });
    on(WRITE, () => problem(412));
    on(READ, read({ ...ana, phone: "555 0199" }, 'W/"2"'));
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-1"));
  });

  it("takes a social security number away only when told so", async () => {
    const { router } = await open();
    fireEvent.click(screen.getByLabelText("Take the stored number away"));
    expect(input("ssn").disabled).toBe(true);
    save();
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-1"));
    expect(askedOf(WRITE)[0]?.body).toEqual({ ssn: null });
  });

  it("is not open to who may not write", async () => {
    await signIn({ id: "u-3", username: "aud", roles: ["auditor"], permissions: ["healthcare:read"] });
    await show(<Edit />, "/patients/:id/edit", "/patients/p-1/edit");
    expect(await screen.findByText("You may not do this")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
  });

  it("tells a record that is not there, or not to be seen, in words", async () => {
    on(READ, () => problem(404));
    await show(<Edit />, "/patients/:id/edit", "/patients/p-1/edit");
    expect(await screen.findByText("There is nothing here")).toBeTruthy();
    expect(screen.getByText("c-1")).toBeTruthy();
  });
});
