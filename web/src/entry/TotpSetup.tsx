import { Button, Code, CopyButton, Group, Loader, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type TotpSetup as Begun, beginTotp, finishTotp } from "../api/access/account";
import { Problem } from "../api/problem";
import { ProblemAlert } from "../ui/ProblemAlert";
import { QrCode } from "./QrCode";
import { useWork } from "./useWork";

interface Props {
  /** Called with the codes for the day on which the app is lost. */
  onDone: (codes: string[]) => void;
  onCancel?: () => void;
}

/** Sets an app up that shows codes: it is told the secret by a picture or by hand, and shows its first code. */
export function TotpSetup({ onDone, onCancel }: Props) {
  const { t } = useTranslation("entry");
  const [begun, setBegun] = useState<Begun>();
  const { error, work } = useWork();
  const isAsked = useRef(false);
  const begin = () => void work(async () => setBegun(await beginTotp()));
  // biome-ignore lint/correctness/useExhaustiveDependencies: once; each asking makes another secret
  useEffect(() => {
    if (!isAsked.current) begin();
    isAsked.current = true;
  }, []);
  if (error) return <ProblemAlert error={error} onRetry={begin} />;
  if (!begun) return <Loader role="status" aria-label={t("loading")} />;
  return (
    <Stack>
      <Text size="sm">{t("totp.text")}</Text>
      <QrCode text={begun.otpauth_uri} label={t("totp.picture")} />
      <Secret secret={begun.secret} />
      <FirstCode onDone={onDone} onCancel={onCancel} />
    </Stack>
  );
}

function Secret({ secret }: { secret: string }) {
  const { t } = useTranslation("entry");
  return (
    <Stack gap={4}>
      <Text size="sm">{t("totp.byHand")}</Text>
      <Group gap="sm">
        <Code>{secret.replace(/(.{4})(?=.)/g, "$1 ")}</Code>
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="default" onClick={copy}>
              <span role="status">{t(copied ? "copied" : "totp.copy")}</span>
            </Button>
          )}
        </CopyButton>
      </Group>
    </Stack>
  );
}

function FirstCode({ onDone, onCancel }: { onDone: Props["onDone"]; onCancel: Props["onCancel"] | undefined }) {
  const { t } = useTranslation("entry");
  const { error, isBusy, work } = useWork();
  const field = useRef<HTMLInputElement>(null);
  const isWrong =
    error instanceof Problem && [401, 403, 422].includes(error.status) && error.type !== "step_up_required";
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget).get("code")).replace(/\s/g, "");
    if (!code) return field.current?.focus();
    const isDone = await work(async () => onDone((await finishTotp(code)).recovery_codes));
    if (!isDone) field.current?.select();
  };
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Stack>
        {error !== undefined && !isWrong && <ProblemAlert error={error} writes />}
        <TextInput
          ref={field}
          name="code"
          label={t("totp.code")}
          description={t("totp.codeHint")}
          inputMode="numeric"
          autoComplete="one-time-code"
          error={isWrong && t("second.wrong")}
          required
        />
        <Group>
          <Button type="submit" loading={isBusy}>
            {t("totp.submit")}
          </Button>
          {onCancel && (
            <Button variant="default" onClick={onCancel}>
              {t("cancel")}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}
