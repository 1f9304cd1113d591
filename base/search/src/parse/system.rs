//! Searches over several types at once (R4 http.html#search, "whole system").

use iris_fhir::definitions::{definitions, kind_of};
use iris_kernel::limits::FAULTS_MAX;
use iris_kernel::{Fault, Kind};

use super::{QueryContext, controls, includes, parse_of, shown, word};
use crate::Query;
use crate::plan::{planned, served};

/// Reads the decoded pairs of a search over the whole system: one query for each type that `_type` names, in its order, or for every
/// type where there is no `_type`. Only parameters that all these types have may be asked by.
///
/// # Errors
/// As [`super::parse_query`]; types that R4 does not have.
pub fn parse_system_query(pairs: &[(String, String)], context: &QueryContext<'_>) -> Result<Vec<Query>, Vec<Fault>> {
    let mut faults = Vec::new();
    let kinds = kinds(pairs, &mut faults);
    let mut ignored = Vec::new();
    let mut common: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs.iter().filter(|(name, _)| name != "_type") {
        match not_common(name, &kinds) {
            None => common.push((name.clone(), value.clone())),
            Some(what) if context.strict => faults.push(Fault::new(shown(name), what)),
            Some(what) => ignored.push((shown(name), what)),
        }
    }
    let mut queries = of_each(&kinds, &common, context, &mut faults);
    // What one type passes over all do: otherwise each would answer another question.
    for query in &queries {
        for (name, what) in &query.ignored {
            if !ignored.iter().any(|(known, _)| known == name) {
                ignored.push((name.clone(), what.clone()));
            }
        }
    }
    if queries.iter().any(|query| query.applied.iter().any(|(name, _)| is_among(&ignored, name))) {
        common.retain(|(name, _)| !is_among(&ignored, name));
        queries = of_each(&kinds, &common, context, &mut faults);
    }
    let types: Vec<_> = pairs.iter().filter(|(name, _)| name == "_type").cloned().collect();
    for query in &mut queries {
        query.applied.splice(0..0, types.iter().cloned());
        query.ignored.clone_from(&ignored);
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(queries) } else { Err(faults) }
}

fn is_among(ignored: &[(String, String)], name: &str) -> bool {
    ignored.iter().any(|(known, _)| *known == shown(name))
}

/// The query of each type. What is wrong for every type is said once.
fn of_each(
    kinds: &[Kind],
    pairs: &[(String, String)],
    context: &QueryContext<'_>,
    faults: &mut Vec<Fault>,
) -> Vec<Query> {
    let mut queries = Vec::with_capacity(kinds.len());
    for kind in kinds {
        match parse_of(*kind, kinds, pairs, context) {
            Ok(query) => queries.push(query),
            Err(found) => {
                for fault in found {
                    if !faults.iter().any(|known| known.at == fault.at) {
                        faults.push(fault);
                    }
                }
            }
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    queries
}

/// The types that are searched, each once.
fn kinds(pairs: &[(String, String)], faults: &mut Vec<Fault>) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut is_asked = false;
    for (_, value) in pairs.iter().filter(|(name, _)| name == "_type") {
        if is_asked {
            faults.push(Fault::new("_type", "may stand only once"));
            break;
        }
        is_asked = true;
        for name in value.split(',') {
            match kind_of(name.trim()) {
                Some(kind) if !kinds.contains(&kind) => kinds.push(kind),
                Some(_) => {}
                None => faults.push(Fault::new("_type", format!("{} is no type of resource", word(name)))),
            }
        }
    }
    if is_asked { kinds } else { definitions().kinds().collect() }
}

/// What is said of a parameter that not all of the types have.
fn not_common(name: &str, kinds: &[Kind]) -> Option<String> {
    let code = name.split([':', '.']).next().unwrap_or(name);
    let is_of_all = ["_has", "_filter", "_list"].contains(&code);
    if is_of_all || controls::named(code).is_some() || includes::along(name).is_some() {
        return None;
    }
    if kinds.iter().all(|kind| planned(*kind, code).is_some()) {
        return None;
    }
    let first = kinds.first()?;
    let common: Vec<_> = served(*first)
        .map(|param| param.code)
        .filter(|code| kinds.iter().all(|kind| planned(*kind, code).is_some()))
        .collect();
    Some(format!("is no parameter of all the types that are searched; in common they have {}", common.join(", ")))
}
