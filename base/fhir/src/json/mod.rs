//! JSON as a tape: one pass over the bytes makes a flat list of 16-byte nodes that point into the text. Nothing is copied,
//! so numbers keep their exact spelling and a document that comes back is the one that was sent.
//!
//! The reader is RFC 8259 to the letter, and stricter where a lenient reader would let two programs see two documents:
//! a member name that occurs twice, a lone surrogate, invalid UTF-8 and a byte order mark are refused.

mod edit;
mod error;
mod parse;
mod pretty;
mod scan;
mod text;
mod value;
mod writer;

#[cfg(test)]
pub(crate) mod laws;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use iris_kernel::limits;

pub use edit::Edits;
pub use error::{JsonError, JsonErrorKind};
pub use pretty::pretty;
pub use value::{Items, MemberName, Members, Value, ValueKind};
pub use writer::{Writer, write_string};

use value::Node;

/// A parsed JSON document: its text and the tape over it. Cloning shares the text.
#[derive(Clone, Debug)]
pub struct Json {
    text: Bytes,
    nodes: Vec<Node>,
}

impl Json {
    /// Reads one JSON document.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and column; see [`JsonErrorKind`] for the sorts.
    pub fn parse(text: impl Into<Bytes>) -> Result<Self, JsonError> {
        let text = text.into();
        let nodes = parse::parse(&text, limits::JSON_VALUES_MAX, limits::JSON_DEPTH_MAX)?;
        Ok(Self { text, nodes })
    }

    /// The document's one value.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// The text that was parsed.
    #[must_use]
    pub fn text(&self) -> &Bytes {
        &self.text
    }

    /// The document without the white space between its tokens. Strings, numbers and the order of members stay as sent.
    #[must_use]
    pub fn compact(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len());
        self.root().compact_into(&mut out);
        out
    }
}
