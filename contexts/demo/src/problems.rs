//! Who has which condition since when, and what is prescribed for it.

use crate::Plan;
use crate::chance::{Chance, Topic};
use crate::clinic::Clinic;
use crate::conditions::{Acute, CHRONIC, Chronic, Medication, SHOWN};
use crate::day::{Day, years};
use crate::doc::{Code, Doc, hl7};
use crate::household::{Person, Role};
use crate::visits::{Purpose, Visit};

/// A chronic condition of one person.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// Its place among the conditions.
    pub(crate) place: usize,
    pub(crate) condition: &'static Chronic,
    pub(crate) onset: Day,
    /// When treatment began; shows in values and pressures.
    pub(crate) treated: Day,
}

/// How far back conditions began, in days.
const ONSET_DAYS: (i64, i64) = (380, years(6));

const ACTIVE: Code = hl7!("condition-clinical", "active", "Active");
const RESOLVED: Code = hl7!("condition-clinical", "resolved", "Resolved");
const CONFIRMED: Code = hl7!("condition-ver-status", "confirmed", "Confirmed");
const PROBLEM: Code = hl7!("condition-category", "problem-list-item", "Problem List Item");
const DIAGNOSIS: Code = hl7!("condition-category", "encounter-diagnosis", "Encounter Diagnosis");

/// The chronic conditions of a person.
pub(crate) fn problems(plan: &Plan, person: &Person) -> Vec<Problem> {
    let mut chance = Chance::of(plan.seed, Topic::Problems, person.household, person.member);
    let end = person.died.unwrap_or(plan.at);
    let age = end.years_since(person.born);
    let mut problems = Vec::new();
    for (place, condition) in CHRONIC.iter().enumerate() {
        let (from, to) = condition.ages;
        let certain = person.household == 0 && person.role == Role::Head && SHOWN.contains(&place);
        // More of those who have been of the age for long have it.
        let ripeness = u32::try_from((age - from + 6).clamp(0, 25)).unwrap_or(0);
        let had = chance.percent(condition.percent * ripeness / 25) && age > from;
        let onset = end.plus(-chance.between(ONSET_DAYS.0, ONSET_DAYS.1));
        let delay = chance.between(20, 320);
        if !certain && !had {
            continue;
        }
        let onset = if certain { end.plus(-years(3) - delay) } else { onset.max(person.born.plus(years(from) + 40)) };
        if onset.years_since(person.born) > to + 8 || onset.plus(30) > end {
            continue;
        }
        let treated = onset.plus(delay).min(end.plus(-10));
        problems.push(Problem { place, condition, onset, treated });
    }
    problems
}

/// Conditions and prescriptions of a person.
pub(crate) fn documents(
    plan: &Plan,
    clinic: &Clinic,
    person: &Person,
    problems: &[Problem],
    visits: &[Visit],
) -> Vec<Vec<u8>> {
    // Behind the draws that decided who has what.
    let mut chance = Chance::of(plan.seed.rotate_left(1), Topic::Problems, person.household, person.member);
    let mut documents = Vec::new();
    for problem in problems {
        documents.extend(chronic(plan, clinic, person, problem, &mut chance));
    }
    let recent = visits.iter().filter(|visit| visit.encounter.is_some());
    for visit in recent {
        if let Purpose::Illness(illness) = visit.purpose {
            documents.extend(acute(plan, clinic, person, visit, illness, &mut chance));
        }
    }
    documents
}

fn chronic(plan: &Plan, clinic: &Clinic, person: &Person, problem: &Problem, chance: &mut Chance) -> Vec<Vec<u8>> {
    let id = chance.id();
    let mut doc = Doc::new("Condition", &id);
    doc.concept("clinicalStatus", &[&ACTIVE]).concept("verificationStatus", &[&CONFIRMED]);
    doc.concepts("category", &[&PROBLEM]);
    doc.concept("code", &[&problem.condition.snomed, &problem.condition.icd10]);
    doc.reference("subject", "Patient", &person.id).text("onsetDateTime", &problem.onset.to_string());
    doc.text("recordedDate", &problem.onset.to_string());
    let mut documents = vec![doc.finish()];
    let end = person.died.unwrap_or(plan.at);
    let mut courses = Vec::new();
    let mut start = problem.treated;
    for (place, medication) in problem.condition.medications.iter().enumerate() {
        // Some come to a second or third, in place of the one before.
        if place > 0 {
            start = start.plus(chance.between(200, 500));
        }
        if start >= end || (place > 0 && !chance.percent(35)) {
            break;
        }
        courses.push((medication, start));
    }
    let last = courses.len();
    for (place, (medication, start)) in (1..).zip(courses) {
        let status = if place < last || person.died.is_some() { "stopped" } else { "active" };
        documents.push(request(
            clinic,
            person,
            &Order { medication, start, status, reason: &id, encounter: None },
            chance,
        ));
    }
    documents
}

fn acute(
    plan: &Plan,
    clinic: &Clinic,
    person: &Person,
    visit: &Visit,
    illness: &Acute,
    chance: &mut Chance,
) -> Vec<Vec<u8>> {
    let id = chance.id();
    let over = visit.day.plus(chance.between(illness.days.0, illness.days.1));
    let is_over = over < person.died.unwrap_or(plan.at);
    let mut doc = Doc::new("Condition", &id);
    doc.concept("clinicalStatus", &[if is_over { &RESOLVED } else { &ACTIVE }]);
    doc.concept("verificationStatus", &[&CONFIRMED]).concepts("category", &[&DIAGNOSIS]);
    doc.concept("code", &[&illness.snomed, &illness.icd10]).reference("subject", "Patient", &person.id);
    if let Some(encounter) = &visit.encounter {
        doc.reference("encounter", "Encounter", encounter);
    }
    doc.text("onsetDateTime", &visit.day.plus(-chance.between(0, 3)).max(person.born).to_string());
    if is_over {
        doc.text("abatementDateTime", &over.to_string());
    }
    doc.text("recordedDate", &visit.time(10));
    let mut documents = vec![doc.finish()];
    if let Some(medication) = &illness.medication {
        let status = if is_over { "completed" } else { "active" };
        let encounter = visit.encounter.as_deref();
        documents.push(request(
            clinic,
            person,
            &Order { medication, start: visit.day, status, reason: &id, encounter },
            chance,
        ));
    }
    documents
}

/// A prescription.
struct Order<'a> {
    medication: &'a Medication,
    start: Day,
    status: &'a str,
    /// Id of the Condition.
    reason: &'a str,
    encounter: Option<&'a str>,
}

fn request(clinic: &Clinic, person: &Person, order: &Order<'_>, chance: &mut Chance) -> Vec<u8> {
    let physician = clinic.physician(person.household);
    let mut doc = Doc::new("MedicationRequest", &chance.id());
    doc.text("status", order.status).text("intent", "order");
    doc.concept("medicationCodeableConcept", &[&order.medication.rxnorm]);
    doc.reference("subject", "Patient", &person.id);
    if let Some(encounter) = order.encounter {
        doc.reference("encounter", "Encounter", encounter);
    }
    doc.text("authoredOn", &order.start.to_string());
    doc.reference_to("requester", "Practitioner", physician.id, &physician.name());
    doc.list("reasonReference").item().text("reference", &format!("Condition/{}", order.reason)).end().end();
    doc.list("dosageInstruction").item().text("text", order.medication.directions);
    doc.finish()
}
