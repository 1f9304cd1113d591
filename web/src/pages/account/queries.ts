import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import {
  changeProfile,
  endOtherSessions,
  endSession,
  type ProfileChange,
  readMe,
  readMfa,
  readPasskeys,
  readSessions,
} from "../../api/access/account";

const me = ["account", "me"] as const;
const sessions = ["account", "sessions"] as const;
const passkeys = ["account", "passkeys"] as const;

export function useMe() {
  return useQuery({ queryKey: me, queryFn: ({ signal }) => readMe(signal) });
}

export function useMfa() {
  return useQuery({ queryKey: ["account", "mfa"], queryFn: ({ signal }) => readMfa(signal) });
}

export function useChangeProfile() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: ProfileChange) => changeProfile(change),
    onSettled: () => client.invalidateQueries({ queryKey: me }),
  });
}

export function useSessions() {
  return useQuery({ queryKey: sessions, queryFn: ({ signal }) => readSessions(signal) });
}

/** Ends one session by its id, or all but this one. */
export function useEndSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string | undefined) => (id === undefined ? endOtherSessions() : endSession(id)),
    onSettled: () => client.invalidateQueries({ queryKey: sessions }),
  });
}

export function usePasskeys() {
  return useQuery({ queryKey: passkeys, queryFn: ({ signal }) => readPasskeys(signal) });
}

/** Has everything read again that tells how one shows who one is. */
export function useFactorsChanged() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["account"] });
}
