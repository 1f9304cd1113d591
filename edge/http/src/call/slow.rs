//! Bodies that take their time. Who calls, and what they may, is decided when a request's headers are there, and its body may take two
//! minutes: somebody who has lost a right must not use it for that long by sending slowly.

use std::sync::Arc;
use std::time::Duration;

use iris_kernel::ErrorKind;

use super::Call;
use crate::problem::Problem;

/// A body that came within this time was decided about when it began: as late as a revocation may be on another node.
const QUICK: Duration = Duration::from_secs(1);

impl Call {
    /// Whether the caller still is who they were when the request began, after a body that was slow.
    ///
    /// # Errors
    /// Unauthenticated: the token does not count any more. Conflict: what the caller may do may be otherwise now; nothing was done.
    pub(super) async fn same_still(&self, began: Duration) -> Result<(), Problem> {
        let Some(before) = &self.caller else { return Ok(()) };
        if self.app.clock.monotonic().saturating_sub(began) <= QUICK {
            return Ok(());
        }
        let now = self.authenticate().await?;
        let is_same = now.limited == before.limited
            && now.patient == before.patient
            && now.scopes == before.scopes
            && now.rules == before.rules
            && (Arc::ptr_eq(&now.view, &before.view) || now.view.is_same(&before.view));
        if is_same {
            return Ok(());
        }
        let what = "what you may do has changed while the body was on its way; nothing was done, send it again";
        Err(Problem::new(ErrorKind::Conflict, what))
    }
}
