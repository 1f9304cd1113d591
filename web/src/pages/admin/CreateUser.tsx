import { Alert, Button, Code, CopyButton, Group, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Problem } from "../../api/problem";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Unsaved } from "../../ui/Unsaved";
import classes from "./Admin.module.css";
import { PatientId } from "./PatientId";
import { useCreateUser } from "./queries";
import { RolePicker } from "./RolePicker";

interface Made {
  id: string;
  username: string;
  email: string;
  password: string | undefined;
}

/** Makes an account, with a password that is shown once. */
export function CreateUser() {
  const { t } = useTranslation("admin");
  const [made, setMade] = useState<Made>();
  const back = (
    <Button component={Link} to="/admin/users" variant="default">
      {t("create.back")}
    </Button>
  );
  return (
    <Page title={t("create.title")} actions={back}>
      {made ? <Done made={made} onAnother={() => setMade(undefined)} /> : <Form onMade={setMade} />}
    </Page>
  );
}

interface Draft {
  username: string;
  name: string;
  email: string;
  roles: string[];
  patient: string;
}

const NOTHING: Draft = { username: "", name: "", email: "", roles: [], patient: "" };

/** What is missing, by field; found before anything is sent. */
function missing({ username, roles, patient }: Draft) {
  return {
    username: username.trim() === "" ? "create.needName" : undefined,
    roles: roles.length === 0 ? "create.needRole" : undefined,
    patient_id: roles.includes("patient") && patient.trim() === "" ? "create.needPatient" : undefined,
  };
}

function Form({ onMade }: { onMade: (made: Made) => void }) {
  const { t } = useTranslation("admin");
  const [draft, setDraft] = useState(NOTHING);
  const [isTried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { error, isPending, mutateAsync } = useCreateUser();
  const faults = missing(draft);
  const isPatient = draft.roles.includes("patient");
  const problem = error instanceof Problem ? error : undefined;
  const isTaken = problem?.status === 409;
  const at = (field: keyof typeof faults) => {
    const ours = isTried && faults[field];
    if (ours) return t(ours);
    return isTaken && field === "username" ? t("create.taken") : problem?.at(field);
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.values(faults).some(Boolean)) {
      setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [type="checkbox"]')?.focus());
      return;
    }
    const username = draft.username.trim();
    const [name, email, patient] = [draft.name.trim(), draft.email.trim(), draft.patient.trim()];
    const more = {
      ...(name && { display_name: name }),
      ...(email && { email }),
      ...(isPatient && { patient_id: patient }),
    };
    const user = await mutateAsync({ username, roles: draft.roles, ...more }).catch(() => undefined);
    if (user) onMade({ id: user.id, username: user.username, email, password: user.initial_password });
  };
  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Unsaved isDirty={draft.username !== "" || draft.roles.length > 0} />
      <Stack maw={560}>
        <TextInput
          label={t("create.username")}
          description={t("create.usernameHint")}
          required
          autoComplete="off"
          spellCheck={false}
          value={draft.username}
          error={at("username")}
          onChange={(event) => setDraft({ ...draft, username: event.currentTarget.value })}
        />
        <TextInput
          label={t("details.display_name")}
          autoComplete="off"
          value={draft.name}
          error={problem?.at("display_name")}
          onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
        />
        <TextInput
          type="email"
          label={t("details.email")}
          description={t("create.emailHint")}
          autoComplete="off"
          value={draft.email}
          error={problem?.at("email")}
          onChange={(event) => setDraft({ ...draft, email: event.currentTarget.value })}
        />
        <RolePicker
          label={t("create.roles")}
          hint={t("create.rolesHint")}
          value={draft.roles}
          error={at("roles")}
          onChange={(roles) => setDraft({ ...draft, roles })}
        />
        {isPatient && (
          <PatientId
            value={draft.patient}
            error={at("patient_id")}
            onChange={(patient) => setDraft({ ...draft, patient })}
          />
        )}
        {error && !isTaken && <ProblemAlert error={error} writes />}
        <div>
          <Button type="submit" loading={isPending}>
            {t("create.submit")}
          </Button>
        </div>
      </Stack>
    </form>
  );
}

/** The one time that the password is seen. */
function Done({ made: { id, username, email, password }, onAnother }: { made: Made; onAnother: () => void }) {
  const { t } = useTranslation("admin");
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <Stack maw={560}>
      <Alert
        ref={box}
        tabIndex={-1}
        color="green"
        variant="outline"
        title={t(password ? "create.done" : "create.invited", { name: username })}
      >
        {password ? <Password text={password} /> : email && t("create.invitedText", { email })}
      </Alert>
      <Group>
        <Button variant="default" onClick={onAnother}>
          {t("create.another")}
        </Button>
        <Button component={Link} to={`/admin/users/${id}`} variant="default">
          {t("create.toUser")}
        </Button>
      </Group>
    </Stack>
  );
}

function Password({ text }: { text: string }) {
  const { t } = useTranslation("admin");
  return (
    <>
      <Text mb="xs">{t("create.once")}</Text>
      <Group gap="sm">
        <Text component="span">{t("create.password")}:</Text>
        <Code className={classes.password ?? ""}>{text}</Code>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button size="compact-md" variant="default" onClick={copy}>
              <span role="status">{t(copied ? "create.copied" : "create.copy")}</span>
            </Button>
          )}
        </CopyButton>
      </Group>
      <Text mt="xs">{t("create.give")}</Text>
    </>
  );
}
