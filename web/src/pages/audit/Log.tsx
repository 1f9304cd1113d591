import { Alert, Anchor, Button, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Empty } from "../../ui/Empty";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { When } from "../chart/When";
import classes from "./Audit.module.css";
import { useFiltering } from "./FilterContext";
import { Filters } from "./Filters";
import { active, EVERYTHING } from "./filter";
import { OutcomeMark, ProofMark } from "./Marks";
import { More } from "./More";
import { useEntries } from "./queries";
import { runsOf } from "./seen";
import type { Entry } from "./types";
import { Waiting } from "./Waiting";
import { sentenceOf } from "./words";

/** The log with its filters. */
export function Log() {
  const { t } = useTranslation("audit");
  const { filter, set } = useFiltering();
  const list = useEntries(filter);
  const again = (
    <Button variant="default" loading={list.isRefetching} onClick={() => void list.refetch()}>
      {t("list.newest")}
    </Button>
  );
  return (
    <Page title={t("title")} actions={again}>
      <Filters filter={filter} onApply={set} />
      <Entries list={list} isFiltered={active(filter) > 0} onReset={() => set(EVERYTHING)} />
    </Page>
  );
}

interface Props {
  list: ReturnType<typeof useEntries>;
  isFiltered: boolean;
  onReset: () => void;
}

function Entries({ list, isFiltered, onReset }: Props) {
  const { t } = useTranslation("audit");
  if (!list.data) {
    if (list.error) return <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />;
    return <Waiting label={t("loading")} />;
  }
  const entries = list.data.pages.flatMap((page) => page.items);
  const unreadable = list.data.pages.reduce((count, page) => count + (page.unreadable ?? 0), 0);
  const pending = list.data.pages[0]?.pending ?? 0;
  if (entries.length === 0 && !list.hasNextPage && unreadable === 0) {
    const reset = isFiltered && <Button onClick={onReset}>{t("filter.reset")}</Button>;
    return (
      <Empty title={t(isFiltered ? "list.emptyFiltered" : "list.empty")} action={reset}>
        {t(isFiltered ? "list.emptyFilteredText" : "list.emptyText")}
      </Empty>
    );
  }
  return (
    <Stack gap="sm">
      {pending > 0 && <Text size="sm">{t("list.pending", { count: pending })}</Text>}
      {unreadable > 0 && <Unreadable count={unreadable} />}
      {entries.length > 0 && (
        <ul className={classes.list} aria-label={t("list.label")}>
          {runsOf(entries, (entry) => `${entry.outcome} ${sentenceOf(entry, t)}`).map(([first, ...same]) => (
            <li key={first.id}>
              <EntryRow entry={first} />
              {same.length > 0 && <Same entries={same} />}
            </li>
          ))}
        </ul>
      )}
      <More list={list} shown={entries.length} />
    </Stack>
  );
}

function EntryRow({ entry }: { entry: Entry }) {
  const { t } = useTranslation("audit");
  return (
    <div className={classes.row}>
      <Anchor component={Link} to={`/audit/entries/${entry.id}`} className={classes.said ?? ""}>
        {sentenceOf(entry, t)}
      </Anchor>
      <div className={classes.meta}>
        <OutcomeMark outcome={entry.outcome} />
        <Text component="span" size="sm" c="dimmed">
          <When at={entry.timestamp} />
        </Text>
        <ProofMark state={entry.proof_state} />
      </div>
    </div>
  );
}

/** What somebody did again and again, one after the other; folded, so that it does not hide what else there is. */
function Same({ entries }: { entries: Entry[] }) {
  const { t } = useTranslation("audit");
  return (
    <details>
      <summary>{t("list.same", { count: entries.length })}</summary>
      <ul className={classes.list}>
        {entries.map((entry) => (
          <li key={entry.id}>
            <EntryRow entry={entry} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Unreadable({ count }: { count: number }) {
  const { t } = useTranslation("audit");
  return (
    <Alert color="red" variant="outline" title={t("list.unreadable", { count })}>
      {t("list.unreadableText")}{" "}
      <Anchor component={Link} to="/audit/check">
        {t("list.toCheck")}
      </Anchor>
    </Alert>
  );
}
