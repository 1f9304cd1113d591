//! Composites: values of several parameters about one element, with `$` between them.

use super::amount::{number_test, quantity_test};
use super::{Ask, Refusal, moment, plain};
use crate::composite::{ComponentTest, TEXT_BYTES_MAX};
use crate::fold::fold;
use crate::plan::Values;
use crate::read::local_parts;
use crate::{Criterion, value};
use iris_fhir::definitions::ParamKind;
use iris_fhir::validate::primitive::is_id;

/// Appends what one alternative stands for.
pub(super) fn composite(ask: &Ask<'_>, piece: &str, group: &mut Vec<Criterion>) -> Result<(), Refusal> {
    let Values::Composite(composite) = &ask.planned.values else { return Err("has no components".into()) };
    let sorts: Vec<ParamKind> = composite.sorts().collect();
    let parts = value::split(piece, b'$');
    if parts.len() != sorts.len() || parts.iter().any(|part| part.is_empty()) {
        let names: Vec<_> = sorts.iter().map(|sort| sort.code()).collect();
        return Err(format!("needs {} values with $ between them: {}", names.len(), names.join(", ")).into());
    }
    let tests: Result<Vec<_>, Refusal> = sorts.iter().zip(parts).map(|(sort, part)| test(ask, *sort, part)).collect();
    let tests = tests?;
    let scans = composite.stands_under.iter().map(|param| ComponentTest::scan(*param, tests.clone()));
    group.extend(scans.map(Criterion::Scan));
    Ok(())
}

/// What is asked of one component.
fn test(ask: &Ask<'_>, sort: ParamKind, part: &str) -> Result<ComponentTest, Refusal> {
    Ok(match sort {
        ParamKind::Token => token(part)?,
        ParamKind::Number => ComponentTest::Number(number_test(part)?),
        ParamKind::Quantity => ComponentTest::Quantity(quantity_test(part)?),
        ParamKind::Date => {
            let (op, low, high) = moment(part, ask.context)?;
            ComponentTest::Date { op, low, high }
        }
        ParamKind::String => {
            let text = plain(part)?;
            let folded = fold(&text);
            if folded.len() > TEXT_BYTES_MAX {
                return Err("has a value that is too long".into());
            }
            ComponentTest::Starts(folded.as_bytes().into())
        }
        ParamKind::Reference => {
            let text = plain(part)?;
            let base_url = ask.context.base_url.trim_end_matches('/');
            let own =
                text.strip_prefix(base_url).and_then(|rest| rest.strip_prefix('/')).filter(|_| !base_url.is_empty());
            match local_parts(own.unwrap_or(&text)) {
                Some((kind, id)) => ComponentTest::reference(&format!("{kind}/{id}")),
                None if is_id(&text) => ComponentTest::reference_id(&text),
                None => ComponentTest::reference(&text),
            }
        }
        ParamKind::Uri | ParamKind::Composite | ParamKind::Special => {
            return Err("has a component of a sort that is not supported".into());
        }
    })
}

fn token(part: &str) -> Result<ComponentTest, Refusal> {
    let Some((system, code)) = value::split_at_plain(part, b'|') else {
        return Ok(ComponentTest::token(None, Some(&plain(part)?)));
    };
    let (system, code) = (plain(system)?, plain(code)?);
    if system.is_empty() && code.is_empty() {
        return Err("has a | with neither a system before it nor a code after it".into());
    }
    Ok(ComponentTest::token(Some(&system), Some(&*code).filter(|code| !code.is_empty())))
}
