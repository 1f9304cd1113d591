import type { Problem } from "../../../api/problem";
import { type Faults, nameAt } from "./draft";

/** The server's faults at their fields, and whether there are others, which the form has no field for. */
export function faultsOf(problem: Problem): { faults: Faults; isComplete: boolean } {
  const faults: Faults = {};
  let isComplete = problem.errors.length > 0;
  for (const { pointer, detail } of problem.errors) {
    const name = nameAt(pointer);
    if (name) faults[name] = faults[name] ? `${faults[name]}; ${detail}` : detail;
    else isComplete = false;
  }
  return { faults, isComplete };
}
