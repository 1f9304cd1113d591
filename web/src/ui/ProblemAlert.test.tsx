import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Problem } from "../api/problem";
import { show } from "../testing/render";
import { ProblemAlert } from "./ProblemAlert";

describe("a problem in words", () => {
  it.each([
    [0, false, "Nothing was received."],
    [0, true, "It is not known whether your change was stored."],
    [401, true, "Nothing was stored or shown."],
    [403, true, "Nothing was changed."],
    [404, false, "There is no such record, or you may not see it."],
    [412, true, "Your change was not stored, so that theirs is not lost."],
    [422, true, "Nothing was stored."],
    [429, true, "Nothing was stored."],
    [500, false, "Nothing was changed."],
    [500, true, "It is not known whether your change was stored."],
    [503, true, "Nothing was stored."],
  ])("status %i, writing %s: what happened to the data", async (status, writes, expected) => {
    await show(<ProblemAlert error={new Problem(status, { correlation_id: "c-42" })} writes={writes} />, "/p");
    expect((await screen.findByRole("alert")).textContent).toContain(expected);
    expect(screen.getByText("c-42")).toBeTruthy();
  });

  it("takes the id from the header where the answer has no document", async () => {
    const problem = new Problem(502, {}, new Headers({ "X-Correlation-ID": "c-43" }));
    await show(<ProblemAlert error={problem} />, "/p");
    expect(await screen.findByText("c-43")).toBeTruthy();
  });
});
