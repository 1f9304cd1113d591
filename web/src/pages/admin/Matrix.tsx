import { Button, Group, Text, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { PermissionMatrix } from "../../api/access/admin";
import { Page } from "../../ui/Page";
import { Sheet } from "../../ui/Sheet";
import { usePermissions } from "./access";
import classes from "./Matrix.module.css";
import { Read } from "./Read";
import { roleSaid } from "./Users";

/** Which role may do what with which records, at a glance and for paper. */
export function Matrix() {
  const { t } = useTranslation("access");
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
      <Read of={usePermissions()}>
        {(matrix) => (
          <>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways is scrolled by keys as well */}
            <section className={classes.scroll} aria-label={t("matrix.title")} tabIndex={0}>
              <Table matrix={matrix} />
            </section>
            <Sheet title={t("matrix.title")}>
              <Table matrix={matrix} />
            </Sheet>
          </>
        )}
      </Read>
    </Page>
  );
}

/** One line for each thing that can be done with the records of a family. */
export function rowsOf({ families, cells }: PermissionMatrix) {
  const roles = [...new Set(cells.map(({ role }) => role))];
  const found = new Map(cells.map((cell) => [`${cell.family} ${cell.role}`, cell]));
  const rows = families.flatMap(({ name: family, permissions }) =>
    Object.entries(permissions).map(([action, permission]) => ({
      family,
      action,
      permission,
      marks: roles.map((role) => found.get(`${family} ${role}`)?.[action] ?? "no"),
    })),
  );
  return { roles, rows };
}

function Table({ matrix }: { matrix: PermissionMatrix }) {
  const { t } = useTranslation(["access", "admin"]);
  const { roles, rows } = rowsOf(matrix);
  return (
    <table className={classes.matrix}>
      <caption>
        <VisuallyHidden>{t("matrix.title")}</VisuallyHidden>
      </caption>
      <thead>
        <tr>
          <th scope="col">{t("matrix.family")}</th>
          <th scope="col">{t("matrix.permission")}</th>
          {roles.map((role) => (
            <th key={role} scope="col">
              <bdi>{roleSaid(role, t)}</bdi>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ family, action, permission, marks }) => (
          <tr key={`${family} ${action}`}>
            <th scope="row">
              {t(`family.${family}`, { defaultValue: family })}: {t(`action.${action}`, { defaultValue: action })}
            </th>
            <td>
              <code>{permission}</code>
            </td>
            {marks.map((mark, place) => (
              <td key={roles[place]}>
                <Mark mark={mark} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const SIGNS: Record<string, string> = { yes: "\u2713", own: "\u25d0", no: "\u00b7" };

function Mark({ mark }: { mark: string }) {
  const { t } = useTranslation("access");
  return (
    <>
      <span aria-hidden="true">{SIGNS[mark] ?? mark}</span>
      <VisuallyHidden>{t(`matrix.${mark}`, { defaultValue: mark })}</VisuallyHidden>
    </>
  );
}
