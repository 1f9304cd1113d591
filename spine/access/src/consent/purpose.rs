//! Purposes of use (v3-ActReason, below PurposeOfUse): a purpose of a provision means every narrower one as well.

/// Each purpose with the one above it, which is empty for those that stand at the top.
const TREE: &[(&str, &str)] = &[
    ("HMARKT", ""),
    ("HOPERAT", ""),
    ("HPAYMT", ""),
    ("HRESCH", ""),
    ("PATRQT", ""),
    ("PUBHLTH", ""),
    ("TREAT", ""),
    ("CAREMGT", "HOPERAT"),
    ("DONAT", "HOPERAT"),
    ("FRAUD", "HOPERAT"),
    ("GOV", "HOPERAT"),
    ("HACCRED", "HOPERAT"),
    ("HCOMPL", "HOPERAT"),
    ("HDECD", "HOPERAT"),
    ("HDIRECT", "HOPERAT"),
    ("HDM", "HOPERAT"),
    ("HLEGAL", "HOPERAT"),
    ("HOUTCOMS", "HOPERAT"),
    ("HPRGRP", "HOPERAT"),
    ("HQUALIMP", "HOPERAT"),
    ("HSYSADMIN", "HOPERAT"),
    ("PATADMIN", "HOPERAT"),
    ("PATSFTY", "HOPERAT"),
    ("PERFMSR", "HOPERAT"),
    ("RECORDMGT", "HOPERAT"),
    ("TRAIN", "HOPERAT"),
    ("CLMATTCH", "HPAYMT"),
    ("COVAUTH", "HPAYMT"),
    ("COVERAGE", "HPAYMT"),
    ("ELIGDTRM", "COVERAGE"),
    ("ELIGVER", "COVERAGE"),
    ("ENROLLM", "COVERAGE"),
    ("REMITADV", "HPAYMT"),
    ("BIORCH", "HRESCH"),
    ("CLINTRCH", "HRESCH"),
    ("CLINTRCHNPC", "CLINTRCH"),
    ("CLINTRCHPC", "CLINTRCH"),
    ("PRECLINTRCH", "CLINTRCH"),
    ("DSRCH", "HRESCH"),
    ("POARCH", "HRESCH"),
    ("TRANSRCH", "HRESCH"),
    ("FAMRQT", "PATRQT"),
    ("PWATRNY", "PATRQT"),
    ("SUPNWK", "PATRQT"),
    ("DISASTER", "PUBHLTH"),
    ("THREAT", "PUBHLTH"),
    ("CLINTRL", "TREAT"),
    ("COC", "TREAT"),
    ("ETREAT", "TREAT"),
    ("BTG", "ETREAT"),
    ("ERTREAT", "ETREAT"),
    ("POPHLTH", "TREAT"),
];

/// What the plain API calls a purpose when nobody states one (fields.md, `access_purpose`).
const PLAIN_DEFAULT: &str = "clinical_review";

/// The purposes that the plain API takes, for its documents.
pub const PURPOSES: [&str; 7] = ["TREAT", "ETREAT", "HPAYMT", "HOPERAT", "HRESCH", "PUBHLTH", "PATRQT"];

/// Whether there is such a purpose.
#[must_use]
pub fn is_purpose(code: &str) -> bool {
    TREE.iter().any(|(known, _)| *known == code)
}

/// For what somebody asks, as far as it is known. People who state nothing are taken to treat, which is what nearly everybody
/// does who opens a record; machines are taken for nothing that they do not state.
pub(crate) fn stated(purpose: Option<&str>, by_a_person: bool) -> Option<&'static str> {
    match purpose {
        None | Some(PLAIN_DEFAULT) => by_a_person.then_some("TREAT"),
        Some(stated) => TREE.iter().map(|(code, _)| *code).find(|code| *code == stated),
    }
}

/// Whether `wide` is `narrow` or stands above it.
pub(crate) fn includes(wide: &str, narrow: &str) -> bool {
    let mut at = narrow;
    while at != wide {
        match TREE.iter().find(|(code, _)| *code == at) {
            Some((_, above)) if !above.is_empty() => at = above,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_includes_the_narrower_ones_and_no_others() {
        assert!(includes("TREAT", "TREAT") && includes("TREAT", "BTG") && includes("ETREAT", "BTG"));
        assert!(!includes("BTG", "TREAT") && !includes("TREAT", "HRESCH") && !includes("TREAT", "what"));
        for (code, above) in TREE {
            assert!(above.is_empty() || is_purpose(above), "{code}");
        }
        assert!(PURPOSES.iter().all(|code| is_purpose(code)));
    }

    #[test]
    fn people_treat_unless_they_say_otherwise() {
        assert_eq!(stated(None, true), Some("TREAT"));
        assert_eq!(stated(Some("clinical_review"), true), Some("TREAT"));
        assert_eq!(stated(Some("HRESCH"), true), Some("HRESCH"));
        assert_eq!(stated(Some("curiosity"), true), None);
        assert_eq!(stated(None, false), None);
    }
}
