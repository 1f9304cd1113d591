//! Of what the composite parameters of R4 consist. The definitions' table has their expressions, and this the components'.

use iris_fhir::definitions::{ParamKind, SearchParam, definitions};
use iris_fhirpath::{Focus, Program, Settings, Sources, TypeRef, compile, parse};
use iris_kernel::Kind;

use super::plan::Expression;

/// A composite parameter.
pub(super) struct Composite {
    /// Leads to the elements of which the components are parts.
    pub(super) program: Program,
    /// For each type of such an element the components, in the order of a query's values.
    bases: Vec<(TypeRef, Vec<Component>)>,
    /// The parameters under which the terms of its values stand: its own, or those whose elements together are all of its.
    pub(super) stands_under: Vec<u16>,
}

/// One component.
pub(super) struct Component {
    /// How values are compared.
    pub(super) sort: ParamKind,
    /// Leads from the element to the values.
    pub(super) expression: Expression,
}

impl Composite {
    /// Where the values of the terms of this parameter can come from in a resource of this type; `None` if that is not known.
    pub(super) fn sources(&self, param: u16, of: TypeRef) -> Option<Sources> {
        if !self.stands_under.contains(&param) {
            return Some(Sources::default());
        }
        let mut sources = self.program.sources(of)?;
        if sources.itself {
            // Of the resource itself every component is needed; the last one is there less often than the code.
            let needed = self.components(of).last()?.expression.program.sources(of)?;
            sources.members.extend(needed.members);
            sources.itself = needed.itself;
        }
        Some(sources)
    }

    /// The components of an element of a type.
    pub(super) fn components(&self, of: TypeRef) -> &[Component] {
        self.bases.iter().find(|(own, _)| *own == of).map_or(&[], |(_, components)| components)
    }

    /// How the values of the components are compared, in order.
    pub(super) fn sorts(&self) -> impl Iterator<Item = ParamKind> {
        self.bases.first().into_iter().flat_map(|(_, components)| components.iter().map(|component| component.sort))
    }
}

/// Sort and expression of each component.
type Parts = &'static [(ParamKind, &'static str)];

const CODE: (ParamKind, &str) = (ParamKind::Token, "code");
const QUANTITY: (ParamKind, &str) = (ParamKind::Quantity, "value.as(Quantity)");
const CONCEPT: (ParamKind, &str) = (ParamKind::Token, "value.as(CodeableConcept)");

/// The components by the code of the parameter (R4 search-parameters.json). `value.as(DateTime)` of the definitions, which names no
/// type of FHIR, is spelt as the type that is meant.
const PARTS: [(&str, Parts); 16] = [
    ("characteristic-value", &[CODE, (ParamKind::Token, "value.as(CodeableConcept) | value.as(boolean)")]),
    (
        "chromosome-variant-coordinate",
        &[
            (ParamKind::Token, "%resource.referenceSeq.chromosome"),
            (ParamKind::Number, "start"),
            (ParamKind::Number, "end"),
        ],
    ),
    (
        "chromosome-window-coordinate",
        &[(ParamKind::Token, "chromosome"), (ParamKind::Number, "windowStart"), (ParamKind::Number, "windowEnd")],
    ),
    ("code-value-concept", &[CODE, CONCEPT]),
    ("code-value-date", &[CODE, (ParamKind::Date, "value.as(dateTime) | value.as(Period)")]),
    ("code-value-quantity", &[CODE, QUANTITY]),
    ("code-value-string", &[CODE, (ParamKind::String, "value.as(string)")]),
    ("combo-code-value-concept", &[CODE, CONCEPT]),
    ("combo-code-value-quantity", &[CODE, QUANTITY]),
    ("component-code-value-concept", &[CODE, CONCEPT]),
    ("component-code-value-quantity", &[CODE, QUANTITY]),
    ("context-type-quantity", &[CODE, (ParamKind::Quantity, "value.as(Quantity) | value.as(Range)")]),
    ("context-type-value", &[CODE, CONCEPT]),
    (
        "referenceseqid-variant-coordinate",
        &[
            (ParamKind::Token, "%resource.referenceSeq.referenceSeqId"),
            (ParamKind::Number, "start"),
            (ParamKind::Number, "end"),
        ],
    ),
    (
        "referenceseqid-window-coordinate",
        &[(ParamKind::Token, "referenceSeqId"), (ParamKind::Number, "windowStart"), (ParamKind::Number, "windowEnd")],
    ),
    ("relationship", &[CODE, (ParamKind::Reference, "target")]),
];

/// Compiles a composite parameter.
///
/// # Errors
/// In words: R4 has no such composite, or an expression has no program or leads to nothing that can be read.
pub(super) fn composite(param: &SearchParam, kind: Kind) -> Result<Composite, String> {
    let focus = Focus::Resource(kind);
    let parts = parts_of(param).ok_or("has components that are not known")?;
    let expr = parse(param.expression).map_err(|error| error.to_string())?;
    let program = compile(&expr, &Settings::of_definitions(focus)).map_err(|error| error.to_string())?;
    let types = program.leads_to().unwrap_or_default();
    let bases: Result<Vec<_>, String> = types
        .iter()
        .filter_map(|name| TypeRef::named(name))
        .map(|of| {
            let compile = |(sort, text): &(ParamKind, &str)| {
                let expression = Expression::compile(text, within(focus, of, text), *sort)?;
                Ok(Component { sort: *sort, expression })
            };
            Ok((of, parts.iter().map(compile).collect::<Result<_, String>>()?))
        })
        .collect();
    let bases = bases?;
    let stands_under = stands_under(param, kind, parts);
    if bases.is_empty() { Err("leads to nothing".to_owned()) } else { Ok(Composite { program, bases, stands_under }) }
}

fn parts_of(param: &SearchParam) -> Option<Parts> {
    PARTS.iter().find(|(code, _)| *code == param.code).map(|(_, parts)| *parts)
}

/// [`Composite::stands_under`]: a composite of `Observation | Observation.component` has the values of one of `Observation` and one of
/// `Observation.component` that have the same components.
fn stands_under(param: &SearchParam, kind: Kind, parts: Parts) -> Vec<u16> {
    let composites = || definitions().params_of(kind).iter().filter(|other| other.kind == ParamKind::Composite);
    let of_operand = |operand: &str| {
        composites()
            .find(|other| other.expression == operand && parts_of(other) == Some(parts))
            .map(|other| other.index)
    };
    let operands: Option<Vec<u16>> = param.expression.split(" | ").map(of_operand).collect();
    operands.unwrap_or_else(|| vec![param.index])
}

/// What a component's expression is evaluated on: the element, but of one that starts at `%resource` the type of that is to be known.
fn within(resource: Focus, of: TypeRef, text: &str) -> Focus {
    if text.starts_with("%resource") { resource } else { Focus::Type(of) }
}
