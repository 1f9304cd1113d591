import { Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { beginPasskey, finishPasskey } from "../api/access/account";
import { newPasskey } from "../app/passkeys";
import { Fault } from "./Fault";
import { FormEnd } from "./FormEnd";
import { useWork } from "./useWork";

interface Props {
  /** Called with codes for the day on which it is lost, if it is the first second proof. */
  onDone: (codes: string[] | undefined) => void;
  onCancel?: () => void;
}

/** Has this device, or a key that is put into it, make a passkey for the account. */
export function AddPasskey({ onDone, onCancel }: Props) {
  const { t } = useTranslation("entry");
  const [name, setName] = useState("");
  const { error, isBusy, work } = useWork();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await work(async () => {
      const begun = await beginPasskey();
      const credential = await newPasskey(begun.public_key);
      const made = await finishPasskey(begun.ceremony, credential, name.trim() || t("passkey.unnamed"));
      onDone(made.recovery_codes);
    });
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack maw={480}>
        <Text size="sm">{t("passkey.text")}</Text>
        <div role="alert">{error !== undefined && <Fault error={error} />}</div>
        <TextInput
          label={t("passkey.name")}
          description={t("passkey.nameHint")}
          value={name}
          maxLength={80}
          autoComplete="off"
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <FormEnd submit={t("passkey.make")} isBusy={isBusy} onCancel={onCancel} />
      </Stack>
    </form>
  );
}
