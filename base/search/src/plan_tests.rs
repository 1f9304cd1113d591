use std::collections::BTreeSet;

use super::*;

#[test]
fn every_served_sort_of_parameter_of_every_type_has_a_program_that_reads_something() {
    let mut wrong = Vec::new();
    let mut urls = BTreeSet::new();
    for kind in definitions().kinds() {
        for param in definitions().params_of(kind) {
            urls.insert(param.url);
            if let Err(error) = values(param, kind) {
                wrong.push(format!("{}.{}: {error}", definitions().name_of(kind), param.code));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    // R4 has 1,378, of which three have no expression (`_text`, `_content`, `_query`) and one names an element that R4 does not
    // have (`DeviceDefinition.classification`).
    assert_eq!(urls.len(), 1_374);
}

/// All other parameters compile as well: their values only have no reading yet.
#[test]
fn every_expression_of_every_type_compiles() {
    let mut wrong = Vec::new();
    for kind in definitions().kinds() {
        for param in definitions().params_of(kind).iter().filter(|param| !param.expression.is_empty()) {
            let program = fhirpath::parse(param.expression)
                .map_err(|error| error.to_string())
                .and_then(|expr| fhirpath::compile(&expr, kind).map_err(|error| error.to_string()));
            match program.map(|program| program.output) {
                Ok(Output::Nodes(branches)) if branches.is_empty() => wrong.push(format!("{}: nothing", param.url)),
                Ok(_) => {}
                Err(error) => wrong.push(format!("{}: {error}", param.url)),
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_token_string_reference_and_date_parameter_is_served() {
    let sorts = [ParamKind::Token, ParamKind::String, ParamKind::Reference, ParamKind::Date];
    for kind in definitions().kinds() {
        let expected: Vec<_> = definitions()
            .params_of(kind)
            .iter()
            .filter(|param| sorts.contains(&param.kind) || ["_profile", "_source"].contains(&param.code))
            .filter(|param| !["_text", "_content", "_query"].contains(&param.code))
            .map(|param| param.code)
            .collect();
        let served: Vec<_> = served(kind).map(|param| param.code).collect();
        assert_eq!(served, expected, "{}", definitions().name_of(kind));
    }
}

#[test]
fn date_slots_are_dense_and_start_with_last_updated() {
    for kind in definitions().kinds() {
        let mut slots: Vec<_> = served(kind).filter_map(|param| date_slot(kind, param.code)).collect();
        slots.sort_unstable();
        let dense: Vec<_> = (0..u8::try_from(slots.len()).unwrap()).collect();
        assert_eq!(slots, dense, "{}", definitions().name_of(kind));
        assert_eq!(date_slot(kind, "_lastUpdated"), Some(0));
    }
}

#[test]
fn every_compartment_parameter_is_one_that_is_extracted() {
    for kind in definitions().kinds() {
        let planned: Vec<_> = plan(kind).unwrap().params.iter().filter(|planned| planned.compartment).collect();
        let compartment = definitions().patient_compartment(kind);
        assert_eq!(planned.len(), compartment.len(), "{}: {compartment:?}", definitions().name_of(kind));
        assert!(planned.iter().all(|planned| matches!(planned.values, Values::Paths(_))));
    }
}
