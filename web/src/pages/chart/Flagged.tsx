import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./Chart.module.css";
import { type Flag, flagOf, isOut, named, rangeSaid, shortOf, valueSaid } from "./clinical";
import type { Observation } from "./types";
import { useLocale } from "./When";

const SIGNS: Record<Flag, string> = {
  criticalLow: "⇊",
  low: "↓",
  normal: "",
  high: "↑",
  criticalHigh: "⇈",
  abnormal: "!",
};

/** How a value lies to what is expected: a sign and a word, never a colour alone. Normal values say nothing. */
export function FlagMark({ flag }: { flag: Flag | undefined }) {
  const { t } = useTranslation("chart");
  if (!flag || !isOut(flag)) return null;
  return (
    <Text component="span" inherit fw={700}>
      {" "}
      <span aria-hidden="true">{SIGNS[flag]}</span> {t(`flag.${flag}`)}
    </Text>
  );
}

/** What was measured, as people call it. */
export function useObservationName(): (observation: Observation) => string | undefined {
  const { t } = useTranslation("chart");
  return (observation) => {
    const short = shortOf(observation.code);
    return short ? t(`measure.${short}`) : named(observation.name, observation.code);
  };
}

/** The value of an observation, or those of its parts, each with its unit, flag and range. */
export function ObservationValue({ observation }: { observation: Observation }) {
  const { t } = useTranslation("chart");
  const locale = useLocale();
  const parts = observation.components ?? [];
  if (observation.value == null && parts.length > 0) {
    return (
      <bdi dir="ltr" className={classes.value}>
        {parts.map((part, place) => (
          <span key={part.code ?? part.name ?? place}>
            {place > 0 && " / "}
            <bdi dir="ltr">{valueSaid(part.value, place === parts.length - 1 ? part.unit : undefined, locale)}</bdi>
            <FlagMark flag={flagOf(part)} />
          </span>
        ))}
      </bdi>
    );
  }
  const range = rangeSaid(observation.low, observation.high, locale);
  // A number with its unit reads from left to right in every script.
  const value = valueSaid(observation.value, observation.unit, locale);
  return (
    <span className={classes.value}>
      {value ? <bdi dir={typeof observation.value === "number" ? "ltr" : "auto"}>{value}</bdi> : t("noValue")}
      <FlagMark flag={flagOf(observation)} />
      {range && (
        <Text component="span" size="xs" c="dimmed">
          {" "}
          ({t("range", { range })})
        </Text>
      )}
    </span>
  );
}
