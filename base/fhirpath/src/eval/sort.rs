//! `sort()`.

use std::cmp::Ordering;

use super::{Done, Machine, Scope, operand};
use crate::compare::order;
use crate::error::EvalError;
use crate::item::{Item, Items};
use crate::program::{Step, StepId};

impl<'a> Machine<'a, '_, '_> {
    /// Orders by keys, by the items themselves where there are none. A key with a minus before it goes the other way. What has no
    /// key comes first, either way.
    pub(super) fn sort(
        &mut self,
        input: &Items<'a>,
        keys: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let directed: Vec<(Option<StepId>, bool)> = if keys.is_empty() {
            vec![(None, false)]
        } else {
            keys.iter()
                .map(|key| match self.program.step(*key) {
                    Step::Negate(of) => (Some(of), true),
                    _ => (Some(*key), false),
                })
                .collect()
        };
        let mut keyed = Vec::with_capacity(input.len());
        for (item, at) in input.iter().zip(0..) {
            let mut values = Vec::with_capacity(directed.len());
            for (key, _) in &directed {
                values.push(match key {
                    None => item.operand()?,
                    Some(key) => {
                        let found = self.items(*key, scope.of_item(item, at))?;
                        operand(&found, "sort()")?
                    }
                });
            }
            keyed.push((values, item));
        }
        let count = keyed.len() as u64;
        self.spend(count.saturating_mul(u64::from(count.max(1).ilog2()) + 1))?;
        let sorted = merged(keyed, &|left, right| compared(left, right, &directed))?;
        out.extend(sorted.into_iter().map(|(_, item)| item.clone()));
        Ok(())
    }
}

type Keys<'a> = [Option<Item<'a>>];

fn compared(left: &Keys<'_>, right: &Keys<'_>, directed: &[(Option<StepId>, bool)]) -> Result<Ordering, EvalError> {
    for ((left, right), (_, descending)) in left.iter().zip(right).zip(directed) {
        let ordering = match (left, right) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => return Ok(Ordering::Less),
            (Some(_), None) => return Ok(Ordering::Greater),
            (Some(left), Some(right)) => order(left, right)?.unwrap_or(Ordering::Equal),
        };
        if ordering != Ordering::Equal {
            return Ok(if *descending { ordering.reverse() } else { ordering });
        }
    }
    Ok(Ordering::Equal)
}

type Keyed<'i, 'a> = (Vec<Option<Item<'a>>>, &'i Item<'a>);

/// A stable merge sort. Imprecise moments have no total order, at which the standard library's sort may panic.
fn merged<'i, 'a>(
    mut items: Vec<Keyed<'i, 'a>>,
    compare: &dyn Fn(&Keys<'a>, &Keys<'a>) -> Result<Ordering, EvalError>,
) -> Result<Vec<Keyed<'i, 'a>>, EvalError> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = merged(items.split_off(items.len() / 2), compare)?;
    let left = merged(items, compare)?;
    let mut result = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some((left_keys, _)), Some((right_keys, _))) = (left.peek(), right.peek()) {
        let from_right = compare(left_keys, right_keys)? == Ordering::Greater;
        result.extend(if from_right { right.next() } else { left.next() });
    }
    result.extend(left);
    result.extend(right);
    Ok(result)
}
