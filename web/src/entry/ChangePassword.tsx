import { Button, Group, PasswordInput, Stack } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { changePassword } from "../api/access/account";
import { Problem } from "../api/problem";
import { useSession } from "../app/session";
import { ProblemAlert } from "../ui/ProblemAlert";
import { focusFault } from "./focusFault";
import { NewPassword, PASSWORD_LENGTH_MIN, passwordFault } from "./NewPassword";
import { useWork } from "./useWork";

const NOTHING = { current: "", next: "" };

/** Changes one's own password, by the one before. */
export function ChangePassword({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation(["entry", "app"]);
  const { user } = useSession();
  const [draft, setDraft] = useState(NOTHING);
  const [isTried, setTried] = useState(false);
  const { error, isBusy, work } = useWork();
  const form = useRef<HTMLFormElement>(null);
  const problem = error instanceof Problem ? error : undefined;
  const fault = isTried ? passwordFault(draft.next) : undefined;
  const current = isTried && draft.current === "" ? t("password.needCurrent") : problem?.at("current_password");
  const next = fault ? t(fault, { count: PASSWORD_LENGTH_MIN }) : problem?.at("new_password");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (draft.current === "" || passwordFault(draft.next)) return focusFault(form);
    if (!(await work(() => changePassword(draft.current, draft.next)))) return focusFault(form);
    setDraft(NOTHING);
    setTried(false);
    onDone();
  };
  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Stack maw={480}>
        {error !== undefined && !current && !next && <ProblemAlert error={error} writes />}
        {/* So that what keeps passwords knows whose this is. */}
        <input hidden autoComplete="username" value={user?.username ?? ""} readOnly />
        <PasswordInput
          label={t("password.current")}
          autoComplete="current-password"
          visibilityToggleButtonProps={{ "aria-label": t("app:signIn.show"), tabIndex: 0 }}
          value={draft.current}
          error={current}
          aria-invalid={current !== undefined}
          onChange={(event) => setDraft({ ...draft, current: event.currentTarget.value })}
          required
        />
        <NewPassword
          label={t("password.next")}
          value={draft.next}
          error={next}
          onChange={(password) => setDraft({ ...draft, next: password })}
        />
        <Group>
          <Button type="submit" loading={isBusy}>
            {t("password.change")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
