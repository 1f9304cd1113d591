import { Center, Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, body } from "../../../api/client";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import classes from "../Chart.module.css";
import { useChart } from "../ChartContext";
import { ofPatient } from "../queries";
import { Section } from "../Section";
import type { Dose } from "../types";
import { When } from "../When";
import { useFieldText } from "./Comparison";
import { changed, draftOf } from "./draft";
import { type Version, versionsOf } from "./history";

/** Every version of a dose, latest first. */
export function useVersions(dose: Dose) {
  const { id } = useChart();
  return useQuery({
    queryKey: [...ofPatient(id), "history", dose.id, dose.version],
    queryFn: async ({ signal }) => {
      const path = { type: "Immunization", id: dose.id };
      return versionsOf(body(await api.GET("/fhir/{type}/{id}/_history", { params: { path }, signal })));
    },
  });
}

/** How a dose came to be what it is: every version, latest first, with what it changed. */
export function Versions({ dose }: { dose: Dose }) {
  const { t } = useTranslation("chart");
  const { data, error, refetch } = useVersions(dose);
  return (
    <Section title={t("versions.title")}>
      {error && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {!data && !error && (
        <Center py="md">
          <Loader aria-label={t("loading")} />
        </Center>
      )}
      <ol className={classes.items} reversed>
        {data?.map((version, place) => (
          <li key={version.number}>
            <OneVersion version={version} before={data[place + 1]} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

function OneVersion({ version, before }: { version: Version; before: Version | undefined }) {
  const { t } = useTranslation("chart");
  const text = useFieldText();
  const [now, was] = [draftOf(version.dose), before && draftOf(before.dose)];
  const fields = was ? changed(was, now) : [];
  const status = version.dose.status ?? "completed";
  return (
    <>
      <div className={classes.line}>
        <Text component="span" fw={600}>
          {t(before ? "versions.one" : "versions.first", { number: version.number })}
        </Text>
        <Text component="span" size="sm">
          <When at={version.at} />
        </Text>
      </div>
      {before && before.dose.status !== status && <Text size="sm">{t(`dose.status.${status}`)}</Text>}
      {fields.map((field) => (
        <Text key={field} size="sm">
          {t(`dose.field.${field}`)}: <del>{was && text(was, field)}</del> <ins>{text(now, field)}</ins>
        </Text>
      ))}
      {before && fields.length === 0 && before.dose.status === status && (
        <Text size="sm" c="dimmed">
          {t("versions.nothing")}
        </Text>
      )}
    </>
  );
}
