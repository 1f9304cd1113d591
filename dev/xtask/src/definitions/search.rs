//! By which parameters resources are found, and in whose compartment they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::{LeftOut, Source, VERSION, list, text};

const URL: &str = "http://hl7.org/fhir/SearchParameter/";

/// Expressions that 4.0.1 gives without the type they start at.
const EXPRESSIONS: [(&str, &str); 1] = [("InsurancePlan?name", "InsurancePlan.name | InsurancePlan.alias")];

/// The two tables.
pub(super) struct Search {
    pub(super) parameters: String,
    pub(super) compartment: String,
}

struct Parameter {
    sort: String,
    targets: String,
    url: String,
    expression: String,
}

/// Reads search parameters and the compartment.
pub(super) fn table(source: &Source, kinds: &BTreeSet<String>, left_out: &mut LeftOut) -> Result<Search, String> {
    let mut by_type: BTreeMap<String, BTreeMap<String, Parameter>> = BTreeMap::new();
    for parameter in source.resources("search-parameters.json")? {
        let (code, url) = (text(&parameter, "code"), text(&parameter, "url"));
        let Some(own_url) = url.strip_prefix(URL) else {
            left_out.add("search parameters that are not HL7's", url);
            continue;
        };
        if text(&parameter, "version") != VERSION {
            left_out.add("search parameters of another version of FHIR", url);
            continue;
        }
        for base in list(&parameter, "base").iter().filter_map(Value::as_str) {
            let place = format!("{base}?{code}");
            if !kinds.contains(base) && !matches!(base, "Resource" | "DomainResource") {
                left_out.add("search parameters of types that are not in R4", place);
                continue;
            }
            let repaired = EXPRESSIONS.iter().find(|(own, _)| *own == place).map(|(_, expression)| *expression);
            let expression = for_type(repaired.unwrap_or(text(&parameter, "expression")), base);
            if expression.is_empty() {
                left_out.add("search parameters without an expression for the type", place);
                continue;
            }
            let read = Parameter {
                sort: text(&parameter, "type").to_owned(),
                targets: targets(&parameter, kinds),
                url: own_url.to_owned(),
                expression,
            };
            if by_type.entry(base.to_owned()).or_default().insert(code.to_owned(), read).is_some() {
                return Err(format!("{place} is defined twice"));
            }
        }
    }
    Ok(Search { parameters: parameters(&by_type), compartment: compartment(source, kinds)? })
}

fn parameters(by_type: &BTreeMap<String, BTreeMap<String, Parameter>>) -> String {
    let codes: BTreeSet<&String> = by_type.values().flat_map(BTreeMap::keys).collect();
    let numbers: BTreeMap<&String, usize> = codes.into_iter().zip(1..).collect();
    let mut out = String::new();
    for (base, parameters) in by_type {
        let _ = writeln!(out, "{base}");
        for (code, p) in parameters {
            let number = numbers.get(code).copied().unwrap_or_default();
            let _ = writeln!(out, "{number}\t{code}\t{}\t{}\t{}\t{}", p.sort, p.targets, p.url, p.expression);
        }
    }
    out
}

fn targets(parameter: &Value, kinds: &BTreeSet<String>) -> String {
    let targets: BTreeSet<&str> =
        list(parameter, "target").iter().filter_map(Value::as_str).filter(|target| kinds.contains(*target)).collect();
    if targets.is_empty() || targets.len() == kinds.len() {
        return "-".to_owned();
    }
    targets.into_iter().collect::<Vec<_>>().join("|")
}

/// The parts of a union that start at this type.
fn for_type(expression: &str, base: &str) -> String {
    let parts = union_parts(expression);
    let own = parts.iter().map(|part| part.trim()).filter(|part| {
        let start: String = part.trim_start_matches('(').chars().take_while(char::is_ascii_alphanumeric).collect();
        start == base
    });
    own.collect::<Vec<_>>().join(" | ")
}

/// Splits at the `|` that are in no parentheses and no quotes.
fn union_parts(expression: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_u32, false);
    for (at, character) in expression.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            '|' if !quoted && depth == 0 => {
                parts.push(&expression[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&expression[start..]);
    parts
}

fn compartment(source: &Source, kinds: &BTreeSet<String>) -> Result<String, String> {
    let definition = source.file("compartmentdefinition-patient.json")?;
    let mut by_type = BTreeMap::new();
    for resource in list(&definition, "resource") {
        let code = text(resource, "code");
        let parameters: Vec<&str> = list(resource, "param").iter().filter_map(Value::as_str).collect();
        if kinds.contains(code) && !parameters.is_empty() {
            by_type.insert(code, parameters);
        }
    }
    Ok(by_type.iter().fold(String::new(), |mut out, (code, parameters)| {
        let _ = writeln!(out, "{code} {}", parameters.join(" "));
        out
    }))
}

#[cfg(test)]
mod tests {
    use super::for_type;

    #[test]
    fn a_shared_parameter_keeps_only_the_parts_of_the_type() {
        let shared =
            "AllergyIntolerance.patient | CarePlan.subject.where(resolve() is Patient) | (CarePlan.a | CarePlan.b).c";
        assert_eq!(
            for_type(shared, "CarePlan"),
            "CarePlan.subject.where(resolve() is Patient) | (CarePlan.a | CarePlan.b).c"
        );
        assert_eq!(
            for_type("(Observation.value as Quantity) | Observation.x.where(y = '|')", "Observation")
                .matches('|')
                .count(),
            2
        );
        assert_eq!(for_type("Patient.name", "Person"), "");
    }
}
