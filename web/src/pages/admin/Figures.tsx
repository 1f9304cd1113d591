import { Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocale, When } from "../chart/When";
import classes from "./Admin.module.css";
import { bytesSaid } from "./bytes";
import type { Dashboard } from "./types";

/** How much there is of everything, and whether what follows the store keeps up with it. */
export function Figures({ figures: { index, audit, store, users, sessions } }: { figures: Dashboard }) {
  const { t } = useTranslation("admin");
  const locale = useLocale();
  const count = (number: number) => new Intl.NumberFormat(locale).format(number);
  const lag = Math.max(0, store.head - index.applied);
  const unsigned = Math.max(0, audit.size - audit.checkpoint_size) + audit.pending;
  return (
    <Stack>
      <Title order={2} size="h3">
        {t("figures.title")}
      </Title>
      <div className={classes.cards}>
        <Card title={t("figures.index")}>
          <Figure name={t("figures.phase")}>{t(`figures.phases.${index.phase}`, { defaultValue: index.phase })}</Figure>
          <Figure name={t("figures.documents")}>{count(index.documents)}</Figure>
          <Figure name={t("figures.segments")}>{count(index.segments)}</Figure>
          <Figure name={t("figures.tail")}>{count(index.tail)}</Figure>
          <Figure name={t("figures.lagName")} hint={lag > 0 && t("figures.lagText")}>
            {lag > 0 ? t("figures.lag", { count: lag }) : t("figures.lagNone")}
          </Figure>
        </Card>
        <Card title={t("figures.audit")}>
          <Figure name={t("figures.size")}>{count(audit.size)}</Figure>
          <Figure name={t("figures.unsigned")} hint={unsigned > 0 && t("figures.unsignedText")}>
            {count(unsigned)}
          </Figure>
          <Figure name={t("figures.checkpointAt")}>
            {audit.checkpoint_at ? <When at={audit.checkpoint_at} /> : t("figures.never")}
          </Figure>
          <Figure name={t("figures.signing")}>
            {t(audit.signing === "working" ? "figures.signingYes" : "figures.signingNo")}
          </Figure>
        </Card>
        <Card title={t("figures.store")}>
          <Figure name={t("figures.head")}>{count(store.head)}</Figure>
          <Figure name={t("figures.bytes")}>{bytesSaid(store.bytes, locale)}</Figure>
        </Card>
        <Card title={t("figures.people")}>
          <Figure name={t("figures.usersTotal")}>{count(users.total)}</Figure>
          {users.locked !== null && <Figure name={t("figures.usersLocked")}>{count(users.locked)}</Figure>}
          <Figure name={t("figures.sessions")}>{count(sessions.active)}</Figure>
        </Card>
      </div>
    </Stack>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  const { t } = useTranslation("admin");
  return (
    <Paper withBorder p="sm" component="section" aria-label={t("figures.of", { title })}>
      <Title order={3} size="h5" mb="xs">
        {title}
      </Title>
      <dl className={classes.figures}>{children}</dl>
    </Paper>
  );
}

function Figure({ name, hint, children }: { name: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {children}
        {hint && (
          <Text size="sm" c="dimmed">
            {hint}
          </Text>
        )}
      </dd>
    </div>
  );
}
