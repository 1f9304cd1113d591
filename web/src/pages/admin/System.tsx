import { Alert, Badge, Button, Paper, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Waiting } from "../audit/Waiting";
import { When } from "../chart/When";
import classes from "./Admin.module.css";
import { Figures } from "./Figures";
import { useDashboard, useHealth } from "./queries";
import type { Health, State } from "./types";

const COLOURS = { healthy: "green", degraded: "orange", unhealthy: "red" } as const;
const SIGNS = { healthy: "✓", degraded: "!", unhealthy: "✗" } as const;

/** How the server is, part by part, with its figures. */
export function System() {
  const { t } = useTranslation("admin");
  const health = useHealth();
  const figures = useDashboard();
  const again = () => {
    void health.refetch();
    void figures.refetch();
  };
  const isLooking = health.isRefetching || figures.isRefetching;
  return (
    <Page
      title={t("health.title")}
      actions={
        <Button variant="default" loading={isLooking} onClick={again}>
          {t("health.again")}
        </Button>
      }
    >
      {health.error && <ProblemAlert error={health.error} onRetry={() => void health.refetch()} />}
      {health.data ? <Looked health={health.data} /> : !health.error && <Waiting label={t("loading")} />}
      {figures.error && <ProblemAlert error={figures.error} onRetry={() => void figures.refetch()} />}
      {figures.data && <Figures figures={figures.data} />}
    </Page>
  );
}

function Looked({ health }: { health: Health }) {
  const { t } = useTranslation("admin");
  const { status, timestamp, version, components } = health;
  return (
    <Stack>
      <div role="status">
        <Alert color={COLOURS[status]} variant="outline" title={`${SIGNS[status]} ${t(`health.${status}`)}`}>
          {t(`health.${status}Text`)}
        </Alert>
      </div>
      <Text size="sm" c="dimmed">
        <Looks at={timestamp} version={version} />
      </Text>
      <Title order={2} size="h3">
        {t("health.parts")}
      </Title>
      <div className={classes.cards}>
        {Object.entries(components).map(([name, part]) => (
          <Part key={name} name={name} status={part.status} detail={part.detail} />
        ))}
      </div>
    </Stack>
  );
}

function Looks({ at, version }: { at: string; version: string }) {
  const { t } = useTranslation("admin");
  return (
    <>
      {t("health.looked")} <When at={at} /> · IRIS {version}
    </>
  );
}

const KNOWN = new Set(["database", "index", "audit", "keys"]);

/** One part: what it is for, how it is, and what to do about it. */
function Part({ name, status, detail }: { name: string; status: State; detail: string }) {
  const { t } = useTranslation("admin");
  const known = KNOWN.has(name) ? name : "other";
  return (
    <Paper
      withBorder
      p="sm"
      component="section"
      aria-label={t("health.partNamed", { part: t(`health.part.${known}`, { name }) })}
    >
      <div className={classes.head}>
        <Title order={3} size="h5">
          {t(`health.part.${known}`, { name })}
        </Title>
        <Badge variant="outline" color={COLOURS[status]} tt="none">
          {SIGNS[status]} {t(`health.state.${status}`)}
        </Badge>
      </div>
      {KNOWN.has(name) && <Text size="sm">{t(`health.what.${name}`)}</Text>}
      <Text size="sm" c="dimmed">
        {t("health.says")} <span lang="en">{detail}</span>
      </Text>
      {status !== "healthy" && (
        <Text size="sm" fw={600} mt="xs">
          {t(`health.do.${known}.${status}`)}
        </Text>
      )}
    </Paper>
  );
}
