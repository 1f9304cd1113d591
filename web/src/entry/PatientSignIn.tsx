import { Button, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { open } from "../api/access/account";
import { Problem } from "../api/problem";
import { Organization } from "../app/Organization";
import { addressOf } from "../app/open";
import { hasPasskeys } from "../app/passkeys";
import { type Challenge, session } from "../app/session";
import { AddPasskey } from "./AddPasskey";
import { CodeForm } from "./CodeForm";
import { focusFault } from "./focusFault";
import { RecoveryCodes } from "./RecoveryCodes";
import SecondStep from "./SecondStep";
import { Step, ToSignIn } from "./Step";
import { useWhereabouts } from "./useWhereabouts";
import { useWork } from "./useWork";

interface Asked {
  patient_id: string;
  date_of_birth: string;
  challenge: string | undefined;
  tenant: string | undefined;
}

/** Signs a patient in: who they are, then the code that was sent to the telephone or address in their record. */
export function PatientSignIn() {
  const [asked, setAsked] = useState<Asked>();
  const [isOffered, setOffered] = useState(false);
  const [challenge, setChallenge] = useState<Challenge>();
  // The pages begin anew with the session that this has made.
  const go = () => location.assign(addressOf(""));
  if (isOffered) return <Offer onDone={go} />;
  if (!asked) return <SayWho onAsked={setAsked} />;
  const again = () => {
    setChallenge(undefined);
    setAsked(undefined);
  };
  if (challenge) return <SecondStep challenge={challenge} onBack={again} onDone={go} />;
  const enter = (offered: boolean | Challenge) => {
    if (typeof offered === "object") return setChallenge(offered);
    return offered && hasPasskeys() ? setOffered(true) : go();
  };
  return <ShowCode asked={asked} onBack={again} onDone={enter} />;
}

/** A passkey for the next time, so that no code has to be waited for. */
function Offer({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation("entry");
  const [codes, setCodes] = useState<string[]>();
  const made = (kept: string[] | undefined) => (kept ? setCodes(kept) : onDone());
  return (
    <Step title={t("patient.offer")} text={t("patient.offerText")}>
      {codes ? <RecoveryCodes codes={codes} onKept={onDone} /> : <AddPasskey onDone={made} />}
      {!codes && (
        <Button variant="subtle" onClick={onDone}>
          {t("patient.notNow")}
        </Button>
      )}
    </Step>
  );
}

function SayWho({ onAsked }: { onAsked: (asked: Asked) => void }) {
  const { t } = useTranslation("entry");
  const [id, setId] = useState("");
  const [born, setBorn] = useState("");
  const [isTried, setTried] = useState(false);
  const { error, isBusy, work } = useWork();
  const form = useRef<HTMLFormElement>(null);
  const where = useWhereabouts();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!id.trim() || !born) return focusFault(form);
    await work(async () => {
      const who = { patient_id: id.trim(), date_of_birth: born };
      const { challenge } = await open.askPatientCode({ ...who, ...where.read() });
      onAsked({ ...who, challenge, tenant: where.read().tenant });
    });
  };
  const at = (field: string) => (error instanceof Problem ? error.at(field) : undefined);
  return (
    <Step title={t("patient.title")} text={t("patient.text")} error={error}>
      <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput
            label={t("patient.id")}
            description={t("patient.idHint")}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={id}
            error={isTried && !id.trim() ? t("patient.needId") : at("patient_id")}
            onChange={(event) => setId(event.currentTarget.value)}
            required
          />
          <TextInput
            type="date"
            label={t("patient.born")}
            autoComplete="bday"
            value={born}
            error={isTried && !born ? t("patient.needBorn") : at("date_of_birth")}
            onChange={(event) => setBorn(event.currentTarget.value)}
            required
          />
          <Organization field={where.field} />
          <Button type="submit" loading={isBusy}>
            {t("patient.send")}
          </Button>
          <ToSignIn />
        </Stack>
      </form>
    </Step>
  );
}

interface ShowProps {
  asked: Asked;
  onBack: () => void;
  /** Signed in, with whether a passkey is to be offered; or what is to be answered first. */
  onDone: (offered: boolean | Challenge) => void;
}

function ShowCode({ asked, onBack, onDone }: ShowProps) {
  const { t } = useTranslation("entry");
  const { challenge, tenant, ...who } = asked;
  const show = async (code: string) => {
    const more = { ...(challenge && { challenge }), ...(tenant && { tenant }) };
    onDone(await session.signInAsPatient({ ...who, verification_code: code, ...more }));
  };
  return (
    <Step title={t("patient.codeTitle")} text={t("patient.codeText")}>
      <CodeForm label={t("patient.code")} submit={t("second.submit")} hasFocus onCode={show} />
      <Text size="sm">{t("patient.nothing")}</Text>
      <Button variant="subtle" onClick={onBack}>
        {t("patient.again")}
      </Button>
    </Step>
  );
}
