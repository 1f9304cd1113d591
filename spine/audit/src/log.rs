//! Reading the Merkle log back from the store: tiles for proofs, blocks of entries in log order.

use iris_crypto::merkle::{Hash, HashReader, empty_root};
use iris_store::{AuditRow, Span, Store, StoreError, Stream};

use crate::error::AuditError;
use crate::note::{Checkpoint, Verifier};

/// Checkpoints fetched at once.
const NOTES_READ: usize = 256;
/// How often the newest checkpoint is read again because another node signed in between.
const NEWEST_TRIES_MAX: usize = 16;

/// The signed log as it was at one moment.
pub(crate) struct Newest {
    /// What is signed; of size 0 where nothing is.
    pub(crate) checkpoint: Checkpoint,
    /// The newest checkpoint as a note; `None` for an empty log.
    pub(crate) note: Option<String>,
}

impl Newest {
    /// Reads it. A round of another node between two reads must not look like damage, so it is read until nobody was in between.
    pub(crate) fn read(store: &Store, verifier: Verifier) -> Result<Self, AuditError> {
        let damaged = |what: &str| AuditError::Damaged(what.to_owned());
        let mut stored = store.log_checkpoint_last()?;
        for _ in 0..NEWEST_TRIES_MAX {
            let size = store.log_size()?;
            let again = store.log_checkpoint_last()?;
            if again.as_ref().map(|note| note.number) != stored.as_ref().map(|note| note.number) {
                stored = again;
                continue;
            }
            let Some(stored) = stored else {
                if size > 0 {
                    return Err(damaged("there are log positions without a checkpoint"));
                }
                return Ok(Self { checkpoint: Checkpoint { size: 0, root: empty_root() }, note: None });
            };
            let note = String::from_utf8(stored.bytes).map_err(|_| damaged("the newest checkpoint is no text"))?;
            let checkpoint =
                verifier.open(&note).map_err(|fault| AuditError::Damaged(format!("the newest checkpoint: {fault}")))?;
            if checkpoint.size != size {
                return Err(damaged("the stored tree is not the one of the newest checkpoint"));
            }
            return Ok(Self { checkpoint, note: Some(note) });
        }
        Err(StoreError::Unavailable("others kept signing while the newest checkpoint was read".to_owned()).into())
    }
}

/// The stored tiles, for proofs and for taking up the tree.
pub(crate) struct Tiles<'a>(pub(crate) &'a Store);

impl HashReader for Tiles<'_> {
    type Error = AuditError;

    fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<Hash>, AuditError> {
        let mut hashes = stored_tile(self.0, level, index)?;
        if hashes.len() < width {
            return Err(AuditError::Damaged(format!("tile {index} of level {level} is missing or too short")));
        }
        hashes.truncate(width);
        Ok(hashes)
    }
}

/// The hashes of a tile as far as they are stored; none if there is no such tile.
pub(crate) fn stored_tile(store: &Store, level: u8, index: u64) -> Result<Vec<Hash>, AuditError> {
    let bytes = store.log_tile(level, index)?.unwrap_or_default();
    Ok(bytes.as_chunks::<32>().0.to_vec())
}

/// One place of the log: where its entry comes from, and the entry, unless it is gone or unreadable.
pub(crate) struct Slot {
    pub(crate) position: u64,
    pub(crate) stream: Stream,
    pub(crate) ordinal: u64,
    pub(crate) row: Option<AuditRow>,
}

/// The entries `from..to` in log order. Positions that no span covers are absent.
pub(crate) fn slots(store: &Store, from: u64, to: u64) -> Result<Vec<Slot>, AuditError> {
    let spans = spans(store, from, to)?;
    let writes = rows(store, Stream::Writes, &spans)?;
    let reads = rows(store, Stream::Reads, &spans)?;
    let mut slots = Vec::with_capacity(usize::try_from(to.saturating_sub(from)).unwrap_or(0));
    let mut streams = [(Stream::Writes, writes), (Stream::Reads, reads)];
    for span in spans {
        for offset in 0..span.count {
            let ordinal = span.ordinal + offset;
            let row = streams
                .iter_mut()
                .find(|(stream, _)| *stream == span.stream)
                .and_then(|(_, rows)| {
                    rows.binary_search_by_key(&ordinal, |(ordinal, _)| *ordinal).ok().map(|at| (rows, at))
                })
                .map(|(rows, at)| std::mem::take(&mut rows[at].1));
            slots.push(Slot { position: span.position + offset, stream: span.stream, ordinal, row });
        }
    }
    Ok(slots)
}

/// The spans that touch `from..to`, cut to it.
pub(crate) fn spans(store: &Store, from: u64, to: u64) -> Result<Vec<Span>, AuditError> {
    let limit = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(Vec::new());
    }
    let spans = store.log_spans(from, limit)?;
    let cut = spans.into_iter().filter_map(|span| {
        let begin = span.position.max(from);
        let end = span.position.saturating_add(span.count).min(to);
        let ordinal = span.ordinal.saturating_add(begin - span.position);
        (begin < end).then(|| Span { position: begin, stream: span.stream, ordinal, count: end - begin })
    });
    Ok(cut.collect())
}

/// The rows of one stream that the spans name, by ascending ordinal.
fn rows(store: &Store, stream: Stream, spans: &[Span]) -> Result<Vec<(u64, AuditRow)>, AuditError> {
    let mut rows = Vec::new();
    let mut run: Option<(u64, u64)> = None;
    let mut runs = Vec::new();
    for span in spans.iter().filter(|span| span.stream == stream) {
        run = match run {
            Some((first, end)) if end == span.ordinal => Some((first, end + span.count)),
            other => {
                runs.extend(other);
                Some((span.ordinal, span.ordinal.saturating_add(span.count)))
            }
        };
    }
    runs.extend(run);
    // Only a damaged span table makes more than one run, or runs out of order; the search above needs them sorted.
    runs.sort_unstable();
    for (first, end) in runs {
        readable(store, stream, (first, end), &mut rows)?;
    }
    rows.dedup_by_key(|(ordinal, _)| *ordinal);
    Ok(rows)
}

/// The entries `first..end` of a stream as far as they can be read. Damage is closed in on by halves, so that one bad
/// entry hides no other.
fn readable(
    store: &Store,
    stream: Stream,
    (first, end): (u64, u64),
    rows: &mut Vec<(u64, AuditRow)>,
) -> Result<(), AuditError> {
    let count = end.saturating_sub(first);
    match store.audit_rows(stream, first, usize::try_from(count).unwrap_or(0)) {
        Ok(found) => {
            rows.extend(found.into_iter().filter(|(ordinal, _)| (first..end).contains(ordinal)));
            Ok(())
        }
        Err(StoreError::Damaged { .. }) if count <= 1 => Ok(()),
        Err(StoreError::Damaged { .. }) => {
            let middle = first + count / 2;
            readable(store, stream, (first, middle), rows)?;
            readable(store, stream, (middle, end), rows)
        }
        Err(error) => Err(error.into()),
    }
}

/// The stored checkpoints in order.
pub(crate) struct Notes<'a> {
    store: &'a Store,
    after: u64,
    page: std::vec::IntoIter<iris_store::Checkpoint>,
}

impl<'a> Notes<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, after: 0, page: Vec::new().into_iter() }
    }

    /// The next one; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<iris_store::Checkpoint>, AuditError> {
        if self.page.len() == 0 {
            self.page = self.store.log_checkpoints(self.after, NOTES_READ)?.into_iter();
        }
        let note = self.page.next();
        if let Some(note) = &note {
            self.after = note.number;
        }
        Ok(note)
    }
}
