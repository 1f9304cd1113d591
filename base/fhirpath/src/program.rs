//! A compiled expression: a list of steps that refer to each other by number.

use regex::Regex;
use smallvec::SmallVec;

use crate::ast::BinaryOp;
use crate::function::Function;
use crate::item::Item;
use crate::model::{Member, TypeRef};

/// Most steps of a program.
pub const STEPS_MAX: usize = 4_096;

/// A step of a program, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepId(pub(crate) u16);

/// Arguments of a step: a run of the program's list of arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) from: u16,
    pub(crate) count: u16,
}

/// A type that an expression names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeTest {
    pub(crate) fhir: Option<TypeRef>,
    pub(crate) system: Option<System>,
}

/// The types of the language itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum System {
    Boolean,
    Date,
    DateTime,
    Decimal,
    Integer,
    Quantity,
    String,
    Time,
}

impl System {
    pub(crate) const ALL: [(&'static str, Self); 8] = [
        ("Boolean", Self::Boolean),
        ("Date", Self::Date),
        ("DateTime", Self::DateTime),
        ("Decimal", Self::Decimal),
        ("Integer", Self::Integer),
        ("Quantity", Self::Quantity),
        ("String", Self::String),
        ("Time", Self::Time),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(own, _)| *own == name).map(|(_, of)| *of)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, of)| *of == self).map_or("", |(name, _)| name)
    }
}

/// What the three type operations do with items of other types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TypeAction {
    /// `is`: says so.
    Is,
    /// `as`: empty; of several items an error.
    As,
    /// `ofType`: leaves them out.
    OfType,
}

/// What the environment gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    /// `%context`
    Context,
    /// `%resource`
    Resource,
    /// `%rootResource`
    RootResource,
    /// The caller's own, by its place in the list of names.
    Own(u16),
}

/// A step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// `{}`
    Empty,
    /// Constants, by their place in the list of constants.
    Constants {
        from: u16,
        count: u16,
    },
    /// `$this`, or the focus where nothing is written.
    This,
    /// The focus, if it is of the type that a path begins with.
    Root(TypeTest),
    Index,
    Total,
    /// `hasValue() or (children().count() > id.count())` of `$this`, which every element is asked (`ele-1`).
    HasContent,
    Variable(Variable),
    /// From `$this` along a run of the program's list of path steps; `root` is the type that the path begins with, if it names one.
    Path {
        root: Option<TypeTest>,
        from: u16,
        count: u16,
    },
    Member {
        of: StepId,
        member: &'static Member,
    },
    /// `namespace` or `name` of what `type()` gives; if `of` is an element, the element of that name.
    TypeInfo {
        of: StepId,
        part: TypeInfoPart,
        member: Option<&'static Member>,
    },
    Item {
        of: StepId,
        index: StepId,
    },
    Negate(StepId),
    /// `+` before a number.
    Keep(StepId),
    Binary {
        op: BinaryOp,
        left: StepId,
        right: StepId,
    },
    /// `|`, `and` or `or` of all arguments.
    Run {
        op: BinaryOp,
        arguments: Arguments,
    },
    Type {
        action: TypeAction,
        of: StepId,
        test: TypeTest,
    },
    /// A function; of those whose arguments are regular expressions, the compiled one by its place in their list.
    Call {
        of: StepId,
        function: Function,
        arguments: Arguments,
        regex: Option<u16>,
    },
}

/// A step of a path: what most expressions are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PathStep {
    Member(&'static Member),
    OfType(TypeTest),
}

/// The two members of what `type()` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TypeInfoPart {
    Namespace,
    Name,
}

/// A compiled expression. Made by [`crate::compile()`]; used from many threads at once.
#[derive(Debug)]
pub struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) paths: Vec<PathStep>,
    pub(crate) arguments: Vec<StepId>,
    pub(crate) constants: Vec<Item<'static>>,
    pub(crate) regexes: Vec<Regex>,
    pub(crate) root: StepId,
    /// Steps that come to the same whatever `$this` is, and are dear: evaluated once, however often they are asked for.
    pub(crate) kept: Vec<StepId>,
    /// The names of the types that its items may have, if that is known.
    pub(crate) leads_to: Option<Vec<&'static str>>,
}

impl Program {
    /// The names of the types that the items may have which it comes to: `HumanName`, `code`, `Boolean`; `Resource` for one of any
    /// type. `None` if that is not known before.
    #[must_use]
    pub fn leads_to(&self) -> Option<&[&'static str]> {
        self.leads_to.as_deref()
    }

    /// How many steps it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it has no steps; no program is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Fills in [`Self::kept`]. Operands stand before what uses them.
    pub(crate) fn find_kept(&mut self) {
        // For each step whether it is closed, and whether it is dear.
        let mut known: Vec<(bool, bool)> = Vec::with_capacity(self.steps.len());
        let mut kept: Vec<StepId> = Vec::new();
        for (step, id) in self.steps.iter().zip(0..) {
            let operands = self.operands(*step);
            let of = |id: &StepId| known.get(usize::from(id.0)).copied().unwrap_or_default();
            let depends = matches!(
                step,
                Step::This | Step::Root(_) | Step::Index | Step::Total | Step::HasContent | Step::Path { .. }
            );
            let closed = !depends && operands.iter().all(|operand| of(operand).0);
            let walks = matches!(step, Step::Call { function: Function::Descendants | Function::Repeat, .. });
            let dear = walks || operands.iter().any(|operand| of(operand).1);
            if closed && dear {
                // The larger step takes the place of those that it is made of, unless it asks them once for each item.
                let asked_once = match step {
                    Step::Call { of, function, .. } if function.is_per_item() => SmallVec::from_slice(&[*of]),
                    _ => operands,
                };
                kept.retain(|id| !asked_once.contains(id));
                kept.push(StepId(id));
            }
            known.push((closed, dear));
        }
        kept.retain(|id| *id != self.root);
        self.kept = kept;
    }

    fn operands(&self, step: Step) -> SmallVec<[StepId; 4]> {
        match step {
            Step::Empty
            | Step::Constants { .. }
            | Step::This
            | Step::Root(_)
            | Step::Index
            | Step::Total
            | Step::HasContent
            | Step::Path { .. }
            | Step::Variable(_) => SmallVec::new(),
            Step::Member { of, .. }
            | Step::TypeInfo { of, .. }
            | Step::Negate(of)
            | Step::Keep(of)
            | Step::Type { of, .. } => SmallVec::from_slice(&[of]),
            Step::Item { of, index } => SmallVec::from_slice(&[of, index]),
            Step::Binary { left, right, .. } => SmallVec::from_slice(&[left, right]),
            Step::Run { arguments, .. } => SmallVec::from_slice(self.arguments(arguments)),
            Step::Call { of, arguments, .. } => {
                let mut operands = SmallVec::from_slice(self.arguments(arguments));
                operands.push(of);
                operands
            }
        }
    }

    pub(crate) fn step(&self, id: StepId) -> Step {
        self.steps.get(usize::from(id.0)).copied().unwrap_or(Step::Empty)
    }

    /// A run of the list of path steps.
    pub(crate) fn path(&self, from: u16, count: u16) -> &[PathStep] {
        let from = usize::from(from);
        self.paths.get(from..from + usize::from(count)).unwrap_or_default()
    }

    pub(crate) fn arguments(&self, arguments: Arguments) -> &[StepId] {
        let from = usize::from(arguments.from);
        self.arguments.get(from..from + usize::from(arguments.count)).unwrap_or_default()
    }
}
