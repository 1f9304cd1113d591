import { Button, Center, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";
import { choose, LANGUAGES, type Language } from "../i18n";
import { ProblemAlert } from "../ui/ProblemAlert";
import { useTitle } from "../ui/useTitle";
import classes from "./SignIn.module.css";
import { session, type User } from "./session";

/** Signing in; over a locked page it says whose pages wait. */
export function SignIn({ locked }: { locked?: User }) {
  const { t } = useTranslation();
  const title = locked ? t("session.locked") : t("signIn.title");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const username = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  useTitle(title);
  useEffect(() => (locked ? password : username).current?.focus(), [locked]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isBusy) return;
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await session.signIn(String(form.get("username")), String(form.get("password")));
    } catch (problem) {
      setError(problem);
      setBusy(false);
      password.current?.select();
    }
  }

  return (
    <div className={classes.over}>
      <Center component="main" mih="100%" p="md">
        <Paper withBorder p="lg" w="100%" maw={420}>
          <form onSubmit={submit}>
            <Stack>
              <Title order={1} size="h3">
                {title}
              </Title>
              {locked && <Text size="sm">{t("session.lockedText", { name: locked.username })}</Text>}
              <div role="alert">{error !== undefined && <Refusal error={error} />}</div>
              <TextInput
                ref={username}
                name="username"
                label={t("signIn.username")}
                autoComplete="username"
                autoCapitalize="none"
                spellCheck={false}
                defaultValue={locked?.username}
                required
              />
              <PasswordInput
                ref={password}
                name="password"
                label={t("signIn.password")}
                autoComplete="current-password"
                visibilityToggleButtonProps={{ "aria-label": t("signIn.show"), tabIndex: 0 }}
                required
              />
              <Button type="submit" loading={isBusy}>
                {t("signIn.submit")}
              </Button>
              {locked && (
                <Button variant="subtle" onClick={() => void session.signOut()}>
                  {t("session.other")}
                </Button>
              )}
            </Stack>
          </form>
          <Languages />
        </Paper>
      </Center>
    </div>
  );
}

/** Who cannot read the page cannot find the way to another language behind it. */
function Languages() {
  const { t, i18n } = useTranslation();
  return (
    <Group component="nav" justify="center" gap="xs" mt="md" aria-label={t("account.language")}>
      {(Object.entries(LANGUAGES) as [Language, string][]).map(([language, name]) => (
        <Button
          key={language}
          lang={language}
          size="compact-sm"
          variant={i18n.language === language ? "light" : "subtle"}
          aria-pressed={i18n.language === language}
          onClick={() => void choose(language)}
        >
          {name}
        </Button>
      ))}
    </Group>
  );
}

function Refusal({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!(error instanceof Problem)) return <ProblemAlert error={error} />;
  if (error.status === 401) return <Text>{t("signIn.wrong")}</Text>;
  if (error.status === 429) return <Text>{t("signIn.wait", { count: error.retryAfter ?? 1 })}</Text>;
  return <ProblemAlert error={error} />;
}
