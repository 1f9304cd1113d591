import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { session } from "../../../app/session";
import { show, signIn } from "../../../testing/render";
import { askedOf, on } from "../../../testing/server";
import { Component as Find } from ".";

const SEARCH = "GET /api/v1/patients/search";
const ana = {
  id: "p-1",
  first_name: "Ana",
  last_name: "Ruiz",
  date_of_birth: "1980-03-31",
  gender: "female",
  medical_record_number: "1234567897",
  phone: "555-0100",
  matched: ["name_spelling", "date_of_birth"],
};
const ben = { id: "p-2", first_name: "Ben", last_name: "Ruiz", date_of_birth: "2020-01-01", matched: ["name"] };

const field = () => screen.getByRole("searchbox");
const type = (value: string) => fireEvent.change(field(), { target: { value } });
const pause = () => act(() => new Promise((resolve) => setTimeout(resolve, 350)));

describe("finding a patient", () => {
  beforeEach(async () => {
    // Nothing that another test has typed.
    await session.signOut();
    await signIn();
    on(SEARCH, () => ({ items: [ana, ben], next_cursor: null }));
  });

  it("asks after a pause, once for all that was typed", async () => {
    await show(<Find />, "/patients");
    await screen.findByRole("searchbox");
    for (const text of ["r", "ru", "rui", "ruiz"]) type(text);
    await pause();
    expect(askedOf(SEARCH).map(({ query }) => query.get("q"))).toEqual(["ruiz"]);
    expect(document.location.href).not.toContain("ruiz");
  });

  it("does not ask for one letter", async () => {
    await show(<Find />, "/patients");
    await screen.findByRole("searchbox");
    type("r");
    await pause();
    expect(askedOf(SEARCH)).toHaveLength(0);
  });

  it("shows more than the name on every row, says how each was found and how many there are", async () => {
    await show(<Find />, "/patients");
    await screen.findByRole("searchbox");
    type("ruis 1980");
    const [first, second] = await screen.findAllByRole("listitem");
    expect(first?.textContent).toContain("1980");
    expect(first?.textContent).toContain("1234567897");
    expect(first?.textContent).toContain("555-0100");
    expect(first?.textContent).toContain("similar spelling of the name and birth date");
    expect(second?.textContent).toContain("2020");
    expect(second?.textContent).toContain("No MRN");
    expect(screen.getByText("2 patients found")).toBeTruthy();
  });

  it("chooses nobody, and leads to the results by the arrow", async () => {
    const { router } = await show(<Find />, "/patients");
    await screen.findByRole("searchbox");
    type("ruiz");
    const links = await screen.findAllByRole("link", { name: /Ruiz/ });
    fireEvent.keyDown(field(), { key: "Enter" });
    expect(router.state.location.pathname).toBe("/patients");
    fireEvent.keyDown(field(), { key: "ArrowDown" });
    expect(document.activeElement).toBe(links[0]);
    fireEvent.keyDown(document.activeElement as Element, { key: "ArrowDown" });
    expect(document.activeElement).toBe(links[1]);
    fireEvent.keyDown(document.activeElement as Element, { key: "Escape" });
    expect(document.activeElement).toBe(field());
    fireEvent.click(links[1] as Element);
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/p-2"));
  });

  it("lets nobody open what belongs to an earlier text, and ends the earlier request", async () => {
    await show(<Find />, "/patients");
    await screen.findByRole("searchbox");
    type("ruiz");
    await screen.findAllByRole("listitem");
    on(SEARCH, () => new Promise(() => undefined));
    type("ruiza");
    expect(screen.getByRole("list", { hidden: true }).hasAttribute("inert")).toBe(true);
    await pause();
    type("ruizan");
    await pause();
    const [, slow, last] = askedOf(SEARCH);
    expect(slow?.signal.aborted).toBe(true);
    expect(last?.signal.aborted).toBe(false);
  });

  it("says what to do when nobody was found, and takes what was typed along", async () => {
    on(SEARCH, () => ({ items: [], next_cursor: null }));
    const { router } = await show(<Find />, "/patients");
    await screen.findByRole("searchbox");
    type("Zoe Quill");
    fireEvent.click(await screen.findByRole("link", { name: "Register with what I typed" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/patients/register"));
    expect(router.state.location.search).toBe("");
  });

  it("keeps the text for who comes back, and for nobody else", async () => {
    const { unmount } = await show(<Find />, "/patients");
    await screen.findByRole("searchbox");
    type("ruiz");
    unmount();
    const again = await show(<Find />, "/patients");
    await waitFor(() => expect((field() as HTMLInputElement).value).toBe("ruiz"));
    again.unmount();
    await session.signOut();
    await signIn();
    await show(<Find />, "/patients");
    await screen.findByRole("searchbox");
    expect((field() as HTMLInputElement).value).toBe("");
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain("ruiz");
  });
});
