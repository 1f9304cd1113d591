import { Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";
import { ProblemAlert } from "../ui/ProblemAlert";
import { session, type User } from "./session";

/** Signing in; over a locked page it says whose pages wait. */
export function SignIn({ locked }: { locked?: User }) {
  const { t } = useTranslation();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  async function submit(form: FormData) {
    setBusy(true);
    setError(undefined);
    try {
      await session.signIn(String(form.get("username")), String(form.get("password")));
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="lg" w="100%" maw={420}>
        <form action={submit}>
          <Stack>
            <Title order={1} size="h3">
              {locked ? t("session.locked") : t("signIn.title")}
            </Title>
            {locked && <Text size="sm">{t("session.lockedText", { name: locked.username })}</Text>}
            {error !== undefined && <Refusal error={error} />}
            <TextInput
              name="username"
              label={t("signIn.username")}
              autoComplete="username"
              defaultValue={locked?.username}
              required
              data-autofocus={!locked}
            />
            <PasswordInput name="password" label={t("signIn.password")} autoComplete="current-password" required />
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
      </Paper>
    </Center>
  );
}

function Refusal({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!(error instanceof Problem)) return <ProblemAlert error={error} />;
  if (error.status === 401) return <Text role="alert">{t("signIn.wrong")}</Text>;
  if (error.status === 429) return <Text role="alert">{t("signIn.wait", { seconds: error.retryAfter ?? 1 })}</Text>;
  return <ProblemAlert error={error} />;
}
