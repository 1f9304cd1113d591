//! One alternative of a search value to the criteria that it stands for.

mod amount;
mod composite;
mod position;
mod reference;
mod token;

use std::borrow::Cow;

use super::abilities::{Modifier, PREFIXES};
use super::parse::TextTest;
use super::plan::{Planned, is_phonetic};
use super::scan::{Scan, ScanTest};
use super::term::{Mode, head};
use super::{Criterion, DateOp, QueryContext, date, sound, term, value};
use iris_fhir::definitions::ParamKind;

pub(super) use reference::target;
pub(super) use token::other_than as other_token;

/// What is wrong with a parameter, in words; its name stands beside it.
pub(super) type Refusal = Cow<'static, str>;

/// Longest part of an address, in bytes, under which others can be asked for: beyond it an index has only their digests.
const URI_PART_BYTES_MAX: usize = 118;
/// Of the distance between a date and now, what counts as near (`ap`): R4 recommends a tenth.
const APPROXIMATELY: i64 = 10;

/// What a value is read for.
pub(super) struct Ask<'a> {
    pub(super) planned: &'a Planned,
    pub(super) modifier: Option<Modifier>,
    pub(super) context: &'a QueryContext<'a>,
}

/// Appends the criteria, of which one must hold (or none, for `:not` and `:not-in`), for one alternative (still escaped, not empty).
pub(super) fn criteria(ask: &Ask<'_>, piece: &str, group: &mut Vec<Criterion>) -> Result<(), Refusal> {
    let param = ask.planned.param;
    match param.kind {
        ParamKind::Token => token::token(ask, piece, group)?,
        ParamKind::String if is_phonetic(param) => group.push(sound_of(param.index, &plain(piece)?)?),
        ParamKind::String => {
            let text = plain(piece)?;
            group.push(match ask.modifier {
                Some(Modifier::Exact) => Criterion::Term(term::exact(param.index, &text)),
                Some(Modifier::Contains) => text_test(ask.planned, TextTest::Contains, &text)?,
                _ => text_test(ask.planned, TextTest::Starts, &text)?,
            });
        }
        ParamKind::Reference => reference::reference(ask, piece, group)?,
        ParamKind::Uri => uri(param.index, ask.modifier, &plain(piece)?, group)?,
        ParamKind::Date => {
            let slot = ask.planned.slot.ok_or("is of a sort that is not supported")?;
            let (op, low, high) = moment(piece, ask.context)?;
            group.push(Criterion::Date { slot, op, low, high });
        }
        ParamKind::Number => group.push(amount::number(param.index, piece)?),
        ParamKind::Quantity => group.push(amount::quantity(param.index, piece)?),
        ParamKind::Composite => composite::composite(ask, piece, group)?,
        ParamKind::Special => group.push(position::near(param.index, piece)?),
    }
    Ok(())
}

/// A value without the backslashes that escape a part of it.
pub(super) fn plain(piece: &str) -> Result<Cow<'_, str>, Refusal> {
    value::unescape(piece).ok_or("has a backslash that stands before none of \\ , | $".into())
}

/// A comparison with the folded texts of a string parameter.
pub(super) fn text_test(planned: &Planned, test: TextTest, text: &str) -> Result<Criterion, Refusal> {
    let index = planned.param.index;
    if is_phonetic(planned.param) {
        return sound_of(index, text);
    }
    let folded = term::folded(index, text);
    folded_test(head(index, Mode::Folded), test, folded)
}

/// The test of terms under `head`, given the term of the whole text.
fn folded_test(head: [u8; 3], test: TextTest, folded: term::Term) -> Result<Criterion, Refusal> {
    if term::is_without_value(&folded) {
        return Err("has a value without letters, digits or signs".into());
    }
    if term::is_full(&folded) {
        return Err("has a value that is too long".into());
    }
    let text: Box<[u8]> = folded.get(head.len()..).unwrap_or_default().into();
    Ok(match test {
        TextTest::Whole => Criterion::Term(folded),
        TextTest::Other => Criterion::Scan(Scan::new(head, ScanTest::Other(text))),
        TextTest::Starts => Criterion::Prefix(folded),
        TextTest::Contains => Criterion::Scan(Scan::new(head, ScanTest::Contains(text))),
        TextTest::Ends => Criterion::Scan(Scan::new(head, ScanTest::Ends(text))),
        TextTest::Order(order) => Criterion::Scan(Scan::new(head, ScanTest::Order(order, text))),
    })
}

/// That some value of a token or address is another than this one (still escaped).
pub(super) fn other_than(planned: &Planned, value: &str) -> Result<Vec<Criterion>, Refusal> {
    if planned.param.kind == ParamKind::Token {
        return other_token(planned, value);
    }
    if value::split_at_plain(value, b'|').is_some() {
        return Err("compares addresses by ne without their version".into());
    }
    let value = plain(value)?;
    let head = head(planned.param.index, Mode::Uri);
    Ok(vec![Criterion::Scan(Scan::new(head, ScanTest::OtherAddress(value.as_bytes().into())))])
}

/// A comparison with a part of an address, with case.
pub(super) fn uri_part(planned: &Planned, test: TextTest, value: &str) -> Criterion {
    let index = planned.param.index;
    let head = head(index, Mode::Uri);
    match test {
        TextTest::Contains => Criterion::Scan(Scan::new(head, ScanTest::Contains(value.as_bytes().into()))),
        TextTest::Ends => Criterion::Scan(Scan::new(head, ScanTest::Ends(value.as_bytes().into()))),
        _ => Criterion::Prefix(term::uri(index, value)),
    }
}

fn sound_of(index: u16, text: &str) -> Result<Criterion, Refusal> {
    match &sound::keys(text)[..] {
        [key] => Ok(Criterion::Term(term::sound(index, key))),
        _ => Err("supports one word in each value; repeat the parameter for more".into()),
    }
}

/// The comparison that a value begins with, `eq` where none stands, and the rest.
fn prefix(piece: &str) -> Result<(DateOp, &str), Refusal> {
    let length = piece.bytes().take_while(u8::is_ascii_lowercase).count();
    let (name, rest) = piece.split_at(length);
    if name.is_empty() {
        return Ok((DateOp::Eq, rest));
    }
    match PREFIXES.iter().find(|(own, _)| *own == name) {
        Some((_, op)) => Ok((*op, rest)),
        None => {
            let known: Vec<_> = PREFIXES.iter().map(|(own, _)| *own).collect();
            Err(format!("supports only the prefixes {}", known.join(", ")).into())
        }
    }
}

/// A comparison with a date: how, and with which range.
fn moment(piece: &str, context: &QueryContext<'_>) -> Result<(DateOp, i64, i64), Refusal> {
    let (op, text) = prefix(piece)?;
    let (low, high) = day(text)?;
    if op != DateOp::Ap {
        return Ok((op, low, high));
    }
    let middle = low + (high - low) / 2;
    let gap = context.now.0.saturating_sub(middle).saturating_abs() / APPROXIMATELY;
    Ok((op, low.saturating_sub(gap), high.saturating_add(gap)))
}

fn day(text: &str) -> Result<date::Range, Refusal> {
    let text = plain(text)?;
    date::range(&text).ok_or(
        "needs a date or time such as 2013, 2013-01, 2013-01-14, 2013-01-14T10:00 or 2013-01-14T10:00:00.000Z".into(),
    )
}

/// That a date has something in common with a range of its parameter.
pub(super) fn overlaps(planned: &Planned, text: &str) -> Result<Criterion, Refusal> {
    compared(planned, DateOp::Ap, text)
}

/// That a date lies within a range of its parameter.
pub(super) fn contains_date(planned: &Planned, text: &str) -> Result<Criterion, Refusal> {
    compared(planned, DateOp::Contains, text)
}

fn compared(planned: &Planned, op: DateOp, text: &str) -> Result<Criterion, Refusal> {
    let slot = planned.slot.ok_or("is of a sort that is not supported")?;
    let (low, high) = day(text)?;
    Ok(Criterion::Date { slot, op, low, high })
}

/// An address: itself, what stands under it, or what it stands under. R4 gives addresses with paths a hierarchy, and names without
/// (`urn:oid:…`) none.
fn uri(index: u16, modifier: Option<Modifier>, text: &str, group: &mut Vec<Criterion>) -> Result<(), Refusal> {
    group.push(Criterion::Term(term::uri(index, text)));
    let Some(modifier) = modifier else { return Ok(()) };
    let Some((scheme, rest)) = text.split_once("://").filter(|_| !text.contains(['?', '#', '|'])) else {
        return Err("needs an address with a path, such as http://example.org/fhir/; names like urn:… have nothing above or below".into());
    };
    if modifier == Modifier::Below {
        let under = if text.ends_with('/') { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}/")) };
        if under.len() > URI_PART_BYTES_MAX {
            return Err(format!("supports addresses of at most {URI_PART_BYTES_MAX} bytes with :below").into());
        }
        group.push(Criterion::Prefix(term::uri(index, &under)));
        return Ok(());
    }
    let path_from = scheme.len() + "://".len();
    for (at, _) in rest.match_indices('/') {
        let end = path_from + at;
        // With and without the slash at its end an address is the same place.
        for above in [&text[..end], &text[..=end]] {
            if above != text {
                group.push(Criterion::Term(term::uri(index, above)));
            }
        }
    }
    Ok(())
}
