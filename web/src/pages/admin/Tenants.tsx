import { Alert, Badge, Button, Code, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { changeTenant, makeTenant, type Tenant } from "../../api/access/admin";
import { Problem } from "../../api/problem";
import { focusFault } from "../../entry/focusFault";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { CopyText } from "../audit/CopyText";
import { DataTable } from "../audit/DataTable";
import { Ask } from "./Ask";
import { useDo, useTenants } from "./access";
import { Read } from "./Read";

/** The organizations of this installation; each is apart from the others in everything. */
export function Tenants() {
  const { t } = useTranslation("access");
  return (
    <Page title={t("tenants.title")}>
      <Text maw={640}>{t("tenants.text")}</Text>
      <Read of={useTenants()}>{({ items }) => <List tenants={items} />}</Read>
      <NewTenant />
    </Page>
  );
}

function List({ tenants }: { tenants: Tenant[] }) {
  const { t } = useTranslation("access");
  const [asked, ask] = useState<Tenant>();
  const change = useDo(({ number, active }: { number: number; active: boolean }) => changeTenant(number, { active }));
  return (
    <>
      <DataTable
        caption={t("tenants.title")}
        rows={tenants}
        keyOf={({ number }) => number}
        columns={[
          { head: t("tenants.name"), cell: ({ name }) => <bdi>{name}</bdi> },
          { head: t("tenants.number"), cell: ({ number }) => number },
          {
            head: t("tenants.state"),
            cell: ({ active }) => (
              <Badge variant="outline" tt="none" color={active ? "green" : "red"}>
                {t(active ? "tenants.active" : "tenants.off")}
              </Badge>
            ),
          },
          {
            head: t("tenants.do"),
            cell: (tenant) => (
              <Button
                size="compact-sm"
                variant="default"
                aria-label={t(tenant.active ? "tenants.switchOffNamed" : "tenants.switchOnNamed", {
                  name: tenant.name,
                })}
                onClick={() => ask(tenant)}
              >
                {t(tenant.active ? "tenants.switchOff" : "tenants.switchOn")}
              </Button>
            ),
          },
        ]}
      />
      {asked && (
        <Ask
          title={t(asked.active ? "tenants.switchOffNamed" : "tenants.switchOnNamed", { name: asked.name })}
          text={t(asked.active ? "tenants.offText" : "tenants.onText")}
          yes={t(asked.active ? "tenants.switchOff" : "tenants.switchOn")}
          isGrave={asked.active}
          onYes={() => change.mutateAsync({ number: asked.number, active: !asked.active })}
          onClose={() => ask(undefined)}
        />
      )}
    </>
  );
}

const NOTHING = { name: "", username: "", email: "" };

/** Makes an organization with its first administrator. */
function NewTenant() {
  const { t } = useTranslation("access");
  const [draft, setDraft] = useState(NOTHING);
  const [isTried, setTried] = useState(false);
  const [made, setMade] = useState<{ name: string; password: string | undefined }>();
  const form = useRef<HTMLFormElement>(null);
  const { error, isPending, mutateAsync } = useDo(makeTenant);
  const problem = error instanceof Problem ? error : undefined;
  const at = (field: keyof typeof NOTHING, theirs: string, isNeeded = true) =>
    isTried && isNeeded && draft[field].trim() === "" ? t("tenants.need") : problem?.at(theirs);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const [name, username, email] = [draft.name.trim(), draft.username.trim(), draft.email.trim()];
    if (!name || !username) return focusFault(form);
    const sent = { name, admin: { username, ...(email && { email }) } };
    const stored = await mutateAsync(sent).catch(() => undefined);
    if (!stored) return focusFault(form);
    setMade({ name, password: stored.initial_password });
    setDraft(NOTHING);
    setTried(false);
  };
  return (
    <Stack component="section" aria-label={t("tenants.new")} maw={560}>
      <Title order={2} size="h4">
        {t("tenants.new")}
      </Title>
      {made && <Made key={made.name} {...made} />}
      <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput
            label={t("tenants.name")}
            value={draft.name}
            error={at("name", "name")}
            maxLength={120}
            onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
            required
          />
          <TextInput
            label={t("tenants.admin")}
            autoComplete="off"
            spellCheck={false}
            value={draft.username}
            error={at("username", "admin/username")}
            onChange={(event) => setDraft({ ...draft, username: event.currentTarget.value })}
            required
          />
          <TextInput
            type="email"
            label={t("tenants.email")}
            description={t("tenants.emailHint")}
            autoComplete="off"
            value={draft.email}
            error={at("email", "admin/email", false)}
            onChange={(event) => setDraft({ ...draft, email: event.currentTarget.value })}
          />
          {error && <ProblemAlert error={error} writes />}
          <Group>
            <Button type="submit" loading={isPending}>
              {t("tenants.make")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Stack>
  );
}

function Made({ name, password }: { name: string; password: string | undefined }) {
  const { t } = useTranslation(["access", "admin"]);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <Alert ref={box} tabIndex={-1} color="green" variant="outline" title={t("tenants.made", { name })}>
      {password ? (
        <>
          <Text mb="xs">{t("admin:create.once")}</Text>
          <Group gap="sm">
            <Code>{password}</Code>
            <CopyText value={password} what={t("admin:create.password")} />
          </Group>
        </>
      ) : (
        t("tenants.invited")
      )}
    </Alert>
  );
}
