//! For each kind of resource: its search parameters, compiled once.

use std::sync::{LazyLock, OnceLock};

use iris_fhir::definitions::{ParamKind, Primitive, SearchParam, definitions};
use iris_fhir::json::Value;
use iris_fhirpath::{Focus, Program, Settings, TypeRef, compile, parse};
use iris_kernel::Kind;

use super::candidates::Candidates;
use super::components::{Composite, composite};

/// The slot of `_lastUpdated`.
pub(super) const LAST_UPDATED_SLOT: u8 = 0;

/// What is extracted from one kind of resource.
pub(super) struct Plan {
    pub(super) params: Vec<Planned>,
    /// Which of them a resource can have values of.
    candidates: Candidates,
    /// Whether a parameter reads human names: then there is somebody to be found as one types.
    pub(super) is_of_persons: bool,
}

/// A parameter that is served.
pub(super) struct Planned {
    pub(super) param: &'static SearchParam,
    /// Of a date parameter: its slot.
    pub(super) slot: Option<u8>,
    /// Whether a patient that this parameter refers to has the resource in their compartment.
    pub(super) compartment: bool,
    pub(super) values: Values,
}

/// Where the values come from.
pub(super) enum Values {
    /// From what an expression comes to.
    Items(Expression),
    /// From the components of what an expression comes to.
    Composite(Composite),
    /// From outside the text: `_id` and `_lastUpdated`, which the server gives.
    Server,
}

/// An expression, with the ways in which what it comes to is read.
pub(super) struct Expression {
    pub(super) program: Program,
    /// The types that it may come to, each with how that is read.
    readings: Vec<(Leads, Reading)>,
}

/// A type that an expression may come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    /// An element of this type.
    To(TypeRef),
    /// A resource inside this one.
    ToResource,
    /// A truth value of the language itself.
    ToTruth,
}

/// How to read a value of one type for one sort of parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// `Coding` as token.
    Coding,
    /// `CodeableConcept` as token.
    Concept,
    /// `Identifier` as token.
    Identifier,
    /// `ContactPoint` as token.
    Contact,
    /// `code` as token, with the system that its binding implies, if that is one.
    Code,
    /// `boolean`, or a truth value that an expression makes, as token.
    Boolean,
    /// Text as token.
    TextToken,
    /// Text as string.
    Text,
    /// `HumanName` as string.
    HumanName,
    /// `Address` as string.
    Address,
    /// Text as string, by the sound of its words.
    Sound,
    /// `HumanName` as string, by the sound of its words.
    HumanNameSound,
    /// `Reference`.
    Reference,
    /// `canonical`, `uri` … as reference or URI.
    Uri,
    /// A resource inside this one, as reference.
    Inline,
    /// `date`, `dateTime`, `instant`.
    Moment,
    /// `Period`.
    Period,
    /// `Timing`, by its outer limits.
    Timing,
    /// `decimal`, `integer` …
    Number,
    /// `Quantity` and what specialises it.
    Quantity,
    /// `Money`
    Money,
    /// `Range`
    Range,
    /// `SampledData`, by the bounds of its values.
    SampledData,
    /// The position of a Location.
    Position,
}

impl Expression {
    /// Compiles an expression for values of a sort.
    ///
    /// # Errors
    /// In words: it has no program, or leads only to types that the sort cannot read.
    pub(super) fn compile(text: &str, focus: Focus, sort: ParamKind) -> Result<Self, String> {
        let expr = parse(text).map_err(|error| error.to_string())?;
        let program = compile(&expr, &Settings::of_definitions(focus)).map_err(|error| error.to_string())?;
        // What `%resource` is, the language does not know before, but the caller does.
        let known = match text.strip_prefix("%resource.") {
            Some(path) => Some(Self::compile(path, focus, sort)?.readings),
            None => None,
        };
        let types = program.leads_to().unwrap_or_default();
        let readings: Vec<_> = known.unwrap_or_else(|| types.iter().filter_map(|name| leads(sort, name)).collect());
        if readings.is_empty() {
            return Err(format!("{} cannot be read as {}", types.join(", "), sort.code()));
        }
        Ok(Self { program, readings })
    }

    /// How an element of a type is read; `None` if it is not. What system implies a code, the element says itself.
    pub(super) fn reading(&self, of: TypeRef) -> Option<Reading> {
        let is = |leads: &Leads| match leads {
            Leads::To(own) => *own == of,
            Leads::ToResource => of.is_resource(),
            Leads::ToTruth => false,
        };
        self.readings.iter().find(|(leads, _)| is(leads)).map(|(_, reading)| *reading)
    }

    /// The ways in which values may be read.
    pub(super) fn readings(&self) -> impl Iterator<Item = Reading> {
        self.readings.iter().map(|(_, reading)| *reading)
    }

    fn by_sound(mut self) -> Self {
        self.readings.retain_mut(|(_, reading)| match reading {
            Reading::Text => {
                *reading = Reading::Sound;
                true
            }
            Reading::HumanName => {
                *reading = Reading::HumanNameSound;
                true
            }
            _ => false,
        });
        self
    }
}

impl Planned {
    /// Whether a value may be read in this way.
    pub(super) fn reads(&self, reading: Reading) -> bool {
        matches!(&self.values, Values::Items(expression) if expression.readings().any(|own| own == reading))
    }

    /// Whether a value may be an identifier: some of these not everybody sees.
    pub(super) fn reads_identifiers(&self) -> bool {
        self.reads(Reading::Identifier)
    }

    /// Whether all values are truth values.
    pub(super) fn is_boolean(&self) -> bool {
        matches!(&self.values, Values::Items(expression) if expression.readings().all(|own| own == Reading::Boolean))
    }
}

/// Whether a reference parameter leads to records: it reads references, not only URLs of definitions.
pub(super) fn follows(planned: &Planned) -> bool {
    planned.reads(Reading::Reference) || planned.reads(Reading::Inline)
}

static PLANS: LazyLock<Vec<OnceLock<Plan>>> =
    LazyLock::new(|| definitions().kinds().map(|_| OnceLock::new()).collect());

/// The plan of a kind, compiled at first use. `None` for kinds that are no resource type.
pub(super) fn plan(kind: Kind) -> Option<&'static Plan> {
    let cell = PLANS.get(usize::from(kind.0).checked_sub(1)?)?;
    Some(cell.get_or_init(|| Plan::compile(kind)))
}

/// The search parameter of this name that a kind is searched by. `None` if R4 has none, or it is of a sort that is not
/// served.
#[must_use]
pub fn parameter(kind: Kind, code: &str) -> Option<&'static SearchParam> {
    planned(kind, code).map(|planned| planned.param)
}

/// Every search parameter that a kind is searched by: what a capability statement lists.
pub fn served(kind: Kind) -> impl Iterator<Item = &'static SearchParam> {
    plan(kind).into_iter().flat_map(|plan| plan.params.iter().map(|planned| planned.param))
}

/// The slot of a date parameter, as in [`super::DateRange::slot`].
#[must_use]
pub fn date_slot(kind: Kind, code: &str) -> Option<u8> {
    planned(kind, code)?.slot
}

pub(super) fn planned(kind: Kind, code: &str) -> Option<&'static Planned> {
    plan(kind)?.params.iter().find(|planned| planned.param.code == code)
}

impl Plan {
    fn compile(kind: Kind) -> Self {
        let definitions = definitions();
        let compartment = definitions.patient_compartment(kind);
        let mut next_slot = LAST_UPDATED_SLOT + 1;
        let mut params = Vec::new();
        for param in definitions.params_of(kind) {
            let slot = (param.kind == ParamKind::Date).then(|| slot_of(param, &mut next_slot));
            // What does not compile is not served, and refused by name; a test holds that this never happens.
            if let Ok(Some(values)) = values(param, kind) {
                let compartment = compartment.contains(&param.code);
                params.push(Planned { param, slot, compartment, values });
            }
        }
        params.sort_by_key(|planned: &Planned| planned.param.index);
        let is_of_persons = params.iter().any(|planned| planned.reads(Reading::HumanName));
        let candidates = Candidates::new(kind, &params);
        Self { params, candidates, is_of_persons }
    }

    /// The parameters that a resource can have values of, in the order of their terms.
    pub(super) fn candidates(&self, root: Value<'_>) -> impl Iterator<Item = &Planned> {
        let found = self.candidates.of(root);
        self.params.iter().zip(0_u32..).filter(move |(_, place)| found >> place & 1 == 1).map(|(planned, _)| planned)
    }
}

/// `_lastUpdated` has the first slot, the others follow in the definitions' order.
fn slot_of(param: &SearchParam, next: &mut u8) -> u8 {
    if param.code == "_lastUpdated" {
        return LAST_UPDATED_SLOT;
    }
    let slot = *next;
    *next += 1;
    slot
}

/// How the values of a parameter are found: `None` if it asks for what is in no element (`_text`, `_content`, `_query`), an error in
/// words if its expression has no program or leads only to types that its sort cannot read.
pub(super) fn values(param: &SearchParam, kind: Kind) -> Result<Option<Values>, String> {
    if param.expression.is_empty() {
        return Ok(None);
    }
    if ["_id", "_lastUpdated"].contains(&param.code) {
        return Ok(Some(Values::Server));
    }
    let focus = Focus::Resource(kind);
    if param.kind == ParamKind::Composite {
        return composite(param, kind).map(|composite| Some(Values::Composite(composite)));
    }
    let expression = Expression::compile(param.expression, focus, param.kind)?;
    Ok(Some(Values::Items(if is_phonetic(param) { expression.by_sound() } else { expression })))
}

/// Whether a string parameter compares sounds (R4 gives these one name, and leaves the algorithm to the server).
pub(super) fn is_phonetic(param: &SearchParam) -> bool {
    param.code == "phonetic"
}

/// Whether a token parameter reads telephone numbers alone (R4 gives these one name).
pub(super) fn is_phone(param: &SearchParam) -> bool {
    param.code == "phone"
}

/// Whether a date parameter reads days of birth (R4 gives these one name).
pub(super) fn is_birth(param: &SearchParam) -> bool {
    param.code == "birthdate"
}

/// How a type of this name is read for a sort of parameter; `None` when it is not.
fn leads(sort: ParamKind, name: &str) -> Option<(Leads, Reading)> {
    match (sort, name) {
        (ParamKind::Token, "Boolean") => return Some((Leads::ToTruth, Reading::Boolean)),
        (ParamKind::Reference, "Resource") => return Some((Leads::ToResource, Reading::Inline)),
        _ => {}
    }
    let of = TypeRef::named(name)?;
    let reading = match of {
        TypeRef::Primitive(primitive) => primitive_reading(sort, primitive),
        TypeRef::Structure(_) if sort == ParamKind::Reference && of.is_resource() => Some(Reading::Inline),
        TypeRef::Structure(_) => complex_reading(sort, name),
    };
    Some((Leads::To(of), reading?))
}

/// How a primitive type is read for a sort of parameter (the tables of R4 §3.1.1.4.3 to §3.1.1.4.12).
fn primitive_reading(sort: ParamKind, primitive: Primitive) -> Option<Reading> {
    let is_text = matches!(primitive, Primitive::String | Primitive::Markdown | Primitive::Code | Primitive::Id);
    let is_uri =
        matches!(primitive, Primitive::Uri | Primitive::Url | Primitive::Canonical | Primitive::Oid | Primitive::Uuid);
    let is_moment = matches!(primitive, Primitive::Date | Primitive::DateTime | Primitive::Instant);
    let is_number =
        matches!(primitive, Primitive::Decimal | Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt);
    Some(match sort {
        ParamKind::Token if primitive == Primitive::Boolean => Reading::Boolean,
        ParamKind::Token if primitive == Primitive::Code => Reading::Code,
        ParamKind::Token if is_text || is_uri => Reading::TextToken,
        ParamKind::String if is_text || is_uri => Reading::Text,
        ParamKind::Reference | ParamKind::Uri if is_uri => Reading::Uri,
        ParamKind::Date if is_moment => Reading::Moment,
        ParamKind::Number | ParamKind::Quantity if is_number => Reading::Number,
        _ => return None,
    })
}

fn complex_reading(sort: ParamKind, name: &str) -> Option<Reading> {
    Some(match (sort, name) {
        (ParamKind::Token, "Coding") => Reading::Coding,
        (ParamKind::Token, "CodeableConcept") => Reading::Concept,
        (ParamKind::Token, "Identifier") => Reading::Identifier,
        (ParamKind::Token, "ContactPoint") => Reading::Contact,
        (ParamKind::String, "HumanName") => Reading::HumanName,
        (ParamKind::String, "Address") => Reading::Address,
        (ParamKind::Reference, "Reference") => Reading::Reference,
        (ParamKind::Date, "Period") => Reading::Period,
        (ParamKind::Date, "Timing") => Reading::Timing,
        (ParamKind::Quantity, "Quantity" | "Age" | "Count" | "Distance" | "Duration") => Reading::Quantity,
        (ParamKind::Quantity, "Money") => Reading::Money,
        (ParamKind::Quantity | ParamKind::Number, "Range") => Reading::Range,
        (ParamKind::Quantity, "SampledData") => Reading::SampledData,
        (ParamKind::Special, "Location.position") => Reading::Position,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
