import type { TFunction } from "i18next";
import type { Consent, Provision } from "../../../api/access/care";

/** Kinds of content that a rule can be about, each with the resource types that it means. */
export const KINDS = {
  notes: ["DocumentReference", "Composition", "ClinicalImpression"],
  results: ["Observation", "DiagnosticReport"],
  problems: ["Condition"],
  medications: ["MedicationRequest", "MedicationStatement", "MedicationAdministration"],
  allergies: ["AllergyIntolerance"],
  immunizations: ["Immunization"],
  visits: ["Encounter", "Procedure"],
  images: ["ImagingStudy"],
  insurance: ["Coverage", "Claim", "ExplanationOfBenefit"],
} as const;
export type Kind = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** Labels of sensitive content (HL7 v3 ActCode and Confidentiality) that a rule can name. */
export const LABELS = ["HIV", "PSY", "ETH", "SUD", "STD", "SEX", "SDV", "GDIS", "R", "V"] as const;

/** Purposes of use (HL7 v3 ActReason) that a rule can name. */
export const PURPOSES = ["TREAT", "ETREAT", "HPAYMT", "HOPERAT", "HRESCH", "PUBHLTH", "PATRQT"] as const;

/** Which kinds a list of resource types is, and the types that belong to none that is there as a whole. */
export function kindsOf(classes: readonly string[]): { kinds: Kind[]; others: string[] } {
  const kinds = KIND_NAMES.filter((kind) => KINDS[kind].every((type) => classes.includes(type)));
  const covered = new Set<string>(kinds.flatMap((kind) => KINDS[kind]));
  return { kinds, others: classes.filter((type) => !covered.has(type)) };
}

/** Gives a list of words as people say it. */
function listed(words: readonly string[], locale: string): string {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(words);
}

interface Said {
  t: TFunction;
  locale: string;
  /** A day or moment in words. */
  day: (at: string) => string;
}

/** One rule as a sentence: who may or may not see what, for what, and when. */
export function sentenceOf(rule: Provision, { t, locale, day }: Said): string {
  const { kinds, others } = kindsOf(rule.classes ?? []);
  const content = [...kinds.map((kind) => t(`consent.kind.${kind}`)), ...others];
  const labels = (rule.labels ?? []).map((label) => t(`consent.label.${label}`, { defaultValue: label }));
  const purposes = (rule.purposes ?? []).map((purpose) => t(`consent.purpose.${purpose}`, { defaultValue: purpose }));
  const who = (rule.actors ?? []).map(({ display, reference }) => display ?? reference);
  const { start, end } = rule.period ?? {};
  const parts = [
    t(who.length > 0 ? `consent.says.${rule.type ?? "deny"}Some` : `consent.says.${rule.type ?? "deny"}All`, {
      who: listed(who, locale),
      what: content.length > 0 ? listed(content, locale) : t("consent.says.everything"),
    }),
    labels.length > 0 && t("consent.says.labelled", { labels: listed(labels, locale) }),
    purposes.length > 0 && t("consent.says.for", { purposes: listed(purposes, locale) }),
    start && t("consent.says.from", { day: day(start) }),
    end && t("consent.says.until", { day: day(end) }),
  ];
  return `${parts.filter(Boolean).join(", ")}.`;
}

/** Whether a consent counts now: it is active, and its time has come and is not over. */
export function standOf(
  { status, provision }: Consent,
  now: number,
): "counts" | "ahead" | "over" | "revoked" | "draft" {
  if (status === "inactive" || status === "rejected" || status === "entered-in-error") return "revoked";
  if (status !== "active") return "draft";
  const { start, end } = provision?.period ?? {};
  if (end && endOf(end) <= now) return "over";
  return start && Date.parse(start) > now ? "ahead" : "counts";
}

/** The end of a day counts as a whole, that of a moment as it is. */
function endOf(end: string): number {
  const DAY_MS = 86_400_000;
  return Date.parse(end) + (end.includes("T") ? 0 : DAY_MS);
}
