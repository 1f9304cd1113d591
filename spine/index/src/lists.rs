//! Reading the lists of documents that a segment keeps by term.

use tantivy::DocId;
use tantivy::postings::BlockSegmentPostings;
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;

use crate::error::IndexError;
use crate::segment::SegmentBody;

/// Reads lists one after another: to begin with the next costs less than another reader.
#[derive(Default)]
pub(crate) struct ListReader(Option<BlockSegmentPostings>);

impl ListReader {
    /// Shows the documents of a list, in blocks.
    ///
    /// # Errors
    /// Damage.
    pub(crate) fn each(
        &mut self,
        body: &SegmentBody,
        list: &TermInfo,
        mut each: impl FnMut(&[DocId]),
    ) -> Result<(), IndexError> {
        let reader = match &mut self.0 {
            Some(reader) => {
                body.terms.reset_block_postings_from_terminfo(list, reader)?;
                reader
            }
            none => none.insert(body.terms.read_block_postings_from_terminfo(list, IndexRecordOption::Basic)?),
        };
        while !reader.docs().is_empty() {
            each(reader.docs());
            reader.advance();
        }
        Ok(())
    }
}
