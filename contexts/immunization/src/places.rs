//! Body sites and routes of administration in HL7 v3 codes, found by code, by HL7 v2 code or by name.

use iris_search::fold;

/// A coded place or route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coded {
    /// v3 code.
    pub(crate) code: &'static str,
    /// v3 display.
    pub(crate) display: &'static str,
    /// Other words for it, folded: HL7 v2 codes, usual names.
    words: &'static [&'static str],
}

const fn coded(code: &'static str, display: &'static str, words: &'static [&'static str]) -> Coded {
    Coded { code, display, words }
}

/// System of sites.
pub(crate) const SITES: &str = "http://terminology.hl7.org/CodeSystem/v3-ActSite";
/// System of routes.
pub(crate) const ROUTES: &str = "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration";

const SITE_CODES: [Coded; 19] = [
    coded("LA", "left arm", &[]),
    coded("RA", "right arm", &[]),
    coded("LUA", "left upper arm", &[]),
    coded("RUA", "right upper arm", &[]),
    coded("LD", "left deltoid", &[]),
    coded("RD", "right deltoid", &[]),
    coded("LG", "left gluteus medius", &["left gluteous medius"]),
    coded("RG", "right gluteus medius", &["right gluteous medius"]),
    coded("LVG", "left ventragluteal", &["left ventrogluteal"]),
    coded("RVG", "right ventragluteal", &["right ventrogluteal"]),
    coded("LT", "left thigh", &[]),
    coded("RT", "right thigh", &[]),
    coded("LVL", "left vastus lateralis", &[]),
    coded("RVL", "right vastus lateralis", &[]),
    coded("LLFA", "left lower forearm", &[]),
    coded("RLFA", "right lower forearm", &[]),
    coded("LN", "left naris", &["left nares", "left nostril"]),
    coded("RN", "right naris", &["right nares", "right nostril"]),
    coded("BN", "bilateral nares", &["both nostrils"]),
];

const ROUTE_CODES: [Coded; 7] = [
    coded("IM", "Injection, intramuscular", &["intramuscular", "c28161"]),
    coded("SQ", "Injection, subcutaneous", &["subcutaneous", "sc", "subq", "c38299"]),
    coded("IDINJ", "Injection, intradermal", &["intradermal", "id", "c38238"]),
    coded("IVINJ", "Injection, intravenous", &["intravenous", "iv", "c38276"]),
    coded("PO", "Swallow, oral", &["oral", "by mouth", "c38288"]),
    coded("NASINHL", "Inhalation, nasal", &["nasal", "intranasal", "in", "ns", "c38284"]),
    coded("TRNSDERM", "Transdermal", &["td", "c38305"]),
];

pub(crate) fn site(text: &str) -> Option<Coded> {
    find(&SITE_CODES, text)
}

pub(crate) fn route(text: &str) -> Option<Coded> {
    find(&ROUTE_CODES, text)
}

/// Words are compared without regard to case, accents and white space.
fn fold(text: &str) -> String {
    fold::fold(text).into_owned()
}

fn find(codes: &[Coded], text: &str) -> Option<Coded> {
    let word = fold(&text.replace(['_', '-'], " "));
    let fits = |coded: &&Coded| {
        fold(coded.code) == word || fold(coded.display) == word || coded.words.contains(&word.as_str())
    };
    codes.iter().find(fits).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_and_routes_are_found_by_code_and_name() {
        for text in ["LD", "ld", "Left deltoid", "left_deltoid"] {
            assert_eq!(site(text).map(|c| c.code), Some("LD"), "{text}");
        }
        for text in ["IM", "Intramuscular", "C28161", "Injection, intramuscular"] {
            assert_eq!(route(text).map(|c| c.code), Some("IM"), "{text}");
        }
        assert_eq!(site("somewhere"), None);
    }

    #[test]
    fn no_word_stands_for_two_codes() {
        for codes in [&SITE_CODES[..], &ROUTE_CODES[..]] {
            let mut words: Vec<String> =
                codes.iter().flat_map(|c| [fold(c.code)].into_iter().chain(c.words.iter().map(|w| fold(w)))).collect();
            let all = words.len();
            words.sort();
            words.dedup();
            assert_eq!(words.len(), all);
        }
    }
}
