import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { readColleagues } from "../../../api/access/admin";
import { type ConsentDraft, changeConsent, makeConsent, readConsents, revokeConsent } from "../../../api/access/care";
import { ofPatient } from "../queries";

export function useConsents(id: string) {
  return useQuery({ queryKey: [...ofPatient(id), "consents"], queryFn: ({ signal }) => readConsents(id, signal) });
}

/** Records a consent, or the next version of one. What anybody may see changes with it, so all of the patient is read again. */
export function useStoreConsent(id: string, consent: { id: string; version: number } | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (draft: ConsentDraft) => (consent ? changeConsent(id, consent, draft) : makeConsent(id, draft)),
    onSettled: () => client.invalidateQueries({ queryKey: ofPatient(id) }),
  });
}

export function useRevokeConsent(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ consent, reason }: { consent: string; reason: string }) => revokeConsent(id, consent, reason),
    onSettled: () => client.invalidateQueries({ queryKey: ofPatient(id) }),
  });
}

/** Those who may be chosen for a rule or a team. */
export function useColleagues() {
  return useQuery({ queryKey: ["colleagues"], queryFn: ({ signal }) => readColleagues(signal) });
}
