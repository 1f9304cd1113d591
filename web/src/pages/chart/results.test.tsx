import { configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { show, signIn } from "../../testing/render";
import { on } from "../../testing/server";
import { Component as Chart } from ".";
import { serve } from "./testing";

// A machine that is busy with other things is no fault of the page.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 20_000 });

// The canvas is what jsdom has not; what counts here is what stands beside it.
vi.mock("uplot", () => ({
  default: class {
    setSize() {}
    setCursor() {}
    destroy() {}
    valToPos() {
      return 0;
    }
  },
}));

const sugar = {
  code: "4548-4",
  system: "http://loinc.org",
  name: "Hemoglobin A1c",
  unit: "%",
  low: 4,
  high: 5.6,
  points: [
    { id: "o-1", at: "2023-03-01", value: 5.1, interpretation: null },
    { id: "o-2", at: "2023-09-01", value: 5.4, interpretation: null },
    { id: "o-3", at: "2024-03-01", value: 6.2, interpretation: "H" },
  ],
};

beforeEach(async () => {
  await signIn();
  serve();
  on("GET /api/v1/patients/p-1/lab-results/trends", () => ({ series: [sugar], truncated: false }));
  on("GET /api/v1/patients/p-1/vital-signs/trends", () => ({ series: [], truncated: false }));
});

async function openSeries() {
  await show(<Chart />, "/patients/:id/*", "/patients/p-1/results");
  fireEvent.click(await screen.findByRole("button", { name: /Hemoglobin A1c/ }));
}

it("tells a trend in a sentence and in a table that has every value", async () => {
  await openSeries();
  await screen.findByText(
    /Latest: 6\.2 % on Mar 1, 2024\. That is above the reference range\. Reference range: 4–5\.6\./,
  );
  const rows = within(await screen.findByRole("table")).getAllByRole("row");
  expect(rows.map((row) => row.textContent)).toEqual([
    expect.stringContaining("When"),
    expect.stringMatching(/Mar 1, 2024.*6\.2 %.*high/),
    expect.stringMatching(/Sep 1, 2023.*5\.4 %.*normal/),
    expect.stringMatching(/Mar 1, 2023.*5\.1 %.*normal/),
  ]);
});

it("lets the keyboard go from value to value", async () => {
  await openSeries();
  const chart = await screen.findByRole("slider", { name: "Hemoglobin A1c" });
  expect(chart.getAttribute("aria-valuetext")).toContain("6.2 %, high");
  fireEvent.keyDown(chart, { key: "ArrowLeft" });
  await waitFor(() => expect(chart.getAttribute("aria-valuetext")).toBe("Sep 1, 2023, 5.4 %"));
  fireEvent.keyDown(chart, { key: "Home" });
  fireEvent.keyDown(chart, { key: "ArrowLeft" });
  await waitFor(() => expect(chart.getAttribute("aria-valuenow")).toBe("1"));
});

it("says what an empty part means", async () => {
  await show(<Chart />, "/patients/:id/*", "/patients/p-1/results");
  await screen.findByText(/No vital signs recorded/);
});
