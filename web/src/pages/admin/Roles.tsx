import { Anchor, Badge, Button, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Role } from "../../api/access/admin";
import { Page } from "../../ui/Page";
import { DataTable } from "../audit/DataTable";
import { useRoles } from "./access";
import { Read } from "./Read";
import { useRoleName } from "./useRoleName";

/** The roles that people can have: the product's, and those that were made here. */
export function Roles() {
  const { t } = useTranslation("access");
  const actions = (
    <Group gap="sm">
      <Button component={Link} to="/admin/roles/matrix" variant="default">
        {t("roles.matrix")}
      </Button>
      <Button component={Link} to="/admin/roles/new">
        {t("roles.new")}
      </Button>
    </Group>
  );
  return (
    <Page title={t("roles.title")} actions={actions}>
      <Text maw={640}>{t("roles.text")}</Text>
      <Read of={useRoles()}>{({ items }) => <List roles={items} />}</Read>
    </Page>
  );
}

function List({ roles }: { roles: Role[] }) {
  const { t } = useTranslation("access");
  const nameOf = useRoleName();
  return (
    <DataTable
      caption={t("roles.title")}
      rows={roles}
      keyOf={({ id }) => id}
      columns={[
        {
          head: t("roles.name"),
          cell: (role) =>
            role.built_in ? (
              <bdi>{nameOf(role)}</bdi>
            ) : (
              <Anchor component={Link} to={`/admin/roles/${role.id}`}>
                <bdi>{role.name}</bdi>
              </Anchor>
            ),
        },
        {
          head: t("roles.kind"),
          cell: ({ built_in: isOurs }) => (
            <Badge variant="outline" tt="none" color={isOurs ? "gray" : "iris"}>
              {t(isOurs ? "roles.builtIn" : "roles.own")}
            </Badge>
          ),
        },
        { head: t("roles.description"), cell: (role) => <Description role={role} /> },
        { head: t("roles.permissions"), cell: ({ permissions }) => permissions.length },
      ]}
    />
  );
}

function Description({ role }: { role: Role }) {
  const { t } = useTranslation("admin");
  return <>{role.built_in ? t(`roleWhat.${role.name}`, { defaultValue: role.description ?? "" }) : role.description}</>;
}
