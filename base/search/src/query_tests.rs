use proptest::prelude::*;

use super::*;
use crate::{DateRange, Order, SortKey, date, term};

/// Rows of `asked | had | the prefixes that match`, for one value without time zone.
const TABLE: &str = "
    2013            | 2013            | eq ge le
    2013            | 2013-06         | eq ge le
    2013            | 2013-01-01      | eq ge le
    2013            | 2013-12-31T23:59:59.999Z | eq ge le
    2013            | 2012-12-31      | ne lt le eb
    2013            | 2014            | ne gt ge sa
    2013-06         | 2013            | ne gt lt ge le
    2013-01-14      | 2013-01-14T10:00Z | eq ge le
    2013-01-14T10:00Z | 2013-01-14    | ne gt lt ge le
    2013-01-14      | 2013-01-14T23:30:00-01:00 | ne gt ge sa
    2013-01-14      | 2013-01-14T00:30:00+01:00 | ne lt le eb
    2013-01-14T10:00:00Z | 2013-01-14T12:00:00+02:00 | eq ge le
    2013-01-14T10:00:00.5Z | 2013-01-14T10:00:00Z | ne gt lt ge le
    2012-02         | 2012-02-29      | eq ge le
    2013-02         | 2013-03-01      | ne gt ge sa
    2013            | 2012-06 to 2013-06 | ne lt le
    2013            | 2013-06 to 2014-06 | ne gt ge
    2013            | 2012 to 2014    | ne gt lt ge le
    2013            | 2013-02 to 2013-11 | eq ge le
    2013            | 2014 to         | ne gt ge sa
    2013            | 2013 to         | ne gt ge
    2013            | 2012 to         | ne gt lt ge le
    2013            | to 2012         | ne lt le eb
    2013            | to 2013         | ne lt le
";

const OPS: [(&str, DateOp); 8] = [
    ("eq", DateOp::Eq),
    ("ne", DateOp::Ne),
    ("gt", DateOp::Gt),
    ("lt", DateOp::Lt),
    ("ge", DateOp::Ge),
    ("le", DateOp::Le),
    ("sa", DateOp::Sa),
    ("eb", DateOp::Eb),
];

fn had(text: &str) -> date::Range {
    let Some((start, end)) = text.split_once("to") else { return date::range(text.trim()).unwrap() };
    let (start, end) = (start.trim(), end.trim());
    let low = if start.is_empty() { i64::MIN } else { date::range(start).unwrap().0 };
    let high = if end.is_empty() { i64::MAX } else { date::range(end).unwrap().1 };
    (low, high)
}

#[test]
fn every_prefix_means_what_r4_says() {
    for row in TABLE.lines().filter(|row| !row.trim().is_empty()) {
        let mut columns = row.split('|').map(str::trim);
        let (asked, had) = (date::range(columns.next().unwrap()).unwrap(), had(columns.next().unwrap()));
        let expected: Vec<_> = columns.next().unwrap().split(' ').collect();
        let holding: Vec<_> = OPS.iter().filter(|(_, op)| op.holds(asked, had)).map(|(name, _)| *name).collect();
        assert_eq!(holding, expected, "{row}");
    }
}

/// The definitions of R4 §3.1.1.4.3 word by word, over single microseconds.
fn naive(op: DateOp, asked: (i64, i64), had: (i64, i64)) -> bool {
    let universe = || (-3..23i64).filter(|at| (had.0..had.1).contains(at));
    let in_asked = |at: &i64| (asked.0..asked.1).contains(at);
    let contained = universe().all(|at| in_asked(&at));
    let above = |at: &i64| *at >= asked.1;
    let below = |at: &i64| *at < asked.0;
    match op {
        DateOp::Eq => contained,
        DateOp::Ne => !contained,
        DateOp::Gt => universe().any(|at| above(&at)),
        DateOp::Lt => universe().any(|at| below(&at)),
        DateOp::Ge => universe().any(|at| above(&at)) || contained,
        DateOp::Le => universe().any(|at| below(&at)) || contained,
        DateOp::Sa => !universe().any(|at| in_asked(&at)) && universe().all(|at| above(&at)),
        DateOp::Eb => !universe().any(|at| in_asked(&at)) && universe().all(|at| below(&at)),
        DateOp::Ap => universe().any(|at| in_asked(&at)),
        DateOp::Contains => (asked.0..asked.1).all(|at| universe().any(|own| own == at)),
    }
}

fn small_range() -> impl Strategy<Value = (i64, i64)> {
    (0i64..19, 1i64..10).prop_map(|(low, width)| (low, (low + width).min(20)))
}

fn had_range() -> impl Strategy<Value = (i64, i64)> {
    (small_range(), 0..4).prop_map(|((low, high), open)| match open {
        0 => (i64::MIN, high),
        1 => (low, i64::MAX),
        _ => (low, high),
    })
}

proptest! {
    #[test]
    fn comparisons_agree_with_the_words_of_r4(asked in small_range(), had in had_range(), op in 0usize..10) {
        let op = OPS.get(op).map_or(if op == 8 { DateOp::Ap } else { DateOp::Contains }, |(_, op)| *op);
        prop_assert_eq!(op.holds(asked, had), naive(op, asked, had), "{:?} {:?} {:?}", op, asked, had);
    }

    #[test]
    fn matching_agrees_with_looking_at_every_term_and_date(
        groups in proptest::collection::vec(proptest::collection::vec((0u16..3, 0usize..8, small_range(), "[ab]{0,2}"), 0..3), 0..3),
        texts in proptest::collection::vec((0u16..3, "[ab]{0,3}"), 0..4),
        dates in proptest::collection::vec((0u8..2, had_range()), 0..3),
    ) {
        let mut terms: Vec<_> = texts.iter().map(|(param, text)| term::folded(*param, text)).collect();
        terms.sort_unstable();
        terms.dedup();
        let dates: Vec<_> = dates.iter().map(|(slot, (low, high))| DateRange { slot: *slot, low: *low, high: *high }).collect();
        let document = SearchDocument { terms, dates, own: 0 };
        let mut query = Query::everything(Kind(1));
        let mut expected = true;
        for group in &groups {
            let mut any = false;
            let mut criteria = Vec::new();
            for (param, choice, asked, text) in group {
                let has = |fits: &dyn Fn(&str) -> bool| texts.iter().any(|(own, other)| own == param && fits(other));
                let (criterion, holds) = match choice {
                    0 | 1 => (Criterion::Term(term::folded(*param, text)), has(&|other| other == text)),
                    2 | 3 => (Criterion::Prefix(term::folded(*param, text)), has(&|other| other.starts_with(text.as_str()))),
                    4 => (Criterion::Nothing, false),
                    _ => {
                        let (slot, op) = (u8::try_from(*param).unwrap(), OPS[*choice].1);
                        let holds = document.dates.iter().any(|own| own.slot == slot && naive(op, *asked, (own.low, own.high)));
                        (Criterion::Date { slot, op, low: asked.0, high: asked.1 }, holds)
                    }
                };
                any |= holds;
                criteria.push(criterion);
            }
            expected &= any;
            query.all.push(criteria);
        }
        prop_assert_eq!(query.matches(&document), expected);
    }
}

#[test]
fn a_sort_takes_the_earliest_or_the_latest_start() {
    let range = |slot, low| DateRange { slot, low, high: low + 1 };
    let document = SearchDocument { terms: Vec::new(), dates: vec![range(0, 9), range(1, 3), range(1, 7)], own: 0 };
    let value = |slot, order| document.sort_value(Sort { key: SortKey::Date { slot }, order });
    assert_eq!(value(1, Order::Ascending), Some(3));
    assert_eq!(value(1, Order::Descending), Some(7));
    assert_eq!(value(2, Order::Ascending), None);
    assert_eq!(document.sort_value(Sort::default()), None);
}
