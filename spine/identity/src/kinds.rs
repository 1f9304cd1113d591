//! The internal kinds of record and the claim scopes of this crate. The numbers stand in the database in clear and never
//! change their meaning; this crate's own lie in `0x8000..=0x803f`.

use iris_kernel::Kind;
use iris_store::ClaimScope;

/// The list of tenants; one record, in [`iris_kernel::Tenant::PLATFORM`].
pub const TENANTS: Kind = Kind(0x8000);
/// A person with an account.
pub const USER: Kind = Kind(0x8001);
/// A machine with a client id.
pub const CLIENT: Kind = Kind(0x8002);
/// A session: one sign-in and the refresh tokens that follow from it.
pub const SESSION: Kind = Kind(0x8003);
/// The keys that sign access tokens; one record, in [`iris_kernel::Tenant::PLATFORM`].
pub const SIGNING_KEYS: Kind = Kind(0x8004);
/// An access token that was revoked by itself, because no session stands behind it.
pub const REVOKED_TOKEN: Kind = Kind(0x8005);
/// How many users or clients a tenant has; see [`CLAIM_NUMBER`].
pub const COUNTER: Kind = Kind(0x8006);
/// What was changed of the installation's settings while it ran; one record, in [`iris_kernel::Tenant::PLATFORM`].
pub const SETTINGS: Kind = Kind(0x8007);
/// How many password hashes of another system wait for their owner's first sign-in; one record.
pub const IMPORTS: Kind = Kind(0x8009);
/// The second factors of one user.
pub const FACTORS: Kind = Kind(0x8010);

/// Which sessions an account has open.
pub const OPEN_SESSIONS: Kind = Kind(0x8008);

/// A place of the outbox: a message that waits to be sent, or nothing. Places are used again.
pub const OUTBOX: Kind = Kind(0x8020);
/// What a link in a mail stands for, under the link's random id; holds a digest and never the link.
pub const MAIL_TOKEN: Kind = Kind(0x8021);
/// When messages went to one address, so that nobody is flooded, whatever they are about.
pub const ADDRESSEE: Kind = Kind(0x8022);
/// The one-time codes of one patient that are good now.
pub const PORTAL: Kind = Kind(0x8023);
/// Which accounts with a second factor show the record of one patient.
pub const GUARDS: Kind = Kind(0x8024);

/// The roles that a tenant has made for itself; one record.
pub const ROLES: Kind = Kind(0x8030);
/// How often one of those roles was granted: changed by each grant, required by whoever takes a role away.
pub const ROLE_USES: Kind = Kind(0x8031);
/// A review of who has access.
pub const REVIEW: Kind = Kind(0x8032);
/// Some of the accounts of a review, with what was decided about each.
pub const REVIEW_PART: Kind = Kind(0x8033);

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
