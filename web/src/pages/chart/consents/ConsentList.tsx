import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Consent, Decision, Provision, Span } from "../../../api/access/care";
import { usePermission } from "../../../app/session";
import { Empty } from "../../../ui/Empty";
import { Ask } from "../../admin/Ask";
import { Read } from "../../admin/Read";
import classes from "../Chart.module.css";
import { useChart } from "../ChartContext";
import { Section } from "../Section";
import { useLocale, When } from "../When";
import { useWriteGuard } from "../WriteGuard";
import { said } from "../when";
import { isSimple } from "./draft";
import { useConsents, useRevokeConsent } from "./queries";
import { useActors } from "./useActors";
import { sentenceOf, standOf } from "./words";

const COLOURS = { counts: "green", ahead: "yellow", over: "gray", revoked: "gray", draft: "yellow" } as const;

/** Every consent in sentences, those that count first. */
export function ConsentList() {
  const { t } = useTranslation("care");
  const { id } = useChart();
  const mayWrite = usePermission("healthcare:write");
  const add = mayWrite && (
    <Button component={Link} to={`/patients/${id}/consents/new`} size="sm">
      {t("consent.new")}
    </Button>
  );
  return (
    <Section title={t("consent.title")} action={add}>
      <Stack gap="sm">
        <Text size="sm">{t("consent.text")}</Text>
        <Read of={useConsents(id)}>{({ items }) => <List items={items} mayWrite={mayWrite} />}</Read>
      </Stack>
    </Section>
  );
}

function List({ items, mayWrite }: { items: Consent[]; mayWrite: boolean }) {
  const { t } = useTranslation("care");
  const { id, summary } = useChart();
  const [asked, ask] = useState<Consent>();
  const { confirm, question } = useWriteGuard(summary.patient);
  const revoke = useRevokeConsent(id);
  if (items.length === 0) return <Empty title={t("consent.none")}>{t("consent.noneText")}</Empty>;
  const now = Date.now();
  const rank = (one: Consent) => Object.keys(COLOURS).indexOf(standOf(one, now));
  const ordered = [...items].sort((one, other) => rank(one) - rank(other));
  return (
    <>
      {question}
      <ul className={classes.items}>
        {ordered.map((consent) => (
          <li key={consent.id}>
            <One
              patient={id}
              consent={consent}
              now={now}
              mayWrite={mayWrite}
              onRevoke={async () => {
                if (await confirm()) ask(consent);
              }}
            />
          </li>
        ))}
      </ul>
      {asked && (
        <Ask
          title={t("consent.revokeTitle")}
          text={t("consent.revokeText")}
          yes={t("consent.revoke")}
          withReason
          isGrave
          onYes={(reason) => revoke.mutateAsync({ consent: asked.id, reason })}
          onClose={() => ask(undefined)}
        />
      )}
    </>
  );
}

interface OneProps {
  patient: string;
  consent: Consent;
  now: number;
  mayWrite?: boolean;
  onRevoke?: () => void;
}

/** One consent: whether it counts, and what it says. */
export function One({ patient: id, consent, now, mayWrite = false, onRevoke }: OneProps) {
  const { t } = useTranslation("care");
  const stand = standOf(consent, now);
  const isLive = stand === "counts" || stand === "ahead" || stand === "draft";
  return (
    <Stack gap={6}>
      <Group gap="sm">
        <Badge variant="outline" tt="none" color={COLOURS[stand]}>
          {t(`consent.stand.${stand}`)}
        </Badge>
        <Text component="span" size="sm" c="dimmed">
          {consent.given_at && (
            <>
              {t("consent.given")} <When at={consent.given_at} isDay />
              {" · "}
            </>
          )}
          {t("consent.version", { count: consent.version })}
        </Text>
      </Group>
      <Rules decision={consent.decision} period={consent.period} provisions={consent.provisions} />
      {consent.policy_text && (
        <Text size="sm" className={classes.words ?? ""}>
          {consent.policy_text}
        </Text>
      )}
      {consent.revoke_reason && (
        <Text size="sm">
          {t("consent.why")} <bdi>{consent.revoke_reason}</bdi>
        </Text>
      )}
      {consent.warnings.map((warning) => (
        <Text key={warning} size="sm" lang="en">
          {warning}
        </Text>
      ))}
      {mayWrite && isLive && (
        <Group gap="xs">
          {isSimple(consent) ? (
            <Button component={Link} to={`/patients/${id}/consents/${consent.id}`} size="compact-sm" variant="default">
              {t("consent.change")}
            </Button>
          ) : (
            <Text size="sm">{t("consent.notSimple")}</Text>
          )}
          <Button size="compact-sm" variant="default" onClick={onRevoke}>
            {t("consent.revoke")}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

interface RulesProps {
  decision: Decision | undefined;
  period: Span | null | undefined;
  provisions: readonly Provision[];
}

/** What holds in general, in a sentence, and its exceptions below. */
export function Rules({ decision, period, provisions }: RulesProps) {
  const { t } = useTranslation("care");
  const locale = useLocale();
  const { name } = useActors(provisions.flatMap(({ actors = [] }) => actors));
  const say = (rule: Provision) => sentenceOf(rule, { t, locale, name, day: (at) => said(at, locale, "long") });
  return (
    <>
      <Text>{decision ? say({ decision, ...(period && { period }) }) : t("consent.empty")}</Text>
      {provisions.length > 0 && (
        <>
          <Text size="sm">{t("consent.except")}</Text>
          <ul>
            {provisions.map((one) => (
              <li key={JSON.stringify(one)}>
                {say(one)}
                {one.further && ` ${t("consent.further")}`}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
