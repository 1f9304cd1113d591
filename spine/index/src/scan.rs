//! Tests on the values of terms: every value of the stretches of the dictionary that it can hold for is looked at.

use iris_search::{Scan, Stretch, prefix_end};
use tantivy::postings::TermInfo;

use crate::error::IndexError;
use crate::schema::{HEAD_LEN, SCOPE_LEN, forms_under, indexed, scope, stands_whole};
use crate::set::{Found, Scope, range_from};

/// How many entries of a dictionary are looked at before all values of the parameter are read: some tenths of a millisecond. In tests
/// few are enough, so that both ways are tried.
pub(crate) const WALKED_FIRST: usize = if cfg!(test) { 3 } else { 1_000 };

/// The documents that have a term for which the scan holds.
///
/// # Errors
/// [`IndexError::TooWide`] past the limits of the search; a test on values that do not stand in the dictionary as they are, if it asks
/// for more than which they are not.
pub(crate) fn scanned(at: Scope<'_>, scan: &Scan) -> Result<Found, IndexError> {
    let mut found = Found::default();
    if !stands_whole(scan.head()) {
        by_identity(at, scan, &mut found.lists)?;
        return Ok(found);
    }
    let scope = scope(at.tenant, at.kind);
    // The start of a value leaves few, which are not worth keeping.
    if scan.head().len() > HEAD_LEN {
        walk(at, &scope, scan, usize::MAX, &mut found.lists)?;
        return Ok(found);
    }
    // So does a stretch that is short.
    if is_narrow(scan) {
        if walk(at, &scope, scan, WALKED_FIRST, &mut found.lists)? {
            return Ok(found);
        }
        found.lists.clear();
    }
    if let Some(values) = at.values.get(at.body, &[&*scope, scan.head()].concat(), at.effort)? {
        values.each_of(scan, |value, docs| {
            at.effort.entry()?;
            if scan.holds(value) {
                at.effort.list()?;
                found.docs.extend(docs, at.body.documents);
            }
            Ok(())
        })?;
        return Ok(found);
    }
    walk(at, &scope, scan, usize::MAX, &mut found.lists)?;
    Ok(found)
}

/// Whether it can hold for a part of the values under its head alone.
fn is_narrow(scan: &Scan) -> bool {
    scan.stretches() != [Stretch::of(scan.head().to_vec())]
}

/// Looks at the dictionary itself, at so many entries at most; whether that was all.
fn walk(at: Scope<'_>, scope: &[u8], scan: &Scan, most: usize, lists: &mut Vec<TermInfo>) -> Result<bool, IndexError> {
    let mut left = most;
    let end = prefix_end(scope);
    for Stretch { from, to } in scan.stretches() {
        let terms = at.body.terms.terms().range().ge([scope, &from].concat());
        let to = to.map(|to| [scope, &to].concat()).or_else(|| end.clone());
        let terms = match to {
            Some(to) => terms.lt(to),
            None => terms,
        };
        let mut stream = terms.into_stream()?;
        while stream.advance() {
            let Some(fewer) = left.checked_sub(1) else { return Ok(false) };
            left = fewer;
            at.effort.entry()?;
            // Every one is a term of the head's parameter and mode.
            if stream.key().get(SCOPE_LEN + HEAD_LEN..).is_some_and(|value| scan.holds(value)) {
                at.effort.list()?;
                lists.push(stream.value().clone());
            }
        }
    }
    Ok(true)
}

/// Looks at values that may be digests: only whether there is one, or another than some.
fn by_identity(at: Scope<'_>, scan: &Scan, lists: &mut Vec<TermInfo>) -> Result<(), IndexError> {
    let digests = || IndexError::Engine("a scan over values that are digests in the index".to_owned());
    let other = scan.is_by_identity().ok_or_else(digests)?;
    let forms = forms_under(at.tenant, at.kind, scan.head()).ok_or_else(digests)?;
    let other = other.and_then(|term| indexed(at.tenant, at.kind, &term));
    for form in forms {
        let mut stream = range_from(at.body, &form, &form)?;
        while stream.advance() {
            at.effort.entry()?;
            if other.as_deref() != Some(stream.key()) {
                at.effort.list()?;
                lists.push(stream.value().clone());
            }
        }
    }
    Ok(())
}
