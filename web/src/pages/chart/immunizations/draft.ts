import type { Dose, DoseChange, DoseInput, Vaccine } from "../types";
import { isDay, momentOf, partsOf } from "../when";

/** The vaccine that was chosen: from the table, or as it was typed. */
export interface Choice {
  /** CVX code; none for one that is in no table. */
  cvx: string | undefined;
  name: string;
}

/** A dose as it stands in the form. */
export interface Draft {
  vaccine: Choice | null;
  lot: string;
  expires: string;
  manufacturer: string;
  site: string;
  route: string;
  volume: string;
  day: string;
  /** Time of day; empty where only the day is known. */
  time: string;
  /** Whether the one who records gave it, or the provider who stood there before. */
  provider: string;
  notes: string;
}

/** The fields of the form by those of the server, to put a fault where it belongs. */
const FIELDS: Record<string, keyof Draft> = {
  vaccine_code: "vaccine",
  vaccine_name: "vaccine",
  lot_number: "lot",
  expiration_date: "expires",
  manufacturer: "manufacturer",
  site: "site",
  route: "route",
  dose_volume: "volume",
  administered_at: "day",
  provider_id: "provider",
  notes: "notes",
};

/** A new dose, given now by the one who records it. */
export function emptyDraft(day: string, time: string, provider: string): Draft {
  return {
    vaccine: null,
    lot: "",
    expires: "",
    manufacturer: "",
    site: "",
    route: "",
    volume: "",
    day,
    time,
    provider,
    notes: "",
  };
}

/** A code as text; one of another system than CVX is an object, and cannot be changed here. */
export function codeText(code: Dose["vaccine_code"]): string | undefined {
  if (typeof code === "string") return code;
  const inner = (code as { code?: unknown } | undefined)?.code;
  return typeof inner === "string" ? inner : undefined;
}

/** A stored amount as people write it: `0.5`, in mL, or with its unit. */
export function volumeText(volume: Dose["dose_volume"]): string {
  if (volume === undefined) return "";
  if (typeof volume !== "object") return String(volume);
  const { value, unit } = volume as { value?: unknown; unit?: unknown };
  return [value, unit].filter((part) => part !== undefined).join(" ");
}

/** A stored dose as the form shows it. */
export function draftOf(dose: Dose): Draft {
  const { day, time } = partsOf(dose.administered_at ?? "");
  const cvx = codeText(dose.vaccine_code);
  return {
    vaccine: cvx === undefined && !dose.vaccine_name ? null : { cvx, name: dose.vaccine_name ?? cvx ?? "" },
    lot: dose.lot_number ?? "",
    expires: dose.expiration_date ?? "",
    manufacturer: dose.manufacturer ?? "",
    site: dose.site ?? "",
    route: dose.route ?? "",
    volume: volumeText(dose.dose_volume),
    day,
    time,
    provider: dose.provider_id ?? "",
    notes: dose.notes ?? "",
  };
}

/** A typed amount: a number is one of millilitres, whichever mark divides it; anything else is for the server to read. */
export function volumeOf(text: string): number | string {
  const plain = text.trim().replace(/^(\d*),(\d+)/, "$1.$2");
  return /^\d*\.?\d+$/.test(plain) ? Number(plain) : plain;
}

/** The fields of the server that a part of the form stands for; a field without content is null. */
function parts(draft: Draft): Record<keyof Omit<Draft, "time">, DoseChange> {
  const text = (value: string) => (value.trim() === "" ? null : value.trim());
  const { vaccine } = draft;
  return {
    vaccine: vaccine?.cvx
      ? { vaccine_code: vaccine.cvx, vaccine_name: vaccine.name }
      : { vaccine_code: null, vaccine_name: vaccine?.name ?? null },
    lot: { lot_number: text(draft.lot) },
    expires: { expiration_date: text(draft.expires) },
    manufacturer: { manufacturer: text(draft.manufacturer) },
    site: { site: text(draft.site) },
    route: { route: text(draft.route) },
    volume: { dose_volume: text(draft.volume) === null ? null : volumeOf(draft.volume) },
    day: { administered_at: draft.day === "" ? null : momentOf(draft.day, draft.time) },
    provider: { provider_id: text(draft.provider) },
    notes: { notes: text(draft.notes) },
  };
}

/** What is sent to record a dose. */
export function inputOf(draft: Draft): DoseInput {
  const all = Object.assign({}, ...Object.values(parts(draft))) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as DoseInput;
}

/** The parts of a form that differ; day and time are one. */
export function changed(before: Draft, after: Draft): (keyof Omit<Draft, "time">)[] {
  const same = (name: keyof Omit<Draft, "time">) => {
    if (name === "vaccine")
      return before.vaccine?.cvx === after.vaccine?.cvx && before.vaccine?.name === after.vaccine?.name;
    if (name === "day") return before.day === after.day && before.time === after.time;
    return before[name].trim() === after[name].trim();
  };
  return (Object.keys(parts(after)) as (keyof Omit<Draft, "time">)[]).filter((name) => !same(name));
}

/** What is sent to correct a dose: only what differs, so that nothing else is touched. */
export function changeOf(before: Draft, after: Draft): DoseChange {
  const all = parts(after);
  return Object.assign({}, ...changed(before, after).map((name) => all[name])) as DoseChange;
}

/** What is wrong with a draft before it is sent, by field; the texts stand in `dose.fault`. */
export function faultsOf(draft: Draft, born: string, today: string): Partial<Record<keyof Draft, string>> {
  const faults: Partial<Record<keyof Draft, string>> = {};
  if (!draft.vaccine?.name) faults.vaccine = "vaccine";
  if (draft.day === "") faults.day = "day";
  else if (draft.day.length === 10 && !isDay(draft.day)) faults.day = "noDay";
  else if (draft.day > today) faults.day = "future";
  else if (draft.day < born.slice(0, draft.day.length)) faults.day = "beforeBirth";
  return faults;
}

/** What may be right but deserves a second look, by its text in `dose.caution`. */
export function cautionsOf(
  draft: Draft,
  given: readonly { id: string; code: string | undefined; at: string | undefined }[],
) {
  const cautions: ({ kind: "expired" } | { kind: "again"; at: string })[] = [];
  if (draft.expires !== "" && draft.day !== "" && draft.expires < draft.day.slice(0, draft.expires.length)) {
    cautions.push({ kind: "expired" });
  }
  const same = given.find(
    (dose) =>
      dose.code !== undefined && dose.code === draft.vaccine?.cvx && dose.at && days(dose.at, draft.day) < AGAIN_DAYS,
  );
  if (same?.at) cautions.push({ kind: "again", at: same.at });
  return cautions;
}

/** Within how many days the same vaccine is more likely a dose entered twice: no schedule repeats one sooner. */
const AGAIN_DAYS = 20;
const days = (at: string, day: string) => Math.abs(Date.parse(partsOf(at).day) - Date.parse(day)) / 86_400_000;

/** Server faults at the fields of the form; those of no field are for the page. */
export function placed(errors: readonly { pointer: string; detail: string }[]) {
  const fields: Partial<Record<keyof Draft, string>> = {};
  const rest: string[] = [];
  for (const { pointer, detail } of errors) {
    const field = FIELDS[pointer.replace(/^\//, "").split("/")[0] ?? ""];
    if (field) fields[field] = fields[field] ? `${fields[field]}; ${detail}` : detail;
    else rest.push(pointer ? `${pointer}: ${detail}` : detail);
  }
  return { fields, rest };
}

/** One line of the vaccine list: a vaccine, or a product of it, which brings its manufacturer. */
export interface Option {
  key: string;
  choice: Choice;
  title: string;
  detail: string;
  isCurrent: boolean;
  manufacturer: string | undefined;
}

/** Products of one vaccine that the list shows. */
const PRODUCTS = 5;
/** Letters from which a word is taken for the beginning of a name. */
const LETTERS = 2;

/** The vaccines found as lines to choose from: those of a product whose name was typed come before the vaccine itself. */
export function optionsOf(vaccines: readonly Vaccine[], typed: string): Option[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word.length >= LETTERS);
  /** How many of the words typed begin a word of the name. */
  const matches = (name: string) => {
    const tokens = name.toLowerCase().split(/[\s,()-]+/);
    return words.filter((word) => tokens.some((token) => token.startsWith(word))).length;
  };
  return vaccines.flatMap((vaccine) => {
    const isCurrent = vaccine.status === "active";
    const own: Option = {
      key: vaccine.cvx,
      choice: { cvx: vaccine.cvx, name: vaccine.name },
      title: vaccine.name,
      detail: `${vaccine.full_name} · CVX ${vaccine.cvx}`,
      isCurrent,
      manufacturer: undefined,
    };
    const best = Math.max(0, ...vaccine.products.map((product) => matches(product.trade_name)));
    // Who types a product's name wants no other one.
    const wanted = vaccine.products.filter((product) =>
      best > 0 ? matches(product.trade_name) === best : product.status === "active",
    );
    const options = wanted.slice(0, PRODUCTS).map((product) => ({
      key: `${vaccine.cvx} ${product.trade_name} ${product.mvx ?? ""}`,
      choice: { cvx: vaccine.cvx, name: `${vaccine.name} (${product.trade_name})` },
      title: product.trade_name,
      detail: [product.manufacturer, vaccine.name, `CVX ${vaccine.cvx}`].filter(Boolean).join(" · "),
      isCurrent: product.status === "active",
      manufacturer: product.manufacturer ?? undefined,
    }));
    return best > 0 ? [...options, own] : [own, ...options];
  });
}

/** The note of a dose that is taken back: what stood there, and why. */
export function voidNote(notes: string | undefined, reason: string): string {
  return [notes?.trim(), reason.trim()].filter(Boolean).join("\n");
}
