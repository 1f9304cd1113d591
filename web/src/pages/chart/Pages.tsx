import { Center, Loader, Stack } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Empty } from "../../ui/Empty";
import { More } from "../../ui/More";
import { ProblemAlert } from "../../ui/ProblemAlert";

interface Props<T> {
  list: UseInfiniteQueryResult<InfiniteData<{ items: T[] }>>;
  empty: { title: string; text?: string; action?: ReactNode };
  children: (items: T[]) => ReactNode;
}

/** A list that is read page by page: what is there, more on request, and what went wrong. */
export function Pages<T>({ list, empty, children }: Props<T>) {
  const { t } = useTranslation("chart");
  const { data, error, hasNextPage, refetch } = list;
  const items = data?.pages.flatMap((page) => page.items);
  if (!items) {
    if (error) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
    return (
      <Center py="md">
        <Loader aria-label={t("loading")} />
      </Center>
    );
  }
  if (items.length === 0 && !hasNextPage) {
    return (
      <Empty title={empty.title} action={empty.action}>
        {empty.text}
      </Empty>
    );
  }
  return (
    <Stack gap="sm">
      {children(items)}
      <More of={list} label={t("more")} />
    </Stack>
  );
}
