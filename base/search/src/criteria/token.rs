//! Tokens: codes, identifiers, truth values, contact points, ids.

use iris_kernel::limits::SEARCH_EXPANSION_MAX;

use super::{Ask, Refusal, folded_test, plain};
use crate::abilities::Modifier;
use crate::parse::TextTest;
use crate::plan::{Planned, Reading};
use crate::scan::{Scan, ScanTest};
use crate::term::{self, HEAD_BYTES, Mode, Term, head};
use crate::terminology::{Coded, Unknown};
use crate::{Criterion, value};

/// Appends what one alternative stands for.
pub(super) fn token(ask: &Ask<'_>, piece: &str, group: &mut Vec<Criterion>) -> Result<(), Refusal> {
    let index = ask.planned.param.index;
    if ask.planned.param.code == "_id" {
        group.push(Criterion::Term(term::code(index, &plain(piece)?)));
        return Ok(());
    }
    let terminology = ask.context.terminology;
    match ask.modifier {
        Some(Modifier::In | Modifier::NotIn) => {
            let codes = terminology.expand(&plain(piece)?).map_err(Unknown::what)?;
            members(ask.planned, &codes, group)
        }
        Some(modifier @ (Modifier::Above | Modifier::Below)) => {
            let Some((system, code)) = system_and_code(piece)? else {
                return Err(format!("needs system|code with :{}", modifier.code()).into());
            };
            let codes = match modifier {
                Modifier::Above => terminology.above(&system, &code),
                _ => terminology.below(&system, &code),
            };
            let coded = |code| Coded { system: system.clone(), code };
            let codes: Vec<Coded> = codes.map_err(Unknown::what)?.into_iter().map(coded).collect();
            members(ask.planned, &codes, group)
        }
        Some(Modifier::Text) => {
            let text = plain(piece)?;
            let found = folded_test(head(index, Mode::Text), TextTest::Starts, term::text(index, &text))?;
            if let (true, Criterion::Prefix(start)) = (ask.planned.reads_identifiers(), &found) {
                group.push(Criterion::Prefix(term::guarded(start)));
            }
            group.push(found);
            Ok(())
        }
        Some(Modifier::OfType) => {
            let term = of_type(index, piece)?;
            either(ask.planned, term, group);
            Ok(())
        }
        _ => {
            either(ask.planned, plain_token(ask.planned, piece)?, group);
            Ok(())
        }
    }
}

/// The term, and the one that stands for it where not everybody sees the identifier: who may not see it asks without that.
fn either(planned: &Planned, term: Term, group: &mut Vec<Criterion>) {
    group.extend(planned.reads_identifiers().then(|| Criterion::Term(term::guarded(&term))));
    group.push(Criterion::Term(term));
}

fn plain_token(planned: &Planned, piece: &str) -> Result<Term, Refusal> {
    let index = planned.param.index;
    let Some((system, code)) = value::split_at_plain(piece, b'|') else {
        let code = plain(piece)?;
        if planned.is_boolean() && !["true", "false"].contains(&&*code) {
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

/// That some value is another than this one. Where a binding does not tell the system of a code, it is none that is asked for.
pub(crate) fn other_than(planned: &Planned, piece: &str) -> Result<Vec<Criterion>, Refusal> {
    let index = planned.param.index;
    let asked = plain_token(planned, piece)?;
    let Some(([_, _, mode], value)) = asked.split_first_chunk::<HEAD_BYTES>() else { return Ok(Vec::new()) };
    let other = |mode| Criterion::Scan(Scan::new(head(index, mode), ScanTest::Other(value.into())));
    let any = |mode| Criterion::Scan(Scan::new(head(index, mode), ScanTest::Any));
    let is = |wanted: Mode| *mode == wanted as u8;
    if is(Mode::Code) {
        let guarded = term::guarded(&asked);
        let lead = guarded.get(..guarded.len().saturating_sub(value.len())).unwrap_or_default();
        let guarded = Criterion::Scan(Scan::new(lead, ScanTest::Other(value.into())));
        return Ok(planned.reads_identifiers().then_some(guarded).into_iter().chain([other(Mode::Code)]).collect());
    }
    if planned.reads_identifiers() {
        return Err("compares identifiers by ne without their system".into());
    }
    let mut group = match () {
        () if is(Mode::SystemCode) => vec![other(Mode::SystemCode), any(Mode::NoSystem)],
        () if is(Mode::NoSystem) => vec![any(Mode::SystemCode), other(Mode::NoSystem)],
        () => vec![other(Mode::System), any(Mode::NoSystem)],
    };
    if planned.reads(Reading::Code) {
        let is_told = Box::new(any(Mode::System));
        group.push(Criterion::All(vec![any(Mode::Code), Criterion::Not(is_told)]));
    }
    Ok(group)
}

/// `system|code`, both given.
fn system_and_code(piece: &str) -> Result<Option<(String, String)>, Refusal> {
    let Some((system, code)) = value::split_at_plain(piece, b'|') else { return Ok(None) };
    let (system, code) = (plain(system)?.into_owned(), plain(code)?.into_owned());
    Ok(Some((system, code)).filter(|(system, code)| !system.is_empty() && !code.is_empty()))
}

/// `system|code|value` of an identifier's type and value.
fn of_type(index: u16, piece: &str) -> Result<Term, Refusal> {
    const FORM: &str = "needs system|code|value: the type of an identifier, and its value";
    let (system, rest) = value::split_at_plain(piece, b'|').ok_or(FORM)?;
    let (code, value) = value::split_at_plain(rest, b'|').ok_or(FORM)?;
    let (system, code, value) = (plain(system)?, plain(code)?, plain(value)?);
    if system.is_empty() || code.is_empty() || value.is_empty() {
        return Err(FORM.into());
    }
    Ok(term::of_type(index, &system, &code, &value))
}

/// One of these codes.
fn members(planned: &Planned, codes: &[Coded], group: &mut Vec<Criterion>) -> Result<(), Refusal> {
    if codes.len() > SEARCH_EXPANSION_MAX {
        return Err(Unknown::TooMany.what().into());
    }
    let index = planned.param.index;
    group.extend(codes.iter().map(|coded| {
        Criterion::Term(match &*coded.system {
            "" => term::no_system(index, &coded.code),
            system => term::system_code(index, system, &coded.code),
        })
    }));
    if planned.reads(Reading::Code) {
        // A `code` whose binding has several systems does not tell which its own is of: there the code alone decides.
        let bare = codes.iter().map(|coded| Criterion::Term(term::code(index, &coded.code))).collect();
        let is_told = Scan::new(head(index, Mode::System), ScanTest::Any);
        group.push(Criterion::All(vec![Criterion::Any(bare), Criterion::Not(Box::new(Criterion::Scan(is_told)))]));
    }
    Ok(())
}
