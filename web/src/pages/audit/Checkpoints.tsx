import { Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Empty } from "../../ui/Empty";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { useLocale, When } from "../chart/When";
import classes from "./Audit.module.css";
import { CopyText } from "./CopyText";
import { DataTable } from "./DataTable";
import { More } from "./More";
import { useCheckpoints } from "./queries";
import { Waiting } from "./Waiting";

/** What the log has signed, to be kept elsewhere. */
export function Checkpoints() {
  const { t } = useTranslation("audit");
  return (
    <Page title={t("checkpoints.title")}>
      <Text maw={720}>{t("checkpoints.intro")}</Text>
      <Signed />
    </Page>
  );
}

function Signed() {
  const { t } = useTranslation("audit");
  const locale = useLocale();
  const list = useCheckpoints();
  if (!list.data) {
    if (list.error) return <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />;
    return <Waiting label={t("loading")} />;
  }
  const rows = list.data.pages.flatMap((page) => page.items);
  if (rows.length === 0) return <Empty title={t("checkpoints.empty")}>{t("checkpoints.emptyText")}</Empty>;
  const number = new Intl.NumberFormat(locale);
  return (
    <Stack>
      <DataTable
        caption={t("checkpoints.caption")}
        rows={rows}
        keyOf={({ note }) => note}
        columns={[
          { head: t("checkpoints.size"), cell: ({ size }) => number.format(size) },
          { head: t("checkpoints.at"), cell: ({ timestamp }) => timestamp && <When at={timestamp} /> },
          { head: t("checkpoints.root"), cell: ({ root }) => <span className={classes.mono}>{root}</span> },
          {
            head: t("checkpoints.note"),
            cell: ({ note, size }) => (
              <CopyText value={note} what={t("checkpoints.copyOf", { size: number.format(size) })} />
            ),
          },
        ]}
      />
      <More list={list} shown={rows.length} />
    </Stack>
  );
}
