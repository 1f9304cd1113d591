//! Writing the plain immunization into a FHIR Immunization. A field that did not change leaves its element alone.

use iris_fhir::json::{Value, Writer};
use iris_plain::element::{Change, List, object, string};

use crate::places::{Coded, ROUTES, SITES, route, site};
use crate::read::{main_coding, performer, reportable};
use crate::vaccines::Vaccines;
use crate::{ACCOUNTS, CVX, Dose, MVX, Quantity, REPORTABLE, UCUM, VaccineCode};

/// System of performer functions (HL7 v2 table 0443).
const FUNCTIONS: &str = "http://terminology.hl7.org/CodeSystem/v2-0443";

/// As what the provider of a dose is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// As a Practitioner resource: referred to.
    Practitioner,
    /// As an account of this installation: named by its id, because an account is no resource.
    Account,
}

/// A new FHIR Immunization; completed where nothing is said. Codes get their names from `table`.
#[must_use]
pub fn create(dose: &Dose, provider: Provider, table: &Vaccines) -> Vec<u8> {
    let status = dose.status.as_deref().unwrap_or("completed");
    let dose = Dose { status: Some(status.to_owned()), ..dose.clone() };
    let mut changes = vec![("resourceType", Some(string("Immunization")))];
    differences(None, &Dose::default(), &dose, &Known { provider, table }, &mut changes);
    object(None, &changes).unwrap_or_default()
}

/// The stored Immunization with the changes from what the plain dialect sees in it to `after`. Codes get their names from `table`.
#[must_use]
pub fn edit(stored: Value<'_>, after: &Dose, provider: Provider, table: &Vaccines) -> Vec<u8> {
    let mut changes = Vec::new();
    differences(Some(stored), &Dose::of(stored), after, &Known { provider, table }, &mut changes);
    object(Some(stored), &changes).unwrap_or_default()
}

/// What is known besides the dose.
struct Known<'a> {
    provider: Provider,
    table: &'a Vaccines,
}

fn differences(
    root: Option<Value<'_>>,
    before: &Dose,
    after: &Dose,
    known: &Known<'_>,
    changes: &mut Vec<Change<'static>>,
) {
    let element = |name: &str| root.and_then(|root| root.get(name));
    simple(changes, "status", "_status", &before.status, &after.status);
    if before.status_reason != after.status_reason {
        let reason = after.status_reason.as_deref().and_then(|text| object(None, &[("text", Some(string(text)))]));
        changes.push(("statusReason", reason));
    }
    if (&before.vaccine_code, &before.vaccine_name) != (&after.vaccine_code, &after.vaccine_name) {
        changes.push(("vaccineCode", vaccine(element("vaccineCode"), before, after, known.table)));
    }
    if before.patient_id != after.patient_id {
        let patient = after.patient_id.as_ref().map(|id| string(&format!("Patient/{id}")));
        changes.push(("patient", object(None, &[("reference", patient)])));
    }
    if before.administered_at != after.administered_at {
        changes.push(("occurrenceString", None));
        changes.push(("_occurrenceString", None));
        simple(changes, "occurrenceDateTime", "_occurrenceDateTime", &None, &after.administered_at);
    }
    simple(changes, "lotNumber", "_lotNumber", &before.lot_number, &after.lot_number);
    if before.manufacturer != after.manufacturer {
        changes.push(("manufacturer", after.manufacturer.as_deref().and_then(|text| manufacturer(text, known.table))));
    }
    simple(changes, "expirationDate", "_expirationDate", &before.expiration_date, &after.expiration_date);
    if before.site != after.site {
        changes.push(("site", after.site.as_deref().and_then(|text| place(text, SITES, site(text)))));
    }
    if before.route != after.route {
        changes.push(("route", after.route.as_deref().and_then(|text| place(text, ROUTES, route(text)))));
    }
    if before.dose_volume != after.dose_volume {
        changes.push(("doseQuantity", after.dose_volume.as_ref().map(quantity)));
    }
    if before.provider_id != after.provider_id {
        changes.push(("performer", performers(root, after.provider_id.as_deref(), known.provider)));
    }
    if before.notes != after.notes {
        changes.push(("note", notes(element("note"), after.notes.as_deref())));
    }
    if before.iris_reportable != after.iris_reportable {
        changes.push(("extension", extensions(root, after.iris_reportable)));
    }
}

/// A primitive element; what stood beside the old value belonged to it.
fn simple(
    changes: &mut Vec<Change<'static>>,
    name: &'static str,
    beside: &'static str,
    before: &Option<String>,
    after: &Option<String>,
) {
    if before != after {
        changes.push((name, after.as_deref().map(string)));
        changes.push((beside, None));
    }
}

fn vaccine(found: Option<Value<'_>>, before: &Dose, after: &Dose, table: &Vaccines) -> Option<Vec<u8>> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    if before.vaccine_code != after.vaccine_code {
        let place = found.and_then(main_coding);
        let mut codings = List::of(found.and_then(|concept| concept.get("coding")));
        codings.set(place.map(|(at, _)| at), after.vaccine_code.as_ref().and_then(|code| coding(code, table)));
        changes.push(("coding", codings.finish()));
    }
    changes.push(("text", after.vaccine_name.as_deref().map(string)));
    changes.push(("_text", None));
    object(found, &changes)
}

fn coding(code: &VaccineCode, table: &Vaccines) -> Option<Vec<u8>> {
    let known = table.vaccine(&code.code).filter(|_| code.system.as_deref() == Some(CVX));
    object(
        None,
        &[
            ("system", code.system.as_deref().map(string)),
            ("code", Some(string(&code.code))),
            ("display", known.map(|vaccine| string(&vaccine.name))),
        ],
    )
}

fn manufacturer(text: &str, table: &Vaccines) -> Option<Vec<u8>> {
    let identifier = table
        .manufacturer(text)
        .and_then(|known| object(None, &[("system", Some(string(MVX))), ("value", Some(string(&known.code)))]));
    object(None, &[("identifier", identifier), ("display", Some(string(text)))])
}

fn place(text: &str, system: &str, coded: Option<Coded>) -> Option<Vec<u8>> {
    let codings = coded.map(|coded| {
        let mut w = Writer::new();
        w.array().object().member("system", system).member("code", coded.code).member("display", coded.display);
        w.finish()
    });
    object(None, &[("coding", codings), ("text", Some(string(text)))])
}

fn quantity(quantity: &Quantity) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().key("value").raw(quantity.value.as_bytes());
    w.member("unit", &quantity.unit).member("system", UCUM).member("code", &quantity.unit);
    w.finish()
}

fn performers(root: Option<Value<'_>>, id: Option<&str>, provider: Provider) -> Option<Vec<u8>> {
    let found = root.and_then(performer);
    let item = id.and_then(|id| {
        let actor = match provider {
            Provider::Practitioner => object(None, &[("reference", Some(string(&format!("Practitioner/{id}"))))]),
            Provider::Account => {
                let identifier = object(None, &[("system", Some(string(ACCOUNTS))), ("value", Some(string(id)))]);
                object(None, &[("identifier", identifier)])
            }
        };
        let mut function = Writer::new();
        function.object().key("coding").array().object();
        function.member("system", FUNCTIONS).member("code", "AP").member("display", "Administering Provider");
        let function = found.is_none().then(|| function.finish());
        let mut changes = vec![("actor", actor)];
        if function.is_some() {
            changes.insert(0, ("function", function));
        }
        object(found.map(|(_, performer)| performer), &changes)
    });
    let mut list = List::of(root.and_then(|root| root.get("performer")));
    list.set(found.map(|(at, _)| at), item);
    list.finish()
}

fn notes(found: Option<Value<'_>>, text: Option<&str>) -> Option<Vec<u8>> {
    let first = found.and_then(|notes| notes.items().next());
    let mut list = List::of(found);
    list.set(Some(0), text.and_then(|text| object(first, &[("text", Some(string(text))), ("_text", None)])));
    list.finish()
}

fn extensions(root: Option<Value<'_>>, value: Option<bool>) -> Option<Vec<u8>> {
    let place = root.and_then(reportable).map(|(at, _)| at);
    let item = value.map(|value| {
        let mut w = Writer::new();
        w.object().member("url", REPORTABLE).key("valueBoolean").bool(value);
        w.finish()
    });
    let mut list = List::of(root.and_then(|root| root.get("extension")));
    list.set(place, item);
    list.finish()
}

/// The plain field behind a place in the FHIR Immunization, as a JSON pointer: for faults that were found in the FHIR form.
#[must_use]
pub fn field_of(pointer: &str) -> String {
    let element = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
    let field = match element.trim_start_matches('_') {
        "patient" => "patient_id",
        "vaccineCode" => "vaccine_code",
        "occurrenceDateTime" | "occurrenceString" => "administered_at",
        "lotNumber" => "lot_number",
        "manufacturer" => "manufacturer",
        "expirationDate" => "expiration_date",
        "site" => "site",
        "route" => "route",
        "doseQuantity" => "dose_volume",
        "performer" => "provider_id",
        "status" => "status",
        "statusReason" => "status_reason",
        "note" => "notes",
        // An element that the plain dialect does not know keeps its own place.
        _ => return pointer.to_owned(),
    };
    format!("/{field}")
}
