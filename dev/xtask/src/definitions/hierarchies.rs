//! Which codes of the code systems of R4 stand above others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::{LeftOut, Source, list, text};

/// The files that have code systems.
const FILES: [&str; 2] = ["valuesets.json", "v3-codesystems.json"];

/// The codes of one system: each with those directly below it.
type Codes = BTreeMap<String, BTreeSet<String>>;

/// The table: a line for each code system that is there whole and whose order means that one code is a special case of another, then
/// its codes, a line for each that has others below it and one for all that have none.
pub(super) fn table(source: &Source, left_out: &mut LeftOut) -> Result<String, String> {
    let mut systems: BTreeMap<String, Codes> = BTreeMap::new();
    for file in FILES {
        for system in source.resources(file)?.iter().filter(|it| text(it, "resourceType") == "CodeSystem") {
            let url = text(system, "url");
            let order = text(system, "hierarchyMeaning");
            if text(system, "content") != "complete" || !["", "is-a"].contains(&order) {
                left_out.add("code systems that are not whole, or whose order means something else", url);
                continue;
            }
            let mut codes = Codes::new();
            add(list(system, "concept"), &mut codes);
            if codes.keys().any(|code| code.contains(['\t', '\n'])) {
                return Err(format!("{url} has a code with a tab"));
            }
            systems.entry(url.to_owned()).or_insert(codes);
        }
    }
    Ok(systems.iter().filter(|(_, codes)| !codes.is_empty()).fold(String::new(), |mut out, (url, codes)| {
        let _ = writeln!(out, "{url}");
        for (code, below) in codes.iter().filter(|(_, below)| !below.is_empty()) {
            let below: Vec<&str> = below.iter().map(String::as_str).collect();
            let _ = writeln!(out, "\t{code}\t{}", below.join("\t"));
        }
        let leaves: Vec<&str> =
            codes.iter().filter(|(_, below)| below.is_empty()).map(|(code, _)| code.as_str()).collect();
        let _ = writeln!(out, "\t\t{}", leaves.join("\t"));
        out
    }))
}

/// Adds concepts with what stands below them: what is nested, and what the property `child` names.
fn add(concepts: &[Value], codes: &mut Codes) {
    for concept in concepts {
        let nested = list(concept, "concept");
        let named = list(concept, "property").iter().filter(|property| text(property, "code") == "child");
        let named = named.map(|property| text(property, "valueCode"));
        let below = codes.entry(text(concept, "code").to_owned()).or_default();
        below.extend(nested.iter().map(|inner| text(inner, "code")).chain(named).map(str::to_owned));
        add(nested, codes);
    }
}
