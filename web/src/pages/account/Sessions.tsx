import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { SessionItem } from "../../api/access/account";
import { session } from "../../app/session";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { DataTable } from "../audit/DataTable";
import { Waiting } from "../audit/Waiting";
import { When } from "../chart/When";
import { deviceOf } from "./device";
import { useEndSession, useSessions } from "./queries";

/** Where one is signed in, and a way to end it there. */
export function Sessions() {
  const { t } = useTranslation("account");
  const { data, error, refetch } = useSessions();
  return (
    <Page title={t("sessions.title")}>
      <Text maw={640}>{t("sessions.text")}</Text>
      {data && <List items={data.items} />}
      {!data && error && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Waiting label={t("loading")} />}
    </Page>
  );
}

function List({ items }: { items: SessionItem[] }) {
  const { t } = useTranslation("account");
  const { error, isPending, isSuccess, variables, mutate } = useEndSession();
  const others = items.filter(({ current }) => !current);
  return (
    <Stack>
      {error && <ProblemAlert error={error} writes />}
      <DataTable
        caption={t("sessions.title")}
        rows={items}
        keyOf={({ id }) => id}
        columns={[
          { head: t("sessions.device"), cell: (one) => <Device one={one} /> },
          { head: t("sessions.address"), cell: ({ address }) => <code>{address ?? "—"}</code> },
          {
            head: t("sessions.factor"),
            cell: ({ factor }) => t(`factor.${factor ?? "password"}`, { defaultValue: factor ?? "" }),
          },
          { head: t("sessions.since"), cell: ({ created_at: at }) => <When at={at} /> },
          { head: t("sessions.used"), cell: ({ last_used_at: at }) => <When at={at} /> },
          {
            head: t("sessions.action"),
            cell: (one) => (
              <Button
                size="compact-sm"
                variant="default"
                loading={isPending && variables === one.id}
                aria-label={t("sessions.endNamed", { device: deviceOf(one.agent) || t("sessions.unknown") })}
                onClick={() => (one.current ? void session.signOut() : mutate(one.id))}
              >
                {t(one.current ? "sessions.leave" : "sessions.end")}
              </Button>
            ),
          },
        ]}
      />
      <Group>
        <Button
          variant="default"
          disabled={others.length === 0}
          loading={isPending && variables === undefined}
          onClick={() => mutate(undefined)}
        >
          {t("sessions.endOthers")}
        </Button>
        <span role="status">{isSuccess && t("sessions.ended")}</span>
      </Group>
    </Stack>
  );
}

function Device({ one }: { one: SessionItem }) {
  const { t } = useTranslation("account");
  return (
    <Group gap="xs">
      <bdi>{deviceOf(one.agent) || t("sessions.unknown")}</bdi>
      {one.current && (
        <Badge variant="outline" tt="none">
          {t("sessions.this")}
        </Badge>
      )}
    </Group>
  );
}
