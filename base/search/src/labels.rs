//! Security labels of a resource (`meta.security`), as the few classes by which access is decided.
//!
//! R4 security-labels: the confidentiality code says how sensitive a record is as a whole, sensitivity codes (v3-ActCode
//! `_InformationSensitivityPolicy`) say why. A label that is not known here counts as restricted: whoever set it meant something.

use std::fmt;

use iris_fhir::Resource;
use iris_fhir::json::Value;

/// One class of labels. The numbers stand in stored heads and in index files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Label {
    /// v3-Confidentiality `R`.
    Restricted = 0,
    /// v3-Confidentiality `V`.
    VeryRestricted = 1,
    /// HIV.
    Hiv = 2,
    /// Psychiatry and mental health.
    Psychiatry = 3,
    /// Substance and alcohol use (42 CFR part 2).
    Substance = 4,
    /// Sexual and reproductive health, sexually transmitted disease.
    Sexual = 5,
    /// Violence, domestic and sexual abuse.
    Violence = 6,
    /// Genetic disease.
    Genetic = 7,
    /// v3-ActCode `TBOO`: not to be told to the patient before somebody has talked with them.
    Taboo = 8,
    /// Any label that is none of these.
    Other = 9,
}

impl Label {
    /// Every class, in the order of their numbers.
    pub const ALL: [Label; 10] = [
        Label::Restricted,
        Label::VeryRestricted,
        Label::Hiv,
        Label::Psychiatry,
        Label::Substance,
        Label::Sexual,
        Label::Violence,
        Label::Genetic,
        Label::Taboo,
        Label::Other,
    ];

    /// The word in golden tables and warnings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Label::Restricted => "restricted",
            Label::VeryRestricted => "very-restricted",
            Label::Hiv => "hiv",
            Label::Psychiatry => "psychiatry",
            Label::Substance => "substance",
            Label::Sexual => "sexual",
            Label::Violence => "violence",
            Label::Genetic => "genetic",
            Label::Taboo => "taboo",
            Label::Other => "other",
        }
    }

    /// The class of a coding of `meta.security`; `None` for the codes that ask for nothing beyond the normal care of health data
    /// (v3-Confidentiality `U`, `L`, `M`, `N`), and for the marks of masked copies.
    #[must_use]
    pub fn of(system: Option<&str>, code: Option<&str>) -> Option<Self> {
        match (system, code) {
            // Says what was done to a copy, not what the record is about.
            (Some(OBSERVATION_VALUE), Some("MASKED" | "SUBSETTED")) => None,
            (Some(system), Some(code)) if CONFIDENTIALITY.contains(&system) => match code {
                "U" | "L" | "M" | "N" => None,
                "R" => Some(Self::Restricted),
                "V" => Some(Self::VeryRestricted),
                _ => Some(Self::Other),
            },
            (Some(system), Some(code)) if ACT_CODE.contains(&system) => Some(Self::of_sensitivity(code)),
            // Without a system that is known the stricter reading counts.
            (_, Some("V")) => Some(Self::VeryRestricted),
            (_, Some(code)) => Some(Self::of_sensitivity(code)),
            (_, None) => Some(Self::Other),
        }
    }

    fn of_sensitivity(code: &str) -> Self {
        SENSITIVITIES.iter().find(|(_, codes)| codes.contains(&code)).map_or(Self::Other, |(label, _)| *label)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Under which names v3-Confidentiality is written: R4's, DSTU2's and STU3's, and its OID.
const CONFIDENTIALITY: [&str; 3] = [
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v3/Confidentiality",
    "urn:oid:2.16.840.1.113883.5.25",
];
/// The same for v3-ActCode.
const ACT_CODE: [&str; 3] = [
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "http://hl7.org/fhir/v3/ActCode",
    "urn:oid:2.16.840.1.113883.5.4",
];
/// The system of the marks of masked copies.
const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
/// The codes of v3-ActCode below `_InformationSensitivityPolicy`, as far as they belong to a class.
const SENSITIVITIES: [(Label, &[&str]); 7] = [
    (Label::Hiv, &["HIV"]),
    (Label::Psychiatry, &["PSY", "PSYTHPN", "BH", "COGN", "DVD", "EMOTDIS", "MH"]),
    (Label::Substance, &["SUD", "ETH", "ETHUD", "OPIOIDUD"]),
    (Label::Sexual, &["SEX", "STD", "PREGNANT"]),
    (Label::Violence, &["SDV", "VIO", "IPV"]),
    (Label::Genetic, &["GDIS"]),
    (Label::Taboo, &["TBOO"]),
];

/// A set of label classes; a copy costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(u32);

impl Labels {
    /// None.
    pub const NONE: Labels = Labels(0);
    /// All of them.
    pub const ALL: Labels = Labels::of(&Label::ALL);

    /// The set of these classes.
    #[must_use]
    pub const fn of(labels: &[Label]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < labels.len() {
            bits |= 1 << labels[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// Whether none is in it.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether the class is in it.
    #[must_use]
    pub const fn has(self, label: Label) -> bool {
        self.0 & (1 << label as u8) != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in these and not in the others.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether something is in both.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The classes in it, in the order of [`Label::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Label> {
        Label::ALL.into_iter().filter(move |label| self.has(*label))
    }

    /// Four bytes, as they stand in the head of a stored record.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// Reads [`Labels::to_bytes`]. A class that is not known (a later edition wrote it) counts as [`Label::Other`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        let bits = u32::from_be_bytes(bytes);
        let known = bits & Self::ALL.0;
        if bits == known { Self(known) } else { Self(known | 1 << Label::Other as u8) }
    }
}

/// The label classes of a resource: of its `meta.security`, and of what it contains.
#[must_use]
pub fn labels_of(resource: &Resource) -> Labels {
    let root = resource.root();
    let mut labels = of_meta(root);
    for contained in root.get("contained").map(Value::items).into_iter().flatten() {
        labels = labels.union(of_meta(contained));
    }
    labels
}

fn of_meta(object: Value<'_>) -> Labels {
    let Some(security) = object.get("meta").and_then(|meta| meta.get("security")) else { return Labels::NONE };
    let text = |coding: Value<'_>, name: &str| coding.str_of(name).map(std::borrow::Cow::into_owned);
    let class = |coding| Label::of(text(coding, "system").as_deref(), text(coding, "code").as_deref());
    let found = security.items().filter_map(class);
    found.fold(Labels::NONE, |all, label| all.union(Labels::of(&[label])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(security: &str) -> Vec<Label> {
        let text = format!(r#"{{"resourceType":"Observation","meta":{{"security":[{security}]}},"status":"final"}}"#);
        labels_of(&Resource::parse(text).unwrap()).iter().collect()
    }

    fn coding(system: &str, code: &str) -> String {
        format!(r#"{{"system":"{system}","code":"{code}"}}"#)
    }

    #[test]
    fn each_label_is_in_its_class_whatever_its_system_is_called() {
        for system in CONFIDENTIALITY {
            for normal in ["U", "L", "M", "N"] {
                assert_eq!(labels(&coding(system, normal)), []);
            }
            assert_eq!(labels(&coding(system, "R")), [Label::Restricted]);
            assert_eq!(labels(&coding(system, "V")), [Label::VeryRestricted]);
        }
        for system in ACT_CODE {
            for (code, label) in [("HIV", Label::Hiv), ("ETH", Label::Substance), ("GDIS", Label::Genetic)] {
                assert_eq!(labels(&coding(system, code)), [label]);
            }
        }
        assert_eq!(
            labels(&[coding(OBSERVATION_VALUE, "MASKED"), coding(OBSERVATION_VALUE, "SUBSETTED")].join(",")),
            []
        );
        let both = [coding(CONFIDENTIALITY[0], "R"), coding(ACT_CODE[0], "PSY")].join(",");
        assert_eq!(labels(&both), [Label::Restricted, Label::Psychiatry]);
    }

    #[test]
    fn what_is_not_known_is_restricted_and_never_nothing() {
        let unknown = [
            coding(CONFIDENTIALITY[0], "X"),
            coding(CONFIDENTIALITY[0], "r"),
            coding(ACT_CODE[0], "CELEBRITY"),
            coding("http://example.org/labels", "N"),
            r#"{"code":"N"}"#.to_owned(),
            r#"{"display":"secret"}"#.to_owned(),
            format!(r#"{{"system":"{}"}}"#, CONFIDENTIALITY[0]),
        ];
        for one in unknown {
            assert_eq!(labels(&one), [Label::Other], "{one}");
        }
        assert_eq!(labels(r#"{"code":"V"}"#), [Label::VeryRestricted]);
        assert_eq!(labels(""), []);
    }

    #[test]
    fn what_is_contained_labels_the_whole() {
        let text = format!(
            r#"{{"resourceType":"Observation","contained":[{{"resourceType":"Patient","meta":{{"security":[{}]}}}}],"status":"final"}}"#,
            coding(ACT_CODE[0], "HIV")
        );
        assert_eq!(labels_of(&Resource::parse(text).unwrap()).iter().collect::<Vec<_>>(), [Label::Hiv]);
    }

    #[test]
    fn bytes_keep_the_set_and_a_class_of_a_later_edition_is_another_one() {
        for labels in [Labels::NONE, Labels::ALL, Labels::of(&[Label::Hiv, Label::VeryRestricted])] {
            assert_eq!(Labels::from_bytes(labels.to_bytes()), labels);
        }
        assert_eq!(Labels::from_bytes([0x80, 0, 0, 1]), Labels::of(&[Label::Restricted, Label::Other]));
    }
}
