import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../../api/problem";
import { useChart } from "../ChartContext";
import { dayHere } from "../when";
import type { Faults } from "./DoseForm";
import { type Draft, faultsOf, placed } from "./draft";

/** A dose in the making: what was typed, what is wrong with it, and sending it. */
export function useDoseForm(start: Draft) {
  const { t } = useTranslation("chart");
  const { summary } = useChart();
  const [draft, setDraft] = useState(start);
  const [faults, setFaults] = useState<Faults>({});
  const [problem, setProblem] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  /** Checks, then sends. Faults that the server finds go to their fields. Gives what was stored, or nothing. */
  async function send<T>(write: () => Promise<T>): Promise<T | undefined> {
    setProblem(undefined);
    const found = faultsOf(draft, summary.patient.date_of_birth ?? "", dayHere(new Date()));
    const words = Object.entries(found).map(([field, fault]) => [field, t(`dose.fault.${fault}`)]);
    setFaults(Object.fromEntries(words) as Faults);
    if (words.length > 0) return undefined;
    setBusy(true);
    try {
      return await write();
    } catch (error) {
      setProblem(error);
      if (error instanceof Problem) setFaults(placed(error.errors).fields);
      return undefined;
    } finally {
      setBusy(false);
    }
  }

  return { draft, setDraft, faults, problem, setProblem, isBusy, send };
}
