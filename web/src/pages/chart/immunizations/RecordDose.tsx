import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { api, body } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { useSession } from "../../../app/session";
import { STORED, Unsaved } from "../../../ui/Unsaved";
import { useChart } from "../ChartContext";
import { ofPatient } from "../queries";
import { Section } from "../Section";
import { useWriteGuard } from "../WriteGuard";
import { dayHere, timeHere } from "../when";
import { DoseForm } from "./DoseForm";
import { changed, emptyDraft, inputOf } from "./draft";
import { FormProblem } from "./FormProblem";
import { useDoseForm } from "./useDoseForm";

/** A new dose: given now, by the one who is signed in, unless something else is said. */
export function RecordDose() {
  const { t } = useTranslation("chart");
  const { id, summary, tell } = useChart();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const me = useSession().user?.id ?? "";
  const start = useMemo(() => {
    const now = new Date();
    return emptyDraft(dayHere(now), timeHere(now), me);
  }, [me]);
  const form = useDoseForm(start);
  const { confirm, question } = useWriteGuard(summary.patient);
  // One key for one content: sending the same again after an unclear end stores it once.
  const sent = useRef({ content: "", key: "" });

  async function save() {
    const stored = await form.send(async () => {
      if (!(await confirm())) return undefined;
      const input = inputOf(form.draft);
      const content = JSON.stringify(input);
      if (sent.current.content !== content) sent.current = { content, key: crypto.randomUUID() };
      const params = { path: { id }, header: { "Idempotency-Key": sent.current.key } };
      try {
        return body(await api.POST("/api/v1/patients/{id}/immunizations", { params, body: input }));
      } catch (problem) {
        // After an unclear end it may be stored: the chart is read again, so that a second dose like it is seen.
        if (problem instanceof Problem && (problem.status === 0 || problem.status >= 500)) {
          void cache.invalidateQueries({ queryKey: ofPatient(id) });
        }
        throw problem;
      }
    });
    if (!stored) return;
    await cache.invalidateQueries({ queryKey: ofPatient(id) });
    tell({ kind: "recorded", dose: stored.id, warnings: stored.warnings ?? [] });
    navigate(`/patients/${id}/immunizations`, { state: STORED });
  }

  return (
    <Section title={t("dose.record")}>
      <Unsaved isDirty={changed(start, form.draft).length > 0} />
      {question}
      <DoseForm
        draft={form.draft}
        onChange={form.setDraft}
        faults={form.faults}
        submit={t("dose.save")}
        isBusy={form.isBusy}
        onSubmit={() => void save()}
        onCancel={() => navigate(`/patients/${id}/immunizations`)}
      >
        <FormProblem problem={form.problem} />
      </DoseForm>
    </Section>
  );
}
