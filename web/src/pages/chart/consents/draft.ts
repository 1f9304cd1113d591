import type { Consent, ConsentDraft, Decision, Provision, Span } from "../../../api/access/care";
import { KINDS, type Kind, kindsOf } from "./words";

/** One rule as a form has it. */
export interface Rule {
  /** Only for React, to tell rules apart. */
  key: string;
  decision: Decision;
  /** References of those it is about; everybody where there is none. */
  who: string[];
  kinds: Kind[];
  labels: string[];
  purposes: string[];
  from: string;
  until: string;
}

/** A consent as a form has it: what holds in general, when, and the exceptions. */
export interface Draft {
  decision: Decision;
  from: string;
  until: string;
  exceptions: Rule[];
  words: string;
}

let made = 0;

export function emptyRule(decision: Decision): Rule {
  made += 1;
  return { key: `rule-${made}`, decision, who: [], kinds: [], labels: [], purposes: [], from: "", until: "" };
}

const isDay = (at: string | undefined) => at === undefined || /^\d{4}-\d{2}-\d{2}$/.test(at);
const hasDays = (period: Span | undefined) => isDay(period?.start) && isDay(period?.end);

/** Whether a form can show a consent as a whole: what it cannot show, it would lose. */
export function isSimple({ decision, period, provisions }: Consent): boolean {
  const isFlat = (rule: Provision) =>
    !rule.further && !rule.actions?.length && kindsOf(rule.classes ?? []).others.length === 0 && hasDays(rule.period);
  return decision !== undefined && hasDays(period) && provisions.every(isFlat);
}

function ruleOf(provision: Provision): Rule {
  return {
    ...emptyRule(provision.decision),
    who: [...(provision.actors ?? [])],
    kinds: kindsOf(provision.classes ?? []).kinds,
    labels: [...(provision.labels ?? [])],
    purposes: [...(provision.purposes ?? [])],
    from: provision.period?.start ?? "",
    until: provision.period?.end ?? "",
  };
}

export function draftOf(consent: Consent | undefined): Draft {
  return {
    decision: consent?.decision ?? "deny",
    from: consent?.period?.start ?? "",
    until: consent?.period?.end ?? "",
    exceptions: (consent?.provisions ?? []).map(ruleOf),
    words: consent?.policy_text ?? "",
  };
}

/** Whether a time ends before it begins. */
export const isBackwards = ({ from, until }: { from: string; until: string }) =>
  from !== "" && until !== "" && until < from;

/** Whether an exception says nothing that the rule above it does not: it would turn it into its contrary. */
export function isEmpty({ who, kinds, labels, purposes, from, until }: Rule): boolean {
  return [...who, ...kinds, ...labels, ...purposes, from, until].every((part) => part === "");
}

function spanOf({ from, until }: { from: string; until: string }): Span | undefined {
  if (!from && !until) return undefined;
  return { ...(from && { start: from }), ...(until && { end: until }) };
}

export function provisionOf(rule: Rule): Provision {
  const period = spanOf(rule);
  return {
    decision: rule.decision,
    ...(rule.who.length > 0 && { actors: rule.who }),
    ...(rule.kinds.length > 0 && { classes: rule.kinds.flatMap((kind) => [...KINDS[kind]]) }),
    ...(rule.labels.length > 0 && { labels: rule.labels }),
    ...(rule.purposes.length > 0 && { purposes: rule.purposes }),
    ...(period && { period }),
  };
}

/** A form's content as the server takes it. */
export function sentOf(draft: Draft): ConsentDraft {
  return {
    decision: draft.decision,
    period: spanOf(draft) ?? null,
    provisions: draft.exceptions.map(provisionOf),
    policy_text: draft.words.trim() || null,
  };
}
