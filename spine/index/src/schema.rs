//! How a resource lies in tantivy.
//!
//! One field of raw terms, one of deletion keys, and columns. A term is `[tenant, u32][kind, u16]` and then the term of the
//! search document; the six bytes alone are on every document and stand for "all of this kind". Nothing is stored: the
//! answer is a sequence number, and the store has the rest.

use iris_crypto::sha256;
use iris_fhir::definitions::kind_of;
use iris_kernel::{Kind, Seq, Tenant};
use iris_search::SearchDocument;
use iris_search::join::{DIGEST_BYTES, join_key_of_digest};
use iris_search::term::Mode;
use tantivy::TantivyDocument;
use tantivy::schema::{BytesOptions, FAST, Field, NumericOptions, Schema};

use crate::error::IndexError;
use crate::tail::Entry;

/// Raised whenever the layout here or what is extracted from resources changes: an index of another format is rebuilt.
pub(crate) const FORMAT: u32 = 9;
/// Date parameters that one kind can have, `_lastUpdated` included. R4 needs fewer; a test holds this.
pub(crate) const DATE_SLOTS: usize = 16;
/// Bytes before the search document's term: tenant and kind.
pub(crate) const SCOPE_LEN: usize = 6;
/// Bytes of a search document's term before its value: parameter and mode.
pub(crate) const HEAD_LEN: usize = 3;
/// Longest value of a mode that is asked for whole alone that stands in the index as it is; a longer one is replaced by its digest.
const VALUE_LEN_MAX: usize = 16;
/// Bytes of a digest: two of ten million values of one parameter are the same with a chance below 1 in 10^10.
pub(crate) const DIGEST_LEN: usize = 10;
/// Marks, in the mode byte, a value that is a digest.
const DIGESTED: u8 = 0x80;

/// The fields by their handles.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    pub(crate) term: Field,
    key: Field,
    seq: Field,
    age: Field,
    own: Field,
    dates: Vec<(Field, Field)>,
}

/// Column of the row's sequence number.
pub(crate) const SEQ: &str = "seq";
/// Column of `seq - born`: 0 for most rows, and then it takes no space.
pub(crate) const AGE: &str = "age";
/// Column of the key by which the record itself is joined, see [`iris_search::join`].
pub(crate) const OWN: &str = "own";

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
        let own = schema.add_u64_field(OWN, column());
        let dates = (0..DATE_SLOTS)
            .map(|slot| {
                let low = schema.add_i64_field(&low_name(slot), column());
                (low, schema.add_u64_field(&width_name(slot), column()))
            })
            .collect();
        Self { schema: schema.build(), term, key, seq, age, own, dates }
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
            if push_term(&mut bytes, term) == Standing::Itself {
                document.add_bytes(self.term, &bytes);
            }
        }
        document.add_bytes(self.key, &entry.born.0.to_be_bytes());
        document.add_u64(self.seq, entry.seq.0);
        document.add_u64(self.age, entry.seq.0.wrapping_sub(entry.born.0));
        document.add_u64(self.own, found_by.own);
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

/// What is looked up in the dictionary for a term that is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// The one term.
    Exact(Vec<u8>),
    /// Every term that starts with these bytes.
    Prefix(Vec<u8>),
}

/// Where a search document's term is looked up.
pub(crate) fn lookup(tenant: Tenant, kind: Kind, term: &[u8]) -> Lookup {
    let mut bytes = scope(tenant, kind);
    match push_term(&mut bytes, term) {
        Standing::Itself => Lookup::Exact(bytes),
        Standing::PartOfAnother => Lookup::Prefix(bytes),
    }
}

/// A search document's term as it stands in the index; `None` if another one stands for it.
pub(crate) fn indexed(tenant: Tenant, kind: Kind, term: &[u8]) -> Option<Vec<u8>> {
    match lookup(tenant, kind, term) {
        Lookup::Exact(bytes) => Some(bytes),
        Lookup::Prefix(_) => None,
    }
}

/// The terms that start with a prefix.
///
/// # Errors
/// A prefix over values whose order in the dictionary is not that of their bytes.
pub(crate) fn scoped_prefix(tenant: Tenant, kind: Kind, prefix: &[u8]) -> Result<Vec<u8>, IndexError> {
    if !stands_whole(prefix) {
        return Err(IndexError::Engine("a prefix search over values that are digests in the index".to_owned()));
    }
    let mut bytes = scope(tenant, kind);
    bytes.extend_from_slice(prefix);
    Ok(bytes)
}

/// What the terms of a parameter and mode start with in the dictionary, where their order says something: that of their values, or of
/// the digests of the ids that references lead to.
///
/// # Errors
/// Any other mode.
pub(crate) fn stretch(tenant: Tenant, kind: Kind, param: u16, mode: Mode) -> Result<Vec<u8>, IndexError> {
    let [high, low, mut last] = iris_search::term::head(param, mode);
    if mode == Mode::Local {
        last |= DIGESTED;
    } else if !mode.keeps_order() {
        return Err(IndexError::Engine("an order of values that are digests in the index".to_owned()));
    }
    let mut bytes = scope(tenant, kind);
    bytes.extend_from_slice(&[high, low, last]);
    Ok(bytes)
}

/// The value of a term as it stands in its [`stretch`]; `None` where another term stands for it.
pub(crate) fn value_in_index(term: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(term.len());
    match push_term(&mut bytes, term) {
        Standing::Itself => bytes.get(HEAD_LEN..).map(<[u8]>::to_vec),
        Standing::PartOfAnother => None,
    }
}

/// The type that a reference leads to, and the key of the record there, from its value in the index.
pub(crate) fn reference_of(value: &[u8]) -> Option<(Kind, u64)> {
    let (digest, kind) = value.split_at_checked(DIGEST_LEN)?;
    let kind = Kind(u16::from_be_bytes(kind.try_into().ok()?));
    Some((kind, join_key_of_digest(kind, *digest.first_chunk::<DIGEST_BYTES>()?)))
}

/// The type that a term of mode `Local` leads to, and the key of the record there.
pub(crate) fn reference_of_term(term: &[u8]) -> Option<(Kind, u64)> {
    reference_of(&value_in_index(term)?)
}

/// Whether values under a head, or under the start of a term, stand in the dictionary as they are, whatever their length: they are
/// asked for by prefix, by likeness or by a test, or sorted by. A guarded term stands as the one in the place of which it is.
pub(crate) fn stands_whole(head: &[u8]) -> bool {
    let mode = |place: usize| head.get(place).copied();
    match mode(HEAD_LEN - 1) {
        Some(guarded) if guarded == Mode::Guarded as u8 => mode(HEAD_LEN).is_some_and(keeps_order),
        Some(mode) => keeps_order(mode),
        None => false,
    }
}

/// What the terms of a parameter and mode start with in the dictionary where they may be digests: as they are, and as digests. `None`
/// where a head has more or less than these, or where digests do not tell the mode, or one term stands for another.
pub(crate) fn forms_under(tenant: Tenant, kind: Kind, head: &[u8]) -> Option<[Vec<u8>; 2]> {
    let [high, low, mode] = *<&[u8; HEAD_LEN]>::try_from(head).ok()?;
    let others = [Mode::Guarded, Mode::Local, Mode::LocalId];
    if others.iter().any(|other| *other as u8 == mode) {
        return None;
    }
    let form = |mode| [&*scope(tenant, kind), &[high, low, mode]].concat();
    Some([form(mode), form(mode | DIGESTED)])
}

/// [`Mode::keeps_order`] of a mode's number.
fn keeps_order(mode: u8) -> bool {
    KEEPING.iter().any(|keeping| *keeping as u8 == mode)
}

/// The modes of which [`Mode::keeps_order`]; a test holds it.
const KEEPING: [Mode; 9] = [
    Mode::Folded,
    Mode::Word,
    Mode::Number,
    Mode::Quantity,
    Mode::Composite,
    Mode::Position,
    Mode::Text,
    Mode::Uri,
    Mode::Code,
];

/// Whether a term is in the index, or found through the start of another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Itself,
    PartOfAnother,
}

/// Appends a term in the index's form. The dictionary is held in memory and most of it is values that occur once (ids,
/// references, identifiers), so these are kept short:
///
/// - A value of more than [`VALUE_LEN_MAX`] bytes that is only ever asked for whole is replaced by its digest.
/// - A reference stands once, as digest of the id and then the type. Asking for the id alone is asking for the start.
fn push_term(out: &mut Vec<u8>, term: &[u8]) -> Standing {
    let Some((head, value)) = term.split_at_checked(HEAD_LEN) else {
        out.extend_from_slice(term);
        return Standing::Itself;
    };
    let mode = head[HEAD_LEN - 1];
    let reference = (mode == Mode::Local as u8).then(|| split_reference(value)).flatten();
    let is_id = mode == Mode::LocalId as u8;
    if let Some((kind, id)) = reference {
        push_digest(out, [head[0], head[1], Mode::Local as u8], id);
        out.extend_from_slice(&kind.0.to_be_bytes());
    } else if is_id {
        push_digest(out, [head[0], head[1], Mode::Local as u8], value);
        return Standing::PartOfAnother;
    } else if !stands_whole(term) && value.len() > VALUE_LEN_MAX {
        push_digest(out, [head[0], head[1], mode], value);
    } else {
        out.extend_from_slice(term);
    }
    Standing::Itself
}

fn push_digest(out: &mut Vec<u8>, [high, low, mode]: [u8; HEAD_LEN], value: &[u8]) {
    out.extend_from_slice(&[high, low, mode | DIGESTED]);
    out.extend_from_slice(&sha256(&[value])[..DIGEST_LEN]);
}

/// Type and id of a reference as its term has them.
fn split_reference(value: &[u8]) -> Option<(Kind, &[u8])> {
    let slash = value.iter().position(|&byte| byte == b'/')?;
    let kind = kind_of(std::str::from_utf8(&value[..slash]).ok()?)?;
    Some((kind, &value[slash + 1..]))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use iris_search::{Term, compartment_term, term};

    use super::*;

    const PATIENT: Kind = Kind(3);

    fn form(term: &Term) -> Lookup {
        lookup(Tenant(1), PATIENT, term)
    }

    #[test]
    fn a_reference_stands_once_and_is_found_by_its_id_alone() {
        for id in ["1", "2f9a8c1e-0b7d-4c55-9e21-8d3a6f40b1c2"] {
            let (Lookup::Exact(whole), Lookup::Prefix(start)) =
                (form(&term::local(4, "Patient", id)), form(&term::local_id(4, id)))
            else {
                panic!("a reference stands whole and its id is its start")
            };
            assert!(whole.starts_with(&start) && whole.len() == start.len() + 2);
            let others = [
                term::local(4, "Group", id),
                term::local(5, "Patient", id),
                term::local(4, "Patient", &format!("{id}1")),
                term::code(4, id),
                term::uri(4, &format!("Patient/{id}")),
            ];
            for other in others {
                assert_ne!(form(&other), Lookup::Exact(whole.clone()), "{other:?}");
            }
        }
    }

    #[test]
    fn long_values_are_short_and_stay_apart() {
        let long = "http://terminology.example/a-code-system";
        let terms = [
            term::exact(4, long),
            term::exact(4, &format!("{long}1")),
            term::exact(5, long),
            term::no_system(4, long),
            term::system(4, long),
            term::system_code(4, long, "a"),
            term::code(4, "short"),
            compartment_term("2f9a8c1e-0b7d-4c55-9e21-8d3a6f40b1c2"),
        ];
        let forms: HashSet<Vec<u8>> = terms.iter().filter_map(|term| indexed(Tenant(1), PATIENT, term)).collect();
        assert_eq!(forms.len(), terms.len());
        assert!(forms.iter().all(|form| form.len() <= SCOPE_LEN + HEAD_LEN + VALUE_LEN_MAX));
        assert_ne!(indexed(Tenant(2), PATIENT, &terms[0]), indexed(Tenant(1), PATIENT, &terms[0]));
        assert!(scoped_prefix(Tenant(1), PATIENT, &terms[0][..9]).is_err());
        assert!(scoped_prefix(Tenant(1), PATIENT, &term::guarded(&terms[0])[..9]).is_err());
    }

    #[test]
    fn values_with_an_order_stand_as_they_are() {
        let long = "http://terminology.example/a-code-system";
        let whole = [
            term::folded(4, long),
            term::word(4, "a-word-of-more-than-sixteen-letters"),
            term::code(4, long),
            term::uri(4, long),
            term::text(4, long),
            term::guarded(&term::code(4, long)),
        ];
        for term in whole {
            assert_eq!(indexed(Tenant(1), PATIENT, &term).map(|form| form[SCOPE_LEN..].to_vec()), Some(term.to_vec()));
            assert!(scoped_prefix(Tenant(1), PATIENT, &term[..9]).is_ok());
            assert_eq!(value_in_index(&term), Some(term[HEAD_LEN..].to_vec()));
        }
    }

    #[test]
    fn the_modes_that_keep_their_order_are_those_of_the_terms() {
        let modes = [
            Mode::Code,
            Mode::SystemCode,
            Mode::System,
            Mode::NoSystem,
            Mode::Folded,
            Mode::Exact,
            Mode::Local,
            Mode::LocalId,
            Mode::Uri,
            Mode::Contact,
            Mode::Sound,
            Mode::Compartment,
            Mode::Word,
            Mode::WordStart,
            Mode::Plain,
            Mode::ContactEnd,
            Mode::Day,
            Mode::Label,
            Mode::Guarded,
            Mode::Present,
            Mode::Number,
            Mode::Quantity,
            Mode::Composite,
            Mode::Text,
            Mode::OfType,
            Mode::RefIdentifier,
            Mode::Position,
        ];
        for mode in modes {
            assert_eq!(keeps_order(mode as u8), mode.keeps_order(), "{mode:?}");
            let has_stretch = stretch(Tenant(1), PATIENT, 4, mode).is_ok();
            assert_eq!(has_stretch, mode.keeps_order() || mode == Mode::Local, "{mode:?}");
        }
    }

    #[test]
    fn a_reference_in_the_index_tells_the_key_of_its_record() {
        let reference = term::local(4, "Patient", "p-1");
        let patient = kind_of("Patient").unwrap();
        assert_eq!(reference_of_term(&reference), Some((patient, iris_search::join_key(patient, "p-1"))));
        assert_eq!(reference_of_term(&term::local_id(4, "p-1")), None);
        let Lookup::Exact(whole) = form(&reference) else { panic!("a reference stands whole") };
        let start = stretch(Tenant(1), PATIENT, 4, Mode::Local).unwrap();
        assert_eq!(whole.strip_prefix(&*start).and_then(reference_of), reference_of_term(&reference));
    }

    #[test]
    fn widths_survive_open_ended_ranges() {
        for (low, high) in [(0, 1), (i64::MIN, i64::MAX), (i64::MIN, 5), (-7, i64::MAX)] {
            assert_eq!(high_of(low, width_of(low, high)), high);
        }
    }
}
