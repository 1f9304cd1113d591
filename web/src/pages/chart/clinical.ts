import type { Allergy, Medication, Problem } from "./types";

/** The code that says that somebody has looked and found no allergy at all (SNOMED CT). */
const NO_ALLERGY = "716186003";

/** Codes that say so of one kind only: drugs, surroundings, food, latex, insects. They say nothing of the others. */
const NONE_OF_A_KIND = new Set(["409137002", "428607008", "429625007", "716184000", "428197003"]);

/** States in which a record does not speak about the patient any more. */
const RETRACTED = new Set(["entered-in-error", "refuted"]);

/**
 * What is recorded about allergies. That nothing is recorded says nothing about the patient; that there are none is a statement
 * that somebody made.
 */
export type AllergyStatement =
  | { kind: "withheld" }
  | { kind: "unrecorded" }
  | { kind: "none"; statement: Allergy }
  | { kind: "partly"; statements: Allergy[] }
  | { kind: "some"; allergies: Allergy[] };

const isNone = (allergy: Allergy) => allergy.code === NO_ALLERGY;
const isNoneOfAKind = (allergy: Allergy) => NONE_OF_A_KIND.has(allergy.code ?? "");

/** Whether an allergy holds now, as far as the record says. */
export function holds(allergy: Allergy): boolean {
  return !RETRACTED.has(allergy.verification ?? "") && !["inactive", "resolved"].includes(allergy.status ?? "active");
}

export function allergyStatement(allergies: Allergy[] | undefined): AllergyStatement {
  if (!allergies) return { kind: "withheld" };
  const now = allergies.filter(holds);
  const real = now.filter((allergy) => !isNone(allergy) && !isNoneOfAKind(allergy));
  if (real.length > 0) return { kind: "some", allergies: [...real].sort(bySeverity) };
  const statement = now.find(isNone);
  if (statement) return { kind: "none", statement };
  const statements = now.filter(isNoneOfAKind);
  return statements.length > 0 ? { kind: "partly", statements } : { kind: "unrecorded" };
}

const SEVERITIES = ["severe", "high", "moderate", "mild", "low"];
const weight = (allergy: Allergy) => {
  const place = SEVERITIES.indexOf(allergy.severity ?? allergy.criticality ?? "");
  return place < 0 ? SEVERITIES.length : place;
};
const bySeverity = (a: Allergy, b: Allergy) => weight(a) - weight(b);

/** Whether a condition is one that the patient has now. */
export function isCurrentProblem(problem: Problem): boolean {
  const isOver = ["inactive", "remission", "resolved"].includes(problem.status ?? "active");
  return !isOver && !problem.abated && !RETRACTED.has(problem.verification ?? "");
}

/** Whether a medication is one that the patient is to take now. */
export function isCurrentMedication(medication: Medication): boolean {
  return ["active", "intended", "on-hold", "unknown"].includes(medication.status ?? "active");
}

/** How a value lies to what is expected. */
export type Flag = "criticalLow" | "low" | "normal" | "high" | "criticalHigh" | "abnormal";

const FLAGS: Record<string, Flag> = {
  N: "normal",
  L: "low",
  LU: "criticalLow",
  LL: "criticalLow",
  "<": "low",
  H: "high",
  HU: "criticalHigh",
  HH: "criticalHigh",
  ">": "high",
  A: "abnormal",
  AA: "abnormal",
};

interface Valued {
  value?: number | string | null | undefined;
  low?: number | null | undefined;
  high?: number | null | undefined;
  interpretation?: string | null | undefined;
}

/** What the laboratory said of a value, else where it lies to its reference range; nothing where neither is known. */
export function flagOf({ value, low, high, interpretation }: Valued): Flag | undefined {
  const told = FLAGS[interpretation ?? ""];
  if (told) return told;
  if (typeof value !== "number" || (low == null && high == null)) return undefined;
  if (low != null && value < low) return "low";
  if (high != null && value > high) return "high";
  return "normal";
}

/** Whether a value asks for attention. */
export const isOut = (flag: Flag | undefined) => flag !== undefined && flag !== "normal";

/** A number as the record has it; no digit is rounded away. */
export function numberSaid(value: number, locale: string): string {
  return new Intl.NumberFormat(locale, { maximumSignificantDigits: 15, useGrouping: false }).format(value);
}

/** Units that have a shorter way to be written; UCUM's own otherwise. */
const UNITS: Record<string, string> = {
  "mm[Hg]": "mmHg",
  "/min": "/min",
  "{beats}/min": "/min",
  "{breaths}/min": "/min",
  "[degF]": "°F",
  Cel: "°C",
  "[lb_av]": "lb",
  "[in_i]": "in",
  "10*3/uL": "×10³/µL",
  "10*6/uL": "×10⁶/µL",
  "10*9/L": "×10⁹/L",
  "10*12/L": "×10¹²/L",
  "kg/m2": "kg/m²",
  "{score}": "",
  "1": "",
};

/** A UCUM unit as people write it. */
export function unitSaid(unit: string | null | undefined): string {
  if (!unit) return "";
  return (
    UNITS[unit] ??
    unit
      .replace(/\{[^}]*\}/g, "")
      .replace("[IU]", "IU")
      .replace(/^u(?=[A-Z])/, "µ")
  );
}

/** A value with its unit. */
export function valueSaid(
  value: number | string | null | undefined,
  unit: string | null | undefined,
  locale: string,
): string {
  if (value == null) return "";
  const text = typeof value === "number" ? numberSaid(value, locale) : value;
  const written = unitSaid(unit);
  return written === "" ? text : `${text} ${written}`;
}

/** A reference range: `4.0–5.6`, `≤ 5.6`, `≥ 4`; nothing where none is known. */
export function rangeSaid(
  low: number | null | undefined,
  high: number | null | undefined,
  locale: string,
): string | undefined {
  const [from, to] = [low, high].map((end) => (end == null ? undefined : numberSaid(end, locale)));
  if (from !== undefined && to !== undefined) return `${from}–${to}`;
  if (from !== undefined) return `≥\u00a0${from}`;
  return to === undefined ? undefined : `≤\u00a0${to}`;
}

/** What SNOMED CT writes behind a name to say what sort of thing it is; nobody says it aloud. */
const TAG =
  /\s\((disorder|finding|substance|situation|procedure|regime\/therapy|observable entity|product|organism|event)\)$/;

/** Names that a terminology gives to machines rather than people, by their code and by themselves. */
const SHORT: Record<string, string> = {
  "85354-9": "bloodPressure",
  "Blood pressure panel with all children optional": "bloodPressure",
};

/** What a record is about, in words: its name, else its code; the caller says what stands where neither is known. */
export function named(name: string | null | undefined, code?: string | null | undefined): string | undefined {
  return name?.replace(TAG, "") || code || undefined;
}

/** The text under `measure` that says better what the terminology calls so, by its code or its name. */
export const shortOf = (term: string | null | undefined) => SHORT[term ?? ""];

/** A text in which units may stand, with the units as people write them. */
export function unitsIn(text: string | null | undefined): string | undefined {
  return text?.replace("mm[Hg]", "mmHg").replace("[degF]", "°F").replace("[IU]", "IU");
}
