import { Alert, Chip, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Chart.module.css";
import { useChart } from "./ChartContext";
import { named, shortOf, unitsIn } from "./clinical";
import { Pages } from "./Pages";
import { KINDS, type Kind, useTimeline } from "./queries";
import { Section } from "./Section";
import type { TimelineItem } from "./types";
import { useLocale, When } from "./When";
import { partsOf, said } from "./when";

/** Everything that happened, latest first, month by month; all kinds, or those that are chosen. */
export function Timeline() {
  const { t } = useTranslation("chart");
  const { id } = useChart();
  const [kinds, setKinds] = useState<Kind[]>([]);
  const list = useTimeline(id, kinds);
  const withheld = list.data?.pages[0]?.withheld ?? [];
  return (
    <Section title={t("timeline.title")}>
      <Stack gap="sm">
        <Chip.Group
          multiple
          value={kinds}
          onChange={(chosen) => setKinds(KINDS.filter((kind) => chosen.includes(kind)))}
        >
          <Group gap={6} role="group" className={classes.edged ?? ""} aria-label={t("timeline.filter")}>
            {KINDS.map((kind) => (
              <Chip key={kind} value={kind} size="sm" variant="outline">
                {t(`kind.${kind}`)}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
        {withheld.length > 0 && (
          <Alert color="gray" variant="outline">
            {t("timeline.withheld", { kinds: withheld.map((kind) => t(`kind.${kind}`)).join(", ") })}
          </Alert>
        )}
        <Pages
          list={list}
          empty={{
            title: t(kinds.length ? "timeline.emptyFiltered" : "timeline.empty"),
            text: t(kinds.length ? "timeline.emptyFilteredText" : "timeline.emptyText"),
          }}
        >
          {(items) => <Months items={items} />}
        </Pages>
      </Stack>
    </Section>
  );
}

/** The items in runs of the same month; what has no date stands last, under its own name. */
export function months(items: TimelineItem[]): { month: string; items: TimelineItem[] }[] {
  const runs: { month: string; items: TimelineItem[] }[] = [];
  for (const item of items) {
    const month = item.at ? partsOf(item.at).day.slice(0, 7) : "";
    const last = runs.at(-1);
    if (last && last.month === month) last.items.push(item);
    else runs.push({ month, items: [item] });
  }
  return runs;
}

function Months({ items }: { items: TimelineItem[] }) {
  const { t } = useTranslation("chart");
  const locale = useLocale();
  const titleOf = (item: TimelineItem) => {
    const short = shortOf(item.title);
    return short ? t(`measure.${short}`) : (named(item.title) ?? t("unnamed"));
  };
  return months(items).map(({ month, items: run }) => (
    <section key={`${month} ${run[0]?.id}`} aria-label={month ? said(month, locale, "long") : t("undated")}>
      <Text component="h3" fw={700} size="sm" mt="xs">
        {month ? said(month, locale, "long") : t("undated")}
      </Text>
      <ul className={classes.items}>
        {run.map((item) => (
          <li key={item.resource}>
            <div className={classes.line}>
              <span>
                <Text component="span" size="sm" c="dimmed">
                  {t(`kind.${item.kind}`)}:
                </Text>{" "}
                <bdi className={item.status === "entered-in-error" ? classes.retracted : undefined}>
                  {titleOf(item)}
                </bdi>
              </span>
              <Text component="span" size="sm" c="dimmed">
                {item.at && <When at={item.at} />}
              </Text>
            </div>
            <Detail item={item} />
          </li>
        ))}
      </ul>
    </section>
  ));
}

/** States that need no word: they are what one expects. */
const USUAL = new Set(["completed", "finished", "final", "active", "current"]);

function Detail({ item }: { item: TimelineItem }) {
  const { t } = useTranslation("chart");
  const status =
    item.status && !USUAL.has(item.status) ? t(`status.${item.status}`, { defaultValue: item.status }) : undefined;
  const plain = named(unitsIn(item.detail));
  const detail = plain && item.kind === "immunization" ? t("dose.lot", { lot: plain }) : plain;
  const text = [detail, status].filter(Boolean).join(" · ");
  return text ? (
    <Text size="sm" c="dimmed">
      <bdi>{text}</bdi>
    </Text>
  ) : null;
}
