import { Alert, Anchor, Button, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { useLocale } from "../chart/When";
import classes from "./Audit.module.css";
import { useFiltering } from "./FilterContext";
import { EVERYTHING, type Filter } from "./filter";
import { OutcomeMark, ProofMark } from "./Marks";
import { ProofCheck } from "./ProofCheck";
import { useEntry } from "./queries";
import type { Entry } from "./types";
import { Waiting } from "./Waiting";
import { optionOf, sentenceOf, short } from "./words";

/** One entry with everything it says, and its proof. */
export function EntryPage() {
  const { t } = useTranslation("audit");
  const { id = "" } = useParams();
  const { data, error, refetch } = useEntry(id);
  return (
    <Page title={t("entry.title", { id })} actions={<BackToEntries />}>
      {data && <Whole key={id} entry={data} />}
      {!data && error && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Waiting label={t("loading")} />}
    </Page>
  );
}

function BackToEntries() {
  const { t } = useTranslation("audit");
  return (
    <Button component={Link} to="/audit" variant="default">
      {t("entry.back")}
    </Button>
  );
}

function Whole({ entry }: { entry: Entry }) {
  const { t } = useTranslation("audit");
  return (
    <Stack>
      <Text size="lg" fw={600}>
        {sentenceOf(entry, t)}
      </Text>
      {entry.content !== "open" && (
        <Alert color={entry.content === "damaged" ? "red" : "gray"} variant="outline">
          {t(`content.${entry.content}`)}
        </Alert>
      )}
      <Members entry={entry} />
      <ProofCheck entry={entry} />
    </Stack>
  );
}

function Members({ entry }: { entry: Entry }) {
  const { t } = useTranslation("audit");
  const outcome = entry.outcome === "success" ? t("outcome.success") : <OutcomeMark outcome={entry.outcome} />;
  const rows: [string, ReactNode][] = [
    ["position", entry.id],
    ["at", <Exact key="at" at={entry.timestamp} />],
    ["userName", entry.user_name && <Name key="name" name={entry.user_name} />],
    ["userId", entry.user_id && <code>{entry.user_id}</code>],
    ["action", `${optionOf(entry.action, t)} (${entry.action})`],
    ["outcome", outcome],
    ["detail", entry.detail],
    ["patients", entry.patient_ids?.length ? <Patients key="patients" ids={entry.patient_ids} /> : undefined],
    ["resources", entry.resources?.length ? <Records key="records" records={entry.resources} /> : undefined],
    ["fields", entry.fields?.length ? entry.fields.join(", ") : undefined],
    ["purpose", entry.access_purpose && t(`purpose.${entry.access_purpose}`, { defaultValue: entry.access_purpose })],
    ["address", entry.address],
    ["agent", entry.user_agent],
    ["correlation", entry.correlation_id && <code>{entry.correlation_id}</code>],
    ["proofState", entry.proof_state && <ProofState key="proof" state={entry.proof_state} />],
  ];
  return (
    <section aria-label={t("entry.members")}>
      <dl className={classes.members}>
        {rows
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <Member key={name} name={t(`entry.${name}`)}>
              {value}
            </Member>
          ))}
      </dl>
    </section>
  );
}

function Member({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** To the second, here and in the time that the log uses. */
function Exact({ at }: { at: string }) {
  const { t } = useTranslation("audit");
  const locale = useLocale();
  const local = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "medium" }).format(new Date(at));
  return <time dateTime={at}>{t("entry.exact", { local, utc: at })}</time>;
}

function ProofState({ state }: { state: "proven" | "pending" }) {
  const { t } = useTranslation("audit");
  return (
    <>
      <ProofMark state={state} />{" "}
      <Text component="span" size="sm">
        {t(`proofState.${state}Text`)}
      </Text>
    </>
  );
}

function Name({ name }: { name: string }) {
  const { t } = useTranslation("audit");
  return (
    <>
      <bdi>{name}</bdi> · <Filtered change={{ who: name }}>{t("entry.byThis")}</Filtered>
    </>
  );
}

function Patients({ ids }: { ids: string[] }) {
  const { t } = useTranslation("audit");
  return (
    <Named all={ids}>
      {(id) => (
        <>
          <code>{id}</code> · <Filtered change={{ patient: id }}>{t("entry.ofPatient", { id: short(id) })}</Filtered> ·{" "}
          <Anchor component={Link} to={`/audit/patients/${id}`}>
            {t("entry.seen")}
          </Anchor>
        </>
      )}
    </Named>
  );
}

/** How many records or patients stand in sight; an entry of a search may have hundreds. */
const IN_SIGHT = 8;

/** What an entry names, as a list: the first in sight, and the rest, if there is much more, folded. */
function Named({ all, children }: { all: string[]; children: (one: string) => ReactNode }) {
  const { t } = useTranslation("audit");
  const isMuch = all.length > IN_SIGHT + 2;
  const shown = (some: string[]) => (
    <ul>
      {some.map((one) => (
        <li key={one}>{children(one)}</li>
      ))}
    </ul>
  );
  if (!isMuch) return shown(all);
  return (
    <>
      {shown(all.slice(0, IN_SIGHT))}
      <details>
        <summary>{t("entry.more", { count: all.length - IN_SIGHT })}</summary>
        {shown(all.slice(IN_SIGHT))}
      </details>
    </>
  );
}

function Records({ records }: { records: string[] }) {
  const { t } = useTranslation("audit");
  return (
    <Named all={records}>
      {(record) => (
        <>
          <code>{record}</code> ·{" "}
          <Filtered change={{ record: record.split("/_history/")[0] ?? record }}>{t("entry.ofRecord")}</Filtered>
        </>
      )}
    </Named>
  );
}

/** To the list with one filter set. What is filtered by is in memory, not in the address, so this is a button. */
function Filtered({ change, children }: { change: Partial<Filter>; children: ReactNode }) {
  const { set } = useFiltering();
  const navigate = useNavigate();
  const show = () => {
    set({ ...EVERYTHING, ...change });
    void navigate("/audit");
  };
  return (
    <Anchor component="button" type="button" ta="start" onClick={show}>
      {children}
    </Anchor>
  );
}
