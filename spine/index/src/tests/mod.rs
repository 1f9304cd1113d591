//! The index over a store in memory, so that thousands of small histories can be tried.

mod bounds;
mod criteria;
mod damage;
mod joins;
mod model;
mod nodes;
mod rules;
mod speed;
mod wide;

use std::cmp::Ordering as Compared;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_kernel::{Kind, RecordId, Secret, Seq, Tenant, Timestamp, Version};
use iris_search::term::{self, Mode};
use iris_search::{Clause, Order, Query, QueryContext, SearchDocument, Sort, SortKey, Term, extract};
use iris_store::{Change, Follower, Row, StoreError};
use iris_testkit::SeededEntropy;
use parking_lot::Mutex;

use crate::order::VALUE_BYTES_MAX;
use crate::schema::value_in_index;
use crate::source::Source;
use crate::{Index, IndexConfig, IndexError, Page, Position, Restriction};

/// A store that keeps rows in a list.
#[derive(Default)]
struct MemoryStore {
    rows: Mutex<Vec<Row>>,
    follower: Mutex<Option<Arc<dyn Follower>>>,
    /// Whether others write into it too.
    shared: AtomicBool,
    /// Whether it does not answer.
    away: AtomicBool,
}

impl Source for MemoryStore {
    fn head(&self) -> Seq {
        Seq(self.rows.lock().len() as u64)
    }

    fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    fn feed(&self, after: Seq, limit: usize) -> Result<Vec<Row>, StoreError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("on purpose".to_owned()));
        }
        let after = usize::try_from(after.0).expect("a small number");
        Ok(self.rows.lock().iter().skip(after).take(limit).cloned().collect())
    }

    fn row(&self, tenant: Tenant, seq: Seq) -> Result<Option<Row>, StoreError> {
        let rows = self.rows.lock();
        Ok(rows.iter().find(|row| row.seq == seq && row.tenant == tenant).cloned())
    }
}

/// What travels beside a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shadow {
    Sent,
    Absent,
    /// Another node wrote it: the whole row comes instead.
    Row,
}

/// A store, its index, and the truth about both.
pub(crate) struct World {
    store: Arc<MemoryStore>,
    folder: tempfile::TempDir,
    index: Option<Arc<Index>>,
    /// The current row of every record ever written.
    current: HashMap<(Tenant, Kind, String), Row>,
}

pub(crate) fn kind(name: &str) -> Kind {
    kind_of(name).expect("a resource type")
}

/// How requests are read.
fn context() -> QueryContext<'static> {
    QueryContext::new("http://iris.test/fhir", Timestamp(0))
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut world = Self { store: Arc::default(), folder, index: None, current: HashMap::new() };
        world.open();
        world
    }

    fn index_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("index")
    }

    fn try_open(&self) -> Result<Arc<Index>, IndexError> {
        open(&self.index_folder(), &self.store, 7)
    }

    fn open(&mut self) {
        self.index = Some(self.try_open().expect("the index opens"));
        self.index().ready().expect("the index gets ready");
    }

    pub(crate) fn index(&self) -> &Index {
        self.index.as_ref().expect("an open index")
    }

    fn restart(&mut self) {
        self.index().close();
        self.index = None;
        self.open();
    }

    fn crash(&mut self) {
        self.index().abandon();
        self.index = None;
        self.open();
    }

    /// Writes a version of a record: a resource, or `None` for a deletion.
    pub(crate) fn write(&mut self, tenant: Tenant, kind: Kind, id: &str, body: Option<&str>, shadow: Shadow) -> Seq {
        let change = self.store(tenant, kind, id, body, shadow);
        let seq = change.seq;
        self.tell(change);
        seq
    }

    fn tell(&self, change: Change) {
        if let Some(follower) = self.store.follower.lock().as_ref() {
            follower.committed(&mut [change]);
        }
    }

    /// As [`World::write`], without telling anybody.
    fn store(&mut self, tenant: Tenant, kind: Kind, id: &str, body: Option<&str>, shadow: Shadow) -> Change {
        let seq = Seq(self.store.head().0 + 1);
        let at = Timestamp(1_700_000_000_000_000 + i64::try_from(seq.0).expect("small") * 777_000);
        let old = self.current.get(&(tenant, kind, id.to_owned())).cloned();
        let born = old.as_ref().filter(|old| !old.deleted).map_or(seq, |old| old.born);
        let version = old.as_ref().map_or(Version::FIRST, |old| old.version.next());
        let mut record = [0; 16];
        let digest = iris_crypto::sha256(&[&tenant.0.to_be_bytes(), &kind.0.to_be_bytes(), id.as_bytes()]);
        record.copy_from_slice(&digest[..16]);
        let row = Row {
            seq,
            tenant,
            kind,
            record: RecordId(record),
            version,
            at,
            born,
            deleted: body.is_none(),
            head: Bytes::new(),
            body: Bytes::from(body.unwrap_or_default().to_owned()),
        };
        let document = document(&row).filter(|_| shadow == Shadow::Sent);
        let change = Change {
            seq,
            tenant,
            kind,
            record: row.record,
            version,
            at,
            born,
            deleted: row.deleted,
            superseded: old.map(|old| old.seq),
            shadow: document.map(|document| Box::new(document) as _),
            row: (shadow == Shadow::Row).then(|| row.clone()),
        };
        self.store.rows.lock().push(row.clone());
        self.current.insert((tenant, kind, id.to_owned()), row);
        change
    }

    /// What a search must answer: every match in order, by looking at all current rows.
    fn expected(&self, tenant: Tenant, query: &Query, restriction: &Restriction) -> Vec<Seq> {
        let rows = self.current.values().filter(|row| row.tenant == tenant && row.kind == query.kind);
        let mut found: Vec<(Values, Seq, Seq)> = rows
            .filter_map(|row| {
                let document = document(row)?;
                let is_allowed = restriction.clauses.iter().all(|clause| kept_to(clause, &document));
                let is_match = is_allowed && query.matches(&document);
                is_match.then(|| (sorted_by(&document, &query.sort), row.born, row.seq))
            })
            .collect();
        found.sort_by(|(a, a_born, _), (b, b_born, _)| compare(&query.sort, (a, *a_born), (b, *b_born)));
        found.into_iter().map(|(.., seq)| seq).collect()
    }

    /// Compares a search, page by page, with what it must answer.
    #[track_caller]
    fn check(&self, tenant: Tenant, query: &Query, restriction: &Restriction, size: usize) {
        let expected = self.expected(tenant, query, restriction);
        let mut found = Vec::new();
        let mut after: Option<Position> = None;
        loop {
            let hits =
                self.index().search(tenant, query, restriction, Page { size, after: after.take() }).expect("an answer");
            assert_eq!(hits.total, Some(expected.len() as u64), "{query:?}");
            assert!(hits.seqs.len() <= size);
            assert_eq!(hits.next.is_some(), found.len() + hits.seqs.len() < expected.len(), "{query:?}");
            found.extend(hits.seqs);
            after = hits.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{query:?}");
        let count = self.index().count(tenant, query, restriction).expect("an answer");
        assert_eq!(count, expected.len() as u64, "{query:?}");
    }

    #[track_caller]
    fn check_verified(&self) {
        let report = self.index().verify().expect("a report");
        assert!(report.is_good(), "{report:?}");
        assert_eq!(report.applied, self.store.head());
    }
}

fn open(folder: &Path, store: &Arc<MemoryStore>, key: u8) -> Result<Arc<Index>, IndexError> {
    let config = IndexConfig { folder: folder.to_owned(), key: Secret::new([key; 32]) };
    let entropy = Arc::new(SeededEntropy::new(u64::from(key)));
    let source = Arc::clone(store) as Arc<dyn Source>;
    Index::over(config, source, entropy, |follower| *store.follower.lock() = Some(follower))
}

/// What a document is sorted by, one for each key.
type Values = Vec<Option<Vec<u8>>>;

/// What a document is sorted by: what the language says, as far as positions hold it; references by the digests of their ids.
fn sorted_by(document: &SearchDocument, sort: &[Sort]) -> Values {
    let said = document.sort_values(sort).into_iter().map(|value| value.map(Vec::from));
    said.zip(sort)
        .map(|(value, sort)| match sort.key {
            SortKey::Term { param, mode: Mode::Local } => {
                let head = term::head(param, Mode::Local);
                let terms = document.terms.iter().filter(|term| term.starts_with(&head));
                let values = terms.filter_map(|term| value_in_index(term));
                if sort.order == Order::Ascending { values.min() } else { values.max() }
            }
            _ => value.map(|mut value| {
                value.truncate(VALUE_BYTES_MAX);
                value
            }),
        })
        .collect()
}

/// Which of two documents comes first.
fn compare(sort: &[Sort], (a, a_born): (&[Option<Vec<u8>>], Seq), (b, b_born): (&[Option<Vec<u8>>], Seq)) -> Compared {
    let directed = |order: Order, compared: Compared| match order {
        Order::Ascending => compared,
        Order::Descending => compared.reverse(),
    };
    for (Sort { key, order }, (a, b)) in sort.iter().zip(a.iter().zip(b)) {
        let compared = match (key, a, b) {
            (SortKey::Recent, ..) => directed(*order, a_born.cmp(&b_born)),
            (_, Some(a), Some(b)) => directed(*order, a.cmp(b)),
            (_, a, b) => a.is_none().cmp(&b.is_none()),
        };
        if compared != Compared::Equal {
            return compared;
        }
    }
    directed(sort.last().copied().unwrap_or_default().order, a_born.cmp(&b_born))
}

/// What a clause says, by looking at every term.
fn kept_to(clause: &Clause, document: &SearchDocument) -> bool {
    let has = |term: &Term| document.terms.contains(term);
    !clause.unless().iter().all(has) || clause.any().iter().any(has)
}

fn document(row: &Row) -> Option<SearchDocument> {
    if row.deleted || !row.kind.is_fhir() {
        return None;
    }
    let resource = Resource::parse(row.body.clone()).expect("a resource");
    Some(extract(&resource, row.at))
}
