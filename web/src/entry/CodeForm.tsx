import { Stack, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";
import { Fault } from "./Fault";
import { FormEnd } from "./FormEnd";
import { useWork } from "./useWork";

interface Props {
  label: string;
  hint?: string;
  /** What the button says. */
  submit: string;
  isGrave?: boolean;
  /** Whether the field is what one comes for. */
  hasFocus?: boolean;
  /** What is done with the code; a refusal of it is said at the field. */
  onCode: (code: string) => Promise<void>;
  onCancel?: (() => void) | undefined;
}

/** What a server says to a code that is not right. A refusal is about something else. */
const isWrong = (error: unknown) => error instanceof Problem && (error.status === 401 || error.status === 422);

/** Takes a code of digits, from an app or a message. */
export function CodeForm({ label, hint, submit, isGrave = false, hasFocus = false, onCode, onCancel }: Props) {
  const { t } = useTranslation("entry");
  const { error, isBusy, work } = useWork();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (hasFocus) field.current?.focus();
  }, [hasFocus]);
  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget).get("code")).replace(/\s/g, "");
    if (!code) return field.current?.focus();
    if (!(await work(() => onCode(code)))) field.current?.select();
  };
  return (
    <form onSubmit={(event) => void send(event)} noValidate>
      <Stack>
        <div role="alert">{error !== undefined && !isWrong(error) && <Fault error={error} />}</div>
        <TextInput
          ref={field}
          name="code"
          label={label}
          description={hint}
          inputMode="numeric"
          autoComplete="one-time-code"
          error={isWrong(error) && t("second.wrong")}
          required
        />
        <FormEnd submit={submit} isBusy={isBusy} isGrave={isGrave} onCancel={onCancel} />
      </Stack>
    </form>
  );
}
