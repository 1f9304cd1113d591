//! Which codes of R4's own code systems stand above others.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

const HIERARCHIES: &str = include_str!("../../tables/hierarchies.txt");

/// The codes of a system: each with those directly below it.
type Codes = HashMap<&'static str, Vec<&'static str>>;

static SYSTEMS: LazyLock<HashMap<&'static str, Codes>> = LazyLock::new(|| {
    let mut systems: HashMap<&str, Codes> = HashMap::new();
    let mut at = "";
    for line in HIERARCHIES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let Some(codes) = line.strip_prefix('\t') else {
            at = line;
            continue;
        };
        let system = systems.entry(at).or_default();
        let mut codes = codes.split('\t');
        match codes.next() {
            None => {}
            Some("") => system.extend(codes.map(|code| (code, Vec::new()))),
            Some(code) => {
                system.insert(code, codes.collect());
            }
        }
    }
    systems
});

/// In which direction to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What is a special case of the code.
    Below,
    /// Of what the code is a special case.
    Above,
}

/// A code of one of R4's own code systems and all that stand above or below it, in order. `None` for a system that the definitions
/// do not have whole, and for what is no code of it.
#[must_use]
pub fn subsumed(system: &str, code: &str, direction: Direction) -> Option<Vec<&'static str>> {
    let codes = SYSTEMS.get(system)?;
    let (code, _) = codes.get_key_value(code)?;
    let mut found = BTreeSet::from([*code]);
    let mut open = vec![*code];
    while let Some(at) = open.pop() {
        let next: Vec<&str> = match direction {
            Direction::Below => codes.get(at).cloned().unwrap_or_default(),
            Direction::Above => codes.iter().filter(|(_, below)| below.contains(&at)).map(|(code, _)| *code).collect(),
        };
        // Each code is looked at once, so that a circle ends.
        open.extend(next.into_iter().filter(|code| found.insert(code)));
    }
    Some(found.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";

    #[test]
    fn every_code_below_another_is_a_code_of_the_system() {
        let count: usize = SYSTEMS.values().map(HashMap::len).sum();
        println!("{} code systems, {count} codes", SYSTEMS.len());
        assert!(SYSTEMS.len() > 500 && count > 10_000);
        for (system, codes) in SYSTEMS.iter() {
            for below in codes.values().flatten() {
                assert!(codes.contains_key(below), "{system}|{below}");
            }
        }
    }

    #[test]
    fn a_code_stands_above_and_below_others_and_is_among_them() {
        let below = subsumed(ROLES, "PRN", Direction::Below).unwrap();
        for code in ["PRN", "FTH", "MTH", "NFTH", "STPMTH"] {
            assert!(below.contains(&code), "{code}");
            assert!(subsumed(ROLES, code, Direction::Above).unwrap().contains(&"PRN"), "{code}");
        }
        assert!(!below.contains(&"CHILD"));
        let status = "http://terminology.hl7.org/CodeSystem/condition-clinical";
        assert_eq!(subsumed(status, "active", Direction::Below).unwrap(), ["active", "recurrence", "relapse"]);
        assert_eq!(subsumed(status, "relapse", Direction::Above).unwrap(), ["active", "relapse"]);
        assert_eq!(subsumed(status, "nothing", Direction::Below), None);
        assert_eq!(subsumed("http://snomed.info/sct", "22298006", Direction::Below), None);
    }
}
