import type { Dose } from "../types";

/** One version of a dose. */
export interface Version {
  number: number;
  /** When it was stored. */
  at: string;
  dose: Dose;
  /** Who gave it, by name, where the record names somebody. */
  provider: string | undefined;
}

type Json = Record<string, unknown>;

const object = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const list = (value: unknown): Json[] => (Array.isArray(value) ? value.map(object) : []);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const CVX = "http://hl7.org/fhir/sid/cvx";

/** A concept as a text: what was written, else what its code says. */
function concept(value: unknown): string | undefined {
  const inner = object(value);
  const codings = list(inner.coding);
  return text(inner.text) ?? codings.map((coding) => text(coding.display) ?? text(coding.code)).find((found) => found);
}

/** The plain dose that a FHIR Immunization is, as far as the history shows it. */
function doseOf(resource: Json): Dose {
  const vaccine = object(resource.vaccineCode);
  const codings = list(vaccine.coding);
  const code = text((codings.find((coding) => coding.system === CVX) ?? codings[0])?.code);
  const maker = object(resource.manufacturer);
  const amount = object(resource.doseQuantity);
  const unit = text(amount.code) ?? text(amount.unit);
  const actor = object(list(resource.performer)[0]?.actor);
  const provider = text(actor.reference)?.replace(/^Practitioner\//, "") ?? text(object(actor.identifier).value);
  const found = {
    vaccine_code: code,
    vaccine_name: concept(vaccine),
    administered_at: text(resource.occurrenceDateTime) ?? text(resource.occurrenceString),
    lot_number: text(resource.lotNumber),
    manufacturer: text(maker.display) ?? text(object(maker.identifier).value),
    expiration_date: text(resource.expirationDate),
    site: concept(resource.site),
    route: concept(resource.route),
    dose_volume:
      typeof amount.value === "number" ? (unit === "mL" ? amount.value : `${amount.value} ${unit ?? ""}`) : undefined,
    provider_id: provider,
    status: text(resource.status),
    notes: text(list(resource.note)[0]?.text),
  };
  const known = Object.entries(found).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as unknown as Dose;
}

/** The versions in a FHIR history, latest first. One that was deleted has no content and is left out. */
export function versionsOf(bundle: unknown): Version[] {
  return list(object(bundle).entry).flatMap((entry) => {
    const resource = object(entry.resource);
    const meta = object(resource.meta);
    const number = Number(text(meta.versionId));
    if (!Number.isFinite(number) || resource.resourceType !== "Immunization") return [];
    const provider = text(object(list(resource.performer)[0]?.actor).display);
    return [{ number, at: text(meta.lastUpdated) ?? "", dose: doseOf(resource), provider }];
  });
}
