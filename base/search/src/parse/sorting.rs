//! `_sort`: one key or several, each with `-` before it for descending.

use iris_fhir::definitions::{ParamKind, definitions};
use iris_kernel::Kind;

use super::{Trouble, word};
use crate::plan::{Planned, is_phonetic, planned, served};
use crate::sort::{Order, SORT_KEYS_MAX, Sort, SortKey};
use crate::term::Mode;

/// The keys of an order. Every key that is none is named.
pub(super) fn sorts(kind: Kind, value: &str) -> Result<Vec<Sort>, Trouble> {
    let keys: Vec<&str> = value.split(',').collect();
    if keys.len() > SORT_KEYS_MAX {
        return Err(Trouble::Wrong(format!("has more than {SORT_KEYS_MAX} keys").into()));
    }
    let (mut sorts, mut wrong) = (Vec::with_capacity(keys.len()), Vec::new());
    for text in &keys {
        let (code, order) = match text.strip_prefix('-') {
            Some(code) => (code, Order::Descending),
            None => (*text, Order::Ascending),
        };
        match planned(kind, code).and_then(sort_key) {
            Some(key) => sorts.push(Sort { key, order }),
            None => wrong.push(word(code).into_owned()),
        }
    }
    if !wrong.is_empty() {
        let name = definitions().name_of(kind);
        let known: Vec<_> = sortable(kind).collect();
        let (wrong, known) = (wrong.join(", "), known.join(", "));
        let what = format!("cannot sort {name} by {wrong}; keys are {known}, with - before one for descending").into();
        // Where a name is missing no key is meant.
        let is_named = keys.iter().all(|key| !key.trim_start_matches('-').is_empty());
        return Err(if is_named { Trouble::Unserved(what) } else { Trouble::Wrong(what) });
    }
    let twice = sorts.iter().enumerate().any(|(at, sort)| sorts[..at].iter().any(|before| before.key == sort.key));
    if twice {
        return Err("names a key twice".into());
    }
    Ok(sorts)
}

/// The parameters that an answer can be sorted by.
pub fn sortable(kind: Kind) -> impl Iterator<Item = &'static str> {
    served(kind).filter(move |param| planned(kind, param.code).and_then(sort_key).is_some()).map(|param| param.code)
}

/// What is compared for a parameter. Sounds have no order that a reader would know, composites no single value.
fn sort_key(planned: &Planned) -> Option<SortKey> {
    let param = planned.param.index;
    let mode = match planned.param.kind {
        ParamKind::Date => return planned.slot.map(|slot| SortKey::Date { slot }),
        ParamKind::String if is_phonetic(planned.param) => return None,
        ParamKind::String => Mode::Folded,
        ParamKind::Token => Mode::Code,
        ParamKind::Number => Mode::Number,
        ParamKind::Quantity => Mode::Quantity,
        ParamKind::Reference => Mode::Local,
        ParamKind::Uri => Mode::Uri,
        ParamKind::Composite | ParamKind::Special => return None,
    };
    Some(SortKey::Term { param, mode })
}
