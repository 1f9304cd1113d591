//! Which modifiers and prefixes a parameter takes: one table, which the reader of searches keeps to and a capability statement shows.

use iris_fhir::definitions::{ParamKind, SearchParam, definitions, kind_of};
use iris_kernel::Kind;

use super::criteria::Refusal;
use super::plan::{Planned, Reading, is_phonetic, planned};
use super::query::DateOp;

/// Most types that a message lists.
const NAMED_TARGETS_MAX: usize = 20;

/// The prefixes of dates, numbers and quantities, in the order of R4.
pub const PREFIXES: [(&str, DateOp); 9] = [
    ("eq", DateOp::Eq),
    ("ne", DateOp::Ne),
    ("gt", DateOp::Gt),
    ("lt", DateOp::Lt),
    ("ge", DateOp::Ge),
    ("le", DateOp::Le),
    ("sa", DateOp::Sa),
    ("eb", DateOp::Eb),
    ("ap", DateOp::Ap),
];

/// The prefixes that a sort of parameter takes.
#[must_use]
pub const fn prefixes(sort: ParamKind) -> &'static [(&'static str, DateOp)] {
    match sort {
        ParamKind::Date | ParamKind::Number | ParamKind::Quantity => &PREFIXES,
        ParamKind::Token
        | ParamKind::String
        | ParamKind::Reference
        | ParamKind::Uri
        | ParamKind::Composite
        | ParamKind::Special => &[],
    }
}

/// What stands after the colon of a parameter's name (R4 search.html#modifiers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// Whether there is a value at all.
    Missing,
    /// A string, with case and accents, whole.
    Exact,
    /// A part of a string.
    Contains,
    /// The text beside a code.
    Text,
    /// No value is this one.
    Not,
    /// A code of a value set.
    In,
    /// No code is of a value set.
    NotIn,
    /// What stands above a code or address, and it itself.
    Above,
    /// What stands below a code or address, and it itself.
    Below,
    /// An identifier with its type.
    OfType,
    /// A reference by the identifier that it carries.
    Identifier,
    /// A reference to this type.
    Type(Kind),
}

impl Modifier {
    /// As it is written.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exact => "exact",
            Self::Contains => "contains",
            Self::Text => "text",
            Self::Not => "not",
            Self::In => "in",
            Self::NotIn => "not-in",
            Self::Above => "above",
            Self::Below => "below",
            Self::OfType => "of-type",
            Self::Identifier => "identifier",
            Self::Type(kind) => definitions().name_of(kind),
        }
    }

    /// The modifier of this name, if the parameter takes it. What does not take one is answered with those that it takes.
    pub(super) fn read(planned: &Planned, name: &str) -> Result<Self, Refusal> {
        let taken = taken(planned);
        if let Some(modifier) = taken.iter().find(|modifier| modifier.code() == name) {
            return Ok(*modifier);
        }
        if planned.param.kind == ParamKind::Reference
            && let Some(kind) = target(planned.param, name)
        {
            return Ok(Self::Type(kind));
        }
        Err(refusal(planned.param, &taken))
    }
}

/// The modifiers that a parameter of a type takes; the types of references not among them. Empty for what is no parameter.
#[must_use]
pub fn modifiers(kind: Kind, code: &str) -> Vec<Modifier> {
    planned(kind, code).map(taken).unwrap_or_default()
}

/// The type of this name, if the parameter may lead to it.
pub(super) fn target(param: &SearchParam, name: &str) -> Option<Kind> {
    kind_of(name).filter(|kind| param.targets.is_empty() || param.targets.contains(kind))
}

fn taken(planned: &Planned) -> Vec<Modifier> {
    use Modifier::{Above, Below, Contains, Exact, Identifier, In, Missing, Not, NotIn, OfType, Text};
    let is_coded = planned.reads(Reading::Coding) || planned.reads(Reading::Concept);
    let has_code = planned.reads(Reading::Code);
    let is_identifier = planned.reads_identifiers();
    let mut taken = Vec::new();
    let mut takes = |whether: bool, modifiers: &[Modifier]| {
        if whether {
            taken.extend_from_slice(modifiers);
        }
    };
    match planned.param.kind {
        ParamKind::Composite => return taken,
        ParamKind::String => takes(!is_phonetic(planned.param), &[Exact, Contains]),
        ParamKind::Token => {
            takes(true, &[Not]);
            takes(is_coded || is_identifier, &[Text]);
            takes(is_coded || has_code, &[In, NotIn, Above, Below]);
            takes(is_identifier, &[OfType]);
        }
        ParamKind::Reference => takes(planned.reads(Reading::Reference), &[Identifier]),
        ParamKind::Uri => takes(true, &[Above, Below]),
        ParamKind::Date | ParamKind::Number | ParamKind::Quantity | ParamKind::Special => {}
    }
    taken.push(Missing);
    taken
}

fn refusal(param: &SearchParam, taken: &[Modifier]) -> Refusal {
    let name = |modifier: &Modifier| format!(":{}", modifier.code());
    let mut known: Vec<String> = taken.iter().map(name).collect();
    if param.kind == ParamKind::Reference {
        match param.targets {
            targets if targets.is_empty() || targets.len() > NAMED_TARGETS_MAX => {
                known.push("the name of a type of resource".to_owned());
            }
            targets => known.extend(targets.iter().map(|kind| name(&Modifier::Type(*kind)))),
        }
    }
    if known.is_empty() {
        return "takes no modifier".into();
    }
    format!("supports only the modifiers {}", known.join(", ")).into()
}
