import { Alert, Anchor, Badge, List as Bullets, Button, Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { usePermission } from "../../../app/session";
import classes from "../Chart.module.css";
import { type Notice, useChart } from "../ChartContext";
import { Pages } from "../Pages";
import { useDoses } from "../queries";
import { Section, Withheld } from "../Section";
import type { Dose } from "../types";
import { When } from "../When";
import { codeText, volumeText } from "./draft";
import { codeOf, ROUTES, SITES } from "./places";

/** Every dose, latest first. */
export function List() {
  const { t } = useTranslation("chart");
  const { id, summary, notice } = useChart();
  const mayWrite = usePermission("healthcare:write");
  const isWithheld = summary.withheld.includes("immunizations");
  const record = mayWrite && (
    <Button component={Link} to={`/patients/${id}/immunizations/new`} variant="light">
      {t("dose.record")}
    </Button>
  );
  return (
    <Section title={t("immunizations.title")}>
      <Stack gap="sm">
        <div role="status">{notice && <Told notice={notice} />}</div>
        {isWithheld ? <Withheld /> : <Doses record={record} />}
      </Stack>
    </Section>
  );
}

function Doses({ record }: { record: React.ReactNode }) {
  const { t } = useTranslation("chart");
  const { id } = useChart();
  return (
    <Pages
      list={useDoses(id)}
      empty={{ title: t("immunizations.empty"), text: t("immunizations.emptyText"), action: record }}
    >
      {(doses) => (
        <ul className={classes.items}>
          {doses.map((dose) => (
            <li key={dose.id}>
              <DoseLine dose={dose} patient={id} />
            </li>
          ))}
        </ul>
      )}
    </Pages>
  );
}

function Told({ notice }: { notice: Notice }) {
  const { t } = useTranslation("chart");
  return (
    <Alert color={notice.warnings.length ? "orange" : "teal"} variant="outline" title={t(`dose.${notice.kind}`)}>
      {notice.warnings.length > 0 && (
        <>
          <Text size="sm">{t("dose.warnings")}</Text>
          <Bullets size="sm">
            {notice.warnings.map((warning) => (
              <Bullets.Item key={warning}>{warning}</Bullets.Item>
            ))}
          </Bullets>
        </>
      )}
    </Alert>
  );
}

/** A site or route in the reader's language, where it is one of the known ones. */
export function usePlaces(): (of: "site" | "route", text: string | undefined) => string | undefined {
  const { t } = useTranslation("chart");
  return (of, text) => {
    const code = text === undefined ? undefined : codeOf(of === "site" ? SITES : ROUTES, text);
    return code ? t(`${of}.${code}`) : text;
  };
}

function DoseLine({ dose, patient }: { dose: Dose; patient: string }) {
  const { t } = useTranslation("chart");
  const place = usePlaces();
  const about = [
    dose.lot_number && t("dose.lot", { lot: dose.lot_number }),
    dose.manufacturer,
    place("site", dose.site),
    place("route", dose.route),
    dose.dose_volume !== undefined && volumeShown(dose),
  ];
  return (
    <>
      <div className={classes.line}>
        <Group gap="xs">
          <Anchor
            component={Link}
            to={`/patients/${patient}/immunizations/${dose.id}`}
            className={dose.status === "entered-in-error" ? (classes.retracted ?? "") : ""}
          >
            {dose.vaccine_name ?? codeText(dose.vaccine_code) ?? t("unnamed")}
          </Anchor>
          <StatusBadge status={dose.status} />
        </Group>
        <Text component="span" size="sm">
          {dose.administered_at ? <When at={dose.administered_at} /> : t("undated")}
        </Text>
      </div>
      <Text size="sm" c="dimmed">
        {about.filter(Boolean).join(" · ")}
      </Text>
    </>
  );
}

/** An amount with its unit; a bare number is one of millilitres. */
export function volumeShown(dose: Dose): string {
  const text = volumeText(dose.dose_volume);
  return typeof dose.dose_volume === "number" ? `${text} mL` : text;
}

export function StatusBadge({ status }: { status: Dose["status"] }) {
  const { t } = useTranslation("chart");
  if (!status || status === "completed") return null;
  return (
    <Badge color="gray" variant="outline">
      {t(`dose.status.${status}`)}
    </Badge>
  );
}
