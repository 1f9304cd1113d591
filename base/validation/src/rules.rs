//! Rules of single types that R4 states in words.

use std::collections::HashMap;
use std::sync::LazyLock;

use iris_fhir::definitions::{CodeList, ParamKind, definitions};
use iris_fhir::json::{Value, ValueKind};
use iris_fhir::validate::{Faults, Found, IssueCode, Severity};
use iris_fhirpath::{BinaryOp, CompileError, Expr, Focus, Settings, compile, parse};

use crate::bundle::is_absolute;
use crate::extensions::extension;

/// After the members of an element of this type have been looked at.
pub(crate) fn complex(found: Found<'_>, of: &str, faults: &mut Faults) {
    match of {
        "Attachment" => attachment(found.value, faults),
        "Coding" => {
            coding(found.value, faults);
            if found.of_type.suggested.is_some() {
                suggested(found, &[found.value], faults);
            }
        }
        "CodeableConcept" if found.of_type.suggested.is_some() && faults.wants(Severity::Warning) => {
            let codings: Vec<Value<'_>> = found.value.get("coding").into_iter().flat_map(Value::items).collect();
            suggested(found, &codings, faults);
        }
        "Extension" => extension(found, faults),
        "ValueSet.compose.include.filter" => filter(found.value, faults),
        "CapabilityStatement.rest.resource.searchParam" => search_param(found.value, faults),
        _ => {}
    }
}

/// After the members of a resource of this type have been looked at.
pub(crate) fn resource(value: Value<'_>, of: &str, faults: &mut Faults) {
    if of == "SearchParameter" {
        search_parameter(value, faults);
    }
}

/// `size` is that of the data, where both are given (R4 datatypes.html#Attachment).
fn attachment(value: Value<'_>, faults: &mut Faults) {
    let Some(stated) = value.get("size").and_then(Value::number).and_then(|size| size.parse::<usize>().ok()) else {
        return;
    };
    let Some(data) = value.str_of("data") else { return };
    let digits = data.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let (count, padding) =
        digits.fold((0_usize, 0), |(count, padding), byte| (count + 1, padding + usize::from(byte == b'=')));
    let size = (count / 4 * 3).saturating_sub(padding);
    if count.is_multiple_of(4) && size != stated {
        faults.at(value, IssueCode::Invalid, "The size is not that of the data");
    }
}

/// A code system is named by an absolute URI (R4 datatypes.html#Coding).
fn coding(value: Value<'_>, faults: &mut Faults) {
    let Some(system) = value.get("system") else { return };
    if system.as_str().is_some_and(|text| !is_absolute(&text)) {
        faults.at(system, IssueCode::Value, "A code system is named by an absolute URI");
    }
}

/// An extensible binding: a code of another system is for what none of the list says, which nobody here can judge.
fn suggested(found: Found<'_>, codings: &[Value<'_>], faults: &mut Faults) {
    let Some(list) = found.of_type.suggested.and_then(|list| definitions().code_list(list)) else { return };
    if !faults.wants(Severity::Warning) || codings.iter().any(|coding| has(list, *coding)) {
        return;
    }
    let what = match codings.is_empty() {
        true => {
            format!("No code; one of the extensible value set {} is to be used unless none of them applies", list.name)
        }
        false => {
            format!("No code of the extensible value set {}; another one is only for what none of them says", list.name)
        }
    };
    faults.add(Severity::Warning, IssueCode::CodeInvalid, found.value, "", what);
}

fn has(list: &CodeList, coding: Value<'_>) -> bool {
    let (system, code) = (coding.str_of("system"), coding.str_of("code"));
    system.zip(code).is_some_and(|(system, code)| list.has_in(&system, &code))
}

/// What computes the value of a value set's filter (R4's extension cqf-expression) is FHIRPath: nothing else is evaluated by whoever
/// expands the value set.
fn filter(value: Value<'_>, faults: &mut Faults) {
    const EXPRESSION: &str = "http://hl7.org/fhir/StructureDefinition/cqf-expression";
    let extensions = value.get("_value").and_then(|beside| beside.get("extension"));
    let mut expressions = extensions
        .into_iter()
        .flat_map(Value::items)
        .filter(|one| one.str_of("url").is_some_and(|url| url == EXPRESSION));
    let language = |one: Value<'_>| Some(one.get("valueExpression")?.str_of("language")? == "text/fhirpath");
    if expressions.any(|one| language(one) == Some(false)) {
        faults.at(value, IssueCode::NotSupported, "An expression in a value set is in the language text/fhirpath");
    }
}

/// Sorts of R4's own search parameters, by URL.
static SORTS: LazyLock<HashMap<&'static str, ParamKind>> = LazyLock::new(|| {
    let kinds = definitions().kinds().flat_map(|kind| definitions().params_of(kind));
    kinds.map(|param| (param.url, param.kind)).collect()
});

/// What a statement says of one of R4's search parameters is what R4 says.
fn search_param(value: Value<'_>, faults: &mut Faults) {
    let Some(url) = value.str_of("definition") else { return };
    let url = url.split('|').next().unwrap_or_default();
    let (Some(sort), Some(stated)) = (SORTS.get(url), value.str_of("type")) else { return };
    if sort.code() != stated {
        faults.at(
            value,
            IssueCode::Invalid,
            format!("The definition of this search parameter has the type {}", sort.code()),
        );
    }
}

/// An expression of a search parameter can be read, and finds something in each of the types that it is for.
fn search_parameter(value: Value<'_>, faults: &mut Faults) {
    let Some(at) = value.get("expression") else { return };
    let Some(text) = at.as_str() else { return };
    let expr = match parse(&text) {
        Ok(expr) => expr,
        Err(_) => return faults.at(at, IssueCode::Invalid, "The expression is no FHIRPath that can be read here"),
    };
    let mut parts = Vec::new();
    unions(&expr, &mut parts);
    for base in value.get("base").into_iter().filter(|base| base.kind() == ValueKind::Array).flat_map(Value::items) {
        let Some(kind) = base.as_str().and_then(|name| definitions().kind_of(&name)) else { continue };
        let settings = Settings::of_definitions(Focus::Resource(kind));
        let other = |part: &&Expr| {
            matches!(compile(part, &settings), Err(CompileError::OtherType(_) | CompileError::NoElement { .. }))
        };
        if parts.iter().all(other) {
            let what = format!("The expression finds nothing in a {}, which is a base", definitions().name_of(kind));
            return faults.at(at, IssueCode::Invalid, what);
        }
    }
}

/// The parts of `a | b | c`.
fn unions<'e>(expr: &'e Expr, parts: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Binary { op: BinaryOp::Union, left, right } => {
            unions(left, parts);
            unions(right, parts);
        }
        other => parts.push(other),
    }
}
