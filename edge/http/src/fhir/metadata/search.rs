//! The search's part of the statement.

use iris_fhir::definitions;
use iris_fhir::definitions::{ParamKind, SearchParam};
use iris_fhir::json::Writer;
use iris_kernel::Kind;
use iris_resources::Compartment;
use iris_search::{Modifier, modifiers, parameter, prefixes, served};

/// For each type, which parameters of which types lead to it.
pub(super) struct Referring(Vec<Vec<String>>);

impl Referring {
    pub(super) fn new() -> Self {
        let definitions = definitions();
        let mut all = vec![Vec::new(); definitions.kinds().len()];
        for from in definitions.kinds() {
            for param in references(from) {
                let name = format!("{}:{}", definitions.name_of(from), param.code);
                let of = |kind: &Kind| param.targets.is_empty() || param.targets.contains(kind);
                for kind in definitions.kinds().filter(of) {
                    if let Some(list) = all.get_mut(usize::from(kind.0).saturating_sub(1)) {
                        list.push(name.clone());
                    }
                }
            }
        }
        Self(all)
    }

    fn to(&self, kind: Kind) -> &[String] {
        self.0.get(usize::from(kind.0).saturating_sub(1)).map_or(&[], Vec::as_slice)
    }
}

fn references(kind: Kind) -> impl Iterator<Item = &'static SearchParam> {
    served(kind).filter(|param| param.kind == ParamKind::Reference)
}

/// What can be written behind a parameter's name and before its value; empty where nothing can.
fn what(kind: Kind, param: &SearchParam) -> String {
    let listed = |what: &str, words: Vec<&str>| {
        if words.is_empty() { None } else { Some(format!("{what}: {}.", words.join(", "))) }
    };
    let mut words: Vec<&str> = modifiers(kind, param.code).into_iter().map(Modifier::code).collect();
    if param.kind == ParamKind::Reference {
        words.push("a type of resource");
    }
    let modifiers = listed("Modifiers", words);
    let prefixes = listed("Prefixes", prefixes(param.kind).iter().map(|(prefix, _)| *prefix).collect());
    [modifiers, prefixes].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What a type is searched by and what comes along.
pub(super) fn of_type(kind: Kind, referring: &Referring, w: &mut Writer) {
    let name = definitions().name_of(kind);
    let mut includes = references(kind).map(|param| format!("{name}:{}", param.code)).peekable();
    if includes.peek().is_some() {
        w.key("searchInclude").array().string("*");
        for include in includes {
            w.string(&include);
        }
        w.end();
    }
    if !referring.to(kind).is_empty() {
        w.key("searchRevInclude").array().string("*");
        for include in referring.to(kind) {
            w.string(include);
        }
        w.end();
    }
    w.key("searchParam").array();
    for param in served(kind) {
        w.object().member("name", param.code).member("definition", param.url).member("type", param.kind.code());
        let what = what(kind, param);
        if !what.is_empty() {
            w.member("documentation", &what);
        }
        w.end();
    }
    w.end();
}

/// What all types are searched by at once, and the compartments.
pub(super) fn of_system(w: &mut Writer) {
    let mut kinds = definitions().kinds();
    let Some(first) = kinds.next() else { return };
    let rest: Vec<Kind> = kinds.collect();
    let of_all = |param: &&SearchParam| rest.iter().all(|kind| parameter(*kind, param.code).is_some());
    w.key("searchParam").array();
    for param in served(first).filter(of_all) {
        w.object().member("name", param.code).member("definition", param.url).member("type", param.kind.code()).end();
    }
    w.end().key("compartment").array();
    for owner in Compartment::owners() {
        w.string(&format!("http://hl7.org/fhir/CompartmentDefinition/{}", uncapitalised(definitions().name_of(owner))));
    }
    w.end();
}

fn uncapitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}
