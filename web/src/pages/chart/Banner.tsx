import { Badge, Button, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Banner.module.css";
import { allergyStatement, named } from "./clinical";
import { Born, nameOf, useAge } from "./Identity";
import type { Summary } from "./types";
import { When } from "./When";

/**
 * Whose chart this is, on every page of it and always in sight. Where there is little room it folds up and keeps the name and the
 * birth date, which are two identifiers, and how many allergies and alerts there are.
 */
export function Banner({ summary, children }: { summary: Summary; children?: ReactNode }) {
  const { t } = useTranslation("chart");
  const { patient } = summary;
  const age = useAge(patient);
  const [isOpen, { toggle }] = useDisclosure(false);
  const details = useId();
  return (
    <section className={classes.banner} aria-label={t("banner.label")}>
      <div className={classes.who}>
        <Title order={1} size="h3" className={classes.name} tabIndex={-1}>
          <bdi>{nameOf(patient)}</bdi>
        </Title>
        <Text component="span" className={classes.born}>
          <Born patient={patient} />
          {age && ` (${age})`}
        </Text>
        {patient.patient_status === "deceased" && <Badge color="gray">{t("banner.deceased")}</Badge>}
        {patient.patient_status === "inactive" && <Badge color="gray">{t("banner.inactive")}</Badge>}
        <Button
          className={classes.fold}
          variant="subtle"
          size="compact-sm"
          aria-expanded={isOpen}
          aria-controls={details}
          onClick={toggle}
        >
          {t(isOpen ? "banner.less" : "banner.more")}
        </Button>
      </div>
      <div id={details} className={classes.details} data-open={isOpen || undefined}>
        <Text component="span" size="sm">
          {t("banner.sex")} {t(`gender.${patient.gender ?? "unrecorded"}`)}
        </Text>
        <Text component="span" size="sm">
          {t("banner.mrn")} <bdi>{patient.medical_record_number ?? t("banner.unrecorded")}</bdi>
        </Text>
      </div>
      <div className={classes.warnings}>
        <Allergies summary={summary} isOpen={isOpen} />
        <Alerts summary={summary} isOpen={isOpen} />
      </div>
      {children}
    </section>
  );
}

interface Part {
  summary: Summary;
  isOpen: boolean;
}

function Allergies({ summary, isOpen }: Part) {
  const { t } = useTranslation("chart");
  const statement = allergyStatement(summary.allergies);
  if (statement.kind === "none") {
    const { recorded_at: at } = statement.statement;
    return (
      <Text component="span" size="sm">
        {t("allergies.none")}
        {at && (
          <>
            {" ("}
            <When at={at} isDay />)
          </>
        )}
      </Text>
    );
  }
  if (statement.kind === "partly") {
    const names = statement.statements.map((one) => named(one.substance, one.code) ?? t("unnamed"));
    return (
      <Text component="span" size="sm">
        {t("allergies.partly", { names: names.join(", ") })}
      </Text>
    );
  }
  if (statement.kind !== "some") {
    return (
      <Text component="span" size="sm">
        {t(`allergies.${statement.kind}`)}
      </Text>
    );
  }
  const { allergies } = statement;
  return (
    <div className={classes.alarm}>
      <Text component="span" size="sm" fw={700}>
        {t("allergies.title", { count: allergies.length })}
      </Text>
      <ul className={classes.list} data-open={isOpen || undefined}>
        {allergies.map((allergy) => (
          <li key={allergy.id}>
            <bdi>{named(allergy.substance, allergy.code) ?? t("unnamed")}</bdi>
            {allergy.severity && ` (${t(`severity.${allergy.severity}`, { defaultValue: allergy.severity })})`}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Alerts({ summary, isOpen }: Part) {
  const { t } = useTranslation("chart");
  const { alerts } = summary;
  if (!alerts) {
    return (
      <Text component="span" size="sm">
        {t("alerts.withheld")}
      </Text>
    );
  }
  if (alerts.length === 0) return null;
  return (
    <div className={classes.alarm}>
      <Text component="span" size="sm" fw={700}>
        {t("alerts.title", { count: alerts.length })}
      </Text>
      <ul className={classes.list} data-open={isOpen || undefined}>
        {alerts.map((alert) => (
          <li key={alert.id}>
            <bdi>{named(alert.title, alert.code) ?? t("unnamed")}</bdi>
          </li>
        ))}
      </ul>
    </div>
  );
}
