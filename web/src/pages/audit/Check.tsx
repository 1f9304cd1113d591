import { Alert, Anchor, Button, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { usePermission } from "../../app/session";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import classes from "./Audit.module.css";
import { DataTable } from "./DataTable";
import { useCheck } from "./queries";
import type { Fault, Report } from "./types";
import { Waiting } from "./Waiting";

/** The check of the whole log. */
export function Check() {
  const { t } = useTranslation("audit");
  const may = usePermission("audit:admin");
  const { data, error, isPending, mutate } = useCheck();
  return (
    <Page title={t("check.title")}>
      <Text maw={720}>{t("check.intro")}</Text>
      {may ? (
        <div>
          <Button loading={isPending} onClick={() => mutate()}>
            {t("check.run")}
          </Button>
        </div>
      ) : (
        <Alert color="gray" variant="outline">
          {t("check.notAllowed")}
        </Alert>
      )}
      {isPending && <Waiting label={t("check.running")} />}
      {error && <ProblemAlert error={error} onRetry={() => mutate()} />}
      <div role="status">{data && !isPending && <Verdict report={data} />}</div>
      {data && !isPending && data.faults?.length ? <Faults report={data} /> : null}
    </Page>
  );
}

function Verdict({ report }: { report: Report }) {
  const { t } = useTranslation("audit");
  const { faults = [], faults_more = 0 } = report;
  return (
    <Alert
      color={report.valid ? "green" : "red"}
      variant="outline"
      title={report.valid ? t("check.good") : t("check.bad", { count: faults.length + faults_more })}
    >
      {!report.valid && <Text mb="xs">{t("check.badText")}</Text>}
      <ul className={classes.list}>
        <li>{t("check.looked", { count: report.size })}</li>
        <li>{t("check.checkpoints", { count: report.checkpoints })}</li>
        <li>{t("check.opened", { count: report.opened })}</li>
        {(report.earlier ?? 0) > 0 && <li>{t("check.earlier", { count: report.earlier })}</li>}
        <li>
          {t("check.root")}: <span className={classes.mono}>{report.root}</span>
          <br />
          <Text component="span" size="sm">
            {t("check.rootText")}
          </Text>
        </li>
      </ul>
    </Alert>
  );
}

function Faults({ report }: { report: Report }) {
  const { t } = useTranslation("audit");
  const { faults = [], faults_more = 0 } = report;
  const rows = faults.map((fault, number) => ({ ...fault, number }));
  return (
    <Stack gap="xs">
      <Title order={2} size="h3">
        {t("check.faults")}
      </Title>
      <DataTable
        caption={t("check.faults")}
        rows={rows}
        keyOf={({ number }) => number}
        columns={[
          { head: t("check.where"), cell: (fault) => <Where fault={fault} /> },
          { head: t("check.kindOf"), cell: ({ kind }) => t([`check.fault.${kind}`, "check.fault.other"], { kind }) },
          { head: t("check.words"), cell: ({ what }) => <span lang="en">{what}</span> },
        ]}
      />
      {faults_more > 0 && <Text>{t("check.more", { count: faults_more })}</Text>}
    </Stack>
  );
}

/** Where a fault is, as exactly as it is known; one entry is a way to it. */
function Where({ fault: { position, until, stream, ordinal, line } }: { fault: Fault }) {
  const { t } = useTranslation("audit");
  const source = stream && t("check.at_source", { ordinal, stream: t(`check.${stream}`, { defaultValue: stream }) });
  if (line !== undefined) return t("check.at_line", { line });
  if (position === undefined) return source ?? t("check.whole");
  const isRun = until !== undefined && until > position + 1;
  return (
    <>
      {isRun ? (
        t("check.between", { position, until: until - 1 })
      ) : (
        <Anchor component={Link} to={`/audit/entries/${position}`}>
          {t("check.at", { position })}
        </Anchor>
      )}
      {source && ` (${source})`}
    </>
  );
}
