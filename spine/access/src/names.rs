//! Names of resource types, from the definitions.

use iris_kernel::Kind;

pub(crate) fn kind_of(_name: &str) -> Option<Kind> {
    None
}

pub(crate) fn name_of(_kind: Kind) -> &'static str {
    "?"
}
