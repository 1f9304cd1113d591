//! The second step of a sign-in, and proofs by code of somebody who is signed in.

use iris_audit::{Action, Outcome};
use iris_kernel::{Tenant, Timestamp};
use iris_store::Expect;
use uuid::Uuid;

use super::judge::{Code, Judged};
use super::record::FactorsRecord;
use super::ticket::{Purpose, TICKET_LIFE, Ticket, Tickets};
use super::{Challenge, StoredFactors, actor, of};
use crate::beginning::Beginning;
use crate::identity::Identity;
use crate::kinds;
use crate::messages::Notice;
use crate::records::{Stored, UserRecord};
use crate::sessions::Keeping;
use crate::views::Tokens;
use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Caller, Factor, Origin};

impl Identity {
    /// The challenge for somebody whose password fits.
    pub(crate) async fn challenge(
        &self,
        (tenant, user): (Tenant, &UserRecord),
        factors: &FactorsRecord,
        origin: &Origin,
    ) -> Result<Challenge, AccessError> {
        let tickets = Tickets::new(&self.store);
        let of_whom = (Purpose::SignIn, tenant, user.id.into_bytes());
        let ticket = tickets.issue(of_whom, &[&factors.stand(user)], self.clock.now(), self.entropy.as_ref());
        let what = Happened::new(Action::LoginChallenge, Outcome::Success, Some(format!("User/{}", user.id)));
        self.audit.record(self.event(tenant, actor(user), what, origin)).await?;
        Ok(Challenge { token: ticket.text(), factors: factors.kinds(), expires_in: TICKET_LIFE.as_secs() })
    }

    /// The second step of a sign-in: a challenge and a code. Both are used up by it.
    ///
    /// # Errors
    /// [`AccessError::Factor`], whatever is wrong; [`AccessError::TooMany`] after too many failures.
    pub async fn login_verify(
        &self,
        challenge: &str,
        code: Code<'_>,
        keeping: Keeping,
        origin: &Origin,
    ) -> Result<Tokens, AccessError> {
        let Some(ticket) = Ticket::parse(challenge) else { return Err(AccessError::Factor) };
        let attempt = self.attempt(ticket.tenant, &ticket.mark(), origin);
        self.wait(&attempt)?;
        let beginning = Beginning { keeping, factor: Factor::Two, origin };
        let id = Uuid::from_bytes(ticket.about);
        for _ in 0..TRIES_MAX {
            let now = self.clock.now();
            let Some((user, before)) = self.challenged(&ticket, now)? else {
                self.throttle.failed(&attempt, now);
                self.login_refused((ticket.tenant, "", None), "the challenge does not count", origin).await?;
                return Err(AccessError::Factor);
            };
            let tried = match of(&before).judge(id, code, Some(&ticket), now) {
                Judged::Wait(retry) => return Err(AccessError::TooMany { retry }),
                Judged::Fits(next) => {
                    let mut tx = self.store.begin(ticket.tenant);
                    self.factors_put(&mut tx, self.stamp(id), (id, &before), &next)?;
                    match self.session_try(&user, beginning, tx).await? {
                        Some(tokens) => return Ok(tokens),
                        None => Try::Again,
                    }
                }
                Judged::Refused(why, next) => {
                    let mut tx = self.store.begin(ticket.tenant);
                    self.factors_put(&mut tx, self.stamp(id), (id, &before), &next)?;
                    let what = Happened::new(Action::LoginFailure, Outcome::Denied, Some(format!("User/{id}")));
                    let event = self.event(ticket.tenant, actor(&user.value), what.because(why), origin);
                    tx.audit(self.audit.row(&event)?);
                    commit(tx).await?
                }
            };
            if let Try::Done = tried {
                self.throttle.failed(&attempt, now);
                return Err(AccessError::Factor);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Whose sign-in the ticket is, if it counts for the account and the factors as they are now.
    fn challenged(
        &self,
        ticket: &Ticket,
        now: Timestamp,
    ) -> Result<Option<(Stored<UserRecord>, StoredFactors)>, AccessError> {
        let id = Uuid::from_bytes(ticket.about);
        let Some(user) = self.user_enabled(ticket.tenant, id)? else { return Ok(None) };
        let factors = self.factors(ticket.tenant, id)?;
        let stand = of(&factors).stand(&user.value);
        let counts = Tickets::new(&self.store).counts(ticket, Purpose::SignIn, &[&stand], now);
        Ok(counts.then_some((user, factors)))
    }

    /// Takes a code as a fresh proof of the caller; it is used up by it.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] for a wrong one; [`AccessError::TooMany`] after too many failures.
    pub async fn step_up_by_code(&self, caller: &Caller, code: Code<'_>) -> Result<(), AccessError> {
        self.code_spend(caller, code, |_, _| Ok(None)).await?;
        self.session_proven(caller, code.how()).await
    }

    /// Spends a code of the caller. With it `more` may change the factors further, and gives the entry's action and detail if there is
    /// to be one.
    pub(super) async fn code_spend(
        &self,
        caller: &Caller,
        code: Code<'_>,
        more: impl Fn(&mut FactorsRecord, &UserRecord) -> Result<Option<(Action, &'static str)>, AccessError>,
    ) -> Result<(), AccessError> {
        let (tenant, id) = (caller.tenant, caller.subject.id);
        for _ in 0..TRIES_MAX {
            // Only people have factors; a machine's token makes no record of any.
            let user = self.own(caller)?.user;
            let before = self.factors(tenant, id)?;
            let (stamp, mut tx) = (self.stamp(id), self.store.begin(tenant));
            let (next, result, entry) = match of(&before).judge(id, code, None, self.clock.now()) {
                Judged::Wait(retry) => return Err(AccessError::TooMany { retry }),
                Judged::Fits(mut next) => {
                    let entry = more(&mut next, &user.value)?.map(|(action, why)| (action, Outcome::Success, why));
                    if entry.is_some() {
                        // Whether there must be one stands in the account.
                        tx.require(kinds::USER, &id.to_string(), Expect::Current(user.seq));
                        let notice = (&user.value, Notice::FactorRemoved);
                        self.notice_put(&mut tx, stamp, notice, &caller.correlation)?;
                    }
                    (next, Ok(()), entry)
                }
                Judged::Refused(why, next) => {
                    (next, Err(code.wrong()), Some((Action::FactorRefuse, Outcome::Denied, why)))
                }
            };
            self.factors_put(&mut tx, stamp, (id, &before), &next)?;
            if let Some((action, outcome, why)) = entry {
                let what = Happened::new(action, outcome, Some(format!("User/{id}"))).because(why);
                tx.audit(self.audit.row(&self.event_by(caller, what))?);
            }
            if let Try::Done = commit(tx).await? {
                return result;
            }
        }
        Err(AccessError::Conflict)
    }

    /// The account, if it may sign in, and its tenant is there and switched on.
    pub(super) fn user_enabled(&self, tenant: Tenant, id: Uuid) -> Result<Option<Stored<UserRecord>>, AccessError> {
        if !self.tenant_admits(tenant, self.clock.now().0)? {
            return Ok(None);
        }
        Ok(self.user(tenant, id)?.filter(|user| user.value.enabled))
    }
}
