//! Seeing the plain patient in a FHIR Patient.

use std::borrow::Cow;

use iris_fhir::json::Value;

use super::{Address, CONTACT_ROLES, Contact, EMERGENCY, IDENTIFIER_TYPES, Patient, SSN_SYSTEM};

impl Patient {
    /// What the plain dialect sees. `mrn_system` tells this house's record number from those of others.
    #[must_use]
    pub fn of(root: Value<'_>, mrn_system: &str) -> Self {
        let name = main_name(root).map(|(_, name)| name);
        Self {
            first_name: name.and_then(|name| text(name.get("given")?.items().next()?)),
            last_name: name.and_then(|name| text(name.get("family")?)),
            date_of_birth: root.get("birthDate").and_then(text),
            gender: root.get("gender").and_then(text),
            ssn: identifier(root, |id| is(id, "system", SSN_SYSTEM)).and_then(|(_, id)| text(id.get("value")?)),
            phone: telecom(root, "phone").and_then(|(_, point)| text(point.get("value")?)),
            email: telecom(root, "email").and_then(|(_, point)| text(point.get("value")?)),
            medical_record_number: shown_mrn(root, mrn_system),
            address: main_address(root).map(|(_, address)| address_of(address)).filter(|a| *a != Address::default()),
            emergency_contact: emergency(root)
                .map(|(_, contact)| contact_of(contact))
                .filter(|c| *c != Contact::default()),
            patient_status: status(root),
        }
    }
}

fn text(value: Value<'_>) -> Option<String> {
    value.as_str().map(Cow::into_owned)
}

pub(super) fn is(object: Value<'_>, name: &str, wanted: &str) -> bool {
    object.str_of(name).is_some_and(|text| text == wanted)
}

fn items<'a>(root: Value<'a>, name: &str) -> impl Iterator<Item = (usize, Value<'a>)> {
    root.get(name).into_iter().flat_map(Value::items).enumerate()
}

/// The name that the plain dialect shows: the official one, else the first that is in use.
pub(super) fn main_name(root: Value<'_>) -> Option<(usize, Value<'_>)> {
    let official = items(root, "name").find(|(_, name)| is(*name, "use", "official"));
    official.or_else(|| items(root, "name").find(|(_, name)| !is(*name, "use", "old")))
}

pub(super) fn main_address(root: Value<'_>) -> Option<(usize, Value<'_>)> {
    let home = items(root, "address").find(|(_, address)| is(*address, "use", "home"));
    home.or_else(|| items(root, "address").find(|(_, address)| !is(*address, "use", "old")))
}

pub(super) fn telecom<'a>(owner: Value<'a>, system: &str) -> Option<(usize, Value<'a>)> {
    items(owner, "telecom").find(|(_, point)| is(*point, "system", system) && !is(*point, "use", "old"))
}

pub(super) fn identifier<'a>(root: Value<'a>, wanted: impl Fn(Value<'a>) -> bool) -> Option<(usize, Value<'a>)> {
    items(root, "identifier").find(|(_, identifier)| wanted(*identifier) && !is(*identifier, "use", "old"))
}

fn has_coding(concept: Value<'_>, system: &str, code: &str) -> bool {
    items(concept, "coding").any(|(_, coding)| is(coding, "system", system) && is(coding, "code", code))
}

/// This house's number, else the first medical record number of another house.
fn shown_mrn(root: Value<'_>, system: &str) -> Option<String> {
    let own = identifier(root, |id| is(id, "system", system));
    let any = || identifier(root, |id| id.get("type").is_some_and(|kind| has_coding(kind, IDENTIFIER_TYPES, "MR")));
    own.or_else(any).and_then(|(_, id)| text(id.get("value")?))
}

pub(super) fn emergency(root: Value<'_>) -> Option<(usize, Value<'_>)> {
    items(root, "contact").find(|(_, contact)| {
        items(*contact, "relationship").any(|(_, concept)| has_coding(concept, CONTACT_ROLES, EMERGENCY))
    })
}

/// The lines of an address as one text.
pub(super) fn street(address: Value<'_>) -> Option<String> {
    let lines: Vec<String> = items(address, "line").filter_map(|(_, line)| text(line)).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn address_of(address: Value<'_>) -> Address {
    Address {
        street: street(address),
        city: address.get("city").and_then(text),
        state: address.get("state").and_then(text),
        zip_code: address.get("postalCode").and_then(text),
    }
}

/// A contact's name as one text: its own text, else given and family names.
pub(super) fn contact_name(contact: Value<'_>) -> Option<String> {
    let name = contact.get("name")?;
    name.get("text").and_then(text).or_else(|| {
        let given = items(name, "given").filter_map(|(_, part)| text(part));
        let parts: Vec<String> = given.chain(name.get("family").and_then(text)).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    })
}

/// Where the relationship stands as a text: not in the concept that says "emergency contact".
pub(super) fn relationship(contact: Value<'_>) -> Option<(usize, Value<'_>)> {
    items(contact, "relationship").find(|(_, concept)| !has_coding(*concept, CONTACT_ROLES, EMERGENCY))
}

fn concept_text(concept: Value<'_>) -> Option<String> {
    let display = || items(concept, "coding").find_map(|(_, coding)| text(coding.get("display")?));
    concept.get("text").and_then(text).or_else(display)
}

fn contact_of(contact: Value<'_>) -> Contact {
    Contact {
        name: contact_name(contact),
        relationship: relationship(contact).and_then(|(_, concept)| concept_text(concept)),
        phone: telecom(contact, "phone").and_then(|(_, point)| text(point.get("value")?)),
    }
}

fn status(root: Value<'_>) -> Option<String> {
    let deceased =
        root.get("deceasedDateTime").is_some() || root.get("deceasedBoolean").and_then(Value::as_bool) == Some(true);
    let word = match root.get("active").and_then(Value::as_bool) {
        _ if deceased => "deceased",
        Some(true) => "active",
        Some(false) => "inactive",
        None => return None,
    };
    Some(word.to_owned())
}
