import { useState } from "react";

/** One thing that is sent at a time: whether it is on its way, and what went wrong. */
export function useWork() {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  /** Does it, unless something is on its way; gives whether it was done. */
  async function work(what: () => Promise<unknown>): Promise<boolean> {
    if (isBusy) return false;
    setBusy(true);
    setError(undefined);
    try {
      await what();
      return true;
    } catch (problem) {
      setError(problem);
      return false;
    } finally {
      setBusy(false);
    }
  }

  return { error, isBusy, work, setError };
}
