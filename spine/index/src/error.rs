//! What can go wrong in the index.

use iris_store::StoreError;
use tantivy::TantivyError;

/// Why the index did not answer. None of them is ever turned into a smaller answer.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The index is being built or rebuilt from the store; ask again later.
    #[error("the search index is being rebuilt")]
    Unavailable,
    /// A file of the index fails its integrity check. The rebuild has been started.
    #[error("the search index is damaged: {0}")]
    Damaged(String),
    /// The store did not answer.
    #[error("the store failed under the search index")]
    Store(#[from] StoreError),
    /// A stored resource cannot be read as the resource that it was stored as.
    #[error("the stored resource at sequence {seq} cannot be indexed: {reason}")]
    Resource {
        /// The sequence number of the row.
        seq: u64,
        /// What is wrong, without its content.
        reason: String,
    },
    /// The disk or the index library failed.
    #[error("the search index failed: {0}")]
    Engine(String),
    /// So many words are like the asked ones, or so many values are looked at, that answering would take too long. More letters help,
    /// or a unit, or a code.
    #[error("the search looks at too many values")]
    TooWide,
    /// The search leads to more records than a chain may go through.
    #[error("the search leads to more records than a chain may go through")]
    TooManyTargets,
    /// The query still asks for what only other searches can answer: see [`iris_search::Query::is_resolved`].
    #[error("the query holds what only other searches can answer")]
    Unresolved,
    /// A page size or position that no caller of ours makes.
    #[error("the page is outside of what the index serves: {0}")]
    Page(&'static str),
}

impl From<TantivyError> for IndexError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::DataCorruption(what) => Self::Damaged(format!("{what:?}")),
            TantivyError::OpenReadError(what) => Self::Damaged(what.to_string()),
            TantivyError::IoError(cause) => Self::of_io(&cause),
            other => Self::Engine(other.to_string()),
        }
    }
}

impl From<std::io::Error> for IndexError {
    fn from(error: std::io::Error) -> Self {
        Self::of_io(&error)
    }
}

impl IndexError {
    fn of_io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => Self::Damaged(error.to_string()),
            _ => Self::Engine(error.to_string()),
        }
    }
}
