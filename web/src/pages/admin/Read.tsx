import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Waiting } from "../audit/Waiting";

/** What was read, or that it is on its way, or why it is not here. */
export function Read<T>({ of, children }: { of: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  const { t } = useTranslation("access");
  if (of.data !== undefined) return children(of.data);
  if (of.error) return <ProblemAlert error={of.error} onRetry={() => void of.refetch()} />;
  return <Waiting label={t("loading")} />;
}
