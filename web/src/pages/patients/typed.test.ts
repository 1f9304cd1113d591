import { describe, expect, it } from "vitest";
import { personIn } from "./typed";

describe("what was typed to find somebody", () => {
  it.each([
    ["Ana Ruiz", "Ana", "Ruiz", ""],
    ["Ruiz, Ana María", "Ana María", "Ruiz", ""],
    ["Ana María Ruiz 03/31/1980", "Ana María", "Ruiz", "03/31/1980"],
    ["1980-03-31 ana", "ana", "", "1980-03-31"],
    ["555 0100", "", "", ""],
    ["Ruiz,", "Ruiz", "", ""],
    ["", "", "", ""],
  ])("%s begins a registration", (text, first_name, last_name, date_of_birth) => {
    expect(personIn(text, "en-US")).toEqual({ first_name, last_name, date_of_birth });
  });
});
