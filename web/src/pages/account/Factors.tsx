import { Badge, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { RecoveryCodes } from "../../entry/RecoveryCodes";
import { TotpSetup } from "../../entry/TotpSetup";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Told } from "../../ui/Told";
import { Waiting } from "../audit/Waiting";
import { Passkeys } from "./Passkeys";
import { useFactorsChanged, useMfa } from "./queries";
import { RemoveTotp } from "./RemoveTotp";

/** How one shows who one is beside the password: an app that shows codes, and passkeys. */
export function Factors() {
  const { t } = useTranslation("account");
  return (
    <Page title={t("factors.title")}>
      <Text maw={640}>{t("factors.text")}</Text>
      <Stack maw={720}>
        <Totp />
        <Passkeys />
      </Stack>
    </Page>
  );
}

/** A way to show who one is, under its heading. */
export function Factor({ title, mark, children }: { title: string; mark?: ReactNode; children: ReactNode }) {
  return (
    <Paper component="section" withBorder p="md" aria-label={title}>
      <Stack gap="sm">
        <Group gap="sm">
          <Title order={2} size="h4">
            {title}
          </Title>
          {mark}
        </Group>
        {children}
      </Stack>
    </Paper>
  );
}

type Step = "set up" | "remove" | { codes: string[] };

function Totp() {
  const { t } = useTranslation("account");
  const { data, error, refetch } = useMfa();
  const [step, setStep] = useState<Step>();
  const [told, setTold] = useState<"on" | "off">();
  const changed = useFactorsChanged();
  const isOn = data?.totp ?? false;
  const end = (what?: "on" | "off") => {
    setStep(undefined);
    setTold(what);
    void changed();
  };
  const mark = data && (
    <Badge variant="outline" tt="none" color={isOn ? "green" : "gray"}>
      {t(isOn ? "totp.on" : "totp.off")}
    </Badge>
  );
  return (
    <Factor title={t("totp.title")} mark={mark}>
      {!data &&
        (error ? <ProblemAlert error={error} onRetry={() => void refetch()} /> : <Waiting label={t("loading")} />)}
      {told && <Told text={t(`totp.told.${told}`)} />}
      {step === "set up" && <TotpSetup onDone={(codes) => setStep({ codes })} onCancel={() => end()} />}
      {step === "remove" && <RemoveTotp onDone={() => end("off")} onCancel={() => end()} />}
      {typeof step === "object" && <RecoveryCodes codes={step.codes} onKept={() => end("on")} />}
      {data && step === undefined && (
        <>
          <Text size="sm">{t(isOn ? "totp.textOn" : "totp.textOff")}</Text>
          {data.recovery_codes_left > 0 && (
            <Text size="sm">{t("totp.codesLeft", { count: data.recovery_codes_left })}</Text>
          )}
          <Group>
            {isOn ? (
              <Button variant="outline" color="red" onClick={() => setStep("remove")}>
                {t("totp.remove")}
              </Button>
            ) : (
              <Button onClick={() => setStep("set up")}>{t("totp.setUp")}</Button>
            )}
          </Group>
        </>
      )}
    </Factor>
  );
}
