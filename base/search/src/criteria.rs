//! One alternative of a search value to the criteria that it stands for.

use std::borrow::Cow;

use super::extract::local_parts;
use super::plan::{Planned, Reading, Values, is_phonetic};
use super::{Criterion, DateOp, Term, date, sound, term, value};
use iris_fhir::definitions::{ParamKind, definitions, kind_of};
use iris_fhir::validate::primitive::is_id;

/// Most types that a message lists.
const NAMED_TARGETS_MAX: usize = 20;

/// What is wrong with a parameter, in words; its name stands beside it.
pub(super) type Refusal = Cow<'static, str>;

/// Appends the criteria, of which one must hold, for one alternative (still escaped, not empty).
pub(super) fn criteria(
    planned: &Planned,
    modifier: Option<&str>,
    piece: &str,
    base_url: &str,
    group: &mut Vec<Criterion>,
) -> Result<(), Refusal> {
    let index = planned.param.index;
    match planned.param.kind {
        ParamKind::Token if planned.param.code == "_id" => {
            without(modifier)?;
            group.push(Criterion::Term(term::code(index, &plain(piece)?)));
        }
        ParamKind::Token => {
            without(modifier)?;
            let term = token(planned, piece)?;
            // An identifier that not everybody sees stands under other terms; who may not see it asks without them.
            group.extend(reads_identifiers(&planned.values).then(|| Criterion::Term(term::guarded(&term))));
            group.push(Criterion::Term(term));
        }
        ParamKind::String if is_phonetic(planned.param) => {
            without(modifier)?;
            group.push(sound_of(index, &plain(piece)?)?);
        }
        ParamKind::String => group.push(string(index, modifier, &plain(piece)?)?),
        ParamKind::Reference => reference(planned, modifier, &plain(piece)?, base_url, group)?,
        ParamKind::Uri => {
            without(modifier)?;
            group.push(Criterion::Term(term::uri(index, &plain(piece)?)));
        }
        ParamKind::Date => {
            without(modifier)?;
            group.push(moment(planned, piece)?);
        }
        // The plan has none of these.
        ParamKind::Number | ParamKind::Quantity | ParamKind::Composite | ParamKind::Special => {
            return Err("is of a sort that is not supported".into());
        }
    }
    Ok(())
}

fn plain(piece: &str) -> Result<Cow<'_, str>, Refusal> {
    value::unescape(piece).ok_or("has a backslash that stands before none of \\ , | $".into())
}

fn without(modifier: Option<&str>) -> Result<(), Refusal> {
    match modifier {
        None => Ok(()),
        Some(_) => Err("supports no modifier here".into()),
    }
}

fn token(planned: &Planned, piece: &str) -> Result<Term, Refusal> {
    let index = planned.param.index;
    let Some((system, code)) = value::split_at_plain(piece, b'|') else {
        let code = plain(piece)?;
        if is_boolean(&planned.values) && !["true", "false"].contains(&&*code) {
            return Err("supports only the values true and false".into());
        }
        return Ok(term::code(index, &code));
    };
    let (system, code) = (plain(system)?, plain(code)?);
    Ok(match (&*system, &*code) {
        ("", "") => return Err("has a | with neither a system before it nor a code after it".into()),
        ("", code) => term::no_system(index, code),
        (system, "") => term::system(index, system),
        (system, code) => term::system_code(index, system, code),
    })
}

fn reads_identifiers(values: &Values) -> bool {
    matches!(values, Values::Paths(paths) if paths.iter().any(|(_, reading)| *reading == Reading::Identifier))
}

fn is_boolean(values: &Values) -> bool {
    match values {
        Values::Paths(paths) => paths.iter().all(|(_, reading)| *reading == Reading::Boolean),
        Values::Test(_) => true,
        Values::Server => false,
    }
}

fn string(index: u16, modifier: Option<&str>, text: &str) -> Result<Criterion, Refusal> {
    match modifier {
        None => {
            let prefix = term::folded(index, text);
            if term::is_without_value(&prefix) {
                return Err("has a value without letters, digits or signs".into());
            }
            if term::is_full(&prefix) {
                return Err("has a value that is too long".into());
            }
            Ok(Criterion::Prefix(prefix))
        }
        Some("exact") => Ok(Criterion::Term(term::exact(index, text))),
        Some(_) => Err("supports only the modifier :exact".into()),
    }
}

fn sound_of(index: u16, text: &str) -> Result<Criterion, Refusal> {
    match &sound::keys(text)[..] {
        [key] => Ok(Criterion::Term(term::sound(index, key))),
        _ => Err("supports one word in each value; repeat the parameter for more".into()),
    }
}

fn moment(planned: &Planned, piece: &str) -> Result<Criterion, Refusal> {
    let slot = planned.slot.ok_or("is of a sort that is not supported")?;
    let prefix_length = piece.bytes().take_while(u8::is_ascii_lowercase).count();
    let (prefix, date) = piece.split_at(prefix_length);
    let op = match prefix {
        "" | "eq" => DateOp::Eq,
        "ne" => DateOp::Ne,
        "gt" => DateOp::Gt,
        "lt" => DateOp::Lt,
        "ge" => DateOp::Ge,
        "le" => DateOp::Le,
        "sa" => DateOp::Sa,
        "eb" => DateOp::Eb,
        "ap" => return Err("does not support the prefix ap; use ge and le".into()),
        _ => return Err("supports only the prefixes eq, ne, gt, lt, ge, le, sa and eb".into()),
    };
    let (low, high) = date::range(date).ok_or(
        "needs a date or time such as 2013, 2013-01, 2013-01-14, 2013-01-14T10:00 or 2013-01-14T10:00:00.000Z",
    )?;
    Ok(Criterion::Date { slot, op, low, high })
}

/// A reference parameter's value: `Type/id`, `id`, a URL (also under this server's own address) or `urn:…`.
fn reference(
    planned: &Planned,
    modifier: Option<&str>,
    text: &str,
    base_url: &str,
    group: &mut Vec<Criterion>,
) -> Result<(), Refusal> {
    let index = planned.param.index;
    let wanted = modifier.map(|name| target(planned, name)).transpose()?;
    let base_url = base_url.trim_end_matches('/');
    let own = text.strip_prefix(base_url).and_then(|rest| rest.strip_prefix('/')).filter(|_| !base_url.is_empty());
    let term = Criterion::Term;
    if text.contains("/_history/") {
        return Err("does not support a version in the reference".into());
    }
    if let Some((kind, id)) = local_parts(own.unwrap_or(text)) {
        if wanted.is_some_and(|wanted| wanted != kind) {
            return Err("names one type in the modifier and another in the value".into());
        }
        group.push(term(term::local(index, kind, id)));
        group.push(term(term::uri(index, &format!("{base_url}/{kind}/{id}"))));
        return Ok(());
    }
    if is_id(text) {
        match wanted {
            Some(kind) => group.push(term(term::local(index, kind, text))),
            None => group.push(term(term::local_id(index, text))),
        }
        let kinds = wanted.map_or_else(|| targets(planned), |kind| vec![kind]);
        group.extend(kinds.iter().map(|kind| term(term::uri(index, &format!("{base_url}/{kind}/{text}")))));
        return Ok(());
    }
    if text.starts_with("urn:") || text.contains("://") {
        group.push(term(term::uri(index, text)));
        return Ok(());
    }
    Err("needs an id, Type/id with a type of R4, or an absolute URL".into())
}

/// The type that a modifier names, if the parameter may lead to it.
fn target(planned: &Planned, name: &str) -> Result<&'static str, Refusal> {
    let definitions = definitions();
    let targets = planned.param.targets;
    let kind = kind_of(name).filter(|kind| targets.is_empty() || targets.contains(kind));
    kind.map(|kind| definitions.name_of(kind)).ok_or_else(|| match targets {
        targets if targets.is_empty() || targets.len() > NAMED_TARGETS_MAX => {
            "supports only the name of a resource type as modifier".into()
        }
        targets => {
            let names: Vec<_> = targets.iter().map(|kind| format!(":{}", definitions.name_of(*kind))).collect();
            format!("supports only the modifiers {}", names.join(", ")).into()
        }
    })
}

/// The names of the types that a parameter may lead to.
fn targets(planned: &Planned) -> Vec<&'static str> {
    let definitions = definitions();
    match planned.param.targets {
        [] => definitions.kinds().map(|kind| definitions.name_of(kind)).collect(),
        targets => targets.iter().map(|kind| definitions.name_of(*kind)).collect(),
    }
}
