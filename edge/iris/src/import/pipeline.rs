//! Reading, parsing on several threads, and handing over in order.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use iris_kernel::Fault;

use super::documents::Documents;
use super::files::Files;
use super::{End, Place, Sink};

/// A document after parsing, in the order of the input.
pub(super) struct Parsed<I> {
    pub(super) place: Place,
    pub(super) position: u64,
    pub(super) item: Result<I, Vec<Fault>>,
}

/// Runs `take` on the calling thread for each document in order, while `workers` threads read and parse ahead.
///
/// A worker takes the next document and its number in one step, so at most `workers` documents are being parsed and as many
/// wait in the channel: memory is bounded by a few documents, however large the input.
pub(super) fn run<S: Sink>(
    files: &Files,
    sink: &S,
    workers: usize,
    take: &mut dyn FnMut(Parsed<S::Item>) -> Result<(), End>,
) -> Result<(), End> {
    let workers = workers.max(1);
    let documents = Mutex::new(Documents::new(files).enumerate());
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(workers);
        for _ in 0..workers {
            let (sender, documents) = (sender.clone(), &documents);
            scope.spawn(move || parse_all(documents, sink, &sender));
        }
        drop(sender);
        // Dropping the receiver, on return, ends the workers.
        in_order(receiver, take)
    })
}

fn parse_all<S: Sink>(
    documents: &Mutex<std::iter::Enumerate<Documents<'_>>>,
    sink: &S,
    sender: &SyncSender<(usize, Parsed<S::Item>)>,
) {
    loop {
        // A poisoned lock means that another worker panicked; the missing number ends the run in `in_order`.
        let Ok(next) = documents.lock().map(|mut documents| documents.next()) else { return };
        let Some((number, document)) = next else { return };
        let item = document.text.and_then(|text| sink.parse(text, &document.place));
        let parsed = Parsed { place: document.place, position: document.position, item };
        if sender.send((number, parsed)).is_err() {
            return;
        }
    }
}

fn in_order<I>(
    receiver: Receiver<(usize, Parsed<I>)>,
    take: &mut dyn FnMut(Parsed<I>) -> Result<(), End>,
) -> Result<(), End> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (number, parsed) in receiver {
        early.insert(number, parsed);
        while let Some(parsed) = early.remove(&next) {
            next += 1;
            take(parsed)?;
        }
    }
    if early.is_empty() {
        Ok(())
    } else {
        Err(End::Broken("a document was lost by a defect while it was parsed".to_owned()))
    }
}
