//! A version of a resource as the store gave it back.

use bytes::Bytes;
use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_kernel::{ErrorKind, Kind, Seq, Timestamp, Version};
use iris_search::{Labels, labels_of};
use iris_store::Row;

use crate::head::Head;
use crate::mask::Sensitive;
use crate::refusal::Refusal;

/// One version of one resource, opened.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Position in the store's order of changes.
    pub seq: Seq,
    /// Position of the resource's first version; orders lists stably.
    pub born: Seq,
    /// The resource type.
    pub kind: Kind,
    /// The logical id.
    pub id: String,
    /// The version.
    pub version: Version,
    /// When this version was written (`meta.lastUpdated`).
    pub at: Timestamp,
    /// Whether this version says that the resource was deleted; it then has no body.
    pub deleted: bool,
    /// The resource as compact FHIR JSON, as the one who asked for it may see it.
    pub body: Bytes,
    /// Who wrote it, and which patients it is about.
    pub head: Head,
    /// The resource as it is stored, where something of it is masked in `body`.
    pub(crate) whole: Option<Bytes>,
    /// What it has of identifiers that are masked for some.
    pub(crate) sensitive: Sensitive,
    /// Of what `body` is only a part: the id, within this record, of the contained resource that stands there alone.
    pub(crate) part: Option<String>,
}

impl Stored {
    /// Takes a row of the store; `id` is the logical id that led to it.
    pub(crate) fn from_row(row: Row, id: String) -> Result<Self, Refusal> {
        let head = Head::decode(&row.head, || labels_in(&row)).ok_or_else(damaged)?;
        Ok(Self {
            seq: row.seq,
            born: row.born,
            kind: row.kind,
            id,
            version: row.version,
            at: row.at,
            deleted: row.deleted,
            body: row.body,
            head,
            whole: None,
            sensitive: Sensitive::Absent,
            part: None,
        })
    }

    /// Takes a row that was found by its sequence; the id is read from the body, where the write path puts it second.
    pub(crate) fn from_found(row: Row) -> Result<Self, Refusal> {
        let id = leading_id(&row.body).ok_or_else(damaged)?.to_owned();
        Self::from_row(row, id)
    }

    /// The body as a resource.
    ///
    /// # Errors
    /// When what is stored no longer parses, which only damage can cause.
    pub fn resource(&self) -> Result<Resource, Refusal> {
        Resource::parse(self.body.clone())
            .map_err(|e| Refusal::caused(ErrorKind::Damaged, "the stored record does not parse", e))
    }

    /// The resource as it is stored, nothing of it masked: for laying a change over it ([`crate::Content::Whole`]), never for showing.
    ///
    /// # Errors
    /// As [`Stored::resource`].
    pub fn whole(&self) -> Result<Resource, Refusal> {
        let whole = self.whole.as_ref().unwrap_or(&self.body);
        Resource::parse(whole.clone())
            .map_err(|e| Refusal::caused(ErrorKind::Damaged, "the stored record does not parse", e))
    }

    /// `Type/id`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}/{}", definitions().name_of(self.kind), self.id)
    }

    /// Where what `body` shows is to be had: `Type/id`, and `Type/id#id` for a resource that this one contains (R4
    /// search.html#contained).
    #[must_use]
    pub fn address(&self) -> String {
        let mut address = self.reference();
        if let Some(part) = &self.part {
            address.extend(["#", part]);
        }
        address
    }

    /// `Type/id/_history/version`.
    #[must_use]
    pub fn versioned_reference(&self) -> String {
        format!("{}/_history/{}", self.reference(), self.version)
    }
}

fn damaged() -> Refusal {
    Refusal::new(ErrorKind::Damaged, "", "the stored record is not in the form it was written in")
}

/// The labels of a row from before they were kept in the head. Few bodies have any, so most need not be parsed; a deletion has no
/// body and told nothing.
fn labels_in(row: &Row) -> Option<Labels> {
    const MARK: &[u8] = b"\"security\"";
    if row.deleted || !row.body.windows(MARK.len()).any(|window| window == MARK) {
        return Some(Labels::NONE);
    }
    Resource::parse(row.body.clone()).ok().map(|resource| labels_of(&resource))
}

/// Every stored body begins `{"resourceType":"…","id":"…"`: reading the id there saves parsing the rest. An id needs no escapes.
fn leading_id(body: &[u8]) -> Option<&str> {
    const MARK: &[u8] = b"\",\"id\":\"";
    let start = body.windows(MARK.len()).take(80).position(|window| window == MARK)? + MARK.len();
    let length = body[start..].iter().take(65).position(|byte| *byte == b'"')?;
    std::str::from_utf8(&body[start..start + length]).ok()
}

#[cfg(test)]
mod tests {
    use super::leading_id;

    #[test]
    fn the_id_is_read_from_the_front_only() {
        assert_eq!(leading_id(br#"{"resourceType":"Patient","id":"a.b-1","active":true}"#), Some("a.b-1"));
        assert_eq!(leading_id(br#"{"resourceType":"Patient","active":true}"#), None);
    }
}
