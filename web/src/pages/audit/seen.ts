import { dayOf } from "./filter";
import type { Entry } from "./types";

/** What one person did on one day, newest first. */
export interface Visit {
  key: string;
  /** Day of this device's calendar. */
  day: string;
  /** Its newest entry, which says who it was. */
  newest: Entry;
  oldest: Entry;
  entries: Entry[];
  /** Entries under a signed checkpoint. */
  proven: number;
}

/** Entries by person and day; the person who was there last comes first. */
export function visitsOf(entries: readonly Entry[]): Visit[] {
  const visits = new Map<string, Visit>();
  for (const entry of entries) {
    const day = dayOf(entry.timestamp);
    // Whoever proved no identity is told apart by the name given.
    const key = `${day} ${entry.user_id ?? ""} ${entry.user_name ?? ""}`;
    const visit = visits.get(key);
    if (visit) {
      visit.entries.push(entry);
      visit.oldest = entry;
    } else {
      visits.set(key, { key, day, newest: entry, oldest: entry, entries: [entry], proven: 0 });
    }
  }
  for (const visit of visits.values()) {
    visit.proven = visit.entries.filter((entry) => entry.proof_state === "proven").length;
  }
  return [...visits.values()];
}

/** The same words said once, with how often, in the order in which they first come. */
export function counted<T>(items: readonly T[], say: (item: T) => string): { said: string; count: number; item: T }[] {
  const all = new Map<string, { said: string; count: number; item: T }>();
  for (const item of items) {
    const said = say(item);
    const known = all.get(said);
    if (known) known.count += 1;
    else all.set(said, { said, count: 1, item });
  }
  return [...all.values()];
}

/** Neighbours of which the same is said, together. */
export function runsOf<T>(items: readonly T[], say: (item: T) => string): [T, ...T[]][] {
  const runs: [T, ...T[]][] = [];
  let before: string | undefined;
  for (const item of items) {
    const said = say(item);
    const last = runs.at(-1);
    if (last && said === before) last.push(item);
    else runs.push([item]);
    before = said;
  }
  return runs;
}
