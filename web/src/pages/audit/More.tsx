import { Button, Center, Text, VisuallyHidden } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { ProblemAlert } from "../../ui/ProblemAlert";

interface Props<T> {
  list: UseInfiniteQueryResult<InfiniteData<{ items: T[] }>>;
  /** Entries shown so far. */
  shown: number;
}

/** The end of a list that is read page by page: more of it, or that this is all. */
export function More<T>({ list, shown }: Props<T>) {
  const { t } = useTranslation("audit");
  const { error, hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const end = useRef<HTMLParagraphElement>(null);
  const wasAsked = useRef(false);
  // The button is gone with the last page; whoever pressed it must not find the focus at the top of the page.
  useEffect(() => {
    if (!hasNextPage && wasAsked.current) end.current?.focus();
  }, [hasNextPage]);
  const more = () => {
    wasAsked.current = true;
    void fetchNextPage();
  };
  return (
    <>
      <VisuallyHidden role="status">{shown > 0 && t("list.loaded", { count: shown })}</VisuallyHidden>
      {error && <ProblemAlert error={error} onRetry={more} />}
      {hasNextPage && shown === 0 && <Text>{t("list.furtherText")}</Text>}
      {hasNextPage ? (
        <Center>
          <Button variant="default" loading={isFetchingNextPage} onClick={more}>
            {t(shown > 0 ? "list.more" : "list.further")}
          </Button>
        </Center>
      ) : (
        <Text ref={end} tabIndex={-1} ta="center" size="sm" c="dimmed">
          {t("list.end")}
        </Text>
      )}
    </>
  );
}
