//! Steps that come to a truth value: what decides is found, and no more is looked at.

use super::{Machine, Scope, truth_of};
use crate::ast::BinaryOp;
use crate::error::EvalError;
use crate::function::Function;
use crate::item::Item;
use crate::program::{Step, StepId, TypeAction};

impl Step {
    /// Whether [`Machine::ask`] runs it.
    pub(crate) const fn is_asked(self) -> bool {
        match self {
            Self::HasContent => true,
            Self::Type { action, .. } => matches!(action, TypeAction::Is),
            Self::Run { op, .. } => !matches!(op, BinaryOp::Union),
            Self::Binary { op, .. } => op.is_question(),
            Self::Call { function, .. } => matches!(
                function,
                Function::All | Function::Empty | Function::Exists | Function::HasValue | Function::Not
            ),
            _ => false,
        }
    }
}

impl<'a> Machine<'a, '_, '_> {
    /// The truth value that a step comes to (§ 4.5): one item that is no truth value is true.
    pub(super) fn truth(
        &mut self,
        id: StepId,
        scope: Scope<'a, '_>,
        what: &'static str,
    ) -> Result<Option<bool>, EvalError> {
        let step = self.program.step(id);
        if step.is_asked() && !self.program.kept.contains(&id) {
            self.spend(1)?;
            return self.ask(step, scope);
        }
        let mut found = None;
        self.until(id, scope, &mut |_, item| match found.replace(truth_of(item)) {
            None => Ok(false),
            Some(_) => Err(EvalError::Several(what)),
        })?;
        Ok(found.flatten())
    }

    /// Runs a step that [is asked](Step::is_asked).
    pub(super) fn ask(&mut self, step: Step, scope: Scope<'a, '_>) -> Result<Option<bool>, EvalError> {
        match step {
            Step::HasContent => Ok(Some(match scope.this {
                [Item::Node(node)] => node.has_content(),
                [Item::Target(_) | Item::Type(_)] | [] => false,
                _ => true,
            })),
            Step::Run { op, arguments } => self.logic(op, self.program.arguments(arguments), scope),
            Step::Binary { op, left, right } => self.question(op, left, right, scope),
            Step::Type { of, test, .. } => {
                let mut found = None;
                self.until(of, scope, &mut |_, item| match found.replace(super::is_of(item, test)) {
                    None => Ok(false),
                    Some(_) => Err(EvalError::Several("is")),
                })?;
                Ok(found)
            }
            Step::Call { of, function, arguments, .. } => {
                let arguments = self.program.arguments(arguments);
                self.ask_call(function, of, arguments, scope)
            }
            _ => Ok(None),
        }
    }

    fn ask_call(
        &mut self,
        function: Function,
        of: StepId,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
    ) -> Result<Option<bool>, EvalError> {
        Ok(Some(match (function, arguments) {
            (Function::Exists, [criterion, ..]) => self.any_with(of, *criterion, true, scope)?,
            (Function::All, [criterion, ..]) => !self.any_with(of, *criterion, false, scope)?,
            (Function::Exists, []) => self.any(of, scope)?,
            (Function::Empty, _) => !self.any(of, scope)?,
            (Function::HasValue, _) => {
                let mut has = None;
                self.until(of, scope, &mut |_, item| {
                    // Of several none is asked.
                    has = Some(has.is_none() && has_value(item));
                    Ok(has == Some(false))
                })?;
                has == Some(true)
            }
            _ => return Ok(self.truth(of, scope, "not()")?.map(|value| !value)),
        }))
    }

    /// Whether there is any item.
    fn any(&mut self, of: StepId, scope: Scope<'a, '_>) -> Result<bool, EvalError> {
        if let Step::Run { op: BinaryOp::Union, arguments } = self.program.step(of) {
            for operand in self.program.arguments(arguments) {
                if self.any(*operand, scope)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let mut found = false;
        self.until(of, scope, &mut |_, _| {
            found = true;
            Ok(true)
        })?;
        Ok(found)
    }

    /// Whether the criterion comes to `wanted` for any item.
    fn any_with(
        &mut self,
        of: StepId,
        criterion: StepId,
        wanted: bool,
        scope: Scope<'a, '_>,
    ) -> Result<bool, EvalError> {
        let (mut at, mut found) = (0_usize, false);
        self.until(of, scope, &mut |machine, item| {
            at += 1;
            found = machine.holds(criterion, scope.of_item(item, at - 1))? == wanted;
            Ok(found)
        })?;
        Ok(found)
    }
}

/// Whether a primitive has a value, not only an id or extensions.
pub(super) fn has_value(item: &Item<'_>) -> bool {
    match item {
        Item::Node(node) => node.has_value(),
        Item::Target(_) | Item::Type(_) => false,
        _ => true,
    }
}
