//! The order of answers: positions that compare as the answer does, and a number for the orders that need no more.

use iris_kernel::Seq;
use iris_search::term::Mode;
use iris_search::{Order, SearchDocument, Sort, SortKey, Term};

use crate::error::IndexError;
use crate::schema::{HEAD_LEN, value_in_index};

/// Most keys that one search sorts by; a request's limit is this one too.
pub(crate) const KEYS_MAX: usize = iris_search::SORT_KEYS_MAX;
/// By how many first bytes values are compared: it bounds a position, which travels in a link.
pub(crate) const VALUE_BYTES_MAX: usize = 118;
/// Before a value that is there, and before one that is not, which comes last in both directions.
const THERE: u8 = 0;
const MISSING: u8 = 1;
/// Ends the bytes of a value; a zero within them is followed by [`ESCAPED`].
const END: [u8; 2] = [0, 0];
const ESCAPED: u8 = 0xff;

/// Where a page ended: the values sorted by and the birth sequence of its last resource, as bytes. Nothing that is written
/// meanwhile moves a resource across it, unless one of its own sort values changes.
///
/// Positions of searches that sort alike compare in the order of the answer, also where the searches are for different kinds. The
/// bytes hold values of records: they leave the server sealed only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(Box<[u8]>);

impl Position {
    /// The position that had these bytes. A search refuses one of another order.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The position of a resource that is found by this and was first stored then: for answers that are laid over those of the index.
    #[must_use]
    pub fn of_document(sort: &[Sort], document: &SearchDocument, born: Seq) -> Self {
        Place::of_document(sort, document, born).position(sort)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One value that is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// The start of a range, in microseconds.
    Time(i64),
    /// The first bytes of a term's value as it stands in the dictionary.
    Bytes(Vec<u8>),
}

/// The keys that decide: those up to the first that leaves no ties.
pub(crate) fn deciding(sort: &[Sort]) -> &[Sort] {
    let recent = sort.iter().position(|sort| sort.key == SortKey::Recent);
    &sort[..recent.unwrap_or(sort.len())]
}

/// In which direction births break ties: that of the last key which counts.
pub(crate) fn tie_order(sort: &[Sort]) -> Order {
    let last = sort.iter().find(|sort| sort.key == SortKey::Recent).or(sort.last());
    last.copied().unwrap_or_default().order
}

/// The parts of a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// One for each of [`deciding`].
    pub(crate) values: Vec<Option<Value>>,
    pub(crate) born: u64,
}

impl Place {
    /// The position of these values.
    pub(crate) fn position(&self, sort: &[Sort]) -> Position {
        let mut bytes = Vec::with_capacity(32);
        for (Sort { order, .. }, value) in deciding(sort).iter().zip(&self.values) {
            bytes.push(if value.is_some() { THERE } else { MISSING });
            let start = bytes.len();
            match value {
                None => {}
                Some(Value::Time(time)) => bytes.extend(ordered(*time).to_be_bytes()),
                Some(Value::Bytes(value)) => push_escaped(&mut bytes, value),
            }
            turn(&mut bytes[start..], *order);
        }
        let start = bytes.len();
        bytes.extend(self.born.to_be_bytes());
        turn(&mut bytes[start..], tie_order(sort));
        Position(bytes.into_boxed_slice())
    }

    /// What a position says under an order.
    ///
    /// # Errors
    /// A position of another order.
    pub(crate) fn of(position: &Position, sort: &[Sort]) -> Result<Self, IndexError> {
        Self::read(&position.0, sort).ok_or(IndexError::Page("a position of another order"))
    }

    fn read(mut bytes: &[u8], sort: &[Sort]) -> Option<Self> {
        let mut values = Vec::new();
        for Sort { key, order } in deciding(sort) {
            let (flag, rest) = bytes.split_first()?;
            bytes = rest;
            values.push(match (*flag, key) {
                (MISSING, _) => None,
                (THERE, SortKey::Term { .. }) => {
                    let (value, rest) = read_escaped(bytes, *order)?;
                    bytes = rest;
                    Some(Value::Bytes(value))
                }
                (THERE, _) => {
                    let (time, rest) = read_number(bytes, *order)?;
                    bytes = rest;
                    Some(Value::Time(time_of(time)))
                }
                _ => return None,
            });
        }
        let (born, rest) = read_number(bytes, tie_order(sort))?;
        rest.is_empty().then_some(Self { values, born })
    }

    /// The place of a document that is held in memory.
    pub(crate) fn of_document(sort: &[Sort], document: &SearchDocument, born: Seq) -> Self {
        let values = deciding(sort).iter().map(|sort| value_of(*sort, document)).collect();
        Self { values, born: born.0 }
    }
}

/// What a document is sorted by.
fn value_of(sort: Sort, document: &SearchDocument) -> Option<Value> {
    match sort.key {
        SortKey::Recent => None,
        SortKey::Date { .. } => document.sort_value(sort).map(Value::Time),
        SortKey::Term { param, mode } => {
            let values = terms_under(document, param, mode).filter_map(sort_bytes);
            let value = match sort.order {
                Order::Ascending => values.min(),
                Order::Descending => values.max(),
            };
            value.map(Value::Bytes)
        }
    }
}

/// The terms of a document that start with a parameter and mode.
pub(crate) fn terms_under(document: &SearchDocument, param: u16, mode: Mode) -> impl Iterator<Item = &Term> {
    let head = head_of(param, mode);
    let first = document.terms.partition_point(|term| **term < head[..]);
    document.terms[first..].iter().take_while(move |term| term.starts_with(&head))
}

/// Parameter and mode as a term starts with them.
pub(crate) const fn head_of(param: u16, mode: Mode) -> [u8; HEAD_LEN] {
    let [high, low] = param.to_be_bytes();
    [high, low, mode as u8]
}

/// The bytes that a term is compared by.
fn sort_bytes(term: &Term) -> Option<Vec<u8>> {
    let mut value = value_in_index(term)?;
    value.truncate(VALUE_BYTES_MAX);
    Some(value)
}

/// A time as a number that compares alike.
pub(crate) const fn ordered(time: i64) -> u64 {
    time.cast_unsigned() ^ (1 << 63)
}

/// The way back from [`ordered`].
pub(crate) const fn time_of(number: u64) -> i64 {
    (number ^ (1 << 63)).cast_signed()
}

fn turn(bytes: &mut [u8], order: Order) {
    if order == Order::Descending {
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
    }
}

fn push_escaped(bytes: &mut Vec<u8>, value: &[u8]) {
    for &byte in value {
        bytes.push(byte);
        if byte == END[0] {
            bytes.push(ESCAPED);
        }
    }
    bytes.extend(END);
}

fn read_escaped(bytes: &[u8], order: Order) -> Option<(Vec<u8>, &[u8])> {
    let turned = |byte: u8| if order == Order::Descending { !byte } else { byte };
    let mut value = Vec::new();
    let mut rest = bytes.iter();
    loop {
        let byte = turned(*rest.next()?);
        if byte == END[0] {
            match turned(*rest.next()?) {
                ESCAPED => {}
                second if second == END[1] => return Some((value, rest.as_slice())),
                _ => return None,
            }
        }
        if value.len() == VALUE_BYTES_MAX {
            return None;
        }
        value.push(byte);
    }
}

fn read_number(bytes: &[u8], order: Order) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    let number = u64::from_be_bytes(*number);
    Some((if order == Order::Descending { !number } else { number }, rest))
}

/// A position under [`SortKey::Recent`] or one date alone, as a number that compares in the order of the answer: smaller comes
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    is_missing: bool,
    value: i64,
    born: u64,
}

/// The one key of an order that [`Rank`] is enough for.
pub(crate) fn narrow(sort: &[Sort]) -> Option<Sort> {
    match sort {
        [] => Some(Sort::default()),
        [Sort { key: SortKey::Recent, .. }, ..] => sort.first().copied(),
        [Sort { key: SortKey::Date { .. }, .. }] => sort.first().copied(),
        _ => None,
    }
}

impl Rank {
    /// The rank of a value and birth. Resources without a value come last in both directions.
    pub(crate) fn new(order: Order, value: Option<i64>, born: Seq) -> Self {
        let Seq(born) = born;
        let (is_missing, value) = (value.is_none(), value.unwrap_or(0));
        match order {
            Order::Ascending => Self { is_missing, value, born },
            // The complement turns the order round without overflowing at either end.
            Order::Descending => Self { is_missing, value: if is_missing { 0 } else { !value }, born: !born },
        }
    }

    /// The rank of a document that is held in memory.
    pub(crate) fn of_document(sort: Sort, document: &SearchDocument, born: Seq) -> Self {
        let value = match sort.key {
            SortKey::Date { .. } => document.sort_value(sort),
            SortKey::Recent | SortKey::Term { .. } => None,
        };
        Self::new(sort.order, value, born)
    }

    /// The rank of a position.
    ///
    /// # Errors
    /// A position of another order.
    pub(crate) fn of_position(sort: Sort, position: &Position) -> Result<Self, IndexError> {
        let Place { values, born } = Place::of(position, &[sort])?;
        let value = values.into_iter().flatten().find_map(|value| match value {
            Value::Time(time) => Some(time),
            Value::Bytes(_) => None,
        });
        Ok(Self::new(sort.order, value, Seq(born)))
    }

    /// The position that has this rank. Every match of a page has one, so it is made in one piece: what a rank holds is turned as
    /// a position's bytes are, whatever the direction.
    pub(crate) fn position(self, sort: Sort) -> Position {
        let (value, born) = (ordered(self.value).to_be_bytes(), self.born.to_be_bytes());
        Position(match (sort.key, self.is_missing) {
            (SortKey::Recent | SortKey::Term { .. }, _) => born.into(),
            (SortKey::Date { .. }, true) => [&[MISSING][..], &born].concat().into_boxed_slice(),
            (SortKey::Date { .. }, false) => [&[THERE][..], &value, &born].concat().into_boxed_slice(),
        })
    }

    /// Whether a resource with this sort value can still come before this rank, whatever its birth.
    pub(crate) fn admits(self, order: Order, value: Option<i64>) -> bool {
        let first = match order {
            Order::Ascending => Seq(0),
            Order::Descending => Seq(u64::MAX),
        };
        Self::new(order, value, first) <= self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATE: SortKey = SortKey::Date { slot: 1 };
    const TERM: SortKey = SortKey::Term { param: 3, mode: Mode::Folded };

    #[test]
    fn ranks_compare_in_the_order_of_the_answer() {
        let at = |value, born| (value, Seq(born));
        let ascending =
            [at(Some(i64::MIN), 1), at(Some(-5), 9), at(Some(7), 2), at(Some(7), 3), at(None, 1), at(None, 2)];
        let descending =
            [at(Some(i64::MAX), 1), at(Some(7), 3), at(Some(7), 2), at(Some(i64::MIN), 9), at(None, 2), at(None, 1)];
        for (order, places) in [(Order::Ascending, ascending), (Order::Descending, descending)] {
            let sort = Sort { key: DATE, order };
            let rank = |(value, born)| Rank::new(order, value, born);
            for pair in places.windows(2) {
                assert!(rank(pair[0]) < rank(pair[1]), "{pair:?}");
                assert!(rank(pair[0]).position(sort) < rank(pair[1]).position(sort), "{pair:?}");
            }
            for place in places {
                assert_eq!(Rank::of_position(sort, &rank(place).position(sort)).unwrap(), rank(place));
                let whole = Place { values: vec![place.0.map(Value::Time)], born: place.1.0 };
                assert_eq!(rank(place).position(sort), whole.position(&[sort]));
                let recent = Sort { key: SortKey::Recent, order };
                let newest = Rank::new(order, None, place.1);
                assert_eq!(newest.position(recent), Place { values: Vec::new(), born: place.1.0 }.position(&[recent]));
                assert!(rank(place).admits(order, place.0));
            }
        }
    }

    fn value(key: SortKey) -> BoxedStrategy<Option<Value>> {
        match key {
            SortKey::Term { .. } => {
                let bytes = prop::collection::vec(prop::sample::select(vec![0, 1, b'a', 0xff]), 0..5);
                prop::option::of(bytes.prop_map(Value::Bytes)).boxed()
            }
            _ => prop::option::of((-2_i64..2).prop_map(Value::Time)).boxed(),
        }
    }

    fn order() -> impl Strategy<Value = Order> {
        prop_oneof![Just(Order::Ascending), Just(Order::Descending)]
    }

    /// Which comes first, by the values themselves.
    fn compare(sort: &[Sort], a: &Place, b: &Place) -> std::cmp::Ordering {
        let by_values = sort.iter().zip(a.values.iter().zip(&b.values)).map(|(sort, pair)| {
            let turned = |ordering: std::cmp::Ordering| match sort.order {
                Order::Ascending => ordering,
                Order::Descending => ordering.reverse(),
            };
            match pair {
                (Some(Value::Time(a)), Some(Value::Time(b))) => turned(a.cmp(b)),
                (Some(Value::Bytes(a)), Some(Value::Bytes(b))) => turned(a.cmp(b)),
                (a, b) => a.is_none().cmp(&b.is_none()),
            }
        });
        let ties = match tie_order(sort) {
            Order::Ascending => a.born.cmp(&b.born),
            Order::Descending => b.born.cmp(&a.born),
        };
        by_values.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(ties)
    }

    proptest! {
        #[test]
        fn positions_compare_as_their_values_do_and_come_back(
            orders in (order(), order()),
            a in (value(TERM), value(DATE), 0..3_u64),
            b in (value(TERM), value(DATE), 0..3_u64),
        ) {
            let sort = [Sort { key: TERM, order: orders.0 }, Sort { key: DATE, order: orders.1 }];
            let place = |(first, second, born)| Place { values: vec![first, second], born };
            let (a, b) = (place(a), place(b));
            prop_assert_eq!(a.position(&sort).cmp(&b.position(&sort)), compare(&sort, &a, &b));
            prop_assert_eq!(&Place::of(&a.position(&sort), &sort).unwrap(), &a);
        }

        #[test]
        fn bytes_of_no_position_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..40), order in order()) {
            let position = Position::from_bytes(&bytes);
            for sort in [vec![], vec![Sort { key: TERM, order }], vec![Sort { key: DATE, order }]] {
                if let Ok(place) = Place::of(&position, &sort) {
                    prop_assert_eq!(place.position(&sort), position.clone());
                }
            }
        }
    }
}
