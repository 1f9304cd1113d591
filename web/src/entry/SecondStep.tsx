import { Button, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";
import { hasPasskeys, Refused } from "../app/passkeys";
import { type Challenge, type Proof, session } from "../app/session";
import { ProblemAlert } from "../ui/ProblemAlert";
import { useTitle } from "../ui/useTitle";
import classes from "./Long.module.css";

type Way = "totp" | "recovery_code";

interface Props {
  challenge: Challenge;
  /** Back to name and password; `isLate` when the challenge is over. */
  onBack: (isLate: boolean) => void;
  /** Signed in; where nothing is said, the page notices by itself. */
  onDone?: () => void;
}

/** The second proof of a sign-in: a code from an app, one of the kept codes, or a passkey. */
export default function SecondStep({ challenge, onBack, onDone }: Props) {
  const { t } = useTranslation("entry");
  const ways = (["totp", "recovery_code"] as const).filter((way) => challenge.factors.includes(way));
  const [way, setWay] = useState<Way | undefined>(ways[0]);
  const { error, isBusy, enter } = useEntering(onBack, onDone);
  useTitle(t("second.title"));
  const withPasskey = challenge.factors.includes("passkey") && hasPasskeys();
  return (
    <Stack>
      <Title order={1} size="h3">
        {t("second.title")}
      </Title>
      <div role="alert">{error !== undefined && <Refusal error={error} />}</div>
      {way && (
        <CodeForm
          key={way}
          way={way}
          isBusy={isBusy}
          onCode={(proof) => enter(() => session.prove(challenge, proof))}
        />
      )}
      {withPasskey && (
        <Button
          variant={way ? "default" : "filled"}
          loading={isBusy && !way}
          onClick={() => void enter(() => session.signInByPasskey(challenge.username, challenge.tenant))}
        >
          {t("second.passkey")}
        </Button>
      )}
      {ways
        .filter((other) => other !== way)
        .map((other) => (
          <Button key={other} variant="subtle" className={classes.long ?? ""} onClick={() => setWay(other)}>
            {t(`second.to.${other}`)}
          </Button>
        ))}
      <Button variant="subtle" className={classes.long ?? ""} onClick={() => onBack(false)}>
        {t("second.back")}
      </Button>
    </Stack>
  );
}

/** Signs in, one try at a time. */
function useEntering(onBack: (isLate: boolean) => void, onDone?: () => void) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  async function enter(work: () => Promise<unknown>): Promise<boolean> {
    if (isBusy) return true;
    setBusy(true);
    setError(undefined);
    try {
      await work();
      onDone?.();
      return true;
    } catch (problem) {
      setBusy(false);
      if (isOver(problem)) onBack(true);
      else setError(problem);
      return false;
    }
  }
  return { error, isBusy, enter };
}

/** Whether the challenge itself is no longer good, so that another code would not help. */
function isOver(problem: unknown): boolean {
  return problem instanceof Problem && (problem.status === 410 || problem.type === "challenge_expired");
}

interface CodeProps {
  way: Way;
  isBusy: boolean;
  onCode: (proof: Proof) => Promise<boolean>;
}

function CodeForm({ way, isBusy, onCode }: CodeProps) {
  const { t } = useTranslation("entry");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget).get("code")).replace(/\s/g, "");
    if (!typed) return field.current?.focus();
    const proof = way === "totp" ? { code: typed } : { recovery_code: typed };
    if (!(await onCode(proof))) field.current?.select();
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <TextInput
          ref={field}
          name="code"
          label={t(`second.${way}.label`)}
          description={t(`second.${way}.hint`)}
          inputMode={way === "totp" ? "numeric" : "text"}
          autoComplete={way === "totp" ? "one-time-code" : "off"}
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          required
        />
        <Button type="submit" loading={isBusy}>
          {t("second.submit")}
        </Button>
      </Stack>
    </form>
  );
}

function Refusal({ error }: { error: unknown }) {
  const { t } = useTranslation(["entry", "app"]);
  if (error instanceof Refused) return <Text>{t(`app:signIn.refused.${error.why}`)}</Text>;
  if (!(error instanceof Problem)) return <ProblemAlert error={error} />;
  if (error.status === 401 || error.status === 422) return <Text>{t("second.wrong")}</Text>;
  if (error.status === 429) return <Text>{t("app:signIn.wait", { count: error.retryAfter ?? 1 })}</Text>;
  return <ProblemAlert error={error} />;
}
