//! Rows: what a stored version looks like outside and inside.

use bytes::Bytes;
use iris_kernel::{Kind, RecordId, Seq, Tenant, Timestamp, Version};

/// One version of one record, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Position in the global order of changes.
    pub seq: Seq,
    /// Whose it is.
    pub tenant: Tenant,
    /// What sort of record.
    pub kind: Kind,
    /// Which record.
    pub record: RecordId,
    /// Which version of it.
    pub version: Version,
    /// When it was written.
    pub at: Timestamp,
    /// First row of the record's present life.
    pub born: Seq,
    /// Whether this version says that the record is deleted.
    pub deleted: bool,
    /// Who wrote it: a UUID.
    pub author: [u8; 16],
    /// The body exactly as it was put.
    pub body: Bytes,
}
