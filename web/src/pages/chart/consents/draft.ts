import type { Actor, Provision } from "../../../api/access/care";
import { KINDS, type Kind, kindsOf } from "./words";

/** One rule as a form has it. */
export interface Rule {
  /** Only for React, to tell rules apart. */
  key: string;
  type: "permit" | "deny";
  /** References of those it is about; everybody where there is none. */
  who: string[];
  kinds: Kind[];
  labels: string[];
  purposes: string[];
  from: string;
  until: string;
}

export interface Draft {
  rule: Rule;
  exceptions: Rule[];
}

let made = 0;

export function emptyRule(type: Rule["type"]): Rule {
  made += 1;
  return { key: `rule-${made}`, type, who: [], kinds: [], labels: [], purposes: [], from: "", until: "" };
}

/** Whether a form can show a consent as a whole: what it cannot show, it would lose. */
export function isSimple(provision: Provision | undefined): boolean {
  const isFlat = (rule: Provision) =>
    kindsOf(rule.classes ?? []).others.length === 0 &&
    [rule.period?.start, rule.period?.end].every((at) => !at?.includes("T"));
  if (!provision) return true;
  const inner = provision.provisions ?? [];
  return isFlat(provision) && inner.every((rule) => isFlat(rule) && (rule.provisions ?? []).length === 0);
}

function ruleOf(provision: Provision | undefined, type: Rule["type"]): Rule {
  return {
    ...emptyRule(provision?.type ?? type),
    who: (provision?.actors ?? []).map(({ reference }) => reference),
    kinds: kindsOf(provision?.classes ?? []).kinds,
    labels: [...(provision?.labels ?? [])],
    purposes: [...(provision?.purposes ?? [])],
    from: provision?.period?.start ?? "",
    until: provision?.period?.end ?? "",
  };
}

export function draftOf(provision: Provision | undefined): Draft {
  const rule = ruleOf(provision, "deny");
  const inner = provision?.provisions ?? [];
  return { rule, exceptions: inner.map((one) => ruleOf(one, rule.type === "deny" ? "permit" : "deny")) };
}

/** What is wrong with a rule, by field. */
export function faultOf({ from, until }: Rule): "until" | undefined {
  return from && until && until < from ? "until" : undefined;
}

/** Whether an exception says anything that the rule above it does not. */
export function isEmpty({ who, kinds, labels, purposes, from, until }: Rule): boolean {
  return [...who, ...kinds, ...labels, ...purposes, from, until].every((part) => part === "");
}

type Named = (reference: string) => Actor;

function provisionOf(rule: Rule, named: Named): Provision {
  const period = { ...(rule.from && { start: rule.from }), ...(rule.until && { end: rule.until }) };
  return {
    type: rule.type,
    ...(rule.who.length > 0 && { actors: rule.who.map(named) }),
    ...(rule.kinds.length > 0 && { classes: rule.kinds.flatMap((kind) => [...KINDS[kind]]) }),
    ...(rule.labels.length > 0 && { labels: rule.labels }),
    ...(rule.purposes.length > 0 && { purposes: rule.purposes }),
    ...(Object.keys(period).length > 0 && { period }),
  };
}

/** A form's rules as the server takes them. `named` gives the actor that a reference is. */
export function sentOf({ rule, exceptions }: Draft, named: Named): Provision {
  const inner = exceptions.map((one) => provisionOf(one, named));
  return { ...provisionOf(rule, named), ...(inner.length > 0 && { provisions: inner }) };
}
