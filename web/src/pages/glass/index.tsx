import { Anchor, Badge, Button, Group, Radio, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Listed } from "../../api/access/admin";
import { type Glass, readGlass, reviewGlass } from "../../api/access/care";
import { usePermission, useSession } from "../../app/session";
import { Empty } from "../../ui/Empty";
import { Page } from "../../ui/Page";
import { Told } from "../../ui/Told";
import { Ask } from "../admin/Ask";
import { ReadPages } from "../admin/Read";
import { DataTable } from "../audit/DataTable";
import { When } from "../chart/When";

const VIEWS = ["unreviewed", "all"] as const;
type View = (typeof VIEWS)[number];
type Verdict = "justified" | "unjustified";

/** Every chart that was opened in an emergency, for who judges whether it had to be. */
export function Component() {
  const { t } = useTranslation("care");
  const [view, setView] = useState<View>("unreviewed");
  const list = useInfiniteQuery({
    queryKey: ["glass", "list", view],
    initialPageParam: "",
    getNextPageParam: (last: Listed<Glass>) => last.next_cursor || undefined,
    queryFn: ({ pageParam, signal }) => readGlass(view, pageParam, signal),
  });
  return (
    <Page title={t("queue.title")}>
      <Text maw={640}>{t("queue.text")}</Text>
      <Radio.Group label={t("queue.view")} value={view} onChange={(next) => setView(next as View)}>
        <Group mt={4}>
          {VIEWS.map((one) => (
            <Radio key={one} value={one} label={t(`queue.${one}`)} />
          ))}
        </Group>
      </Radio.Group>
      <ReadPages of={list}>{(pages) => <Queue items={pages.flatMap(({ items }) => items)} view={view} />}</ReadPages>
    </Page>
  );
}

function Queue({ items, view }: { items: Glass[]; view: View }) {
  const { t } = useTranslation("care");
  const client = useQueryClient();
  const [asked, ask] = useState<{ glass: Glass; verdict: Verdict }>();
  const [judged, setJudged] = useState<string>();
  const review = useMutation({
    mutationFn: ({ id, verdict, note }: { id: string; verdict: Verdict; note: string }) =>
      reviewGlass(id, verdict, note),
    onSuccess: (_, { id }) => setJudged(id),
    onSettled: () => client.invalidateQueries({ queryKey: ["glass"] }),
  });
  // Once the question is gone, which gives the focus back to what had it before.
  const told = judged && !asked && <Told key={judged} text={t("queue.judged")} />;
  return (
    <>
      {told}
      {items.length === 0 && <Empty title={t(view === "unreviewed" ? "queue.done" : "queue.none")} />}
      {items.length > 0 && <Opened items={items} onAsk={(glass, verdict) => ask({ glass, verdict })} />}
      {asked && (
        <Ask
          title={t(`queue.${asked.verdict}Title`)}
          text={t(`queue.${asked.verdict}Text`)}
          yes={t(`queue.${asked.verdict}`)}
          withReason
          onYes={(note) => review.mutateAsync({ id: asked.glass.id, verdict: asked.verdict, note })}
          onClose={() => ask(undefined)}
        />
      )}
    </>
  );
}

function Opened({ items, onAsk }: { items: Glass[]; onAsk: (glass: Glass, verdict: Verdict) => void }) {
  const { t } = useTranslation("care");
  return (
    <DataTable
      caption={t("queue.title")}
      rows={items}
      keyOf={({ id }) => id}
      columns={[
        { head: t("queue.who"), cell: ({ username }) => <bdi>{username}</bdi> },
        { head: t("queue.patient"), cell: ({ patient_id: patient }) => <Patient id={patient} /> },
        { head: t("queue.reason"), cell: ({ reason }) => <bdi>{reason}</bdi> },
        { head: t("queue.when"), cell: (glass) => <Span glass={glass} /> },
        {
          head: t("queue.verdict"),
          cell: (glass) => <Judged glass={glass} onAsk={(verdict) => onAsk(glass, verdict)} />,
        },
      ]}
    />
  );
}

/** The way to what was seen: to the access log for who reads it. */
function Patient({ id }: { id: string }) {
  const { t } = useTranslation("care");
  const isReader = usePermission("audit:read");
  return (
    <Stack gap={0}>
      <code>{id}</code>
      {isReader && (
        <Anchor component={Link} to={`/audit/patients/${id}`} size="sm">
          {t("queue.seen")}
        </Anchor>
      )}
    </Stack>
  );
}

function Span({ glass: { opened_at: from, ends_at: until } }: { glass: Glass }) {
  const { t } = useTranslation("care");
  return (
    <>
      <When at={from} /> {t("queue.until")} <When at={until} />
    </>
  );
}

function Judged({ glass, onAsk }: { glass: Glass; onAsk: (verdict: Verdict) => void }) {
  const { t } = useTranslation("care");
  const isOwn = useSession().user?.id === glass.user_id;
  const mayReview = usePermission("access:review");
  if (glass.review) {
    const { verdict, note, reviewed_by_name: by } = glass.review;
    return (
      <Group gap="xs">
        <Badge variant="outline" tt="none" color={verdict === "justified" ? "green" : "red"}>
          {t(`queue.${verdict}`)}
        </Badge>
        <span>
          <bdi>{note}</bdi> ({t("queue.by", { name: by })})
        </span>
      </Group>
    );
  }
  if (isOwn) return <>{t("queue.own")}</>;
  if (!mayReview) return <>{t("queue.waiting")}</>;
  return (
    <Group gap="xs">
      {(["justified", "unjustified"] as const).map((verdict) => (
        <Button key={verdict} size="compact-sm" variant="default" onClick={() => onAsk(verdict)}>
          {t(`queue.${verdict}`)}
        </Button>
      ))}
    </Group>
  );
}
