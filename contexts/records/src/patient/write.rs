//! Writing the plain patient into a FHIR Patient. A field that did not change leaves its element alone, so that nothing is
//! lost that the plain dialect does not know: further names, extensions, use and period of a telephone number.

use iris_fhir::json::Value;
use iris_plain::element::{Change, List, object, string};

use super::read::{emergency, identifier, is, main_address, main_name, relationship, telecom};
use super::{Address, CONTACT_ROLES, Contact, EMERGENCY, IDENTIFIER_TYPES, Patient, SSN_SYSTEM};

/// A new FHIR Patient. The record is active where nothing is said.
#[must_use]
pub fn create(patient: &Patient, mrn_system: &str) -> Vec<u8> {
    let mut changes: Vec<Change<'static>> = vec![("resourceType", Some(string("Patient")))];
    let status = patient.patient_status.as_deref().unwrap_or("active");
    let patient = Patient { patient_status: Some(status.to_owned()), ..patient.clone() };
    differences(None, &Patient::default(), &patient, mrn_system, &mut changes);
    object(None, &changes).unwrap_or_default()
}

/// The stored Patient with the changes from what the plain dialect sees in it to `after`.
#[must_use]
pub fn edit(stored: Value<'_>, after: &Patient, mrn_system: &str) -> Vec<u8> {
    let before = Patient::of(stored, mrn_system);
    let mut changes = Vec::new();
    differences(Some(stored), &before, after, mrn_system, &mut changes);
    object(Some(stored), &changes).unwrap_or_default()
}

fn differences(
    root: Option<Value<'_>>,
    before: &Patient,
    after: &Patient,
    mrn_system: &str,
    changes: &mut Vec<Change<'static>>,
) {
    identifiers(root, before, after, mrn_system, changes);
    if (&before.first_name, &before.last_name) != (&after.first_name, &after.last_name) {
        changes.push(("name", names(root, before, after)));
    }
    telecoms(root, before, after, changes);
    if before.gender != after.gender {
        simple(changes, "gender", "_gender", after.gender.as_deref());
    }
    if before.date_of_birth != after.date_of_birth {
        simple(changes, "birthDate", "_birthDate", after.date_of_birth.as_deref());
    }
    if before.address != after.address {
        changes.push(("address", addresses(root, before.address.as_ref(), after.address.as_ref())));
    }
    if before.emergency_contact != after.emergency_contact {
        changes.push(("contact", contacts(root, before.emergency_contact.as_ref(), after.emergency_contact.as_ref())));
    }
    if before.patient_status != after.patient_status {
        status(after.patient_status.as_deref(), changes);
    }
}

/// A primitive element; what stood beside it (`_birthDate` with a time of birth) belonged to the old value.
fn simple(changes: &mut Vec<Change<'static>>, name: &'static str, beside: &'static str, value: Option<&str>) {
    changes.push((name, value.map(string)));
    changes.push((beside, None));
}

fn member<'a>(root: Option<Value<'a>>, name: &str) -> Option<Value<'a>> {
    root.and_then(|root| root.get(name))
}

fn concept(system: &str, code: &str, display: &str) -> Vec<u8> {
    let mut w = iris_fhir::json::Writer::new();
    w.object().key("coding").array().object();
    w.member("system", system).member("code", code).member("display", display);
    w.finish()
}

fn identifiers(
    root: Option<Value<'_>>,
    before: &Patient,
    after: &Patient,
    mrn_system: &str,
    changes: &mut Vec<Change<'static>>,
) {
    let mut list = List::of(member(root, "identifier"));
    let mut set = |system: &str, code: &str, display: &str, value: Option<&str>| {
        let place = root.and_then(|root| identifier(root, |id| is(id, "system", system)));
        let item = value.and_then(|value| match place {
            Some((_, found)) => object(Some(found), &[("value", Some(string(value))), ("_value", None)]),
            None => object(
                None,
                &[
                    ("type", Some(concept(IDENTIFIER_TYPES, code, display))),
                    ("system", Some(string(system))),
                    ("value", Some(string(value))),
                ],
            ),
        });
        list.set(place.map(|(at, _)| at), item);
    };
    let mrn = before.medical_record_number != after.medical_record_number;
    let ssn = before.ssn != after.ssn;
    if mrn {
        set(mrn_system, "MR", "Medical record number", after.medical_record_number.as_deref());
    }
    if ssn {
        set(SSN_SYSTEM, "SS", "Social Security number", after.ssn.as_deref());
    }
    if mrn || ssn {
        changes.push(("identifier", list.finish()));
    }
}

fn names(root: Option<Value<'_>>, before: &Patient, after: &Patient) -> Option<Vec<u8>> {
    let found = root.and_then(main_name);
    let name = found.map(|(_, name)| name);
    // The written-out name would contradict its changed parts.
    let mut changes: Vec<Change<'_>> = vec![("text", None), ("_text", None)];
    if name.is_none() {
        changes.push(("use", Some(string("official"))));
    }
    if before.last_name != after.last_name {
        changes.push(("family", after.last_name.as_deref().map(string)));
        changes.push(("_family", None));
    }
    if before.first_name != after.first_name {
        let mut given = List::of(name.and_then(|name| name.get("given")));
        given.set(Some(0), after.first_name.as_deref().map(string));
        changes.push(("given", given.finish()));
        changes.push(("_given", name.and_then(|name| without_first(name.get("_given")?))));
    }
    let mut list = List::of(member(root, "name"));
    list.set(found.map(|(at, _)| at), object(name, &changes));
    list.finish()
}

/// The extensions beside a list of texts without those of its first, which has changed. `null` holds a place.
fn without_first(beside: Value<'_>) -> Option<Vec<u8>> {
    let mut list = List::of(Some(beside));
    list.set(Some(0), Some(b"null".to_vec()));
    let others = beside.items().skip(1).any(|item| !item.is_null());
    if others { list.finish() } else { None }
}

fn telecoms(root: Option<Value<'_>>, before: &Patient, after: &Patient, changes: &mut Vec<Change<'static>>) {
    let mut list = List::of(member(root, "telecom"));
    let mut changed = false;
    for (system, before, after) in [("phone", &before.phone, &after.phone), ("email", &before.email, &after.email)] {
        if before != after {
            changed = true;
            let place = root.and_then(|root| telecom(root, system));
            list.set(place.map(|(at, _)| at), point(place.map(|(_, found)| found), system, after.as_deref()));
        }
    }
    if changed {
        changes.push(("telecom", list.finish()));
    }
}

fn point(found: Option<Value<'_>>, system: &str, value: Option<&str>) -> Option<Vec<u8>> {
    let value = value?;
    object(found, &[("system", Some(string(system))), ("value", Some(string(value))), ("_value", None)])
}

fn addresses(root: Option<Value<'_>>, before: Option<&Address>, after: Option<&Address>) -> Option<Vec<u8>> {
    let found = root.and_then(main_address);
    let none = Address::default();
    let was = before.unwrap_or(&none);
    let item = after.and_then(|after| {
        let mut changes: Vec<Change<'_>> = vec![("text", None), ("_text", None)];
        if found.is_none() {
            changes.push(("use", Some(string("home"))));
        }
        if was.street != after.street {
            let mut lines = List::of(None);
            if let Some(street) = &after.street {
                lines.set(None, Some(string(street)));
            }
            changes.push(("line", lines.finish()));
            changes.push(("_line", None));
        }
        for (name, beside, was, is) in [
            ("city", "_city", &was.city, &after.city),
            ("state", "_state", &was.state, &after.state),
            ("postalCode", "_postalCode", &was.zip_code, &after.zip_code),
        ] {
            if was != is {
                changes.push((name, is.as_deref().map(string)));
                changes.push((beside, None));
            }
        }
        object(found.map(|(_, address)| address), &changes)
    });
    let mut list = List::of(member(root, "address"));
    list.set(found.map(|(at, _)| at), item.filter(|_| after != Some(&none)));
    list.finish()
}

fn contacts(root: Option<Value<'_>>, before: Option<&Contact>, after: Option<&Contact>) -> Option<Vec<u8>> {
    let found = root.and_then(emergency);
    let none = Contact::default();
    let item = after
        .filter(|after| **after != none)
        .and_then(|after| contact(found.map(|(_, contact)| contact), before.unwrap_or(&none), after));
    let mut list = List::of(member(root, "contact"));
    list.set(found.map(|(at, _)| at), item);
    list.finish()
}

fn contact(found: Option<Value<'_>>, was: &Contact, after: &Contact) -> Option<Vec<u8>> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    if found.is_none() || was.relationship != after.relationship {
        let mut list = List::of(found.and_then(|contact| contact.get("relationship")));
        if found.is_none() {
            list.set(None, Some(concept(CONTACT_ROLES, EMERGENCY, "Emergency Contact")));
        }
        let place = found.and_then(relationship);
        let text = after.relationship.as_deref().and_then(|text| object(None, &[("text", Some(string(text)))]));
        list.set(place.map(|(at, _)| at), text);
        changes.push(("relationship", list.finish()));
    }
    if was.name != after.name {
        changes.push(("name", after.name.as_deref().and_then(|name| object(None, &[("text", Some(string(name)))]))));
    }
    if was.phone != after.phone {
        let place = found.and_then(|contact| telecom(contact, "phone"));
        let mut list = List::of(found.and_then(|contact| contact.get("telecom")));
        list.set(place.map(|(at, _)| at), point(place.map(|(_, found)| found), "phone", after.phone.as_deref()));
        changes.push(("telecom", list.finish()));
    }
    object(found, &changes)
}

fn status(status: Option<&str>, changes: &mut Vec<Change<'static>>) {
    let dead = status == Some("deceased");
    changes.push(("deceasedDateTime", None));
    changes.push(("_deceasedDateTime", None));
    changes.push(("deceasedBoolean", dead.then(|| b"true".to_vec())));
    match status {
        Some("active") => changes.push(("active", Some(b"true".to_vec()))),
        Some("inactive") => changes.push(("active", Some(b"false".to_vec()))),
        // A death says nothing about whether the record is in use.
        Some(_) => {}
        None => changes.push(("active", None)),
    }
}

/// The plain field behind a place in the FHIR Patient, as a JSON pointer: for faults that were found in the FHIR form.
#[must_use]
pub fn field_of(pointer: &str) -> String {
    let element = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
    let field = match element.trim_start_matches('_') {
        "name" if pointer.contains("/given") => "first_name",
        "name" => "last_name",
        "birthDate" => "date_of_birth",
        "gender" => "gender",
        "telecom" => "phone",
        "address" => "address",
        "contact" => "emergency_contact",
        "identifier" => "medical_record_number",
        "active" | "deceasedBoolean" => "patient_status",
        // An element that the plain dialect does not know keeps its own place.
        _ => return pointer.to_owned(),
    };
    format!("/{field}")
}
