//! For each kind of resource: its search parameters, compiled once.

use std::sync::{LazyLock, OnceLock};

use iris_kernel::Kind;

use crate::fhirpath::{self, Branch, NodeType, Output, Test};
use iris_fhir::definitions::{ParamKind, Primitive, SearchParam, Shape, definitions};

/// The slot of `_lastUpdated`.
pub(super) const LAST_UPDATED_SLOT: u8 = 0;

/// What is extracted from one kind of resource.
pub(super) struct Plan {
    pub(super) params: Vec<Planned>,
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
    /// From what paths lead to, read in the way of each path's type.
    Paths(Vec<(Branch, Reading)>),
    /// A truth value of the whole resource.
    Test(Test),
    /// From outside the text: `_id` and `_lastUpdated`, which the server gives.
    Server,
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
    Code(Option<&'static str>),
    /// `boolean` as token.
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
        let reads_names = |planned: &Planned| match &planned.values {
            Values::Paths(paths) => paths.iter().any(|(_, reading)| *reading == Reading::HumanName),
            Values::Test(_) | Values::Server => false,
        };
        let is_of_persons = params.iter().any(reads_names);
        Self { params, is_of_persons }
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

/// How the values of a parameter are found: `None` if its sort is not served, an error in words if its expression has no
/// program or leads only to types that its sort cannot read.
pub(super) fn values(param: &SearchParam, kind: Kind) -> Result<Option<Values>, String> {
    let by_uri = ["_profile", "_source"].contains(&param.code);
    let served = match param.kind {
        ParamKind::Token | ParamKind::String | ParamKind::Reference | ParamKind::Date => !param.expression.is_empty(),
        ParamKind::Uri => by_uri,
        ParamKind::Number | ParamKind::Quantity | ParamKind::Composite | ParamKind::Special => false,
    };
    if !served {
        return Ok(None);
    }
    if ["_id", "_lastUpdated"].contains(&param.code) {
        return Ok(Some(Values::Server));
    }
    let expr = fhirpath::parse(param.expression).map_err(|error| error.to_string())?;
    let program = fhirpath::compile(&expr, kind).map_err(|error| error.to_string())?;
    let branches = match program.output {
        Output::Test(test) => return Ok(Some(Values::Test(test))),
        Output::Nodes(branches) => branches,
    };
    let types: Vec<_> = branches.iter().map(|branch| branch.leads_to.name).collect();
    let unreadable = format!("{} cannot be read as {}", types.join(", "), param.kind.code());
    let paths: Vec<_> = branches
        .into_iter()
        .filter_map(|branch| {
            let reading = reading(param.kind, branch.leads_to)?;
            Some((branch, if is_phonetic(param) { by_sound(reading)? } else { reading }))
        })
        .collect();
    if paths.is_empty() { Err(unreadable) } else { Ok(Some(Values::Paths(paths))) }
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

const fn by_sound(reading: Reading) -> Option<Reading> {
    match reading {
        Reading::Text => Some(Reading::Sound),
        Reading::HumanName => Some(Reading::HumanNameSound),
        _ => None,
    }
}

/// How a type is read for a sort of parameter (the tables of R4 §3.1.1.4.4 to §3.1.1.4.9); `None` when it is not.
fn reading(sort: ParamKind, of: NodeType) -> Option<Reading> {
    let Shape::Primitive(primitive) = of.shape else { return complex_reading(sort, of) };
    let is_text = matches!(primitive, Primitive::String | Primitive::Markdown | Primitive::Code | Primitive::Id);
    let is_uri =
        matches!(primitive, Primitive::Uri | Primitive::Url | Primitive::Canonical | Primitive::Oid | Primitive::Uuid);
    let is_moment = matches!(primitive, Primitive::Date | Primitive::DateTime | Primitive::Instant);
    Some(match sort {
        ParamKind::Token if primitive == Primitive::Boolean => Reading::Boolean,
        ParamKind::Token if primitive == Primitive::Code => Reading::Code(implied_system(of)),
        ParamKind::Token if is_text || is_uri => Reading::TextToken,
        ParamKind::String if is_text || is_uri => Reading::Text,
        ParamKind::Reference | ParamKind::Uri if is_uri => Reading::Uri,
        ParamKind::Date if is_moment => Reading::Moment,
        _ => return None,
    })
}

fn complex_reading(sort: ParamKind, of: NodeType) -> Option<Reading> {
    Some(match (sort, of.name) {
        (ParamKind::Token, "Coding") => Reading::Coding,
        (ParamKind::Token, "CodeableConcept") => Reading::Concept,
        (ParamKind::Token, "Identifier") => Reading::Identifier,
        (ParamKind::Token, "ContactPoint") => Reading::Contact,
        (ParamKind::String, "HumanName") => Reading::HumanName,
        (ParamKind::String, "Address") => Reading::Address,
        (ParamKind::Reference, "Reference") => Reading::Reference,
        (ParamKind::Reference, _) if of.shape == Shape::Resource => Reading::Inline,
        (ParamKind::Date, "Period") => Reading::Period,
        (ParamKind::Date, "Timing") => Reading::Timing,
        _ => return None,
    })
}

/// The code system of a `code` element, if its binding allows codes of one system only.
fn implied_system(of: NodeType) -> Option<&'static str> {
    match &definitions().code_list(of.codes?)?.systems[..] {
        [(system, _)] => Some(system),
        _ => None,
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
