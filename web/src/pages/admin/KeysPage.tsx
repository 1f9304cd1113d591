import { Alert, Code, Group, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { CopyText } from "../audit/CopyText";
import { DataTable } from "../audit/DataTable";
import { Waiting } from "../audit/Waiting";
import { useLocale, When } from "../chart/When";
import { useKeys } from "./queries";
import type { Keys } from "./types";

/** Which keys there are, and what to keep safe. Never a key that opens anything. */
export function KeysPage() {
  const { t } = useTranslation("admin");
  const { data, error, refetch } = useKeys();
  return (
    <Page title={t("keys.title")}>
      <Text maw={720}>{t("keys.intro")}</Text>
      <Alert color="yellow" variant="outline" maw={720}>
        {t("keys.care")}
      </Alert>
      {data && <Counted keys={data} />}
      {!data && error && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Waiting label={t("loading")} />}
    </Page>
  );
}

function Counted({ keys }: { keys: Keys }) {
  const { t } = useTranslation("admin");
  const locale = useLocale();
  const number = new Intl.NumberFormat(locale);
  // Those of a tenant of its own are told nothing of the whole installation.
  const rows = [
    { name: t("keys.root"), count: keys.root.wraps, what: t("keys.rootText") },
    { name: t("keys.data"), count: keys.data_keys.total, what: t("keys.dataText") },
    { name: t("keys.ofTenant"), count: keys.data_keys.of_tenant, what: t("keys.ofTenantText") },
  ].filter((row): row is typeof row & { count: number } => row.count !== null);
  return (
    <Stack>
      <DataTable
        caption={t("keys.counted")}
        rows={rows}
        keyOf={({ name }) => name}
        columns={[
          { head: t("keys.kind"), cell: ({ name }) => name },
          { head: t("keys.count"), cell: ({ count }) => number.format(count) },
          { head: t("keys.what"), cell: ({ what }) => what },
        ]}
      />
      <Signing keys={keys.signing_keys} />
      <Title order={2} size="h3">
        {t("keys.audit")}
      </Title>
      <Text maw={720}>{t("keys.auditText")}</Text>
      <Group gap="xs">
        <Code>{keys.audit_key}</Code>
        <CopyText value={keys.audit_key} what={t("keys.audit")} />
      </Group>
    </Stack>
  );
}

function Signing({ keys }: { keys: Keys["signing_keys"] }) {
  const { t } = useTranslation("admin");
  return (
    <>
      <Title order={2} size="h3">
        {t("keys.signing")}
      </Title>
      <Text maw={720}>{t("keys.signingText")}</Text>
      <DataTable
        caption={t("keys.signing")}
        rows={keys}
        keyOf={({ id }) => id}
        columns={[
          { head: t("keys.id"), cell: ({ id }) => <code>{id}</code> },
          { head: t("keys.algorithm"), cell: ({ algorithm }) => algorithm },
          { head: t("keys.made"), cell: ({ created_at }) => <When at={created_at} /> },
          { head: t("keys.state"), cell: ({ active }) => t(active ? "keys.active" : "keys.resting") },
        ]}
      />
    </>
  );
}
