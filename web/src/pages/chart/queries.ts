import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import { session } from "../../app/session";

/** How long a chart is taken as it was read; every reading stands in the patient's access log. */
const STALE_MS = 60_000;
/** Doses of a page; few people have more in a life. */
const DOSES = 100;
const ITEMS = 20;

/** Why a record is read, for its access log: patients read their own at their own wish, whatever else is a clinical review. */
function purpose(patient: string) {
  const isOwn = session.current().user?.patient_id === patient;
  return isOwn ? { access_purpose: "PATRQT", patient_portal: true } : {};
}

/** Everything that was read about a patient; a write makes all of it stale. */
export const ofPatient = (id: string) => ["patient", id] as const;

export function useSummary(id: string) {
  return useQuery({
    queryKey: [...ofPatient(id), "summary"],
    staleTime: STALE_MS,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/patients/{id}/summary", { params: { path: { id }, query: purpose(id) }, signal })),
  });
}

interface Paged {
  next_cursor?: string | null;
}

const paging = {
  initialPageParam: "",
  getNextPageParam: (last: Paged) => last.next_cursor || undefined,
};

/** The parameters of one page of a list. */
const page = (limit: number, cursor: string) => (cursor ? { limit, cursor } : { limit });

export function useDoses(id: string, isWanted = true) {
  return useInfiniteQuery({
    ...paging,
    enabled: isWanted,
    queryKey: [...ofPatient(id), "immunizations"],
    staleTime: STALE_MS,
    queryFn: async ({ pageParam, signal }) =>
      body(
        await api.GET("/api/v1/patients/{id}/immunizations", {
          params: { path: { id }, query: { ...page(DOSES, pageParam), ...purpose(id) } },
          signal,
        }),
      ),
  });
}

export function useEncounters(id: string) {
  return useInfiniteQuery({
    ...paging,
    queryKey: [...ofPatient(id), "encounters"],
    staleTime: STALE_MS,
    queryFn: async ({ pageParam, signal }) =>
      body(
        await api.GET("/api/v1/patients/{id}/encounters", {
          params: { path: { id }, query: { ...page(ITEMS, pageParam), ...purpose(id) } },
          signal,
        }),
      ),
  });
}

/** The kinds of things that a timeline holds. */
export const KINDS = [
  "encounter",
  "immunization",
  "observation",
  "condition",
  "medication",
  "allergy",
  "report",
  "procedure",
  "document",
] as const;
export type Kind = (typeof KINDS)[number];

export function useTimeline(id: string, kinds: readonly Kind[]) {
  return useInfiniteQuery({
    ...paging,
    queryKey: [...ofPatient(id), "timeline", ...kinds],
    staleTime: STALE_MS,
    queryFn: async ({ pageParam, signal }) => {
      const query = { ...page(ITEMS, pageParam), ...purpose(id), ...(kinds.length > 0 && { kinds: [...kinds] }) };
      return body(await api.GET("/api/v1/patients/{id}/timeline", { params: { path: { id }, query }, signal }));
    },
  });
}

/** The two kinds of values that have trends. */
export type Measured = "vital-signs" | "lab-results";

export function useTrends(id: string, measured: Measured) {
  return useQuery({
    queryKey: [...ofPatient(id), measured, "trends"],
    staleTime: STALE_MS,
    queryFn: async ({ signal }) => {
      const request = { params: { path: { id }, query: purpose(id) }, signal };
      return measured === "vital-signs"
        ? body(await api.GET("/api/v1/patients/{id}/vital-signs/trends", request))
        : body(await api.GET("/api/v1/patients/{id}/lab-results/trends", request));
    },
  });
}

/** One dose as it is stored now, never from memory: what is corrected must be the newest. */
export async function readDose(id: string) {
  return body(await api.GET("/api/v1/immunizations/{id}", { params: { path: { id } } }));
}
