//! Which codes required and extensible bindings name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::{LeftOut, Source, last_part, list, text};

type Codes = BTreeMap<String, BTreeSet<String>>;

/// The code lists.
pub(super) struct CodeLists {
    /// URL of a value set → name of its list.
    pub(super) names: BTreeMap<String, String>,
    pub(super) text: String,
}

struct Terminology {
    value_sets: BTreeMap<String, Value>,
    code_systems: BTreeMap<String, Value>,
}

/// Reads the value sets that `bindings` name.
pub(super) fn table(
    source: &Source,
    bindings: &BTreeMap<String, BTreeSet<String>>,
    left_out: &mut LeftOut,
) -> Result<CodeLists, String> {
    let mut terminology = Terminology { value_sets: BTreeMap::new(), code_systems: BTreeMap::new() };
    for file in ["valuesets.json", "v3-codesystems.json", "v2-tables.json"] {
        for resource in source.resources(file)? {
            let url = text(&resource, "url").to_owned();
            match text(&resource, "resourceType") {
                "ValueSet" => terminology.value_sets.insert(url, resource),
                _ => terminology.code_systems.insert(url, resource),
            };
        }
    }
    let mut lists = CodeLists { names: BTreeMap::new(), text: String::new() };
    let mut by_name = BTreeMap::new();
    for (url, types) in bindings {
        match terminology.codes(url) {
            Ok(codes) => {
                if let Some(other) = by_name.insert(last_part(url).to_owned(), codes) {
                    return Err(format!("two value sets end in the name of {url}: {other:?}"));
                }
                lists.names.insert(url.clone(), last_part(url).to_owned());
            }
            Err(why) => {
                let types: Vec<&str> = types.iter().map(String::as_str).collect();
                left_out.add("bindings whose codes no table can hold", format!("{url} ({}): {why}", types.join(", ")));
            }
        }
    }
    for (name, codes) in by_name {
        let _ = writeln!(lists.text, "{name}");
        for (system, codes) in codes {
            if let Some(code) = codes.iter().find(|code| code.contains(char::is_whitespace)) {
                return Err(format!("{name}: a code with white space: {code}"));
            }
            let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
            let _ = writeln!(lists.text, "  {system} {}", codes.join(" "));
        }
    }
    Ok(lists)
}

impl Terminology {
    fn codes(&self, url: &str) -> Result<Codes, String> {
        let set = self.value_sets.get(url).ok_or("the value set is not in the package")?;
        let compose = set.get("compose").ok_or("the value set has no definition")?;
        let mut codes = Codes::new();
        for include in list(compose, "include") {
            for (system, more) in self.part(include)? {
                codes.entry(system).or_default().extend(more);
            }
        }
        for exclude in list(compose, "exclude") {
            for (system, fewer) in self.part(exclude)? {
                if let Some(own) = codes.get_mut(&system) {
                    own.retain(|code| !fewer.contains(code));
                }
            }
        }
        Ok(codes)
    }

    fn part(&self, include: &Value) -> Result<Codes, String> {
        if include.get("filter").is_some() {
            return Err("codes are chosen by a filter".to_owned());
        }
        let mut codes = Codes::new();
        for set in list(include, "valueSet").iter().filter_map(Value::as_str) {
            for (system, more) in self.codes(set.split('|').next().unwrap_or_default())? {
                codes.entry(system).or_default().extend(more);
            }
        }
        let system = text(include, "system");
        if system.is_empty() {
            return Ok(codes);
        }
        let own = codes.entry(system.to_owned()).or_default();
        let named = list(include, "concept");
        if named.is_empty() {
            let definition = self.code_systems.get(system).ok_or_else(|| format!("{system} is not in the package"))?;
            if text(definition, "content") != "complete" {
                return Err(format!("{system} is not complete in the package"));
            }
            collect(list(definition, "concept"), own);
        } else {
            own.extend(named.iter().map(|concept| text(concept, "code").to_owned()));
        }
        Ok(codes)
    }
}

/// The codes of a code system, at every depth.
fn collect(concepts: &[Value], codes: &mut BTreeSet<String>) {
    for concept in concepts {
        codes.insert(text(concept, "code").to_owned());
        collect(list(concept, "concept"), codes);
    }
}
