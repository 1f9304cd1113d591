import { Button, Checkbox, Group, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { ProblemAlert } from "../../ui/ProblemAlert";
import classes from "./Chart.module.css";
import { useChart } from "./ChartContext";
import { allergyStatement, holds, isCurrentMedication, isCurrentProblem } from "./clinical";
import { ObservationValue } from "./Flagged";
import { PrintedDoses, useAllDoses } from "./PrintedDoses";
import { PrintSheet } from "./PrintSheet";
import { Section } from "./Section";
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
        .map((one) => [one.id, [one.substance ?? one.code, one.reaction, one.severity].filter(Boolean).join(", ")]),
    problems: () => (summary.problems ?? []).filter(isCurrentProblem).map((one) => [one.id, one.condition ?? one.code]),
    medications: () =>
      (summary.medications ?? [])
        .filter(isCurrentMedication)
        .map((one) => [one.id, [one.medication_name ?? one.code, one.dosage].filter(Boolean).join(", ")]),
    vital_signs: () => (summary.vital_signs ?? []).map(observed),
    lab_results: () => (summary.lab_results ?? []).map(observed),
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

function observed(observation: Parameters<typeof ObservationValue>[0]["observation"]): [string, ReactNode] {
  return [
    observation.id,
    <>
      {observation.name ?? observation.code}: <ObservationValue observation={observation} />{" "}
      {observation.at && <When at={observation.at} isDay />}
    </>,
  ];
}
