//! The search's part of the statement.

use iris_fhir::definitions;
use iris_fhir::definitions::{ParamKind, SearchParam};
use iris_fhir::json::Writer;
use iris_kernel::Kind;
use iris_search::served;

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

/// What can be written behind a parameter's name or before its value.
const fn what(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Token => "Modifiers: missing, not, text, in, not-in, above, below, of-type.",
        ParamKind::String => "Modifiers: missing, exact, contains. Folded for case and accents.",
        ParamKind::Reference => "Modifiers: missing, identifier, a resource type. Chains (.) and _has.",
        ParamKind::Date => "Modifier: missing. Prefixes: eq, ne, gt, lt, ge, le, sa, eb, ap. UTC where no zone is given.",
        ParamKind::Number => "Modifier: missing. Prefixes: eq, ne, gt, lt, ge, le, sa, eb, ap.",
        ParamKind::Quantity => "Modifier: missing. Prefixes: eq, ne, gt, lt, ge, le, sa, eb, ap. Units of UCUM are converted.",
        ParamKind::Uri => "Modifiers: missing, above, below.",
        ParamKind::Composite => "Modifier: missing. The parts stand in the order of the definition, with $ between.",
        ParamKind::Special => "As the definition says.",
    }
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
        w.key("searchRevInclude").array();
        for include in referring.to(kind) {
            w.string(include);
        }
        w.end();
    }
    w.key("searchParam").array();
    for param in served(kind) {
        w.object().member("name", param.code).member("definition", param.url).member("type", param.kind.code());
        w.member("documentation", what(param.kind)).end();
    }
    w.end();
}
