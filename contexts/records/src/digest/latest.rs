//! The latest observation of each sort.

use std::collections::BTreeSet;

use iris_fhir::json::Value;
use iris_kernel::Kind;
use iris_search::{Criterion, parameter, term};

use super::read::{concept, items, text};

/// What was observed: the codes for it, as (system, code), or its name where it has none.
///
/// An observation stands for another one if it has no codes beyond that one's. One shared code is not enough: some write a general
/// code beside the particular one, and a pulse is no later temperature because both are called a vital sign.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Coded(BTreeSet<(Option<String>, String)>),
    Named(Option<String>),
}

impl Sort {
    fn of(observation: Value<'_>) -> Self {
        let codings = observation.get("code").into_iter().flat_map(|code| items(code, "coding"));
        let owned = |value: Value<'_>, name| text(value, name).map(std::borrow::Cow::into_owned);
        let codes: BTreeSet<_> =
            codings.filter_map(|coding| Some((owned(coding, "system"), owned(coding, "code")?))).collect();
        if codes.is_empty() { Self::Named(concept(observation, "code")) } else { Self::Coded(codes) }
    }

    fn stands_for(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Coded(codes), Self::Coded(others)) => codes.is_subset(others),
            _ => self == other,
        }
    }
}

/// The first of each sort, in their order: the latest, because they come latest first.
pub(super) fn latest<'a>(observations: &[Value<'a>]) -> Vec<Value<'a>> {
    let mut seen: Vec<Sort> = Vec::new();
    let mut is_new = |observation: &Value<'_>| {
        let sort = Sort::of(*observation);
        let is_new = !seen.iter().any(|seen| seen.stands_for(&sort));
        if is_new {
            seen.push(sort);
        }
        is_new
    };
    observations.iter().copied().filter(|observation| is_new(observation)).collect()
}

/// The sorts of these observations, each as criteria that hold together for whatever it stands for. Those without a code are not
/// among them: no search tells their names apart.
pub(super) fn seen(kind: Kind, observations: &[Value<'_>]) -> Vec<Vec<Criterion>> {
    let Some(code) = parameter(kind, "code").map(|param| param.index) else { return Vec::new() };
    let criterion = |(system, value): (Option<String>, String)| {
        Criterion::Term(match system {
            Some(system) => term::system_code(code, &system, &value),
            None => term::no_system(code, &value),
        })
    };
    let sorts: BTreeSet<Sort> = latest(observations).into_iter().map(Sort::of).collect();
    let coded = sorts.into_iter().filter_map(|sort| match sort {
        Sort::Coded(codes) => Some(codes.into_iter().map(criterion).collect()),
        Sort::Named(_) => None,
    });
    coded.collect()
}
