import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { breakGlass, type Glass, readGlass } from "../../../api/access/care";
import { usePermission, useSession } from "../../../app/session";
import { ofPatient } from "../queries";

const glassOf = (patient: string) => ["glass", patient] as const;

/** What this person has opened of a patient in an emergency and is still open. */
export function useGlass(patient: string): Glass | undefined {
  const { user } = useSession();
  const mayBreak = usePermission("healthcare:break_glass");
  const { data } = useQuery({
    queryKey: glassOf(patient),
    enabled: mayBreak,
    queryFn: ({ signal }) => readGlass("open", "", signal),
  });
  return data?.items.find(
    (one) => one.patient_id === patient && one.user_id === user?.id && Date.parse(one.ends_at) > Date.now(),
  );
}

/** Opens a hidden chart; it is read anew then. */
export function useBreakGlass(patient: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ reason, minutes }: { reason: string; minutes: number }) => breakGlass(patient, reason, minutes),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: glassOf(patient) });
      await client.resetQueries({ queryKey: ofPatient(patient) });
    },
  });
}

/** Milliseconds until a moment, every second anew; `onOver` is called once when it has come. */
export function useLeft(until: string, onOver: () => void): number {
  const [left, setLeft] = useState(() => Date.parse(until) - Date.now());
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is to be done at the end does not start the clock anew
  useEffect(() => {
    const timer = setInterval(() => {
      const ms = Date.parse(until) - Date.now();
      setLeft(ms);
      if (ms > 0) return;
      clearInterval(timer);
      onOver();
    }, 1000);
    return () => clearInterval(timer);
  }, [until]);
  return left;
}

/** A span as minutes and seconds, `9:05`. */
export function clockSaid(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
