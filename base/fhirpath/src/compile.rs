//! Syntax tree to program, with the types that are known on the way.

use std::sync::LazyLock;

use iris_ucum::Decimal;
use regex::{Regex, RegexBuilder};

use crate::ast::{BinaryOp, Expr, Literal, TypeOp, UnaryOp, UnitSpelling};
use crate::compare::equal;
use crate::error::CompileError;
use crate::function::{Function, Input, Row, named};
use crate::item::{Item, Text};
use crate::kinds::{Kind, Kinds};
use crate::model::{TypeRef, known, member};
use crate::moment::Moment;
use crate::program::{
    Arguments, PathStep, Program, STEPS_MAX, Step, StepId, System, TypeAction, TypeInfoPart, TypeTest, Variable,
};
use crate::quantity::{Calendar, Measure, Quantity};
use crate::results::{NUMBERS, binary_kinds, gives, must_be, repeated};
use crate::settings::{AsOfMany, Focus, Mode, OrderCheck, Settings};

/// Most memory that one regular expression may take, in bytes.
pub const REGEX_BYTES_MAX: usize = 1 << 20;
/// Longest regular expression, in bytes.
pub const PATTERN_BYTES_MAX: usize = 1_024;
/// Most regular expressions of a program; R4's own have one.
pub const REGEXES_MAX: usize = 16;

/// What every element is asked (`ele-1`), and what has a step of its own.
static HAS_CONTENT: LazyLock<Expr> = LazyLock::new(|| {
    crate::parse("hasValue() or (children().count() > id.count())").unwrap_or(Expr::Literal(Literal::Empty))
});

/// Compiles an expression.
///
/// # Errors
/// An element, function, type or variable that there is not, an operand that cannot have the type that is needed, or a
/// constant that cannot be used. In [`Mode::Lenient`] unknown elements are no error.
pub fn compile(expr: &Expr, settings: &Settings<'_>) -> Result<Program, CompileError> {
    let mut compiler = Compiler {
        settings,
        program: Program {
            steps: Vec::new(),
            paths: Vec::new(),
            arguments: Vec::new(),
            constants: Vec::new(),
            regexes: Vec::new(),
            root: StepId(0),
            kept: Vec::new(),
            leads_to: None,
        },
    };
    let this = match settings.focus {
        Focus::Any => Kinds::unknown(),
        Focus::Type(of) => Kinds::one(Kind::Fhir(of)),
        Focus::Resource(kind) => {
            let name = iris_fhir::definitions::name_of(kind);
            let of = TypeRef::named(name).ok_or_else(|| CompileError::NoType(name.to_owned()))?;
            Kinds::one(Kind::Fhir(of))
        }
    };
    let (root, kinds) = if *expr == *HAS_CONTENT {
        (compiler.push(Step::HasContent)?, Kinds::system(System::Boolean))
    } else {
        compiler.expr(expr, &Scope { this })?
    };
    compiler.program.root = root;
    compiler.program.leads_to = kinds.types.map(|types| types.iter().map(|kind| kind.name()).collect());
    compiler.program.find_kept();
    Ok(compiler.program)
}

/// What is known of `$this`.
struct Scope {
    this: Kinds,
}

struct Compiler<'s> {
    settings: &'s Settings<'s>,
    program: Program,
}

type Compiled = Result<(StepId, Kinds), CompileError>;

impl Compiler<'_> {
    fn push(&mut self, step: Step) -> Result<StepId, CompileError> {
        let id = self.program.steps.len();
        if id >= STEPS_MAX {
            return Err(CompileError::TooLarge(STEPS_MAX));
        }
        self.program.steps.push(step);
        Ok(StepId(number(id)))
    }

    fn arguments(&mut self, ids: &[StepId]) -> Arguments {
        let from = number(self.program.arguments.len());
        self.program.arguments.extend_from_slice(ids);
        Arguments { from, count: number(ids.len()) }
    }

    fn constant(&mut self, item: Item<'static>) -> Result<StepId, CompileError> {
        let at = number(self.program.constants.len());
        self.program.constants.push(item);
        self.push(Step::Constants { from: at, count: 1 })
    }

    fn expr(&mut self, expr: &Expr, scope: &Scope) -> Compiled {
        match expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::This => Ok((self.push(Step::This)?, scope.this.clone())),
            Expr::Index => Ok((self.push(Step::Index)?, Kinds::system(System::Integer))),
            Expr::Total => Ok((self.push(Step::Total)?, Kinds::unknown())),
            Expr::Variable(name) => self.variable(name),
            Expr::Member { of: None, name } => self.first_member(name, scope),
            Expr::Member { of: Some(of), name } => {
                let of = self.expr(of, scope)?;
                self.member(of, name)
            }
            Expr::Call { of, name, arguments } => self.call(of.as_deref(), name, arguments, scope),
            Expr::Item { of, index } => {
                let (of, kinds) = self.expr(of, scope)?;
                let (index, _) = self.expr(index, scope)?;
                Ok((self.push(Step::Item { of, index })?, kinds))
            }
            Expr::Unary { op, operand } => {
                let (operand, kinds) = self.expr(operand, scope)?;
                must_be(&kinds, &NUMBERS, "a sign")?;
                let step = if *op == UnaryOp::Minus { Step::Negate(operand) } else { Step::Keep(operand) };
                Ok((self.push(step)?, kinds))
            }
            Expr::Binary { op: op @ (BinaryOp::Union | BinaryOp::And | BinaryOp::Or), .. } => {
                self.run(expr, *op, scope)
            }
            Expr::Binary { op, left, right } => self.binary(*op, left, right, scope),
            Expr::Type { op, operand, name } => {
                let of = self.expr(operand, scope)?;
                self.type_test(if *op == TypeOp::Is { TypeAction::Is } else { TypeAction::As }, of, name)
            }
        }
    }

    fn literal(&mut self, literal: &Literal) -> Compiled {
        let wrong = |what: &str| CompileError::Constant(what.to_owned());
        let (item, of) = match literal {
            Literal::Empty => return Ok((self.push(Step::Empty)?, Kinds::none())),
            Literal::Boolean(value) => (Item::Boolean(*value), System::Boolean),
            Literal::String(text) => (Item::String(Text::Made(text.as_str().into())), System::String),
            Literal::Number(number) if number.contains('.') => {
                (Item::Decimal(Decimal::parse(number).map_err(|_| wrong(number))?), System::Decimal)
            }
            Literal::Number(number) => {
                let value: i32 = number.parse().map_err(|_| wrong(number))?;
                (Item::Integer(value.into()), System::Integer)
            }
            Literal::Moment(moment) => {
                let moment = Moment::parse_literal(moment).ok_or_else(|| wrong(moment))?;
                (Item::Moment(moment), of_moment(moment))
            }
            Literal::Quantity { value, unit, spelt } => {
                let value = Decimal::parse(value).map_err(|_| wrong(value))?;
                let quantity = match (spelt, Calendar::named(unit)) {
                    (UnitSpelling::Word, Some(calendar)) => Quantity { value, unit: Measure::Calendar(calendar) },
                    _ => Quantity::coded(value, unit),
                };
                (Item::Quantity(quantity.into()), System::Quantity)
            }
        };
        Ok((self.constant(item)?, Kinds::system(of)))
    }

    fn variable(&mut self, name: &str) -> Compiled {
        let text = match name {
            "ucum" => "http://unitsofmeasure.org".to_owned(),
            "sct" => "http://snomed.info/sct".to_owned(),
            "loinc" => "http://loinc.org".to_owned(),
            _ => {
                let of = |prefix: &str, base: &str| name.strip_prefix(prefix).map(|rest| format!("{base}{rest}"));
                let set = of("vs-", "http://hl7.org/fhir/ValueSet/");
                match set.or_else(|| of("ext-", "http://hl7.org/fhir/StructureDefinition/")) {
                    Some(url) => url,
                    None => return self.environment(name),
                }
            }
        };
        Ok((self.constant(Item::made(text))?, Kinds::system(System::String)))
    }

    fn environment(&mut self, name: &str) -> Compiled {
        let variable = match name {
            "context" => Variable::Context,
            "resource" => Variable::Resource,
            "rootResource" => Variable::RootResource,
            _ => {
                let at = self.settings.variables.iter().position(|own| *own == name);
                Variable::Own(number(at.ok_or_else(|| CompileError::NoVariable(name.to_owned()))?))
            }
        };
        Ok((self.push(Step::Variable(variable))?, Kinds::unknown()))
    }

    /// A name at the start of a path: the type of the focus, or an element of it.
    fn first_member(&mut self, name: &str, scope: &Scope) -> Compiled {
        let root = TypeRef::named(name).filter(|_| name.starts_with(|first: char| first.is_ascii_uppercase()));
        let Some(root) = root else {
            let this = (self.push(Step::This)?, scope.this.clone());
            return self.member(this, name);
        };
        let related = |kind: &Kind| match kind {
            Kind::Fhir(own) => own.is_a(root) || root.is_a(*own),
            Kind::Resource => root.is_resource(),
            Kind::System(_) | Kind::TypeInfo => false,
        };
        let possible = scope.this.types.as_ref().is_none_or(|types| types.iter().any(related));
        if !possible && self.settings.mode == Mode::Strict {
            return Err(CompileError::OtherType(name.to_owned()));
        }
        let test = TypeTest { fhir: Some(root), system: None };
        // What is known stays known where the path begins with something more general.
        let narrower = |kind: &Kind| matches!(kind, Kind::Fhir(own) if own.is_a(root));
        let known_already = scope.this.types.as_ref().is_some_and(|types| types.iter().all(narrower));
        let kinds = if known_already { scope.this.clone() } else { scope.this.narrowed(test) };
        Ok((self.push(Step::Root(test))?, kinds))
    }

    fn member(&mut self, (of, kinds): (StepId, Kinds), name: &str) -> Compiled {
        let part = match name {
            "namespace" => Some(TypeInfoPart::Namespace),
            "name" => Some(TypeInfoPart::Name),
            _ => None,
        };
        let may_be_type = kinds.types.as_ref().is_none_or(|types| types.contains(&Kind::TypeInfo));
        if let (Some(part), true) = (part, may_be_type) {
            let kinds = if kinds.types.is_some() { Kinds::system(System::String) } else { Kinds::unknown() };
            return Ok((self.push(Step::TypeInfo { of, part, member: member(name) })?, kinds));
        }
        let found = member(name).map(|member| (member, kinds.member(member)));
        match found {
            Some((member, Some(kinds))) => Ok((self.led(of, PathStep::Member(member))?, kinds)),
            _ if self.settings.mode == Mode::Strict => {
                Err(CompileError::NoElement { of: kinds.names(), name: name.to_owned() })
            }
            Some((member, None)) => Ok((self.led(of, PathStep::Member(member))?, Kinds::none())),
            None => Ok((self.push(Step::Empty)?, Kinds::none())),
        }
    }

    /// A step further: the path that leads to `of` goes on, or a step of its own follows.
    fn led(&mut self, of: StepId, then: PathStep) -> Result<StepId, CompileError> {
        let at = number(self.program.paths.len());
        let path = match (self.program.step(of), then) {
            (Step::This, PathStep::Member(_)) => Step::Path { root: None, from: at, count: 1 },
            (Step::Root(test), PathStep::Member(_)) => Step::Path { root: Some(test), from: at, count: 1 },
            (Step::Path { root, from, count }, _) if from + count == at => Step::Path { root, from, count: count + 1 },
            (_, PathStep::Member(member)) => return self.push(Step::Member { of, member }),
            (_, PathStep::OfType(test)) => {
                return self.push(Step::Type { action: TypeAction::OfType, of, test });
            }
        };
        self.program.paths.push(then);
        // Nothing else refers to what the path takes the place of.
        self.program.steps.get_mut(usize::from(of.0)).into_iter().for_each(|step| *step = path);
        Ok(of)
    }

    /// A run of one operator.
    fn run(&mut self, expr: &Expr, op: BinaryOp, scope: &Scope) -> Compiled {
        let mut operands = Vec::new();
        let mut rest = expr;
        while let Expr::Binary { op: own, left, right } = rest {
            if *own != op {
                break;
            }
            operands.push(&**right);
            rest = left;
        }
        operands.push(rest);
        let mut ids = Vec::with_capacity(operands.len());
        let mut kinds = Kinds::none();
        for operand in operands.into_iter().rev() {
            let (id, of) = self.expr(operand, scope)?;
            ids.push(id);
            kinds = kinds.or(&of);
        }
        kinds.ordered &= op != BinaryOp::Union;
        if let (BinaryOp::Union, Some(step)) = (op, self.united(&ids)) {
            return Ok((self.push(step)?, kinds));
        }
        let kinds = if op == BinaryOp::Union { kinds } else { Kinds::system(System::Boolean) };
        let arguments = self.arguments(&ids);
        Ok((self.push(Step::Run { op, arguments })?, kinds))
    }

    /// The constants of a union, each once; `None` if it is not of constants alone.
    fn united(&mut self, operands: &[StepId]) -> Option<Step> {
        let mut united: Vec<Item<'static>> = Vec::new();
        for operand in operands {
            let Step::Constants { from, count: 1 } = self.program.step(*operand) else { return None };
            let item = self.program.constants.get(usize::from(from))?;
            if !united.iter().any(|other| equal(other, item) == Some(true)) {
                united.push(item.clone());
            }
        }
        let step = Step::Constants { from: number(self.program.constants.len()), count: number(united.len()) };
        self.program.constants.extend(united);
        Some(step)
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr, scope: &Scope) -> Compiled {
        let (left, left_kinds) = self.expr(left, scope)?;
        let (right, right_kinds) = self.expr(right, scope)?;
        let kinds = binary_kinds(op, &left_kinds, &right_kinds)?;
        Ok((self.push(Step::Binary { op, left, right })?, kinds))
    }

    fn type_test(&mut self, action: TypeAction, (of, kinds): (StepId, Kinds), name: &str) -> Compiled {
        let test = type_named(name)?;
        let action = match (action, self.settings.as_of_many) {
            (TypeAction::As, AsOfMany::Filters) => TypeAction::OfType,
            (action, _) => action,
        };
        let narrowed = if action == TypeAction::Is { Kinds::system(System::Boolean) } else { kinds.narrowed(test) };
        let step = match action {
            TypeAction::OfType => self.led(of, PathStep::OfType(test))?,
            _ => self.push(Step::Type { action, of, test })?,
        };
        Ok((step, narrowed))
    }

    fn call(&mut self, of: Option<&Expr>, name: &str, arguments: &[Expr], scope: &Scope) -> Compiled {
        let input = match of {
            Some(of) => self.expr(of, scope)?,
            None => (self.push(Step::This)?, scope.this.clone()),
        };
        let action = match name {
            "is" => Some(TypeAction::Is),
            "as" => Some(TypeAction::As),
            "ofType" => Some(TypeAction::OfType),
            _ => None,
        };
        if let Some(action) = action {
            let [argument] = arguments else { return Err(CompileError::Arguments("is(), as() or ofType")) };
            return self.type_test(action, input, &type_argument(argument)?);
        }
        let row = named(name).ok_or_else(|| CompileError::NoFunction(name.to_owned()))?;
        if arguments.len() < row.least || arguments.len() > row.most {
            return Err(CompileError::Arguments(row.name));
        }
        self.check_input(row, &input.1)?;
        let (ids, kinds) = self.call_arguments(row.function, &input.1, arguments, of.is_some(), scope)?;
        let regex = self.regex(row.function, arguments)?;
        let result = gives(row, &input.1, &kinds);
        let arguments = self.arguments(&ids);
        let step = Step::Call { of: input.0, function: row.function, arguments, regex };
        Ok((self.push(step)?, result))
    }

    fn check_input(&self, row: &Row, input: &Kinds) -> Result<(), CompileError> {
        match row.input {
            Input::Any => {}
            Input::Text => must_be(input, &[System::String], row.name)?,
            Input::Number => must_be(input, &NUMBERS[..2], row.name)?,
            Input::NumberOrQuantity => must_be(input, &NUMBERS, row.name)?,
            Input::Booleans => must_be(input, &[System::Boolean], row.name)?,
        }
        if row.function.needs_order() && !input.ordered && self.settings.order == OrderCheck::Checked {
            return Err(CompileError::NoOrder(row.name));
        }
        Ok(())
    }

    fn call_arguments(
        &mut self,
        function: Function,
        input: &Kinds,
        arguments: &[Expr],
        is_called_on: bool,
        scope: &Scope,
    ) -> Result<(Vec<StepId>, Vec<Kinds>), CompileError> {
        let per_item = function.is_per_item() && (is_called_on || function != Function::Iif);
        // What `repeat()` finds is looked at in turn, and may be of other types.
        let this = if function == Function::Repeat { repeated(input) } else { input.clone() };
        let inner = Scope { this };
        let mut ids = Vec::with_capacity(arguments.len());
        let mut kinds = Vec::with_capacity(arguments.len());
        for (argument, at) in arguments.iter().zip(0..) {
            // The start value of an aggregate and the name of a trace are no matter of single items.
            let outside = matches!((function, at), (Function::Aggregate, 1) | (Function::Trace, 0));
            let within = if per_item && !outside { &inner } else { scope };
            let (id, of) = match (function, argument) {
                // Here a minus says which way to sort, whatever the type.
                (Function::Sort, Expr::Unary { op: UnaryOp::Minus, operand }) => {
                    let (key, of) = self.expr(operand, within)?;
                    (self.push(Step::Negate(key))?, of)
                }
                _ => self.expr(argument, within)?,
            };
            if function == Function::Iif && at == 0 {
                must_be(&of, &[System::Boolean], "iif")?;
            }
            ids.push(id);
            kinds.push(of);
        }
        Ok((ids, kinds))
    }

    fn regex(&mut self, function: Function, arguments: &[Expr]) -> Result<Option<u16>, CompileError> {
        let is_regex = matches!(function, Function::Matches | Function::MatchesFull | Function::ReplaceMatches);
        let (true, Some(Expr::Literal(Literal::String(pattern)))) = (is_regex, arguments.first()) else {
            return Ok(None);
        };
        if self.program.regexes.len() >= REGEXES_MAX {
            return Err(CompileError::TooLarge(REGEXES_MAX));
        }
        let regex = regex_of(function, pattern).ok_or_else(|| CompileError::Constant(pattern.clone()))?;
        self.program.regexes.push(regex);
        Ok(Some(number(self.program.regexes.len() - 1)))
    }
}

/// Lists are shorter than [`STEPS_MAX`], so this never saturates.
fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// The regular expression of a function: `.` matches line ends too (§ 5.6.9), and a full match is anchored.
pub(crate) fn regex_of(function: Function, pattern: &str) -> Option<Regex> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return None;
    }
    let anchored = function == Function::MatchesFull;
    let pattern = if anchored { format!("^(?:{pattern})$") } else { pattern.to_owned() };
    let mut builder = RegexBuilder::new(&pattern);
    builder.dot_matches_new_line(true).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX);
    builder.build().ok()
}

fn of_moment(moment: Moment) -> System {
    match moment.kind() {
        crate::moment::MomentKind::Date => System::Date,
        crate::moment::MomentKind::DateTime => System::DateTime,
        crate::moment::MomentKind::Time => System::Time,
    }
}

/// The type that a name means: of FHIR, of the language, or of both where both have it.
pub(crate) fn type_named(name: &str) -> Result<TypeTest, CompileError> {
    let none = || CompileError::NoType(name.to_owned());
    if let Some(own) = name.strip_prefix("System.") {
        let system = System::named(own);
        // `System.Patient` is no type, but no mistyped one either: nothing is of it.
        return if system.is_some() || TypeRef::named(own).is_some() {
            Ok(TypeTest { fhir: None, system })
        } else {
            Err(none())
        };
    }
    let (own, system) = match name.strip_prefix("FHIR.") {
        Some(own) => (own, None),
        None => (name, System::named(name)),
    };
    // The definitions know these two by the type that they constrain.
    let fhir = match own {
        "SimpleQuantity" | "MoneyQuantity" => Some(TypeRef::Structure(known().quantity)),
        _ => TypeRef::named(own),
    };
    if fhir.is_none() && system.is_none() { Err(none()) } else { Ok(TypeTest { fhir, system }) }
}

/// The name of a type that stands as argument.
fn type_argument(expr: &Expr) -> Result<String, CompileError> {
    match expr {
        Expr::Member { of: None, name } => Ok(name.clone()),
        Expr::Member { of: Some(of), name } => Ok(format!("{}.{name}", type_argument(of)?)),
        Expr::Literal(Literal::String(name)) => Ok(name.clone()),
        _ => Err(CompileError::NoType("an expression".to_owned())),
    }
}
