import { Anchor, Paper, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { usePermission, useSession } from "../../app/session";
import { Empty } from "../../ui/Empty";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { useLocale, When } from "../chart/When";
import { said } from "../chart/when";
import classes from "./Audit.module.css";
import { OutcomeMark, ProofMark } from "./Marks";
import { More } from "./More";
import { useSeen } from "./queries";
import { counted, type Visit, visitsOf } from "./seen";
import type { Entry } from "./types";
import { Waiting } from "./Waiting";
import { didOf, whoOf } from "./words";

/** Who has seen a patient's record, by person and day, from the access log. The heading is the page's. */
export function SeenBy({ patientId }: { patientId: string }) {
  const { t } = useTranslation("audit");
  const list = useSeen(patientId);
  const isOwn = useSession().user?.patient_id === patientId;
  if (!list.data) {
    if (list.error) return <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />;
    return <Waiting label={t("loading")} />;
  }
  const entries = list.data.pages.flatMap((page) => page.items);
  if (entries.length === 0 && !list.hasNextPage) {
    return <Empty title={t("seen.empty")}>{t("seen.emptyText")}</Empty>;
  }
  return (
    <Stack gap="sm">
      <Text maw={720}>{t(isOwn ? "seen.introOwn" : "seen.intro")}</Text>
      <details>
        <summary>{t("seen.what")}</summary>
        <Text size="sm" maw={720}>
          {t("seen.whatText")}
        </Text>
      </details>
      {visitsOf(entries).map((visit) => (
        <VisitCard key={visit.key} visit={visit} about={patientId} />
      ))}
      <More list={list} shown={entries.length} />
    </Stack>
  );
}

function VisitCard({ visit, about }: { visit: Visit; about: string }) {
  const { t } = useTranslation("audit");
  const locale = useLocale();
  const { user } = useSession();
  const { newest, day, entries } = visit;
  const who = whoOf(newest, t);
  const name = newest.user_id === user?.id ? t("seen.you", { who }) : who;
  const heading = t("seen.group", { who: name, day: said(day, locale, "long") });
  const purposes = counted(entries, ({ access_purpose: purpose }) =>
    purpose ? t(`purpose.${purpose}`, { defaultValue: purpose }) : "",
  );
  const purpose = purposes
    .map((each) => each.said)
    .filter(Boolean)
    .join(", ");
  return (
    <Paper component="section" withBorder p="sm" aria-label={heading}>
      <Text component="h3" fw={700} m={0}>
        {heading}
      </Text>
      <Text size="sm" c="dimmed">
        <Times visit={visit} />
        {purpose && ` · ${t("seen.purpose", { purpose })}`}
      </Text>
      <ul className={classes.list}>
        {counted(entries, (entry) => `${entry.outcome} ${didOf(entry, t, about)}`).map(({ said, count, item }) => (
          <li key={said} className={classes.row}>
            <span>{t("seen.times", { what: sentence(didOf(item, t, about)), count })}</span>
            <OutcomeMark outcome={item.outcome} />
          </li>
        ))}
      </ul>
      <Proven visit={visit} />
      <Each entries={entries} about={about} />
    </Paper>
  );
}

const sentence = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

function Times({ visit: { newest, oldest } }: { visit: Visit }) {
  const { t } = useTranslation("audit");
  const locale = useLocale();
  const time = ({ timestamp }: Entry) =>
    new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }).format(new Date(timestamp));
  const [from, to] = [time(oldest), time(newest)];
  return from === to ? t("seen.atTime", { at: to }) : t("seen.between", { from, to });
}

function Proven({ visit: { entries, proven } }: { visit: Visit }) {
  const { t } = useTranslation("audit");
  const all = entries.length;
  return (
    <Text size="sm">
      <span aria-hidden="true">{proven === all ? "✓ " : "… "}</span>
      {proven === all ? t("seen.provenAll") : t("seen.provenSome", { count: proven, all })}
    </Text>
  );
}

/** Every entry of a visit; a way to its proof for those who may read the log. */
function Each({ entries, about }: { entries: Entry[]; about: string }) {
  const { t } = useTranslation("audit");
  const isReader = usePermission("audit:read");
  return (
    <details>
      <summary>{t("seen.each")}</summary>
      <ul className={classes.list}>
        {entries.map((entry) => (
          <li key={entry.id} className={classes.row}>
            <span className={classes.said}>
              {isReader ? (
                <Anchor component={Link} to={`/audit/entries/${entry.id}`}>
                  {sentence(didOf(entry, t, about))}
                </Anchor>
              ) : (
                sentence(didOf(entry, t, about))
              )}
            </span>
            <span className={classes.meta}>
              <When at={entry.timestamp} />
              <ProofMark state={entry.proof_state} />
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
