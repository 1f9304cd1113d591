import { Button, Center, Group, Loader, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { usePermission, useSession } from "../../../app/session";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import classes from "../Chart.module.css";
import { useChart } from "../ChartContext";
import { ofPatient, readDose } from "../queries";
import { Section } from "../Section";
import type { Dose } from "../types";
import { When } from "../When";
import { codeText } from "./draft";
import { StatusBadge, usePlaces, volumeShown } from "./List";
import { useVersions, Versions } from "./Versions";
import { VoidDose } from "./VoidDose";

/** One dose: everything that is recorded of it, what can be done about it, and how it came to be so. */
export function DoseDetail() {
  const { t } = useTranslation("chart");
  const { id } = useChart();
  const { dose = "" } = useParams();
  const { data, error, refetch } = useQuery({
    queryKey: [...ofPatient(id), "immunization", dose],
    queryFn: () => readDose(dose),
  });
  if (data && data.patient_id === id) return <Shown dose={data} />;
  if (data) return <Section title={t("dose.title")}>{t("dose.elsewhere")}</Section>;
  if (error) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  return (
    <Center py="md">
      <Loader aria-label={t("loading")} />
    </Center>
  );
}

function Shown({ dose }: { dose: Dose }) {
  const { t } = useTranslation("chart");
  const { id } = useChart();
  const mayWrite = usePermission("healthcare:write");
  const [isVoiding, setVoiding] = useState(false);
  const isVoid = dose.status === "entered-in-error";
  return (
    <Stack>
      <Section
        title={dose.vaccine_name ?? codeText(dose.vaccine_code) ?? t("unnamed")}
        action={<StatusBadge status={dose.status} />}
      >
        <Fields dose={dose} />
        <Group mt="md">
          {mayWrite && !isVoid && (
            <>
              <Button component={Link} to={`/patients/${id}/immunizations/${dose.id}/correct`} variant="default">
                {t("dose.correct")}
              </Button>
              <Button variant="default" onClick={() => setVoiding(true)}>
                {t("dose.void")}
              </Button>
            </>
          )}
          <Button component={Link} to={`/patients/${id}/immunizations`} variant="subtle">
            {t("dose.back")}
          </Button>
        </Group>
      </Section>
      <Versions dose={dose} />
      {isVoiding && <VoidDose dose={dose} onClose={() => setVoiding(false)} />}
    </Stack>
  );
}

function Fields({ dose }: { dose: Dose }) {
  const { t } = useTranslation("chart");
  const place = usePlaces();
  const me = useSession().user;
  const named = useVersions(dose).data?.[0]?.provider;
  const isMine = dose.provider_id !== undefined && dose.provider_id === me?.id;
  const provider = named ?? dose.provider_id;
  const rows: [string, React.ReactNode][] = [
    ["day", dose.administered_at && <When at={dose.administered_at} />],
    ["code", codeText(dose.vaccine_code)],
    ["lot", dose.lot_number],
    ["expires", dose.expiration_date && <When at={dose.expiration_date} />],
    ["manufacturer", dose.manufacturer],
    ["site", place("site", dose.site)],
    ["route", place("route", dose.route)],
    ["volume", dose.dose_volume === undefined ? undefined : volumeShown(dose)],
    ["provider", isMine ? t("dose.byMe", { name: me?.username }) : provider],
    ["notes", dose.notes],
    ["recordedAt", <When key="at" at={dose.created_at} />],
  ];
  return (
    <dl className={classes.fields}>
      {rows.map(([name, value]) => (
        <div key={name} className={classes.pair}>
          <dt>{t(`dose.field.${name}`)}</dt>
          <dd>{value || t("dose.unsaid")}</dd>
        </div>
      ))}
    </dl>
  );
}
