//! The follower: one thread that gives entries their log positions, so that writers never queue on a chain head.
//!
//! A round takes what both streams have gained, extends the tree, signs it and stores spans, tiles and checkpoint in one
//! transaction. A process that dies between two rounds has lost nothing: the entries are in their streams, and the next
//! start takes them up. A checkpoint that was signed but not stored was never shown to anybody.
//!
//! The signature says that the log's own process wrote the entry: an entry whose details do not fit its header or do not
//! open gets no position, and nothing behind it does until somebody has looked.
//!
//! Of several nodes one signs, see [`crate::turn`]. The others look at the log as often as it may grow, check that it goes on from
//! what they saw before, and know from it how it stands.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use iris_crypto::sign::SigningKey;
use iris_kernel::ErrorKind;
use iris_store::{CommitError, Store, Stream};
use parking_lot::{Condvar, Mutex};

use crate::error::{AuditError, Unavailable};
use crate::log::Newest;
use crate::note::{Checkpoint, Verifier};
use crate::round::{Draft, Merged};
use crate::signed::{Others, Signed, extends};
use crate::turn::Turn;

/// Rest between two rounds: at most two of them in a second, and an entry waits half a second at most for the next.
pub const ROUND_REST: Duration = Duration::from_millis(500);
/// How long the follower sleeps without being told of entries. A writer that forgot to tell is noticed then.
const IDLE_MAX: Duration = Duration::from_millis(900);
/// How often a node that does not sign looks whether the log covers what somebody waits for.
const SETTLE_POLL: Duration = Duration::from_millis(100);
/// How long somebody waits at most, on a node that does not sign, for the one that does.
pub const SETTLE_MAX: Duration = Duration::from_secs(6);
/// Looks without a new checkpoint, while entries wait, after which the log counts as stopped: longer than another node needs to
/// take over.
const STALLED_LOOKS: u32 = 12;
/// Looks for which a node lets others sign after a round of its own failed for want of something: they may have it.
const STAND_BACK_LOOKS: u32 = 4;

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
    /// The thread ends as if it were killed.
    #[cfg(test)]
    killed: bool,
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
    pub(crate) fn start(store: Store, signer: Arc<SigningKey>, turn: Turn) -> Result<Self, AuditError> {
        let shared = Arc::new(Shared::default());
        let verifier = Verifier::new(signer.verifying_key());
        let mut worker = Worker {
            store,
            signer,
            verifier,
            turn,
            signs: false,
            merged: None,
            signed: Signed::default(),
            covered: [0; 2],
            stalled: 0,
            goal: None,
            stand_back: 0,
            shared: Arc::clone(&shared),
        };
        if let Err(error) = worker.load() {
            worker.fault(&error.to_string());
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

    /// Waits until every entry that is durable now was seen by a round; where another node signs, until the log covers them, or
    /// for [`SETTLE_MAX`] after which the status has a fault.
    ///
    /// # Errors
    /// [`Unavailable::FollowerEnded`] if there is no thread that could see to it.
    pub(crate) fn settle(&self) -> Result<LogStatus, Unavailable> {
        let mut state = self.shared.state.lock();
        state.asked += 1;
        let ticket = state.asked;
        self.shared.wake.notify_one();
        self.shared.done.wait_while(&mut state, |state| state.answered < ticket && !state.ended);
        if state.answered < ticket { Err(Unavailable::FollowerEnded) } else { Ok(state.status.clone()) }
    }

    /// Signs what is there, if it is this node's turn, hands over to another node, and ends the thread.
    pub(crate) fn end(&self) {
        let mut state = self.shared.state.lock();
        state.ending = true;
        self.shared.wake.notify_one();
        self.shared.done.wait_while(&mut state, |state| !state.ended);
    }

    pub(crate) fn status(&self) -> LogStatus {
        self.shared.state.lock().status.clone()
    }

    /// Ends the thread as a killed process would: nothing more is signed, and the lease is not given back.
    #[cfg(test)]
    pub(crate) fn kill(self) {
        self.shared.state.lock().killed = true;
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

struct Worker {
    store: Store,
    signer: Arc<SigningKey>,
    verifier: Verifier,
    turn: Turn,
    /// Whether it was this node's turn the last time.
    signs: bool,
    merged: Option<Merged>,
    signed: Signed,
    /// Next ordinal of each stream as the newest checkpoint covers them, by [`Stream::code`].
    covered: [u64; 2],
    /// Looks in a row at a log that does not grow while entries wait.
    stalled: u32,
    goal: Option<Goal>,
    /// Looks for which others are let sign.
    stand_back: u32,
    shared: Arc<Shared>,
}

/// What somebody waits for on a node that does not sign.
struct Goal {
    ticket: u64,
    /// How far each stream must be signed.
    heads: [u64; 2],
    waited: Duration,
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
            #[cfg(test)]
            if self.shared.state.lock().killed {
                self.shared.state.lock().ended = true;
                return;
            }
            let answered = self.work(ticket);
            if ending {
                self.turn.give_back();
            }
            let mut state = self.shared.state.lock();
            state.answered = state.answered.max(answered);
            state.ended = ending;
            self.shared.done.notify_all();
            if ending {
                return;
            }
        }
    }

    /// Rests, then waits for entries; gives the newest ticket that the coming work answers, and whether it is the last.
    fn wait(&self) -> (u64, bool) {
        let mut state = self.shared.state.lock();
        let waits_for_others = self.goal.is_some();
        let urgent = |state: &mut State| state.ending || (!waits_for_others && state.asked > state.answered);
        let rest = if waits_for_others { SETTLE_POLL } else { ROUND_REST };
        self.shared.wake.wait_while_for(&mut state, |state| !urgent(state), rest);
        // Entries of other nodes come without being told of.
        if !self.turn.is_shared() {
            self.shared.wake.wait_while_for(
                &mut state,
                |state| !urgent(state) && !self.shared.nudged.load(Ordering::Acquire),
                IDLE_MAX - ROUND_REST,
            );
        }
        self.shared.nudged.store(false, Ordering::Release);
        (state.asked, state.ending)
    }

    /// Signs, if it is this node's turn, or looks what the one that signs has done. Gives the newest ticket that is answered.
    fn work(&mut self, ticket: u64) -> u64 {
        let turn = if self.stand_back > 0 {
            self.stand_back -= 1;
            Ok(false)
        } else {
            self.turn.take()
        };
        let had = std::mem::replace(&mut self.signs, matches!(turn, Ok(true)));
        match turn {
            Ok(true) => {
                if !had {
                    // Others may have signed since.
                    self.merged = None;
                }
                self.goal = None;
                self.rounds();
                ticket
            }
            Ok(false) => match self.look(ticket) {
                Ok(answered) => answered,
                Err(error) => {
                    self.goal = None;
                    self.fault(&error.to_string());
                    ticket
                }
            },
            Err(error) => {
                self.goal = None;
                self.fault(&error.to_string());
                ticket
            }
        }
    }

    /// Rounds until nothing waits. A failure is kept in the status and tried again next time.
    fn rounds(&mut self) {
        loop {
            match self.round() {
                Ok(Progress::MoreWaits) => {}
                Ok(Progress::CaughtUp) => {
                    self.clear_fault();
                    break;
                }
                Err(error) => {
                    // What the store holds is uncertain now: look again before the next round.
                    self.merged = None;
                    self.fault(&error.to_string());
                    if self.turn.is_shared() && error.kind() != ErrorKind::Damaged {
                        self.stand_back = STAND_BACK_LOOKS;
                        self.turn.give_back();
                    }
                    break;
                }
            }
        }
    }

    fn fault(&self, fault: &str) {
        let mut state = self.shared.state.lock();
        if state.status.fault.as_deref() != Some(fault) {
            tracing::error!(fault, "the audit log makes no progress");
            state.status.fault = Some(fault.to_owned());
        }
    }

    fn clear_fault(&self) {
        if self.shared.state.lock().status.fault.take().is_some() {
            tracing::info!("the audit log makes progress again");
        }
    }

    /// Takes the log up as it is in the store, provided that it goes on from what this process knows of it.
    fn load(&mut self) -> Result<Merged, AuditError> {
        let newest = Newest::read(&self.store, self.verifier)?;
        let merged = Merged::load(&self.store, &newest)?;
        let others = if self.turn.is_shared() { Others::Extend } else { Others::None };
        let store = &self.store;
        self.signed.accept(newest.checkpoint, others, |old| extends(store, old, newest.checkpoint))?;
        self.publish(newest.checkpoint, newest.note);
        self.covered = merged.next;
        Ok(merged)
    }

    fn publish(&self, signed: Checkpoint, note: Option<String>) {
        let mut state = self.shared.state.lock();
        (state.status.size, state.status.checkpoint) = (signed.size, note);
    }

    fn heads(&self) -> Result<[u64; 2], AuditError> {
        Ok([self.store.audit_head(Stream::Writes)?, self.store.audit_head(Stream::Reads)?])
    }

    fn covers(&self, heads: [u64; 2]) -> bool {
        self.covered.iter().zip(heads).all(|(covered, head)| *covered >= head)
    }

    /// Looks at the log that another node signs. Gives the newest ticket that is answered by what it covers.
    fn look(&mut self, ticket: u64) -> Result<u64, AuditError> {
        self.merged = None;
        let heads = self.heads()?;
        let known = self.signed.stored;
        if known.is_none() || self.has_grown()? {
            self.load()?;
        }
        self.stalled = if self.covers(heads) || self.signed.stored != known { 0 } else { self.stalled + 1 };
        let answered = self.shared.state.lock().answered;
        let goal = match self.goal.take() {
            Some(goal) => Some(goal),
            None if ticket > answered => Some(Goal { ticket, heads, waited: Duration::ZERO }),
            None => None,
        };
        let Some(mut goal) = goal else {
            if self.stalled >= STALLED_LOOKS {
                self.nobody_signs();
            } else if self.stand_back == 0 {
                self.clear_fault();
            }
            return Ok(answered);
        };
        goal.waited += SETTLE_POLL;
        if self.covers(goal.heads) {
            self.clear_fault();
            return Ok(goal.ticket);
        }
        if goal.waited >= SETTLE_MAX {
            self.nobody_signs();
            return Ok(goal.ticket);
        }
        self.goal = Some(goal);
        Ok(answered)
    }

    /// Whether the newest checkpoint is another one than the last that was seen.
    fn has_grown(&self) -> Result<bool, AuditError> {
        let newest = self.store.log_checkpoint_last()?;
        let state = self.shared.state.lock();
        Ok(newest.as_ref().map(|note| note.bytes.as_slice()) != state.status.checkpoint.as_deref().map(str::as_bytes))
    }

    fn nobody_signs(&self) {
        self.fault("entries wait, and no node signs them");
    }

    /// One round: at most [`crate::ROUND_ENTRIES_MAX`] entries, one transaction, one checkpoint. Nothing when nothing waits. What
    /// stands before an entry that must not be signed is signed; the round then fails.
    fn round(&mut self) -> Result<Progress, AuditError> {
        let merged = match self.merged.take() {
            Some(merged) => merged,
            None => self.load()?,
        };
        let mut draft = Draft::new(&merged);
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
        if draft.round.spans.is_empty() {
            self.merged = Some(merged);
        } else if let Overtaken::Yes = self.sign(draft, &merged)? {
            return Ok(Progress::MoreWaits);
        }
        refused.map_or(Ok(progress), Err)
    }

    /// Signs a round and stores it.
    fn sign(&mut self, mut draft: Draft, before: &Merged) -> Result<Overtaken, AuditError> {
        let note = draft.finish(&self.signer)?;
        let signed = Checkpoint { size: draft.tree.size(), root: draft.tree.root() };
        self.signed.tried = Some(signed);
        if let Err(error) = self.store.log_write(draft.round) {
            return self.overtaken(error, before);
        }
        self.signed = Signed { stored: Some(signed), tried: None };
        self.covered = draft.next;
        self.merged = Some(Merged { tree: draft.tree, next: draft.next, last: draft.last });
        self.publish(signed, Some(note));
        Ok(Overtaken::No)
    }

    /// What a refused round means: over a shared store, that another node has signed in between, if the log has grown.
    fn overtaken(&mut self, error: CommitError, before: &Merged) -> Result<Overtaken, AuditError> {
        let refused = matches!(error, CommitError::Invalid(_) | CommitError::Conflict { .. });
        if refused && self.turn.is_shared() {
            self.signed.tried = None;
            let merged = self.load()?;
            if merged.tree.size() > before.tree.size() {
                tracing::debug!("another node has signed in between");
                self.merged = Some(merged);
                return Ok(Overtaken::Yes);
            }
        }
        Err(error.into())
    }
}

/// Whether another node was faster with a round.
enum Overtaken {
    Yes,
    No,
}

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
