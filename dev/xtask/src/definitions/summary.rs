//! Which elements belong to the summary of a resource.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::elements::Elements;
use super::{Source, VERSION, list, text};

/// The table: a line for each type or part of one that has elements of its own in the summary (`isSummary`), then their names.
pub(super) fn table(source: &Source, elements: &Elements) -> Result<String, String> {
    let mut definitions = source.resources("profiles-types.json")?;
    definitions.extend(source.resources("profiles-resources.json")?);
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for definition in definitions.iter().filter(|d| text(d, "resourceType") == "StructureDefinition") {
        let constrains = text(definition, "derivation") == "constraint";
        if text(definition, "fhirVersion") != VERSION || constrains || text(definition, "kind") == "logical" {
            continue;
        }
        for element in list(definition.get("snapshot").unwrap_or(&Value::Null), "element") {
            let path = text(element, "path");
            let in_summary = element.get("isSummary") == Some(&Value::Bool(true));
            // What is inherited, and what the package has patched in, is not an element of this path in the tables.
            if !in_summary || !elements.has(path) {
                continue;
            }
            if let Some((parent, name)) = path.rsplit_once('.') {
                names.entry(parent.to_owned()).or_default().insert(name.trim_end_matches("[x]").to_owned());
            }
        }
    }
    Ok(names.iter().fold(String::new(), |mut out, (parent, names)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let _ = writeln!(out, "{parent} {}", names.join(" "));
        out
    }))
}
