import { dayHere } from "../chart/when";

/** What the reader of the log has asked for; empty where nothing was. Days are those of this device's calendar. */
export interface Filter {
  who: string;
  action: string;
  outcome: string;
  patient: string;
  record: string;
  from: string;
  to: string;
}

export const EVERYTHING: Filter = { who: "", action: "", outcome: "", patient: "", record: "", from: "", to: "" };

/** How many filters are set. */
export const active = (filter: Filter) => Object.values(filter).filter((value) => value !== "").length;

/** The filter as the API takes it: whole days here become moments, the last one included. */
export function queryOf({ who, action, outcome, patient, record, from, to }: Filter): Record<string, string> {
  const given = {
    user_name: who,
    action,
    outcome,
    patient_id: patient,
    resource: record,
    date_from: from && dayBegins(from),
    date_to: to && dayBegins(to, 1),
  };
  return Object.fromEntries(
    Object.entries(given)
      .map(([name, value]) => [name, value.trim()])
      .filter(([, value]) => value),
  );
}

/** The moment at which a day (or one so many days later) begins here. */
function dayBegins(day: string, later = 0): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}

/** The day of a moment on this device's calendar. */
export const dayOf = (moment: string) => dayHere(new Date(moment));
