import { Button, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { open } from "../api/access/account";
import { Organization } from "../app/Organization";
import { focusFault } from "./focusFault";
import { NewPasswordByLink } from "./NewPasswordByLink";
import { Done, Step, ToSignIn } from "./Step";
import { tokenOf } from "./useToken";
import { useWhereabouts } from "./useWhereabouts";
import { useWork } from "./useWork";

/** A forgotten password: by the mailed link a new one is set, without one the link is asked for. */
export function Reset() {
  const [hasToken] = useState(() => tokenOf(location) !== "");
  return hasToken ? <NewPasswordByLink about="reset" /> : <AskForLink />;
}

function AskForLink() {
  const { t } = useTranslation("entry");
  const [who, setWho] = useState("");
  const [isTried, setTried] = useState(false);
  const [isDone, setDone] = useState(false);
  const { error, isBusy, work } = useWork();
  const form = useRef<HTMLFormElement>(null);
  const where = useWhereabouts();
  if (isDone) return <Done title={t("reset.asked")}>{t("reset.askedText")}</Done>;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const typed = who.trim();
    if (!typed) return focusFault(form);
    if (
      await work(() =>
        open.askReset({ ...(typed.includes("@") ? { email: typed } : { username: typed }), ...where.read() }),
      )
    )
      setDone(true);
  };
  return (
    <Step title={t("reset.title")} text={t("reset.text")} error={error}>
      <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput
            label={t("reset.who")}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            value={who}
            error={isTried && who.trim() === "" && t("reset.needWho")}
            onChange={(event) => setWho(event.currentTarget.value)}
            required
          />
          <Organization field={where.field} />
          <Button type="submit" loading={isBusy}>
            {t("reset.ask")}
          </Button>
          <ToSignIn />
        </Stack>
      </form>
    </Step>
  );
}
