import { Button, Checkbox, Group, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { ProblemAlert } from "../../ui/ProblemAlert";
import classes from "./Chart.module.css";
import { useChart } from "./ChartContext";
import { allergyStatement, holds, isCurrentMedication, isCurrentProblem, named } from "./clinical";
import { ObservationValue, useObservationName } from "./Flagged";
import { PrintedDoses, useAllDoses } from "./PrintedDoses";
import { PrintSheet } from "./PrintSheet";
import { Section } from "./Section";
import type { Observation } from "./types";
import { When } from "./When";

const PARTS = ["allergies", "problems", "medications", "immunizations", "vital_signs", "lab_results"] as const;
type Part = (typeof PARTS)[number];

/** Chooses what of the chart goes to the paper, and sends it there. Nothing is printed that was not asked for here. */
export default function PrintView() {
  const { t } = useTranslation("chart");
  const { id, summary } = useChart();
  const seen = PARTS.filter((part) => !summary.withheld.includes(part));
  const [parts, setParts] = useState<string[]>(seen.filter((part) => part !== "lab_results" && part !== "vital_signs"));
  const doses = useAllDoses(id, seen.includes("immunizations"));
  const isReady = !parts.includes("immunizations") || doses.isComplete;
  return (
    <Section title={t("print.title")}>
      <Stack gap="sm">
        <Text size="sm">{t("print.text")}</Text>
        <Checkbox.Group label={t("print.parts")} value={parts} onChange={setParts}>
          <Group mt="xs" className={classes.edged ?? ""}>
            {seen.map((part) => (
              <Checkbox key={part} value={part} label={t(`print.part.${part}`)} />
            ))}
          </Group>
        </Checkbox.Group>
        {summary.withheld.length > 0 && <Text size="sm">{t("print.withheld")}</Text>}
        {doses.error && <ProblemAlert error={doses.error} onRetry={doses.retry} />}
        <Group>
          <Button
            onClick={() => window.print()}
            loading={!isReady && !doses.error}
            disabled={!isReady || parts.length === 0}
          >
            {t("print.print")}
          </Button>
        </Group>
      </Stack>
      {isReady && (
        <PrintSheet patient={summary.patient}>
          {seen
            .filter((part) => parts.includes(part))
            .map((part) => (
              <section key={part}>
                <h2>{t(`print.part.${part}`)}</h2>
                {part === "immunizations" ? <PrintedDoses doses={doses.items} /> : <Printed part={part} />}
              </section>
            ))}
        </PrintSheet>
      )}
    </Section>
  );
}

function Printed({ part }: { part: Exclude<Part, "immunizations"> }) {
  const { t } = useTranslation("chart");
  const { summary } = useChart();
  const statement = allergyStatement(summary.allergies);
  const lists: Record<typeof part, () => [string, ReactNode][]> = {
    allergies: () =>
      (summary.allergies ?? [])
        .filter((one) => holds(one) && !(statement.kind === "none" && one === statement.statement))
        .map((one) => [
          one.id,
          [named(one.substance, one.code), named(one.reaction), one.severity].filter(Boolean).join(", "),
        ]),
    problems: () =>
      (summary.problems ?? []).filter(isCurrentProblem).map((one) => [one.id, named(one.condition, one.code)]),
    medications: () =>
      (summary.medications ?? [])
        .filter(isCurrentMedication)
        .map((one) => [one.id, [named(one.medication_name, one.code), one.dosage].filter(Boolean).join(", ")]),
    vital_signs: () => observed(summary.vital_signs),
    lab_results: () => observed(summary.lab_results),
  };
  const rows = lists[part]();
  if (part === "allergies" && statement.kind === "none") return <p>{t("allergies.none")}</p>;
  if (rows.length === 0) return <p>{t("print.nothing")}</p>;
  return (
    <ul>
      {rows.map(([id, text]) => (
        <li key={id}>{text}</li>
      ))}
    </ul>
  );
}

/** Values by id, each with its unit, flag and day. */
function observed(observations: Observation[] | undefined): [string, ReactNode][] {
  return (observations ?? []).map((one) => [one.id, <Observed key={one.id} observation={one} />]);
}

function Observed({ observation }: { observation: Observation }) {
  const name = useObservationName();
  return (
    <>
      {name(observation)}: <ObservationValue observation={observation} />{" "}
      {observation.at && <When at={observation.at} isDay />}
    </>
  );
}
