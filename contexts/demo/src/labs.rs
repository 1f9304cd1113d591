//! What the laboratory measures.

use crate::doc::{Code, Unit, loinc, unit};
use crate::household::Sex;

/// One measurement. Numbers are in its smallest unit: `places` of them stand behind the point.
#[derive(Debug)]
pub(crate) struct Lab {
    /// What people call it.
    pub(crate) name: &'static str,
    pub(crate) loinc: Code,
    pub(crate) unit: Unit,
    pub(crate) places: u8,
    /// Reference range of women and of men; a missing end has no limit.
    ranges: [(Option<i64>, Option<i64>); 2],
    /// Where the values of the healthy lie, women and men.
    healthy: [(i64, i64); 2],
    /// How far two measurements of the same may lie apart.
    pub(crate) noise: i64,
}

const fn both<T: Copy>(one: T) -> [T; 2] {
    [one, one]
}

impl Lab {
    pub(crate) const A1C: Self = Self {
        name: "Hemoglobin A1c",
        loinc: loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
        unit: unit("%"),
        places: 1,
        ranges: both((Some(40), Some(56))),
        healthy: both((48, 55)),
        noise: 2,
    };
    pub(crate) const GLUCOSE: Self = Self {
        name: "Glucose",
        loinc: loinc("2339-0", "Glucose [Mass/volume] in Blood"),
        unit: unit("mg/dL"),
        places: 0,
        ranges: both((Some(70), Some(99))),
        healthy: both((76, 97)),
        noise: 5,
    };
    pub(crate) const LDL: Self = Self {
        name: "LDL cholesterol",
        loinc: loinc("13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation"),
        unit: unit("mg/dL"),
        places: 0,
        ranges: both((None, Some(129))),
        healthy: both((78, 124)),
        noise: 6,
    };
    pub(crate) const HDL: Self = Self {
        name: "HDL cholesterol",
        loinc: loinc("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma"),
        unit: unit("mg/dL"),
        places: 0,
        ranges: [(Some(50), None), (Some(40), None)],
        healthy: [(48, 74), (38, 62)],
        noise: 3,
    };
    pub(crate) const TRIGLYCERIDES: Self = Self {
        name: "Triglycerides",
        loinc: loinc("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma"),
        unit: unit("mg/dL"),
        places: 0,
        ranges: both((None, Some(149))),
        healthy: both((68, 140)),
        noise: 14,
    };
    pub(crate) const CREATININE: Self = Self {
        name: "Creatinine",
        loinc: loinc("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"),
        unit: unit("mg/dL"),
        places: 2,
        ranges: [(Some(50), Some(105)), (Some(70), Some(125))],
        healthy: [(58, 92), (76, 112)],
        noise: 5,
    };
    pub(crate) const GFR: Self = Self {
        name: "Glomerular filtration rate (estimated)",
        loinc: loinc(
            "33914-3",
            "Glomerular filtration rate/1.73 sq M.predicted [Volume Rate/Area] in Serum or Plasma by Creatinine-based formula (MDRD)",
        ),
        unit: Unit { shown: "mL/min/1.73 m²", ucum: "mL/min/{1.73_m2}" },
        places: 0,
        ranges: both((Some(60), None)),
        healthy: both((72, 108)),
        noise: 3,
    };
    pub(crate) const HEMOGLOBIN: Self = Self {
        name: "Hemoglobin",
        loinc: loinc("718-7", "Hemoglobin [Mass/volume] in Blood"),
        unit: unit("g/dL"),
        places: 1,
        ranges: [(Some(120), Some(155)), (Some(135), Some(175))],
        healthy: [(123, 148), (139, 168)],
        noise: 3,
    };
    pub(crate) const FERRITIN: Self = Self {
        name: "Ferritin",
        loinc: loinc("2276-4", "Ferritin [Mass/volume] in Serum or Plasma"),
        unit: unit("ng/mL"),
        places: 0,
        ranges: [(Some(15), Some(150)), (Some(30), Some(300))],
        healthy: [(28, 120), (50, 220)],
        noise: 6,
    };
    pub(crate) const TSH: Self = Self {
        name: "Thyrotropin (TSH)",
        loinc: loinc("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma"),
        unit: Unit { shown: "mIU/L", ucum: "m[IU]/L" },
        places: 2,
        ranges: both((Some(40), Some(450))),
        healthy: both((80, 340)),
        noise: 30,
    };
    /// Lowest and highest value that are taken for normal.
    pub(crate) const fn range(&self, sex: Sex) -> (Option<i64>, Option<i64>) {
        self.ranges[sex as usize]
    }

    /// Where the values of the healthy lie.
    pub(crate) const fn healthy(&self, sex: Sex) -> (i64, i64) {
        self.healthy[sex as usize]
    }
}

/// What is measured of every adult once a year.
pub(crate) const YEARLY: [&Lab; 5] = [&Lab::HEMOGLOBIN, &Lab::GLUCOSE, &Lab::CREATININE, &Lab::LDL, &Lab::HDL];
/// What is measured of children at their first birthday.
pub(crate) const FIRST_BIRTHDAY: [&Lab; 1] = [&Lab::HEMOGLOBIN];
