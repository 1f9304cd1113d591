//! What a start does when signed entries are gone from the end of a stream: the places are filled, so that no new entry gets
//! the ordinal of a signed one and with it no place in the tree. Verification names each filled place for ever. Of several nodes
//! only the one that signs does this.

use iris_kernel::Tenant;
use iris_store::{AuditRow, Store, Stream};

use crate::audit::Audit;
use crate::catalogue::{Action, Outcome};
use crate::error::{AuditError, Unavailable};
use crate::event::{Actor, Event};
use crate::log;

/// Places filled at once.
const FILL: u64 = 1_000;

/// Fills the places of lost entries, and records that they were lost.
pub(crate) fn close(audit: &Audit) -> Result<(), AuditError> {
    let signed = next_of(&audit.store, audit.store.log_size()?)?;
    for stream in [Stream::Writes, Stream::Reads] {
        let end = signed[usize::from(stream.code())];
        let first = audit.store.audit_head(stream)?;
        if first >= end {
            continue;
        }
        tracing::error!(
            ?stream,
            first,
            end,
            "signed audit entries are gone; their places are filled and the log goes on"
        );
        let mut at = first;
        while at < end {
            let count = FILL.min(end - at);
            fill(&audit.store, stream, (0..count).map(|_| AuditRow::default()).collect())?;
            at += count;
        }
        let actor = Actor::system();
        let mut event = Event::new(Tenant::PLATFORM, actor, Action::AuditGap, Outcome::Error, audit.clock.now());
        event.query = format!("{stream:?} {first}..{end}");
        audit.record_blocking(&event)?;
    }
    Ok(())
}

fn fill(store: &Store, stream: Stream, rows: Vec<AuditRow>) -> Result<(), AuditError> {
    match stream {
        Stream::Reads => store.journal().append_blocking(rows).map_err(Unavailable::Journal)?,
        Stream::Writes => {
            let mut tx = store.begin(Tenant::PLATFORM);
            rows.into_iter().for_each(|row| tx.audit(row));
            tx.commit_blocking()?;
        }
    }
    Ok(())
}

/// The ordinal behind the last one of each stream that has one of the first `size` log positions, by [`Stream::code`].
pub(crate) fn next_of(store: &Store, size: u64) -> Result<[u64; 2], AuditError> {
    let Some(last) = size.checked_sub(1) else { return Ok([0; 2]) };
    let span = log::spans(store, last, size)?.pop();
    // Every position is one entry of one of the two streams, so one stream's count gives the other's.
    let Some((stream, end)) = span.map(|span| (span.stream, span.ordinal + span.count)).filter(|(_, end)| *end <= size)
    else {
        return Err(AuditError::Damaged("the newest log position has no source".to_owned()));
    };
    let mut next = [size - end; 2];
    next[usize::from(stream.code())] = end;
    Ok(next)
}
