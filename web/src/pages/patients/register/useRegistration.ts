import { useCallback, useRef, useState } from "react";
import { Problem } from "../../../api/problem";
import { NEEDED } from "../form/draft";
import { createPatient, findDuplicates } from "../queries";
import type { Candidate, Patient } from "../types";

type Fields = Record<string, unknown>;

/** What became of a submit. */
export type Outcome =
  /** Stored, now or by an earlier sending whose answer was lost. */
  | { kind: "stored"; patient: Patient }
  /** An earlier sending was stored after all, with what stood in the form then. */
  | { kind: "storedBefore"; patient: Patient }
  /** Somebody has to look at who is stored already. */
  | { kind: "candidates" }
  /** The check for duplicates could not be made: nothing was sent. */
  | { kind: "unchecked"; error: unknown }
  | { kind: "refused"; error: unknown };

/**
 * Registers one patient: looks for duplicates first, and stores once, however often it is sent.
 */
export function useRegistration() {
  const [candidates, setCandidates] = useState<Candidate[]>([]);
  // One key for the whole form: a double click and a second try after a lost answer are the same request to the server.
  const key = useRef(crypto.randomUUID());
  const sent = useRef<Fields>(undefined);
  const looked = useRef("");
  /** Those whom somebody has looked at and found to be other people. */
  const seen = useRef(new Set<string>());

  const look = useCallback(async (fields: Fields): Promise<Candidate[]> => {
    const text = JSON.stringify(fields);
    looked.current = text;
    const found = await findDuplicates(fields);
    // Of several answers on their way, the one to what was asked last counts.
    if (looked.current === text) setCandidates(found);
    return found;
  }, []);

  /** Looks while the form is still being filled in, once there is enough to tell people apart. Fails in silence: it is asked again. */
  const lookEarly = useCallback(
    (fields: Fields) => {
      const isEnough = NEEDED.every((name) => fields[name] !== undefined);
      if (isEnough && JSON.stringify(fields) !== looked.current) look(fields).catch(() => undefined);
    },
    [look],
  );

  async function submit(fields: Fields, isDecided: boolean): Promise<Outcome> {
    if (isDecided) {
      for (const { patient } of candidates) seen.current.add(patient.id ?? "");
    } else if (JSON.stringify(fields) !== JSON.stringify(sent.current)) {
      // What is sent again after a lost answer would only find itself.
      try {
        const found = await look(fields);
        if (found.some(({ patient }) => !seen.current.has(patient.id ?? ""))) return { kind: "candidates" };
      } catch (error) {
        return { kind: "unchecked", error };
      }
    }
    return send(fields);
  }

  async function send(fields: Fields): Promise<Outcome> {
    const before = sent.current;
    sent.current ??= fields;
    try {
      return { kind: "stored", patient: await createPatient(fields, key.current) };
    } catch (error) {
      if (before && isKeyUsed(error))
        return { kind: "storedBefore", patient: await createPatient(before, key.current) };
      // A clear refusal stored nothing; only what may have been stored has to be remembered.
      if (error instanceof Problem && error.status >= 400 && error.status < 500) sent.current = before;
      return { kind: "refused", error };
    }
  }

  return { candidates, lookEarly, submit };
}

/** The key was used for a request with another body: that one was stored. */
function isKeyUsed(error: unknown): boolean {
  return error instanceof Problem && error.errors.some(({ pointer }) => pointer === "Idempotency-Key");
}
