import { configure, fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { show, signIn } from "../../testing/render";
import { asked } from "../../testing/server";
import { serve } from "../chart/testing";
import { Component as Record } from ".";

// A machine that is busy with other things is no fault of the page.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 20_000 });

const ana = { id: "u-7", username: "ana", roles: ["patient"], permissions: ["healthcare:read"], patient_id: "p-1" };
const open = (place = "") => show(<Record />, "/record/*", `/record/${place}`);

it("shows the own record and asks for no other", async () => {
  await signIn(ana);
  serve();
  await open();
  await screen.findByText("Ruiz, Ana");
  for (const text of ["Penicillin", "Asthma", "Salbutamol"]) expect(screen.getByText(text)).toBeTruthy();
  expect(screen.queryByText("Broken arm")).toBeNull();
  const reads = asked.filter(({ path }) => path.includes("/patients/"));
  expect(reads.length).toBeGreaterThan(0);
  for (const { path, query } of reads) {
    expect(path).toContain("/patients/p-1/");
    expect(query.get("access_purpose")).toBe("PATRQT");
  }
  expect(screen.queryByRole("link", { name: "Record a dose" })).toBeNull();
});

it("prints the vaccinations when asked, and takes the sheet away afterwards", async () => {
  await signIn(ana);
  serve();
  const print = vi.fn(() => expect(document.body.lastElementChild?.textContent).toContain("Printed by ana"));
  vi.stubGlobal("print", print);
  await open("vaccinations");
  const button = await screen.findByRole("button", { name: "Print my vaccinations" });
  await waitFor(() => expect((button as HTMLButtonElement).disabled).toBe(false));
  fireEvent.click(button);
  expect(print).toHaveBeenCalledOnce();
  fireEvent(window, new Event("afterprint"));
  await waitFor(() => expect(document.body.textContent).not.toContain("Printed by"));
  vi.unstubAllGlobals();
});

it("an account without a record is told so", async () => {
  await signIn();
  await open();
  await screen.findByText("This account has no record of its own");
});
