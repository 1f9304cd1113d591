import { Anchor, Button, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { AccessReport, FailedSignIns, ReportedUser } from "../../api/access/admin";
import { Page } from "../../ui/Page";
import { Sheet } from "../../ui/Sheet";
import { DataTable } from "../audit/DataTable";
import { When } from "../chart/When";
import { useReport } from "./access";
import { ReadPages } from "./Read";
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
      <ReadPages of={useReport()}>
        {(pages) => (
          <>
            <Parts pages={pages} />
            <Sheet title={t("report.title")}>
              <p>
                <When at={pages[0].generated_at} />
              </p>
              <Parts pages={pages} />
            </Sheet>
          </>
        )}
      </ReadPages>
    </Page>
  );
}

const KINDS = ["privileged", "dormant", "orphans"] as const;

function Parts({ pages }: { pages: [AccessReport, ...AccessReport[]] }) {
  const { t } = useTranslation("access");
  const [{ dormant_days: days, failed_sign_ins: failed = [] }] = pages;
  return (
    <Stack gap="lg">
      {KINDS.map((kind) => {
        const users = pages.flatMap((page) => page[kind]);
        return (
          <Part key={kind} kind={kind} count={users.length} days={days}>
            <People caption={t(`report.${kind}`)} users={users} />
          </Part>
        );
      })}
      <Part kind="failed" count={failed.length} days={days}>
        <Failed failed={failed} />
      </Part>
    </Stack>
  );
}

function Failed({ failed }: { failed: FailedSignIns[] }) {
  const { t } = useTranslation("access");
  return (
    <DataTable
      caption={t("report.failed")}
      rows={failed}
      keyOf={({ user_id: id = "" }) => id}
      columns={[
        { head: t("report.username"), cell: ({ username }) => <bdi>{username ?? t("report.nobody")}</bdi> },
        { head: t("report.count"), cell: ({ count }) => count },
        { head: t("report.addresses"), cell: ({ addresses }) => addresses },
        { head: t("report.last"), cell: ({ last_at: at }) => <When at={at} /> },
      ]}
    />
  );
}

/** Findings in words; permissions as they are called. */
function useWhy(): (why: string) => string {
  const { t } = useTranslation("access");
  return (why) =>
    why
      .split(", ")
      .map((one) => t(`report.finding.${one.replace(":", "_")}`, { defaultValue: one }))
      .join(", ");
}

function Part({
  kind,
  count,
  days,
  children,
}: {
  kind: (typeof KINDS)[number] | "failed";
  count: number;
  days: number;
  children: ReactNode;
}) {
  const { t } = useTranslation("access");
  const heading = useId();
  return (
    <Stack component="section" gap="xs" aria-labelledby={heading}>
      <Title order={2} size="h4" id={heading}>
        {t(`report.${kind}`)} ({count})
      </Title>
      <Text size="sm">{t(`report.${kind}Text`, { count: days })}</Text>
      {count === 0 ? <Text size="sm">{t("report.none")}</Text> : children}
    </Stack>
  );
}

function People({ caption, users }: { caption: string; users: ReportedUser[] }) {
  const { t } = useTranslation(["access", "admin"]);
  const whySaid = useWhy();
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
        { head: t("report.why"), cell: ({ why }) => (why ? whySaid(why) : "—") },
      ]}
    />
  );
}
