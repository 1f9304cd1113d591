import { Alert, Button, Group, Modal, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { Problem } from "../../api/problem";
import { useSession } from "../../app/session";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Unsaved } from "../../ui/Unsaved";
import { Waiting } from "../audit/Waiting";
import { When } from "../chart/When";
import { Details } from "./Details";
import { Factors } from "./Factors";
import { Grants } from "./Grants";
import { PatientId } from "./PatientId";
import { useChangeUser, useUser } from "./queries";
import { RolePicker } from "./RolePicker";
import type { UserItem } from "./types";
import { Lock } from "./Users";

/** One user: roles, and whether they may sign in. */
export function UserPage() {
  const { t } = useTranslation("admin");
  const { id = "" } = useParams();
  const { data, error, refetch } = useUser(id);
  const back = (
    <Button component={Link} to="/admin/users" variant="default">
      {t("create.back")}
    </Button>
  );
  return (
    <Page title={data?.username ?? t("user.title")} tabTitle={t("user.title")} actions={back}>
      {data && <Whole key={id} user={data} />}
      {!data && error && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Waiting label={t("loading")} />}
    </Page>
  );
}

function Whole({ user }: { user: UserItem }) {
  const { t } = useTranslation("admin");
  return (
    <Stack maw={720} gap="lg">
      <Text size="sm" c="dimmed">
        {t("user.id")}: <code>{user.id}</code>
        {user.patient_id && (
          <>
            {" · "}
            {t("users.patient")}: <code>{user.patient_id}</code>
          </>
        )}
        {user.last_login && (
          <>
            {" · "}
            {t("users.lastLogin")}: <When at={user.last_login} />
          </>
        )}
      </Text>
      <Details user={user} />
      <Roles user={user} />
      <Grants user={user.id} grants={user.grants ?? []} />
      <Factors user={user} />
      <Access user={user} />
      <Text size="sm">{t("user.log")}</Text>
    </Stack>
  );
}

function Roles({ user }: { user: UserItem }) {
  const { t } = useTranslation("admin");
  const [draft, setDraft] = useState<string[]>();
  const roles = draft ?? user.roles;
  const { error, isPending, isSuccess, mutate } = useChangeUser(user.id);
  const [patient, setPatient] = useState("");
  const isOwn = useSession().user?.id === user.id;
  const needsPatient = roles.includes("patient") && !user.patient_id;
  const isSame = [...roles].sort().join() === [...user.roles].sort().join();
  const isWhole = roles.length > 0 && (!needsPatient || patient.trim() !== "");
  const own = needsPatient ? patient.trim() : user.patient_id;
  const change = roles.includes("patient") && own ? { roles, patient_id: own } : { roles };
  const store = () => mutate(change, { onSuccess: () => setDraft(undefined) });
  return (
    <Stack component="section" gap="sm" aria-label={t("user.roles")}>
      <Unsaved isDirty={!isSame} />
      <RolePicker
        label={t("user.roles")}
        value={roles}
        error={roles.length === 0 ? t("create.needRole") : undefined}
        isFixed={isOwn}
        onChange={setDraft}
      />
      {needsPatient && <PatientId value={patient} onChange={setPatient} />}
      {isOwn && <Text size="sm">{t("user.ownRoles")}</Text>}
      {error && <Refused error={error} />}
      <Group>
        <Button disabled={isOwn || isSame || !isWhole} loading={isPending} onClick={store}>
          {t("user.save")}
        </Button>
        <span role="status">{isSuccess && isSame && t("user.saved")}</span>
      </Group>
    </Stack>
  );
}

function Access({ user }: { user: UserItem }) {
  const { t } = useTranslation("admin");
  const [isAsking, setAsking] = useState(false);
  const isOwn = useSession().user?.id === user.id;
  const { error, isPending, isSuccess, mutate } = useChangeUser(user.id);
  const lock = () => {
    setAsking(false);
    mutate("lock");
  };
  return (
    <Stack component="section" gap="sm" aria-label={t("users.state")}>
      <Title order={2} size="h4">
        {t("users.state")}
      </Title>
      <Group>
        <Lock locked={user.locked} />
        <Text component="span">{t(user.locked ? "users.lockedText" : "users.openText")}</Text>
      </Group>
      {error && <Refused error={error} />}
      <Group>
        {user.locked ? (
          <Button variant="default" loading={isPending} onClick={() => mutate("unlock")}>
            {t("user.unlock")}
          </Button>
        ) : (
          <Button color="red" variant="outline" disabled={isOwn} loading={isPending} onClick={() => setAsking(true)}>
            {t("user.lock")}
          </Button>
        )}
        {isOwn && <Text size="sm">{t("user.own")}</Text>}
        <span role="status">{isSuccess && t(user.locked ? "user.lockDone" : "user.unlockDone")}</span>
      </Group>
      <Modal opened={isAsking} onClose={() => setAsking(false)} title={t("user.lockTitle")} withCloseButton={false}>
        <Text>{t("user.lockText", { name: user.username })}</Text>
        <Group justify="end" mt="md">
          <Button data-autofocus variant="default" onClick={() => setAsking(false)}>
            {t("user.cancel")}
          </Button>
          <Button color="red" onClick={lock}>
            {t("user.lockYes", { name: user.username })}
          </Button>
        </Group>
      </Modal>
    </Stack>
  );
}

/** A change that was refused: somebody must remain who can undo it. */
function Refused({ error }: { error: unknown }) {
  const { t } = useTranslation("admin");
  if (!(error instanceof Problem && error.status === 409)) return <ProblemAlert error={error} writes />;
  return (
    <Alert role="alert" color="red" variant="outline" title={t("user.refused")}>
      <Text size="sm">{t("user.refusedText")}</Text>
      <Text size="sm" mt="xs" lang="en">
        {error.message}
      </Text>
    </Alert>
  );
}
