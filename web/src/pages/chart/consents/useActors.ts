import { useMemo } from "react";
import type { Colleague } from "../../../api/access/admin";
import { useColleagues } from "./queries";

export interface Choice {
  value: string;
  label: string;
}

/** How a colleague stands in a rule or a team: as the practitioner who they are, else by the account. */
export const referenceOf = ({ id, practitioner_id: practitioner }: Colleague) =>
  practitioner ? `Practitioner/${practitioner}` : `Account/${id}`;

/** Those whom a rule or a team can name: colleagues, and whoever it names already; and how each is called. */
export function useActors(named: readonly string[] = []) {
  const { data } = useColleagues();
  const already = named.join("\n");
  return useMemo(() => {
    const known = new Map<string, string>();
    for (const colleague of data?.items ?? []) {
      const label = colleague.display_name ?? colleague.username;
      known.set(referenceOf(colleague), label);
      // A colleague may be named by the account although there is a practitioner.
      if (already.includes(`Account/${colleague.id}`)) known.set(`Account/${colleague.id}`, label);
    }
    for (const reference of already.split("\n"))
      if (reference && !known.has(reference)) known.set(reference, reference);
    const choices: Choice[] = [...known].map(([value, label]) => ({ value, label }));
    return { choices, name: (reference: string) => known.get(reference) ?? reference };
  }, [data, already]);
}
