import { Anchor, Badge, Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { decide, type ReviewItem } from "../../api/access/admin";
import { useSession } from "../../app/session";
import { Page } from "../../ui/Page";
import { DataTable } from "../audit/DataTable";
import { When } from "../chart/When";
import { Ask } from "./Ask";
import { useDo, useReview } from "./access";
import { ReadPages } from "./Read";
import { roleSaid } from "./Users";

/** One round: for each person, whether what they may do is what their work needs. */
export function ReviewPage() {
  const { t } = useTranslation("access");
  const { id = "" } = useParams();
  const back = (
    <Button component={Link} to="/admin/access-reviews" variant="default">
      {t("reviews.back")}
    </Button>
  );
  return (
    <Page title={t("reviews.one")} actions={back}>
      <ReadPages of={useReview(id)}>
        {(pages) => {
          const [{ decided, total, closed_at: closed, due, overdue }] = pages;
          return (
            <>
              <Text role="status">{t("reviews.of", { decided, total })}</Text>
              {!closed && (
                <Text size="sm">
                  {t(overdue ? "reviews.overdue" : "reviews.due")} <When at={due} isDay />
                </Text>
              )}
              <People review={id} items={pages.flatMap(({ items }) => items)} isOpen={!closed} />
            </>
          );
        }}
      </ReadPages>
    </Page>
  );
}

type Verdict = "keep" | "revoke";

function People({ review, items, isOpen }: { review: string; items: ReviewItem[]; isOpen: boolean }) {
  const { t } = useTranslation(["access", "admin"]);
  const [asked, ask] = useState<{ item: ReviewItem; verdict: Verdict }>();
  const send = useDo(({ user, verdict, reason }: { user: string; verdict: Verdict; reason: string }) =>
    decide(review, user, verdict, reason),
  );
  const nameOf = ({ display_name: name, username }: ReviewItem) => name ?? username;
  return (
    <>
      <DataTable
        caption={t("reviews.people")}
        rows={items}
        keyOf={({ user_id: id }) => id}
        columns={[
          {
            head: t("reviews.person"),
            cell: (item) => (
              <Anchor component={Link} to={`/admin/users/${item.user_id}`}>
                <bdi>{nameOf(item)}</bdi>
              </Anchor>
            ),
          },
          { head: t("reviews.may"), cell: (item) => <May item={item} /> },
          {
            head: t("reviews.lastLogin"),
            cell: ({ last_login: at }) => (at ? <When at={at} isDay /> : t("reviews.never")),
          },
          {
            head: t("reviews.verdict"),
            cell: (item) =>
              item.verdict ? (
                <Decided item={item} />
              ) : (
                isOpen && <Verdicts item={item} name={nameOf(item)} onAsk={(verdict) => ask({ item, verdict })} />
              ),
          },
        ]}
      />
      {asked && (
        <Ask
          title={t(`reviews.${asked.verdict}Title`, { name: nameOf(asked.item) })}
          text={t(`reviews.${asked.verdict}Text`)}
          yes={t(`reviews.${asked.verdict}`)}
          withReason
          isGrave={asked.verdict === "revoke"}
          onYes={(reason) => send.mutateAsync({ user: asked.item.user_id, verdict: asked.verdict, reason })}
          onClose={() => ask(undefined)}
        />
      )}
    </>
  );
}

function May({ item: { roles, grants = [] } }: { item: ReviewItem }) {
  const { t } = useTranslation("admin");
  const beside = grants.map(({ role, permission }) => (role ? roleSaid(role, t) : permission));
  return <>{[...roles.map((role) => roleSaid(role, t)), ...beside].join(", ") || "—"}</>;
}

function Decided({ item: { verdict = "keep", reason } }: { item: ReviewItem }) {
  const { t } = useTranslation("access");
  return (
    <Group gap="xs">
      <Badge variant="outline" tt="none" color={verdict === "keep" ? "green" : "red"}>
        {t(`reviews.was.${verdict}`)}
      </Badge>
      {reason && <bdi>{reason}</bdi>}
    </Group>
  );
}

function Verdicts({ item, name, onAsk }: { item: ReviewItem; name: string; onAsk: (verdict: Verdict) => void }) {
  const { t } = useTranslation("access");
  const isOwn = useSession().user?.id === item.user_id;
  if (isOwn) return <>{t("reviews.own")}</>;
  return (
    <Group gap="xs">
      {(["keep", "revoke"] as const).map((verdict) => (
        <Button
          key={verdict}
          size="compact-sm"
          variant="default"
          aria-label={t(`reviews.${verdict}Title`, { name })}
          onClick={() => onAsk(verdict)}
        >
          {t(`reviews.${verdict}`)}
        </Button>
      ))}
    </Group>
  );
}
