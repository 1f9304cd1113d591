//! References: by id, by type and id, by address, by version, by the identifier that they carry.

use iris_fhir::definitions::definitions;
use iris_fhir::validate::primitive::is_id;
use iris_kernel::Kind;

use super::{Ask, Refusal, plain};
use crate::abilities::{self, Modifier};
use crate::plan::Planned;
use crate::read::local_parts;
use crate::{Criterion, Term, term, value};

/// Between an address and a version of what stands there.
const HISTORY: &str = "/_history/";

/// Appends what one alternative stands for.
pub(super) fn reference(ask: &Ask<'_>, piece: &str, group: &mut Vec<Criterion>) -> Result<(), Refusal> {
    let wanted = match ask.modifier {
        Some(Modifier::Identifier) => {
            let term = by_identifier(ask.planned.param.index, piece)?;
            group.extend([Criterion::Term(term::guarded(&term)), Criterion::Term(term)]);
            return Ok(());
        }
        Some(Modifier::Type(kind)) => Some(definitions().name_of(kind)),
        _ => None,
    };
    let text = plain(piece)?;
    let index = ask.planned.param.index;
    let base_url = ask.context.base_url.trim_end_matches('/');
    let own = text.strip_prefix(base_url).and_then(|rest| rest.strip_prefix('/')).filter(|_| !base_url.is_empty());
    let term = Criterion::Term;
    let here = own.unwrap_or(&text);
    if let Some((kind, id)) = local_parts(here) {
        if wanted.is_some_and(|wanted| wanted != kind) {
            return Err("names one type in the modifier and another in the value".into());
        }
        match here.split_once(HISTORY) {
            // Only what refers to this very version.
            Some((_, version)) if is_id(version) => {
                group.push(term(term::uri(index, here)));
                group.push(term(term::uri(index, &format!("{base_url}/{here}"))));
            }
            Some(_) => return Err("needs a version after /_history/".into()),
            None => {
                group.push(term(term::local(index, kind, id)));
                group.push(term(term::uri(index, &format!("{base_url}/{kind}/{id}"))));
            }
        }
        return Ok(());
    }
    if is_id(&text) {
        match wanted {
            Some(kind) => group.push(term(term::local(index, kind, &text))),
            None => group.push(term(term::local_id(index, &text))),
        }
        let kinds = wanted.map_or_else(|| targets(ask.planned), |kind| vec![kind]);
        group.extend(kinds.iter().map(|kind| term(term::uri(index, &format!("{base_url}/{kind}/{text}")))));
        return Ok(());
    }
    if text.starts_with("urn:") || text.contains("://") {
        group.push(term(term::uri(index, &text)));
        return Ok(());
    }
    Err("needs an id, Type/id with a type of R4, or an absolute URL".into())
}

/// `system|value`, `|value` for one without a system, or the value alone.
fn by_identifier(index: u16, piece: &str) -> Result<Term, Refusal> {
    const FORM: &str = "needs the value of an identifier, or system|value";
    let (system, value) = match value::split_at_plain(piece, b'|') {
        Some((system, value)) => (Some(plain(system)?), plain(value)?),
        None => (None, plain(piece)?),
    };
    if value.is_empty() {
        return Err(FORM.into());
    }
    Ok(term::ref_identifier(index, system.as_deref(), &value))
}

/// The type that a name stands for, if the parameter may lead to it.
pub(crate) fn target(planned: &Planned, name: &str) -> Result<Kind, Refusal> {
    if let Some(kind) = abilities::target(planned.param, name) {
        return Ok(kind);
    }
    match Modifier::read(planned, name) {
        Err(what) => Err(what),
        Ok(_) => Err("leads to the type that stands after the colon, which is no modifier here".into()),
    }
}

/// The names of the types that a parameter may lead to.
fn targets(planned: &Planned) -> Vec<&'static str> {
    let definitions = definitions();
    match planned.param.targets {
        [] => definitions.kinds().map(|kind| definitions.name_of(kind)).collect(),
        targets => targets.iter().map(|kind| definitions.name_of(*kind)).collect(),
    }
}
