//! The exported log: one file of JSON lines that holds everything an outsider needs.
//!
//! Line 1 names the log, its public key and its size. Then every entry in order of position, each with its leaf hash, header
//! and sealed details, and opened ones where the caller may see them; every checkpoint stands behind the last entry that it
//! signs. The last line repeats the size, so that a file that was cut is noticed.

use std::io::Write;

use iris_kernel::Tenant;
use iris_store::KeyId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::audit::Audit;
use crate::entry::{self, Header};
use crate::error::{AuditError, Unavailable};
use crate::log::{self, Notes, Slot};
use crate::note::ORIGIN;
use crate::report::FaultKind;
use crate::sealed::Receipt;
use crate::text;
use crate::verify::BLOCK;

/// Name and version of the file's form.
pub const FORMAT: &str = "iris-audit-export/1";

/// Whose details are shown in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Nobody's.
    Sealed,
    /// Those of one tenant.
    Tenant(Tenant),
    /// All.
    All,
}

impl Opening {
    fn covers(self, tenant: Tenant) -> bool {
        match self {
            Self::Sealed => false,
            Self::Tenant(only) => only == tenant,
            Self::All => true,
        }
    }
}

/// First line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadFile {
    /// [`FORMAT`].
    pub format: String,
    /// Origin of the checkpoints.
    pub origin: String,
    /// The log's public key, as a C2SP verifier key. Trust only one that came another way.
    pub key: String,
    /// Entries in the file.
    pub size: u64,
}

/// One entry, as a file or a proof shows it. What is absent could not be read when it was made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EntryFile {
    /// Log position.
    pub position: u64,
    /// The leaf hash in the tree, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<String>,
    /// The canonical header, base64; see [`Header`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The header's tenant in words, for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<u32>,
    /// The header's action in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The header's outcome in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The header's time, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The sealed details, base64, to which the header commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// The salt with which the opened details are checked, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// The opened details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Box<RawValue>>,
}

/// Last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndFile {
    /// Entries in the file.
    pub size: u64,
}

/// One line: exactly one of the four.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<HeadFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entry: Option<EntryFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checkpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<EndFile>,
}

impl EntryFile {
    /// Checks what is shown of the entry against its header, and gives the header and its bytes.
    pub(crate) fn check(&self) -> Result<(Header, Vec<u8>), (FaultKind, String)> {
        let fault = |kind: FaultKind, what: &str| (kind, what.to_owned());
        let bytes = self
            .header
            .as_deref()
            .ok_or_else(|| fault(FaultKind::Missing, "the entry is gone or could not be read"))?;
        let bytes = text::decode(bytes).ok_or_else(|| fault(FaultKind::Changed, "the header is not base64"))?;
        let header = Header::decode(&bytes).map_err(|wrong| (FaultKind::Changed, wrong.to_string()))?;
        if !self.says(&header) {
            return Err(fault(FaultKind::Changed, "tenant, action, outcome or time are not those of the header"));
        }
        let details = self.details.as_deref().and_then(text::decode);
        let details = details.ok_or_else(|| fault(FaultKind::Details, "the details are missing or not base64"))?;
        if entry::commitment(&details) != header.commitment {
            return Err(fault(FaultKind::Details, "the details are not those that the header commits to"));
        }
        match (&self.opened, &self.salt) {
            (None, None) => {}
            (Some(opened), Some(salt)) => {
                let salt = text::decode(salt).unwrap_or_default();
                entry::check_opening(&details, &salt, opened.get())
                    .map_err(|wrong| (FaultKind::Details, wrong.to_string()))?;
            }
            _ => return Err(fault(FaultKind::Details, "the details shown cannot be checked without their salt")),
        }
        Ok((header, bytes))
    }

    /// Whether the words for readers are those of the header.
    fn says(&self, header: &Header) -> bool {
        let mut expected = Self::default();
        expected.describe(header);
        (self.tenant, &self.action, &self.outcome, &self.at)
            == (expected.tenant, &expected.action, &expected.outcome, &expected.at)
    }

    fn describe(&mut self, header: &Header) {
        self.tenant = Some(header.tenant.0);
        self.action = Some(header.action.name().to_owned());
        self.outcome = Some(header.outcome.name().to_owned());
        self.at = Some(header.at.rfc3339());
    }
}

impl Audit {
    /// Writes the whole signed log. Blocks, and holds a few thousand entries in memory at most; `receipt` is that of the
    /// entry that records this export. Gives the number of entries.
    ///
    /// # Errors
    /// The store's and the writer's; [`AuditError::Unavailable`] if the follower is gone.
    pub fn export(&self, out: &mut dyn Write, opening: Opening, _receipt: &Receipt) -> Result<u64, AuditError> {
        self.settled()?;
        let size = self.store.log_size()?;
        let head =
            HeadFile { format: FORMAT.to_owned(), origin: ORIGIN.to_owned(), key: self.public_key().to_string(), size };
        write(out, &Line { log: Some(head), ..Line::default() })?;
        let mut notes = Notes::new(&self.store);
        let mut note = self.note(&mut notes)?;
        let mut from = 0;
        while from < size {
            let to = size.min(from + BLOCK);
            let leaves = self.leaves(from, to)?;
            let mut slots = log::slots(&self.store, from, to)?.into_iter().peekable();
            for (position, leaf) in (from..to).zip(leaves) {
                let entry = match slots.next_if(|slot| slot.position == position) {
                    Some(slot) => self.entry_file(&slot, leaf, opening)?,
                    None => EntryFile { position, leaf: leaf.map(|leaf| text::encode(&leaf)), ..EntryFile::default() },
                };
                write(out, &Line { entry: Some(entry), ..Line::default() })?;
                while let Some((_, text)) = note.take_if(|(signed, _)| *signed <= position + 1) {
                    write(out, &Line { checkpoint: Some(text), ..Line::default() })?;
                    note = self.note(&mut notes)?;
                }
            }
            from = to;
        }
        write(out, &Line { end: Some(EndFile { size }), ..Line::default() })?;
        out.flush()?;
        Ok(size)
    }

    /// The next stored checkpoint and the size that it signs; 0 if it does not open, so that it is written at once and the
    /// reader sees the fault.
    fn note(&self, notes: &mut Notes<'_>) -> Result<Option<(u64, String)>, AuditError> {
        let Some(stored) = notes.next()? else { return Ok(None) };
        let text = String::from_utf8_lossy(&stored.bytes).into_owned();
        Ok(Some((self.public_key().open(&text).map_or(0, |checkpoint| checkpoint.size), text)))
    }

    fn leaves(&self, from: u64, to: u64) -> Result<Vec<Option<[u8; 32]>>, AuditError> {
        let width = iris_crypto::merkle::TILE_WIDTH as u64;
        let mut leaves = Vec::new();
        let mut begin = from;
        while begin < to {
            let end = to.min(begin + width);
            let mut tile = log::stored_tile(&self.store, 0, begin / width)?.into_iter();
            leaves.extend((begin..end).map(|_| tile.next()));
            begin = end;
        }
        Ok(leaves)
    }

    /// An entry as files and proofs show it.
    pub(crate) fn entry_file(
        &self,
        slot: &Slot,
        leaf: Option<[u8; 32]>,
        opening: Opening,
    ) -> Result<EntryFile, AuditError> {
        let leaf = leaf.map(|leaf| text::encode(&leaf));
        let mut file = EntryFile { position: slot.position, leaf, ..EntryFile::default() };
        let Some(row) = &slot.row else { return Ok(file) };
        file.header = Some(text::encode(&row.header));
        file.details = Some(text::encode(&row.details));
        let Ok(header) = Header::decode(&row.header) else { return Ok(file) };
        file.describe(&header);
        if opening.covers(header.tenant)
            && let Ok(key) = entry::key_id(&row.details)
            && let Ok(key) = self.store.data_key_by_id(KeyId(key))
            && let Ok(opened) = entry::open(&header, &row.details, &key)
        {
            file.salt = Some(text::encode(&opened.salt));
            file.opened = Some(RawValue::from_string(opened.text).map_err(Unavailable::Details)?);
        }
        Ok(file)
    }
}

fn write(out: &mut dyn Write, line: &Line) -> Result<(), AuditError> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}
