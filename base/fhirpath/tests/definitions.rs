//! Every search parameter and every invariant of R4 compiles with every type checked.
#![allow(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use iris_fhir::definitions::definitions;
use iris_fhirpath::{Focus, Settings, TypeRef, compile, parse};

const INVARIANTS: &str = include_str!("../../fhir/tables/invariants.txt");

#[test]
fn every_search_parameter_of_r4_compiles() {
    let mut count = 0;
    let mut faults = Vec::new();
    for kind in definitions().kinds() {
        let settings = Settings::of_definitions(Focus::Resource(kind));
        for param in definitions().params_of(kind).iter().filter(|param| !param.expression.is_empty()) {
            count += 1;
            let fault = match parse(param.expression) {
                Err(error) => Some(error.to_string()),
                Ok(expr) => {
                    assert_eq!(parse(&expr.to_string()).as_ref(), Ok(&expr), "{}", param.expression);
                    compile(&expr, &settings).err().map(|error| error.to_string())
                }
            };
            faults.extend(
                fault.map(|fault| {
                    format!("{} {}: {}: {fault}", definitions().name_of(kind), param.code, param.expression)
                }),
            );
        }
    }
    println!("search parameters compiled: {} of {count}", count - faults.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 1_300, "{count}");
}

/// The type of the elements with a path: `Patient.contact` is a type itself, `Patient.contact.name` has one.
fn focus(path: &str) -> Option<Focus> {
    if let Some(of) = TypeRef::named(path) {
        return Some(Focus::Type(of));
    }
    let (parent, name) = path.rsplit_once('.')?;
    match &definitions().structure(parent)?.element(name)?.types[..] {
        [of] => TypeRef::named(of.name).map(Focus::Type).or(Some(Focus::Any)),
        _ => Some(Focus::Any),
    }
}

#[test]
fn every_invariant_of_r4_compiles() {
    let (mut count, mut faults) = (0, Vec::new());
    for line in INVARIANTS.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split('\t').collect();
        let [path, key, severity, expression, human] = parts[..] else { panic!("{line}") };
        assert!(["error", "warning"].contains(&severity) && !human.is_empty(), "{line}");
        count += 1;
        let focus = focus(path).unwrap_or_else(|| panic!("{path}"));
        let fault = match parse(expression) {
            Err(error) => Some(error.to_string()),
            Ok(expr) => {
                assert_eq!(parse(&expr.to_string()).as_ref(), Ok(&expr), "{expression}");
                compile(&expr, &Settings::of_definitions(focus)).err().map(|error| error.to_string())
            }
        };
        faults.extend(fault.map(|fault| format!("{path} {key}: {expression}: {fault}")));
    }
    println!("invariants compiled: {} of {count}", count - faults.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 200, "{count}");
}
