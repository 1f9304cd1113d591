//! The writer thread: takes what is waiting, commits it as one group, tells the follower, then answers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use iris_kernel::{Clock, Kind, RecordId, Seq, Tenant, Timestamp, Version};
use parking_lot::{Condvar, Mutex, RwLock};

use crate::backend::{GroupFailed, GroupWriter, RawRow, SetDone, SetRefused, WriteSet};
use crate::error::{CommitError, StoreError};
use crate::tx::{Change, Follower};

/// Most write sets in one transaction.
const GROUP_SETS_MAX: usize = 512;
/// A group is not filled further once it has this many bytes: one large import must not keep everybody waiting.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// A set with more puts than this is committed by itself: who comes with a small one waits for one large one that has begun, at most.
const LARGE_PUTS: usize = 200;
/// A set with more bytes than this is committed by itself.
const LARGE_BYTES: usize = 1 << 20;
/// How many groups of small sets may go before a large one that was there first.
const PASSES_MAX: usize = 4;
/// Most write sets that may wait. Each is one request in flight, so this is only reached when the disk has all but stopped.
const QUEUE_SETS_MAX: usize = 16_384;

/// What the caller of a commit learns.
pub(crate) enum Answer {
    Stored {
        done: SetDone,
        at: Timestamp,
    },
    /// A key that the set brings along was stored by somebody else first: seal the set again.
    Raced(Box<WriteSet>),
    Refused(CommitError),
}

pub(crate) type Reply = Box<dyn FnOnce(Answer) + Send>;

struct Job {
    set: WriteSet,
    reply: Reply,
    /// How many groups went before it because it is large.
    passed: usize,
}

impl Job {
    /// Whether it holds the writer for so long that others must not wait for it in the same group.
    fn is_large(&self) -> bool {
        self.set.puts.len() > LARGE_PUTS || self.set.bytes > LARGE_BYTES
    }
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// Rows read from the feed at a time.
const FEED_ROWS: usize = 500;

/// The changes of a database that other nodes write into as well.
pub(crate) trait Feed: Send + Sync {
    /// Those after a position, at most so many, without a gap.
    fn after(&self, after: Seq, limit: usize) -> Result<Vec<Change>, StoreError>;
    /// How often the database has turned out to be another one than before ([`crate::backend::Backend::lives`]).
    fn lives(&self) -> u64;
    /// Whether the database has this change. Fails for good if it has another one in its place, or none.
    fn has(&self, told: &Mark) -> Result<(), StoreError>;
}

/// What tells a change from another one of the same number, in a database that has lost writes and gone on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) seq: Seq,
    pub(crate) tenant: Tenant,
    pub(crate) kind: Kind,
    pub(crate) record: RecordId,
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
    pub(crate) born: Seq,
    pub(crate) deleted: bool,
    pub(crate) superseded: Option<Seq>,
}

/// What whoever tells the followers goes by.
#[derive(Default)]
struct Turn {
    /// The last change that they were told of.
    last: Option<Mark>,
    /// In which life the database was seen to have it.
    lives: u64,
}

/// What callers and the writer thread share.
pub(crate) struct Desk {
    queue: Mutex<Queue>,
    arrived: Condvar,
    /// The newest change that the followers know of.
    head: AtomicU64,
    /// Held while they are told, so that they hear of everything in its order.
    turn: Mutex<Turn>,
    feed: RwLock<Option<Arc<dyn Feed>>>,
    followers: RwLock<Vec<Arc<dyn Follower>>>,
    clock: Arc<dyn Clock>,
}

impl Desk {
    pub(crate) fn new(head: Seq, clock: Arc<dyn Clock>) -> Self {
        Self {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            head: AtomicU64::new(head.0),
            turn: Mutex::default(),
            feed: RwLock::default(),
            followers: RwLock::default(),
            clock,
        }
    }

    pub(crate) fn head(&self) -> Seq {
        Seq(self.head.load(Ordering::Acquire))
    }

    pub(crate) fn follow(&self, follower: Arc<dyn Follower>) {
        self.followers.write().push(follower);
    }

    /// In which life of the database this is; one that no other node writes into has only one.
    fn lives(&self) -> u64 {
        self.feed.read().as_ref().map_or(0, |feed| feed.lives())
    }

    /// Tells the followers of changes that this node has committed; `lives` is as it was before. Where other nodes were in
    /// between, theirs come first; if these cannot be read now, the ones at hand wait too, and come with them from the feed. So
    /// do those that were committed while another life of the database began: it is to be seen whether they are in it.
    fn announce(&self, mut changes: Vec<Change>, lives: u64) {
        let mut turn = self.turn.lock();
        let known = self.head();
        changes.retain(|change| change.seq > known);
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return };
        let is_same = self.lives() == lives;
        let before = if is_same { Seq(first.seq.0 - 1) } else { last.seq };
        match self.bring(&mut turn, before) {
            Ok(()) if is_same => self.tell(&mut turn, &mut changes),
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, "changes of other nodes cannot be read; the followers hear of them later");
            }
        }
    }

    /// Tells the followers of everything up to `target`, which other nodes have committed.
    ///
    /// # Errors
    /// [`StoreError`]; they know of a part of it then.
    pub(crate) fn pull(&self, target: Seq) -> Result<(), StoreError> {
        self.bring(&mut self.turn.lock(), target)
    }

    fn bring(&self, turn: &mut Turn, target: Seq) -> Result<(), StoreError> {
        let Some(feed) = self.feed.read().clone() else { return Ok(()) };
        Self::look(turn, &*feed)?;
        while self.head() < target {
            let wanted = usize::try_from(target.0 - self.head().0).unwrap_or(FEED_ROWS).min(FEED_ROWS);
            let mut changes = feed.after(self.head(), wanted)?;
            if feed.lives() != turn.lives {
                // What was read may be of the life before.
                Self::look(turn, &*feed)?;
                continue;
            }
            if changes.is_empty() {
                return Err(StoreError::damaged(Some(target), "changes are missing from the feed"));
            }
            self.tell(turn, &mut changes);
        }
        Ok(())
    }

    /// A database that leads another life must still have what the followers know of.
    fn look(turn: &mut Turn, feed: &dyn Feed) -> Result<(), StoreError> {
        let lives = feed.lives();
        if lives != turn.lives {
            turn.last.as_ref().map_or(Ok(()), |last| feed.has(last))?;
            turn.lives = lives;
        }
        Ok(())
    }

    /// Names where the changes of other nodes are read, and the change at the head.
    pub(crate) fn set_feed(&self, feed: Arc<dyn Feed>, last: Option<Mark>) {
        *self.turn.lock() = Turn { last, lives: 0 };
        *self.feed.write() = Some(feed);
    }

    /// In order of sequence; whoever calls this has the turn.
    fn tell(&self, turn: &mut Turn, changes: &mut [Change]) {
        let Some(last) = changes.last().map(Mark::from) else { return };
        self.followers.read().iter().for_each(|follower| follower.committed(changes));
        turn.last = Some(last);
        self.head.store(last.seq.0, Ordering::Release);
    }

    /// Lets go of all followers.
    pub(crate) fn forsake(&self) {
        self.followers.write().clear();
    }

    /// Hands a set to the writer.
    pub(crate) fn submit(&self, set: WriteSet, reply: Reply) {
        let mut queue = self.queue.lock();
        let refusal = match &*queue {
            Queue { closed: true, .. } => "the writer has stopped",
            Queue { jobs, .. } if jobs.len() >= QUEUE_SETS_MAX => "too many writes are waiting",
            _ => {
                queue.jobs.push_back(Job { set, reply, passed: 0 });
                drop(queue);
                self.arrived.notify_one();
                return;
            }
        };
        drop(queue);
        reply(Answer::Refused(CommitError::Unavailable(refusal.into())));
    }

    /// Whether sets are taken in: the desk was not closed and the writer has not ended.
    pub(crate) fn is_open(&self) -> bool {
        !self.queue.lock().closed
    }

    /// Nothing more is taken in; what waits is still written.
    pub(crate) fn close(&self) {
        self.queue.lock().closed = true;
        self.arrived.notify_all();
    }

    /// The next group; `None` when all is done and the desk is closed.
    fn group(&self) -> Option<Vec<Job>> {
        let mut queue = self.queue.lock();
        while queue.jobs.is_empty() {
            if queue.closed {
                return None;
            }
            self.arrived.wait(&mut queue);
        }
        let is_due = queue.jobs.front().is_some_and(|job| job.is_large() && job.passed >= PASSES_MAX);
        if is_due || queue.jobs.iter().all(Job::is_large) {
            return Some(queue.jobs.pop_front().into_iter().collect());
        }
        let (mut group, mut bytes, mut left) = (Vec::new(), 0, VecDeque::new());
        while group.len() < GROUP_SETS_MAX && bytes < GROUP_BYTES_MAX {
            let Some(mut job) = queue.jobs.pop_front() else { break };
            if job.is_large() {
                job.passed += 1;
                left.push_back(job);
            } else {
                bytes += job.set.bytes;
                group.push(job);
            }
        }
        left.append(&mut queue.jobs);
        queue.jobs = left;
        Some(group)
    }
}

/// Refuses everybody who waits, whenever the thread ends and however it does.
struct Closing<'a>(&'a Desk);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let jobs = {
            let mut queue = self.0.queue.lock();
            queue.closed = true;
            std::mem::take(&mut queue.jobs)
        };
        for job in jobs {
            (job.reply)(Answer::Refused(CommitError::Unavailable("the writer has stopped".into())));
        }
    }
}

/// The writer thread, until the desk is closed or a commit fails in a way that leaves the disk's content uncertain.
pub(crate) fn run(desk: &Desk, mut writer: Box<dyn GroupWriter>) {
    let _closing = Closing(desk);
    while let Some(group) = desk.group() {
        let sets: Vec<&WriteSet> = group.iter().map(|job| &job.set).collect();
        let lives = desk.lives();
        match writer.commit(&sets) {
            Ok(verdicts) => {
                let mut answers = Vec::with_capacity(group.len());
                let mut changes = Vec::new();
                let at = desk.clock.now();
                for (Job { mut set, reply, .. }, verdict) in group.into_iter().zip(verdicts) {
                    let answer = match verdict {
                        Ok(done) => {
                            changes_of(&mut set, &done, &mut changes);
                            Answer::Stored { done, at }
                        }
                        Err(refused) => refusal(refused, set),
                    };
                    answers.push((reply, answer));
                }
                desk.announce(changes, lives);
                for (reply, answer) in answers {
                    reply(answer);
                }
            }
            Err(GroupFailed::Full) => refuse_all(group, &CommitError::StorageFull),
            Err(GroupFailed::Broken(why)) => {
                // A flush that failed once may "succeed" the second time without having written anything: only a new start,
                // which reads what the disk really holds, may go on.
                tracing::error!(%why, "a commit failed; no further writes until the next start");
                refuse_all(group, &CommitError::Unavailable(why));
                return;
            }
        }
        match writer.rest() {
            Ok(()) => {}
            Err(GroupFailed::Full) => tracing::warn!("the disk is full; upkeep of the database waits"),
            Err(GroupFailed::Broken(why)) => {
                tracing::error!(%why, "upkeep of the database failed; no further writes until the next start");
                return;
            }
        }
    }
    writer.finish();
}

impl From<&Change> for Mark {
    fn from(change: &Change) -> Self {
        let Change { seq, tenant, kind, record, version, at, born, deleted, superseded, .. } = *change;
        Self { seq, tenant, kind, record, version, at, born, deleted, superseded }
    }
}

impl From<&RawRow> for Mark {
    fn from(row: &RawRow) -> Self {
        let RawRow { seq, tenant, kind, record, version, at, born, deleted, prev, .. } = *row;
        Self { seq, tenant, kind, record, version, at, born, deleted, superseded: prev }
    }
}

fn refuse_all(group: Vec<Job>, error: &CommitError) {
    for job in group {
        (job.reply)(Answer::Refused(error.clone()));
    }
}

fn refusal(refused: SetRefused, set: WriteSet) -> Answer {
    Answer::Refused(match refused {
        SetRefused::Raced => return Answer::Raced(Box::new(set)),
        SetRefused::Conflict(which) => CommitError::Conflict { which },
        SetRefused::Invalid(what) => CommitError::Invalid(what),
        SetRefused::Damaged(what) => CommitError::Damaged(what),
        SetRefused::Unavailable(what) => CommitError::Unavailable(what),
    })
}

/// Adds what a set changed.
fn changes_of(set: &mut WriteSet, done: &SetDone, changes: &mut Vec<Change>) {
    let tenant = set.tenant.unwrap_or(Tenant::PLATFORM);
    let shadows = std::mem::take(&mut set.shadows);
    for ((offset, (put, shadow)), superseded) in (0..).zip(set.puts.iter().zip(shadows)).zip(&done.superseded) {
        let seq = Seq(done.first.0 + offset);
        changes.push(Change {
            seq,
            tenant,
            kind: put.kind,
            record: put.record,
            version: put.version,
            at: put.at,
            born: put.born.unwrap_or(seq),
            deleted: put.deleted,
            superseded: *superseded,
            shadow,
            row: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use iris_testkit::ManualClock;

    use super::*;
    use crate::backend::Verdict;

    /// A writer that does as it is told, once for each group.
    struct Told(mpsc::Receiver<Result<SetRefusedOrDone, GroupFailed>>, Result<(), GroupFailed>);

    enum SetRefusedOrDone {
        Done,
        /// Stored, and then the checkpoint fails.
        DoneButRestless,
        Refused,
        Panic,
    }

    impl GroupWriter for Told {
        fn commit(&mut self, sets: &[&WriteSet]) -> Result<Vec<Verdict>, GroupFailed> {
            let told = self.0.recv().unwrap()?;
            if matches!(told, SetRefusedOrDone::DoneButRestless) {
                self.1 = Err(GroupFailed::Broken("fsync of a checkpoint".into()));
            }
            let verdict = match told {
                SetRefusedOrDone::Done | SetRefusedOrDone::DoneButRestless => {
                    Ok(SetDone { first: Seq(1), ..SetDone::default() })
                }
                SetRefusedOrDone::Refused => Err(SetRefused::Damaged("x".into())),
                SetRefusedOrDone::Panic => panic!("on purpose"),
            };
            Ok(sets.iter().map(|_| verdict.clone()).collect())
        }
        fn rest(&mut self) -> Result<(), GroupFailed> {
            self.1.clone()
        }
        fn finish(&mut self) {}
    }

    struct Running {
        desk: Arc<Desk>,
        tell: mpsc::Sender<Result<SetRefusedOrDone, GroupFailed>>,
        thread: std::thread::JoinHandle<()>,
    }

    fn start() -> Running {
        let (tell, told) = mpsc::channel();
        let desk = Arc::new(Desk::new(Seq(0), Arc::new(ManualClock::default())));
        let there = Arc::clone(&desk);
        let thread = std::thread::spawn(move || run(&there, Box::new(Told(told, Ok(())))));
        Running { desk, tell, thread }
    }

    fn ask(running: &Running) -> Result<(), CommitError> {
        let (sender, receiver) = mpsc::channel();
        running.desk.submit(WriteSet::default(), Box::new(move |answer| drop(sender.send(answer))));
        match receiver.recv().unwrap_or_else(|_| Answer::Refused(CommitError::Unavailable("no answer".into()))) {
            Answer::Stored { .. } => Ok(()),
            Answer::Refused(error) => Err(error),
            Answer::Raced(_) => panic!("nothing races here"),
        }
    }

    #[test]
    fn a_full_disk_is_survived_and_a_failed_flush_is_not_tried_again() {
        let running = start();
        let tell = |what| running.tell.send(what).unwrap();
        tell(Err(GroupFailed::Full));
        assert!(matches!(ask(&running), Err(CommitError::StorageFull)));
        tell(Ok(SetRefusedOrDone::Refused));
        assert!(matches!(ask(&running), Err(CommitError::Damaged(_))));
        tell(Ok(SetRefusedOrDone::Done));
        assert!(ask(&running).is_ok());
        tell(Err(GroupFailed::Broken("fsync".into())));
        assert!(matches!(ask(&running), Err(CommitError::Unavailable(_))));
        assert!(matches!(ask(&running), Err(CommitError::Unavailable(_))), "the writer has stopped");
        running.thread.join().unwrap();
    }

    #[test]
    fn a_checkpoint_that_failed_is_not_tried_again() {
        let running = start();
        assert!(running.desk.is_open());
        running.tell.send(Ok(SetRefusedOrDone::DoneButRestless)).unwrap();
        assert!(ask(&running).is_ok(), "what was committed is stored");
        running.thread.join().unwrap();
        assert!(!running.desk.is_open());
    }

    #[test]
    fn a_large_set_is_by_itself_and_small_ones_go_before_it_for_a_while() {
        let desk = Desk::new(Seq(0), Arc::new(ManualClock::default()));
        let submit = |bytes: usize| desk.submit(WriteSet { bytes, ..WriteSet::default() }, Box::new(drop));
        let group = || desk.group().unwrap().iter().map(|job| job.set.bytes).collect::<Vec<_>>();
        [LARGE_BYTES + 1, 1, LARGE_BYTES + 2, LARGE_BYTES].into_iter().for_each(submit);
        assert_eq!(group(), [1, LARGE_BYTES], "what is small goes together and first");
        assert_eq!((group(), group()), (vec![LARGE_BYTES + 1], vec![LARGE_BYTES + 2]), "each large one by itself");
        submit(LARGE_BYTES + 3);
        for round in 0..PASSES_MAX {
            submit(round);
            assert_eq!(group(), [round]);
        }
        submit(9);
        assert_eq!(group(), [LARGE_BYTES + 3], "but not for ever");
        assert_eq!(group(), [9]);
    }

    #[test]
    fn nobody_waits_for_a_writer_that_panicked() {
        let running = start();
        running.tell.send(Ok(SetRefusedOrDone::Panic)).unwrap();
        assert!(matches!(ask(&running), Err(CommitError::Unavailable(_))));
        assert!(matches!(ask(&running), Err(CommitError::Unavailable(_))), "nor for one that is gone");
        assert!(running.thread.join().is_err());
    }
}
