import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, body } from "../../../api/client";

const PAUSE_MS = 200;
const NAMES = 8;
/** Letters before the table is asked. */
const TYPED_MIN = 2;

/** Names of manufacturers that begin like what was typed. Where the table cannot be read, the field still takes any text. */
export function useManufacturers(typed: string): string[] {
  const [q] = useDebouncedValue(typed.trim(), PAUSE_MS);
  const { data } = useQuery({
    queryKey: ["manufacturers", q],
    enabled: q.length >= TYPED_MIN,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/iris/manufacturers", { params: { query: { q, limit: NAMES } }, signal })),
  });
  return [...new Set(data?.items.map((one) => one.name))];
}
