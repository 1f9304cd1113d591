//! The internal kinds of record that this crate keeps, and its claim scopes. The numbers of scopes stand in the database in clear and
//! never change their meaning.

pub use iris_kernel::kinds::*;
use iris_store::ClaimScope;

/// `[folded user name]` → the user.
pub const CLAIM_USER_NAME: ClaimScope = ClaimScope(0x8001);
/// `[list, number]` → the user or client with this number, so that lists can be read without scanning.
pub const CLAIM_NUMBER: ClaimScope = ClaimScope(0x8002);
/// `[credential id]` → the factors of the user whose passkey it is.
pub const CLAIM_PASSKEY: ClaimScope = ClaimScope(0x8010);
/// `[folded e-mail address]` → the user who has proven that it is theirs.
pub const CLAIM_EMAIL: ClaimScope = ClaimScope(0x8020);
/// `[id of a Patient]` → the account of that patient's portal.
pub const CLAIM_PORTAL: ClaimScope = ClaimScope(0x8021);
