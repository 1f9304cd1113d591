import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "../chart/Chart.module.css";
import { EncounterLine } from "../chart/Encounters";
import { Pages } from "../chart/Pages";
import { useEncounters } from "../chart/queries";
import { Section } from "../chart/Section";

/** Every visit, latest first. */
export function Visits({ id, isWithheld }: { id: string; isWithheld: boolean }) {
  const { t } = useTranslation("record");
  return (
    <Section title={t("visits.title")}>
      {isWithheld ? <Text size="sm">{t("withheld")}</Text> : <Listed id={id} />}
    </Section>
  );
}

function Listed({ id }: { id: string }) {
  const { t } = useTranslation("record");
  return (
    <Pages list={useEncounters(id)} empty={{ title: t("visits.emptyTitle"), text: t("visits.empty") }}>
      {(visits) => (
        <ul className={classes.items}>
          {visits.map((visit) => (
            <li key={visit.id}>
              <EncounterLine encounter={visit} />
            </li>
          ))}
        </ul>
      )}
    </Pages>
  );
}
