import { Button, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { useTranslation } from "react-i18next";
import classes from "../chart/Chart.module.css";
import { codeText } from "../chart/immunizations/draft";
import { usePlaces } from "../chart/immunizations/List";
import { Pages } from "../chart/Pages";
import { PrintedDoses, useAllDoses } from "../chart/PrintedDoses";
import { PrintSheet } from "../chart/PrintSheet";
import { useDoses } from "../chart/queries";
import { Section } from "../chart/Section";
import type { Dose, Summary } from "../chart/types";
import { When } from "../chart/When";

/** Every vaccination, and a way to take the list along on paper. */
export function Vaccinations({ summary }: { summary: Summary }) {
  const { t } = useTranslation("record");
  const isWithheld = summary.withheld.includes("immunizations");
  return (
    <Section title={t("vaccinations.title")}>
      {isWithheld ? <Text size="sm">{t("withheld")}</Text> : <Listed summary={summary} />}
    </Section>
  );
}

function Listed({ summary }: { summary: Summary }) {
  const { t } = useTranslation("record");
  const { id } = summary.patient;
  const all = useAllDoses(id, true);
  const [isPrinting, setPrinting] = useState(false);
  useEffect(() => {
    const done = () => setPrinting(false);
    addEventListener("afterprint", done);
    return () => removeEventListener("afterprint", done);
  }, []);

  function print() {
    flushSync(() => setPrinting(true));
    window.print();
  }

  return (
    <Stack gap="sm">
      <div>
        <Button onClick={print} disabled={!all.isComplete || all.items.length === 0}>
          {t("vaccinations.print")}
        </Button>
      </div>
      <Pages list={useDoses(id)} empty={{ title: t("vaccinations.emptyTitle"), text: t("vaccinations.empty") }}>
        {(doses) => (
          <ul className={classes.items}>
            {doses
              .filter((dose) => dose.status !== "entered-in-error")
              .map((dose) => (
                <li key={dose.id}>
                  <Line dose={dose} />
                </li>
              ))}
          </ul>
        )}
      </Pages>
      {isPrinting && (
        <PrintSheet patient={summary.patient}>
          <h2>{t("vaccinations.title")}</h2>
          <PrintedDoses doses={all.items} />
        </PrintSheet>
      )}
    </Stack>
  );
}

function Line({ dose }: { dose: Dose }) {
  const { t } = useTranslation("record");
  const place = usePlaces();
  const about = [
    dose.status === "not-done" && t("vaccinations.notDone"),
    place("site", dose.site),
    dose.manufacturer,
    dose.lot_number && t("vaccinations.lot", { lot: dose.lot_number }),
  ];
  return (
    <>
      <div className={classes.line}>
        <bdi>{dose.vaccine_name ?? codeText(dose.vaccine_code)}</bdi>
        <span>{dose.administered_at && <When at={dose.administered_at} isDay />}</span>
      </div>
      <Text size="sm" c="dimmed">
        {about.filter(Boolean).join(" · ")}
      </Text>
    </>
  );
}
