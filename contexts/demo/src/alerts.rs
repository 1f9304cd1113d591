//! Alerts that stand at the head of a chart.

use crate::Plan;
use crate::chance::{Chance, Topic};
use crate::clinic::Clinic;
use crate::day::years;
use crate::doc::{Code, Doc, hl7, snomed};
use crate::household::{Family, Person};

const FALLS: Code = snomed("129839007", "At increased risk for falls");
const INTERPRETER: Code = snomed("315594003", "Interpreter needed");
const HEARING: Code = snomed("15188001", "Hearing loss");
const NEEDLES: Code = snomed("700191003", "Fear of needles");
const SAFETY: Code = hl7!("flag-category", "safety", "Safety");
const CONTACT: Code = hl7!("flag-category", "contact", "Subject Contact");
const BEHAVIOUR: Code = hl7!("flag-category", "behavioral", "Behavioral");

/// The alerts of a person.
pub(crate) fn documents(plan: &Plan, clinic: &Clinic, family: &Family, person: &Person) -> Vec<Vec<u8>> {
    let mut chance = Chance::of(plan.seed, Topic::Alerts, person.household, person.member);
    let age = plan.at.years_since(person.born);
    let mut alerts = Vec::new();
    if age >= 72 && chance.percent(24) {
        alerts.push((&FALLS, &SAFETY, "Risk of falls: do not leave alone on the stairs"));
    }
    if family.prefers_language && chance.percent(60) {
        alerts.push((&INTERPRETER, &CONTACT, "Needs an interpreter"));
    }
    if age >= 60 && chance.percent(9) {
        alerts.push((&HEARING, &CONTACT, "Hard of hearing: speak to the face"));
    }
    let sure = person.household == 0 && person.member == 0;
    if chance.percent(3) || sure {
        alerts.push((&NEEDLES, &BEHAVIOUR, "Faints at injections: have them lie down"));
    }
    let mut documents = Vec::new();
    for (code, category, words) in alerts {
        let start = plan.at.plus(-chance.between(30, years(3))).max(person.born);
        let mut doc = Doc::new("Flag", &chance.id());
        doc.text("status", if person.died.is_some() { "inactive" } else { "active" });
        doc.concepts("category", &[category]).concept_as("code", &[code], words);
        doc.reference("subject", "Patient", &person.id).object("period").text("start", &start.to_string()).end();
        doc.reference("author", "Organization", &clinic.organization);
        documents.push(doc.finish());
    }
    documents
}
