import { Button, Center } from "@mantine/core";
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { ProblemAlert } from "./ProblemAlert";

interface Props {
  of: Pick<UseInfiniteQueryResult, "error" | "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">;
  /** What the button says. */
  label: string;
}

/** The way to more of what is read page by page, and what went wrong on it. */
export function More({ of: { error, hasNextPage, isFetchingNextPage, fetchNextPage }, label }: Props) {
  return (
    <>
      {error && <ProblemAlert error={error} onRetry={() => void fetchNextPage()} />}
      {hasNextPage && (
        <Center>
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {label}
          </Button>
        </Center>
      )}
    </>
  );
}
