import type { Patient } from "../types";
import { readDate } from "./dates";

/** The fields that a person can type, each with its place in the patient object. */
export const PLACES = {
  first_name: "/first_name",
  last_name: "/last_name",
  date_of_birth: "/date_of_birth",
  gender: "/gender",
  medical_record_number: "/medical_record_number",
  ssn: "/ssn",
  phone: "/phone",
  email: "/email",
  street: "/address/street",
  city: "/address/city",
  state: "/address/state",
  zip_code: "/address/zip_code",
  contact_name: "/emergency_contact/name",
  contact_relationship: "/emergency_contact/relationship",
  contact_phone: "/emergency_contact/phone",
  patient_status: "/patient_status",
} as const;

export type Name = keyof typeof PLACES;
export const NAMES = Object.keys(PLACES) as Name[];

/** What stands in the form, as typed. */
export type Draft = Record<Name, string>;

/** Stands in a draft for a social security number that is to be taken away; an empty one means that the stored one stays. */
export const TAKEN_AWAY = "\u2205";

/** What is wrong, by field. */
export type Faults = { [name in Name]?: string | undefined };

export const NEEDED: readonly Name[] = ["first_name", "last_name", "date_of_birth"];

export const EMPTY: Draft = Object.fromEntries(NAMES.map((name) => [name, ""])) as Draft;

type Tree = Record<string, unknown>;

function at(patient: Patient, place: string): string {
  const found = place
    .slice(1)
    .split("/")
    .reduce<unknown>((inner, part) => (inner as Tree | null | undefined)?.[part], patient);
  return typeof found === "string" ? found : "";
}

/** A stored record as a draft. The social security number stays out: it is shown to nobody, and sent only when it is typed anew. */
export function draftOf(patient: Patient): Draft {
  const draft = { ...EMPTY };
  for (const name of NAMES) draft[name] = at(patient, PLACES[name]);
  return { ...draft, ssn: "" };
}

function set(body: Tree, place: string, value: string | null) {
  const [first = "", second] = place.slice(1).split("/");
  if (second === undefined) body[first] = value;
  else body[first] = { ...(body[first] as Tree | undefined), [second]: value };
}

/** As the server takes it: without space around, and a birth date in its one form where it can be read. */
function plain(name: Name, draft: Draft, locale: string): string {
  const typed = draft[name].trim();
  return name === "date_of_birth" ? (readDate(typed, locale) ?? typed) : typed;
}

/** The fields of a new record: what was typed. */
export function fieldsOf(draft: Draft, locale: string): Tree {
  const body: Tree = {};
  for (const name of NAMES) {
    const value = plain(name, draft, locale);
    if (value !== "") set(body, PLACES[name], value);
  }
  return body;
}

/** The names of the fields that differ. */
export function changed(before: Draft, after: Draft, locale: string): Name[] {
  return NAMES.filter((name) => plain(name, before, locale) !== plain(name, after, locale));
}

/** The fields of a change: what differs from what was read, and `null` for what was emptied. */
export function changesOf(before: Draft, after: Draft, locale: string): Tree {
  const body: Tree = {};
  for (const name of changed(before, after, locale)) {
    const value = plain(name, after, locale);
    set(body, PLACES[name], value === "" || value === TAKEN_AWAY ? null : value);
  }
  return body;
}

/** Which field a fault belongs to, by its JSON pointer; an address as a whole is at its first field. */
export function nameAt(pointer: string): Name | undefined {
  const exact = NAMES.find((name) => PLACES[name] === pointer);
  return exact ?? NAMES.find((name) => pointer !== "" && PLACES[name].startsWith(`${pointer}/`));
}

/** What differs between three versions of a record. */
export interface Difference {
  /** Both have changed them, to different values. */
  both: Name[];
  /** Only the other has changed them. */
  theirs: Name[];
  /** Only this form has changed them. */
  yours: Name[];
}

/** What was read, what is stored now, and what is in the form. */
export function compare(read: Draft, stored: Draft, yours: Draft, locale: string): Difference {
  const [other, own] = [new Set(changed(read, stored, locale)), new Set(changed(read, yours, locale))];
  const differ = new Set(changed(stored, yours, locale));
  return {
    both: NAMES.filter((name) => other.has(name) && own.has(name) && differ.has(name)),
    theirs: NAMES.filter((name) => other.has(name) && !own.has(name)),
    yours: NAMES.filter((name) => own.has(name) && !other.has(name)),
  };
}
