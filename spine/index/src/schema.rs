//! How a resource lies in tantivy.
//!
//! One field of raw terms, one of deletion keys, and columns. A term is `[tenant, u32][kind, u16]` and then the term of the
//! search document; the six bytes alone are on every document and stand for "all of this kind". Nothing is stored: the
//! answer is a sequence number, and the store has the rest.

use iris_fhir::search::SearchDocument;
use iris_fhir::search::term::Mode;
use iris_kernel::{Kind, Seq, Tenant};
use tantivy::TantivyDocument;
use tantivy::schema::{BytesOptions, FAST, Field, NumericOptions, Schema};

use crate::error::IndexError;
use crate::tail::Entry;

/// Raised whenever the layout here or what is extracted from resources changes: an index of another format is rebuilt.
pub(crate) const FORMAT: u32 = 1;
/// Date parameters that one kind can have, `_lastUpdated` included. R4 needs fewer; a test holds this.
pub(crate) const DATE_SLOTS: usize = 16;
/// Bytes before the search document's term: tenant and kind.
const SCOPE_LEN: usize = 6;
/// Bytes of a search document's term before its value: parameter and mode.
const HEAD_LEN: usize = 3;
/// Marks, in the mode byte, a value whose last 36 bytes were the text of a UUID and are now its 16 bytes.
const PACKED: u8 = 0x80;
/// Length of a UUID as text.
const UUID_TEXT_LEN: usize = 36;

/// The fields by their handles.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    pub(crate) term: Field,
    key: Field,
    seq: Field,
    age: Field,
    dates: Vec<(Field, Field)>,
}

/// Column of the row's sequence number.
pub(crate) const SEQ: &str = "seq";
/// Column of `seq - born`: 0 for most rows, and then it takes no space.
pub(crate) const AGE: &str = "age";

/// Column of the starts of a date slot.
pub(crate) fn low_name(slot: usize) -> String {
    format!("low{slot}")
}

/// Column of the lengths of a date slot's ranges (`high - low` in wrapping arithmetic): few bits where they are alike.
pub(crate) fn width_name(slot: usize) -> String {
    format!("width{slot}")
}

impl Fields {
    pub(crate) fn new() -> Self {
        let mut schema = Schema::builder();
        let raw = || BytesOptions::default().set_indexed();
        let column = || NumericOptions::default() | FAST;
        let term = schema.add_bytes_field("term", raw());
        let key = schema.add_bytes_field("key", raw());
        let seq = schema.add_u64_field(SEQ, column());
        let age = schema.add_u64_field(AGE, column());
        let dates = (0..DATE_SLOTS)
            .map(|slot| {
                let low = schema.add_i64_field(&low_name(slot), column());
                (low, schema.add_u64_field(&width_name(slot), column()))
            })
            .collect();
        Self { schema: schema.build(), term, key, seq, age, dates }
    }

    /// What finds a record's document again when it is to be replaced. The birth sequence is as unique as the record's id,
    /// and dense: a dictionary of random ids would take 20 bytes of memory for each resource, this one takes almost none.
    pub(crate) fn key(&self, born: Seq) -> tantivy::Term {
        tantivy::Term::from_field_bytes(self.key, &born.0.to_be_bytes())
    }

    /// The document for tantivy.
    ///
    /// # Errors
    /// A date slot beyond [`DATE_SLOTS`].
    pub(crate) fn document(&self, entry: &Entry, found_by: &SearchDocument) -> Result<TantivyDocument, IndexError> {
        let mut document = TantivyDocument::new();
        let mut bytes = scope(entry.tenant, entry.kind);
        document.add_bytes(self.term, &bytes);
        for term in &found_by.terms {
            bytes.truncate(SCOPE_LEN);
            pack_into(&mut bytes, term);
            document.add_bytes(self.term, &bytes);
        }
        document.add_bytes(self.key, &entry.born.0.to_be_bytes());
        document.add_u64(self.seq, entry.seq.0);
        document.add_u64(self.age, entry.seq.0.wrapping_sub(entry.born.0));
        for date in &found_by.dates {
            let Some(&(low, width)) = self.dates.get(usize::from(date.slot)) else {
                return Err(IndexError::Engine(format!("date slot {} is above {DATE_SLOTS}", date.slot)));
            };
            document.add_i64(low, date.low);
            document.add_u64(width, width_of(date.low, date.high));
        }
        Ok(document)
    }
}

/// The length of a range as it stands in its column.
pub(crate) const fn width_of(low: i64, high: i64) -> u64 {
    high.wrapping_sub(low).cast_unsigned()
}

/// The end of a range from its column.
pub(crate) const fn high_of(low: i64, width: u64) -> i64 {
    low.wrapping_add(width.cast_signed())
}

/// The term that every document of a tenant's kind has.
pub(crate) fn scope(tenant: Tenant, kind: Kind) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    bytes.extend_from_slice(&tenant.0.to_be_bytes());
    bytes.extend_from_slice(&kind.0.to_be_bytes());
    bytes
}

/// A search document's term as it stands in the index.
pub(crate) fn scoped(tenant: Tenant, kind: Kind, term: &[u8]) -> Vec<u8> {
    let mut bytes = scope(tenant, kind);
    pack_into(&mut bytes, term);
    bytes
}

/// Where the terms with a prefix stand: the range's start. Strings, which alone are searched by prefix, are never packed.
///
/// # Errors
/// A prefix over values that may be packed, whose order in the dictionary is not that of their text.
pub(crate) fn scoped_prefix(tenant: Tenant, kind: Kind, prefix: &[u8]) -> Result<Vec<u8>, IndexError> {
    if prefix.get(HEAD_LEN - 1).copied().is_none_or(is_packable) {
        return Err(IndexError::Engine("a prefix search over values that are not strings".to_owned()));
    }
    let mut bytes = scope(tenant, kind);
    bytes.extend_from_slice(prefix);
    Ok(bytes)
}

/// The first bytes that no longer start with `prefix`; `None` if there are none.
pub(crate) fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

const fn is_packable(mode: u8) -> bool {
    mode != Mode::Folded as u8 && mode != Mode::Exact as u8
}

/// Appends a term, a UUID at its end as 16 bytes: ids and references are most of what is unique in the dictionary.
fn pack_into(out: &mut Vec<u8>, term: &[u8]) {
    let packed = term.get(HEAD_LEN - 1).copied().filter(|&mode| is_packable(mode)).and_then(|mode| {
        let (start, text) = term.split_at_checked(term.len().checked_sub(UUID_TEXT_LEN)?)?;
        let uuid = if start.len() < HEAD_LEN { None } else { uuid_bytes(text) };
        Some((start, mode, uuid?))
    });
    let Some((start, mode, uuid)) = packed else {
        out.extend_from_slice(term);
        return;
    };
    out.extend_from_slice(&start[..HEAD_LEN - 1]);
    out.push(mode | PACKED);
    out.extend_from_slice(&start[HEAD_LEN..]);
    out.extend_from_slice(&uuid);
}

/// The bytes of a UUID in its one canonical spelling; `None` for any other, which would not come back the same.
fn uuid_bytes(text: &[u8]) -> Option<[u8; 16]> {
    let mut uuid = [0; 16];
    let mut digits = 0;
    for (place, &byte) in text.iter().enumerate() {
        if matches!(place, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        let half: &mut u8 = uuid.get_mut(digits / 2)?;
        *half = (*half << 4) | digit;
        digits += 1;
    }
    (digits == 32).then_some(uuid)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn packed(term: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        pack_into(&mut out, term);
        out
    }

    fn term(mode: Mode, value: &str) -> Vec<u8> {
        [&[0, 1, mode as u8], value.as_bytes()].concat()
    }

    #[test]
    fn uuids_are_packed_and_stay_apart() {
        let id = "2f9a8c1e-0b7d-4c55-9e21-8d3a6f40b1c2";
        assert_eq!(packed(&term(Mode::Code, id)).len(), HEAD_LEN + 16);
        assert_eq!(packed(&term(Mode::Local, &format!("Patient/{id}"))).len(), HEAD_LEN + 8 + 16);
        let kept = [
            term(Mode::Code, &id.to_uppercase()),
            term(Mode::Code, &id[1..]),
            term(Mode::Code, &id.replace('-', "0")),
            term(Mode::Folded, id),
            term(Mode::Exact, id),
        ];
        for term in &kept {
            assert_eq!(&packed(term), term);
        }
        let other = id.replace('2', "3");
        let forms = [
            term(Mode::Code, id),
            term(Mode::Code, &other),
            term(Mode::LocalId, id),
            term(Mode::Code, &format!("x{id}")),
        ];
        let distinct: HashSet<Vec<u8>> = forms.iter().chain(&kept).map(|term| packed(term)).collect();
        assert_eq!(distinct.len(), forms.len() + kept.len());
    }

    #[test]
    fn a_prefix_ends_before_the_next_value() {
        assert_eq!(prefix_end(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(prefix_end(&[1, 0xff]), Some(vec![2]));
        assert_eq!(prefix_end(&[0xff, 0xff]), None);
    }

    #[test]
    fn widths_survive_open_ended_ranges() {
        for (low, high) in [(0, 1), (i64::MIN, i64::MAX), (i64::MIN, 5), (-7, i64::MAX)] {
            assert_eq!(high_of(low, width_of(low, high)), high);
        }
    }
}
