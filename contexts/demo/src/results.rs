//! Laboratory results that follow the conditions: out of range before treatment, better after it, drifting over the years.

use crate::Plan;
use crate::chance::{Chance, Topic};
use crate::clinic::Clinic;
use crate::conditions::Effect;
use crate::day::{Day, years};
use crate::doc::{Code, Decimal, Doc, hl7, loinc};
use crate::household::Person;
use crate::labs::{FIRST_BIRTHDAY, Lab, YEARLY};
use crate::observations::{LABORATORY, begin, judged};
use crate::problems::Problem;
use crate::visits::{Purpose, Visit};

/// How long a treatment takes to show its full effect, in days.
const EFFECT_DAYS: i64 = 330;
/// How long a condition takes to show without treatment, in days.
const RISE_DAYS: i64 = 200;

const REPORT: Code = loinc("11502-2", "Laboratory report");
const SECTION: Code = hl7!("v2-0074", "LAB", "Laboratory");

/// The results of every visit that has an encounter, with a report for each of them.
pub(crate) fn documents(
    plan: &Plan,
    clinic: &Clinic,
    person: &Person,
    problems: &[Problem],
    visits: &[Visit],
) -> Vec<Vec<u8>> {
    let mut chance = Chance::of(plan.seed, Topic::Results, person.household, person.member);
    // Each measurement has its usual value in a person, by which it differs from other people's.
    let usual = chance.clone();
    let mut documents = Vec::new();
    for visit in visits.iter().filter(|visit| visit.encounter.is_some()) {
        let mut results = Vec::new();
        for lab in measured(person, problems, visit) {
            let value = value(person, problems, lab, visit.day, &mut usual.apart(lab.loinc.code), &mut chance);
            let id = chance.id();
            let mut doc = begin(&id, &LABORATORY, &(lab.loinc, lab.name), person, visit);
            doc.quantity("valueQuantity", value, lab.unit);
            judged(&mut doc, value, lab.unit, lab.range(person.sex));
            documents.push(doc.finish());
            results.push(id);
        }
        if !results.is_empty() {
            documents.push(report(clinic, person, visit, &chance.id(), &results));
        }
    }
    documents
}

/// What is measured at a visit, each once.
fn measured(person: &Person, problems: &[Problem], visit: &Visit) -> Vec<&'static Lab> {
    let of_problems = problems
        .iter()
        .filter(|problem| problem.onset <= visit.day)
        .flat_map(|problem| problem.condition.effects)
        .map(|effect| effect.lab);
    let mut labs: Vec<&'static Lab> = match visit.purpose {
        Purpose::CheckUp => YEARLY.into_iter().chain(of_problems).collect(),
        Purpose::FollowUp(_) => of_problems.collect(),
        Purpose::WellChild if (360..500).contains(&visit.day.since(person.born)) => FIRST_BIRTHDAY.to_vec(),
        Purpose::WellChild | Purpose::Vaccine | Purpose::Illness(_) => Vec::new(),
    };
    let mut seen = Vec::new();
    labs.retain(|lab| {
        let fresh = !seen.contains(&lab.loinc.code);
        seen.push(lab.loinc.code);
        fresh
    });
    labs
}

fn value(
    person: &Person,
    problems: &[Problem],
    lab: &Lab,
    day: Day,
    usual: &mut Chance,
    chance: &mut Chance,
) -> Decimal {
    let (low, high) = lab.healthy(person.sex);
    let healthy = usual.between(low, high);
    let effects =
        problems.iter().flat_map(|problem| problem.condition.effects.iter().map(move |effect| (problem, effect)));
    let expected = effects
        .filter(|(_, effect)| effect.lab.loinc == lab.loinc)
        .map(|(problem, effect)| course(problem, effect, healthy, day, usual))
        // Of two conditions the one that leads further away shows.
        .max_by_key(|value| (value - healthy).abs())
        .unwrap_or(healthy);
    let units = (expected + chance.between(-lab.noise, lab.noise)).max(1);
    Decimal { units, places: lab.places }
}

/// Where a value is on a day: rising to the untreated level after the onset, falling to the treated one after treatment
/// began, and drifting from there.
fn course(problem: &Problem, effect: &Effect, healthy: i64, day: Day, usual: &mut Chance) -> i64 {
    let untreated = usual.between(effect.untreated.0, effect.untreated.1);
    let treated = usual.between(effect.treated.0, effect.treated.1);
    let since_onset = day.since(problem.onset);
    let since_treatment = day.since(problem.treated);
    if since_onset < 0 {
        return healthy;
    }
    if since_treatment < 0 {
        return untreated - (untreated - healthy) * (RISE_DAYS - since_onset).max(0) / (RISE_DAYS * 2);
    }
    let gone = since_treatment.min(EFFECT_DAYS);
    untreated - (untreated - treated) * gone / EFFECT_DAYS + effect.drift * since_treatment / years(1)
}

fn report(clinic: &Clinic, person: &Person, visit: &Visit, id: &str, results: &[String]) -> Vec<u8> {
    let mut doc = Doc::new("DiagnosticReport", id);
    doc.text("status", "final").concepts("category", &[&SECTION]).concept("code", &[&REPORT]);
    doc.reference("subject", "Patient", &person.id);
    if let Some(encounter) = &visit.encounter {
        doc.reference("encounter", "Encounter", encounter);
    }
    doc.text("effectiveDateTime", &visit.time(5)).text("issued", &visit.time(150));
    doc.list("performer").item().text("reference", &format!("Organization/{}", clinic.organization)).end().end();
    doc.list("result");
    for result in results {
        doc.item().text("reference", &format!("Observation/{result}")).end();
    }
    doc.finish()
}
