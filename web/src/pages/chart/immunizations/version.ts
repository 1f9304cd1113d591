import type { Dose } from "../types";

/** The tag of a record's version, for `If-Match`. */
export function tagOf(dose: Dose): string {
  return `W/"${dose.version}"`;
}
