//! Long lists of terms, such as the compartments of everybody whom a large clinic treats: what one came to in a segment, which never
//! changes, is kept for the searches that follow with the very same list. Looking fifty thousand terms up costs many times what the
//! search itself does.

use std::sync::Arc;

use iris_kernel::{Kind, Tenant};
use iris_search::Term;
use parking_lot::Mutex;

use crate::error::IndexError;

/// From how many terms on what they came to is kept. In tests all are, so that what holds of searches is tried on these as well.
const TERMS_MIN: usize = if cfg!(test) { 2 } else { 256 };
/// How many are kept for each segment: those that were asked for last. Each takes a bit for each document, and a list of terms is
/// somebody's for as long as they ask.
const KEPT_MAX: usize = 64;

/// The documents of a segment that have one of many terms.
pub(crate) struct Wide {
    /// A bit for each document.
    pub(crate) words: Arc<[u64]>,
    /// How many there are at most.
    pub(crate) docs: u64,
}

impl Wide {
    /// Whether a list of terms is long enough to be kept.
    pub(crate) fn is_worth(terms: &[Term]) -> bool {
        terms.len() >= TERMS_MIN
    }
}

struct Kept {
    tenant: Tenant,
    kind: Kind,
    /// Held, so that no other list can come to stand at the same place in memory.
    terms: Arc<[Term]>,
    wide: Arc<Wide>,
}

/// What is kept for one segment, the latest last.
#[derive(Default)]
pub(crate) struct WideCache(Mutex<Vec<Kept>>);

impl WideCache {
    /// What this very list came to, or what `make` says that it comes to.
    pub(crate) fn get(
        &self,
        tenant: Tenant,
        kind: Kind,
        terms: &Arc<[Term]>,
        make: impl FnOnce() -> Result<Wide, IndexError>,
    ) -> Result<Arc<Wide>, IndexError> {
        let is = |kept: &Kept| kept.tenant == tenant && kept.kind == kind && Arc::ptr_eq(&kept.terms, terms);
        {
            let mut kept = self.0.lock();
            if let Some(place) = kept.iter().position(is) {
                let found = kept.remove(place);
                let wide = Arc::clone(&found.wide);
                kept.push(found);
                return Ok(wide);
            }
        }
        let wide = Arc::new(make()?);
        let mut kept = self.0.lock();
        // Two who came at once have made the same.
        if !kept.iter().any(is) {
            if kept.len() >= KEPT_MAX {
                kept.remove(0);
            }
            kept.push(Kept { tenant, kind, terms: Arc::clone(terms), wide: Arc::clone(&wide) });
        }
        Ok(wide)
    }
}
