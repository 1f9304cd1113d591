//! The Patient resource, in the form that the plain dialect of the records context writes and reads.

use iris_records::patient::{CONTACT_ROLES, EMERGENCY, IDENTIFIER_TYPES, SSN_SYSTEM, mrn_system};

use crate::Plan;
use crate::doc::{Code, Doc, hl7};
use crate::household::{Family, Person, Role, Sex};
use crate::names::plain_letters;
use crate::places::STATE;

/// Marks a record as invented.
const TEST_DATA: Code = hl7!("v3-ActReason", "HTEST", "test health data");
const MARRIED: Code = hl7!("v3-MaritalStatus", "M", "Married");
const SINGLE: Code = hl7!("v3-MaritalStatus", "S", "Never Married");

/// The record of one person.
pub(crate) fn document(plan: &Plan, family: &Family, person: &Person) -> Vec<u8> {
    let adult = plan.at.years_since(person.born) >= 18;
    let mut doc = Doc::new("Patient", &person.id);
    doc.object("meta").list("tag");
    doc.item().text("system", TEST_DATA.system).text("code", TEST_DATA.code).text("display", TEST_DATA.display).end();
    doc.end().end();
    doc.list("identifier");
    identifier(&mut doc, "MR", "Medical record number", &mrn_system(plan.tenant), &person.mrn);
    if let Some(ssn) = &person.ssn {
        identifier(&mut doc, "SS", "Social Security number", SSN_SYSTEM, ssn);
    }
    doc.end();
    if person.died.is_none() {
        doc.flag("active", person.active);
    }
    doc.list("name").item().text("use", "official").text("family", person.family);
    doc.texts("given", &[person.given, person.middle]).end().end();
    telecom(&mut doc, family, person, adult);
    doc.text("gender", person.sex.word()).text("birthDate", &person.born.to_string());
    if let Some(died) = person.died {
        doc.text("deceasedDateTime", &died.to_string());
    }
    doc.list("address").item().text("use", "home").texts("line", &[&family.address.street]);
    doc.text("city", family.address.city).text("state", STATE).text("postalCode", family.address.zip);
    doc.text("country", "US").end().end();
    if adult {
        let paired = family.persons.iter().any(|other| other.role == Role::Spouse)
            && matches!(person.role, Role::Head | Role::Spouse);
        doc.concept("maritalStatus", &[if paired { &MARRIED } else { &SINGLE }]);
    }
    contact(&mut doc, family, person);
    if let Some((code, name)) = family.origin.language.filter(|_| family.prefers_language) {
        doc.list("communication").item().object("language").list("coding").item();
        doc.text("system", "urn:ietf:bcp:47").text("code", code).text("display", name);
        doc.end().end().end().flag("preferred", true).end().end();
    }
    doc.finish()
}

fn identifier(doc: &mut Doc, code: &'static str, display: &'static str, system: &str, value: &str) {
    doc.item().concept("type", &[&Code { system: IDENTIFIER_TYPES, code, display }]);
    doc.text("system", system).text("value", value).end();
}

fn telecom(doc: &mut Doc, family: &Family, person: &Person, adult: bool) {
    doc.list("telecom");
    if let Some(mobile) = &person.mobile {
        point(doc, "phone", mobile, "mobile");
    }
    point(doc, "phone", &family.phone, "home");
    if adult && person.mobile.is_some() {
        let address = format!(
            "{}.{}{}@example.com",
            plain_letters(person.given),
            plain_letters(person.family),
            person.mrn.split_at_checked(8).map_or("", |(_, end)| end)
        );
        point(doc, "email", &address, "home");
    }
    doc.end();
}

fn point(doc: &mut Doc, system: &str, value: &str, used: &str) {
    doc.item().text("system", system).text("value", value).text("use", used).end();
}

/// Whom to call: a child's parent, an adult's partner, else somebody else of the house.
fn contact(doc: &mut Doc, family: &Family, person: &Person) {
    let Some(other) = family.persons.iter().find(|other| other.id != person.id && other.role != Role::Child) else {
        return;
    };
    let relationship = match (person.role, other.role, other.sex) {
        (Role::Child, Role::Grandparent, _) => "Grandparent",
        (Role::Child, _, Sex::Female) => "Mother",
        (Role::Child, _, Sex::Male) => "Father",
        (Role::Head, Role::Spouse, _) | (Role::Spouse, Role::Head, _) => "Spouse",
        (Role::Grandparent, _, Sex::Female) => "Daughter",
        (Role::Grandparent, _, Sex::Male) => "Son",
        _ => "Family",
    };
    doc.list("contact").item().list("relationship");
    doc.item().list("coding").item().text("system", CONTACT_ROLES).text("code", EMERGENCY);
    doc.text("display", "Emergency Contact").end().end().end();
    doc.item().text("text", relationship).end().end();
    doc.object("name").text("text", &format!("{} {}", other.given, other.family)).end();
    doc.list("telecom");
    point(doc, "phone", other.mobile.as_ref().unwrap_or(&family.phone), "mobile");
    doc.end().end().end();
}
