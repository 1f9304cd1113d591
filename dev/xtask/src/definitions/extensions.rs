//! The extensions that R4 itself defines: where they may stand, and what they hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::{LeftOut, Source, VERSION, list, text};

/// Where R4's own extensions live.
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// The table: last part of the URL, `M` for a modifier, where it may stand, the types of its value, the nested extensions that
/// it must have; separated by tabs, lists by spaces, `-` for none.
pub(super) fn table(source: &Source, left_out: &mut LeftOut) -> Result<String, String> {
    let mut lines = BTreeSet::new();
    for definition in source.resources("extension-definitions.json")? {
        let url = text(&definition, "url");
        let Some(name) = url.strip_prefix(BASE).filter(|_| text(&definition, "fhirVersion") == VERSION) else {
            left_out.add("extensions that are none of R4's", url);
            continue;
        };
        let contexts = list(&definition, "context");
        if contexts.iter().any(|context| text(context, "type") != "element") {
            left_out.add("extensions whose place is no element", url);
            continue;
        }
        let places: BTreeSet<&str> =
            contexts.iter().map(|context| text(context, "expression").trim_end_matches("[x]")).collect();
        let (mut types, mut parts, mut modifier) = (BTreeSet::new(), BTreeSet::new(), "-");
        for element in list(definition.get("snapshot").unwrap_or(&Value::Null), "element") {
            match (text(element, "id"), text(element, "sliceName")) {
                ("Extension", _) if element.get("isModifier") == Some(&Value::Bool(true)) => modifier = "M",
                ("Extension.value[x]", _) if text(element, "max") != "0" => {
                    types.extend(list(element, "type").iter().map(|of_type| text(of_type, "code")));
                }
                (id, slice)
                    if !slice.is_empty()
                        && id.strip_prefix("Extension.extension:") == Some(slice)
                        && element.get("min").and_then(Value::as_u64).unwrap_or(0) > 0 =>
                {
                    parts.insert(slice);
                }
                _ => {}
            }
        }
        lines.insert([name.to_owned(), modifier.to_owned(), joined(&places), joined(&types), joined(&parts)]);
    }
    Ok(lines.iter().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{}", line.join("\t"));
        out
    }))
}

fn joined(words: &BTreeSet<&str>) -> String {
    if words.is_empty() { "-".to_owned() } else { words.iter().copied().collect::<Vec<_>>().join(" ") }
}
