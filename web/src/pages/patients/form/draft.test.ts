import { describe, expect, it } from "vitest";
import type { Patient } from "../types";
import { changed, changesOf, compare, draftOf, EMPTY, fieldsOf, nameAt } from "./draft";

const stored: Patient = {
  id: "1",
  fhir_id: "Patient/1",
  created_at: "2026-01-01T00:00:00Z",
  created_by: "u",
  updated_at: "2026-01-01T00:00:00Z",
  updated_by: "u",
  version: 1,
  first_name: "Ana",
  last_name: "Ruiz",
  date_of_birth: "1980-03-31",
  ssn: "***-**-1234",
  phone: "555 0100",
  address: { street: "1 Elm St", city: "Bend" },
};

describe("a draft", () => {
  it("sends what was typed, with the birth date in its one form", () => {
    const draft = { ...EMPTY, first_name: " Ana ", last_name: "Ruiz", date_of_birth: "03/31/1980", city: "Bend" };
    const fields = { first_name: "Ana", last_name: "Ruiz", date_of_birth: "1980-03-31", address: { city: "Bend" } };
    expect(fieldsOf(draft, "en-US")).toEqual(fields);
  });

  it("sends a birth date that cannot be read as it stands, for the server to say so", () => {
    expect(fieldsOf({ ...EMPTY, date_of_birth: "soon" }, "en-US")).toEqual({ date_of_birth: "soon" });
  });

  it("never holds a stored social security number, so that a masked one is not sent back", () => {
    const draft = draftOf(stored);
    expect(draft.ssn).toBe("");
    expect(changesOf(draft, { ...draft, phone: "555 0101" }, "en-US")).toEqual({ phone: "555 0101" });
    expect(changesOf(draft, { ...draft, ssn: "123-45-6789" }, "en-US")).toEqual({ ssn: "123-45-6789" });
  });

  it("changes only what differs, and takes away what was emptied", () => {
    const draft = draftOf(stored);
    const after = { ...draft, phone: " ", city: "Sisters", date_of_birth: "31 March 1980" };
    expect(changed(draft, after, "en-US")).toEqual(["phone", "city"]);
    expect(changesOf(draft, after, "en-US")).toEqual({ phone: null, address: { city: "Sisters" } });
  });

  it("knows which field a fault belongs to", () => {
    expect(nameAt("/address/zip_code")).toBe("zip_code");
    expect(nameAt("/address")).toBe("street");
    expect(nameAt("/emergency_contact")).toBe("contact_name");
    expect(nameAt("/version")).toBeUndefined();
    expect(nameAt("")).toBeUndefined();
  });

  it("tells real conflicts from changes that do not touch", () => {
    const read = draftOf(stored);
    const theirs = { ...read, phone: "1", city: "Sisters", email: "a@b.c" };
    const yours = { ...read, phone: "2", city: "Sisters", first_name: "Anna" };
    expect(compare(read, theirs, yours, "en-US")).toEqual({
      both: ["phone"],
      theirs: ["email"],
      yours: ["first_name"],
    });
  });
});
