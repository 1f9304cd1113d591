//! Allergies and intolerances; and, of others, that there are none known.

use crate::Plan;
use crate::chance::{Chance, Topic};
use crate::day::years;
use crate::doc::{Code, Doc, hl7, rxnorm, snomed};
use crate::household::Person;

struct Allergen {
    code: Code,
    /// Its category in FHIR.
    category: &'static str,
    /// How it shows.
    reactions: &'static [(Code, &'static str)],
    /// `low` or `high`.
    criticality: &'static str,
}

const HIVES: Code = snomed("247472004", "Hives");
const RASH: Code = snomed("271807003", "Rash");
const ANAPHYLAXIS: Code = snomed("39579001", "Anaphylaxis");
const NAUSEA: Code = snomed("422587007", "Nausea");
const RHINITIS: Code = snomed("70076002", "Rhinitis");
const NONE_KNOWN: Code = snomed("716186003", "No known allergy");

const ALLERGENS: [Allergen; 11] = [
    Allergen {
        code: rxnorm("7980", "penicillin G"),
        category: "medication",
        reactions: &[(HIVES, "moderate"), (ANAPHYLAXIS, "severe")],
        criticality: "high",
    },
    Allergen {
        code: rxnorm("723", "amoxicillin"),
        category: "medication",
        reactions: &[(RASH, "mild"), (HIVES, "moderate")],
        criticality: "low",
    },
    Allergen {
        code: rxnorm("10180", "sulfamethoxazole"),
        category: "medication",
        reactions: &[(RASH, "moderate")],
        criticality: "low",
    },
    Allergen {
        code: rxnorm("1191", "aspirin"),
        category: "medication",
        reactions: &[(HIVES, "moderate")],
        criticality: "high",
    },
    Allergen {
        code: rxnorm("2670", "codeine"),
        category: "medication",
        reactions: &[(NAUSEA, "mild")],
        criticality: "low",
    },
    Allergen {
        code: snomed("762952008", "Peanut"),
        category: "food",
        reactions: &[(ANAPHYLAXIS, "severe"), (HIVES, "moderate")],
        criticality: "high",
    },
    Allergen {
        code: snomed("102263004", "Eggs (edible)"),
        category: "food",
        reactions: &[(HIVES, "mild")],
        criticality: "low",
    },
    Allergen {
        code: snomed("735029006", "Shellfish"),
        category: "food",
        reactions: &[(HIVES, "moderate"), (ANAPHYLAXIS, "severe")],
        criticality: "high",
    },
    Allergen {
        code: snomed("288328004", "Bee venom"),
        category: "environment",
        reactions: &[(HIVES, "moderate"), (ANAPHYLAXIS, "severe")],
        criticality: "high",
    },
    Allergen {
        code: snomed("256277009", "Grass pollen"),
        category: "environment",
        reactions: &[(RHINITIS, "mild")],
        criticality: "low",
    },
    Allergen {
        code: snomed("111088007", "Latex"),
        category: "environment",
        reactions: &[(RASH, "mild")],
        criticality: "high",
    },
];

/// The allergies of a person, and whether one of them is dangerous.
pub(crate) fn documents(plan: &Plan, person: &Person) -> Vec<Vec<u8>> {
    let mut chance = Chance::of(plan.seed, Topic::Allergies, person.household, person.member);
    let end = person.died.unwrap_or(plan.at);
    let sure = person.household == 0 && person.member == 0;
    let count = match chance.below(100) {
        _ if sure => 2,
        0..=71 => 0,
        72..=93 => 1,
        _ => 2,
    };
    if count == 0 {
        let asked = chance.percent(55);
        let recorded = end.plus(-chance.between(1, years(3))).max(person.born);
        return if asked { vec![none_known(person, &chance.id(), &recorded.to_string())] } else { Vec::new() };
    }
    let first = chance.below(ALLERGENS.len() as u32) as usize;
    let places = (0..count).map(|place| (first + place * 4) % ALLERGENS.len());
    places
        .map(|place| {
            let recorded = end.plus(-chance.between(1, years(8))).max(person.born);
            one(person, &ALLERGENS[place], &recorded.to_string(), &mut chance)
        })
        .collect()
}

fn begin(person: &Person, id: &str) -> Doc {
    let mut doc = Doc::new("AllergyIntolerance", id);
    doc.concept("clinicalStatus", &[&hl7!("allergyintolerance-clinical", "active", "Active")]);
    doc.concept("verificationStatus", &[&hl7!("allergyintolerance-verification", "confirmed", "Confirmed")]);
    doc.reference("patient", "Patient", &person.id);
    doc
}

fn none_known(person: &Person, id: &str, recorded: &str) -> Vec<u8> {
    let mut doc = begin(person, id);
    doc.concept("code", &[&NONE_KNOWN]).text("recordedDate", recorded);
    doc.finish()
}

fn one(person: &Person, allergen: &Allergen, recorded: &str, chance: &mut Chance) -> Vec<u8> {
    let mut doc = begin(person, &chance.id());
    doc.text("type", "allergy").texts("category", &[allergen.category]).text("criticality", allergen.criticality);
    doc.concept("code", &[&allergen.code]).text("recordedDate", recorded);
    let (shown, severity) = chance.pick(allergen.reactions);
    doc.list("reaction").item().concepts("manifestation", &[shown]).text("severity", severity);
    doc.finish()
}
