import { describe, expect, it } from "vitest";
import { exampleDate, readDate } from "./dates";

describe("a typed date", () => {
  it.each([
    ["1980-03-31", "en-US", "1980-03-31"],
    ["1980-3-1", "en-US", "1980-03-01"],
    ["1980", "en-US", "1980"],
    ["1980-03", "es-ES", "1980-03"],
    ["03/31/1980", "en-US", "1980-03-31"],
    ["3.4.1980", "en-US", "1980-03-04"],
    ["31/03/1980", "en-GB", "1980-03-31"],
    ["3-4-1980", "es-ES", "1980-04-03"],
    ["31 3 1980", "es", "1980-03-31"],
    ["31 Mar 1980", "en-US", "1980-03-31"],
    ["March 31, 1980", "en-US", "1980-03-31"],
    ["march 31st 1980", "en-GB", "1980-03-31"],
    ["31 de marzo de 1980", "es-ES", "1980-03-31"],
    ["1980/03/31", "en-US", "1980-03-31"],
    [" 02/29/2024 ", "en-US", "2024-02-29"],
  ])("%s in %s is %s", (text, locale, expected) => {
    expect(readDate(text, locale)).toBe(expected);
  });

  it.each([
    ["", "en-US"],
    ["3/4/80", "en-US"],
    ["31/03/1980", "en-US"],
    ["02/29/2023", "en-US"],
    ["1980-13-01", "en-US"],
    ["1980-00-10", "en-US"],
    ["1980-01-00", "en-US"],
    ["ma 3 1980", "en-US"],
    ["yesterday", "en-US"],
    ["1 2 3 1980", "en-US"],
    ["0080-01-01", "en-US"],
  ])("%s in %s is none", (text, locale) => {
    expect(readDate(text, locale)).toBeUndefined();
  });

  it("is shown how with a day that cannot be a month", () => {
    expect(exampleDate("en-US")).toBe("03/31/1980");
    expect(exampleDate("es-ES")).toBe("31/03/1980");
  });
});
