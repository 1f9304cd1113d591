import { describe, expect, it } from "vitest";
import { check, first } from "./check";
import { EMPTY, NAMES } from "./draft";

const good = { ...EMPTY, first_name: "Ana", last_name: "Ruiz", date_of_birth: "1980-03-31" };
const TODAY = "2026-11-22";

describe("before anything is sent", () => {
  it("every needed field that is missing is named", () => {
    const faults = check({ ...EMPTY, first_name: "  " }, "en-US", TODAY);
    expect(faults).toEqual({ first_name: "needed", last_name: "needed", date_of_birth: "needed" });
    expect(first(faults, NAMES)).toBe("first_name");
  });

  it.each([
    ["date_of_birth", "31/31/1980", "dateUnreadable"],
    ["date_of_birth", "11/23/2026", "dateAhead"],
    ["date_of_birth", "2027", "dateAhead"],
    ["ssn", "123-45-678", "ssnForm"],
    ["ssn", "***-**-1234", "ssnForm"],
    ["email", "ana", "emailForm"],
  ] as const)("%s may not be %s", (name, value, fault) => {
    expect(check({ ...good, [name]: value }, "en-US", TODAY)).toEqual({ [name]: fault });
  });

  it.each([
    ["date_of_birth", "11/22/2026"],
    ["date_of_birth", "2026"],
    ["ssn", "123456789"],
    ["ssn", "123-45-6789"],
    ["email", "ana@example.org"],
  ] as const)("%s may be %s", (name, value) => {
    expect(check({ ...good, [name]: value }, "en-US", TODAY)).toEqual({});
  });
});
