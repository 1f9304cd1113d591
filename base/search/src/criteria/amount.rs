//! Numbers and quantities.

use super::{Refusal, plain, prefix};
use crate::number::{Asked, NumberTest};
use crate::quantity::QuantityTest;
use crate::scan::{Scan, ScanTest};
use crate::term::{Mode, head};
use crate::{Criterion, DateOp, value};

const FORM: &str = "needs a number such as 100, 5.40 or -1.2e3";
const QUANTITY_FORM: &str = "needs a number, or number|system|code, or number||code";

/// A number.
pub(super) fn number(index: u16, piece: &str) -> Result<Criterion, Refusal> {
    let test = number_test(piece)?;
    Ok(Criterion::Scan(Scan::new(head(index, Mode::Number), ScanTest::Number(test))))
}

pub(super) fn number_test(piece: &str) -> Result<NumberTest, Refusal> {
    let (op, asked) = asked(piece)?;
    NumberTest::new(op, asked).ok_or(FORM.into())
}

/// A number with a unit.
pub(super) fn quantity(index: u16, piece: &str) -> Result<Criterion, Refusal> {
    Ok(Criterion::Scan(quantity_test(piece)?.scan(index)))
}

pub(super) fn quantity_test(piece: &str) -> Result<QuantityTest, Refusal> {
    let Some((number, unit)) = value::split_at_plain(piece, b'|') else {
        let (op, asked) = asked(piece)?;
        return QuantityTest::new(op, asked, None, None).ok_or(FORM.into());
    };
    let (system, code) = value::split_at_plain(unit, b'|').ok_or(QUANTITY_FORM)?;
    let (system, code) = (plain(system)?, plain(code)?);
    // A number and two bars without a unit is a number.
    let code = Some(&*code).filter(|code| !code.is_empty());
    let system = Some(&*system).filter(|system| !system.is_empty());
    if system.is_some() && code.is_none() {
        return Err(QUANTITY_FORM.into());
    }
    let (op, asked) = asked(number)?;
    QuantityTest::new(op, asked, system, code).ok_or("has a number that cannot be converted to this unit".into())
}

fn asked(piece: &str) -> Result<(DateOp, Asked), Refusal> {
    let (op, text) = prefix(piece)?;
    let asked = text.parse().map_err(|()| FORM)?;
    Ok((op, asked))
}
