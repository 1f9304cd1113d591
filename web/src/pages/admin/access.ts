import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import * as calls from "../../api/access/admin";

const KEY = ["admin", "access"] as const;

/** Everything of one kind that is read at once. */
function useRead<T>(name: string, read: (signal: AbortSignal) => Promise<T>, id = "") {
  return useQuery({ queryKey: [...KEY, name, id], queryFn: ({ signal }) => read(signal) });
}

/** Does something after which whatever was read of access is old. */
export function useDo<Sent, Got>(work: (sent: Sent) => Promise<Got>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: work, onSettled: () => client.invalidateQueries({ queryKey: ["admin"] }) });
}

export const useRoles = () => useRead("roles", calls.readRoles);
export const usePermissions = () => useRead("permissions", calls.readPermissions);
export const useTenants = () => useRead("tenants", calls.readTenants);
export const usePolicy = () => useRead("policy", calls.readPolicy);
export const useReviews = () => useRead("reviews", calls.readReviews);

const paging = {
  initialPageParam: "",
  getNextPageParam: (last: { next_cursor?: string | null }) => last.next_cursor || undefined,
};

/** One round of reviewing, people page by page. */
export function useReview(id: string) {
  return useInfiniteQuery({
    ...paging,
    queryKey: [...KEY, "review", id],
    queryFn: ({ pageParam, signal }) => calls.readReview(id, pageParam, signal),
  });
}

/** The report, accounts page by page. */
export function useReport() {
  return useInfiniteQuery({
    ...paging,
    queryKey: [...KEY, "report"],
    queryFn: ({ pageParam, signal }) => calls.readReport(pageParam, signal),
  });
}
