//! `X-IRIS-Consistency: strong`: the request waits until this node knows of everything that any node has stored. Without it, what
//! another node stored is found within a second.

use axum::http::HeaderName;
use iris_kernel::ErrorKind;
use iris_resources::Refusal;

use crate::blocking::blocking;
use crate::call::Call;
use crate::endpoint::{Param, header};
use crate::problem::Problem;

/// The header.
const X_IRIS_CONSISTENCY: HeaderName = HeaderName::from_static("x-iris-consistency");

/// The header as documents describe it.
pub(crate) const CONSISTENCY: Param = header(
    "X-IRIS-Consistency",
    "strong: what any node has stored until now counts. Without it, what another node stored in the last second may not be found yet.",
);

/// How much of what other nodes have just stored a request must see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consistency {
    /// What this node knows: everything that was written here, and of the others all but the last second.
    Own,
    /// Everything that any node had stored when the request came.
    Strong,
}

impl Call {
    /// What the caller asks for.
    ///
    /// # Errors
    /// Another word than the one there is: whoever sends it relies on something.
    pub(crate) fn consistency(&self) -> Result<Consistency, Problem> {
        let wrong = || Problem::at(ErrorKind::Malformed, "X-IRIS-Consistency", "must be strong, or be left out");
        match self.only(&X_IRIS_CONSISTENCY).map_err(|_| wrong())? {
            None => Ok(Consistency::Own),
            Some("strong") => Ok(Consistency::Strong),
            Some(_) => Err(wrong()),
        }
    }

    /// Waits until this node knows of everything that any node has stored. A node that is alone never waits.
    ///
    /// # Errors
    /// The store does not answer.
    pub(crate) async fn caught_up(&self) -> Result<(), Problem> {
        let store = self.app.store.clone();
        if !store.is_shared() {
            return Ok(());
        }
        let waited = blocking(move || store.catch_up()).await;
        let waited = waited.map_err(|cause| Problem::caused(ErrorKind::Internal, "the wait was broken off", cause))?;
        waited.map(drop).map_err(|cause| Refusal::from(cause).into())
    }
}
