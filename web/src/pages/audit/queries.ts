import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import { Problem, problemOf } from "../../api/problem";
import { session } from "../../app/session";
import { type Filter, queryOf } from "./filter";
import type { Proof } from "./proof/check";

const ENTRIES = 25;
const SEEN = 100;
/** How long the log is taken as it was read: every reading is itself an entry. */
const STALE_MS = 60_000;

const paging = {
  initialPageParam: "",
  getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor || undefined,
  staleTime: STALE_MS,
  refetchOnWindowFocus: false,
};

const page = (cursor: string) => (cursor ? { limit: ENTRIES, cursor } : { limit: ENTRIES });

/** Entries that meet a filter, newest first. */
export function useEntries(filter: Filter) {
  return useInfiniteQuery({
    ...paging,
    queryKey: ["audit", "logs", filter],
    queryFn: async ({ pageParam, signal }) => {
      const query = { ...page(pageParam), ...queryOf(filter) };
      return body(await api.GET("/api/v1/audit/logs", { params: { query }, signal }));
    },
  });
}

/** Entries that concern one patient, newest first. */
export function useSeen(patientId: string) {
  return useInfiniteQuery({
    ...paging,
    queryKey: ["audit", "seen", patientId],
    queryFn: async ({ pageParam, signal }) => {
      const params = { path: { id: patientId }, query: { ...page(pageParam), limit: SEEN } };
      return body(await api.GET("/api/v1/audit/patients/{id}/disclosures", { params, signal }));
    },
  });
}

export function useEntry(id: string) {
  return useQuery({
    queryKey: ["audit", "entry", id],
    staleTime: STALE_MS,
    refetchOnWindowFocus: false,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/audit/logs/{id}", { params: { path: { id } }, signal })),
  });
}

export function useCheckpoints() {
  return useInfiniteQuery({
    ...paging,
    queryKey: ["audit", "checkpoints"],
    queryFn: async ({ pageParam, signal }) =>
      body(await api.GET("/api/v1/audit/checkpoints", { params: { query: page(pageParam) }, signal })),
  });
}

/** The proof for an entry, made now; never from memory. */
export async function readProof(id: string): Promise<Proof> {
  return body(await api.GET("/api/v1/audit/logs/{id}/proof", { params: { path: { id } } })) as unknown as Proof;
}

/** Has the whole log checked; the result stays on the page until one leaves it. */
export function useCheck() {
  return useMutation({
    mutationFn: async () => body(await api.POST("/api/v1/audit/verify-integrity")),
  });
}

/** The whole log as a file. */
export async function readExport(): Promise<Blob> {
  const headers = { Authorization: `Bearer ${await session.token()}`, Accept: "application/x-ndjson, */*;q=0.1" };
  const answer = await fetch("/api/v1/audit/export", { headers }).catch(() => {
    throw Problem.unreachable();
  });
  if (answer.status === 401) session.lost();
  if (!answer.ok) throw await problemOf(answer);
  // A connection that ends in the middle leaves no file behind.
  return await answer.blob().catch(() => {
    throw Problem.unreachable();
  });
}
