//! Counting work, so that no patch takes longer than a large document.

use crate::fault::{PatchFaultKind, Refusal};

/// What is left of [`crate::WORK_MAX`].
pub(crate) struct Work {
    left: usize,
}

impl Work {
    pub(crate) const fn new(units: usize) -> Self {
        Self { left: units }
    }

    /// Uses up some of it.
    pub(crate) fn charge(&mut self, units: usize) -> Result<(), Refusal> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err((PatchFaultKind::Limit, "The patch copies and compares more than is allowed")),
        }
    }
}
