//! The operators.

use std::cmp::Ordering;

use iris_ucum::{Decimal, Rounding};

use super::{Done, Machine, Scope, operand, single, weight};
use crate::ast::BinaryOp;
use crate::compare::{equal, equal_items, equivalent_items, number, order, quantity};
use crate::error::EvalError;
use crate::item::{Item, Items};
use crate::moment::{Moment, MomentKind};
use crate::program::StepId;
use crate::quantity::{Calendar, Measure, Quantity};

impl<'a> Machine<'a, '_, '_> {
    /// A number or quantity with a sign before it.
    pub(super) fn signed(
        &mut self,
        of: StepId,
        scope: Scope<'a, '_>,
        negate: bool,
    ) -> Result<Option<Item<'a>>, EvalError> {
        let value = self.value(of, scope, "a sign")?;
        Ok(match value {
            None => None,
            Some(Item::Integer(number)) if negate => number.checked_neg().map(Item::Integer),
            Some(Item::Decimal(number)) if negate => Some(Item::Decimal(number.negated())),
            Some(Item::Quantity(quantity)) if negate => Some(Item::Quantity(quantity.negated().into())),
            Some(value @ (Item::Integer(_) | Item::Decimal(_) | Item::Quantity(_))) => Some(value),
            Some(_) => return Err(EvalError::Type("a sign stands before numbers and quantities")),
        })
    }

    /// Three-valued `and` and `or` of all operands (§ 6.5); what does not matter any more is not evaluated.
    pub(super) fn logic(
        &mut self,
        op: BinaryOp,
        operands: &[StepId],
        scope: Scope<'a, '_>,
    ) -> Result<Option<bool>, EvalError> {
        let decides = op == BinaryOp::Or;
        let mut result = Some(!decides);
        for operand in operands {
            match self.truth(*operand, scope, "a truth value")? {
                Some(value) if value == decides => return Ok(Some(decides)),
                Some(_) => {}
                None => result = None,
            }
        }
        Ok(result)
    }

    pub(super) fn union(&mut self, operands: &[StepId], scope: Scope<'a, '_>, out: &mut Items<'a>) -> Done {
        let mut all = Items::new();
        for operand in operands {
            self.run(*operand, scope, &mut all)?;
        }
        self.distinct(all, out)
    }

    /// An operator that comes to a truth value, or to nothing.
    pub(super) fn question(
        &mut self,
        op: BinaryOp,
        left: StepId,
        right: StepId,
        scope: Scope<'a, '_>,
    ) -> Result<Option<bool>, EvalError> {
        let negated = |value: Option<bool>| value.map(|value| !value);
        let both_asked = || self.program.step(left).is_asked() && self.program.step(right).is_asked();
        match op {
            BinaryOp::Implies => return self.implies(left, right, scope),
            BinaryOp::Xor => return self.same_truth(left, right, scope).map(negated),
            BinaryOp::Equal if both_asked() => return self.same_truth(left, right, scope),
            BinaryOp::NotEqual if both_asked() => return self.same_truth(left, right, scope).map(negated),
            BinaryOp::In => return self.is_among(left, right, scope),
            BinaryOp::Contains => return self.is_among(right, left, scope),
            _ => {}
        }
        let (left, right) = (self.items(left, scope)?, self.items(right, scope)?);
        self.spend(left.iter().map(weight).fold(0, u64::saturating_add))?;
        Ok(match op {
            BinaryOp::Equal => equal_items(&left, &right),
            BinaryOp::NotEqual => negated(equal_items(&left, &right)),
            BinaryOp::Equivalent => Some(self.equivalent(&left, &right)?),
            BinaryOp::NotEquivalent => Some(!self.equivalent(&left, &right)?),
            _ => ordered(op, &left, &right)?,
        })
    }

    fn implies(&mut self, left: StepId, right: StepId, scope: Scope<'a, '_>) -> Result<Option<bool>, EvalError> {
        let condition = self.truth(left, scope, "implies")?;
        if condition == Some(false) {
            return Ok(Some(true));
        }
        Ok(match (condition, self.truth(right, scope, "implies")?) {
            (_, Some(true)) => Some(true),
            (Some(true), other) => other,
            _ => None,
        })
    }

    /// Whether both come to the same truth value; `None` if one stays open.
    fn same_truth(&mut self, left: StepId, right: StepId, scope: Scope<'a, '_>) -> Result<Option<bool>, EvalError> {
        let (left, right) = (self.truth(left, scope, "xor")?, self.truth(right, scope, "xor")?);
        Ok(left.zip(right).map(|(left, right)| left == right))
    }

    /// `in`: empty if there is nothing to look for.
    fn is_among(&mut self, item: StepId, items: StepId, scope: Scope<'a, '_>) -> Result<Option<bool>, EvalError> {
        let item = self.items(item, scope)?;
        let Some(item) = single(&item, "in")? else { return Ok(None) };
        let weight = weight(item);
        let mut found = false;
        self.until(items, scope, &mut |machine, other| {
            machine.spend(weight)?;
            found = equal(item, other) == Some(true);
            Ok(found)
        })?;
        Ok(Some(found))
    }

    /// An operator that comes to a value.
    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        left: StepId,
        right: StepId,
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let (left, right) = (self.items(left, scope)?, self.items(right, scope)?);
        self.spend(left.iter().map(weight).fold(0, u64::saturating_add))?;
        match op {
            BinaryOp::Concatenate => self.concatenated(&left, &right, out),
            _ => self.arithmetic(op, &left, &right, out),
        }
    }

    fn equivalent(&mut self, left: &[Item<'a>], right: &[Item<'a>]) -> Result<bool, EvalError> {
        if left.len() != right.len() {
            return Ok(false);
        }
        // Each may be looked for among all others, and so may the items of lists inside.
        let work = |items: &[Item<'a>]| items.iter().map(weight).fold(0, u64::saturating_add);
        self.spend(work(left).saturating_mul(work(right)))?;
        Ok(equivalent_items(left, right))
    }

    /// `&`: nothing is empty text.
    fn concatenated(&mut self, left: &[Item<'a>], right: &[Item<'a>], out: &mut Items<'a>) -> Done {
        let text = |items: &[Item<'a>]| match operand(items, "&")? {
            None => Ok(None),
            Some(Item::String(text)) => Ok(Some(text)),
            Some(_) => Err(EvalError::Type("& joins texts")),
        };
        let (left, right) = (text(left)?, text(right)?);
        let (left, right) =
            (left.as_ref().map_or("", |text| text.as_str()), right.as_ref().map_or("", |text| text.as_str()));
        self.may_make(left.len() + right.len())?;
        out.push(Item::made([left, right].concat()));
        Ok(())
    }

    fn arithmetic(&mut self, op: BinaryOp, left: &[Item<'a>], right: &[Item<'a>], out: &mut Items<'a>) -> Done {
        let (Some(left), Some(right)) = (operand(left, op.symbol())?, operand(right, op.symbol())?) else {
            return Ok(());
        };
        if let (BinaryOp::Add, Item::String(left), Item::String(right)) = (op, &left, &right) {
            self.may_make(left.as_str().len() + right.as_str().len())?;
            out.push(Item::made([left.as_str(), right.as_str()].concat()));
            return Ok(());
        }
        out.extend(calculated(op, &left, &right)?);
        Ok(())
    }
}

fn ordered(op: BinaryOp, left: &[Item<'_>], right: &[Item<'_>]) -> Result<Option<bool>, EvalError> {
    let (Some(left), Some(right)) = (operand(left, op.symbol())?, operand(right, op.symbol())?) else {
        return Ok(None);
    };
    Ok(order(&left, &right)?.map(|ordering| match op {
        BinaryOp::Less => ordering == Ordering::Less,
        BinaryOp::LessOrEqual => ordering != Ordering::Greater,
        BinaryOp::Greater => ordering == Ordering::Greater,
        _ => ordering != Ordering::Less,
    }))
}

/// A whole number of 32 bits, as the language has it; nothing beyond.
pub(super) fn whole<'a>(number: Option<i64>) -> Option<Item<'a>> {
    number.filter(|number| i32::try_from(*number).is_ok()).map(Item::Integer)
}

fn calculated<'a>(op: BinaryOp, left: &Item<'a>, right: &Item<'a>) -> Result<Option<Item<'a>>, EvalError> {
    if let (Item::Integer(a), Item::Integer(b)) = (left, right) {
        let result = match op {
            BinaryOp::Add => Some(a.checked_add(*b)),
            BinaryOp::Subtract => Some(a.checked_sub(*b)),
            BinaryOp::Multiply => Some(a.checked_mul(*b)),
            BinaryOp::WholeDivide => Some(a.checked_div(*b)),
            BinaryOp::Modulo => Some(a.checked_rem(*b)),
            _ => None,
        };
        if let Some(result) = result {
            return Ok(whole(result));
        }
    }
    if let (Some(a), Some(b)) = (number(left), number(right)) {
        return Ok(match op {
            BinaryOp::Add => a.plus(b).map(Item::Decimal),
            BinaryOp::Subtract => a.minus(b).map(Item::Decimal),
            BinaryOp::Multiply => a.times(b).map(Item::Decimal),
            BinaryOp::Divide => a.over(b).map(Item::Decimal),
            BinaryOp::WholeDivide => whole(a.whole_over(b).and_then(Decimal::to_i64)),
            _ => a.rest_over(b).map(Item::Decimal),
        });
    }
    match (left, right, op) {
        (Item::Moment(moment), Item::Quantity(by), BinaryOp::Add) => moved(*moment, by),
        (Item::Moment(moment), Item::Quantity(by), BinaryOp::Subtract) => moved(*moment, &by.negated()),
        _ => {
            let (Some(a), Some(b)) = (quantity(left), quantity(right)) else {
                return Err(EvalError::Type("these types cannot be calculated with"));
            };
            let result = match op {
                BinaryOp::Add => a.plus(&b),
                BinaryOp::Subtract => a.plus(&b.negated()),
                BinaryOp::Multiply => a.times(&b).unwrap_or(None),
                BinaryOp::Divide => a.over(&b).unwrap_or(None),
                _ => return Err(EvalError::Type("div and mod are for numbers")),
            };
            Ok(result.map(|quantity| Item::Quantity(quantity.into())))
        }
    }
}

fn moved<'a>(moment: Moment, by: &Quantity) -> Result<Option<Item<'a>>, EvalError> {
    let unit =
        by.calendar().ok_or(EvalError::Type("only durations of the calendar can be added to dates and times"))?;
    if moment.kind() == MomentKind::Time && matches!(unit, Calendar::Year | Calendar::Month) {
        return Err(EvalError::Type("a time of day has no years and months"));
    }
    // The official suite (testPlusDate19) cuts the fraction of `0.1 's'` off, though not above seconds only; `0.1 seconds` keeps it.
    let definite = matches!(by.unit, Measure::Code(_)) && unit == Calendar::Second;
    let value = if definite { by.value.round(0, Rounding::Down) } else { Some(by.value) };
    Ok(value.and_then(|value| moment.plus(value, unit)).map(Item::Moment))
}
