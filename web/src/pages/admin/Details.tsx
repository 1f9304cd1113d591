import { Button, Group, Stack, TagsInput, TextInput, Title } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../api/problem";
import { focusFault } from "../../entry/focusFault";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Unsaved } from "../../ui/Unsaved";
import { useChangeUser } from "./queries";
import type { UserChange, UserItem } from "./types";

const TEXTS = [
  { name: "display_name", type: "text" },
  { name: "email", type: "email" },
  { name: "phone", type: "tel" },
  { name: "practitioner_id", type: "text" },
] as const;

/** Who somebody is and where they work. */
export function Details({ user }: { user: UserItem }) {
  const { t } = useTranslation("admin");
  const [draft, setDraft] = useState<UserChange>({});
  const { error, isPending, isSuccess, mutateAsync } = useChangeUser(user.id);
  const form = useRef<HTMLFormElement>(null);
  const problem = error instanceof Problem ? error : undefined;
  const change = changeOf(user, draft);
  const isDirty = Object.keys(change).length > 0;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await mutateAsync(change).catch(() => undefined)) setDraft({});
    else focusFault(form);
  };
  return (
    <Stack component="section" gap="sm" aria-label={t("details.title")}>
      <Title order={2} size="h4">
        {t("details.title")}
      </Title>
      <Unsaved isDirty={isDirty} />
      <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <Stack gap="sm">
          {TEXTS.map(({ name, type }) => (
            <TextInput
              key={name}
              type={type}
              label={t(`details.${name}`)}
              description={
                name === "email" && user.email
                  ? t(user.email_verified ? "details.verified" : "details.unverified")
                  : undefined
              }
              autoComplete="off"
              spellCheck={false}
              value={draft[name] ?? user[name] ?? ""}
              error={problem?.at(name)}
              onChange={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })}
            />
          ))}
          <TagsInput
            label={t("details.departments")}
            description={t("details.departmentsHint")}
            value={draft.departments ?? user.departments ?? []}
            error={problem?.at("departments")}
            onChange={(departments) => setDraft({ ...draft, departments })}
            clearable={false}
          />
          {error && <ProblemAlert error={error} writes />}
          <Group>
            <Button type="submit" disabled={!isDirty} loading={isPending}>
              {t("details.save")}
            </Button>
            <span role="status">{isSuccess && !isDirty && t("details.saved")}</span>
          </Group>
        </Stack>
      </form>
    </Stack>
  );
}

/** What of a draft is other than what is stored. */
export function changeOf(user: UserChange, draft: UserChange): UserChange {
  const change: UserChange = {};
  for (const { name } of TEXTS) {
    const typed = draft[name]?.trim();
    // `null` takes it away.
    if (typed !== undefined && typed !== (user[name] ?? "")) change[name] = typed || null;
  }
  const { departments } = draft;
  if (departments && departments.join("\n") !== (user.departments ?? []).join("\n")) change.departments = departments;
  return change;
}
