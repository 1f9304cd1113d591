//! Internal records: how their JSON bodies are read and written.

use iris_kernel::{Kind, Seq, Timestamp, Version};
use iris_store::{Expect, KeyOwner, Put, Row, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{AccessError, internal};

/// A record with its place in the store.
pub struct Stored<T> {
    /// What is stored.
    pub value: T,
    /// Position of this version in the store.
    pub seq: Seq,
    /// The version.
    pub version: Version,
    /// Position of the first version.
    pub born: Seq,
}

/// Reads a row. A deleted record is an absent one.
///
/// # Errors
/// [`AccessError::Damaged`].
pub fn read<T: DeserializeOwned>(row: Option<Row>) -> Result<Option<Stored<T>>, AccessError> {
    let Some(row) = row.filter(|row| !row.deleted) else { return Ok(None) };
    let value = serde_json::from_slice(&row.body).map_err(|error| AccessError::Damaged(Box::new(error)))?;
    Ok(Some(Stored { value, seq: row.seq, version: row.version, born: row.born }))
}

/// Who writes, and when.
#[derive(Clone, Copy)]
pub struct Stamp {
    /// UUID of the subject.
    pub author: [u8; 16],
    /// The moment of the write.
    pub at: Timestamp,
}

/// Adds a new record to the write set.
///
/// # Errors
/// [`AccessError::Internal`]: the value is no JSON.
pub fn add<T: Serialize>(tx: &mut Tx, stamp: Stamp, kind: Kind, id: &str, value: &T) -> Result<(), AccessError> {
    put(tx, stamp, (kind, id), (Expect::Absent, Version::FIRST, None), value)
}

/// Adds the next version of a record to the write set; it fails if somebody else wrote one in between.
///
/// # Errors
/// [`AccessError::Internal`]: the value is no JSON.
pub fn change<T: Serialize, U>(
    tx: &mut Tx,
    stamp: Stamp,
    (kind, id): (Kind, &str),
    before: &Stored<U>,
    value: &T,
) -> Result<(), AccessError> {
    let place = (Expect::Current(before.seq), before.version.next(), Some(before.born));
    put(tx, stamp, (kind, id), place, value)
}

fn put<T: Serialize>(
    tx: &mut Tx,
    stamp: Stamp,
    (kind, id): (Kind, &str),
    (expect, version, born): (Expect, Version, Option<Seq>),
    value: &T,
) -> Result<(), AccessError> {
    let body = zeroize::Zeroizing::new(serde_json::to_vec(value).map_err(internal)?);
    tx.put(Put {
        kind,
        id,
        expect,
        version,
        born,
        at: stamp.at,
        head: &stamp.author,
        body: &body,
        owner: KeyOwner::Tenant,
        deleted: false,
        shadow: None,
    });
    Ok(())
}
