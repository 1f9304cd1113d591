import { Button, Group, Radio, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Grant, type GrantDraft, grant, revoke } from "../../api/access/admin";
import { Problem } from "../../api/problem";
import { useSession } from "../../app/session";
import { focusFault } from "../../entry/focusFault";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { DataTable } from "../audit/DataTable";
import { When } from "../chart/When";
import { Ask } from "./Ask";
import { useDo, usePermissions, useRoles } from "./access";
import { useRoleName } from "./useRoleName";

/** What somebody has beside the standing roles: roles for a time, roles made here, single permissions. */
export function Grants({ user, grants }: { user: string; grants: Grant[] }) {
  const { t } = useTranslation("access");
  const [isAdding, setAdding] = useState(false);
  const [ending, setEnding] = useState<Grant>();
  const isOwn = useSession().user?.id === user;
  const end = useDo(({ reason }: { reason: string }) =>
    revoke(user, {
      ...(ending?.role ? { role: ending.role } : { permission: ending?.permission ?? "" }),
      grant_id: ending?.id ?? "",
      reason,
    }),
  );
  const named = useGranted();
  return (
    <Stack component="section" gap="sm" aria-label={t("grants.title")}>
      <Title order={2} size="h4">
        {t("grants.title")}
      </Title>
      <Text size="sm">{t("grants.text")}</Text>
      {grants.length === 0 && <Text size="sm">{t("grants.none")}</Text>}
      {grants.length > 0 && (
        <DataTable
          caption={t("grants.title")}
          rows={grants}
          keyOf={({ id }) => id}
          columns={[
            { head: t("grants.what"), cell: named },
            { head: t("grants.time"), cell: (one) => <Validity grant={one} /> },
            { head: t("grants.reason"), cell: ({ reason }) => <bdi>{reason}</bdi> },
            {
              head: t("grants.end"),
              cell: (one) => (
                <Button
                  size="compact-sm"
                  variant="default"
                  disabled={isOwn}
                  aria-label={t("grants.endNamed", { what: named(one) })}
                  onClick={() => setEnding(one)}
                >
                  {t("grants.endIt")}
                </Button>
              ),
            },
          ]}
        />
      )}
      {isOwn && <Text size="sm">{t("grants.own")}</Text>}
      {!isOwn && !isAdding && (
        <Group>
          <Button variant="default" onClick={() => setAdding(true)}>
            {t("grants.add")}
          </Button>
        </Group>
      )}
      {isAdding && <AddGrant user={user} onEnd={() => setAdding(false)} />}
      {ending && (
        <Ask
          title={t("grants.endTitle")}
          text={t("grants.endText", { what: named(ending) })}
          yes={t("grants.endIt")}
          withReason
          isGrave
          onYes={(reason) => end.mutateAsync({ reason })}
          onClose={() => setEnding(undefined)}
        />
      )}
    </Stack>
  );
}

/** What a grant gives, in words. */
function useGranted(): (grant: Grant) => string {
  const nameOf = useRoleName();
  const { data } = useRoles();
  return ({ role, permission }) => {
    if (!role) return permission ?? "";
    const known = data?.items.find(({ name }) => name === role);
    return nameOf(known ?? { name: role, built_in: true });
  };
}

/** From when until when something counts, and whether that is over. */
export function Validity({ grant: { valid_from: from, valid_until: until } }: { grant: Grant }) {
  const { t } = useTranslation("access");
  const now = Date.now();
  const isOver = until !== undefined && Date.parse(until) <= now;
  const isAhead = from !== undefined && Date.parse(from) > now;
  return (
    <>
      {from && (
        <>
          {t("grants.from")} <When at={from} />{" "}
        </>
      )}
      {until ? (
        <>
          {t("grants.until")} <When at={until} />
        </>
      ) : (
        t("grants.forGood")
      )}
      {isOver && ` (${t("grants.over")})`}
      {isAhead && ` (${t("grants.ahead")})`}
    </>
  );
}

const NOTHING = { kind: "role" as "role" | "permission", what: "", from: "", until: "", reason: "" };
type Draft = typeof NOTHING;

/** A moment of this device's clock, as a field has it, as the server wants it. */
const momentOf = (local: string) => new Date(local).toISOString();

export function draftOf({ kind, what, from, until, reason }: Draft): GrantDraft {
  return {
    [kind]: what,
    ...(from && { valid_from: momentOf(from) }),
    ...(until && { valid_until: momentOf(until) }),
    reason: reason.trim(),
  } as GrantDraft;
}

function faultsOf({ what, from, until, reason }: Draft) {
  return {
    what: what === "" ? ("grants.needWhat" as const) : undefined,
    until: from && until && until <= from ? ("grants.needOrder" as const) : undefined,
    reason: reason.trim() === "" ? ("ask.needReason" as const) : undefined,
  };
}

function AddGrant({ user, onEnd }: { user: string; onEnd: () => void }) {
  const { t } = useTranslation("access");
  const [draft, setDraft] = useState(NOTHING);
  const [isTried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { error, isPending, mutateAsync } = useDo((sent: GrantDraft) => grant(user, sent).then(() => true));
  const problem = error instanceof Problem ? error : undefined;
  const faults = faultsOf(draft);
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const at = (ours: string | undefined, ...theirs: string[]) =>
    (isTried && ours) || theirs.map((field) => problem?.at(field)).find(Boolean);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.values(faults).some(Boolean)) return focusFault(form);
    if (await mutateAsync(draftOf(draft)).catch(() => false)) onEnd();
    else focusFault(form);
  };
  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Stack>
        <Radio.Group
          label={t("grants.kind")}
          value={draft.kind}
          onChange={(kind) => set({ kind: kind as Draft["kind"], what: "" })}
        >
          <Group mt={4}>
            <Radio value="role" label={t("grants.role")} />
            <Radio value="permission" label={t("grants.permission")} />
          </Group>
        </Radio.Group>
        <WhatPicker
          draft={draft}
          error={at(faults.what && t(faults.what), draft.kind)}
          onChange={(what) => set({ what })}
        />
        <Group align="start" grow preventGrowOverflow={false}>
          <TextInput
            type="datetime-local"
            label={t("grants.validFrom")}
            value={draft.from}
            error={at(undefined, "valid_from")}
            onChange={(event) => set({ from: event.currentTarget.value })}
          />
          <TextInput
            type="datetime-local"
            label={t("grants.validUntil")}
            value={draft.until}
            error={at(faults.until && t(faults.until), "valid_until")}
            onChange={(event) => set({ until: event.currentTarget.value })}
          />
        </Group>
        <TextInput
          label={t("ask.reason")}
          description={t("ask.reasonHint")}
          value={draft.reason}
          maxLength={500}
          error={at(faults.reason && t(faults.reason), "reason")}
          onChange={(event) => set({ reason: event.currentTarget.value })}
          required
        />
        {error && <ProblemAlert error={error} writes />}
        <Group>
          <Button type="submit" loading={isPending}>
            {t("grants.give")}
          </Button>
          <Button variant="default" onClick={onEnd}>
            {t("ask.no")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface WhatProps {
  draft: Draft;
  error: string | undefined;
  onChange: (what: string) => void;
}

function WhatPicker({ draft, error, onChange }: WhatProps) {
  const { t } = useTranslation("access");
  const nameOf = useRoleName();
  const roles = useRoles();
  const permissions = usePermissions();
  const choices =
    draft.kind === "role"
      ? (roles.data?.items ?? []).map((role) => ({ value: role.name, label: nameOf(role) }))
      : (permissions.data?.items ?? []).map(({ name }) => ({ value: name, label: name }));
  return (
    <Select
      label={t(`grants.${draft.kind}`)}
      data={choices}
      value={draft.what || null}
      error={error}
      onChange={(what) => onChange(what ?? "")}
      searchable
      required
    />
  );
}
