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
export const LABELS = ["HIV", "PSY", "SUD", "SEX", "SDV", "GDIS", "R", "V"] as const;

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
  /** How somebody is called who is referred to. */
  name: (reference: string) => string;
}

/** One rule as a sentence: who may or may not see what, for what, and when. */
export function sentenceOf(rule: Provision, { t, locale, day, name }: Said): string {
  const { kinds, others } = kindsOf(rule.classes ?? []);
  const content = [...kinds.map((kind) => t(`consent.kind.${kind}`)), ...others];
  const labels = (rule.labels ?? []).map((label) => t(`consent.label.${label}`, { defaultValue: label }));
  const purposes = (rule.purposes ?? []).map((purpose) => t(`consent.purpose.${purpose}`, { defaultValue: purpose }));
  const actions = (rule.actions ?? []).map((action) => t(`consent.action.${action}`, { defaultValue: action }));
  const who = (rule.actors ?? []).map(name);
  const { start, end } = rule.period ?? {};
  const parts = [
    t(`consent.says.${rule.decision}${who.length > 0 ? "Some" : "All"}`, {
      who: listed(who, locale),
      what: content.length > 0 ? listed(content, locale) : t("consent.says.everything"),
    }),
    actions.length > 0 && t("consent.says.doing", { actions: listed(actions, locale) }),
    labels.length > 0 && t("consent.says.labelled", { labels: listed(labels, locale) }),
    purposes.length > 0 && t("consent.says.for", { purposes: listed(purposes, locale) }),
    start && t("consent.says.from", { day: day(start) }),
    end && t("consent.says.until", { day: day(end) }),
  ];
  return `${parts.filter(Boolean).join(", ")}.`;
}

/** Whether a consent counts now, and why not: the server says whether, its dates and state say why. */
export function standOf({ status, counts, period }: Consent, now: number): Stand {
  if (counts) return "counts";
  if (status === "inactive" || status === "rejected" || status === "entered-in-error") return "revoked";
  const { start, end } = period ?? {};
  if (start && Date.parse(start) > now) return "ahead";
  return end && Date.parse(end) < now ? "over" : "draft";
}

export type Stand = "counts" | "ahead" | "over" | "revoked" | "draft";
