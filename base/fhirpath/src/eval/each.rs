//! Steps that hand their items on one by one.

use super::{Done, Flow, Machine, Scope, Stop, Visit, finished, is_of, node_taken_as, taken_as};
use crate::error::EvalError;
use crate::function::Function;
use crate::item::{Item, Node, Text};
use crate::model::Member;
use crate::program::{PathStep, Step, StepId, TypeInfoPart, TypeTest, Variable};

impl Step {
    /// Whether [`Machine::walk`] runs it.
    pub(crate) const fn is_walked(self) -> bool {
        match self {
            Self::Empty
            | Self::Constants { .. }
            | Self::This
            | Self::Root(_)
            | Self::Index
            | Self::Total
            | Self::Variable(_)
            | Self::Path { .. }
            | Self::Member { .. }
            | Self::TypeInfo { .. }
            | Self::Item { .. } => true,
            Self::Type { action, .. } => matches!(action, crate::program::TypeAction::OfType),
            Self::Call { function, .. } => matches!(
                function,
                Function::Children
                    | Function::Combine
                    | Function::Extension
                    | Function::First
                    | Function::Resolve
                    | Function::Select
                    | Function::Skip
                    | Function::Tail
                    | Function::Take
                    | Function::Where
            ),
            Self::HasContent | Self::Negate(_) | Self::Keep(_) | Self::Binary { .. } | Self::Run { .. } => false,
        }
    }
}

impl<'a, 'e, 'c> Machine<'a, 'e, 'c> {
    /// Runs a step, and hands on what it comes to.
    pub(super) fn each(&mut self, id: StepId, scope: Scope<'a, '_>, visit: &mut Visit<'_, 'a, 'e, 'c>) -> Flow {
        self.spend(1)?;
        if let Some(items) = self.kept(id)? {
            return self.hand_on(items.iter(), visit);
        }
        let step = self.program.step(id);
        if step.is_walked() {
            self.walk(step, scope, visit)
        } else if step.is_asked() {
            self.ask(step, scope)?.map_or(Ok(()), |value| visit(self, &Item::Boolean(value)))
        } else {
            let mut items = crate::item::Items::new();
            self.gather(step, scope, &mut items)?;
            self.grown(0, items.len())?;
            self.hand_on(&items, visit)
        }
    }

    fn hand_on<'i>(&mut self, items: impl IntoIterator<Item = &'i Item<'a>>, visit: &mut Visit<'_, 'a, 'e, 'c>) -> Flow
    where
        'a: 'i,
    {
        for item in items {
            visit(self, item)?;
        }
        Ok(())
    }

    /// Runs a step that [is walked](Step::is_walked).
    pub(super) fn walk(&mut self, step: Step, scope: Scope<'a, '_>, visit: &mut Visit<'_, 'a, 'e, 'c>) -> Flow {
        match step {
            Step::Constants { from, count } => {
                let from = usize::from(from);
                let constants = self.program.constants.get(from..from + usize::from(count)).unwrap_or_default();
                for item in constants {
                    visit(self, item)?;
                }
                Ok(())
            }
            Step::This => self.hand_on(scope.this, visit),
            Step::Root(test) => self.hand_on(scope.this.iter().filter(|item| is_of(item, test)), visit),
            Step::Index => scope.index.map_or(Ok(()), |index| visit(self, &Item::Integer(index))),
            Step::Total => self.hand_on(scope.total.unwrap_or_default(), visit),
            Step::Variable(variable) => self.variable(variable, visit),
            Step::Path { root, from, count } => {
                for item in scope.this {
                    self.path(item, root, self.program.path(from, count), &mut *visit)?;
                }
                Ok(())
            }
            Step::Member { of, member } => {
                self.each(of, scope, &mut |machine, item| machine.member(item, member, &mut *visit))
            }
            Step::TypeInfo { of, part, member } => self.each(of, scope, &mut |machine, item| match (item, member) {
                (Item::Type(info), _) => {
                    let text = if part == TypeInfoPart::Name { info.name } else { info.namespace };
                    visit(machine, &Item::String(Text::Borrowed(text)))
                }
                (_, Some(member)) => machine.member(item, member, &mut *visit),
                _ => Ok(()),
            }),
            Step::Item { of, index } => {
                let index = self.integer(index, scope, "an index")?;
                let Some(index) = index.and_then(|index| usize::try_from(index).ok()) else { return Ok(()) };
                self.from(of, index, Some(1), scope, visit)
            }
            Step::Type { of, test, .. } => self.each(of, scope, &mut |machine, item| {
                if taken_as(item, test) { visit(machine, item) } else { Ok(()) }
            }),
            Step::Call { of, function, arguments, .. } => {
                let arguments = self.program.arguments(arguments);
                self.walk_call(function, of, arguments, scope, visit)
            }
            // Nothing, or not walked.
            _ => Ok(()),
        }
    }

    fn variable(&mut self, variable: Variable, visit: &mut Visit<'_, 'a, 'e, 'c>) -> Flow {
        let context = self.context;
        match variable {
            Variable::Context => self.hand_on(self.focus, visit),
            Variable::Resource => visit(self, &Item::Node(context.resource)),
            Variable::RootResource => visit(self, &Item::Node(context.root)),
            Variable::Own(at) => self.hand_on(context.variables.get(usize::from(at)).into_iter().flatten(), visit),
        }
    }

    /// What a path leads to from an item.
    pub(super) fn path(
        &mut self,
        item: &Item<'a>,
        root: Option<TypeTest>,
        steps: &[PathStep],
        visit: &mut Visit<'_, 'a, 'e, 'c>,
    ) -> Flow {
        match item {
            Item::Node(node) if root.is_none_or(|root| is_of(item, root)) => self.follow(*node, steps, visit),
            _ => Ok(()),
        }
    }

    fn follow(&mut self, node: Node<'a>, steps: &[PathStep], visit: &mut Visit<'_, 'a, 'e, 'c>) -> Flow {
        match steps {
            [] => visit(self, &Item::Node(node)),
            [PathStep::Member(member), rest @ ..] => node.each_member(member, &mut |node| {
                self.spend(1)?;
                self.follow(node, rest, &mut *visit)
            }),
            [PathStep::OfType(test), rest @ ..] => {
                if node_taken_as(node, *test) {
                    self.follow(node, rest, visit)
                } else {
                    Ok(())
                }
            }
        }
    }

    /// The elements of this name in an item.
    fn member(&mut self, item: &Item<'a>, member: &Member, visit: &mut Visit<'_, 'a, 'e, 'c>) -> Flow {
        let Item::Node(node) = item else { return Ok(()) };
        node.each_member(member, &mut |node| {
            self.spend(1)?;
            visit(self, &Item::Node(node))
        })
    }

    /// Items from a place on, as many as are asked for.
    fn from(
        &mut self,
        of: StepId,
        skip: usize,
        take: Option<usize>,
        scope: Scope<'a, '_>,
        visit: &mut Visit<'_, 'a, 'e, 'c>,
    ) -> Flow {
        let end = take.map(|take| skip.saturating_add(take));
        if end == Some(skip) {
            return Ok(());
        }
        // What stops here is told apart from what stops further on.
        let (mut at, mut enough) = (0_usize, false);
        let flow = self.each(of, scope, &mut |machine, item| {
            at += 1;
            if at > skip {
                visit(machine, item)?;
            }
            enough = end == Some(at);
            if enough { Err(Stop::Enough) } else { Ok(()) }
        });
        if enough { Ok(finished(flow)?) } else { flow }
    }

    fn walk_call(
        &mut self,
        function: Function,
        of: StepId,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        visit: &mut Visit<'_, 'a, 'e, 'c>,
    ) -> Flow {
        match (function, arguments) {
            (Function::Where, [criterion, ..]) => {
                let mut at = 0_usize;
                self.each(of, scope, &mut |machine, item| {
                    at += 1;
                    if machine.holds(*criterion, scope.of_item(item, at - 1))? { visit(machine, item) } else { Ok(()) }
                })
            }
            (Function::Select, [projection, ..]) => {
                let mut at = 0_usize;
                self.each(of, scope, &mut |machine, item| {
                    at += 1;
                    machine.each(*projection, scope.of_item(item, at - 1), &mut *visit)
                })
            }
            (Function::First, _) => self.from(of, 0, Some(1), scope, visit),
            (Function::Tail, _) => self.from(of, 1, None, scope, visit),
            (Function::Skip | Function::Take, [count, ..]) => {
                let Some(count) = self.integer(*count, scope, "a number of items")? else { return Ok(()) };
                let count = usize::try_from(count).unwrap_or(0);
                let (skip, take) = if function == Function::Skip { (count, None) } else { (0, Some(count)) };
                self.from(of, skip, take, scope, visit)
            }
            (Function::Children, _) => self.each(of, scope, &mut |machine, item| {
                let Item::Node(node) = item else { return Ok(()) };
                node.each_child(&mut |_, child| {
                    machine.spend(1)?;
                    visit(machine, &Item::Node(child))
                })
            }),
            (Function::Combine, [other, ..]) => {
                self.each(of, scope, visit)?;
                self.each(*other, scope, visit)
            }
            (Function::Resolve, _) => self.each(of, scope, &mut |machine, item| {
                machine.spend(1)?;
                machine.resolve(item).map_or(Ok(()), |found| visit(machine, &found))
            }),
            (Function::Extension, [url, ..]) => self.extension(of, *url, scope, visit),
            _ => Ok(()),
        }
    }

    /// Whether a criterion holds; what stays open does not hold.
    pub(super) fn holds(&mut self, criterion: StepId, scope: Scope<'a, '_>) -> Result<bool, EvalError> {
        Ok(self.truth(criterion, scope, "a criterion")? == Some(true))
    }

    /// Calls `visit` with each item until it says that it has seen enough.
    pub(super) fn until(
        &mut self,
        of: StepId,
        scope: Scope<'a, '_>,
        visit: &mut dyn FnMut(&mut Self, &Item<'a>) -> Result<bool, EvalError>,
    ) -> Done {
        finished(self.each(of, scope, &mut |machine, item| {
            if visit(machine, item)? { Err(Stop::Enough) } else { Ok(()) }
        }))
    }
}
