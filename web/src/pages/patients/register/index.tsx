import { Alert, Button, Group } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { Problem } from "../../../api/problem";
import { Page } from "../../../ui/Page";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import { STORED, Unsaved } from "../../../ui/Unsaved";
import { Candidates } from "../form/Candidates";
import { changed, type Draft, EMPTY, type Faults, fieldsOf, type Name } from "../form/draft";
import { faultsOf } from "../form/faults";
import { ForWriters, focusFirst, PatientForm } from "../form/PatientForm";
import { keepTyped, lastTyped, personIn } from "../typed";
import type { Patient } from "../types";
import { useLocale } from "../useLocale";
import { type Outcome, useRegistration } from "./useRegistration";

/** The fields by which people are told apart. */
const TELLING: readonly Name[] = ["first_name", "last_name", "date_of_birth"];

/** Registering a patient. */
export function Component() {
  const { t } = useTranslation("patients");
  const locale = useLocale();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [draft, setDraft] = useState<Draft>(() => ({ ...EMPTY, ...personIn(lastTyped(), locale) }));
  const [faults, setFaults] = useState<Faults>({});
  const [outcome, setOutcome] = useState<Outcome>();
  const [isBusy, setBusy] = useState(false);
  const { candidates, lookEarly, submit } = useRegistration();
  const warning = useRef<HTMLDivElement>(null);
  const top = useRef<HTMLDivElement>(null);

  async function send(isDecided: boolean) {
    // One at a time: the button says so too, but a second event may come before it is drawn.
    if (isBusy) return;
    setBusy(true);
    setOutcome(undefined);
    const after = await submit(fieldsOf(draft, locale), isDecided);
    setBusy(false);
    setOutcome(after);
    if (after.kind === "stored") return open(after.patient);
    if (after.kind === "candidates") requestAnimationFrame(() => warning.current?.focus());
    if (after.kind === "refused" && after.error instanceof Problem) {
      const found = faultsOf(after.error).faults;
      setFaults(found);
      requestAnimationFrame(() => focusFirst(top.current, found));
    }
  }

  function open(patient: Patient) {
    keepTyped("");
    void queries.invalidateQueries({ queryKey: ["patients"] });
    void navigate(`/patients/${patient.id}`, { state: STORED, replace: true });
  }

  const isDirty = changed(EMPTY, draft, locale).length > 0;
  return (
    <Page title={t("register.title")}>
      <ForWriters>
        <div ref={top}>
          <PatientForm
            draft={draft}
            onChange={setDraft}
            faults={faults}
            onFaults={setFaults}
            onSubmit={() => void send(false)}
            onLeave={(name) => TELLING.includes(name) && lookEarly(fieldsOf(draft, locale))}
            isNew
            isBusy={isBusy}
            submit={t("register.submit")}
            onCancel={() => void navigate("/patients")}
          >
            <Candidates
              candidates={candidates}
              box={warning}
              isBusy={isBusy}
              onAnyway={outcome?.kind === "candidates" ? () => void send(true) : undefined}
            />
            {outcome && <Told outcome={outcome} onAgain={(isDecided) => void send(isDecided)} />}
          </PatientForm>
        </div>
      </ForWriters>
      <Unsaved isDirty={isDirty} />
    </Page>
  );
}

/** What became of the submit, where it is not shown at the fields. */
function Told({ outcome, onAgain }: { outcome: Outcome; onAgain: (isDecided: boolean) => void }) {
  const { t } = useTranslation("patients");
  if (outcome.kind === "storedBefore") {
    return (
      <Alert color="yellow" variant="light" role="alert" title={t("register.storedBefore")}>
        <Group>
          {t("register.storedBeforeText")}
          <Button component={Link} to={`/patients/${outcome.patient.id}`} state={STORED} size="xs">
            {t("register.openStored")}
          </Button>
        </Group>
      </Alert>
    );
  }
  if (outcome.kind === "unchecked") {
    return (
      <>
        <ProblemAlert error={outcome.error} onRetry={() => onAgain(false)} />
        <Alert color="yellow" variant="light" title={t("register.unchecked")}>
          <Group>
            {t("register.uncheckedText")}
            <Button variant="default" size="xs" onClick={() => onAgain(true)}>
              {t("register.withoutCheck")}
            </Button>
          </Group>
        </Alert>
      </>
    );
  }
  if (outcome.kind !== "refused") return null;
  const isAtFields = outcome.error instanceof Problem && faultsOf(outcome.error).isComplete;
  return isAtFields ? null : <ProblemAlert error={outcome.error} writes isRepeatable onRetry={() => onAgain(true)} />;
}
