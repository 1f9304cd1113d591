import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Passkey, removePasskey, renamePasskey } from "../../api/access/account";
import { hasPasskeys } from "../../app/passkeys";
import { AddPasskey } from "../../entry/AddPasskey";
import { RecoveryCodes } from "../../entry/RecoveryCodes";
import { useWork } from "../../entry/useWork";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Told } from "../../ui/Told";
import { Waiting } from "../audit/Waiting";
import classes from "../chart/Chart.module.css";
import { When } from "../chart/When";
import { Factor } from "./Factors";
import { useFactorsChanged, usePasskeys } from "./queries";

/** The passkeys of one's account: those there are, and another one. */
export function Passkeys() {
  const { t } = useTranslation("account");
  const { data, error, refetch } = usePasskeys();
  const [isAdding, setAdding] = useState(false);
  const [told, setTold] = useState<"added" | "removed">();
  const [codes, setCodes] = useState<string[]>();
  const changed = useFactorsChanged();
  const made = (kept: string[] | undefined) => {
    setCodes(kept);
    if (!kept) end("added");
  };
  const end = (what?: "added" | "removed") => {
    setAdding(false);
    setTold(what);
    void changed();
  };
  return (
    <Factor title={t("passkeys.title")}>
      <Text size="sm">{t("passkeys.text")}</Text>
      {told && <Told key={`${told} ${data?.items.length}`} text={t(`passkeys.told.${told}`)} />}
      {!data &&
        (error ? <ProblemAlert error={error} onRetry={() => void refetch()} /> : <Waiting label={t("loading")} />)}
      {data && data.items.length === 0 && <Text size="sm">{t("passkeys.none")}</Text>}
      {data && data.items.length > 0 && (
        <ul className={classes.items}>
          {data.items.map((passkey) => (
            <li key={passkey.id}>
              <One passkey={passkey} onRemoved={() => end("removed")} />
            </li>
          ))}
        </ul>
      )}
      {isAdding && !codes && <AddPasskey onDone={made} onCancel={() => end()} />}
      {codes && <RecoveryCodes codes={codes} onKept={() => made(undefined)} />}
      {!isAdding && !hasPasskeys() && <Text size="sm">{t("passkeys.cannot")}</Text>}
      {!isAdding && hasPasskeys() && (
        <Group>
          <Button onClick={() => setAdding(true)}>{t("passkeys.add")}</Button>
        </Group>
      )}
    </Factor>
  );
}

function One({ passkey, onRemoved }: { passkey: Passkey; onRemoved: () => void }) {
  const { t } = useTranslation("account");
  const [doing, setDoing] = useState<"rename" | "remove">();
  const { id, name, created_at: made, last_used_at: used } = passkey;
  return (
    <Stack gap={4}>
      <div className={classes.line}>
        <bdi>{name}</bdi>
        <Group gap="xs">
          <Button
            size="compact-sm"
            variant="default"
            aria-label={t("passkeys.renameNamed", { name })}
            onClick={() => setDoing("rename")}
          >
            {t("passkeys.rename")}
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            aria-label={t("passkeys.removeNamed", { name })}
            onClick={() => setDoing("remove")}
          >
            {t("passkeys.remove")}
          </Button>
        </Group>
      </div>
      <Text size="sm" c="dimmed">
        {made && (
          <>
            {t("passkeys.made")} <When at={made} isDay />
          </>
        )}
        {used && (
          <>
            {" · "}
            {t("passkeys.used")} <When at={used} />
          </>
        )}
      </Text>
      {doing === "rename" && <Rename id={id} name={name} onEnd={() => setDoing(undefined)} />}
      {doing === "remove" && <Remove id={id} name={name} onEnd={() => setDoing(undefined)} onRemoved={onRemoved} />}
    </Stack>
  );
}

function Rename({ id, name, onEnd }: { id: string; name: string; onEnd: () => void }) {
  const { t } = useTranslation(["account", "entry"]);
  const { error, isBusy, work } = useWork();
  const changed = useFactorsChanged();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget).get("name")).trim();
    if (!typed || !(await work(() => renamePasskey(id, typed)))) return field.current?.focus();
    await changed();
    onEnd();
  };
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Stack gap="xs">
        {error !== undefined && <ProblemAlert error={error} writes />}
        <TextInput
          ref={field}
          name="name"
          label={t("entry:passkey.name")}
          defaultValue={name}
          maxLength={80}
          required
        />
        <Group gap="xs">
          <Button type="submit" size="compact-sm" loading={isBusy}>
            {t("passkeys.store")}
          </Button>
          <Button size="compact-sm" variant="default" onClick={onEnd}>
            {t("entry:cancel")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface RemoveProps {
  id: string;
  name: string;
  onEnd: () => void;
  onRemoved: () => void;
}

function Remove({ id, name, onEnd, onRemoved }: RemoveProps) {
  const { t } = useTranslation(["account", "entry"]);
  const { error, isBusy, work } = useWork();
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const remove = async () => {
    if (await work(() => removePasskey(id))) onRemoved();
  };
  return (
    <Stack gap="xs">
      <Text size="sm">{t("passkeys.removeText", { name })}</Text>
      {error !== undefined && <ProblemAlert error={error} writes />}
      <Group gap="xs">
        <Button ref={first} size="compact-sm" variant="default" onClick={onEnd}>
          {t("entry:cancel")}
        </Button>
        <Button size="compact-sm" color="red" loading={isBusy} onClick={() => void remove()}>
          {t("passkeys.removeYes")}
        </Button>
      </Group>
    </Stack>
  );
}
