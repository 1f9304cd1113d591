//! Tests on the values of terms: every value of the stretches of the dictionary that it can hold for is looked at.

use iris_search::{Scan, Stretch, prefix_end};
use tantivy::postings::TermInfo;

use crate::error::IndexError;
use crate::schema::{HEAD_LEN, SCOPE_LEN, scope, stands_whole};
use crate::set::Scope;

/// The lists of the documents that have a term for which the scan holds.
///
/// # Errors
/// [`IndexError::TooWide`] past the limits of the search; a scan over values that do not stand in the dictionary as they are.
pub(crate) fn lists_scanned(at: Scope<'_>, scan: &Scan, lists: &mut Vec<TermInfo>) -> Result<(), IndexError> {
    if !stands_whole(scan.head()) {
        return Err(IndexError::Engine("a scan over values that are digests in the index".to_owned()));
    }
    let scope = scope(at.tenant, at.kind);
    let end = prefix_end(&scope);
    for Stretch { from, to } in scan.stretches() {
        let terms = at.body.terms.terms().range().ge([&*scope, &from].concat());
        let to = to.map(|to| [&*scope, &to].concat()).or_else(|| end.clone());
        let terms = match to {
            Some(to) => terms.lt(to),
            None => terms,
        };
        let mut stream = terms.into_stream()?;
        while stream.advance() {
            at.effort.entry()?;
            // Every one is a term of the head's parameter and mode.
            if stream.key().get(SCOPE_LEN + HEAD_LEN..).is_some_and(|value| scan.holds(value)) {
                at.effort.list()?;
                lists.push(stream.value().clone());
            }
        }
    }
    Ok(())
}
