import { Button, Divider, Group, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";
import { ProblemAlert } from "../ui/ProblemAlert";
import { useTitle } from "../ui/useTitle";
import { Doorstep } from "./Doorstep";
import { Organization } from "./Organization";
import { addressOf } from "./open";
import { hasPasskeys, Refused } from "./passkeys";
import { type Challenge, session, type User } from "./session";
import { Waiting } from "./Waiting";

const SecondStep = lazy(() => import("../entry/SecondStep"));

/** Signing in; over a locked page it says whose pages wait. */
export function SignIn({ locked }: { locked?: User }) {
  const [challenge, setChallenge] = useState<Challenge>();
  const [late, setLate] = useState(false);
  const back = (isLate: boolean) => {
    setLate(isLate);
    setChallenge(undefined);
  };
  return (
    <Doorstep>
      {challenge ? (
        <Suspense fallback={<Waiting />}>
          <SecondStep challenge={challenge} onBack={back} />
        </Suspense>
      ) : (
        <FirstStep locked={locked} isLate={late} onChallenge={setChallenge} />
      )}
    </Doorstep>
  );
}

interface FirstProps {
  locked: User | undefined;
  /** The second step took too long, so all begins anew. */
  isLate: boolean;
  onChallenge: (challenge: Challenge) => void;
}

function FirstStep({ locked, isLate, onChallenge }: FirstProps) {
  const { t } = useTranslation();
  const title = locked ? t("session.locked") : t("signIn.title");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState<"password" | "passkey">();
  const username = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const organization = useRef<HTMLInputElement>(null);
  useTitle(title);
  useEffect(() => (locked ? password : username).current?.focus(), [locked]);

  async function enter(how: "password" | "passkey", work: () => Promise<Challenge | undefined>) {
    if (busy) return;
    setBusy(how);
    setError(undefined);
    try {
      const challenge = await work();
      if (challenge) onChallenge(challenge);
    } catch (problem) {
      setError(problem);
      setBusy(undefined);
      if (how === "password") password.current?.select();
    }
  }

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const read = (name: string) => String(form.get(name) ?? "");
    void enter("password", () => session.signIn(read("username"), read("password"), read("tenant").trim()));
  }

  return (
    <form onSubmit={submit}>
      <Stack>
        <Title order={1} size="h3">
          {title}
        </Title>
        {locked && <Text size="sm">{t("session.lockedText", { name: locked.username })}</Text>}
        <div role="alert">
          {error !== undefined ? <Refusal error={error} /> : isLate && <Text>{t("signIn.late")}</Text>}
        </div>
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
        <Organization field={organization} />
        <Button type="submit" loading={busy === "password"}>
          {t("signIn.submit")}
        </Button>
        {hasPasskeys() && (
          <Button
            variant="default"
            loading={busy === "passkey"}
            onClick={() => void enter("passkey", () => session.signInByPasskey("", organization.current?.value.trim()))}
          >
            {t("signIn.passkey")}
          </Button>
        )}
        {locked ? (
          <Button variant="subtle" onClick={() => void session.signOut()}>
            {t("session.other")}
          </Button>
        ) : (
          <Elsewhere />
        )}
      </Stack>
    </form>
  );
}

/** Ways in for who has no password, or no longer. */
function Elsewhere() {
  const { t } = useTranslation();
  return (
    <>
      <Divider />
      <Group component="nav" aria-label={t("signIn.elsewhere")} gap="xs">
        {(["reset", "patient", "register"] as const).map((place) => (
          <Button key={place} component="a" href={addressOf(place)} variant="subtle" size="compact-sm">
            {t(`signIn.to.${place}`)}
          </Button>
        ))}
      </Group>
    </>
  );
}

function Refusal({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (error instanceof Refused) return <Text>{t(`signIn.refused.${error.why}`)}</Text>;
  if (!(error instanceof Problem)) return <ProblemAlert error={error} />;
  if (error.status === 401) return <Text>{t("signIn.wrong")}</Text>;
  if (error.status === 429) return <Text>{t("signIn.wait", { count: error.retryAfter ?? 1 })}</Text>;
  return <ProblemAlert error={error} />;
}
