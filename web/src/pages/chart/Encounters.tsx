import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./Chart.module.css";
import { useChart } from "./ChartContext";
import { named } from "./clinical";
import { Pages } from "./Pages";
import { useEncounters } from "./queries";
import { Section, Withheld } from "./Section";
import type { Encounter } from "./types";
import { When } from "./When";

/** Every encounter, latest first. */
export function Encounters() {
  const { t } = useTranslation("chart");
  const { summary } = useChart();
  const isWithheld = summary.withheld.includes("encounters");
  return <Section title={t("encounters.title")}>{isWithheld ? <Withheld /> : <Listed />}</Section>;
}

function Listed() {
  const { t } = useTranslation("chart");
  const { id } = useChart();
  return (
    <Pages list={useEncounters(id)} empty={{ title: t("encounters.empty"), text: t("encounters.emptyText") }}>
      {(items) => (
        <ul className={classes.items}>
          {items.map((encounter) => (
            <li key={encounter.id}>
              <EncounterLine encounter={encounter} />
            </li>
          ))}
        </ul>
      )}
    </Pages>
  );
}

/** What it was, why, who took part, where and when. */
export function EncounterLine({ encounter }: { encounter: Encounter }) {
  const { t } = useTranslation("chart");
  const { class: setting, status, reason, provider, place, start } = encounter;
  const about = [
    named(reason),
    provider,
    place,
    setting && t(`setting.${setting}`, { defaultValue: setting }),
    status && status !== "finished" && t(`status.${status}`, { defaultValue: status }),
  ];
  return (
    <>
      <div className={classes.line}>
        <bdi>{named(encounter.encounter_type, encounter.code) ?? t("unnamed")}</bdi>
        <Text component="span" size="sm" c="dimmed">
          {start ? <When at={start} /> : t("undated")}
        </Text>
      </div>
      <Text size="sm" c="dimmed">
        {about.filter(Boolean).join(" · ")}
      </Text>
    </>
  );
}
