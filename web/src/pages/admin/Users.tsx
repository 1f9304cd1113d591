import { Anchor, Badge, Button, Center, Stack } from "@mantine/core";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useSession } from "../../app/session";
import { Empty } from "../../ui/Empty";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { DataTable } from "../audit/DataTable";
import { Waiting } from "../audit/Waiting";
import { When } from "../chart/When";
import { useUsers } from "./queries";
import type { UserItem } from "./types";

/** Everybody who can sign in. */
export function Users() {
  const { t } = useTranslation("admin");
  const create = (
    <Button component={Link} to="/admin/users/new">
      {t("users.new")}
    </Button>
  );
  return (
    <Page title={t("users.title")} actions={create}>
      <List />
    </Page>
  );
}

function List() {
  const { t } = useTranslation("admin");
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useUsers();
  if (!data) {
    return error ? <ProblemAlert error={error} onRetry={() => void refetch()} /> : <Waiting label={t("loading")} />;
  }
  const users = data.pages.flatMap((page) => page.items);
  if (users.length === 0) return <Empty title={t("users.empty")}>{t("users.emptyText")}</Empty>;
  return (
    <Stack>
      <DataTable
        caption={t("users.list")}
        rows={users}
        keyOf={({ id }) => id}
        columns={[
          { head: t("users.name"), cell: (user) => <Name user={user} /> },
          { head: t("users.roles"), cell: ({ roles }) => roles.map((role) => roleSaid(role, t)).join(", ") },
          { head: t("users.lastLogin"), cell: ({ last_login: at }) => (at ? <When at={at} isDay /> : "—") },
          { head: t("users.state"), cell: ({ locked }) => <Lock locked={locked} /> },
        ]}
      />
      {error && <ProblemAlert error={error} onRetry={() => void fetchNextPage()} />}
      {hasNextPage && (
        <Center>
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t("users.more")}
          </Button>
        </Center>
      )}
    </Stack>
  );
}

function Name({ user: { id, username, display_name: name } }: { user: UserItem }) {
  const { t } = useTranslation("admin");
  const { user } = useSession();
  return (
    <>
      <Anchor component={Link} to={`/admin/users/${id}`}>
        <bdi>{username}</bdi>
      </Anchor>
      {user?.id === id && ` (${t("users.you")})`}
      {name && (
        <>
          {" · "}
          <bdi>{name}</bdi>
        </>
      )}
    </>
  );
}

/** Whether somebody may sign in. */
export function Lock({ locked }: { locked: boolean }) {
  const { t } = useTranslation("admin");
  return (
    <Badge variant="outline" color={locked ? "red" : "green"} tt="none">
      {t(locked ? "users.locked" : "users.open")}
    </Badge>
  );
}

/** How a role is called, whatever texts the page has asked for first. */
export const roleSaid = (role: string, t: TFunction) => t(`admin:role.${role}`, { defaultValue: role });
