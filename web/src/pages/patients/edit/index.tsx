import { Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";
import { Problem } from "../../../api/problem";
import { Page } from "../../../ui/Page";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import { STORED, Unsaved } from "../../../ui/Unsaved";
import { useOpenChart } from "../../chart/guard";
import { nameOf } from "../../chart/Identity";
import { useWriteGuard } from "../../chart/WriteGuard";
import { Details } from "../Details";
import { changed, changesOf, type Draft, draftOf, type Faults } from "../form/draft";
import { faultsOf } from "../form/faults";
import { ForWriters, focusFirst, PatientForm } from "../form/PatientForm";
import { readPatient, updatePatient, type Version } from "../queries";
import { useLocale } from "../useLocale";
import { Compare } from "./Compare";

/** Changing a patient's record. */
export function Component() {
  const { t } = useTranslation("patients");
  const { id = "" } = useParams();
  // The form begins with what is stored now, and is not touched by what is read later.
  const { data, error, refetch } = useQuery({
    queryKey: ["patient", id, "edit"],
    queryFn: ({ signal }) => readPatient(id, signal),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (data) return <Edit key={id} id={id} version={data} />;
  return (
    <Page title={t("edit.tab")}>
      {error ? (
        <ProblemAlert error={error} onRetry={() => void refetch()} />
      ) : (
        <Loader role="status" aria-label={t("edit.loading")} />
      )}
    </Page>
  );
}

function Edit({ id, version }: { id: string; version: Version }) {
  const { t } = useTranslation("patients");
  const locale = useLocale();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [read, setRead] = useState(version);
  const [draft, setDraft] = useState<Draft>(() => draftOf(version.patient));
  const [faults, setFaults] = useState<Faults>({});
  const [stored, setStored] = useState<Version>();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const top = useRef<HTMLDivElement>(null);
  const before = draftOf(read.patient);
  const guard = useWriteGuard(read.patient);
  useOpenChart(id);

  async function save(base: Version, after: Draft) {
    if (isBusy || !(await guard.confirm())) return;
    setBusy(true);
    setError(undefined);
    try {
      const fields = changesOf(draftOf(base.patient), after, locale);
      if (Object.keys(fields).length > 0) await updatePatient(id, fields, base.etag);
      leave();
    } catch (problem) {
      await refused(problem);
    } finally {
      setBusy(false);
    }
  }

  async function refused(problem: unknown) {
    if (problem instanceof Problem && problem.status === 412) {
      // Somebody was faster. Their version is what the comparison is made with, and what the next try builds on.
      return readPatient(id).then(compareWith, setError);
    }
    setError(problem);
    if (!(problem instanceof Problem)) return;
    const found = faultsOf(problem).faults;
    setFaults(found);
    requestAnimationFrame(() => focusFirst(top.current, found));
  }

  function compareWith(now: Version) {
    // It was this form whose answer was lost on the way: what is stored is what stands here.
    if (changed(draftOf(now.patient), draft, locale).length === 0) leave();
    else setStored(now);
  }

  function leave() {
    void queries.invalidateQueries({ queryKey: ["patient", id] });
    void queries.invalidateQueries({ queryKey: ["patients"] });
    void navigate(`/patients/${id}`, { state: STORED });
  }

  function merged(after: Draft) {
    if (!stored) return;
    setRead(stored);
    setDraft(after);
    setStored(undefined);
    void save(stored, after);
  }

  const isAtFields = error instanceof Problem && faultsOf(error).isComplete;
  return (
    <Page title={t("edit.title", { name: nameOf(read.patient) })} tabTitle={t("edit.tab")}>
      <Details patient={read.patient} />
      {guard.question}
      <ForWriters>
        <div ref={top}>
          <PatientForm
            draft={draft}
            onChange={setDraft}
            faults={faults}
            onFaults={setFaults}
            onSubmit={() => void save(read, draft)}
            storedSsn={read.patient.ssn}
            isBusy={isBusy}
            submit={t("edit.submit")}
            onCancel={() => void navigate(`/patients/${id}`)}
          >
            {error !== undefined && !isAtFields && (
              <ProblemAlert error={error} writes isRepeatable onRetry={() => void save(read, draft)} />
            )}
          </PatientForm>
        </div>
      </ForWriters>
      {stored && (
        <Compare read={read} stored={stored} draft={draft} onMerged={merged} onClose={() => setStored(undefined)} />
      )}
      <Unsaved isDirty={changed(before, draft, locale).length > 0} />
    </Page>
  );
}
