import { QueryClient } from "@tanstack/react-query";
import { Problem } from "../api/problem";

/** What pages have read, shared between them and thrown away at sign-out. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal does not get better by asking again; a server that is away may come back.
      retry: (count, error) => count < 2 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
    },
  },
});
