import { Center, Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";
import { api, body } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import { STORED, Unsaved } from "../../../ui/Unsaved";
import { useChart } from "../ChartContext";
import { ofPatient, readDose } from "../queries";
import { Section } from "../Section";
import type { Dose } from "../types";
import { useWriteGuard } from "../WriteGuard";
import { Comparison } from "./Comparison";
import { DoseForm } from "./DoseForm";
import { changed, changeOf, draftOf } from "./draft";
import { FormProblem } from "./FormProblem";
import { useDoseForm } from "./useDoseForm";
import { tagOf } from "./version";

/** Corrects a dose, beginning with what is stored now. */
export function CorrectDose() {
  const { t } = useTranslation("chart");
  const { id } = useChart();
  const { dose = "" } = useParams();
  const { data, error, refetch } = useQuery({
    // Of its own: what one types over must not change under one's hands.
    queryKey: ["correction", id, dose],
    queryFn: () => readDose(dose),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  if (data && data.patient_id === id) return <Correction opened={data} />;
  if (data) return <Section title={t("dose.correct")}>{t("dose.elsewhere")}</Section>;
  if (error) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  return (
    <Center py="md">
      <Loader aria-label={t("loading")} />
    </Center>
  );
}

function Correction({ opened }: { opened: Dose }) {
  const { t } = useTranslation("chart");
  const { id, summary, tell } = useChart();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const before = draftOf(opened);
  const form = useDoseForm(before);
  const { confirm, question } = useWriteGuard(summary.patient);
  // What somebody else stored in the meantime, once we know of it.
  const [theirs, setTheirs] = useState<Dose>();
  const isDirty = changed(before, form.draft).length > 0;
  const page = `/patients/${id}/immunizations/${opened.id}`;

  async function save(base: Dose) {
    const stored = await form.send(async () => {
      if (!(await confirm())) return undefined;
      const params = { path: { id: opened.id }, header: { "If-Match": tagOf(base) } };
      const change = changeOf(before, form.draft);
      try {
        return body(await api.PUT("/api/v1/immunizations/{id}", { params, body: change }));
      } catch (problem) {
        if (!(problem instanceof Problem && problem.status === 412)) throw problem;
        const now = await readDose(opened.id);
        // Sent before, and only the answer was lost: what is stored is our own.
        if (now.status === opened.status && changed(draftOf(now), form.draft).length === 0) return now;
        setTheirs(now);
        return undefined;
      }
    });
    if (!stored) return;
    await cache.invalidateQueries({ queryKey: ofPatient(id) });
    tell({ kind: "corrected", dose: stored.id, warnings: stored.warnings ?? [] });
    navigate(`/patients/${id}/immunizations`, { state: STORED });
  }

  async function takeTheirs() {
    await cache.invalidateQueries({ queryKey: ofPatient(id) });
    navigate(page, { state: STORED });
  }

  return (
    <Section title={t("dose.correctTitle")}>
      <Unsaved isDirty={isDirty} />
      {question}
      {theirs && (
        <Comparison
          before={before}
          mine={form.draft}
          theirs={theirs}
          isBusy={form.isBusy}
          onMine={() => void save(theirs)}
          onTheirs={() => void takeTheirs()}
        />
      )}
      <DoseForm
        draft={form.draft}
        onChange={form.setDraft}
        faults={form.faults}
        dose={opened.id}
        submit={t("dose.saveCorrection")}
        isBusy={form.isBusy}
        onSubmit={() => (isDirty ? void save(theirs ?? opened) : navigate(page))}
        onCancel={() => navigate(page)}
      >
        <FormProblem problem={form.problem} />
      </DoseForm>
    </Section>
  );
}
