import { readDate } from "./dates";
import { type Draft, type Faults, NEEDED, TAKEN_AWAY } from "./draft";

/** Texts of faults that are found before anything is sent. */
export type FaultText = "needed" | "dateUnreadable" | "dateAhead" | "ssnForm" | "emailForm";

/** What can be seen to be wrong without the server, which checks everything again. `today` is an ISO date. */
export function check(draft: Draft, locale: string, today: string): Partial<Record<keyof Draft, FaultText>> {
  const faults: Partial<Record<keyof Draft, FaultText>> = {};
  for (const name of NEEDED) if (draft[name].trim() === "") faults[name] = "needed";
  const typed = draft.date_of_birth.trim();
  const born = readDate(typed, locale);
  if (typed !== "" && born === undefined) faults.date_of_birth = "dateUnreadable";
  if (born !== undefined && born > today.slice(0, born.length)) faults.date_of_birth = "dateAhead";
  const ssn = draft.ssn.trim();
  if (ssn !== "" && ssn !== TAKEN_AWAY && !/^(\d{9}|\d{3}-\d{2}-\d{4})$/.test(ssn)) faults.ssn = "ssnForm";
  const email = draft.email.trim();
  if (email !== "" && !/^.+@[^@]+$/.test(email)) faults.email = "emailForm";
  return faults;
}

/** The first field with a fault, in the order of the form. */
export function first(faults: Faults, names: readonly (keyof Draft)[]): keyof Draft | undefined {
  return names.find((name) => faults[name] !== undefined);
}
