//! Comparing two persons.

use std::collections::BTreeSet;

use iris_search::sound;

use super::evidence::Evidence;
use super::person::{Name, Person};
use crate::rule::is_ours;

/// How alike two first or two last names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Unknown,
    Different,
    Similar,
    Same,
}

/// Years that lie between parents and children at least.
const GENERATION_YEARS: u16 = 14;

/// Everything that speaks for or against `a` and `b` being one person.
pub(super) fn evidence(a: &Person, b: &Person) -> BTreeSet<Evidence> {
    let mut found = BTreeSet::new();
    found.extend(birth(a.born.as_deref(), b.born.as_deref()));
    found.extend(names(&a.names, &b.names));
    found.extend(ssn(a.ssn.as_deref(), b.ssn.as_deref()));
    let mut common = |has, evidence| found.extend(Some(evidence).filter(|_| has));
    let shared = || a.identifiers.intersection(&b.identifiers);
    common(shared().any(|(system, _)| is_ours(system)), Evidence::SameMrn);
    common(shared().any(|(system, _)| !is_ours(system)), Evidence::SameIdentifier);
    common(!a.phones.is_disjoint(&b.phones), Evidence::SamePhone);
    common(!a.emails.is_disjoint(&b.emails), Evidence::SameEmail);
    common(!a.homes.is_disjoint(&b.homes), Evidence::SameAddress);
    common(a.gender.is_some() && b.gender.is_some() && a.gender != b.gender, Evidence::OtherGender);
    found
}

fn birth(a: Option<&str>, b: Option<&str>) -> Option<Evidence> {
    let (a, b) = (a?, b?);
    Some(match () {
        () if a == b && a.len() == 10 => Evidence::SameBirthDate,
        () if a.starts_with(b) || b.starts_with(a) => Evidence::SameBirthYear,
        () if a == turned(b) => Evidence::BirthDateSwapped,
        () if is_slip(a, b) => Evidence::BirthDateTypo,
        () if years_apart(a, b).is_some_and(|years| years >= GENERATION_YEARS) => Evidence::OtherGeneration,
        () => Evidence::OtherBirthDate,
    })
}

fn years_apart(a: &str, b: &str) -> Option<u16> {
    let year = |date: &str| date.get(..4).and_then(|year| year.parse::<u16>().ok());
    Some(year(a)?.abs_diff(year(b)?))
}

/// `YYYY-DD-MM` of `YYYY-MM-DD`.
pub(super) fn turned(day: &str) -> String {
    match day.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] => format!("{year}-{day}-{month}"),
        _ => day.to_owned(),
    }
}

/// Whether two texts of one length differ in one sign, or in two neighbours exchanged.
fn is_slip(a: &str, b: &str) -> bool {
    a.len() == b.len() && a != b && strsim::osa_distance(a, b) == 1
}

fn ssn(a: Option<&str>, b: Option<&str>) -> Option<Evidence> {
    let (a, b) = (a?, b?);
    Some(match () {
        () if a == b => Evidence::SameSsn,
        () if is_slip(a, b) => Evidence::SsnTypo,
        () => Evidence::OtherSsn,
    })
}

/// The best that any name of one says to any name of the other.
fn names(a: &[Name], b: &[Name]) -> Option<Evidence> {
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| name(a, b)));
    pairs.flatten().max_by_key(|evidence| evidence.weight())
}

fn name(a: &Name, b: &Name) -> Option<Evidence> {
    use Likeness::{Different, Same, Similar, Unknown};
    let (given, family) = (likeness(&a.given, &b.given, Part::Given), likeness(&a.family, &b.family, Part::Family));
    let agrees = |likeness| likeness >= Similar;
    let crosswise = [likeness(&a.given, &b.family, Part::Given), likeness(&a.family, &b.given, Part::Given)];
    if crosswise.into_iter().all(agrees) && !(agrees(given) && agrees(family)) {
        return Some(Evidence::NamesSwapped);
    }
    Some(match (given, family) {
        (Unknown, Unknown) => return None,
        (Same, Same) => Evidence::SameName,
        (Same | Similar, Same | Similar) => Evidence::SimilarName,
        (Unknown, Same | Similar) => Evidence::SameLastName,
        (Same | Similar, Unknown) => Evidence::SameFirstName,
        (Different, Same | Similar) => Evidence::OtherFirstName,
        (Same | Similar, Different) => Evidence::OtherLastName,
        (Unknown | Different, Unknown | Different) => Evidence::OtherName,
    })
}

/// Which part of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The first word counts; further given names are often left out.
    Given,
    /// All words count; one of two is often left out.
    Family,
}

fn likeness(a: &[String], b: &[String], part: Part) -> Likeness {
    let (Some(first), Some(other)) = (a.first(), b.first()) else { return Likeness::Unknown };
    let is_same = match part {
        Part::Given => first == other || a.concat() == b.concat(),
        Part::Family => a.concat() == b.concat(),
    };
    let shares = |word: &String| word.chars().nth(2).is_some() && b.contains(word);
    match () {
        () if is_same => Likeness::Same,
        () if are_alike(&a.concat(), &b.concat()) || are_alike(first, other) || a.iter().any(shares) => {
            Likeness::Similar
        }
        () if part == Part::Given && (first.starts_with(other.as_str()) || other.starts_with(first.as_str())) => {
            Likeness::Similar
        }
        () => Likeness::Different,
    }
}

/// Whether two words are nearly the same or sound alike.
fn are_alike(a: &str, b: &str) -> bool {
    let letters = a.chars().count().max(b.chars().count());
    let slips = match letters {
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    };
    let distance = strsim::osa_distance(a, b);
    distance <= slips || (sound::keys(a) == sound::keys(b) && distance * 2 < letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn said(a: (&str, &str), b: (&str, &str)) -> Option<Evidence> {
        let made = |(given, family): (&str, &str)| Name { given: words(given), family: words(family) };
        name(&made(a), &made(b))
    }

    #[test]
    fn names_are_alike_in_many_ways() {
        for (a, b, evidence) in [
            (("maria", "garcia"), ("maria", "garcia"), Some(Evidence::SameName)),
            (("maria luz", "garcia"), ("maria", "garcia"), Some(Evidence::SameName)),
            (("mary ann", "cole"), ("maryann", "cole"), Some(Evidence::SameName)),
            (("maria", "garcia"), ("mario", "garcia"), Some(Evidence::SimilarName)),
            (("maria", "garcia"), ("maria", "garcia lopez"), Some(Evidence::SimilarName)),
            (("catherine", "meyer"), ("kathryn", "maier"), Some(Evidence::SimilarName)),
            (("alex", "cole"), ("alexander", "cole"), Some(Evidence::SimilarName)),
            (("j", "cole"), ("john", "cole"), Some(Evidence::SimilarName)),
            (("garcia", "maria"), ("maria", "garcia"), Some(Evidence::NamesSwapped)),
            (("maria", "garcia"), ("maria", "smith"), Some(Evidence::OtherLastName)),
            (("anna", "garcia"), ("luis", "garcia"), Some(Evidence::OtherFirstName)),
            (("", "garcia"), ("maria", "garcia"), Some(Evidence::SameLastName)),
            (("maria", ""), ("maria", "garcia"), Some(Evidence::SameFirstName)),
            (("maria", "garcia"), ("john", "smith"), Some(Evidence::OtherName)),
            (("", ""), ("john", "smith"), None),
        ] {
            assert_eq!(said(a, b), evidence, "{a:?} {b:?}");
            assert_eq!(said(b, a), evidence, "{b:?} {a:?}");
        }
    }

    #[test]
    fn days_of_birth_differ_by_slips_or_altogether() {
        for (a, b, evidence) in [
            ("1987-04-12", "1987-04-12", Evidence::SameBirthDate),
            ("1987-04-12", "1987-12-04", Evidence::BirthDateSwapped),
            ("1987-04-12", "1987-04-13", Evidence::BirthDateTypo),
            ("1987-04-12", "1978-04-12", Evidence::BirthDateTypo),
            ("1987-04-12", "1987-04-21", Evidence::BirthDateTypo),
            ("1987", "1987-04-12", Evidence::SameBirthYear),
            ("1987-04", "1987-04-12", Evidence::SameBirthYear),
            ("1987-04-12", "1960-01-30", Evidence::OtherGeneration),
            ("1987-04-12", "1974-01-30", Evidence::OtherBirthDate),
            ("1987-04-12", "1973-11-30", Evidence::OtherGeneration),
            ("1987-04-12", "1987-11-30", Evidence::OtherBirthDate),
        ] {
            assert_eq!(birth(Some(a), Some(b)), Some(evidence), "{a} {b}");
        }
        assert_eq!(birth(None, Some("1987")), None);
    }
}
