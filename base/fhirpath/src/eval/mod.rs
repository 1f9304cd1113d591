//! Running a program.

mod collections;
mod convert;
mod fhir;
mod math;
mod operators;
mod sort;
mod text;

use iris_fhir::json::ValueKind;
use smallvec::smallvec;

use crate::ast::BinaryOp;
use crate::context::{Context, MADE_BYTES_MAX};
use crate::error::EvalError;
use crate::function::Function;
use crate::item::{Item, Items, Node, Text};
use crate::model::{Member, TypeRef, known};
use crate::program::{Program, Step, StepId, System, TypeAction, TypeInfoPart, TypeTest, Variable};

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
        let fuel = context.limits.fuel;
        let mut machine = Machine { program: self, context, fuel, focus: focus.clone(), kept: Vec::new() };
        let mut out = Items::new();
        let this = [focus];
        let scope = Scope { this: &this, index: None, total: None };
        machine.run(self.root, scope, &mut out)?;
        Ok(out)
    }

    /// Whether the expression holds: the truth value that it comes to. Nothing at all is `None`, and one item that is no truth value
    /// is `true` (`FHIRPath` § 4.5).
    ///
    /// # Errors
    /// As [`Self::evaluate`], and several items.
    pub fn test<'a>(&self, focus: Item<'a>, context: &Context<'a, '_>) -> Result<Option<bool>, EvalError> {
        truth(&self.evaluate(focus, context)?, "a truth value")
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
    focus: Item<'a>,
    /// What the program's kept steps have come to.
    kept: Vec<(StepId, Items<'a>)>,
}

pub(crate) type Done = Result<(), EvalError>;

impl<'a> Machine<'a, '_, '_> {
    fn spend(&mut self, steps: u64) -> Done {
        self.fuel = self.fuel.checked_sub(steps).ok_or(EvalError::Limit("steps"))?;
        Ok(())
    }

    /// Pays for what has been added, and holds the limit on collections.
    fn grown(&mut self, from: usize, to: usize) -> Done {
        if to > self.context.limits.items {
            return Err(EvalError::Limit("items of a collection"));
        }
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

    /// Runs a step, and appends what it comes to.
    pub(crate) fn run(&mut self, id: StepId, scope: Scope<'a, '_>, out: &mut Items<'a>) -> Done {
        self.spend(1)?;
        if self.program.kept.is_empty() || !self.program.kept.contains(&id) {
            return self.run_anew(id, scope, out);
        }
        let from = out.len();
        if let Some((_, items)) = self.kept.iter().find(|(own, _)| *own == id) {
            out.extend(items.iter().cloned());
        } else {
            let mut items = Items::new();
            self.run_anew(id, scope, &mut items)?;
            out.extend(items.iter().cloned());
            // All that is kept together holds the limit of one collection.
            let kept: usize = self.kept.iter().map(|(_, items)| items.len()).sum();
            if kept + items.len() <= self.context.limits.items {
                self.kept.push((id, items));
            }
        }
        self.grown(from, out.len())
    }

    fn run_anew(&mut self, id: StepId, scope: Scope<'a, '_>, out: &mut Items<'a>) -> Done {
        let from = out.len();
        match self.program.step(id) {
            Step::Empty => {}
            Step::Constant(at) => out.extend(self.program.constants.get(usize::from(at)).cloned()),
            Step::This => out.extend(scope.this.iter().cloned()),
            Step::Root(test) => out.extend(scope.this.iter().filter(|item| is_of(item, test)).cloned()),
            Step::Index => out.extend(scope.index.map(Item::Integer)),
            Step::Total => out.extend(scope.total.into_iter().flatten().cloned()),
            Step::Variable(variable) => self.variable(variable, out),
            Step::Member { of, member } => {
                for item in self.items(of, scope)? {
                    if let Item::Node(node) = item {
                        node.member(member, out);
                    }
                }
            }
            Step::TypeInfo { of, part, member } => {
                for item in self.items(of, scope)? {
                    type_info(&item, part, member, out);
                }
            }
            Step::Item { of, index } => {
                let items = self.items(of, scope)?;
                let index = self.integer(index, scope, "an index")?;
                let at = index.and_then(|index| usize::try_from(index).ok());
                out.extend(at.and_then(|at| items.get(at)).cloned());
            }
            Step::Negate(of) => out.extend(self.signed(of, scope, true)?),
            Step::Keep(of) => out.extend(self.signed(of, scope, false)?),
            Step::Binary { op, left, right } => self.binary(op, left, right, scope, out)?,
            Step::Run { op, arguments } => {
                let operands = self.program.arguments(arguments);
                match op {
                    BinaryOp::Union => self.union(operands, scope, out)?,
                    op => out.extend(self.logic(op, operands, scope)?.map(Item::Boolean)),
                }
            }
            Step::Type { action, of, test } => self.of_type(action, of, test, scope, out)?,
            Step::Call { of, function, arguments, regex } => {
                let input = self.items(of, scope)?;
                let arguments = self.program.arguments(arguments);
                self.call(function, &input, arguments, regex, scope, out)?;
            }
        }
        self.grown(from, out.len())
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

    fn variable(&self, variable: Variable, out: &mut Items<'a>) {
        match variable {
            Variable::Context => out.push(self.focus.clone()),
            Variable::Resource => out.push(Item::Node(self.context.resource)),
            Variable::RootResource => out.push(Item::Node(self.context.root)),
            Variable::Own(at) => out.extend(self.context.variables.get(usize::from(at)).into_iter().flatten().cloned()),
        }
    }

    fn of_type(
        &mut self,
        action: TypeAction,
        of: StepId,
        test: TypeTest,
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let items = self.items(of, scope)?;
        match action {
            TypeAction::Is => {
                let item = single(&items, "is")?;
                out.extend(item.map(|item| Item::Boolean(is_of(item, test))));
            }
            TypeAction::As => {
                let item = single(&items, "as")?;
                out.extend(item.filter(|item| taken_as(item, test)).cloned());
            }
            TypeAction::OfType => out.extend(items.into_iter().filter(|item| taken_as(item, test))),
        }
        Ok(())
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
            Function::All
            | Function::AllFalse
            | Function::AllTrue
            | Function::AnyFalse
            | Function::AnyTrue
            | Function::Count
            | Function::Empty
            | Function::Exists
            | Function::IsDistinct
            | Function::SubsetOf
            | Function::SupersetOf => self.existence(function, input, arguments, scope, out),
            Function::Aggregate
            | Function::Combine
            | Function::Distinct
            | Function::Exclude
            | Function::First
            | Function::Intersect
            | Function::Last
            | Function::Repeat
            | Function::Select
            | Function::Single
            | Function::Skip
            | Function::Tail
            | Function::Take
            | Function::Union
            | Function::Where => self.collection(function, input, arguments, scope, out),
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
            Function::ConvertsTo(_) | Function::To(_) | Function::Not => self.conversion(function, input, out),
            Function::Children
            | Function::ConformsTo
            | Function::Descendants
            | Function::Extension
            | Function::GetValue
            | Function::HasValue
            | Function::HtmlChecks
            | Function::MemberOf
            | Function::Now
            | Function::Resolve
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

/// `namespace` or `name` of what `type()` gives, or the element of that name.
fn type_info<'a>(item: &Item<'a>, part: TypeInfoPart, member: Option<&Member>, out: &mut Items<'a>) {
    match (item, part, member) {
        (Item::Type(info), TypeInfoPart::Namespace, _) => out.push(Item::String(Text::Borrowed(info.namespace))),
        (Item::Type(info), TypeInfoPart::Name, _) => out.push(Item::String(Text::Borrowed(info.name))),
        (Item::Node(node), _, Some(member)) => node.member(member, out),
        _ => {}
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

/// The truth value of a collection (§ 4.5): one item that is no truth value is true.
fn truth(items: &[Item<'_>], what: &'static str) -> Result<Option<bool>, EvalError> {
    let Some(item) = single(items, what)? else { return Ok(None) };
    Ok(match item {
        Item::Boolean(value) => Some(*value),
        Item::Node(node) if node.of() == TypeRef::Primitive(iris_fhir::definitions::Primitive::Boolean) => {
            match node.value() {
                Some(value) if value.kind() == ValueKind::Bool => value.as_bool(),
                _ => None,
            }
        }
        _ => Some(true),
    })
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
        Item::Target(kind) => TypeRef::named(iris_fhir::definitions::name_of(*kind)),
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
    match (fhir_of(item), test.fhir) {
        (Some(of @ TypeRef::Primitive(_)), Some(wanted)) => {
            of == wanted || wanted == TypeRef::Structure(known().element)
        }
        _ => is_of(item, test),
    }
}

/// The descendants of some items, by levels as `repeat(children())` finds them.
fn children_of<'a>(nodes: &[Item<'a>]) -> Items<'a> {
    let mut found: Items<'a> = smallvec![];
    for node in nodes.iter().filter_map(Item::node) {
        Node::children(node, &mut found);
    }
    found
}
