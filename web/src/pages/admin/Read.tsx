import type { InfiniteData, UseInfiniteQueryResult, UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { More } from "../../ui/More";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Waiting } from "../audit/Waiting";

/** What was read, or that it is on its way, or why it is not here. */
export function Read<T>({ of, children }: { of: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  const { t } = useTranslation("access");
  if (of.data !== undefined) return children(of.data);
  if (of.error) return <ProblemAlert error={of.error} onRetry={() => void of.refetch()} />;
  return <Waiting label={t("loading")} />;
}

interface PagedProps<T> {
  of: UseInfiniteQueryResult<InfiniteData<T>>;
  children: (pages: [T, ...T[]]) => ReactNode;
}

/** The same for what is read page by page, with a way to read more. */
export function ReadPages<T>({ of, children }: PagedProps<T>) {
  const { t } = useTranslation("access");
  const { data, error, refetch } = of;
  const [first, ...rest] = data?.pages ?? [];
  if (first === undefined) {
    return error ? <ProblemAlert error={error} onRetry={() => void refetch()} /> : <Waiting label={t("loading")} />;
  }
  return (
    <>
      {children([first, ...rest])}
      <More of={of} label={t("more")} />
    </>
  );
}
