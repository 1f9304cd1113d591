//! Vital signs: growth of children, weight and pressure of adults.

use crate::Plan;
use crate::chance::{Chance, Topic};
use crate::conditions::OBESITY;
use crate::day::Day;
use crate::doc::{Decimal, Unit, loinc, snomed, unit};
use crate::household::{Person, Sex};
use crate::observations::{Named, SOCIAL, VITAL_SIGNS, begin, judged};
use crate::problems::Problem;
use crate::visits::{Purpose, Visit};

const PRESSURE: Named = (loinc("85354-9", "Blood pressure panel with all children optional"), "Blood pressure");
const SYSTOLIC: Named = (loinc("8480-6", "Systolic blood pressure"), "Systolic blood pressure");
const DIASTOLIC: Named = (loinc("8462-4", "Diastolic blood pressure"), "Diastolic blood pressure");
const HEART_RATE: Named = (loinc("8867-4", "Heart rate"), "Heart rate");
const TEMPERATURE: Named = (loinc("8310-5", "Body temperature"), "Temperature");
const WEIGHT: Named = (loinc("29463-7", "Body weight"), "Weight");
const HEIGHT: Named = (loinc("8302-2", "Body height"), "Height");
const MASS_INDEX: Named = (loinc("39156-5", "Body mass index (BMI) [Ratio]"), "Body mass index");
const SATURATION: Named =
    (loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"), "Oxygen saturation");
const SMOKING: Named = (loinc("72166-2", "Tobacco smoking status"), "Smoking");
const MM_HG: Unit = Unit { shown: "mmHg", ucum: "mm[Hg]" };
const PER_MINUTE: Unit = Unit { shown: "/min", ucum: "/min" };

/// Age in months, height in millimetres and weight in grams of the average girl and boy.
const GROWTH: [(i64, [i64; 2], [i64; 2]); 13] = [
    (0, [491, 499], [3_200, 3_300]),
    (3, [598, 614], [5_800, 6_400]),
    (6, [657, 676], [7_300, 7_900]),
    (12, [740, 757], [8_900, 9_600]),
    (24, [857, 871], [11_500, 12_200]),
    (48, [1_010, 1_025], [16_000, 16_300]),
    (72, [1_150, 1_160], [20_200, 20_700]),
    (96, [1_275, 1_280], [25_600, 25_600]),
    (120, [1_385, 1_385], [32_500, 31_900]),
    (144, [1_510, 1_490], [41_500, 40_500]),
    (168, [1_590, 1_640], [49_000, 51_000]),
    (192, [1_620, 1_735], [53_500, 61_000]),
    (216, [1_630, 1_760], [56_500, 67_000]),
];

/// What stays the same about a body.
struct Body {
    /// Parts of a thousand of the average height.
    height: i64,
    /// Parts of a thousand of the average weight.
    weight: i64,
    systolic: i64,
    pulse: i64,
}

/// Vital signs of every visit that has an encounter, and the smoking status of adults.
pub(crate) fn documents(plan: &Plan, person: &Person, problems: &[Problem], visits: &[Visit]) -> Vec<Vec<u8>> {
    let mut chance = Chance::of(plan.seed, Topic::Vitals, person.household, person.member);
    let obese = problems.iter().any(|problem| problem.place == OBESITY);
    let body = Body {
        height: chance.between(955, 1_045),
        weight: if obese { chance.between(1_390, 1_720) } else { chance.between(880, 1_240) },
        systolic: chance.between(106, 124),
        pulse: chance.between(60, 84),
    };
    let smoker = chance.below(100);
    let mut documents = Vec::new();
    for visit in visits.iter().filter(|visit| visit.encounter.is_some()) {
        documents.extend(of_visit(person, &body, problems, visit, &mut chance));
    }
    let last = visits.iter().rfind(|visit| visit.encounter.is_some());
    if let Some(visit) = last.filter(|visit| visit.day.years_since(person.born) >= 15) {
        let status = match smoker {
            0..=11 => snomed("449868002", "Smokes tobacco daily"),
            12..=34 => snomed("8517006", "Ex-smoker"),
            _ => snomed("266919005", "Never smoked tobacco"),
        };
        let mut doc = begin(&chance.id(), &SOCIAL, &SMOKING, person, visit);
        doc.concept("valueCodeableConcept", &[&status]);
        documents.push(doc.finish());
    }
    documents
}

fn of_visit(person: &Person, body: &Body, problems: &[Problem], visit: &Visit, chance: &mut Chance) -> Vec<Vec<u8>> {
    let age = visit.day.years_since(person.born);
    let mut documents = Vec::new();
    let fever = match visit.purpose {
        Purpose::Illness(illness) => Some(illness.fever),
        Purpose::Vaccine => return documents,
        Purpose::WellChild | Purpose::CheckUp | Purpose::FollowUp(_) => None,
    };
    let mut one =
        |chance: &mut Chance, code: &Named, value: Decimal, unit: Unit, range: Option<(Option<i64>, Option<i64>)>| {
            let mut doc = begin(&chance.id(), &VITAL_SIGNS, code, person, visit);
            doc.quantity("valueQuantity", value, unit);
            if let Some(range) = range {
                judged(&mut doc, value, unit, range);
            }
            documents.push(doc.finish());
        };
    let grown = matches!(visit.purpose, Purpose::WellChild | Purpose::CheckUp);
    let (height, weight) = size(person.sex, months(person.born, visit.day));
    let height = height * body.height / 1_000;
    // Adults gain a little over the years.
    let weight = weight * (body.weight + (age - 25).clamp(0, 40) * 2 + chance.between(-12, 12)) / 1_000;
    if fever.is_none() {
        one(chance, &WEIGHT, Decimal { units: weight / 100, places: 1 }, unit("kg"), None);
    }
    if grown {
        one(chance, &HEIGHT, Decimal { units: height, places: 1 }, unit("cm"), None);
        if age >= 2 {
            // Tenths of kg/m² from grams and millimetres.
            let index = weight * 10_000 / (height * height).max(1);
            one(chance, &MASS_INDEX, Decimal { units: index, places: 1 }, unit("kg/m2"), None);
        }
    }
    let pulse = body.pulse + (12 - age).max(0) * 4 + fever.unwrap_or(0) + chance.between(-6, 6);
    let normal = if age >= 12 { Some((Some(60), Some(100))) } else { None };
    one(chance, &HEART_RATE, Decimal { units: pulse, places: 0 }, PER_MINUTE, normal);
    if let Some(fever) = fever {
        let units = 366 + fever + chance.between(-2, 6);
        one(chance, &TEMPERATURE, Decimal { units, places: 1 }, unit("Cel"), Some((Some(361), Some(375))));
        let units = chance.between(if fever > 15 { 92 } else { 95 }, 99);
        one(chance, &SATURATION, Decimal { units, places: 0 }, unit("%"), Some((Some(95), Some(100))));
    }
    if age >= 3 {
        documents.push(pressure(person, body, problems, visit, chance));
    }
    documents
}

fn pressure(person: &Person, body: &Body, problems: &[Problem], visit: &Visit, chance: &mut Chance) -> Vec<u8> {
    let age = visit.day.years_since(person.born);
    let added: i64 = problems
        .iter()
        .map(|problem| {
            let (untreated, treated) = problem.condition.pressure;
            if visit.day < problem.onset {
                0
            } else {
                // Treatment takes half a year to tell.
                let days = visit.day.since(problem.treated).clamp(0, 180);
                untreated - (untreated - treated) * days / 180
            }
        })
        .sum();
    let young = (18 - age).max(0);
    let systolic = body.systolic + (age - 40).clamp(0, 40) / 3 + added - young + chance.between(-6, 6);
    let diastolic = systolic * 62 / 100 + chance.between(-4, 5);
    let mut doc = begin(&chance.id(), &VITAL_SIGNS, &PRESSURE, person, visit);
    doc.list("component");
    for ((code, name), units, high) in [(SYSTOLIC, systolic, 129), (DIASTOLIC, diastolic, 84)] {
        let value = Decimal { units, places: 0 };
        doc.item().concept_as("code", &[&code], name).quantity("valueQuantity", value, MM_HG);
        if age >= 18 {
            judged(&mut doc, value, MM_HG, (None, Some(high)));
        }
        doc.end();
    }
    doc.finish()
}

fn months(born: Day, on: Day) -> i64 {
    on.since(born) * 12 * 4 / 1_461
}

/// Height in millimetres and weight in grams of the average at an age.
fn size(sex: Sex, months: i64) -> (i64, i64) {
    let side = sex as usize;
    let mut before = GROWTH[0];
    for after in GROWTH {
        if months <= after.0 {
            let (width, part) = ((after.0 - before.0).max(1), months - before.0);
            let between = |low: i64, high: i64| low + (high - low) * part.max(0) / width;
            return (between(before.1[side], after.1[side]), between(before.2[side], after.2[side]));
        }
        before = after;
    }
    // The grown weigh more than those of eighteen.
    let years = (months / 12 - 18).min(12);
    (before.1[side], before.2[side] + years * 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_grow_and_the_grown_do_not() {
        for sex in [Sex::Female, Sex::Male] {
            let sizes: Vec<(i64, i64)> = (0..=216).map(|months| size(sex, months)).collect();
            assert!(sizes.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
            assert_eq!(size(sex, 400).0, size(sex, 900).0);
        }
    }
}
