import "@mantine/core/styles.layer.css";

import { Button, Divider, Stack, Text, Title } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Doorstep } from "../app/Doorstep";
import { hasPasskeys } from "../app/passkeys";
import { StepUpDialog } from "../app/StepUpDialog";
import { type Must, session } from "../app/session";
import { useTitle } from "../ui/useTitle";
import { AddPasskey } from "./AddPasskey";
import { ChangePassword } from "./ChangePassword";
import classes from "./Long.module.css";
import { RecoveryCodes } from "./RecoveryCodes";
import { TotpSetup } from "./TotpSetup";
import { useWork } from "./useWork";

/** What must be done before the pages open: a password of one's own, then a second proof. */
export default function Forced({ must }: { must: readonly Must[] }) {
  const { t } = useTranslation("entry");
  const first = must.includes("password_change") ? "password_change" : "mfa_setup";
  const title = t(`forced.${first}.title`);
  const heading = useRef<HTMLHeadingElement>(null);
  const { error, work } = useWork();
  useTitle(title);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each step is arrived at
  useEffect(() => heading.current?.focus(), [first]);
  // The server says what remains to be done.
  const done = () => void work(() => session.refresh());
  return (
    <Doorstep width={560}>
      <Stack>
        <Title order={1} size="h3" ref={heading} tabIndex={-1}>
          {title}
        </Title>
        <Text>{t(`forced.${first}.text`)}</Text>
        {error !== undefined && (
          <Button variant="default" onClick={done}>
            {t("forced.again")}
          </Button>
        )}
        {first === "password_change" ? <ChangePassword onDone={done} /> : <Factor onDone={done} />}
        <Divider />
        <Button variant="subtle" onClick={() => void session.signOut()}>
          {t("forced.leave")}
        </Button>
      </Stack>
      <StepUpDialog isInPlace />
    </Doorstep>
  );
}

/** A second proof of one's choice. */
function Factor({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation("entry");
  const [way, setWay] = useState<"totp" | "passkey">();
  const [codes, setCodes] = useState<string[]>();
  if (codes) return <RecoveryCodes codes={codes} onKept={onDone} />;
  if (way === "totp") return <TotpSetup onDone={setCodes} onCancel={() => setWay(undefined)} />;
  const made = (kept: string[] | undefined) => (kept ? setCodes(kept) : onDone());
  if (way === "passkey") return <AddPasskey onDone={made} onCancel={() => setWay(undefined)} />;
  return (
    <Stack>
      {hasPasskeys() && (
        <Button className={classes.long ?? ""} onClick={() => setWay("passkey")}>
          {t("forced.passkey")}
        </Button>
      )}
      <Button
        className={classes.long ?? ""}
        variant={hasPasskeys() ? "default" : "filled"}
        onClick={() => setWay("totp")}
      >
        {t("forced.totp")}
      </Button>
    </Stack>
  );
}
