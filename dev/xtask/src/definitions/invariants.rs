//! The invariants of R4.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::elements::Elements;
use super::{LeftOut, Source, VERSION, last_part, list, text};

/// Invariants that cannot be meant: key, and why.
const LEFT_OUT: [(&str, &str); 2] = [
    ("evv-1", "invariants that the package has patched in"),
    // ChargeItemDefinition has no name in 4.0.1.
    ("cid-0", "invariants of 4.0.1 about an element that 4.0.1 does not have"),
];

/// The table: path, key, severity, expression and what it says, separated by tabs; each invariant where it is defined, so those of
/// `Element` once and not on every element.
pub(super) fn table(source: &Source, elements: &Elements, left_out: &mut LeftOut) -> Result<String, String> {
    let mut definitions = source.resources("profiles-types.json")?;
    definitions.extend(source.resources("profiles-resources.json")?);
    let mut lines = BTreeSet::new();
    for definition in definitions.iter().filter(|d| text(d, "resourceType") == "StructureDefinition") {
        let name = text(definition, "name");
        let constrains = text(definition, "derivation") == "constraint";
        if text(definition, "fhirVersion") != VERSION || constrains || text(definition, "kind") == "logical" {
            continue;
        }
        for element in list(definition.get("snapshot").unwrap_or(&Value::Null), "element") {
            let path = text(element, "path");
            let own = list(element, "constraint").iter().filter(|constraint| {
                let source = text(constraint, "source");
                source.is_empty() || last_part(source) == name
            });
            for constraint in own {
                let key = text(constraint, "key");
                // What holds for every element is said once, of `Element`.
                if key == "ele-1" && path != "Element" {
                    continue;
                }
                if let Some((_, why)) = LEFT_OUT.iter().find(|(own, _)| *own == key) {
                    left_out.add(why, format!("{key} of {path}"));
                    continue;
                }
                if !elements.has(path) {
                    left_out.add("invariants of what the tables do not have", format!("{key} of {path}"));
                    continue;
                }
                let path = path.trim_end_matches("[x]");
                let line = [
                    path,
                    key,
                    text(constraint, "severity"),
                    text(constraint, "expression"),
                    text(constraint, "human"),
                ];
                if line.iter().any(|part| part.is_empty()) {
                    left_out.add("invariants without an expression", format!("{key} of {path}"));
                    continue;
                }
                lines.insert(line.map(on_one_line));
            }
        }
    }
    Ok(lines.iter().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{}", line.join("\t"));
        out
    }))
}

/// Without line ends and tabs, which no invariant has inside a text.
fn on_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(['\n', '\r', '\t']).map(str::trim).filter(|part| !part.is_empty()).collect();
    words.join(" ")
}
