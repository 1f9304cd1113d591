//! Named operations (R4 operations.html), one file each. What is not here is answered by name: there is no such operation.

mod everything;
mod meta;
mod parameters;
mod validate;

use iris_fhir::definitions;
use iris_kernel::{ErrorKind, Kind};

use super::{Interaction, Routed};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::problem::Problem;

/// An operation, for `/metadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Its name, without the dollar sign.
    pub(crate) name: &'static str,
    /// The canonical address of its definition.
    pub(crate) definition: &'static str,
    /// The one type that has it; none: all have it.
    pub(crate) only: Option<&'static str>,
    /// What is to be known about it here.
    pub(crate) what: &'static str,
}

impl Operation {
    /// Whether resources of this type have it.
    pub(crate) fn is_of(&self, kind: Kind) -> bool {
        self.only.is_none_or(|only| definitions().name_of(kind) == only)
    }
}

/// Every operation that is routed.
pub(super) fn routed() -> Vec<Routed> {
    [validate::endpoints(), meta::endpoints(), everything::endpoints()].into_iter().flatten().collect()
}

fn on(operation: &'static Operation, endpoint: Endpoint) -> Routed {
    Routed { interaction: Interaction::Operation(operation), endpoint }
}

/// The type of the path, which must have the operation.
///
/// # Errors
/// Not found: R4 has no such type, or it has no such operation.
fn kind_with(call: &Call, operation: &Operation) -> Result<Kind, Problem> {
    let kind = super::kind(call)?;
    if operation.is_of(kind) {
        return Ok(kind);
    }
    let what =
        format!("there is no operation ${} on this type; /fhir/metadata lists those that there are", operation.name);
    Err(Problem::new(ErrorKind::NotFound, what))
}
