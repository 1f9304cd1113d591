import { Button, Group, Modal, Radio, Stack, Text, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { api, body } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import classes from "../Chart.module.css";
import { useChart } from "../ChartContext";
import { Identity } from "../Identity";
import { ofPatient } from "../queries";
import type { Dose } from "../types";
import { When } from "../When";
import { codeText, voidNote } from "./draft";
import { tagOf } from "./version";

const REASONS = ["otherPatient", "notGiven", "twice", "other"] as const;

/** Taking a dose back: the reason, what is missing of it, and sending it. */
function useVoiding(dose: Dose) {
  const { t } = useTranslation("chart");
  const { id, tell } = useChart();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [reason, setReason] = useState("");
  const [words, setWords] = useState("");
  const [isMissing, setMissing] = useState(false);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  async function store() {
    const told = [reason === "other" ? "" : t(`dose.reason.${reason}`), words.trim()].filter(Boolean).join(". ");
    const note = voidNote(dose.notes, `${t("dose.status.entered-in-error")}: ${told}`);
    const params = { path: { id: dose.id }, header: { "If-Match": tagOf(dose) } };
    const change = { status: "entered-in-error" as const, notes: note };
    const stored = body(await api.PUT("/api/v1/immunizations/{id}", { params, body: change }));
    await cache.invalidateQueries({ queryKey: ofPatient(id) });
    tell({ kind: "voided", dose: stored.id, warnings: stored.warnings ?? [] });
    navigate(`/patients/${id}/immunizations`);
  }

  async function send(form: Element) {
    const isTold = reason !== "" && (reason !== "other" || words.trim() !== "");
    setMissing(!isTold);
    if (!isTold) form.querySelector<HTMLElement>(reason === "" ? "[type=radio]" : "textarea")?.focus();
    if (!isTold || isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await store();
    } catch (problem) {
      setError(problem);
      // Somebody was here before: what is shown behind the question must be what is stored.
      if (problem instanceof Problem && problem.status === 412)
        await cache.invalidateQueries({ queryKey: ofPatient(id) });
    } finally {
      setBusy(false);
    }
  }

  return { reason, setReason, words, setWords, isMissing, error, isBusy, send };
}

/** Takes a dose back: it stays in the record, marked as entered in error, with the reason. Always asks, naming the patient. */
export function VoidDose({ dose, onClose }: { dose: Dose; onClose: () => void }) {
  const { t } = useTranslation("chart");
  const { summary } = useChart();
  const { reason, setReason, words, setWords, isMissing, error, isBusy, send } = useVoiding(dose);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send(event.currentTarget);
  };
  return (
    <Modal opened onClose={onClose} title={t("dose.voidTitle")} withCloseButton={false}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {error !== undefined && <ProblemAlert error={error} writes />}
          <Text>
            <Identity patient={summary.patient} />
          </Text>
          <Text>
            {dose.vaccine_name ?? codeText(dose.vaccine_code)}
            {dose.administered_at && (
              <>
                {", "}
                <When at={dose.administered_at} />
              </>
            )}
          </Text>
          <Text size="sm">{t("dose.voidText")}</Text>
          <Radio.Group
            label={t("dose.voidReason")}
            value={reason}
            onChange={setReason}
            error={isMissing && reason === "" ? t("dose.fault.reason") : undefined}
            required
          >
            <Stack gap={6} mt={6} className={classes.edged ?? ""}>
              {REASONS.map((name, place) => (
                <Radio
                  key={name}
                  value={name}
                  label={t(`dose.reason.${name}`)}
                  data-autofocus={place === 0 || undefined}
                />
              ))}
            </Stack>
          </Radio.Group>
          <Textarea
            label={t("dose.voidWords")}
            value={words}
            required={reason === "other"}
            error={isMissing && reason === "other" ? t("dose.fault.words") : undefined}
            onChange={(event) => setWords(event.currentTarget.value)}
          />
          <Group justify="end">
            <Button variant="default" onClick={onClose}>
              {t("dose.cancel")}
            </Button>
            <Button type="submit" color="red" loading={isBusy}>
              {t("dose.voidSubmit")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
