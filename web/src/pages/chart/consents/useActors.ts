import { useMemo } from "react";
import type { Colleague } from "../../../api/access/admin";
import type { Actor, Provision } from "../../../api/access/care";
import { useColleagues } from "./queries";

export interface Choice {
  value: string;
  label: string;
}

/** How a colleague stands in a rule or a team: as the practitioner who they are, else by the account. */
export const referenceOf = ({ id, practitioner_id: practitioner }: Colleague & { practitioner_id?: string }) =>
  practitioner ? `Practitioner/${practitioner}` : `User/${id}`;

/** Everybody whom a provision names, exceptions included. */
function actorsIn(provision: Provision | undefined): Actor[] {
  return [...(provision?.actors ?? []), ...(provision?.provisions ?? []).flatMap(actorsIn)];
}

/** Those whom a rule can name: colleagues, and whoever it names already. */
export function useActors(provision?: Provision) {
  const { data } = useColleagues();
  return useMemo(() => {
    const known = new Map<string, string>();
    for (const { reference, display } of actorsIn(provision)) known.set(reference, display ?? reference);
    for (const colleague of data?.items ?? [])
      known.set(referenceOf(colleague), colleague.display_name ?? colleague.username);
    const choices: Choice[] = [...known].map(([value, label]) => ({ value, label }));
    const named = (reference: string): Actor => {
      const display = known.get(reference);
      return display && display !== reference ? { reference, display } : { reference };
    };
    return { choices, named };
  }, [data, provision]);
}
