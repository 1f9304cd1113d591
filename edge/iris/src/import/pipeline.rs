//! Working on several threads, and handing over in order.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Something was lost on its way, which only a defect can bring about.
pub(crate) struct Lost;

/// Runs `take` on the calling thread for each thing of the source in order, while `workers` threads fetch and work ahead.
///
/// A worker takes the next thing and its number in one step, so at most `workers` are being worked on and as many wait in the
/// channel: memory is bounded by a few of them, however long the source.
pub(crate) fn run<D, P: Send, E: From<Lost>>(
    source: impl Iterator<Item = D> + Send,
    workers: usize,
    work: &(impl Fn(D) -> P + Sync),
    take: &mut dyn FnMut(P) -> Result<(), E>,
) -> Result<(), E> {
    let workers = workers.max(1);
    let source = Mutex::new(source.enumerate());
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(workers);
        for _ in 0..workers {
            let (sender, source) = (sender.clone(), &source);
            scope.spawn(move || work_through(source, work, &sender));
        }
        drop(sender);
        // Dropping the receiver, on return, ends the workers.
        in_order(receiver, take)
    })
}

fn work_through<D, P>(
    source: &Mutex<impl Iterator<Item = (usize, D)>>,
    work: &impl Fn(D) -> P,
    sender: &SyncSender<(usize, P)>,
) {
    loop {
        // A poisoned lock means that another worker panicked; the missing number ends the run in `in_order`.
        let Ok(next) = source.lock().map(|mut source| source.next()) else { return };
        let Some((number, thing)) = next else { return };
        if sender.send((number, work(thing))).is_err() {
            return;
        }
    }
}

fn in_order<P, E: From<Lost>>(
    receiver: Receiver<(usize, P)>,
    take: &mut dyn FnMut(P) -> Result<(), E>,
) -> Result<(), E> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (number, worked) in receiver {
        early.insert(number, worked);
        while let Some(worked) = early.remove(&next) {
            next += 1;
            take(worked)?;
        }
    }
    if early.is_empty() { Ok(()) } else { Err(Lost.into()) }
}
