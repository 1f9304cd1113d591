import { Button, Group, Text, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { PermissionItem, Role } from "../../api/access/admin";
import { Page } from "../../ui/Page";
import { Sheet } from "../../ui/Sheet";
import { usePermissions, useRoles } from "./access";
import classes from "./Matrix.module.css";
import { Read } from "./Read";
import { useRoleName } from "./useRoleName";

/** Which role may do what, at a glance and for paper. */
export function Matrix() {
  const { t } = useTranslation("access");
  const roles = useRoles();
  const permissions = usePermissions();
  const actions = (
    <Group gap="sm">
      <Button component={Link} to="/admin/roles" variant="default">
        {t("roles.back")}
      </Button>
      <Button variant="default" onClick={() => window.print()}>
        {t("print")}
      </Button>
    </Group>
  );
  return (
    <Page title={t("matrix.title")} actions={actions}>
      <Text maw={640}>{t("matrix.text")}</Text>
      <Read of={permissions}>
        {({ items: known }) => (
          <Read of={roles}>
            {({ items }) => (
              <>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways is scrolled by keys as well */}
                <section className={classes.scroll} aria-label={t("matrix.title")} tabIndex={0}>
                  <Table roles={items} known={known} />
                </section>
                <Sheet title={t("matrix.title")}>
                  <Table roles={items} known={known} />
                </Sheet>
              </>
            )}
          </Read>
        )}
      </Read>
    </Page>
  );
}

function Table({ roles, known }: { roles: Role[]; known: PermissionItem[] }) {
  const { t } = useTranslation("access");
  const nameOf = useRoleName();
  return (
    <table className={classes.matrix}>
      <caption>
        <VisuallyHidden>{t("matrix.title")}</VisuallyHidden>
      </caption>
      <thead>
        <tr>
          <th scope="col">{t("matrix.permission")}</th>
          {roles.map((role) => (
            <th key={role.id} scope="col">
              <bdi>{nameOf(role)}</bdi>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {known.map(({ name }) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
            </th>
            {roles.map((role) => (
              <td key={role.id}>
                <Mark has={role.permissions.includes(name)} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Mark({ has }: { has: boolean }) {
  const { t } = useTranslation("access");
  return (
    <>
      <span aria-hidden="true">{has ? "✓" : "·"}</span>
      <VisuallyHidden>{t(has ? "matrix.yes" : "matrix.no")}</VisuallyHidden>
    </>
  );
}
