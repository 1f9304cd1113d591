//! The owner proves once more that they are there: before what is dangerous, and to change their own account.

use std::time::Duration;

use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Caller, Origin};
use iris_audit::{Action, Outcome};
use iris_kernel::{Fault, Secret, Timestamp};

use crate::identity::Identity;
use crate::records::{self, SessionRecord, Stored, UserRecord};
use crate::{kinds, username};

/// How long a proof counts for what asks for a fresh one.
pub const STEP_UP_LIFE: Duration = Duration::from_secs(600);

/// Whether the caller's last proof is too old for what is dangerous. Machines prove themselves by a secret for each token, and the
/// system is nobody.
#[must_use]
pub fn step_up_due(caller: &Caller, now: Timestamp) -> bool {
    caller.session.is_some() && caller.authenticated_at.is_none_or(|at| now.since(at) >= STEP_UP_LIFE)
}

impl Identity {
    /// Takes the caller's password as a fresh proof. Failures count like those of a sign-in.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] for a wrong one; [`AccessError::TooMany`]; [`AccessError::Refused`] for a caller without sessions.
    pub async fn step_up_by_password(
        &self,
        caller: &Caller,
        password: &Secret<String>,
        origin: &Origin,
    ) -> Result<(), AccessError> {
        self.own_password(caller, (password, "/password"), (Action::StepUp, origin)).await?;
        self.session_proven(caller, "by the password").await
    }

    /// Notes on the caller's session that the owner has just proven to be there; it counts from the next request on. Whoever calls it
    /// has looked at that proof: a password, a code, a passkey.
    pub(crate) async fn session_proven(&self, caller: &Caller, how: &str) -> Result<(), AccessError> {
        let id = caller.session.ok_or(AccessError::Refused("only people have sessions"))?;
        for _ in 0..TRIES_MAX {
            let session = self.session(caller.tenant, id)?.filter(|session| session.value.revoked.is_none());
            let session = session.ok_or(AccessError::Token)?;
            let stamp = self.stamp(caller.subject.id);
            let next = SessionRecord { proven: Some(stamp.at.0), ..session.value.clone() };
            let mut tx = self.store.begin(caller.tenant);
            records::change(&mut tx, stamp, (kinds::SESSION, &id.to_string()), &session, &next)?;
            let what = Happened::new(Action::StepUp, Outcome::Success, Some(format!("Session/{id}"))).because(how);
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
            if let Try::Done = commit(tx).await? {
                self.lower(caller.tenant, kinds::SESSION, id);
                return Ok(());
            }
        }
        Err(AccessError::Conflict)
    }

    /// Checks the caller's own password; what was wrong with it is the fault of the field `at`. A wrong one counts and is written down
    /// as a failure of `action`.
    pub(crate) async fn own_password(
        &self,
        caller: &Caller,
        (password, at): (&Secret<String>, &str),
        (action, origin): (Action, &Origin),
    ) -> Result<Stored<UserRecord>, AccessError> {
        let user = self.own_account(caller)?;
        let attempt = self.guarded_attempt(caller.tenant, &username::fold(&user.value.name), origin);
        self.wait(&attempt)?;
        let turn = self.passwords.turn().await?;
        self.wait(&attempt)?;
        // The caller knows which account it is: nothing is to be hidden by the time it takes.
        let stored = (Some(user.value.password.as_str()), None);
        let (fits, turn) = self.passwords.verify(turn, password, stored).await?;
        if fits {
            self.throttle.succeeded(&attempt);
            return Ok(user);
        }
        self.throttle.failed(&attempt, self.clock.now());
        drop(turn);
        let resource = Some(format!("User/{}", user.value.id));
        let what = Happened::new(action, Outcome::Denied, resource).because("the password is wrong");
        self.audit.record(self.event_by(caller, what)).await?;
        Err(AccessError::Invalid(vec![Fault::new(at, "is wrong")]))
    }
}
