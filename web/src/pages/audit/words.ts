import type { TFunction } from "i18next";
import type { Entry } from "./types";

type T = TFunction;

/** The ids of the server itself, and of callers who proved no identity (`spine/audit`, `Actor`). */
const SYSTEM = "00000000-0000-0000-0000-000000000000";
const UNKNOWN = "ffffffff-ffff-ffff-ffff-ffffffffffff";
/** Characters of an id that people compare; the whole one stands on the entry's own page. */
const ID_SHOWN = 8;

/** Keeps a name or an id in one piece among text of the other direction. */
const isolated = (text: string) => `\u2068${text}\u2069`;

export const short = (id: string) => (id.length > ID_SHOWN + 4 ? id.slice(0, ID_SHOWN) : id);

/** Who did it. */
export function whoOf({ content, user_id, user_name }: Entry, t: T): string {
  if (user_id === SYSTEM) return t("who.system");
  if (user_id === UNKNOWN) {
    return user_name ? t("who.unknown", { name: isolated(user_name) }) : t("who.nobody");
  }
  if (user_name) return isolated(user_name);
  return content === "open" ? isolated(short(user_id ?? "")) : t("who.lost");
}

/** Actions whose own words say that something did not come about. */
const IMPLIED = new Set([
  "login.failure",
  "login.locked",
  "token.refused",
  "token.reuse",
  "session.expire",
  "phi.denied",
  "access.denied",
  "audit.gap",
]);

/** What was done, or tried in vain, without who did it. On the page of one patient (`about`) it need not be said whose record it is. */
export function didOf(entry: Entry, t: T, about?: string): string {
  const did = actionOf(entry, t, about);
  return entry.outcome === "success" || IMPLIED.has(entry.action) ? did : t("tried", { did });
}

function actionOf(entry: Entry, t: T, about?: string): string {
  const { action, outcome, detail = "", resources = [] } = entry;
  const records = new Set(resources.map((resource) => resource.split("/").slice(0, 2).join("/")));
  const kinds = [...new Set([...records].map((record) => record.split("/")[0] ?? ""))];
  const kind = kindOf(/^([A-Z][A-Za-z]+)(?=\?|$)/.exec(detail)?.[1] ?? kinds[0], t);
  if (action === "phi.search" && outcome === "success" && entry.content === "open" && records.size === 0)
    return t("none.search", { kind });
  const noun = nounOf(action, kinds, records.size, t);
  const what = about ? amongOf(noun, records.has(`Patient/${about}`), entry, t) : ownedOf(noun, kinds, entry, t);
  return t([`did.${action}`, "did.other"], { what, kind, action });
}

/** Who did what, in a sentence. */
export function sentenceOf(entry: Entry, t: T): string {
  return t("sentence", { who: whoOf(entry, t), did: didOf(entry, t) });
}

/** An action as a choice of the filter. */
export function optionOf(action: string, t: T): string {
  const any = { what: t("noun.any"), kind: t("kind.any"), action };
  const text = t([`option.${action}`, `did.${action}`, "did.other"], any);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function kindOf(type: string | undefined, t: T): string {
  return type ? t([`kind.${type}`, "kind.other"], { type }) : t("kind.any");
}

function nounOf(action: string, kinds: string[], count: number, t: T): string {
  if (action === "phi.summary") return t("noun.chart");
  const [type] = kinds;
  if (!type) return t("noun.any");
  return kinds.length > 1 ? t("noun.many", { count }) : t([`noun.${type}`, "noun.other"], { count, type });
}

function ownedOf(noun: string, kinds: string[], { patient_ids: ids = [] }: Entry, t: T): string {
  const [first] = ids;
  if (!first) return noun;
  // Many master records are as many patients: it need not be said twice.
  if (ids.length > 1 && kinds.join() === "Patient") return t("noun.patients", { count: ids.length });
  return t("of", { what: noun, count: ids.length, id: isolated(short(first)) });
}

/** On one patient's page: what of it was theirs, where others were shown as well. */
function amongOf(noun: string, isMaster: boolean, { patient_ids: ids = [] }: Entry, t: T): string {
  if (ids.length < 2) return noun;
  return t("among", { what: isMaster ? t("noun.Patient", { count: 1 }) : noun, count: ids.length });
}
