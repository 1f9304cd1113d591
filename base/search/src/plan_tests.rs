use std::collections::BTreeSet;

use super::*;

/// Three definitions of R4 4.0.1 have no expression and no plan: `_text`, `_content` and `_query` of every type ask for things that are
/// in no element.
#[test]
fn every_search_parameter_of_every_type_has_a_plan() {
    let mut wrong = Vec::new();
    let (mut urls, mut planned) = (BTreeSet::new(), BTreeSet::new());
    for kind in definitions().kinds() {
        for param in definitions().params_of(kind) {
            urls.insert(param.url);
            match values(param, kind) {
                Ok(Some(_)) => {
                    planned.insert(param.url);
                }
                Ok(None) => wrong.push(format!("{}: no plan", param.url)),
                Err(error) => wrong.push(format!("{}.{}: {error}", definitions().name_of(kind), param.code)),
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    println!("search parameters of R4 with a plan: {} of 1375", planned.len());
    // R4 has 1,378, of which three have no expression, and one names an element that R4 does not have
    // (`DeviceDefinition.classification`).
    assert_eq!((urls.len(), planned.len()), (1_374, 1_374));
}

/// The same type is read in one way for one sort, so that no value of an expression is left out unseen: what is, is named here.
#[test]
fn every_type_that_an_expression_leads_to_is_read_or_known_not_to_be() {
    let mut unread = BTreeSet::new();
    for kind in definitions().kinds() {
        for planned in &plan(kind).unwrap().params {
            let Values::Items(expression) = &planned.values else { continue };
            for name in expression.program.leads_to().unwrap() {
                if leads(planned.param.kind, name).is_none() {
                    unread.insert(format!("{} as {}: {name}", planned.param.code, planned.param.kind.code()));
                }
            }
        }
    }
    let unread: Vec<_> = unread.iter().map(String::as_str).collect();
    assert_eq!(unread, NOT_READ);
}

/// Types that stand in a choice where a parameter means another of them.
const NOT_READ: [&str; 5] = [
    "activity-date as date: string",
    "date as date: Age",
    "date as date: Range",
    "date as date: string",
    "source-reference as reference: Attachment",
];

#[test]
fn what_is_served_is_every_parameter() {
    for kind in definitions().kinds() {
        let all = definitions().params_of(kind).iter();
        let expected: Vec<_> = all.map(|param| param.code).collect();
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
        assert!(planned.iter().all(|planned| planned.reads(Reading::Reference)));
    }
}

#[test]
fn every_composite_has_components_of_sorts_that_stand_in_its_terms() {
    let mut count = 0;
    for kind in definitions().kinds() {
        for planned in &plan(kind).unwrap().params {
            let Values::Composite(composite) = &planned.values else { continue };
            count += 1;
            let sorts: Vec<_> = composite.sorts().collect();
            assert!(sorts.len() >= 2 && sorts[0] == ParamKind::Token, "{}", planned.param.url);
        }
    }
    println!("composites: {count}");
    assert!(count > 50, "{count}");
}
