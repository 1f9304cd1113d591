//! Equality, equivalence and order of items (`FHIRPath` §§ 6.1 and 6.2).

use std::cmp::Ordering;

use iris_fhir::json::{Value, ValueKind};
use iris_ucum::Decimal;

use crate::error::EvalError;
use crate::item::{Item, Node};
use crate::moment::MomentKind;
use crate::quantity::{Quantity, rounded_equal};

/// `=` of two items: `None` where it stays open.
pub(crate) fn equal(left: &Item<'_>, right: &Item<'_>) -> Option<bool> {
    if let (Some(left), Some(right)) = (left.text(), right.text()) {
        return Some(left == right);
    }
    match (left.plain(), right.plain()) {
        (Some(left), Some(right)) => equal_plain(&left, &right),
        (None, None) => Some(match (left.node(), right.node()) {
            (Some(left), Some(right)) => same_nodes(left, right, same_json),
            _ => false,
        }),
        _ => Some(false),
    }
}

fn equal_plain(left: &Item<'_>, right: &Item<'_>) -> Option<bool> {
    Some(match (left, right) {
        (Item::Boolean(a), Item::Boolean(b)) => a == b,
        (Item::String(a), Item::String(b)) => a.as_str() == b.as_str(),
        (Item::Integer(a), Item::Integer(b)) => a == b,
        (Item::Moment(a), Item::Moment(b)) => {
            if (a.kind() == MomentKind::Time) != (b.kind() == MomentKind::Time) {
                return Some(false);
            }
            return a.compare(*b).map(|ordering| ordering == Ordering::Equal);
        }
        (Item::Type(a), Item::Type(b)) => a == b,
        (Item::Target(a), Item::Target(b)) => a == b,
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) => a == b,
            _ => match (quantity(left), quantity(right)) {
                (Some(a), Some(b)) => return a.compare(&b).map(|ordering| ordering == Ordering::Equal),
                _ => false,
            },
        },
    })
}

/// `=` of two collections: `None` where it stays open, and if one is empty.
pub(crate) fn equal_items(left: &[Item<'_>], right: &[Item<'_>]) -> Option<bool> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    if left.len() != right.len() {
        return Some(false);
    }
    let mut result = Some(true);
    for (a, b) in left.iter().zip(right) {
        match equal(a, b) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

/// `~` of two items.
pub(crate) fn equivalent(left: &Item<'_>, right: &Item<'_>) -> bool {
    match (left.plain(), right.plain()) {
        (Some(left), Some(right)) => match (&left, &right) {
            (Item::String(a), Item::String(b)) => loosely_equal(a.as_str(), b.as_str()),
            (Item::Moment(_), Item::Moment(_)) => equal_plain(&left, &right) == Some(true),
            _ => match (number(&left), number(&right)) {
                (Some(a), Some(b)) => rounded_equal(a, b),
                _ => match (quantity(&left), quantity(&right)) {
                    (Some(a), Some(b)) => a.equivalent(&b),
                    _ => equal_plain(&left, &right) == Some(true),
                },
            },
        },
        (None, None) => match (left.node(), right.node()) {
            (Some(left), Some(right)) => same_nodes(left, right, like_json),
            _ => false,
        },
        _ => false,
    }
}

/// `~` of two collections: the order does not matter.
pub(crate) fn equivalent_items(left: &[Item<'_>], right: &[Item<'_>]) -> bool {
    matched(left, right, equivalent)
}

/// Whether each of `left` has one of its own in `right`.
fn matched<T>(left: &[T], right: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut taken = vec![false; right.len()];
    left.iter().all(|a| {
        let found = right.iter().zip(&taken).position(|(b, taken)| !taken && same(a, b));
        found.and_then(|at| taken.get_mut(at)).is_some_and(|taken| {
            *taken = true;
            true
        })
    })
}

/// Text without regard to case and to how much white space there is where.
fn loosely_equal(left: &str, right: &str) -> bool {
    let folded = |text: &str| {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        words.join(" ")
    };
    left == right || folded(left) == folded(right)
}

fn same_nodes(left: Node<'_>, right: Node<'_>, same: fn(Value<'_>, Value<'_>) -> bool) -> bool {
    let values = |a: Option<Value<'_>>, b: Option<Value<'_>>| match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    };
    values(left.value(), right.value()) && (left.value().is_some() || values(left.beside(), right.beside()))
}

/// Equality of JSON: members in any order, numbers by value. The reader bounds the depth.
fn same_json(left: Value<'_>, right: Value<'_>) -> bool {
    if left.kind() != right.kind() || left.len() != right.len() {
        return false;
    }
    match left.kind() {
        ValueKind::Object => left.members().all(|(name, a)| right.get(&name).is_some_and(|b| same_json(a, b))),
        ValueKind::Array => left.items().zip(right.items()).all(|(a, b)| same_json(a, b)),
        ValueKind::Number => same_number(left, right, |a, b| a == b),
        _ => left.same_as(right),
    }
}

/// Equivalence of JSON: items in any order, text loosely, numbers rounded.
fn like_json(left: Value<'_>, right: Value<'_>) -> bool {
    if left.kind() != right.kind() || left.len() != right.len() {
        return false;
    }
    match left.kind() {
        ValueKind::Object => left.members().all(|(name, a)| right.get(&name).is_some_and(|b| like_json(a, b))),
        ValueKind::Array => {
            let (left, right): (Vec<_>, Vec<_>) = (left.items().collect(), right.items().collect());
            matched(&left, &right, |a, b| like_json(*a, *b))
        }
        ValueKind::Number => same_number(left, right, rounded_equal),
        ValueKind::String => match (left.as_str(), right.as_str()) {
            (Some(a), Some(b)) => loosely_equal(&a, &b),
            _ => false,
        },
        _ => left.same_as(right),
    }
}

fn same_number(left: Value<'_>, right: Value<'_>, same: fn(Decimal, Decimal) -> bool) -> bool {
    let read = |value: Value<'_>| value.number().and_then(|number| Decimal::parse(number).ok());
    match (read(left), read(right)) {
        (Some(a), Some(b)) => same(a, b),
        _ => left.raw() == right.raw(),
    }
}

/// An `Integer` or `Decimal` as decimal.
pub(crate) fn number(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(number) => Some(Decimal::from(*number)),
        Item::Decimal(number) => Some(*number),
        _ => None,
    }
}

/// A quantity, or a number as quantity of `1`.
pub(crate) fn quantity(item: &Item<'_>) -> Option<Quantity> {
    match item {
        Item::Quantity(quantity) => Some(Quantity::clone(quantity)),
        _ => number(item).map(Quantity::plain),
    }
}

/// Order of two values of the language: `None` where it stays open.
///
/// # Errors
/// Types that have no order, or not with each other.
pub(crate) fn order(left: &Item<'_>, right: &Item<'_>) -> Result<Option<Ordering>, EvalError> {
    match (left, right) {
        (Item::String(a), Item::String(b)) => Ok(Some(a.as_str().cmp(b.as_str()))),
        (Item::Moment(a), Item::Moment(b)) if (a.kind() == MomentKind::Time) == (b.kind() == MomentKind::Time) => {
            Ok(a.compare(*b))
        }
        (Item::Integer(a), Item::Integer(b)) => Ok(Some(a.cmp(b))),
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) => Ok(Some(a.cmp(&b))),
            _ => match (quantity(left), quantity(right)) {
                (Some(a), Some(b)) => Ok(a.compare(&b)),
                _ => Err(EvalError::Type("values of these types have no order")),
            },
        },
    }
}
