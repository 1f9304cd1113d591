import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./Chart.module.css";
import { useChart } from "./ChartContext";
import { Pages } from "./Pages";
import { useEncounters } from "./queries";
import { Section } from "./Section";
import type { Encounter } from "./types";
import { When } from "./When";

/** Every encounter, latest first. */
export function Encounters() {
  const { t } = useTranslation("chart");
  const { id } = useChart();
  const list = useEncounters(id);
  return (
    <Section title={t("encounters.title")}>
      <Pages list={list} empty={{ title: t("encounters.empty"), text: t("encounters.emptyText") }}>
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
    </Section>
  );
}

/** What it was, why, who took part, where and when. */
export function EncounterLine({ encounter }: { encounter: Encounter }) {
  const { t } = useTranslation("chart");
  const { class: setting, status, reason, provider, place, start } = encounter;
  const about = [
    reason,
    provider,
    place,
    setting && t(`setting.${setting}`, { defaultValue: setting }),
    status && status !== "finished" && t(`status.${status}`, { defaultValue: status }),
  ];
  return (
    <>
      <div className={classes.line}>
        <bdi>{encounter.encounter_type ?? encounter.code ?? t("unnamed")}</bdi>
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
