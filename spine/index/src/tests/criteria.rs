//! Criteria, clauses and orders made of random numbers and of what current resources have, so that most of them find something.

use std::sync::Arc;

use iris_kernel::{Kind, Seq};
use iris_search::term::Mode;
use iris_search::{
    Clause, Criterion, DateOp, Label, Near, Order, Reach, Scan, ScanTest, SearchDocument, Sort, SortKey,
};
use iris_search::{Targets, Term, compartment_term, compartments_term, label_term, parse_query, words};

use super::{World, context, document};
use crate::schema::{reference_of_term, stands_whole};

const GUARDED: u8 = Mode::Guarded as u8;
/// The modes that an answer can be sorted by, beside references.
const SORTED: [Mode; 8] =
    [Mode::Code, Mode::Folded, Mode::Word, Mode::Uri, Mode::Number, Mode::Quantity, Mode::Composite, Mode::Text];
/// What is asked as a request asks it.
const ASKED: [(&str, &str); 34] = [
    ("value-quantity", "5.4|http://unitsofmeasure.org|mg"),
    ("value-quantity", "gt5"),
    ("value-quantity", "le0.0054||g"),
    ("value-quantity", "ap118"),
    ("value-quantity", "lt0,ne5.4||mg"),
    ("probability", "0.3"),
    ("probability", "gt0.25"),
    ("probability", "lt0.4"),
    ("probability:missing", "false"),
    ("code-value-quantity", "http://loinc.org|c1$gt5"),
    ("code-value-quantity", "c2$5.4||mg"),
    ("code:text", "test 1"),
    ("code:not", "c1"),
    ("family:contains", "mit"),
    ("name:contains", "uz"),
    ("given:missing", "true"),
    ("identifier:missing", "false"),
    ("value-string:contains", "seen"),
    ("subject:missing", "true"),
    ("performer:missing", "false"),
    ("birthdate", "ap1980"),
    ("_filter", "family co \"mi\" or not (active eq true)"),
    ("_filter", "family ne smith"),
    ("_filter", "family gt m and family le z"),
    ("_filter", "gender ne male"),
    ("_filter", "gender ne http://hl7.org/fhir/administrative-gender|male"),
    ("_filter", "code ne http://loinc.org|c1"),
    ("_filter", "code ne |c1 and code ne c2"),
    ("_filter", "code ne http://loinc.org|"),
    ("_filter", "identifier ne 5"),
    ("_filter", "birthdate co 1980-01-02 or date co 2013-01-14T10:00:00Z"),
    ("_filter", "_profile ne http://x.org or _profile co org"),
    ("gender:in", "http://hl7.org/fhir/ValueSet/administrative-gender"),
    ("gender:not-in", "http://hl7.org/fhir/ValueSet/administrative-gender"),
];
/// A criterion made of what some current resource has, so that most of them find something.
pub(super) fn criterion(world: &World, kind: Kind, seed: u64) -> Criterion {
    let documents = documents(world, kind);
    match seed % 16 {
        10 => scan(&documents, seed),
        11 => parsed(kind, seed),
        12 => refers(&documents, seed),
        13 => {
            let own = documents.iter().enumerate().filter(|(place, _)| seed >> (8 + place % 40) & 1 == 1);
            let keys: Vec<u64> = own.map(|(_, (_, document))| document.own).chain([seed]).collect();
            Criterion::Own(if seed >> 60 & 1 == 1 { Targets::shared(keys) } else { Arc::new(Targets::of(kind, keys)) })
        }
        14 | 15 => tree(world, kind, seed, 3),
        leaf => simple(&documents, leaf, seed),
    }
}

/// What is current of a kind, in all tenants, oldest first.
fn documents(world: &World, kind: Kind) -> Vec<(Seq, SearchDocument)> {
    let rows = world.current.values().filter(|row| row.kind == kind);
    let mut documents: Vec<_> = rows.filter_map(|row| Some((row.seq, document(row)?))).collect();
    documents.sort_by_key(|(seq, _)| *seq);
    documents
}

/// Criteria of criteria.
fn tree(world: &World, kind: Kind, seed: u64, depth: u32) -> Criterion {
    if depth == 0 {
        return simple(&documents(world, kind), seed % 10, seed);
    }
    let inner = |shift: u32| {
        let seed = seed.rotate_right(shift).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        if seed.is_multiple_of(2) {
            tree(world, kind, seed >> 1, depth - 1)
        } else {
            criterion_within(world, kind, seed >> 1)
        }
    };
    let some = (0..(seed >> 32 & 3) as u32).map(|place| inner(7 + place * 9)).collect();
    match seed >> 5 & 3 {
        0 | 3 => Criterion::All(some),
        1 => Criterion::Any(some),
        _ => Criterion::Not(Box::new(inner(5))),
    }
}

/// A criterion that is no tree.
fn criterion_within(world: &World, kind: Kind, seed: u64) -> Criterion {
    criterion(world, kind, if seed % 16 >= 14 { seed ^ 8 } else { seed })
}

/// A test on the values of a parameter that keep their order.
fn scan(documents: &[(Seq, SearchDocument)], seed: u64) -> Criterion {
    let Some(term) = ordered_term(documents, seed) else { return Criterion::Nothing };
    let value = &term[3..];
    let pick = |bound: usize, shift: u32| usize::try_from((seed >> shift) % bound.max(1) as u64).unwrap();
    let (from, length) = (pick(value.len(), 30), 1 + pick(4, 38));
    let part = &value[from..value.len().min(from + length)];
    let test = match pick(3, 42) {
        0 => ScanTest::Any,
        1 => ScanTest::Contains(part.into()),
        _ => ScanTest::Starts(value[..value.len().min(length)].into()),
    };
    Criterion::Scan(Scan::new(&term[..3], test))
}

/// A term of some document that stands in the dictionary as it is.
fn ordered_term(documents: &[(Seq, SearchDocument)], seed: u64) -> Option<Term> {
    let pick = |bound: usize, shift: u32| usize::try_from((seed >> shift) % bound.max(1) as u64).unwrap();
    let (_, document) = documents.get(pick(documents.len(), 8))?;
    let ordered: Vec<_> = document.terms.iter().filter(|term| stands_whole(term) && term[2] != GUARDED).collect();
    ordered.get(pick(ordered.len(), 16)).map(|term| (*term).clone())
}

/// A search as a request asks it; what is not served is not asked.
fn parsed(kind: Kind, seed: u64) -> Criterion {
    let asked = ASKED[usize::try_from((seed >> 8) % ASKED.len() as u64).unwrap()];
    let pairs = [(asked.0.to_owned(), asked.1.to_owned())];
    match parse_query(kind, &pairs, &context()) {
        Ok(mut query) if query.is_resolved() => {
            let none = query.none.drain(..).map(|group| Criterion::Not(Box::new(Criterion::All(group))));
            Criterion::All(query.all.drain(..).map(Criterion::Any).chain(none).collect())
        }
        _ => Criterion::Nothing,
    }
}

/// A reference to one of some records.
pub(super) fn refers(documents: &[(Seq, SearchDocument)], seed: u64) -> Criterion {
    let pick = |bound: usize, shift: u32| usize::try_from((seed >> shift) % bound.max(1) as u64).unwrap();
    let references: Vec<_> = documents
        .iter()
        .flat_map(|(_, document)| &document.terms)
        .filter(|term| term[2] == Mode::Local as u8)
        .filter_map(|term| Some((u16::from_be_bytes([term[0], term[1]]), reference_of_term(term)?)))
        .collect();
    let Some((param, (kind, key))) = references.get(pick(references.len(), 16)) else { return Criterion::Nothing };
    let others = references.iter().enumerate().filter(|(place, _)| seed >> (20 + place % 40) & 3 == 3);
    let of_kind = others.filter(|(_, (_, (other, _)))| other == kind).map(|(_, (_, (_, key)))| *key);
    let keys: Vec<u64> = of_kind.chain([*key, seed]).collect();
    let to = if seed >> 61 & 1 == 1 { Targets::shared(keys) } else { Arc::new(Targets::of(*kind, keys)) };
    Criterion::Refers { param: *param, to }
}

/// A criterion of one term, date or word.
fn simple(documents: &[(Seq, SearchDocument)], leaf: u64, seed: u64) -> Criterion {
    let pick = |bound: usize, shift: u32| usize::try_from((seed >> shift) % bound.max(1) as u64).unwrap();
    let Some((_, document)) = documents.get(pick(documents.len(), 8)) else { return Criterion::Nothing };
    match leaf {
        0 => Criterion::Nothing,
        1 | 2 => {
            let ops = [
                DateOp::Eq,
                DateOp::Ne,
                DateOp::Gt,
                DateOp::Lt,
                DateOp::Ge,
                DateOp::Le,
                DateOp::Sa,
                DateOp::Eb,
                DateOp::Ap,
            ];
            let date = document.dates[pick(document.dates.len(), 16)];
            Criterion::Date { slot: date.slot, op: ops[pick(ops.len(), 24)], low: date.low, high: date.high }
        }
        3 => {
            let folded: Vec<_> = document.terms.iter().filter(|term| term[2] == Mode::Folded as u8).collect();
            let Some(term) = folded.get(pick(folded.len(), 16)) else { return Criterion::Nothing };
            Criterion::Prefix(term[..term.len().min(4 + pick(6, 24))].into())
        }
        8 | 9 => word(document, seed),
        _ => Criterion::Term(document.terms[pick(document.terms.len(), 16)].clone()),
    }
}

/// A clause over compartments and labels, of each sort that there is.
pub(super) fn clause(seed: u64) -> Clause {
    let pick = |bound: usize, shift: u32| usize::try_from((seed >> shift) % bound as u64).unwrap();
    let term = |shift: u32| match pick(6, shift) {
        0 => label_term(Label::Hiv),
        1 => label_term(Label::VeryRestricted),
        2 => compartments_term(),
        patient => compartment_term(&super::model::uuid(patient - 3)),
    };
    let any = (0..pick(4, 0) as u32).map(|place| term(4 + 8 * place)).collect();
    let unless = (0..pick(3, 2) as u32).map(|place| term(32 + 8 * place)).collect();
    Clause::new(any, unless)
}

/// A word of a name: its beginning, or a word like it with one or two letters left out, turned round or put in.
fn word(document: &SearchDocument, seed: u64) -> Criterion {
    let words: Vec<_> = document.terms.iter().filter(|term| term[2] == Mode::Word as u8).collect();
    let pick = |bound: usize, shift: u32| usize::try_from((seed >> shift) % bound.max(1) as u64).unwrap();
    let Some(term) = words.get(pick(words.len(), 16)) else { return Criterion::Nothing };
    let param = u16::from_be_bytes([term[0], term[1]]);
    let mut letters: Vec<char> = std::str::from_utf8(&term[3..]).unwrap().chars().collect();
    if seed % 10 == 8 && pick(2, 48) == 0 {
        letters.truncate(1 + pick(6, 24));
        return words::beginning(param, &letters.into_iter().collect::<String>());
    }
    for shift in [24, 36] {
        let at = pick(letters.len(), shift + 4);
        match pick(4, shift) {
            0 if letters.len() > 1 => drop(letters.remove(at)),
            1 if at > 0 => letters.swap(at - 1, at),
            2 => letters.insert(at, 'x'),
            _ => {}
        }
    }
    let reach = if pick(2, 52) == 0 { Reach::Whole } else { Reach::Beginning };
    let asked: String = letters.into_iter().collect();
    Near::new(param, &asked, reach).map_or(Criterion::Nothing, Criterion::Near)
}

/// A key of an order: half of them by terms that some document has.
pub(super) fn sort_key(world: &World, kind: Kind, seed: u64) -> Sort {
    let order = if (seed / 16).is_multiple_of(2) { Order::Ascending } else { Order::Descending };
    let by_term = || {
        let documents = documents(world, kind);
        if (seed / 32).is_multiple_of(4) {
            let Criterion::Refers { param, .. } = refers(&documents, seed >> 8) else { return None };
            return Some(SortKey::Term { param, mode: Mode::Local });
        }
        let term = ordered_term(&documents, seed >> 8)?;
        let mode = SORTED.into_iter().find(|mode| *mode as u8 == term[2])?;
        Some(SortKey::Term { param: u16::from_be_bytes([term[0], term[1]]), mode })
    };
    let key = match seed % 8 {
        0 => SortKey::Recent,
        1..4 => SortKey::Date { slot: u8::try_from(seed / 64 % 4).unwrap() },
        _ => by_term().unwrap_or(SortKey::Recent),
    };
    Sort { key, order }
}
