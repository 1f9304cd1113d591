//! Existence, filtering, subsetting and combining (§§ 5.1 to 5.4, 7).

use std::collections::HashSet;

use super::{Done, Machine, Scope, single, weight};
use crate::compare::equal;
use crate::error::EvalError;
use crate::function::Function;
use crate::item::{Item, Items};
use crate::program::StepId;

/// From this many items on, texts are told apart by hashing.
const HASHED_MIN: usize = 24;

impl<'a> Machine<'a, '_, '_> {
    pub(super) fn existence(
        &mut self,
        function: Function,
        input: &Items<'a>,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let result = match (function, arguments) {
            (Function::IsDistinct, _) => {
                let mut distinct = Items::new();
                self.distinct(input.clone(), &mut distinct)?;
                distinct.len() == input.len()
            }
            (Function::SubsetOf, [other, ..]) => {
                let other = self.items(*other, scope)?;
                self.all_in(input, &other)?
            }
            (Function::SupersetOf, [other, ..]) => {
                let other = self.items(*other, scope)?;
                self.all_in(&other, input)?
            }
            _ => booleans(function, input)?,
        };
        out.push(Item::Boolean(result));
        Ok(())
    }

    fn all_in(&mut self, some: &[Item<'a>], others: &[Item<'a>]) -> Result<bool, EvalError> {
        for item in some {
            if !self.is_in(item, others)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_in(&mut self, item: &Item<'a>, others: &[Item<'a>]) -> Result<bool, EvalError> {
        self.spend((others.len() as u64).saturating_mul(weight(item)))?;
        Ok(others.iter().any(|other| equal(item, other) == Some(true)))
    }

    /// Appends each item once, the first of equal ones.
    pub(super) fn distinct(&mut self, items: Items<'a>, out: &mut Items<'a>) -> Done {
        let from = out.len();
        let texts = if items.len() >= HASHED_MIN { texts(&items) } else { None };
        if let Some(texts) = texts {
            let mut seen = HashSet::with_capacity(texts.len());
            out.extend(
                texts.into_iter().zip(items).filter(|(text, _)| seen.insert(text.clone())).map(|(_, item)| item),
            );
            return Ok(());
        }
        for item in items {
            self.spend(((out.len() - from) as u64).saturating_mul(weight(&item)))?;
            if !out.iter().skip(from).any(|other| equal(other, &item) == Some(true)) {
                out.push(item);
            }
        }
        Ok(())
    }

    pub(super) fn collection(
        &mut self,
        function: Function,
        input: &Items<'a>,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        match (function, arguments) {
            (Function::Last, _) => out.extend(input.last().cloned()),
            (Function::Single, _) => out.extend(single(input, "single()")?.cloned()),
            (Function::Distinct, _) => self.distinct(input.clone(), out)?,
            (Function::Repeat, [projection, ..]) => self.repeat(input, *projection, scope, out)?,
            (Function::Aggregate, [aggregator, start @ ..]) => {
                self.aggregate(input, *aggregator, start.first().copied(), scope, out)?;
            }
            (_, [other, ..]) => {
                let other = self.items(*other, scope)?;
                self.combined(function, input, other, out)?;
            }
            (_, []) => {}
        }
        Ok(())
    }

    fn combined(&mut self, function: Function, input: &Items<'a>, other: Items<'a>, out: &mut Items<'a>) -> Done {
        match function {
            Function::Union => {
                let mut all = input.clone();
                all.extend(other);
                self.distinct(all, out)
            }
            Function::Intersect => {
                let mut shared = Items::new();
                for item in input {
                    if self.is_in(item, &other)? {
                        shared.push(item.clone());
                    }
                }
                self.distinct(shared, out)
            }
            _ => {
                for item in input {
                    if !self.is_in(item, &other)? {
                        out.push(item.clone());
                    }
                }
                Ok(())
            }
        }
    }

    /// `repeat()`: what the projection finds, and what it finds in that, each once.
    fn repeat(&mut self, input: &Items<'a>, projection: StepId, scope: Scope<'a, '_>, out: &mut Items<'a>) -> Done {
        let mut layer = input.clone();
        while !layer.is_empty() {
            let mut found = Items::new();
            for (item, at) in layer.iter().zip(0..) {
                self.run(projection, scope.of_item(item, at), &mut found)?;
            }
            let mut fresh = Items::new();
            for item in found {
                if !self.is_in(&item, out)? && !self.is_in(&item, &fresh)? {
                    fresh.push(item);
                }
            }
            out.extend(fresh.iter().cloned());
            self.grown(out.len(), out.len())?;
            layer = fresh;
        }
        Ok(())
    }

    fn aggregate(
        &mut self,
        input: &Items<'a>,
        aggregator: StepId,
        start: Option<StepId>,
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let mut total = match start {
            Some(start) => self.items(start, scope)?,
            None => Items::new(),
        };
        for (item, at) in input.iter().zip(0..) {
            let inner = Scope { total: Some(&total), ..scope.of_item(item, at) };
            let next = self.items(aggregator, inner)?;
            total = next;
        }
        out.extend(total);
        Ok(())
    }

    /// `iif()`: only the branch that is taken is evaluated.
    pub(super) fn iif(
        &mut self,
        input: &Items<'a>,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let [criterion, then, rest @ ..] = arguments else { return Ok(()) };
        single(input, "iif()")?;
        let inner = Scope { this: input, ..scope };
        let criterion = self.value(*criterion, inner, "the criterion of iif()")?;
        match criterion {
            Some(Item::Boolean(true)) => self.run(*then, inner, out),
            Some(Item::Boolean(false)) | None => rest.first().map_or(Ok(()), |rest| self.run(*rest, inner, out)),
            Some(_) => Err(EvalError::Type("the criterion of iif() is a truth value")),
        }
    }
}

/// `allTrue()` and its like: every item is a truth value.
fn booleans(function: Function, input: &[Item<'_>]) -> Result<bool, EvalError> {
    let mut values = Vec::with_capacity(input.len());
    for item in input {
        match item.plain() {
            Some(Item::Boolean(value)) => values.push(value),
            None if item.node().is_some_and(|node| node.value().is_none()) => {}
            _ => return Err(EvalError::Type("only truth values were expected")),
        }
    }
    Ok(match function {
        Function::AllTrue => values.iter().all(|value| *value),
        Function::AllFalse => values.iter().all(|value| !value),
        Function::AnyTrue => values.iter().any(|value| *value),
        _ => values.iter().any(|value| !value),
    })
}

/// The texts of all items; `None` if one is something else, or text that may be a moment.
fn texts(items: &[Item<'_>]) -> Option<Vec<String>> {
    items
        .iter()
        .map(|item| match item.plain() {
            Some(Item::String(text)) => Some(text.as_str().to_owned()),
            _ => None,
        })
        .collect()
}
