import { Button, Code, CopyButton, Group, Loader, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type TotpSetup as Begun, beginTotp, finishTotp } from "../api/access/account";
import { ProblemAlert } from "../ui/ProblemAlert";
import { CodeForm } from "./CodeForm";
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
      <CodeForm
        label={t("totp.code")}
        hint={t("totp.codeHint")}
        submit={t("totp.submit")}
        onCode={async (code) => onDone((await finishTotp(code)).recovery_codes)}
        onCancel={onCancel}
      />
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
