import { Button, Stack, Text } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { open } from "../api/access/account";
import { Problem } from "../api/problem";
import { addressOf } from "../app/open";
import { focusFault } from "./focusFault";
import { isSpent } from "./links";
import { NewPassword, PASSWORD_LENGTH_MIN, passwordFault } from "./NewPassword";
import { Done, Step, ToSignIn } from "./Step";
import { useToken } from "./useToken";
import { useWork } from "./useWork";

/** Sets a password by a mailed link: a forgotten one anew, or the first one of somebody who was invited. */
export function NewPasswordByLink({ about }: { about: "reset" | "invitation" }) {
  const { t } = useTranslation("entry");
  const token = useToken();
  const [password, setPassword] = useState("");
  const [isTried, setTried] = useState(false);
  const [isDone, setDone] = useState(false);
  const { error, isBusy, work } = useWork();
  const form = useRef<HTMLFormElement>(null);
  const title = t(`${about}.${about === "reset" ? "new" : "title"}`);
  if (isDone) return <Done title={t(`${about}.done`)}>{t(`${about}.doneText`)}</Done>;
  if (!token || isSpent(error)) return <Spent title={title} hasToken={token !== ""} isReset={about === "reset"} />;

  const fault = isTried ? passwordFault(password) : undefined;
  const theirs = error instanceof Problem ? (error.at("new_password") ?? error.at("password")) : undefined;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (passwordFault(password)) return focusFault(form);
    if (await work(() => open.reset(token, password))) setDone(true);
    else focusFault(form);
  };
  return (
    <Step title={title} text={t(`${about}.newText`)} error={error}>
      <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <Stack>
          <NewPassword
            label={t("password.label")}
            value={password}
            error={fault ? t(fault, { count: PASSWORD_LENGTH_MIN }) : theirs}
            onChange={setPassword}
            autoFocus
          />
          <Button type="submit" loading={isBusy}>
            {t("password.submit")}
          </Button>
        </Stack>
      </form>
    </Step>
  );
}

function Spent({ title, hasToken, isReset }: { title: string; hasToken: boolean; isReset: boolean }) {
  const { t } = useTranslation("entry");
  return (
    <Step title={title}>
      <Text>{t(hasToken ? "link.spent" : "link.broken")}</Text>
      {isReset && (
        <Button component="a" href={addressOf("reset")}>
          {t("reset.ask")}
        </Button>
      )}
      <ToSignIn />
    </Step>
  );
}
