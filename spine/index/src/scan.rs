//! Tests on the values of terms: every value of a stretch of the dictionary is looked at.

use std::ops::Bound;

use iris_search::Scan;
use tantivy::postings::TermInfo;

use crate::error::IndexError;
use crate::schema::{HEAD_LEN, SCOPE_LEN, prefix_end, scope, stands_whole};
use crate::set::Scope;

/// The lists of the documents that have a term for which the scan holds.
///
/// # Errors
/// [`IndexError::TooWide`] past the limits of the search; a scan over values that do not stand in the dictionary as they are.
pub(crate) fn lists_scanned(at: Scope<'_>, scan: &Scan, lists: &mut Vec<TermInfo>) -> Result<(), IndexError> {
    if !stands_whole(scan.head()) {
        return Err(IndexError::Engine("a scan over values that are digests in the index".to_owned()));
    }
    let scoped = |bytes: Vec<u8>| [scope(at.tenant, at.kind), bytes].concat();
    let terms = at.body.terms.terms().range();
    let (low, high) = scan.bounds();
    let terms = match low {
        Bound::Included(low) => terms.ge(scoped(low)),
        Bound::Excluded(low) => terms.gt(scoped(low)),
        Bound::Unbounded => terms.ge(scoped(scan.head().to_vec())),
    };
    let terms = match high {
        Bound::Included(high) => terms.le(scoped(high)),
        Bound::Excluded(high) => terms.lt(scoped(high)),
        // No parameter has the last of all heads, so that something comes after each within its kind.
        Bound::Unbounded => match prefix_end(&scoped(scan.head().to_vec())) {
            Some(end) => terms.lt(end),
            None => terms,
        },
    };
    let mut stream = terms.into_stream()?;
    while stream.advance() {
        at.effort.entry()?;
        if stream.key().get(SCOPE_LEN + HEAD_LEN..).is_some_and(|value| scan.holds(value)) {
            at.effort.list()?;
            lists.push(stream.value().clone());
        }
    }
    Ok(())
}
