import { Anchor, Badge, Button, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import classes from "./Chart.module.css";
import { useChart } from "./ChartContext";
import { allergyStatement, holds, isCurrentMedication, isCurrentProblem, named } from "./clinical";
import { EncounterLine } from "./Encounters";
import { ObservationValue, useObservationName } from "./Flagged";
import { Nothing, Section, Withheld } from "./Section";
import type { Allergy, Medication, Observation, Problem } from "./types";
import { When } from "./When";

/** Rows of a list that the overview shows; the whole stands on its own page. */
const LATEST = 5;
/** Rows of vital signs and results. */
const VALUES = 12;

/** What matters about the patient, on one page. */
export function Overview() {
  return (
    <div className={classes.grid}>
      <Problems />
      <Medications />
      <Allergies />
      <Immunizations />
      <Values of="vital_signs" />
      <Values of="lab_results" />
      <LatestEncounters />
    </div>
  );
}

function Problems() {
  const { t } = useTranslation("chart");
  const { summary } = useChart();
  const { problems } = summary;
  return (
    <Section title={t("problems.title")} count={problems?.filter(isCurrentProblem).length}>
      {problems ? (
        <Split
          items={problems}
          isCurrent={isCurrentProblem}
          empty={problems.length ? t("problems.noneCurrent") : t("problems.empty")}
          more={(count) => t("problems.past", { count })}
          show={(problem) => <ProblemLine problem={problem} />}
        />
      ) : (
        <Withheld />
      )}
    </Section>
  );
}

function ProblemLine({ problem }: { problem: Problem }) {
  const { t } = useTranslation("chart");
  const since = problem.onset ?? problem.recorded_at;
  return (
    <div className={classes.line}>
      <span>
        <bdi>{named(problem.condition, problem.code) ?? t("unnamed")}</bdi>
        <Doubt verification={problem.verification} />
      </span>
      <Text component="span" size="sm" c="dimmed">
        {since && (
          <>
            {t("since")} <When at={since} isDay />
          </>
        )}
        {problem.abated && (
          <>
            {" "}
            {t("until")} <When at={problem.abated} isDay />
          </>
        )}
      </Text>
    </div>
  );
}

/** A record that is not confirmed says so. */
function Doubt({ verification }: { verification?: string | undefined }) {
  const { t } = useTranslation("chart");
  if (!verification || verification === "confirmed") return null;
  return (
    <Badge ms={6} variant="outline" color="gray" size="sm">
      {t(`verification.${verification}`, { defaultValue: verification })}
    </Badge>
  );
}

function Medications() {
  const { t } = useTranslation("chart");
  const { summary } = useChart();
  const { medications } = summary;
  return (
    <Section title={t("medications.title")} count={medications?.filter(isCurrentMedication).length}>
      {medications ? (
        <Split
          items={medications}
          isCurrent={isCurrentMedication}
          empty={medications.length ? t("medications.noneCurrent") : t("medications.empty")}
          more={(count) => t("medications.past", { count })}
          show={(medication) => <MedicationLine medication={medication} />}
        />
      ) : (
        <Withheld />
      )}
    </Section>
  );
}

function MedicationLine({ medication }: { medication: Medication }) {
  const { t } = useTranslation("chart");
  const { status } = medication;
  return (
    <div className={classes.line}>
      <span>
        <bdi>{named(medication.medication_name, medication.code) ?? t("unnamed")}</bdi>
        {medication.dosage && (
          <Text size="sm" c="dimmed">
            {medication.dosage}
          </Text>
        )}
      </span>
      <Text component="span" size="sm" c="dimmed">
        {status && status !== "active" && `${t(`status.${status}`, { defaultValue: status })} `}
        {medication.since && (
          <>
            {t("since")} <When at={medication.since} isDay />
          </>
        )}
      </Text>
    </div>
  );
}

function Allergies() {
  const { t } = useTranslation("chart");
  const { summary } = useChart();
  const { allergies } = summary;
  const statement = allergyStatement(allergies);
  // That there are none is a record too, but no allergy.
  const listed = statement.kind === "none" ? allergies?.filter((item) => item !== statement.statement) : allergies;
  return (
    <Section title={t("allergies.heading")} count={listed?.filter(holds).length}>
      {statement.kind === "none" && <Text size="sm">{t("allergies.none")}</Text>}
      {listed ? (
        <Split
          items={listed}
          isCurrent={holds}
          empty={statement.kind === "none" ? undefined : t("allergies.empty")}
          more={(count) => t("allergies.past", { count })}
          show={(allergy) => <AllergyLine allergy={allergy} />}
        />
      ) : (
        <Withheld />
      )}
    </Section>
  );
}

function AllergyLine({ allergy }: { allergy: Allergy }) {
  const { t } = useTranslation("chart");
  const severity = allergy.severity && t(`severity.${allergy.severity}`, { defaultValue: allergy.severity });
  return (
    <div className={classes.line}>
      <span>
        <bdi>{named(allergy.substance, allergy.code) ?? t("unnamed")}</bdi>
        <Doubt verification={allergy.verification} />
      </span>
      <Text component="span" size="sm" c="dimmed">
        {[named(allergy.reaction), severity].filter(Boolean).join(", ")}
      </Text>
    </div>
  );
}

function Immunizations() {
  const { t } = useTranslation("chart");
  const { id, summary } = useChart();
  const { immunizations, counts } = summary;
  const all = (
    <Anchor component={Link} to={`/patients/${id}/immunizations`} size="sm">
      {t("all")}
    </Anchor>
  );
  return (
    <Section title={t("immunizations.title")} count={counts.immunizations} action={all}>
      {immunizations === undefined && <Withheld />}
      {immunizations?.length === 0 && <Nothing>{t("immunizations.empty")}</Nothing>}
      <ul className={classes.items}>
        {immunizations?.slice(0, LATEST).map((dose) => (
          <li key={dose.id} className={classes.line}>
            <bdi className={dose.status === "entered-in-error" ? classes.retracted : undefined}>
              {dose.vaccine_name ?? dose.vaccine_code ?? t("unnamed")}
            </bdi>
            <Text component="span" size="sm" c="dimmed">
              {dose.status && dose.status !== "completed" && `${t(`dose.status.${dose.status}`)} `}
              {dose.administered_at && <When at={dose.administered_at} isDay />}
            </Text>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Values({ of }: { of: "vital_signs" | "lab_results" }) {
  const { t } = useTranslation("chart");
  const { id, summary, choose } = useChart();
  const values: Observation[] | undefined = summary[of];
  const name = useObservationName();
  const trends = (
    <Anchor component={Link} to={`/patients/${id}/results`} size="sm" onClick={() => choose(undefined)}>
      {t("results.open")}
    </Anchor>
  );
  return (
    <Section title={t(`${of}.title`)} action={trends}>
      {values === undefined && <Withheld />}
      {values?.length === 0 && <Nothing>{t(`${of}.empty`)}</Nothing>}
      <ul className={classes.items}>
        {values?.slice(0, VALUES).map((observation) => (
          <li key={observation.id}>
            <div className={classes.line}>
              <Anchor
                component={Link}
                to={`/patients/${id}/results`}
                onClick={() => choose(observation.components?.[0]?.code ?? observation.code)}
              >
                {name(observation) ?? t("unnamed")}
              </Anchor>
              <Text component="span" size="sm" c="dimmed">
                {observation.at && <When at={observation.at} isDay />}
              </Text>
            </div>
            <ObservationValue observation={observation} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function LatestEncounters() {
  const { t } = useTranslation("chart");
  const { id, summary } = useChart();
  const { encounters, counts } = summary;
  const all = (
    <Anchor component={Link} to={`/patients/${id}/encounters`} size="sm">
      {t("all")}
    </Anchor>
  );
  return (
    <Section title={t("encounters.title")} count={counts.encounters} action={all}>
      {encounters === undefined && <Withheld />}
      {encounters?.length === 0 && <Nothing>{t("encounters.empty")}</Nothing>}
      <ul className={classes.items}>
        {encounters?.slice(0, LATEST).map((encounter) => (
          <li key={encounter.id}>
            <EncounterLine encounter={encounter} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

interface SplitProps<T> {
  items: T[];
  isCurrent: (item: T) => boolean;
  /** Said where nothing is current. */
  empty: string | undefined;
  /** What opens those that are over. */
  more: (count: number) => string;
  show: (item: T) => ReactNode;
}

/** What holds now, and behind a button what is over. */
function Split<T extends { id: string }>({ items, isCurrent, empty, more, show }: SplitProps<T>) {
  const [isOpen, { toggle }] = useDisclosure(false);
  const current = items.filter(isCurrent);
  const past = items.filter((item) => !isCurrent(item));
  const list = (rows: T[]) => (
    <ul className={classes.items}>
      {rows.map((item) => (
        <li key={item.id}>{show(item)}</li>
      ))}
    </ul>
  );
  return (
    <Fragment>
      {current.length > 0 ? list(current) : empty && <Nothing>{empty}</Nothing>}
      {past.length > 0 && (
        <>
          <Button variant="subtle" size="compact-sm" mt={4} aria-expanded={isOpen} onClick={toggle}>
            {more(past.length)}
          </Button>
          {isOpen && list(past)}
        </>
      )}
    </Fragment>
  );
}
