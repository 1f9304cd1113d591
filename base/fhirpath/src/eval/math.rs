//! Functions on numbers (§ 5.7), and what precision there is.

use iris_ucum::{Decimal, Rounding};

use super::operators::whole;
use super::{Done, Machine, Scope, operand};
use crate::compare::{number, quantity};
use crate::error::EvalError;
use crate::function::Function;
use crate::item::{Item, Items};
use crate::moment_arithmetic::Bound;
use crate::program::StepId;
use crate::quantity::Quantity;

/// Most digits after the point that one can ask for.
const PLACES_MAX: i64 = 28;
/// Digits after the point of a boundary where none are asked for.
const BOUNDARY_PLACES: i64 = 8;

impl<'a> Machine<'a, '_, '_> {
    pub(super) fn math(
        &mut self,
        function: Function,
        input: &Items<'a>,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let Some(item) = operand(input, "a function on numbers")? else { return Ok(()) };
        if let (Function::Abs, Item::Quantity(quantity)) = (function, &item) {
            out.push(Item::Quantity(Quantity { value: quantity.value.abs(), unit: quantity.unit.clone() }.into()));
            return Ok(());
        }
        let value = number(&item).ok_or(EvalError::Type("a number was expected"))?;
        let is_whole = matches!(item, Item::Integer(_));
        let result = match function {
            Function::Abs if is_whole => value.abs().to_i64().map(Item::Integer),
            Function::Abs => Some(Item::Decimal(value.abs())),
            Function::Ceiling => rounded(value, Rounding::Ceiling),
            Function::Floor => rounded(value, Rounding::Floor),
            Function::Truncate => rounded(value, Rounding::Down),
            Function::Exp => real(value.to_f64().exp()),
            Function::Ln => logarithm(value, f64::ln),
            Function::Sqrt if value.is_negative() => None,
            Function::Sqrt => real(value.to_f64().sqrt()),
            Function::Round => self.round(value, arguments, scope)?,
            _ => {
                let Some(argument) = arguments.first() else { return Ok(()) };
                let Some(argument) = self.value(*argument, scope, "an argument")? else { return Ok(()) };
                let other = number(&argument).ok_or(EvalError::Type("a number was expected"))?;
                if function == Function::Log { log(value, other) } else { power(value, other, &item, &argument) }
            }
        };
        out.extend(result);
        Ok(())
    }

    fn round(
        &mut self,
        value: Decimal,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
    ) -> Result<Option<Item<'a>>, EvalError> {
        let places = match arguments.first() {
            None => 0,
            Some(places) => match self.integer(*places, scope, "a number of digits")? {
                None => return Ok(None),
                Some(places) => places,
            },
        };
        let places = i32::try_from(places).ok().filter(|places| (0..=28).contains(places));
        let places = places.ok_or(EvalError::Argument("round() takes 0 to 28 digits"))?;
        // More digits than there are: the number as it is.
        let result = if places >= value.scale() { Some(value) } else { value.round(places, Rounding::HalfUp) };
        Ok(result.map(Item::Decimal))
    }

    pub(super) fn precision(
        &mut self,
        function: Function,
        input: &Items<'a>,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let Some(item) = operand(input, "a function on one value")? else { return Ok(()) };
        let result = match function {
            Function::Comparable => {
                let Some(other) = arguments.first() else { return Ok(()) };
                let Some(other) = self.value(*other, scope, "comparable()")? else { return Ok(()) };
                match (quantity(&item), quantity(&other)) {
                    (Some(a), Some(b)) => Some(Item::Boolean(a.comparable(&b))),
                    _ => return Err(EvalError::Type("comparable() is for quantities")),
                }
            }
            Function::Precision => Some(Item::Integer(match &item {
                Item::Integer(_) => 0,
                Item::Decimal(number) => i64::from(number.scale().max(0)),
                Item::Moment(moment) => moment.digits(),
                _ => return Err(EvalError::Type("precision() is for numbers, dates and times")),
            })),
            _ => {
                let digits = match arguments.first() {
                    None => None,
                    Some(digits) => match self.integer(*digits, scope, "a number of digits")? {
                        None => return Ok(()),
                        digits => digits,
                    },
                };
                let bound = if function == Function::LowBoundary { Bound::Low } else { Bound::High };
                boundary(&item, bound, digits)?
            }
        };
        out.extend(result);
        Ok(())
    }
}

fn boundary<'a>(item: &Item<'a>, bound: Bound, digits: Option<i64>) -> Result<Option<Item<'a>>, EvalError> {
    Ok(match item {
        Item::Moment(moment) => moment.boundary(bound, digits).map(Item::Moment),
        Item::Quantity(quantity) => number_boundary(quantity.value, bound, digits)
            .map(|value| Item::Quantity(Quantity { value, unit: quantity.unit.clone() }.into())),
        _ => match number(item) {
            Some(value) => number_boundary(value, bound, digits).map(Item::Decimal),
            None => return Err(EvalError::Type("boundaries are of numbers, quantities, dates and times")),
        },
    })
}

/// The least or greatest number that is spelt like this one, rounded outward.
fn number_boundary(value: Decimal, bound: Bound, digits: Option<i64>) -> Option<Decimal> {
    let digits = digits.unwrap_or(BOUNDARY_PLACES);
    if !(0..=PLACES_MAX).contains(&digits) {
        return None;
    }
    let digits = i32::try_from(digits).ok()?;
    let half = value.half_unit()?;
    match bound {
        Bound::Low => value.minus(half)?.round(digits, Rounding::Floor),
        Bound::High => value.plus(half)?.round(digits, Rounding::Ceiling),
    }
}

fn rounded<'a>(value: Decimal, rounding: Rounding) -> Option<Item<'a>> {
    whole(value.round(0, rounding)?.to_i64())
}

/// The nearest decimal of what is no exact function; nothing where there is no number.
fn real<'a>(number: f64) -> Option<Item<'a>> {
    let value = Decimal::from_f64(number)?;
    Some(Item::Decimal(value.with_scale_at_least(1).unwrap_or(value)))
}

fn logarithm<'a>(value: Decimal, function: fn(f64) -> f64) -> Option<Item<'a>> {
    let positive = !value.is_negative() && !value.is_zero();
    if positive { real(function(value.to_f64())) } else { None }
}

fn log<'a>(value: Decimal, base: Decimal) -> Option<Item<'a>> {
    if base.is_negative() || base.is_zero() || base == Decimal::ONE {
        return None;
    }
    let base = base.to_f64();
    // These two are exact where the result is a whole number.
    if base == 2.0 {
        logarithm(value, f64::log2)
    } else if base == 10.0 {
        logarithm(value, f64::log10)
    } else if value.is_negative() || value.is_zero() {
        None
    } else {
        real(value.to_f64().ln() / base.ln())
    }
}

fn power<'a>(value: Decimal, exponent: Decimal, item: &Item<'a>, argument: &Item<'a>) -> Option<Item<'a>> {
    let exact = exponent.to_i64().and_then(|exponent| u32::try_from(exponent).ok());
    match exact {
        Some(exponent) => {
            let result = value.power(exponent)?;
            if matches!((item, argument), (Item::Integer(_), Item::Integer(_))) {
                whole(result.to_i64())
            } else {
                Some(Item::Decimal(result))
            }
        }
        None => real(value.to_f64().powf(exponent.to_f64())),
    }
}
