//! Second factors: an authenticator app (RFC 6238), recovery codes, passkeys (WebAuthn level 3). A password that fits opens
//! nothing where there is one of them; it gives a ticket, with which a code finishes the sign-in. A passkey with which the
//! person was verified is two factors by itself and needs no password.

mod cbor;
mod cose;
mod judge;
mod passkeys;
mod record;
mod recovery;
mod setup;
mod ticket;
mod totp;
mod verify;
mod webauthn;

use std::sync::Arc;

use iris_audit::{Action, Actor, Outcome};
use iris_kernel::{Secret, Tenant, Timestamp};
use iris_store::{Expect, Tx};
use serde::Serialize;
use uuid::Uuid;

pub use judge::Code;
pub use passkeys::{Ceremony, NAME_CHARS_MAX, NewPasskeyView};
pub use record::{CODE_FAILURES_FREE, CODE_FAILURES_MAX, PASSKEYS_MAX, TICKET_FAILURES_MAX};
pub use recovery::RECOVERY_CODES;
pub use setup::TotpSetup;
pub use ticket::TICKET_LIFE;
pub use totp::{DIGITS, STEP_SECONDS, WINDOW_STEPS};
pub use webauthn::Site;

use crate::accounts::not_oneself;
use crate::identity::Identity;
use crate::kinds;
use crate::messages::Notice;
use crate::records::{self, Stamp, Stored, UserRecord};
use iris_access::trail::{Happened, TRIES_MAX, Try, commit, on_accounts};
use iris_access::{AccessError, Caller, Permit};
pub(crate) use record::FactorsRecord;

/// A sort of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// An authenticator app.
    Totp,
    /// One of the recovery codes.
    RecoveryCode,
    /// A passkey.
    Passkey,
}

impl FactorKind {
    /// The word in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Passkey => "passkey",
        }
    }
}

/// A sign-in that waits for its second step.
#[derive(Debug)]
pub struct Challenge {
    /// What the second step brings back.
    pub token: Secret<String>,
    /// With what it can be done.
    pub factors: Vec<FactorKind>,
    /// How long, in seconds.
    pub expires_in: u64,
}

/// What somebody has of second factors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactorsView {
    /// Whether there is an authenticator app.
    pub totp: bool,
    /// How many recovery codes are left.
    pub recovery_codes_left: usize,
    /// The passkeys, oldest first.
    #[serde(skip)]
    pub passkeys: Vec<PasskeyView>,
}

/// A passkey as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyView {
    /// The id.
    pub id: Uuid,
    /// How the owner calls it.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last shown.
    pub used: Option<Timestamp>,
}

impl record::Passkey {
    fn view(&self) -> PasskeyView {
        let (created, used) = (Timestamp(self.created), self.used.map(Timestamp));
        PasskeyView { id: self.id, name: self.name.clone(), created, used }
    }
}

impl FactorsRecord {
    fn view(&self) -> FactorsView {
        FactorsView {
            totp: self.totp.is_some(),
            recovery_codes_left: self.recovery_left(),
            passkeys: self.passkeys.iter().map(record::Passkey::view).collect(),
        }
    }

    /// With what a sign-in can go on.
    pub(crate) fn kinds(&self) -> Vec<FactorKind> {
        let there = [
            (FactorKind::Totp, self.totp.is_some()),
            (FactorKind::RecoveryCode, self.recovery_left() > 0),
            (FactorKind::Passkey, !self.passkeys.is_empty()),
        ];
        there.into_iter().filter_map(|(kind, there)| there.then_some(kind)).collect()
    }
}

/// The factors of an account with their place in the store; `None` if it never had any.
pub(crate) type StoredFactors = Option<Stored<FactorsRecord>>;

/// What they are, whether or not there is a record.
pub(crate) fn of(stored: &StoredFactors) -> FactorsRecord {
    stored.as_ref().map(|stored| stored.value.clone()).unwrap_or_default()
}

/// What must still be true of them when something that rests on them is written.
pub(crate) fn expected(stored: &StoredFactors) -> Expect {
    stored.as_ref().map_or(Expect::Absent, |stored| Expect::Current(stored.seq))
}

impl Identity {
    /// The second factors of an account.
    pub(crate) fn factors(&self, tenant: Tenant, user: Uuid) -> Result<StoredFactors, AccessError> {
        records::read(self.store.current(tenant, kinds::FACTORS, &user.to_string())?)
    }

    /// Adds the next version of the record to a write set.
    fn factors_put(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        (user, before): (Uuid, &StoredFactors),
        next: &FactorsRecord,
    ) -> Result<(), AccessError> {
        let id = user.to_string();
        match before {
            None => records::add(tx, stamp, kinds::FACTORS, &id, next),
            Some(before) => records::change(tx, stamp, (kinds::FACTORS, &id), before, next),
        }
    }

    /// What the caller has of second factors. That it was looked at stands in the log, as of sessions.
    ///
    /// # Errors
    /// The store cannot be read, or the entry about it not written.
    pub async fn factors_mine(&self, caller: &Caller) -> Result<FactorsView, AccessError> {
        let view = of(&self.factors(caller.tenant, caller.subject.id)?).view();
        let what = Happened::new(Action::UserRead, Outcome::Success, Some(format!("User/{}", caller.subject.id)));
        self.audit.record(self.event_by(caller, what.because("the own second factors were listed"))).await?;
        Ok(view)
    }

    /// What a user has of second factors. The permit is one on [`iris_access::Named::Accounts`].
    ///
    /// # Errors
    /// [`AccessError::Denied`]; the store cannot be read.
    pub fn factors_of(&self, permit: &Permit<iris_access::Read>, user: Uuid) -> Result<FactorsView, AccessError> {
        on_accounts(permit)?;
        Ok(of(&self.factors(permit.tenant(), user)?).view())
    }

    /// Empties the factors of an account that is not the caller's own and holds no more than the caller, and ends its sessions. Which of
    /// it holds is decided by what the commit expects to be still there.
    pub(crate) async fn factors_empty(
        &self,
        caller: &Arc<Caller>,
        tenant: Tenant,
        id: Uuid,
    ) -> Result<(), AccessError> {
        not_oneself(caller, id)?;
        for _ in 0..TRIES_MAX {
            let user = self.user(tenant, id)?.ok_or(AccessError::NotFound("user"))?;
            let toucher = self.may_touch(caller, tenant, &user.value)?;
            let before = self.factors(tenant, id)?;
            let had = of(&before);
            let next = UserRecord { epoch: user.value.epoch.saturating_add(1), ..user.value.clone() };
            let stamp = self.stamp(caller.subject.id);
            let mut tx = self.store.begin(tenant);
            toucher.require(&mut tx);
            self.factors_put(&mut tx, stamp, (id, &before), &had.emptied())?;
            self.passkey_claims_release(&mut tx, id, &had.passkeys);
            records::change(&mut tx, stamp, (kinds::USER, &id.to_string()), &user, &next)?;
            if had.any() {
                self.notice_put(&mut tx, stamp, (&user.value, Notice::FactorsReset), &caller.correlation)?;
            }
            let what = Happened::new(Action::FactorRemove, Outcome::Success, Some(format!("User/{id}")));
            let event = self.event_by(caller, what.because("all of them, by an administrator; sessions ended"));
            tx.audit(self.audit.row(&event)?);
            if let Try::Done = commit(tx).await? {
                self.lower(tenant, kinds::USER, id);
                return Ok(());
            }
        }
        Err(AccessError::Conflict)
    }
}

/// Who acts when somebody signs in.
fn actor(user: &UserRecord) -> Actor {
    Actor::new(user.id.into_bytes(), &*user.name)
}
