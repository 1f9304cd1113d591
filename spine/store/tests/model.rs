//! Random operations against the store and against a plain model of it; in between the store is closed and opened again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod common;

use std::collections::HashMap;

use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};
use iris_store::{ClaimExpect, ClaimScope, CommitError, Conflict, Expect, KeyOwner, Put, Store};
use proptest::prelude::*;

const SCOPE: ClaimScope = ClaimScope(3);
const IDS: u8 = 4;
const VALUES: u8 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Write a record, expecting what the model knows, or something else.
    Put {
        tenant: u8,
        id: u8,
        right: bool,
        deleted: bool,
        patient: Option<u8>,
        body: Vec<u8>,
        claim: Option<(u8, bool)>,
    },
    /// Give a claim back on behalf of a record.
    Release {
        tenant: u8,
        value: u8,
        id: u8,
    },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let body = prop_oneof![Just(Vec::new()), proptest::collection::vec(any::<u8>(), 0..200)];
    let put = (
        (0..2_u8, 0..IDS, prop::bool::weighted(0.85), prop::bool::weighted(0.2)),
        (prop::option::of(0..3_u8), body, prop::option::of((0..VALUES, any::<bool>()))),
    );
    let put = put.prop_map(|((tenant, id, right, deleted), (patient, body, claim))| Step::Put {
        tenant,
        id,
        right,
        deleted,
        patient,
        body,
        claim,
    });
    let release = (0..2_u8, 0..VALUES, 0..IDS).prop_map(|(tenant, value, id)| Step::Release { tenant, value, id });
    prop_oneof![20 => put, 3 => release, 1 => Just(Step::Reopen)]
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    seq: Seq,
    version: u32,
    born: Seq,
    deleted: bool,
    body: Vec<u8>,
}

#[derive(Default)]
struct Model {
    head: u64,
    records: HashMap<(u8, u8), Vec<Known>>,
    claims: HashMap<(u8, u8), RecordId>,
}

const KIND: Kind = Kind(5);

fn tenant_of(tenant: u8) -> Tenant {
    Tenant(u32::from(tenant) + 1)
}

fn record_of(store: &Store, tenant: u8, id: u8) -> RecordId {
    store.record_id(tenant_of(tenant), KIND, &format!("id-{id}"))
}

impl Model {
    fn apply(&mut self, store: &Store, step: &Step) {
        match step {
            Step::Put { tenant, id, right, deleted, patient, body, claim } => {
                let holder = record_of(store, *tenant, *id);
                let last = self.records.get(&(*tenant, *id)).and_then(|versions| versions.last()).cloned();
                let expect = match (&last, right) {
                    (Some(last), true) => Expect::Current(last.seq),
                    (None, true) | (Some(_), false) => Expect::Absent,
                    (None, false) => Expect::Current(Seq(1)),
                };
                let version = last.as_ref().map_or(1, |last| last.version + 1);
                let born = last.as_ref().filter(|last| !last.deleted).map(|last| last.born);
                let mut tx = store.begin(tenant_of(*tenant));
                tx.put(Put {
                    kind: KIND,
                    id: &format!("id-{id}"),
                    expect,
                    version: Version(version),
                    born,
                    at: Timestamp(i64::from(version)),
                    head: &[*id; 5],
                    body,
                    owner: patient.map_or(KeyOwner::Tenant, |patient| KeyOwner::Patient(RecordId([patient; 16]))),
                    deleted: *deleted,
                    shadow: None,
                });
                let mut claim_holds = true;
                if let Some((value, absent)) = claim {
                    let held = self.claims.get(&(*tenant, *value));
                    claim_holds = !absent || held.is_none();
                    let expect = if *absent { ClaimExpect::Absent } else { ClaimExpect::Any };
                    tx.claim(SCOPE, &[&[*value]], expect, holder);
                }
                let result = tx.commit_blocking();
                if !right {
                    assert!(matches!(result, Err(CommitError::Conflict { which: Conflict::Put(0) })), "{result:?}");
                    return;
                }
                if !claim_holds {
                    assert!(matches!(result, Err(CommitError::Conflict { which: Conflict::Claim(0) })), "{result:?}");
                    return;
                }
                self.head += 1;
                let seq = Seq(self.head);
                assert_eq!(result.unwrap().seqs, [seq]);
                let known = Known { seq, version, born: born.unwrap_or(seq), deleted: *deleted, body: body.clone() };
                self.records.entry((*tenant, *id)).or_default().push(known);
                if let Some((value, _)) = claim {
                    self.claims.insert((*tenant, *value), holder);
                }
            }
            Step::Release { tenant, value, id } => {
                let holder = record_of(store, *tenant, *id);
                let mut tx = store.begin(tenant_of(*tenant));
                tx.release(SCOPE, &[&[*value]], holder);
                tx.commit_blocking().unwrap();
                if self.claims.get(&(*tenant, *value)) == Some(&holder) {
                    self.claims.remove(&(*tenant, *value));
                }
            }
            Step::Reopen => {}
        }
    }

    fn compare(&self, store: &Store) {
        assert_eq!(store.head(), Seq(self.head));
        for tenant in 0..2_u8 {
            for id in 0..IDS {
                let name = format!("id-{id}");
                let rows = store.history(tenant_of(tenant), KIND, &name, None, usize::MAX).unwrap();
                let found: Vec<Known> = rows
                    .iter()
                    .rev()
                    .map(|row| Known {
                        seq: row.seq,
                        version: row.version.0,
                        born: row.born,
                        deleted: row.deleted,
                        body: row.body.to_vec(),
                    })
                    .collect();
                let known = self.records.get(&(tenant, id)).cloned().unwrap_or_default();
                assert_eq!(found, known);
                let current = store.current(tenant_of(tenant), KIND, &name).unwrap();
                assert_eq!(current.as_ref(), rows.first());
                for row in &rows {
                    assert_eq!(store.version(tenant_of(tenant), KIND, &name, row.version).unwrap().as_ref(), Some(row));
                }
            }
            for value in 0..VALUES {
                let holder = store.claim_holder(tenant_of(tenant), SCOPE, &[&[value]]).unwrap();
                assert_eq!(holder.as_ref(), self.claims.get(&(tenant, value)));
            }
        }
        let feed: Vec<u64> = store.feed(Seq(0), usize::MAX).unwrap().iter().map(|row| row.seq.0).collect();
        assert_eq!(feed, (1..=self.head).collect::<Vec<_>>());
    }
}

proptest! {
    // Each case flushes the disk some hundred times: a tenth of the cases that PROPTEST_CASES asks for.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(10),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_store_is_its_model(steps in proptest::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = common::open(folder.path());
        let mut model = Model::default();
        for step in &steps {
            if matches!(step, Step::Reopen) {
                store.close();
                store = common::open(folder.path());
                model.compare(&store);
            }
            model.apply(&store, step);
        }
        model.compare(&store);
        let report = store.scrub().unwrap();
        prop_assert!(report.is_good(), "{:?}", report);
    }
}
