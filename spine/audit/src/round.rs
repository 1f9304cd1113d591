//! One round of the log: what the streams have gained, the tree over it, and the checkpoint that signs it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use iris_crypto::SealingKey;
use iris_crypto::merkle::{Hash, Tree, leaf_hash};
use iris_crypto::sign::SigningKey;
use iris_store::{AuditRow, KeyId, LogRound, Span, Store, StoreError, Stream, Tile};

use crate::entry::{self, Header};
use crate::error::{AuditError, Unsigned};
use crate::gap;
use crate::log::{self, Newest, Tiles};
use crate::note::Checkpoint;

/// Most entries of one round (2 MB of tiles); a longer backlog takes several rounds without rest.
pub const ROUND_ENTRIES_MAX: u64 = 65_536;
/// Entries read from a stream at once.
const READ_ENTRIES: u64 = 2_048;

/// What has a position already.
pub(crate) struct Merged {
    pub(crate) tree: Tree,
    /// Next ordinal of each stream, by [`Stream::code`].
    pub(crate) next: [u64; 2],
    /// Stream of the last span: the next round begins with it, so that two runs stand side by side.
    pub(crate) last: Stream,
}

impl Merged {
    /// Takes the log up as the store had it at one moment, and checks that it is the tree of its newest checkpoint: a follower
    /// that signed on top of something else would lend it credit.
    pub(crate) fn load(store: &Store, newest: &Newest) -> Result<Self, AuditError> {
        let size = newest.checkpoint.size;
        if size == 0 {
            return Ok(Self { tree: Tree::new(), next: [0, 0], last: Stream::Writes });
        }
        let tree = Tree::resume(&Tiles(store), size)?;
        if newest.checkpoint.root != tree.root() {
            return Err(AuditError::Damaged("the stored tree is not the one of the newest checkpoint".to_owned()));
        }
        let last = log::spans(store, size.saturating_sub(1), size)?.pop();
        let last = last.map_or(Stream::Writes, |span| span.stream);
        Ok(Self { tree, next: gap::next_of(store, size)?, last })
    }
}

/// A round while it is put together.
pub(crate) struct Draft {
    pub(crate) tree: Tree,
    pub(crate) next: [u64; 2],
    pub(crate) last: Stream,
    pub(crate) round: LogRound,
    /// Why the round ends before an entry.
    pub(crate) refused: Option<AuditError>,
    /// The keys of this round's details, kept no longer than the round: one that is destroyed must not live on here.
    keys: HashMap<u64, Arc<SealingKey>>,
}

impl Draft {
    pub(crate) fn new(merged: &Merged) -> Self {
        Self {
            tree: merged.tree.clone(),
            next: merged.next,
            last: merged.last,
            round: LogRound::default(),
            refused: None,
            keys: HashMap::new(),
        }
    }

    /// Takes what a stream has gained, as far as the round has room; gives the ordinal up to which it got.
    pub(crate) fn take(&mut self, store: &Store, stream: Stream, head: u64) -> Result<u64, AuditError> {
        let first = self.next[usize::from(stream.code())];
        if head < first {
            return Err(AuditError::Damaged(format!("the newest {} entries of {stream:?} are gone", first - head)));
        }
        let taken: u64 = self.round.spans.iter().map(|span| span.count).sum();
        let end = head.min(first + ROUND_ENTRIES_MAX.saturating_sub(taken));
        let position = self.tree.size();
        let mut at = first;
        while at < end && self.refused.is_none() {
            let chunk_end = end.min(at + READ_ENTRIES);
            let limit = usize::try_from(chunk_end - at).unwrap_or(usize::MAX);
            for (ordinal, row) in store.audit_rows(stream, at, limit)? {
                if ordinal != at {
                    break;
                }
                if let Err(why) = self.check(store, &row)? {
                    self.refused = Some(AuditError::Unsigned { stream, ordinal, why });
                    break;
                }
                self.push(leaf_hash(&row.header));
                at += 1;
            }
            if at < chunk_end && self.refused.is_none() {
                return Err(AuditError::Damaged(format!("entry {at} of {stream:?} is gone before it was signed")));
            }
        }
        if at > first {
            self.round.spans.push(Span { position, stream, ordinal: first, count: at - first });
            self.next[usize::from(stream.code())] = at;
            self.last = stream;
        }
        Ok(at)
    }

    /// Whether an entry may be signed: its details are those of its header and were sealed under a key of this store.
    fn check(&mut self, store: &Store, row: &AuditRow) -> Result<Result<(), Unsigned>, AuditError> {
        let sound = Header::decode(&row.header).and_then(|header| {
            let committed = entry::commitment(&row.details) == header.commitment;
            if committed { Ok((header, entry::key_id(&row.details)?)) } else { Err(entry::EntryFault::Details) }
        });
        let (header, key_id) = match sound {
            Ok(sound) => sound,
            Err(fault) => return Ok(Err(fault.into())),
        };
        let key = match self.keys.entry(key_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => match store.data_key_by_id(KeyId(key_id)) {
                Ok(key) => place.insert(key),
                // Today nobody destroys keys, so an entry under an unknown one was not written by this log. Once months
                // are destroyed, the store must say so of a key, and this entry is then signed by its commitment alone.
                Err(StoreError::Damaged { .. }) => return Ok(Err(Unsigned::KeyGone { key: key_id })),
                Err(error) => return Err(error.into()),
            },
        };
        Ok(entry::open(&header, &row.details, key).map(drop).map_err(Unsigned::from))
    }

    fn push(&mut self, leaf: Hash) {
        let tiles = &mut self.round.tiles;
        self.tree.push(leaf, |level, index, hashes| tiles.push(tile(level, index, hashes)));
    }

    /// Adds the right edge and the signed checkpoint.
    pub(crate) fn finish(&mut self, signer: &SigningKey) -> Result<String, AuditError> {
        let edge = self.tree.partial_tiles().map(|(level, index, hashes)| tile(level, index, hashes));
        self.round.tiles.extend(edge);
        let note = Checkpoint { size: self.tree.size(), root: self.tree.root() }.sign(signer)?;
        self.round.checkpoint = note.clone().into_bytes();
        Ok(note)
    }
}

fn tile(level: u8, index: u64, hashes: &[Hash]) -> Tile {
    Tile { level, index, bytes: hashes.as_flattened().to_vec() }
}
