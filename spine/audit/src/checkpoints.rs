//! The signed checkpoints, newest first.

use iris_kernel::Timestamp;

use crate::audit::Audit;
use crate::entry::Header;
use crate::error::AuditError;
use crate::event::Event;
use crate::log;
use crate::sealed::Sealed;
use crate::text;

/// One signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// Its number, from 1.
    pub number: u64,
    /// Entries that it signs.
    pub size: u64,
    /// Root of the tree over them, base64.
    pub root: String,
    /// When the newest entry under it was made; it was signed within a second of that. A checkpoint itself has no time, since nobody
    /// could check one. `None` if that entry cannot be read.
    pub at: Option<Timestamp>,
    /// The signed note (C2SP).
    pub note: String,
}

/// A page of checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// The checkpoints, newest first.
    pub items: Vec<SignedCheckpoint>,
    /// Where to go on: pass it as `before`; `None` at the end.
    pub next: Option<u64>,
}

/// How the log stands, for those who run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Entries with a place in the log.
    pub size: u64,
    /// Entries under the newest signed checkpoint.
    pub signed: u64,
    /// When the newest of those was made.
    pub signed_at: Option<Timestamp>,
    /// Durable entries without a place in the log.
    pub pending: u64,
    /// Whether the log makes no progress.
    pub stopped: bool,
}

impl Audit {
    /// How the log stands. Blocks.
    ///
    /// # Errors
    /// The store's.
    pub fn standing(&self) -> Result<Standing, AuditError> {
        let status = self.status();
        let signed = self.signed(&status);
        Ok(Standing {
            size: status.size,
            signed,
            signed_at: self.entry_time(signed)?,
            pending: self.waiting()?,
            stopped: status.fault.is_some(),
        })
    }

    /// The checkpoints with numbers below `before`, or the newest, `size` of them at most. Blocks; `event` is the access that this
    /// is.
    ///
    /// # Errors
    /// The store's; [`AuditError::Damaged`] if a stored checkpoint does not open.
    pub fn checkpoints(
        &self,
        before: Option<u64>,
        size: usize,
        event: Event,
    ) -> Result<Sealed<Checkpoints>, AuditError> {
        let end = match before {
            Some(before) => before,
            None => self.store.log_checkpoint_last()?.map_or(1, |newest| newest.number.saturating_add(1)),
        };
        let after = end.saturating_sub(1).saturating_sub(u64::try_from(size).unwrap_or(u64::MAX));
        let mut found = Checkpoints::default();
        for stored in self.store.log_checkpoints(after, size)?.into_iter().filter(|stored| stored.number < end).rev() {
            let number = stored.number;
            let damaged = || AuditError::Damaged(format!("checkpoint {number} does not open"));
            let note = String::from_utf8(stored.bytes).map_err(|_| damaged())?;
            let checkpoint = self.public_key().open(&note).map_err(|_| damaged())?;
            let (at, root) = (self.entry_time(checkpoint.size)?, text::encode(&checkpoint.root));
            found.items.push(SignedCheckpoint { number, size: checkpoint.size, root, at, note });
        }
        found.next = found.items.last().map(|oldest| oldest.number).filter(|number| *number > 1);
        Ok(self.seal(found, vec![event]))
    }

    /// When the newest of the first `size` entries was made.
    fn entry_time(&self, size: u64) -> Result<Option<Timestamp>, AuditError> {
        let Some(position) = size.checked_sub(1) else { return Ok(None) };
        let slot = log::slots(&self.store, position, size)?.pop();
        let header = slot.and_then(|slot| slot.row).and_then(|row| Header::decode(&row.header).ok());
        Ok(header.map(|header| header.at))
    }
}
