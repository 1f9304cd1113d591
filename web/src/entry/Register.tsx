import { Button, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { open } from "../api/access/account";
import { Problem } from "../api/problem";
import { Organization } from "../app/Organization";
import { focusFault } from "./focusFault";
import { NewPassword, PASSWORD_LENGTH_MIN, passwordFault } from "./NewPassword";
import { Done, Step, ToSignIn } from "./Step";
import { useWhereabouts } from "./useWhereabouts";
import { useWork } from "./useWork";

const NOTHING = { username: "", email: "", display_name: "", password: "" };
type Draft = typeof NOTHING;

const FIELDS = [
  { name: "username", complete: "username", type: "text", isNeeded: true },
  { name: "display_name", complete: "name", type: "text", isNeeded: false },
  { name: "email", complete: "email", type: "email", isNeeded: true },
] as const;

/** Makes an account for oneself. What the page says at the end does not tell whether there was one already. */
export function Register() {
  const { t } = useTranslation("entry");
  const [draft, setDraft] = useState(NOTHING);
  const [isTried, setTried] = useState(false);
  const [isDone, setDone] = useState(false);
  const { error, isBusy, work } = useWork();
  const form = useRef<HTMLFormElement>(null);
  const where = useWhereabouts();
  if (isDone) return <Done title={t("register.done")}>{t("register.doneText", { email: draft.email.trim() })}</Done>;

  const isClosed = error instanceof Problem && error.status === 403;
  const at = (field: keyof Draft) => {
    const ours = isTried ? faultOf(field, draft) : undefined;
    if (ours) return t(ours, { count: PASSWORD_LENGTH_MIN });
    return error instanceof Problem ? error.at(field) : undefined;
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const isWhole = (Object.keys(NOTHING) as (keyof Draft)[]).every((field) => !faultOf(field, draft));
    if (!isWhole) return focusFault(form);
    const { display_name: name, ...rest } = draft;
    const person = { ...rest, username: rest.username.trim(), email: rest.email.trim() };
    const isSent = await work(() =>
      open.register({ ...person, ...(name.trim() && { display_name: name.trim() }), ...where.read() }),
    );
    if (isSent) setDone(true);
    else focusFault(form);
  };
  return (
    <Step
      title={t("register.title")}
      text={t(isClosed ? "register.closed" : "register.text")}
      error={isClosed ? undefined : error}
    >
      <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <Stack>
          {FIELDS.map(({ name, complete, type, isNeeded }) => (
            <TextInput
              key={name}
              name={name}
              type={type}
              label={t(`register.${name}`)}
              description={t(`register.${name}Hint`)}
              autoComplete={complete}
              autoCapitalize={name === "display_name" ? "words" : "none"}
              spellCheck={false}
              value={draft[name]}
              error={at(name)}
              required={isNeeded}
              onChange={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })}
            />
          ))}
          <NewPassword
            label={t("password.label")}
            value={draft.password}
            error={at("password")}
            onChange={(password) => setDraft({ ...draft, password })}
          />
          <Organization field={where.field} />
          <Button type="submit" loading={isBusy}>
            {t("register.submit")}
          </Button>
          <ToSignIn />
        </Stack>
      </form>
    </Step>
  );
}

function faultOf(field: keyof Draft, draft: Draft) {
  if (field === "password") return passwordFault(draft.password);
  if (field === "username" && draft.username.trim() === "") return "register.needName" as const;
  if (field === "email" && !/^\S+@\S+$/.test(draft.email.trim())) return "register.needEmail" as const;
  return undefined;
}
