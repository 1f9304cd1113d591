//! Every internal sort of record, in one place: two crates that gave one number to two sorts would read each other's records as their
//! own. The numbers stand in the database in clear and never change their meaning.

use crate::Kind;

/// The sorts as constants, and all of their numbers.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        $($(#[$doc])* pub const $name: Kind = Kind($number);)*

        const NUMBERS: &[u16] = &[$($number),*];
    };
}

kinds! {
    /// The list of tenants; one record, in [`crate::Tenant::PLATFORM`].
    TENANTS = 0x8000;
    /// A person with an account.
    USER = 0x8001;
    /// A machine with a client id.
    CLIENT = 0x8002;
    /// A session: one sign-in and the refresh tokens that follow from it.
    SESSION = 0x8003;
    /// The keys that sign access tokens; one record, in [`crate::Tenant::PLATFORM`].
    SIGNING_KEYS = 0x8004;
    /// An access token that was revoked by itself, because no session stands behind it.
    REVOKED_TOKEN = 0x8005;
    /// How many users or clients a tenant has.
    COUNTER = 0x8006;
    /// What was changed of the installation's settings while it ran; one record, in [`crate::Tenant::PLATFORM`].
    SETTINGS = 0x8007;
    /// Which sessions an account has open.
    OPEN_SESSIONS = 0x8008;
    /// How many password hashes of another system wait for their owner's first sign-in; one record.
    IMPORTS = 0x8009;
    /// The second factors of one user.
    FACTORS = 0x8010;
    /// A place of the outbox: a message that waits to be sent, or nothing. Places are used again.
    OUTBOX = 0x8020;
    /// What a link in a mail stands for, under the link's random id; holds a digest and never the link.
    MAIL_TOKEN = 0x8021;
    /// When messages went to one address, so that nobody is flooded, whatever they are about.
    ADDRESSEE = 0x8022;
    /// The one-time codes of one patient that are good now.
    PORTAL = 0x8023;
    /// Which accounts with a second factor show the record of one patient.
    GUARDS = 0x8024;
    /// The roles that a tenant has made for itself; one record.
    ROLES = 0x8030;
    /// How often one of those roles was granted: changed by each grant, required by whoever takes a role away.
    ROLE_USES = 0x8031;
    /// A review of who has access.
    REVIEW = 0x8032;
    /// Some of the accounts of a review, with what was decided about each.
    REVIEW_PART = 0x8033;
    /// What one tenant has decided about access; one record.
    POLICY = 0x8040;
    /// A record that somebody opened in an emergency.
    GLASS = 0x8041;
    /// What was made for one idempotency key.
    IDEMPOTENCY = 0x8050;
    /// The seed of the key that signs the access log's checkpoints; one record, in [`crate::Tenant::PLATFORM`].
    CHECKPOINT_KEY = 0x8f00;
}

/// Rising numbers are no number twice.
const _: () = {
    let mut at = 0;
    while at < NUMBERS.len() {
        assert!(NUMBERS[at] >= Kind::INTERNAL && (at == 0 || NUMBERS[at - 1] < NUMBERS[at]));
        at += 1;
    }
};
