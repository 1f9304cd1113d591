//! What can be wrong with a JSON text, and where.

use std::fmt;

/// The sort of a [`JsonError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JsonErrorKind {
    /// Not JSON by RFC 8259.
    Syntax,
    /// The text ends in the middle of a value.
    Truncated,
    /// Nested deeper than [`iris_kernel::limits::JSON_DEPTH_MAX`].
    Depth,
    /// The same member name twice in one object.
    DuplicateKey,
    /// Longer than 4 GiB or more values than [`iris_kernel::limits::JSON_VALUES_MAX`].
    TooLarge,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Something after the end of the document.
    TrailingBytes,
}

/// Why a text was refused. The message never repeats the text, which may be PHI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The sort.
    pub kind: JsonErrorKind,
    /// What is wrong, in words.
    pub what: &'static str,
    /// Byte offset of the fault, from 0.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl JsonError {
    /// An error at a byte offset of `text`; counts the lines up to there.
    pub(super) fn at(text: &[u8], offset: usize, kind: JsonErrorKind, what: &'static str) -> Self {
        let offset = offset.min(text.len());
        let before = &text[..offset];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
        // Continuation bytes are no characters of their own.
        let column = 1 + before[line_start..].iter().filter(|&&b| b & 0xC0 != 0x80).count();
        Self { kind, what, offset, line, column }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.what, self.line, self.column)
    }
}

impl std::error::Error for JsonError {}
