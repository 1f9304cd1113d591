import { Accordion, Alert, Center, Loader, Stack, Table, Text } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { TrendChart } from "../../ui/charts/TrendChart";
import type { TrendPoint } from "../../ui/charts/trend";
import { Empty } from "../../ui/Empty";
import { ProblemAlert } from "../../ui/ProblemAlert";
import classes from "./Chart.module.css";
import { isOut, rangeSaid, valueSaid } from "./clinical";
import { FlagMark } from "./Flagged";
import { type Measured, useTrends } from "./queries";
import { Section, Withheld } from "./Section";
import { flagIn, type Gist, gistOf, keyOf } from "./series";
import type { Series } from "./types";
import { useLocale, When } from "./When";
import { daySaid, said } from "./when";

interface Props {
  /** Whose results. */
  patient: string;
  /** Lists that this role may not see. */
  withheld: readonly string[];
  /** Code of the series to begin with. */
  chosen?: string | undefined;
}

/** Vital signs and laboratory results over time: each as a sentence, a chart and a table, which say the same. */
export default function Results({ patient, withheld, chosen }: Props) {
  return (
    <Stack>
      <Trends patient={patient} measured="vital-signs" isWithheld={withheld.includes("vital_signs")} chosen={chosen} />
      <Trends patient={patient} measured="lab-results" isWithheld={withheld.includes("lab_results")} chosen={chosen} />
    </Stack>
  );
}

interface TrendsProps {
  patient: string;
  measured: Measured;
  isWithheld: boolean;
  chosen: string | undefined;
}

function Trends({ patient, measured, isWithheld, chosen }: TrendsProps) {
  const { t } = useTranslation("chart");
  const name = measured === "vital-signs" ? "vital_signs" : "lab_results";
  return (
    <Section title={t(`${name}.title`)}>
      {isWithheld ? <Withheld /> : <Readable patient={patient} measured={measured} name={name} chosen={chosen} />}
    </Section>
  );
}

function Readable({ patient, measured, name, chosen }: Omit<TrendsProps, "isWithheld"> & { name: string }) {
  const { t } = useTranslation("chart");
  const { data, error, refetch } = useTrends(patient, measured);
  if (!data) {
    if (error) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
    return (
      <Center py="md">
        <Loader aria-label={t("loading")} />
      </Center>
    );
  }
  if (data.series.length === 0) return <Empty title={t(`${name}.empty`)}>{t("results.emptyText")}</Empty>;
  return (
    <>
      {data.truncated && (
        <Alert color="gray" variant="outline" mb="sm">
          {t("results.truncated")}
        </Alert>
      )}
      <SeriesList all={data.series} chosen={chosen} />
    </>
  );
}

function SeriesList({ all, chosen }: { all: Series[]; chosen: string | undefined }) {
  // Places serve as ids of the parts: the names of series are no ids.
  const first = all.findIndex((series) => chosen !== undefined && series.code === chosen);
  const [open, setOpen] = useState<string[]>(first < 0 ? [] : [String(first)]);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (first < 0) return;
    place.current?.querySelector<HTMLElement>('[aria-expanded="true"]')?.focus();
  }, [first]);
  return (
    <Accordion multiple value={open} onChange={setOpen} variant="separated" ref={place} order={3}>
      {all.map((series, index) => (
        <OneSeries key={keyOf(series)} value={String(index)} series={series} isOpen={open.includes(String(index))} />
      ))}
    </Accordion>
  );
}

interface OneProps {
  value: string;
  series: Series;
  isOpen: boolean;
}

function OneSeries({ value, series, isOpen }: OneProps) {
  const { t } = useTranslation("chart");
  const locale = useLocale();
  const gist = gistOf(series);
  if (!gist) return null;
  return (
    <Accordion.Item value={value}>
      <Accordion.Control>
        <span className={`${classes.line} ${classes.control}`}>
          <span>{series.name}</span>
          <span className={classes.value}>
            <bdi dir="ltr">{valueSaid(gist.last.value, series.unit, locale)}</bdi>
            <FlagMark flag={gist.flag} />
            <Text component="span" size="sm" c="dimmed">
              {" · "}
              {daySaid(gist.last.at, locale)}
              {" · "}
              {t("results.count", { count: gist.count })}
            </Text>
          </span>
        </span>
      </Accordion.Control>
      <Accordion.Panel>{isOpen && <Told series={series} gist={gist} />}</Accordion.Panel>
    </Accordion.Item>
  );
}

/** The summary of a trend in words. */
export function useGistText(series: Series, gist: Gist): string {
  const { t } = useTranslation("chart");
  const locale = useLocale();
  const value = (number: number) => valueSaid(number, series.unit, locale);
  const range = rangeSaid(series.low, series.high, locale);
  const sentences = [
    t("results.latest", { value: value(gist.last.value), date: daySaid(gist.last.at, locale) }),
    gist.flag && t(`results.flag.${gist.flag}`),
    range && t("results.range", { range }),
    gist.direction && t(`results.direction.${gist.direction}`),
    gist.count > 1 &&
      t("results.extremes", {
        count: gist.count,
        from: daySaid(gist.first.at, locale),
        lowest: value(gist.lowest.value),
        highest: value(gist.highest.value),
      }),
    gist.out > 0 && gist.count > 1 && t("results.out", { count: gist.out }),
  ];
  return sentences.filter(Boolean).join(" ");
}

function Told({ series, gist }: { series: Series; gist: Gist }) {
  const { t } = useTranslation("chart");
  const locale = useLocale();
  const text = useGistText(series, gist);
  const points = useMemo<TrendPoint[]>(
    () =>
      series.points.map((point) => {
        const flag = flagIn(series, point);
        const words = [said(point.at, locale), valueSaid(point.value, series.unit, locale)];
        if (flag && isOut(flag)) words.push(t(`flag.${flag}`));
        return { at: Date.parse(point.at), value: point.value, isOut: isOut(flag), text: words.join(", ") };
      }),
    [series, locale, t],
  );
  const frame = useMemo(() => {
    const end = (value: number | null | undefined) => value ?? undefined;
    return {
      low: end(series.low),
      high: end(series.high),
      lowText: series.low == null ? "" : t("results.low", { value: valueSaid(series.low, series.unit, locale) }),
      highText: series.high == null ? "" : t("results.high", { value: valueSaid(series.high, series.unit, locale) }),
    };
  }, [series, locale, t]);
  return (
    <Stack gap="xs">
      <Text size="sm">{text}</Text>
      <TrendChart points={points} frame={frame} locale={locale} label={series.name} hint={t("results.hint")} />
      <ValueTable series={series} />
    </Stack>
  );
}

/** The same values as the chart's, latest first. */
function ValueTable({ series }: { series: Series }) {
  const { t } = useTranslation("chart");
  const locale = useLocale();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls has to be reached by keyboard
    <section className={classes.scroll} tabIndex={0} aria-label={t("results.table", { name: series.name })}>
      <Table striped withTableBorder>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t("results.when")}</Table.Th>
            <Table.Th scope="col">{t("results.value")}</Table.Th>
            <Table.Th scope="col">{t("results.compared")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {series.points.toReversed().map((point) => {
            const flag = flagIn(series, point);
            return (
              <Table.Tr key={`${point.id} ${point.at}`}>
                <Table.Td>
                  <When at={point.at} />
                </Table.Td>
                <Table.Td className={classes.value}>
                  <bdi dir="ltr">{valueSaid(point.value, series.unit, locale)}</bdi>
                </Table.Td>
                <Table.Td>{flag === "normal" ? t("flag.normal") : flag ? <FlagMark flag={flag} /> : "–"}</Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </section>
  );
}
