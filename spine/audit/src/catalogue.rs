//! The closed catalogue of what can be audited (architecture §6). Codes stand in signed headers for ever: a code is never
//! reused and never changes its meaning; `tests/catalogue.txt` is the copy that a reviewer reads.

use std::fmt;
use std::str::FromStr;

/// The most sensitive class of data that the sealed details of an entry may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataClass {
    /// Nothing about a person beyond the pseudonymous actor.
    Internal,
    /// Names, addresses and agents of users and machines.
    Personal,
    /// Ids of patients and of their resources, and search values.
    Health,
}

impl DataClass {
    /// The word that stands in the catalogue.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Personal => "pii",
            Self::Health => "phi",
        }
    }
}

macro_rules! catalogue {
    ($($variant:ident $code:literal $name:literal $class:ident $meaning:literal;)+) => {
        /// What happened. Every variant's stable code, name, data class and meaning stand in one table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Action {
            $(#[doc = $meaning] $variant = $code,)+
        }

        impl Action {
            /// Every action, by ascending code.
            pub const ALL: &'static [Action] = &[$(Action::$variant),+];

            /// The stable number in the signed header.
            #[must_use]
            pub const fn code(self) -> u16 {
                self as u16
            }

            /// The action behind a header's number; `None` if this version does not know it.
            #[must_use]
            pub const fn from_code(code: u16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The stable name that the API shows and filters by.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The most sensitive class of data in the entry's details.
            #[must_use]
            pub const fn class(self) -> DataClass {
                match self { $(Self::$variant => DataClass::$class,)+ }
            }

            /// What the action means, in a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

catalogue! {
    LoginSuccess      101 "login.success"       Personal "A user proved who they are and got a session.";
    LoginFailure      102 "login.failure"       Personal "A sign-in was refused; the name tried stands in the details.";
    LoginLocked       103 "login.locked"        Personal "An account was locked after too many refused sign-ins.";
    Logout            104 "logout"              Personal "A user ended a session.";
    TokenRefresh      105 "token.refresh"       Personal "A refresh token was exchanged for a new pair.";
    TokenReuse        106 "token.reuse"         Personal "A spent refresh token came back; its session was revoked.";
    TokenIssue        107 "token.issue"         Personal "A machine got an access token by its client credentials.";
    TokenRefused      108 "token.refused"       Personal "A token request or a bearer token was refused.";
    SessionRevoke     109 "session.revoke"      Personal "Somebody ended another session.";
    PasswordChange    110 "password.change"     Personal "A password was set or changed.";
    SessionExpire     111 "session.expire"      Personal "A session ended by itself: it was idle for too long, or its time was over.";
    StepUp            112 "session.step_up"     Personal "Somebody proved once more who they are, or failed to.";
    FactorAdd         121 "factor.add"          Personal "A second factor was set up: an authenticator app, a passkey, recovery codes.";
    FactorRemove      122 "factor.remove"       Personal "A second factor was taken away.";
    FactorRefuse      123 "factor.refuse"       Personal "A code or a passkey was refused.";
    LoginChallenge    124 "login.challenge"     Personal "A password fitted; a second factor was asked for.";

    PhiRead           201 "phi.read"            Health   "A resource was read in its current version.";
    PhiVersionRead    202 "phi.vread"           Health   "A resource was read in a named version.";
    PhiHistory        203 "phi.history"         Health   "The versions of a resource were listed.";
    PhiSearch         204 "phi.search"          Health   "Resources were searched; the matches shown stand in the details.";
    PhiCount          205 "phi.count"           Health   "Resources were counted without being shown.";
    PhiNotModified    206 "phi.not_modified"    Health   "A conditional read confirmed that the caller's copy is current.";
    PhiSummary        207 "phi.summary"         Health   "A patient's record was shown in summary.";
    PhiCreate         211 "phi.create"          Health   "A resource was created.";
    PhiUpdate         212 "phi.update"          Health   "A resource was changed.";
    PhiDelete         213 "phi.delete"          Health   "A resource was deleted (its versions remain).";
    PhiTransaction    214 "phi.transaction"     Health   "A transaction bundle was stored as a whole.";
    PhiBatch          215 "phi.batch"           Health   "A batch bundle was worked off entry by entry.";
    PhiMerge          216 "phi.merge"           Health   "Two records of one patient were joined.";
    PhiUnmerge        217 "phi.unmerge"         Health   "A join of two records was taken back.";
    PhiExport         221 "phi.export"          Health   "Resources left in bulk.";
    PhiDisclose       222 "phi.disclose"        Health   "Resources were sent to another organisation.";
    PhiStream         223 "phi.stream"          Health   "A stream of changes was opened for a caller.";
    PhiDenied         231 "phi.denied"          Health   "Access to a resource was refused by permission, consent or tenant.";

    ImportStart       301 "import.start"        Internal "A bulk import began.";
    ImportFinish      302 "import.finish"       Internal "A bulk import ended; its counts stand in the details.";
    ImportReject      303 "import.reject"       Health   "A bulk import put a resource aside with its faults.";
    ImportStore       304 "import.store"        Health   "A bulk import stored a group of resources.";

    AuditQuery        401 "audit.query"         Personal "The audit log was searched.";
    AuditRead         402 "audit.read"          Personal "One audit entry was shown.";
    AuditProof        403 "audit.proof"         Personal "A proof for an audit entry or between checkpoints was made.";
    AuditVerify       404 "audit.verify"        Internal "The audit log was verified; the outcome stands in the details.";
    AuditExport       405 "audit.export"        Personal "The audit log was exported to a file.";
    AuditGap          406 "audit.gap"           Internal "Signed entries were found gone at a start; their places were filled.";
    AuditDisclosures  407 "audit.disclosures"   Health   "The entries that concern one patient were shown.";

    UserCreate        501 "user.create"         Personal "A user account was made.";
    UserUpdate        502 "user.update"         Personal "A user account was changed.";
    UserDisable       503 "user.disable"        Personal "A user account was closed.";
    UserUnlock        504 "user.unlock"         Personal "A locked user account was opened again.";
    UserRead          505 "user.read"           Personal "User accounts were listed or shown.";
    RoleGrant         511 "role.grant"          Personal "A role or permission was given.";
    RoleRevoke        512 "role.revoke"         Personal "A role or permission was taken away.";
    RoleDefine        513 "role.define"         Internal "A role of the tenant was made, changed or taken away.";
    ClientCreate      521 "client.create"       Personal "A machine client was registered.";
    ClientUpdate      522 "client.update"       Personal "A machine client was changed.";
    ClientRevoke      523 "client.revoke"       Personal "A machine client was closed.";
    TenantCreate      531 "tenant.create"       Internal "A tenant was made.";
    TenantUpdate      532 "tenant.update"       Internal "A tenant was renamed, switched off or switched on; what it was and is stands in the details.";
    TenantRead        533 "tenant.read"         Internal "The tenants were listed.";
    AccessDenied      541 "access.denied"       Personal "A function that is no patient data was refused by permission.";
    RegisterAsk       551 "register.ask"        Personal "Somebody asked for an account of their own.";
    EmailVerify       552 "email.verify"        Personal "An e-mail address was proven by the link that went there.";
    ResetAsk          553 "password.reset_ask"  Personal "A link to set a new password was asked for; what was typed stands in the details.";
    PasswordReset     554 "password.reset"      Personal "A password was set by a link; every session of the account ended.";
    MessageSend       555 "message.send"        Personal "A message was handed over for delivery.";
    MessageDrop       556 "message.drop"        Personal "A message was not sent; why stands in the details.";
    PortalAsk         557 "portal.ask"          Health   "A one-time code for a patient's own record was asked for.";
    PortalRefuse      558 "portal.refuse"       Health   "A sign-in by a one-time code was refused.";
    ReviewStart       561 "review.start"        Personal "A review of who has access was begun.";
    ReviewDecide      562 "review.decide"       Personal "A reviewer decided whether somebody keeps their access, with the reason.";
    ReviewRead        563 "review.read"         Personal "A review of access, or the report on accounts, was shown.";

    KeyCreate         601 "key.create"          Internal "A key was made.";
    KeyRotate         602 "key.rotate"          Internal "A key was replaced by a new one.";
    KeyDestroy        603 "key.destroy"         Health   "A key was destroyed, and with it what it sealed.";
    KeyEscrow         604 "key.escrow"          Internal "A share of the root key was handed out or brought back.";

    ConfigChange      701 "config.change"       Internal "A setting or policy was changed.";
    ServerStart       702 "server.start"        Internal "The server started; its version and settings stand in the details.";
    ServerStop        703 "server.stop"         Internal "The server stopped in order.";
    IndexRebuild      711 "index.rebuild"       Internal "The search index was built anew.";
    IndexVerify       712 "index.verify"        Internal "The search index was compared with the store.";
    StoreScrub        713 "store.scrub"         Internal "Every stored row was read and checked.";
    BackupCreate      721 "backup.create"       Internal "A backup was made.";
    BackupRestore     722 "backup.restore"      Internal "A backup was restored.";

    ConsentGrant      801 "consent.grant"       Health   "A patient's consent was recorded.";
    ConsentRevoke     802 "consent.revoke"      Health   "A patient's consent was taken back.";
    ConsentExpire     803 "consent.expire"      Health   "A patient's consent ran out.";
    BreakGlassStart   811 "breakglass.start"    Health   "Somebody overrode a refusal in an emergency, with a reason.";
    BreakGlassEnd     812 "breakglass.end"      Health   "An emergency override ended.";
    BreakGlassReview  813 "breakglass.review"   Health   "An emergency override was reviewed.";
    BreakGlassRead    814 "breakglass.read"     Health   "Emergency overrides were listed.";

    RetentionHold     901 "retention.hold"      Health   "A legal hold was set or lifted.";
    RetentionPurge    902 "retention.purge"     Health   "Records were purged by a retention policy.";
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is not in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not in the catalogue")]
pub struct NotInCatalogue;

impl FromStr for Action {
    type Err = NotInCatalogue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|action| action.name() == text).ok_or(NotInCatalogue)
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Outcome {
    /// Done as asked.
    Success = 0,
    /// Refused for want of permission or proof.
    Denied = 1,
    /// Not done because of what was asked: invalid, absent, in conflict.
    Failure = 2,
    /// Not done because of us: a part was away or damaged.
    Error = 3,
}

impl Outcome {
    /// Every outcome, by ascending code.
    pub const ALL: &'static [Outcome] = &[Self::Success, Self::Denied, Self::Failure, Self::Error];

    /// The stable number in the signed header.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The outcome behind a header's number; `None` if this version does not know it.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|outcome| outcome.code() == code)
    }

    /// The stable name that the API shows and filters by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Outcome {
    type Err = NotInCatalogue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|outcome| outcome.name() == text).ok_or(NotInCatalogue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The catalogue as the golden file shows it.
    fn listing() -> String {
        let mut text = String::from("# code  name  most sensitive data class in the details  meaning\n");
        for action in Action::ALL {
            let (code, name, class) = (action.code(), action.name(), action.class().word());
            text.push_str(&format!("{code}  {name:<18}  {class:<8}  {}\n", action.meaning()));
        }
        text
    }

    #[test]
    fn catalogue_is_the_golden_file() {
        let golden = include_str!("../tests/catalogue.txt");
        assert_eq!(listing(), golden, "a change of the catalogue is reviewed in tests/catalogue.txt:\n{}", listing());
    }

    #[test]
    fn codes_ascend_and_names_are_unique() {
        assert!(Action::ALL.len() >= 40);
        assert!(Action::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
        for action in Action::ALL {
            assert_eq!(Action::from_code(action.code()), Some(*action));
            assert_eq!(action.name().parse(), Ok(*action));
        }
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_code(outcome.code()), Some(*outcome));
            assert_eq!(outcome.name().parse(), Ok(*outcome));
        }
    }
}
