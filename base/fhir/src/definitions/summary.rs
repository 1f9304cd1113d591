//! Which elements belong to the summary of a resource.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Structure, definitions};

const SUMMARY: &str = include_str!("../../tables/summary.txt");

/// Name of a structure → the names of its own elements that are in a summary.
static NAMES: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let lines = SUMMARY.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let split = lines.filter_map(|line| line.split_once(' '));
    split.map(|(structure, names)| (structure, names.split(' ').collect())).collect()
});

/// Whether R4 has the element of this structure in summaries (`ElementDefinition.isSummary`), be it its own or inherited.
#[must_use]
pub fn is_in_summary(structure: &Structure, element: &str) -> bool {
    let mut at = Some(structure);
    while let Some(structure) = at {
        if NAMES.get(structure.name).is_some_and(|names| names.contains(&element)) {
            return true;
        }
        at = definitions().structure(structure.base);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_elements_that_there_are() {
        let definitions = definitions();
        for (name, elements) in NAMES.iter() {
            let structure = definitions.structure(name).unwrap_or_else(|| panic!("{name}"));
            for element in elements {
                assert!(structure.element(element).is_some(), "{name}.{element}");
            }
        }
        assert!(NAMES.len() > 300);
    }

    #[test]
    fn own_and_inherited_elements_count() {
        let structure = |name| definitions().structure(name).unwrap();
        let cases = [
            ("Patient", "birthDate", true),
            ("Patient", "contact", false),
            ("Patient", "meta", true),
            ("Patient", "text", false),
            ("Observation", "value", true),
            ("Observation", "note", false),
            ("Age", "value", true),
            ("Attachment", "data", false),
        ];
        for (name, element, expected) in cases {
            assert_eq!(is_in_summary(structure(name), element), expected, "{name}.{element}");
        }
    }
}
