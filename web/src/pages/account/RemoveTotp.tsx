import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { removeTotp } from "../../api/access/account";
import { Problem } from "../../api/problem";
import { useWork } from "../../entry/useWork";
import { ProblemAlert } from "../../ui/ProblemAlert";

/** Takes the app away again, by a code that it shows. */
export function RemoveTotp({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const { t } = useTranslation(["account", "entry"]);
  const { error, isBusy, work } = useWork();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const isWrong = error instanceof Problem && error.status === 422;
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget).get("code")).replace(/\s/g, "");
    if (code && (await work(() => removeTotp(code)))) return onDone();
    field.current?.select();
  };
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Stack>
        <Text size="sm">{t("totp.removeText")}</Text>
        {error !== undefined && !isWrong && <ProblemAlert error={error} writes />}
        <TextInput
          ref={field}
          name="code"
          label={t("entry:second.totp.label")}
          inputMode="numeric"
          autoComplete="one-time-code"
          error={isWrong && t("entry:second.wrong")}
          required
        />
        <Group>
          <Button type="submit" color="red" loading={isBusy}>
            {t("totp.remove")}
          </Button>
          <Button variant="default" onClick={onCancel}>
            {t("entry:cancel")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
