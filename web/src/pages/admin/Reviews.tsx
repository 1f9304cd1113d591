import { Anchor, Button, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { type AccessReview, startReview } from "../../api/access/admin";
import { Empty } from "../../ui/Empty";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { DataTable } from "../audit/DataTable";
import { When } from "../chart/When";
import { useDo, useReviews } from "./access";
import { Read } from "./Read";

/** Rounds in which everybody's access is looked at. */
export function Reviews() {
  const { t } = useTranslation("access");
  const navigate = useNavigate();
  const start = useDo(() => startReview());
  const begin = async () => {
    const made = await start.mutateAsync(undefined).catch(() => undefined);
    if (made) navigate(`/admin/access-reviews/${made.id}`);
  };
  const action = (
    <Button loading={start.isPending} onClick={() => void begin()}>
      {t("reviews.start")}
    </Button>
  );
  return (
    <Page title={t("reviews.title")} actions={action}>
      <Text maw={640}>{t("reviews.text")}</Text>
      {start.error && <ProblemAlert error={start.error} writes />}
      <Read of={useReviews()}>{({ items }) => <List reviews={items} />}</Read>
    </Page>
  );
}

function List({ reviews }: { reviews: AccessReview[] }) {
  const { t } = useTranslation("access");
  if (reviews.length === 0) return <Empty title={t("reviews.empty")}>{t("reviews.emptyText")}</Empty>;
  return (
    <DataTable
      caption={t("reviews.title")}
      rows={reviews}
      keyOf={({ id }) => id}
      columns={[
        {
          head: t("reviews.started"),
          cell: ({ id, started_at: at }) => (
            <Anchor component={Link} to={`/admin/access-reviews/${id}`}>
              <When at={at} />
            </Anchor>
          ),
        },
        { head: t("reviews.decided"), cell: ({ decided, total }) => t("reviews.of", { decided, total }) },
        {
          head: t("reviews.closed"),
          cell: ({ closed_at: at }) => (at ? <When at={at} /> : t("reviews.open")),
        },
      ]}
    />
  );
}
