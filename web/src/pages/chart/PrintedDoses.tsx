import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { codeText } from "./immunizations/draft";
import { usePlaces } from "./immunizations/List";
import { useDoses } from "./queries";
import type { Dose } from "./types";
import { When } from "./When";

/** Every dose of a patient, however many pages they fill: a list on paper must not end in the middle. */
export function useAllDoses(id: string, isWanted: boolean) {
  const { data, error, hasNextPage, isFetching, fetchNextPage, refetch } = useDoses(id, isWanted);
  useEffect(() => {
    if (hasNextPage && !isFetching && !error) void fetchNextPage();
  }, [hasNextPage, isFetching, error, fetchNextPage]);
  return {
    items: data?.pages.flatMap((page) => page.items) ?? [],
    isComplete: data !== undefined && !hasNextPage,
    error,
    retry: () => void refetch(),
  };
}

/** Doses as a table for the paper. What was entered in error or not given is no immunization and is left out. */
export function PrintedDoses({ doses }: { doses: Dose[] }) {
  const { t } = useTranslation("chart");
  const place = usePlaces();
  const given = doses.filter((dose) => (dose.status ?? "completed") === "completed");
  if (given.length === 0) return <p>{t("print.nothing")}</p>;
  return (
    <table>
      <thead>
        <tr>
          {["vaccine", "day", "lot", "manufacturer", "site"].map((field) => (
            <th key={field} scope="col">
              {t(`dose.field.${field}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {given.map((dose) => (
          <tr key={dose.id}>
            <td>{dose.vaccine_name ?? codeText(dose.vaccine_code)}</td>
            <td>{dose.administered_at && <When at={dose.administered_at} isDay />}</td>
            <td>{dose.lot_number}</td>
            <td>{dose.manufacturer}</td>
            <td>{place("site", dose.site)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
