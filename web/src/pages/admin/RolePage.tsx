import { Button, Checkbox, Fieldset, Group, MultiSelect, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import {
  changeRole,
  makeRole,
  type PermissionItem,
  type PermissionMatrix,
  type Role,
  type RoleDraft,
  removeRole,
} from "../../api/access/admin";
import { Problem } from "../../api/problem";
import { focusFault } from "../../entry/focusFault";
import { Empty } from "../../ui/Empty";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { STORED, Unsaved } from "../../ui/Unsaved";
import { Ask } from "./Ask";
import { useDo, usePermissions, useRoles } from "./access";
import { Read } from "./Read";
import { ROLES } from "./types";

/** Makes a role of this organization's own, or changes one. */
export function RolePage() {
  const { t } = useTranslation("access");
  const { id } = useParams();
  const roles = useRoles();
  const permissions = usePermissions();
  const back = (
    <Button component={Link} to="/admin/roles" variant="default">
      {t("roles.back")}
    </Button>
  );
  return (
    <Page title={t(id ? "roles.change" : "roles.new")} actions={back}>
      <Read of={permissions}>
        {(known) => (
          <Read of={roles}>
            {({ items }) => {
              const role = items.find((one) => one.id === id && !one.built_in);
              if (id && !role) return <Empty title={t("roles.gone")} />;
              return <Form key={id ?? "new"} role={role} known={known} />;
            }}
          </Read>
        )}
      </Read>
    </Page>
  );
}

const NOTHING = { name: "", description: "", base: "", permissions: [] as string[], families: [] as string[] };
type Draft = typeof NOTHING;

function draftOf(role: Role | undefined): Draft {
  if (!role) return NOTHING;
  const { name, description = "", based_on: base = "", permissions, families } = role;
  return { name, description, base, permissions, families };
}

function sentOf({ name, description, base, permissions, families }: Draft): RoleDraft {
  const more = { ...(description.trim() && { description: description.trim() }), ...(base && { based_on: base }) };
  return { name: name.trim(), ...more, permissions, families };
}

/** The same whatever was chosen first. */
const content = (draft: Draft) =>
  JSON.stringify({ ...draft, permissions: [...draft.permissions].sort(), families: [...draft.families].sort() });

function Form({ role, known }: { role: Role | undefined; known: PermissionMatrix }) {
  const { t } = useTranslation(["access", "admin"]);
  const start = draftOf(role);
  const [draft, setDraft] = useState(start);
  const [isTried, setTried] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const navigate = useNavigate();
  const form = useRef<HTMLFormElement>(null);
  const store = useDo((sent: RoleDraft) => (role ? changeRole(role.id, sent) : makeRole(sent)));
  const remove = useDo((id: string) => removeRole(id));
  const problem = store.error instanceof Problem ? store.error : undefined;
  const faults = {
    name: draft.name.trim() === "" ? t("roles.needName") : undefined,
    permissions: draft.permissions.length === 0 && draft.base === "" ? t("roles.needPermission") : undefined,
  };
  const at = (field: keyof typeof faults) => (isTried ? faults[field] : undefined) ?? problem?.at(field);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (faults.name || faults.permissions) return focusFault(form);
    const stored = await store.mutateAsync(sentOf(draft)).catch(() => undefined);
    if (stored) navigate("/admin/roles", { state: STORED });
    else focusFault(form);
  };
  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Unsaved isDirty={content(draft) !== content(start)} />
      <Stack maw={720}>
        <TextInput
          label={t("roles.name")}
          description={t("roles.nameHint")}
          value={draft.name}
          error={at("name")}
          maxLength={80}
          autoComplete="off"
          onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
          required
        />
        <Textarea
          label={t("roles.description")}
          description={t("roles.descriptionHint")}
          value={draft.description}
          error={problem?.at("description")}
          maxLength={500}
          onChange={(event) => setDraft({ ...draft, description: event.currentTarget.value })}
        />
        <Select
          label={t("roles.basedOn")}
          description={t("roles.basedOnHint")}
          data={ROLES.filter((name) => name !== "patient").map((name) => ({
            value: name,
            label: t(`admin:role.${name}`),
          }))}
          value={draft.base || null}
          error={problem?.at("based_on")}
          onChange={(base) => setDraft({ ...draft, base: base ?? "" })}
          clearable
          clearButtonProps={{ "aria-label": t("clear") }}
        />
        <Permissions
          known={known.items}
          value={draft.permissions}
          error={at("permissions")}
          onChange={(permissions) => setDraft({ ...draft, permissions })}
        />
        <MultiSelect
          label={t("roles.families")}
          description={t("roles.familiesHint")}
          data={known.families.map(({ name }) => ({ value: name, label: t(`family.${name}`, { defaultValue: name }) }))}
          value={draft.families}
          error={problem?.at("families")}
          onChange={(families) => setDraft({ ...draft, families })}
        />
        {store.error && <ProblemAlert error={store.error} writes />}
        <Group>
          <Button type="submit" loading={store.isPending}>
            {t("roles.save")}
          </Button>
          {role && (
            <Button variant="outline" color="red" onClick={() => setAsking(true)}>
              {t("roles.remove")}
            </Button>
          )}
        </Group>
      </Stack>
      {role && isAsking && (
        <Ask
          title={t("roles.removeTitle")}
          text={t("roles.removeText", { name: role.name })}
          yes={t("roles.remove")}
          isGrave
          onYes={async () => {
            await remove.mutateAsync(role.id);
            navigate("/admin/roles", { state: STORED });
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </form>
  );
}

interface PickerProps {
  known: PermissionItem[];
  value: string[];
  error: string | undefined;
  onChange: (permissions: string[]) => void;
}

/** Every permission there is, by the part of the product that it is about. */
function Permissions({ known, value, error, onChange }: PickerProps) {
  const { t } = useTranslation("access");
  return (
    <Checkbox.Group
      label={t("roles.permissions")}
      description={t("roles.permissionsHint")}
      value={value}
      error={error}
      onChange={onChange}
    >
      <Stack gap="sm" mt="xs">
        {byArea(known).map(([area, permissions]) => (
          <Fieldset key={area} legend={t(`area.${area}`, { defaultValue: area })}>
            <Stack gap="xs">
              {permissions.map(({ name, description }) => (
                <Checkbox
                  key={name}
                  value={name}
                  label={<code>{name}</code>}
                  description={t(`permission.${name.replace(":", "_")}`, { defaultValue: description })}
                />
              ))}
            </Stack>
          </Fieldset>
        ))}
      </Stack>
    </Checkbox.Group>
  );
}

/** Permissions by what stands before their colon, in the order in which they come. */
export function byArea(known: readonly PermissionItem[]): [string, PermissionItem[]][] {
  const areas = new Map<string, PermissionItem[]>();
  for (const permission of known) {
    const area = permission.name.split(":")[0] ?? "";
    areas.set(area, [...(areas.get(area) ?? []), permission]);
  }
  return [...areas];
}
