//! Conversions (§ 5.5).

use iris_ucum::Decimal;

use super::{Done, Machine, Scope, single};
use crate::error::EvalError;
use crate::function::{Function, Target};
use crate::item::{Item, Items};
use crate::moment::{Moment, MomentKind};
use crate::program::StepId;
use crate::quantity::Quantity;

impl<'a> Machine<'a, '_, '_> {
    pub(super) fn conversion(
        &mut self,
        function: Function,
        input: &Items<'a>,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let (Function::To(target) | Function::ConvertsTo(target)) = function else { return Ok(()) };
        let Some(item) = single(input, "a conversion")? else { return Ok(()) };
        let mut converted = item.plain().map(|item| convert(&item, target)).transpose()?.flatten();
        if let Some(unit) = arguments.first() {
            // § 5.5.7: only where the quantity has that unit, or one that converts to it.
            let Some(unit) = self.text(*unit, scope, "toQuantity()")? else { return Ok(()) };
            converted = match converted {
                Some(Item::Quantity(quantity)) => quantity.in_unit(unit.as_str()).map(|own| Item::Quantity(own.into())),
                other => other,
            };
        }
        match function {
            Function::To(_) => out.extend(converted),
            _ => out.push(Item::Boolean(converted.is_some())),
        }
        Ok(())
    }
}

fn convert<'a>(item: &Item<'a>, target: Target) -> Result<Option<Item<'a>>, EvalError> {
    Ok(match target {
        Target::Boolean => boolean(item).map(Item::Boolean),
        Target::Integer => integer(item),
        Target::Decimal => decimal(item).map(Item::Decimal),
        Target::Quantity => quantity(item),
        Target::String => string(item),
        Target::Date => moment(item, Moment::parse_date, MomentKind::Date),
        Target::DateTime => moment(item, Moment::parse_date_time, MomentKind::DateTime),
        Target::Time => moment(item, Moment::parse_time, MomentKind::Time),
    })
}

fn boolean(item: &Item<'_>) -> Option<bool> {
    match item {
        Item::Boolean(value) => Some(*value),
        Item::Integer(1) => Some(true),
        Item::Integer(0) => Some(false),
        Item::Decimal(number) if *number == Decimal::ONE => Some(true),
        Item::Decimal(number) if number.is_zero() => Some(false),
        Item::String(text) => match text.as_str().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    match item {
        Item::Integer(_) => Some(item.clone()),
        Item::Boolean(value) => Some(Item::Integer(i64::from(*value))),
        Item::String(text) => {
            let digits = text.as_str().trim_start_matches(['+', '-']);
            let spelt = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number: i32 = spelt.then(|| text.as_str().parse().ok()).flatten()?;
            Some(Item::Integer(number.into()))
        }
        _ => None,
    }
}

fn decimal(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(number) => Some(Decimal::from(*number)),
        Item::Decimal(number) => Some(*number),
        Item::Boolean(value) => Decimal::new(if *value { 10 } else { 0 }, 1),
        // The language knows no exponents.
        Item::String(text) if !text.as_str().contains(['e', 'E']) => Decimal::parse(text.as_str()).ok(),
        _ => None,
    }
}

fn quantity<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    let quantity = match item {
        Item::Quantity(_) => return Some(item.clone()),
        Item::String(text) => Quantity::parse(text.as_str())?,
        _ => Quantity::plain(decimal(item)?),
    };
    Some(Item::Quantity(quantity.into()))
}

fn string<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    Some(match item {
        Item::String(_) => item.clone(),
        Item::Boolean(value) => Item::made(value.to_string()),
        Item::Integer(number) => Item::made(number.to_string()),
        Item::Decimal(number) => Item::made(number.to_string()),
        Item::Moment(moment) => Item::made(moment.to_string()),
        Item::Quantity(quantity) => Item::made(quantity.to_string()),
        Item::Node(_) | Item::Target(_) | Item::Type(_) => return None,
    })
}

fn moment<'a>(item: &Item<'a>, parse: fn(&str) -> Option<Moment>, kind: MomentKind) -> Option<Item<'a>> {
    let moment = match (item, kind) {
        (Item::String(text), _) => parse(text.as_str())?,
        (Item::Moment(moment), _) if moment.kind() == kind => *moment,
        (Item::Moment(moment), MomentKind::Date) if moment.kind() == MomentKind::DateTime => moment.date(),
        (Item::Moment(moment), MomentKind::DateTime) if moment.kind() == MomentKind::Date => {
            Moment { kind: MomentKind::DateTime, ..*moment }
        }
        _ => return None,
    };
    Some(Item::Moment(moment))
}
