//! What people of the demo have, and what they take for it.

use crate::doc::{Code, icd10, rxnorm, snomed};
use crate::labs::Lab;

/// A medication as it is prescribed.
#[derive(Debug)]
pub(crate) struct Medication {
    pub(crate) rxnorm: Code,
    /// Directions in words.
    pub(crate) directions: &'static str,
}

const fn medication(id: &'static str, name: &'static str, directions: &'static str) -> Medication {
    Medication { rxnorm: rxnorm(id, name), directions }
}

/// What a condition does to a laboratory value, in the laboratory's own units: where it goes untreated, and treated.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) lab: &'static Lab,
    pub(crate) untreated: (i64, i64),
    pub(crate) treated: (i64, i64),
    /// How much it gains in a year of treatment nevertheless.
    pub(crate) drift: i64,
}

/// A condition that stays.
#[derive(Debug)]
pub(crate) struct Chronic {
    pub(crate) snomed: Code,
    pub(crate) icd10: Code,
    /// Youngest and oldest age, in years, at which it begins.
    pub(crate) ages: (i64, i64),
    /// Of a hundred people well above the first age, how many have it.
    pub(crate) percent: u32,
    /// Those that are given one after another; the later ones to fewer people.
    pub(crate) medications: &'static [Medication],
    pub(crate) effects: &'static [Effect],
    /// How much it adds to the systolic pressure, untreated and treated, in mmHg.
    pub(crate) pressure: (i64, i64),
    /// How often one is seen for it, in days; 0 for never.
    pub(crate) follow_up_days: i64,
}

const ORDINARY: Chronic = Chronic {
    snomed: snomed("", ""),
    icd10: icd10("", ""),
    ages: (0, 0),
    percent: 0,
    medications: &[],
    effects: &[],
    pressure: (0, 0),
    follow_up_days: 0,
};

/// Every chronic condition of the demo.
pub(crate) const CHRONIC: [Chronic; 16] = [
    Chronic {
        snomed: snomed("59621000", "Essential hypertension"),
        icd10: icd10("I10", "Essential (primary) hypertension"),
        ages: (32, 80),
        percent: 42,
        medications: &[
            medication("314076", "lisinopril 10 MG Oral Tablet", "Take one tablet by mouth once a day"),
            medication("197361", "amlodipine 5 MG Oral Tablet", "Take one tablet by mouth once a day"),
            medication("310798", "hydrochlorothiazide 25 MG Oral Tablet", "Take one tablet by mouth in the morning"),
        ],
        pressure: (34, 9),
        follow_up_days: 240,
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("44054006", "Diabetes mellitus type 2"),
        icd10: icd10("E11.9", "Type 2 diabetes mellitus without complications"),
        ages: (36, 76),
        percent: 15,
        medications: &[
            medication(
                "860975",
                "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet",
                "Take two tablets by mouth with the evening meal",
            ),
            medication("310534", "glyburide 2.5 MG Oral Tablet", "Take one tablet by mouth with breakfast"),
        ],
        effects: &[
            Effect { lab: &Lab::A1C, untreated: (76, 104), treated: (62, 73), drift: 1 },
            Effect { lab: &Lab::GLUCOSE, untreated: (165, 250), treated: (110, 150), drift: 2 },
        ],
        pressure: (4, 2),
        follow_up_days: 150,
    },
    Chronic {
        snomed: snomed("55822004", "Hyperlipidemia"),
        icd10: icd10("E78.5", "Hyperlipidemia, unspecified"),
        ages: (30, 75),
        percent: 34,
        medications: &[
            medication("314231", "simvastatin 10 MG Oral Tablet", "Take one tablet by mouth in the evening"),
            medication("617310", "atorvastatin 20 MG Oral Tablet", "Take one tablet by mouth once a day"),
        ],
        effects: &[
            Effect { lab: &Lab::LDL, untreated: (158, 212), treated: (76, 118), drift: 2 },
            Effect { lab: &Lab::TRIGLYCERIDES, untreated: (165, 290), treated: (110, 170), drift: 3 },
        ],
        follow_up_days: 330,
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("433144002", "Chronic kidney disease stage 3"),
        icd10: icd10("N18.30", "Chronic kidney disease, stage 3 unspecified"),
        ages: (58, 84),
        percent: 11,
        effects: &[
            Effect { lab: &Lab::CREATININE, untreated: (135, 160), treated: (138, 165), drift: 6 },
            Effect { lab: &Lab::GFR, untreated: (44, 56), treated: (42, 55), drift: -2 },
        ],
        pressure: (8, 4),
        follow_up_days: 180,
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("87522002", "Iron deficiency anemia"),
        icd10: icd10("D50.9", "Iron deficiency anemia, unspecified"),
        ages: (14, 50),
        percent: 8,
        medications: &[medication(
            "310325",
            "ferrous sulfate 325 MG Oral Tablet",
            "Take one tablet by mouth every other day",
        )],
        effects: &[
            Effect { lab: &Lab::HEMOGLOBIN, untreated: (86, 108), treated: (122, 136), drift: 0 },
            Effect { lab: &Lab::FERRITIN, untreated: (4, 10), treated: (38, 90), drift: 2 },
        ],
        follow_up_days: 120,
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("40930008", "Hypothyroidism"),
        icd10: icd10("E03.9", "Hypothyroidism, unspecified"),
        ages: (25, 70),
        percent: 8,
        medications: &[medication(
            "966224",
            "levothyroxine sodium 0.05 MG Oral Tablet",
            "Take one tablet by mouth before breakfast",
        )],
        effects: &[Effect { lab: &Lab::TSH, untreated: (820, 1_900), treated: (140, 380), drift: 10 }],
        follow_up_days: 260,
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("195967001", "Asthma"),
        icd10: icd10("J45.909", "Unspecified asthma, uncomplicated"),
        ages: (4, 40),
        percent: 9,
        medications: &[
            medication(
                "2123111",
                "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler",
                "Inhale two puffs every four to six hours as needed",
            ),
            medication(
                "895994",
                "120 ACTUAT fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler",
                "Inhale two puffs twice a day",
            ),
        ],
        follow_up_days: 320,
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("370143000", "Major depressive disorder"),
        icd10: icd10("F32.9", "Major depressive disorder, single episode, unspecified"),
        ages: (16, 70),
        percent: 9,
        medications: &[medication("312940", "sertraline 25 MG Oral Tablet", "Take one tablet by mouth once a day")],
        follow_up_days: 200,
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("235595009", "Gastroesophageal reflux disease"),
        icd10: icd10("K21.9", "Gastro-esophageal reflux disease without esophagitis"),
        ages: (25, 75),
        percent: 13,
        medications: &[medication(
            "198053",
            "omeprazole 20 MG Delayed Release Oral Tablet",
            "Take one tablet by mouth before breakfast",
        )],
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("239873007", "Osteoarthritis of knee"),
        icd10: icd10("M17.9", "Osteoarthritis of knee, unspecified"),
        ages: (48, 85),
        percent: 20,
        medications: &[medication(
            "310965",
            "ibuprofen 200 MG Oral Tablet",
            "Take one or two tablets by mouth with food as needed",
        )],
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("49436004", "Atrial fibrillation"),
        icd10: icd10("I48.91", "Unspecified atrial fibrillation"),
        ages: (60, 88),
        percent: 9,
        medications: &[medication(
            "855332",
            "warfarin sodium 5 MG Oral Tablet",
            "Take as directed by the anticoagulation clinic",
        )],
        follow_up_days: 180,
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("13645005", "Chronic obstructive lung disease"),
        icd10: icd10("J44.9", "Chronic obstructive pulmonary disease, unspecified"),
        ages: (52, 82),
        percent: 9,
        medications: &[medication(
            "896209",
            "60 ACTUAT fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler",
            "Inhale one puff twice a day",
        )],
        follow_up_days: 210,
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("162864005", "Body mass index 30+ - obesity"),
        icd10: icd10("E66.9", "Obesity, unspecified"),
        ages: (14, 70),
        percent: 28,
        pressure: (5, 5),
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("24079001", "Atopic dermatitis"),
        icd10: icd10("L20.9", "Atopic dermatitis, unspecified"),
        ages: (0, 12),
        percent: 10,
        medications: &[medication(
            "106258",
            "hydrocortisone 10 MG/ML Topical Cream",
            "Apply thinly twice a day to the affected skin",
        )],
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("37796009", "Migraine"),
        icd10: icd10("G43.909", "Migraine, unspecified, not intractable, without status migrainosus"),
        ages: (14, 50),
        percent: 9,
        medications: &[medication(
            "849574",
            "naproxen sodium 220 MG Oral Tablet",
            "Take one tablet by mouth at the first sign, at most two a day",
        )],
        ..ORDINARY
    },
    Chronic {
        snomed: snomed("64859006", "Osteoporosis"),
        icd10: icd10("M81.0", "Age-related osteoporosis without current pathological fracture"),
        ages: (62, 88),
        percent: 12,
        medications: &[medication(
            "904420",
            "alendronate sodium 70 MG Oral Tablet",
            "Take one tablet by mouth once a week with a full glass of water",
        )],
        ..ORDINARY
    },
];

/// Places in [`CHRONIC`] of what the household of the demo's patient account is sure to have.
pub(crate) const SHOWN: [usize; 3] = [0, 1, 2];
/// Place of obesity, which the weight follows.
pub(crate) const OBESITY: usize = 12;

/// An illness that passes.
#[derive(Debug)]
pub(crate) struct Acute {
    pub(crate) snomed: Code,
    pub(crate) icd10: Code,
    ages: (i64, i64),
    /// How long it lasts, in days.
    pub(crate) days: (i64, i64),
    pub(crate) medication: Option<Medication>,
    /// How much warmer one is, in tenths of a degree.
    pub(crate) fever: i64,
}

impl Acute {
    /// Those that people of an age come down with.
    pub(crate) fn of_age(age: i64) -> impl Iterator<Item = &'static Self> {
        ACUTE.iter().filter(move |acute| (acute.ages.0..=acute.ages.1).contains(&age))
    }
}

const AMOXICILLIN: Option<Medication> = Some(medication(
    "308182",
    "amoxicillin 250 MG Oral Capsule",
    "Take one capsule by mouth three times a day for ten days",
));

const ACUTE: [Acute; 8] = [
    Acute {
        snomed: snomed("65363002", "Otitis media"),
        icd10: icd10("H66.90", "Otitis media, unspecified, unspecified ear"),
        ages: (0, 9),
        days: (7, 14),
        medication: AMOXICILLIN,
        fever: 14,
    },
    Acute {
        snomed: snomed("43878008", "Streptococcal sore throat"),
        icd10: icd10("J02.0", "Streptococcal pharyngitis"),
        ages: (3, 40),
        days: (6, 12),
        medication: AMOXICILLIN,
        fever: 16,
    },
    Acute {
        snomed: snomed("195662009", "Acute viral pharyngitis"),
        icd10: icd10("J02.8", "Acute pharyngitis due to other specified organisms"),
        ages: (1, 90),
        days: (5, 10),
        medication: None,
        fever: 8,
    },
    Acute {
        snomed: snomed("444814009", "Viral sinusitis"),
        icd10: icd10("J01.90", "Acute sinusitis, unspecified"),
        ages: (8, 90),
        days: (8, 21),
        medication: None,
        fever: 4,
    },
    Acute {
        snomed: snomed("10509002", "Acute bronchitis"),
        icd10: icd10("J20.9", "Acute bronchitis, unspecified"),
        ages: (5, 95),
        days: (10, 24),
        medication: None,
        fever: 7,
    },
    Acute {
        snomed: snomed("38822007", "Cystitis"),
        icd10: icd10("N30.00", "Acute cystitis without hematuria"),
        ages: (16, 95),
        days: (4, 9),
        medication: Some(medication(
            "311989",
            "nitrofurantoin 50 MG Oral Capsule",
            "Take one capsule by mouth four times a day for five days",
        )),
        fever: 2,
    },
    Acute {
        snomed: snomed("44465007", "Sprain of ankle"),
        icd10: icd10("S93.409A", "Sprain of unspecified ligament of unspecified ankle, initial encounter"),
        ages: (8, 70),
        days: (14, 40),
        medication: None,
        fever: 0,
    },
    Acute {
        snomed: snomed("233604007", "Pneumonia"),
        icd10: icd10("J18.9", "Pneumonia, unspecified organism"),
        ages: (2, 95),
        days: (14, 35),
        medication: Some(medication(
            "562251",
            "amoxicillin 250 MG / clavulanate 125 MG Oral Tablet",
            "Take one tablet by mouth three times a day for seven days",
        )),
        fever: 19,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_is_coded_and_its_effects_point_where_the_ranges_do() {
        for chronic in &CHRONIC {
            assert!(!chronic.snomed.code.is_empty() && !chronic.icd10.code.is_empty() && chronic.percent > 0);
            assert!(chronic.ages.0 < chronic.ages.1);
            for effect in chronic.effects {
                assert!(effect.untreated.0 < effect.untreated.1 && effect.treated.0 < effect.treated.1);
            }
        }
        assert_eq!(CHRONIC[OBESITY].icd10.code, "E66.9");
    }

    #[test]
    fn people_of_every_age_can_fall_ill() {
        assert!((0..=90).all(|age| Acute::of_age(age).next().is_some()));
    }
}
