//! What every record of the plain dialect carries besides its own fields.

use iris_fhir::json::Writer;
use iris_kernel::{Timestamp, Version};

/// The server's own fields of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id, the same in both dialects.
    pub id: String,
    /// The version shown.
    pub version: Version,
    /// When its first version was made.
    pub created_at: Timestamp,
    /// Id of the user or client that made the first version.
    pub created_by: String,
    /// When this version was made.
    pub updated_at: Timestamp,
    /// Id of the user or client that made this version.
    pub updated_by: String,
}

impl Record {
    /// Writes the fields into the object that is open; `id` stands in front and is the caller's to write.
    pub fn show(&self, w: &mut Writer) {
        w.member("created_at", &self.created_at.rfc3339()).member("created_by", &self.created_by);
        w.member("updated_at", &self.updated_at.rfc3339()).member("updated_by", &self.updated_by);
        w.key("version").integer(i64::from(self.version.0));
    }
}
