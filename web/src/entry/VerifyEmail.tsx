import { Button, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { open } from "../api/access/account";
import { isSpent } from "./links";
import { Done, Step, ToSignIn } from "./Step";
import { useToken } from "./useToken";
import { useWork } from "./useWork";

/** Shows that a message came to an address. A press of a button does it, not the opening: programs that look into mail open links too. */
export function VerifyEmail() {
  const { t } = useTranslation("entry");
  const token = useToken();
  const [isDone, setDone] = useState(false);
  const { error, isBusy, work } = useWork();
  if (isDone) return <Done title={t("verify.done")}>{t("verify.doneText")}</Done>;
  if (!token || isSpent(error)) {
    return (
      <Step title={t("verify.title")}>
        <Text>{t(token ? "link.spent" : "link.broken")}</Text>
        <ToSignIn />
      </Step>
    );
  }
  const confirm = async () => {
    if (await work(() => open.verifyEmail(token))) setDone(true);
  };
  return (
    <Step title={t("verify.title")} text={t("verify.text")} error={error}>
      <Button loading={isBusy} onClick={() => void confirm()}>
        {t("verify.submit")}
      </Button>
    </Step>
  );
}
