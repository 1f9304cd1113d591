//! The follower: one thread that gives entries their log positions, so that writers never queue on a chain head.
//!
//! A round takes what both streams have gained, extends the tree, signs it and stores spans, tiles and checkpoint in one
//! transaction. A process that dies between two rounds has lost nothing: the entries are in their streams, and the next
//! start takes them up. A checkpoint that was signed but not stored was never shown to anybody.
//!
//! The signature says that the log's own process wrote the entry: an entry whose details do not fit its header or do not
//! open gets no position, and nothing behind it does until somebody has looked.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use iris_crypto::SealingKey;
use iris_crypto::merkle::{Hash, Tree, leaf_hash};
use iris_crypto::sign::SigningKey;
use iris_store::{AuditRow, KeyId, LogRound, Span, Store, StoreError, Stream, Tile};
use parking_lot::{Condvar, Mutex};

use crate::entry::{self, Header};
use crate::error::{AuditError, Unavailable, Unsigned};
use crate::gap;
use crate::log::{self, Tiles};
use crate::note::{Checkpoint, Verifier};

/// Rest between two rounds: at most two of them in a second, and an entry waits half a second at most for the next.
pub const ROUND_REST: Duration = Duration::from_millis(500);
/// How long the follower sleeps without being told of entries. A writer that forgot to tell is noticed then.
const IDLE_MAX: Duration = Duration::from_millis(900);
/// Most entries of one round (2 MB of tiles); a longer backlog takes several rounds without rest.
pub const ROUND_ENTRIES_MAX: u64 = 65_536;
/// Entries read from a stream at once.
const READ_ENTRIES: u64 = 2_048;

/// How the log stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStatus {
    /// Entries that have a position.
    pub size: u64,
    /// The newest signed checkpoint, as a note.
    pub checkpoint: Option<String>,
    /// Why the follower makes no progress; entries are still taken in, but not signed.
    pub fault: Option<String>,
}

#[derive(Default)]
struct State {
    ending: bool,
    /// Rounds that somebody waits for, and those of them that are done.
    asked: u64,
    answered: u64,
    ended: bool,
    status: LogStatus,
}

#[derive(Default)]
struct Shared {
    nudged: AtomicBool,
    state: Mutex<State>,
    wake: Condvar,
    done: Condvar,
}

/// The handle of the follower thread; dropping it signs what is there and ends the thread.
pub(crate) struct Follower {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts the thread. A damaged log does not stop the start: it shows in the status, and verification locates it.
    pub(crate) fn start(store: Store, signer: Arc<SigningKey>) -> Result<Self, AuditError> {
        let shared = Arc::new(Shared::default());
        let verifier = Verifier::new(signer.verifying_key());
        let mut worker =
            Worker { store, signer, verifier, merged: None, signed: Signed::default(), shared: Arc::clone(&shared) };
        if let Err(error) = worker.load() {
            worker.fault(&error);
        }
        let thread = std::thread::Builder::new()
            .name("audit-follower".to_owned())
            .spawn(move || worker.run())
            .map_err(AuditError::Thread)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Tells of new entries. Costs an atomic swap when the follower knows already.
    pub(crate) fn nudge(&self) {
        if !self.shared.nudged.swap(true, Ordering::AcqRel) {
            // Taken and dropped: the follower either waits already or has yet to look at the flag.
            drop(self.shared.state.lock());
            self.shared.wake.notify_one();
        }
    }

    /// Waits for a round that has seen every entry that is durable now.
    ///
    /// # Errors
    /// [`Unavailable::FollowerEnded`] if there is no thread that could make one.
    pub(crate) fn settle(&self) -> Result<LogStatus, Unavailable> {
        let mut state = self.shared.state.lock();
        state.asked += 1;
        let ticket = state.asked;
        self.shared.wake.notify_one();
        self.shared.done.wait_while(&mut state, |state| state.answered < ticket && !state.ended);
        if state.answered < ticket { Err(Unavailable::FollowerEnded) } else { Ok(state.status.clone()) }
    }

    pub(crate) fn status(&self) -> LogStatus {
        self.shared.state.lock().status.clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.state.lock().ending = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the audit follower ended in a panic");
        }
    }
}

/// Held by the thread: however that ends, nobody waits for it any longer, and health shows an end that nobody asked for.
struct EndGuard(Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        if !state.ended {
            state.ended = true;
            state.status.fault = Some(Unavailable::FollowerEnded.to_string());
            tracing::error!(
                "the audit follower ended in a panic; entries are taken in, but not signed until a restart"
            );
        }
        self.0.done.notify_all();
    }
}

/// What has a position already.
struct Merged {
    tree: Tree,
    /// Next ordinal of each stream, by [`Stream::code`].
    next: [u64; 2],
    /// Stream of the last span: the next round begins with it, so that two runs stand side by side.
    last: Stream,
}

/// The trees that this process answers for.
#[derive(Default)]
struct Signed {
    /// The newest one that is stored, or that the start found.
    stored: Option<Checkpoint>,
    /// One that was signed, but whose transaction gave no clear answer: it may be stored or not.
    tried: Option<Checkpoint>,
}

impl Signed {
    /// Whether what was loaded is what this process left there. Nobody else has the key, so anything else was put back
    /// from an older copy or exchanged, and to sign on top of it would make two logs of one.
    fn accept(&mut self, loaded: Checkpoint) -> Result<(), AuditError> {
        if let Some(stored) = self.stored.filter(|stored| *stored != loaded && self.tried != Some(loaded)) {
            return Err(AuditError::Damaged(format!(
                "the store has a log of {} entries that is not the one of {} entries signed since the start",
                loaded.size, stored.size
            )));
        }
        *self = Self { stored: Some(loaded), tried: None };
        Ok(())
    }
}

struct Worker {
    store: Store,
    signer: Arc<SigningKey>,
    verifier: Verifier,
    merged: Option<Merged>,
    signed: Signed,
    shared: Arc<Shared>,
}

/// Whether a round left something behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    CaughtUp,
    MoreWaits,
}

impl Worker {
    fn run(mut self) {
        let _guard = EndGuard(Arc::clone(&self.shared));
        loop {
            let (ticket, ending) = self.wait();
            self.rounds();
            let mut state = self.shared.state.lock();
            state.answered = ticket;
            state.ended = ending;
            self.shared.done.notify_all();
            if ending {
                return;
            }
        }
    }

    /// Rests, then waits for entries; gives the newest ticket that the coming round answers, and whether it is the last.
    fn wait(&self) -> (u64, bool) {
        let mut state = self.shared.state.lock();
        let urgent = |state: &mut State| state.ending || state.asked > state.answered;
        self.shared.wake.wait_while_for(&mut state, |state| !urgent(state), ROUND_REST);
        self.shared.wake.wait_while_for(
            &mut state,
            |state| !urgent(state) && !self.shared.nudged.load(Ordering::Acquire),
            IDLE_MAX - ROUND_REST,
        );
        self.shared.nudged.store(false, Ordering::Release);
        (state.asked, state.ending)
    }

    /// Rounds until nothing waits. A failure is kept in the status and tried again next time.
    fn rounds(&mut self) {
        loop {
            match self.round() {
                Ok(Progress::MoreWaits) => {}
                Ok(Progress::CaughtUp) => {
                    self.shared.state.lock().status.fault = None;
                    break;
                }
                Err(error) => {
                    // What the store holds is uncertain now: look again before the next round.
                    self.merged = None;
                    self.fault(&error);
                    break;
                }
            }
        }
    }

    fn fault(&self, error: &AuditError) {
        let mut state = self.shared.state.lock();
        let fault = error.to_string();
        if state.status.fault.as_ref() != Some(&fault) {
            tracing::error!(%error, "the audit log makes no progress");
            state.status.fault = Some(fault);
        }
    }

    fn load(&mut self) -> Result<(), AuditError> {
        let (merged, note) = Merged::load(&self.store, self.verifier)?;
        self.signed.accept(Checkpoint { size: merged.tree.size(), root: merged.tree.root() })?;
        let mut state = self.shared.state.lock();
        (state.status.size, state.status.checkpoint) = (merged.tree.size(), note);
        drop(state);
        self.merged = Some(merged);
        Ok(())
    }

    /// One round: at most [`ROUND_ENTRIES_MAX`] entries, one transaction, one checkpoint. Nothing when nothing waits. What
    /// stands before an entry that must not be signed is signed; the round then fails.
    fn round(&mut self) -> Result<Progress, AuditError> {
        if self.merged.is_none() {
            self.load()?;
        }
        let Some(merged) = &self.merged else { return Ok(Progress::CaughtUp) };
        let mut draft = Draft::new(merged);
        let order = match merged.last {
            Stream::Writes => [Stream::Writes, Stream::Reads],
            Stream::Reads => [Stream::Reads, Stream::Writes],
        };
        let mut progress = Progress::CaughtUp;
        for stream in order {
            let head = self.store.audit_head(stream)?;
            if draft.take(&self.store, stream, head)? < head {
                progress = Progress::MoreWaits;
            }
            if draft.refused.is_some() {
                break;
            }
        }
        let refused = draft.refused.take();
        if !draft.round.spans.is_empty() {
            self.sign(draft)?;
        }
        refused.map_or(Ok(progress), Err)
    }

    /// Signs a round and stores it.
    fn sign(&mut self, mut draft: Draft) -> Result<(), AuditError> {
        let note = draft.finish(&self.signer)?;
        let signed = Checkpoint { size: draft.tree.size(), root: draft.tree.root() };
        self.signed.tried = Some(signed);
        self.store.log_write(draft.round)?;
        self.signed = Signed { stored: Some(signed), tried: None };
        self.merged = Some(Merged { tree: draft.tree, next: draft.next, last: draft.last });
        let mut state = self.shared.state.lock();
        (state.status.size, state.status.checkpoint) = (signed.size, Some(note));
        Ok(())
    }
}

impl Merged {
    /// Takes the log up as the store has it, and checks that it is the tree of its newest checkpoint: a follower that
    /// signed on top of something else would lend it credit.
    fn load(store: &Store, verifier: Verifier) -> Result<(Self, Option<String>), AuditError> {
        let damaged = |what: &str| Err(AuditError::Damaged(what.to_owned()));
        let size = store.log_size()?;
        let Some(stored) = store.log_checkpoint_last()? else {
            if size > 0 {
                return damaged("there are log positions without a checkpoint");
            }
            return Ok((Self { tree: Tree::new(), next: [0, 0], last: Stream::Writes }, None));
        };
        let Ok(note) = String::from_utf8(stored.bytes) else { return damaged("the newest checkpoint is no text") };
        let checkpoint =
            verifier.open(&note).map_err(|fault| AuditError::Damaged(format!("the newest checkpoint: {fault}")))?;
        let tree = Tree::resume(&Tiles(store), size)?;
        if checkpoint != (Checkpoint { size, root: tree.root() }) {
            return damaged("the stored tree is not the one of the newest checkpoint");
        }
        let last = log::spans(store, size.saturating_sub(1), size)?.pop();
        let last = last.map_or(Stream::Writes, |span| span.stream);
        Ok((Self { tree, next: gap::signed(store)?, last }, Some(note)))
    }
}

/// A round while it is put together.
struct Draft {
    tree: Tree,
    next: [u64; 2],
    last: Stream,
    round: LogRound,
    /// Why the round ends before an entry.
    refused: Option<AuditError>,
    /// The keys of this round's details, kept no longer than the round: one that is destroyed must not live on here.
    keys: HashMap<u64, Arc<SealingKey>>,
}

impl Draft {
    fn new(merged: &Merged) -> Self {
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
    fn take(&mut self, store: &Store, stream: Stream, head: u64) -> Result<u64, AuditError> {
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
    fn finish(&mut self, signer: &SigningKey) -> Result<String, AuditError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_thread_that_panicked() {
        let shared = Arc::new(Shared::default());
        let guard = EndGuard(Arc::clone(&shared));
        let thread = std::thread::spawn(move || {
            let _guard = guard;
            std::panic::resume_unwind(Box::new("as a panic in a round"));
        });
        let follower = Follower { shared, thread: Some(thread) };
        assert!(matches!(follower.settle(), Err(Unavailable::FollowerEnded)));
        assert!(follower.status().fault.is_some(), "health shows it");
    }

    #[test]
    fn only_what_was_signed_is_taken_up_again() {
        let tree = |size, root| Checkpoint { size, root: [root; 32] };
        let mut signed = Signed::default();
        signed.accept(tree(3, 3)).unwrap();
        signed.accept(tree(3, 3)).unwrap();
        for other in [tree(2, 2), tree(3, 4), tree(4, 4)] {
            assert!(signed.accept(other).is_err(), "{other:?}");
        }
        signed.tried = Some(tree(5, 5));
        assert!(signed.accept(tree(4, 4)).is_err());
        signed.accept(tree(5, 5)).unwrap();
        assert!(signed.accept(tree(3, 3)).is_err());
    }
}
