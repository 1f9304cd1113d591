import { Anchor, Button, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { AccessReport, ReportedUser } from "../../api/access/admin";
import { Page } from "../../ui/Page";
import { Sheet } from "../../ui/Sheet";
import { DataTable } from "../audit/DataTable";
import { When } from "../chart/When";
import { useReport } from "./access";
import { Read } from "./Read";
import { roleSaid } from "./Users";

/** What is worth a look in who may do what. */
export function Report() {
  const { t } = useTranslation("access");
  const print = (
    <Button variant="default" onClick={() => window.print()}>
      {t("print")}
    </Button>
  );
  return (
    <Page title={t("report.title")} actions={print}>
      <Text maw={640}>{t("report.text")}</Text>
      <Read of={useReport()}>
        {(report) => (
          <>
            <Parts report={report} />
            <Sheet title={t("report.title")}>
              {report.generated_at && (
                <p>
                  <When at={report.generated_at} />
                </p>
              )}
              <Parts report={report} />
            </Sheet>
          </>
        )}
      </Read>
    </Page>
  );
}

const KINDS = ["privileged", "dormant", "orphans"] as const;

function Parts({ report }: { report: AccessReport }) {
  const { t } = useTranslation("access");
  return (
    <Stack gap="lg">
      {KINDS.map((kind) => (
        <Part key={kind} kind={kind} count={report[kind].length}>
          <People caption={t(`report.${kind}`)} users={report[kind]} />
        </Part>
      ))}
      <Part kind="failed" count={report.failed_sign_ins.length}>
        <DataTable
          caption={t("report.failed")}
          rows={report.failed_sign_ins}
          keyOf={({ username, address }) => `${username} ${address}`}
          columns={[
            { head: t("report.username"), cell: ({ username }) => <bdi>{username ?? "—"}</bdi> },
            { head: t("report.address"), cell: ({ address }) => <code>{address ?? "—"}</code> },
            { head: t("report.count"), cell: ({ count }) => count },
            { head: t("report.last"), cell: ({ last_at: at }) => (at ? <When at={at} /> : "—") },
          ]}
        />
      </Part>
    </Stack>
  );
}

function Part({
  kind,
  count,
  children,
}: {
  kind: (typeof KINDS)[number] | "failed";
  count: number;
  children: ReactNode;
}) {
  const { t } = useTranslation("access");
  const heading = useId();
  return (
    <Stack component="section" gap="xs" aria-labelledby={heading}>
      <Title order={2} size="h4" id={heading}>
        {t(`report.${kind}`)} ({count})
      </Title>
      <Text size="sm">{t(`report.${kind}Text`)}</Text>
      {count === 0 ? <Text size="sm">{t("report.none")}</Text> : children}
    </Stack>
  );
}

function People({ caption, users }: { caption: string; users: ReportedUser[] }) {
  const { t } = useTranslation(["access", "admin"]);
  return (
    <DataTable
      caption={caption}
      rows={users}
      keyOf={({ id }) => id}
      columns={[
        {
          head: t("report.username"),
          cell: ({ id, username }) => (
            <Anchor component={Link} to={`/admin/users/${id}`}>
              <bdi>{username}</bdi>
            </Anchor>
          ),
        },
        {
          head: t("admin:users.roles"),
          cell: ({ roles = [] }) => roles.map((role) => roleSaid(role, t)).join(", ") || "—",
        },
        {
          head: t("reviews.lastLogin"),
          cell: ({ last_login: at }) => (at ? <When at={at} isDay /> : t("reviews.never")),
        },
        { head: t("report.why"), cell: ({ why }) => why ?? "—" },
      ]}
    />
  );
}
