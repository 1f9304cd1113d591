//! Setting up an authenticator app, and taking it away again.

use iris_audit::{Action, Outcome};
use iris_kernel::{Secret, Tenant};
use iris_store::Tx;

use super::judge::{Code, Judged};
use super::record::{FactorsRecord, PENDING_LIFE, Pending};
use super::{of, recovery, totp};
use crate::identity::Identity;
use crate::kinds;
use crate::messages::Notice;
use crate::records::{self, Granted, Must, SessionRecord, Stored, UserRecord};
use crate::sessions::is_alone;
use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Caller, Denial, Factor, Limit};

/// Who the app says the codes are for.
const ISSUER: &str = "IRIS";

/// What an authenticator app takes in; shown this once.
#[derive(Debug)]
pub struct TotpSetup {
    /// The secret, to be typed (base32).
    pub secret: Secret<String>,
    /// The secret with everything else, to be read from a picture.
    pub uri: Secret<String>,
}

impl Identity {
    /// Begins to set up an authenticator app. It counts from [`Identity::totp_confirm`] on; a set-up that was begun before is
    /// forgotten.
    ///
    /// # Errors
    /// [`AccessError::Refused`]: there is one already, which a stolen session must not replace.
    pub async fn totp_setup(&self, caller: &Caller) -> Result<TotpSetup, AccessError> {
        let (tenant, id) = (caller.tenant, caller.subject.id);
        let mine = self.factors_owner(caller);
        let user = self.tried(caller, (Action::FactorAdd, Some(format!("User/{id}"))), mine).await?;
        for _ in 0..TRIES_MAX {
            let before = self.factors(tenant, id)?;
            let mut next = of(&before);
            if next.totp.is_some() {
                let result = Err(AccessError::Refused("there is an authenticator app already: disable it first"));
                return self.tried(caller, (Action::FactorAdd, Some(format!("User/{id}"))), result).await;
            }
            let secret = totp::generate(self.entropy.as_ref());
            let stamp = self.stamp(id);
            let setup = TotpSetup { secret: totp::base32(&secret), uri: totp::uri(&secret, ISSUER, &user.value.name) };
            next.pending = Some(Pending { secret, until: stamp.at.plus(PENDING_LIFE).0 });
            let mut tx = self.store.begin(tenant);
            self.factors_put(&mut tx, stamp, (id, &before), &next)?;
            let what = Happened::new(Action::FactorAdd, Outcome::Success, Some(format!("User/{id}")));
            tx.audit(self.audit.row(&self.event_by(caller, what.because("the set-up of an authenticator app began")))?);
            if let Try::Done = commit(tx).await? {
                return Ok(setup);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Confirms the set-up by the app's first code. From then on a password alone opens nothing. Gives new recovery codes, in place
    /// of any before; the caller's session counts as one with a second factor.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] for a wrong one; [`AccessError::TooMany`] after too many failures.
    pub async fn totp_confirm(&self, caller: &Caller, code: &str) -> Result<Vec<Secret<String>>, AccessError> {
        let (tenant, id) = (caller.tenant, caller.subject.id);
        let mine = self.factors_owner(caller);
        let user = self.tried(caller, (Action::FactorAdd, Some(format!("User/{id}"))), mine).await?;
        for _ in 0..TRIES_MAX {
            let before = self.factors(tenant, id)?;
            let mut tx = self.store.begin(tenant);
            let stamp = self.stamp(id);
            let (next, result, (action, outcome, why)) = match of(&before).judge_first(code, self.clock.now()) {
                Judged::Wait(retry) => return Err(AccessError::TooMany { retry }),
                Judged::Fits(mut next) => {
                    let (shown, stored) = recovery::generate(id, self.entropy.as_ref());
                    next.recovery = stored;
                    self.session_upgrade(&mut tx, caller)?;
                    self.guard_put(&mut tx, stamp, &user.value)?;
                    self.notice_put(&mut tx, stamp, (&user.value, Notice::FactorAdded), &caller.correlation)?;
                    let entry = (Action::FactorAdd, Outcome::Success, "an authenticator app, with recovery codes");
                    (next, Ok(shown), entry)
                }
                Judged::Refused(why, next) => {
                    (next, Err(Code::App(code).wrong()), (Action::FactorRefuse, Outcome::Denied, why))
                }
            };
            self.factors_put(&mut tx, stamp, (id, &before), &next)?;
            let what = Happened::new(action, outcome, Some(format!("User/{id}"))).because(why);
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
            if let Try::Done = commit(tx).await? {
                self.session_lower(caller);
                return result;
            }
        }
        Err(AccessError::Conflict)
    }

    /// Takes the authenticator app away; the code is the proof that its owner wants it. With the last factor the recovery codes go.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] for a wrong one; [`AccessError::TooMany`]; [`AccessError::Refused`]: there is none, or the caller's roles ask for a
    /// second factor and there is no other.
    pub async fn totp_disable(&self, caller: &Caller, code: Code<'_>) -> Result<(), AccessError> {
        let id = caller.subject.id;
        let taken = |next: &mut FactorsRecord, user: &UserRecord| {
            if next.totp.take().is_none() {
                return Err(AccessError::Refused("there is no authenticator app"));
            }
            next.changed();
            still_enough(next, self.second_factor_required(caller.tenant, user)?)?;
            Ok(Some((Action::FactorRemove, "the authenticator app")))
        };
        let result = self.code_spend(caller, code, taken).await;
        self.tried(caller, (Action::FactorRemove, Some(format!("User/{id}"))), result).await
    }

    /// The caller's account, if this session may change its factors. While its password is still to be changed it may not: whoever made
    /// that password knows it, and a factor that they set up would outlive it.
    pub(super) fn factors_owner(&self, caller: &Caller) -> Result<Stored<UserRecord>, AccessError> {
        if caller.limited == Some(Limit::PasswordChange) {
            return Err(AccessError::Denied(Denial::Limited(Limit::PasswordChange)));
        }
        Ok(self.own(caller)?.user)
    }

    /// Whether the account must have a second factor: by a word of an administrator, or because the tenant asks it of one of its roles,
    /// standing or granted now, of the product or the tenant's own.
    pub(crate) fn second_factor_required(&self, tenant: Tenant, user: &UserRecord) -> Result<bool, AccessError> {
        if user.must.contains(&Must::MfaSetup) {
            return Ok(true);
        }
        let asked = self.policies.policy(tenant)?.mfa_roles;
        if asked.is_empty() {
            return Ok(false);
        }
        if user.roles.iter().any(|role| asked.contains(role)) {
            return Ok(true);
        }
        let now = self.clock.now();
        let custom = self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default();
        Ok(user.grants.iter().filter(|grant| grant.counts(now)).any(|grant| match &grant.what {
            Granted::Role(name) => asked.contains(name),
            Granted::Custom(id) => custom.by_id(*id).is_some_and(|role| {
                // Whoever does what a physician does is asked for what a physician is asked for.
                asked.contains(&role.name) || role.based_on.as_ref().is_some_and(|base| asked.contains(base))
            }),
            Granted::Permission(_) => false,
        }))
    }

    /// Adds to a write set that the caller's session has a second factor by now.
    pub(super) fn session_upgrade(&self, tx: &mut Tx, caller: &Caller) -> Result<(), AccessError> {
        let Some(id) = caller.session else { return Err(AccessError::Token) };
        let session = self.session(caller.tenant, id)?.filter(|session| session.value.revoked.is_none());
        let session = session.ok_or(AccessError::Token)?;
        let stamp = self.stamp(caller.subject.id);
        if !is_alone(session.value.factor) {
            return Ok(());
        }
        let next = SessionRecord { factor: Factor::Two, proven: Some(stamp.at.0), ..session.value.clone() };
        records::change(tx, stamp, (kinds::SESSION, &id.to_string()), &session, &next)
    }

    /// Has this node look at the caller's session again.
    pub(super) fn session_lower(&self, caller: &Caller) {
        if let Some(session) = caller.session {
            self.lower(caller.tenant, kinds::SESSION, session);
        }
    }
}

/// Refuses to take away the last factor of somebody who must have one.
pub(super) fn still_enough(next: &FactorsRecord, required: bool) -> Result<(), AccessError> {
    if required && !next.any() {
        return Err(AccessError::Refused("your role asks for a second factor: set up another one first"));
    }
    Ok(())
}
