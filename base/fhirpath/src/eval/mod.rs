//! Running a program: each step hands its items on one by one, to whoever takes them, who may stop; only what needs all items at
//! once collects them.

mod collections;
mod convert;
mod each;
mod fhir;
mod math;
mod operators;
mod sort;
mod text;
mod truth;

use std::rc::Rc;

use iris_fhir::json::ValueKind;

use crate::context::{Context, MADE_BYTES_MAX};
use crate::error::EvalError;
use crate::function::Function;
use crate::item::{Item, Items, Node, Text};
use crate::model::{TypeRef, known};
use crate::program::{Program, Step, StepId, System, TypeTest};

/// Bytes of made text that cost as much as one step.
const BYTES_PER_STEP: u64 = 16;
/// Bytes that are compared for one step.
const BYTES_PER_COMPARISON: u64 = 256;

impl Program {
    /// The items that the expression comes to, with `focus` as what it is evaluated on.
    ///
    /// # Errors
    /// What the language calls an error, something that the host does not supply, or a limit.
    pub fn evaluate<'a>(&self, focus: Item<'a>, context: &Context<'a, '_>) -> Result<Items<'a>, EvalError> {
        let mut out = Items::new();
        let this = [focus];
        Machine::new(self, context, &this).run(self.root, Scope::of(&this), &mut out)?;
        Ok(out)
    }

    /// Calls `visit` with each item that the expression comes to. What only leads along paths is not collected before; after an error
    /// some items may have been visited.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn each<'a>(
        &self,
        focus: Item<'a>,
        context: &Context<'a, '_>,
        visit: &mut dyn FnMut(Item<'a>),
    ) -> Result<(), EvalError> {
        let this = [focus];
        let mut machine = Machine::new(self, context, &this);
        let visit = &mut |_: &mut Machine<'a, '_, '_>, item: &Item<'a>| {
            visit(item.clone());
            Ok(())
        };
        finished(match (self.step(self.root), &this) {
            (Step::Path { root, from, count }, [item]) => machine.path(item, root, self.path(from, count), visit),
            _ => machine.each(self.root, Scope::of(&this), visit),
        })
    }

    /// Whether the expression holds: the truth value that it comes to. Nothing at all is `None`, and one item that is no truth value
    /// is `true` (`FHIRPath` § 4.5).
    ///
    /// # Errors
    /// As [`Self::evaluate`], and several items.
    pub fn test<'a>(&self, focus: Item<'a>, context: &Context<'a, '_>) -> Result<Option<bool>, EvalError> {
        let this = [focus];
        Machine::new(self, context, &this).truth(self.root, Scope::of(&this), "a truth value")
    }
}

/// What `$this`, `$index` and `$total` are.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a, 's> {
    this: &'s [Item<'a>],
    index: Option<i64>,
    total: Option<&'s [Item<'a>]>,
}

impl<'a, 's> Scope<'a, 's> {
    const fn of(this: &'s [Item<'a>]) -> Self {
        Self { this, index: None, total: None }
    }

    fn of_item<'t>(self, item: &'t Item<'a>, index: usize) -> Scope<'a, 't>
    where
        's: 't,
    {
        Scope { this: std::slice::from_ref(item), index: i64::try_from(index).ok(), total: self.total }
    }
}

pub(crate) struct Machine<'a, 'e, 'c> {
    program: &'e Program,
    context: &'e Context<'a, 'c>,
    fuel: u64,
    focus: &'e [Item<'a>],
    /// What the program's kept steps have come to.
    kept: Vec<(StepId, Rc<Items<'a>>)>,
}

pub(crate) type Done = Result<(), EvalError>;

/// Why no more items are wanted.
pub(crate) enum Stop {
    /// Whoever takes them has what is needed. Only the one that says so sees this.
    Enough,
    Failed(EvalError),
}

impl From<EvalError> for Stop {
    fn from(error: EvalError) -> Self {
        Self::Failed(error)
    }
}

/// Whether more items are wanted.
pub(crate) type Flow = Result<(), Stop>;

/// The end of a walk whose visitor may have had enough.
fn finished(flow: Flow) -> Done {
    flow.or_else(|stop| match stop {
        Stop::Enough => Ok(()),
        Stop::Failed(error) => Err(error),
    })
}

/// Who takes the items of a step.
type Visit<'v, 'a, 'e, 'c> = dyn FnMut(&mut Machine<'a, 'e, 'c>, &Item<'a>) -> Flow + 'v;

impl<'a, 'e, 'c> Machine<'a, 'e, 'c> {
    const fn new(program: &'e Program, context: &'e Context<'a, 'c>, focus: &'e [Item<'a>]) -> Self {
        Self { program, context, fuel: context.limits.fuel, focus, kept: Vec::new() }
    }

    fn spend(&mut self, steps: u64) -> Done {
        self.fuel = self.fuel.checked_sub(steps).ok_or(EvalError::Limit("steps"))?;
        Ok(())
    }

    /// Holds the limit on collections.
    fn fits(&self, items: usize) -> Done {
        if items > self.context.limits.items { Err(EvalError::Limit("items of a collection")) } else { Ok(()) }
    }

    /// Pays for what has been added, and holds the limit on collections.
    fn grown(&mut self, from: usize, to: usize) -> Done {
        self.fits(to)?;
        self.spend(to.saturating_sub(from) as u64)
    }

    /// Text that an expression makes; refused before it is made if it would be too long.
    fn may_make(&mut self, bytes: usize) -> Done {
        if bytes > MADE_BYTES_MAX {
            return Err(EvalError::Limit("bytes of text"));
        }
        self.spend(bytes as u64 / BYTES_PER_STEP + 1)
    }

    fn made(&mut self, text: String, out: &mut Items<'a>) -> Done {
        self.may_make(text.len())?;
        out.push(Item::made(text));
        Ok(())
    }

    /// What a step has come to that is evaluated once only; `None` for all others.
    fn kept(&mut self, id: StepId) -> Result<Option<Rc<Items<'a>>>, EvalError> {
        if self.program.kept.is_empty() || !self.program.kept.contains(&id) {
            return Ok(None);
        }
        if let Some((_, items)) = self.kept.iter().find(|(own, _)| *own == id) {
            return Ok(Some(Rc::clone(items)));
        }
        let mut items = Items::new();
        // It depends on nothing around it.
        self.collect(id, Scope::of(&[]), &mut items)?;
        let items = Rc::new(items);
        // All that is kept together holds the limit of one collection.
        let kept: usize = self.kept.iter().map(|(_, items)| items.len()).sum();
        if kept + items.len() <= self.context.limits.items {
            self.kept.push((id, Rc::clone(&items)));
        }
        Ok(Some(items))
    }

    /// Runs a step, and appends what it comes to.
    fn run(&mut self, id: StepId, scope: Scope<'a, '_>, out: &mut Items<'a>) -> Done {
        self.spend(1)?;
        match self.kept(id)? {
            None => self.collect(id, scope, out),
            Some(items) => {
                let from = out.len();
                out.extend(items.iter().cloned());
                self.grown(from, out.len())
            }
        }
    }

    fn collect(&mut self, id: StepId, scope: Scope<'a, '_>, out: &mut Items<'a>) -> Done {
        let from = out.len();
        let step = self.program.step(id);
        if step.is_walked() {
            finished(self.walk(step, scope, &mut |machine, item| {
                out.push(item.clone());
                Ok(machine.fits(out.len())?)
            }))?;
        } else if step.is_asked() {
            out.extend(self.ask(step, scope)?.map(Item::Boolean));
        } else {
            self.gather(step, scope, out)?;
        }
        self.grown(from, out.len())
    }

    /// Appends what a step comes to that needs all items at once, or that is one value.
    fn gather(&mut self, step: Step, scope: Scope<'a, '_>, out: &mut Items<'a>) -> Done {
        match step {
            Step::Negate(of) => out.extend(self.signed(of, scope, true)?),
            Step::Keep(of) => out.extend(self.signed(of, scope, false)?),
            Step::Binary { op, left, right } => self.binary(op, left, right, scope, out)?,
            Step::Run { arguments, .. } => self.union(self.program.arguments(arguments), scope, out)?,
            Step::Type { of, test, .. } => {
                let items = self.items(of, scope)?;
                out.extend(single(&items, "as")?.filter(|item| taken_as(item, test)).cloned());
            }
            Step::Call { of, function: Function::Count, .. } => {
                let mut count: i64 = 0;
                finished(self.each(of, scope, &mut |_, _| {
                    count += 1;
                    Ok(())
                }))?;
                out.push(Item::Integer(count));
            }
            Step::Call { of, function, arguments, regex } => {
                let input = self.items(of, scope)?;
                let arguments = self.program.arguments(arguments);
                self.call(function, &input, arguments, regex, scope, out)?;
            }
            // All others are walked or asked.
            _ => {}
        }
        Ok(())
    }

    /// The items of a step by themselves.
    fn items(&mut self, id: StepId, scope: Scope<'a, '_>) -> Result<Items<'a>, EvalError> {
        let mut items = Items::new();
        self.run(id, scope, &mut items)?;
        Ok(items)
    }

    /// The one value of the language that a step comes to; `None` if it comes to nothing.
    fn value(&mut self, id: StepId, scope: Scope<'a, '_>, what: &'static str) -> Result<Option<Item<'a>>, EvalError> {
        let items = self.items(id, scope)?;
        operand(&items, what)
    }

    fn integer(&mut self, id: StepId, scope: Scope<'a, '_>, what: &'static str) -> Result<Option<i64>, EvalError> {
        match self.value(id, scope, what)? {
            None => Ok(None),
            Some(Item::Integer(number)) => Ok(Some(number)),
            Some(_) => Err(EvalError::Type("a whole number was expected")),
        }
    }

    fn text(&mut self, id: StepId, scope: Scope<'a, '_>, what: &'static str) -> Result<Option<Text<'a>>, EvalError> {
        match self.value(id, scope, what)? {
            None => Ok(None),
            Some(Item::String(text)) => Ok(Some(text)),
            Some(_) => Err(EvalError::Type("text was expected")),
        }
    }

    fn call(
        &mut self,
        function: Function,
        input: &Items<'a>,
        arguments: &[StepId],
        regex: Option<u16>,
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        match function {
            Function::AllFalse
            | Function::AllTrue
            | Function::AnyFalse
            | Function::AnyTrue
            | Function::IsDistinct
            | Function::SubsetOf
            | Function::SupersetOf => self.existence(function, input, arguments, scope, out),
            Function::Aggregate
            | Function::Distinct
            | Function::Exclude
            | Function::Intersect
            | Function::Last
            | Function::Repeat
            | Function::Single
            | Function::Union => self.collection(function, input, arguments, scope, out),
            Function::Sort => self.sort(input, arguments, scope, out),
            Function::Iif => self.iif(input, arguments, scope, out),
            Function::Abs
            | Function::Ceiling
            | Function::Exp
            | Function::Floor
            | Function::Ln
            | Function::Log
            | Function::Power
            | Function::Round
            | Function::Sqrt
            | Function::Truncate => self.math(function, input, arguments, scope, out),
            Function::Comparable | Function::HighBoundary | Function::LowBoundary | Function::Precision => {
                self.precision(function, input, arguments, scope, out)
            }
            Function::ConvertsTo(_) | Function::To(_) => self.conversion(function, input, arguments, scope, out),
            Function::ConformsTo
            | Function::Descendants
            | Function::GetValue
            | Function::HtmlChecks
            | Function::MemberOf
            | Function::Now
            | Function::TimeOfDay
            | Function::Today
            | Function::Trace
            | Function::Type => self.fhir(function, input, arguments, scope, out),
            Function::Matches | Function::MatchesFull | Function::ReplaceMatches => {
                self.matching(function, input, arguments, regex, scope, out)
            }
            Function::Join => self.join(input, arguments, scope, out),
            // All others are functions on text.
            _ => self.text_function(function, input, arguments, scope, out),
        }
    }
}

/// What comparing an item costs, in steps: large texts and elements more than small ones.
fn weight(item: &Item<'_>) -> u64 {
    let bytes = match item {
        Item::Node(node) => node.value().map_or(0, |value| value.raw().len()),
        Item::String(text) => text.as_str().len(),
        _ => 0,
    };
    1 + bytes as u64 / BYTES_PER_COMPARISON
}

/// The only item; `None` if there is none.
fn single<'i, 'a>(items: &'i [Item<'a>], what: &'static str) -> Result<Option<&'i Item<'a>>, EvalError> {
    match items {
        [] => Ok(None),
        [item] => Ok(Some(item)),
        _ => Err(EvalError::Several(what)),
    }
}

/// The only item as a value of the language; `None` if there is none.
fn operand<'a>(items: &[Item<'a>], what: &'static str) -> Result<Option<Item<'a>>, EvalError> {
    single(items, what)?.map_or(Ok(None), Item::operand)
}

/// The truth value of one item (§ 4.5): what is no truth value is true.
fn truth_of(item: &Item<'_>) -> Option<bool> {
    match item {
        Item::Boolean(value) => Some(*value),
        Item::Node(node) if node.of() == TypeRef::Primitive(iris_fhir::definitions::Primitive::Boolean) => {
            match node.value() {
                Some(value) if value.kind() == ValueKind::Bool => value.as_bool(),
                _ => None,
            }
        }
        _ => Some(true),
    }
}

/// The type of an item in the language itself; `None` for elements and resources.
fn system_of(item: &Item<'_>) -> Option<System> {
    Some(match item {
        Item::Boolean(_) => System::Boolean,
        Item::Integer(_) => System::Integer,
        Item::Decimal(_) => System::Decimal,
        Item::String(_) => System::String,
        Item::Quantity(_) => System::Quantity,
        Item::Moment(moment) => match moment.kind() {
            crate::moment::MomentKind::Date => System::Date,
            crate::moment::MomentKind::DateTime => System::DateTime,
            crate::moment::MomentKind::Time => System::Time,
        },
        Item::Node(_) | Item::Target(_) | Item::Type(_) => return None,
    })
}

fn fhir_of(item: &Item<'_>) -> Option<TypeRef> {
    match item {
        Item::Node(node) => Some(node.of()),
        Item::Target(kind) => TypeRef::of_kind(*kind),
        _ => None,
    }
}

/// Whether an item is of a type or of one that specialises it.
fn is_of(item: &Item<'_>, test: TypeTest) -> bool {
    match fhir_of(item) {
        Some(of) => test.fhir.is_some_and(|wanted| of.is_a(wanted)),
        None => test.system.is_some() && system_of(item) == test.system,
    }
}

/// Whether `as` and `ofType` let an item through: as [`is_of`], but a `code` is not taken as `string`.
fn taken_as(item: &Item<'_>, test: TypeTest) -> bool {
    match item {
        Item::Node(node) => node_taken_as(*node, test),
        _ => is_of(item, test),
    }
}

fn node_taken_as(node: Node<'_>, test: TypeTest) -> bool {
    type_taken_as(node.of(), test)
}

/// Whether `as` and `ofType` let elements of a type through.
pub(crate) fn type_taken_as(of: TypeRef, test: TypeTest) -> bool {
    test.fhir.is_some_and(|wanted| match of {
        TypeRef::Primitive(_) => of == wanted || wanted == TypeRef::Structure(known().element),
        TypeRef::Structure(_) => of.is_a(wanted),
    })
}
