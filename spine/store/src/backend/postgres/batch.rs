//! What a group changes, as arrays: one statement for each table and tenant, however many sets there are.

use std::collections::BTreeSet;

use iris_kernel::{Kind, RecordId, Tenant};

use super::link::{Step, naming};
use super::loaded::{Counters, Loaded};
use super::{number, sql};
use crate::audit::LogRound;
use crate::backend::check::Checked;
use crate::backend::{Scope, WriteSet};
use crate::tx::ClaimScope;

/// New keys: number, owner, the key that wraps it, and what that made of it.
type Fresh<'a> = (Vec<i64>, Vec<&'a [u8]>, Vec<Option<i64>>, Vec<&'a [u8]>);

/// What a group changes for one tenant.
#[derive(Default)]
pub(super) struct Batch<'a> {
    tenant: i64,
    seqs: Vec<i64>,
    kinds: Vec<i32>,
    records: Vec<&'a [u8]>,
    versions: Vec<i64>,
    ats: Vec<i64>,
    borns: Vec<i64>,
    prevs: Vec<Option<i64>>,
    deleted: Vec<bool>,
    keys: Vec<i64>,
    bodies: Vec<&'a [u8]>,
    touched: BTreeSet<(u16, RecordId)>,
    newest: (Vec<i32>, Vec<Vec<u8>>, Vec<i64>, Vec<i64>),
    fresh: Fresh<'a>,
    claimed: BTreeSet<(u16, [u8; 16])>,
    taken: (Vec<i32>, Vec<Vec<u8>>, Vec<Vec<u8>>),
    given: (Vec<i32>, Vec<Vec<u8>>),
    events: (Vec<&'a [u8]>, Vec<i64>, Vec<&'a [u8]>),
}

impl<'a> Batch<'a> {
    /// Adds a set whose puts get the sequences from `first` on.
    pub(super) fn add(&mut self, set: &'a WriteSet, checked: &Checked, first: u64) {
        for ((seq, put), superseded) in (first..).zip(&set.puts).zip(&checked.superseded) {
            self.seqs.push(number(seq));
            self.kinds.push(i32::from(put.kind.0));
            self.records.push(&put.record.0);
            self.versions.push(i64::from(put.version.0));
            self.ats.push(put.at.0);
            self.borns.push(number(put.born.map_or(seq, |born| born.0)));
            self.prevs.push(superseded.map(|seq| number(seq.0)));
            self.deleted.push(put.deleted);
            self.keys.push(number(put.key.0));
            self.bodies.push(&put.body);
            self.touched.insert((put.kind.0, put.record));
        }
        for key in checked.fresh.iter().map(|at| &set.fresh[*at].row) {
            self.fresh.0.push(number(key.key.0));
            self.fresh.1.push(&key.owner);
            self.fresh.2.push(key.kek.map(|kek| number(kek.0)));
            self.fresh.3.push(&key.wrapped);
        }
        self.claimed.extend(checked.claims.keys().map(|(scope, token)| (scope.0, *token)));
        for event in &set.events {
            self.events.0.push(&event.event);
            self.events.1.push(number(event.key.0));
            self.events.2.push(&event.body);
        }
    }

    /// Works out what is left of the touched records and claims after all sets.
    pub(super) fn finish(&mut self, tenant: Tenant, loaded: &Loaded) {
        self.tenant = i64::from(tenant.0);
        for (kind, record) in &self.touched {
            if let Some(newest) = loaded.newest(tenant, Kind(*kind), *record) {
                self.newest.0.push(i32::from(*kind));
                self.newest.1.push(record.0.to_vec());
                self.newest.2.push(number(newest.seq.0));
                self.newest.3.push(i64::from(newest.version.0));
            }
        }
        for (scope, token) in &self.claimed {
            match loaded.holder(tenant, ClaimScope(*scope), *token) {
                Some(holder) => {
                    self.taken.0.push(i32::from(*scope));
                    self.taken.1.push(token.to_vec());
                    self.taken.2.push(holder.0.to_vec());
                }
                None => {
                    self.given.0.push(i32::from(*scope));
                    self.given.1.push(token.to_vec());
                }
            }
        }
    }

    /// The statements, in their order.
    pub(super) fn steps<'s>(&'s self, steps: &mut Vec<Step<'s>>) {
        let tenant = &self.tenant;
        if !self.fresh.0.is_empty() {
            let (keys, owners, keks, wrapped) = &self.fresh;
            steps.push(Step::Sql(&sql::WRITE_KEYS, vec![tenant, keys, owners, keks, wrapped]));
        }
        if !self.seqs.is_empty() || !self.events.0.is_empty() {
            let (kinds, records, seqs, versions) = &self.newest;
            let (events, event_keys, event_bodies) = &self.events;
            let values: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![
                tenant,
                &self.seqs,
                &self.kinds,
                &self.records,
                &self.versions,
                &self.ats,
                &self.borns,
                &self.prevs,
                &self.deleted,
                &self.keys,
                &self.bodies,
                kinds,
                records,
                seqs,
                versions,
                events,
                event_keys,
                event_bodies,
            ];
            steps.push(Step::Sql(&sql::WRITE, values));
        }
        if !self.taken.0.is_empty() {
            let (scopes, tokens, holders) = &self.taken;
            steps.push(Step::Sql(&sql::TAKE_CLAIMS, vec![tenant, scopes, tokens, holders]));
        }
        if !self.given.0.is_empty() {
            let (scopes, tokens) = &self.given;
            steps.push(Step::Sql(&sql::GIVE_CLAIMS, vec![tenant, scopes, tokens]));
        }
    }
}

/// What a group changes that is no tenant's.
#[derive(Default)]
pub(super) struct Common<'a> {
    audit_first: i64,
    headers: Vec<&'a [u8]>,
    details: Vec<&'a [u8]>,
    forget: Option<i64>,
    spans: (Vec<i64>, Vec<i16>, Vec<i64>, Vec<i64>),
    tiles: (Vec<i16>, Vec<i64>, Vec<&'a [u8]>),
    checkpoints: Vec<&'a [u8]>,
    head: (i64, i64),
}

impl<'a> Common<'a> {
    pub(super) fn new(sets: &[&'a WriteSet], before: Counters, after: Counters) -> Self {
        let mut common = Self {
            audit_first: number(before.audit),
            head: (number(after.seq), number(after.audit)),
            ..Self::default()
        };
        for set in sets {
            common.headers.extend(set.audit.iter().map(|entry| &entry.header[..]));
            common.details.extend(set.audit.iter().map(|entry| &entry.details[..]));
            common.forget = common.forget.max(set.outbox_forget.map(number));
            if let Some(round) = &set.log {
                common.log(round);
            }
        }
        common
    }

    fn log(&mut self, round: &'a LogRound) {
        for span in &round.spans {
            self.spans.0.push(number(span.position));
            self.spans.1.push(i16::from(span.stream.code()));
            self.spans.2.push(number(span.ordinal));
            self.spans.3.push(number(span.count));
        }
        // A tile that grew twice is named twice; one statement may change a row only once.
        for (at, tile) in round.tiles.iter().enumerate() {
            if round.tiles[at + 1..].iter().all(|later| (later.level, later.index) != (tile.level, tile.index)) {
                self.tiles.0.push(i16::from(tile.level));
                self.tiles.1.push(number(tile.index));
                self.tiles.2.push(&tile.bytes);
            }
        }
        if !round.checkpoint.is_empty() {
            self.checkpoints.push(&round.checkpoint);
        }
    }

    pub(super) fn steps<'s>(&'s self, steps: &mut Vec<Step<'s>>) {
        if let Some(through) = &self.forget {
            steps.push(Step::Plain(naming(Scope::All)));
            steps.push(Step::Sql(&sql::FORGET_EVENTS, vec![through]));
        }
        if !self.spans.0.is_empty() {
            let (positions, streams, ordinals, counts) = &self.spans;
            steps.push(Step::Sql(&sql::WRITE_SPANS, vec![positions, streams, ordinals, counts]));
        }
        if !self.tiles.0.is_empty() {
            let (levels, numbers, bytes) = &self.tiles;
            steps.push(Step::Sql(&sql::WRITE_TILES, vec![levels, numbers, bytes]));
        }
        for checkpoint in &self.checkpoints {
            steps.push(Step::Sql(&sql::WRITE_CHECKPOINT, vec![checkpoint]));
        }
        let (seq, audit) = &self.head;
        steps.push(Step::Sql(&sql::MOVE_HEAD, vec![&self.audit_first, &self.headers, &self.details, seq, audit]));
    }
}
