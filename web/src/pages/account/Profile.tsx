import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Me } from "../../api/access/account";
import { Problem } from "../../api/problem";
import { focusFault } from "../../entry/focusFault";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Unsaved } from "../../ui/Unsaved";
import { Waiting } from "../audit/Waiting";
import { useChangeProfile, useMe } from "./queries";

/** Name, e-mail address and telephone of one's own account. */
export function Profile() {
  const { t } = useTranslation("account");
  const { data, error, refetch } = useMe();
  return (
    <Page title={t("profile.title")}>
      {data && <Form me={data} />}
      {!data && error && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Waiting label={t("loading")} />}
    </Page>
  );
}

const FIELDS = [
  { name: "display_name", complete: "name", type: "text" },
  { name: "email", complete: "email", type: "email" },
  { name: "phone", complete: "tel", type: "tel" },
] as const;
type Field = (typeof FIELDS)[number]["name"];

function Form({ me }: { me: Me }) {
  const { t } = useTranslation("account");
  const [draft, setDraft] = useState<Partial<Record<Field, string>>>({});
  const { error, isPending, isSuccess, mutateAsync } = useChangeProfile();
  const form = useRef<HTMLFormElement>(null);
  const changed = FIELDS.map(({ name }) => name).filter(
    (name) => draft[name] !== undefined && draft[name]?.trim() !== (me[name] ?? ""),
  );
  const problem = error instanceof Problem ? error : undefined;
  const isPlaced = FIELDS.some(({ name }) => problem?.at(name));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const change = Object.fromEntries(changed.map((name) => [name, draft[name]?.trim() || null]));
    const stored = await mutateAsync(change).catch(() => undefined);
    if (stored) setDraft({});
    else focusFault(form);
  };
  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Unsaved isDirty={changed.length > 0} />
      <Stack maw={480}>
        <Text>
          {t("profile.username")}: <bdi>{me.username}</bdi>
        </Text>
        {error && !isPlaced && <ProblemAlert error={error} writes />}
        {FIELDS.map(({ name, complete, type }) => (
          <TextInput
            key={name}
            type={type}
            label={t(`profile.${name}`)}
            description={
              name === "email" && me.email ? (
                <Verified isVerified={me.email_verified ?? false} />
              ) : (
                t(`profile.${name}Hint`)
              )
            }
            autoComplete={complete}
            spellCheck={false}
            value={draft[name] ?? me[name] ?? ""}
            error={problem?.at(name)}
            onChange={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })}
          />
        ))}
        <Group>
          <Button type="submit" loading={isPending} disabled={changed.length === 0}>
            {t("profile.save")}
          </Button>
          <span role="status">{isSuccess && changed.length === 0 && t("profile.saved")}</span>
        </Group>
      </Stack>
    </form>
  );
}

function Verified({ isVerified }: { isVerified: boolean }) {
  const { t } = useTranslation("account");
  return <>{t(isVerified ? "profile.verified" : "profile.unverified")}</>;
}
