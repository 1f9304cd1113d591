//! Callers who may not, and those who may but have to do something else first: set up a factor, set a password, prove once more who
//! they are.

use iris_access::{Caller, Denial, Limit, Target};
use iris_audit::Outcome;
use iris_identity::step_up::step_up_due;
use iris_kernel::ErrorKind;
use iris_resources::{Refusal, Who};

use super::Call;
use crate::endpoint::Needs;
use crate::problem::Problem;

/// Where a caller's own account is.
const AUTH: &str = "/api/v1/auth/";
/// Others' accounts stand below it too, and who is among them is not for a session that has shown half of what it must.
const OTHERS: &str = "/api/v1/auth/users";

impl Call {
    /// A session that has to be used for something else first is good for the caller's own account alone.
    pub(super) async fn unlimited(&self, caller: &Caller) -> Result<(), Problem> {
        let path = self.endpoint.path;
        let is_own = self.endpoint.needs == Needs::SignedIn && path.starts_with(AUTH) && !path.starts_with(OTHERS);
        let (kind, what) = match caller.limited {
            None => return Ok(()),
            Some(_) if is_own => return Ok(()),
            Some(Limit::MfaSetup) => {
                (ErrorKind::MfaSetupRequired, "set up a second factor first: POST /api/v1/auth/mfa/setup")
            }
            Some(Limit::PasswordChange) => {
                (ErrorKind::PasswordChangeRequired, "set a new password first: POST /api/v1/auth/change-password")
            }
        };
        Err(self.held_back(caller, kind, what).await)
    }

    /// What is dangerous asks for a proof that is not old: a screen that somebody left, or a stolen token, must not be enough.
    pub(super) async fn fresh(&self, caller: &Caller) -> Result<(), Problem> {
        if !self.endpoint.step_up || !step_up_due(caller, self.app.clock.now()) {
            return Ok(());
        }
        let what = "show once more who you are: POST /api/v1/auth/step-up";
        Err(self.held_back(caller, ErrorKind::StepUpRequired, what).await)
    }

    /// Writes down that a caller has to do something else first, then makes that the answer.
    async fn held_back(&self, caller: &Caller, kind: ErrorKind, what: &str) -> Problem {
        let action = iris_audit::Action::AccessDenied;
        let mut event = Who::caller(caller).event(action, Outcome::Denied, self.app.clock.now());
        event.query = format!("{} {}: {what}", self.parts.method, self.endpoint.path);
        match self.app.audit.record(event).await {
            Ok(_receipt) => Problem::new(kind, what),
            Err(cause) => Refusal::from(cause).into(),
        }
    }

    /// Writes a refusal down, then makes it the answer.
    pub(super) async fn denied(&self, caller: &Caller, target: Target, denial: Denial) -> Problem {
        metrics::counter!(crate::metrics::DENIED).increment(1);
        let action = match target {
            Target::Kind(_) => iris_audit::Action::PhiDenied,
            Target::Named(_) => iris_audit::Action::AccessDenied,
        };
        let mut event = Who::caller(caller).event(action, Outcome::Denied, self.app.clock.now());
        event.query = format!("{} {}: {denial}", self.parts.method, self.endpoint.path);
        match self.app.audit.record(event).await {
            Ok(_receipt) if denial.kind() == ErrorKind::NotFound => Refusal::not_found().into(),
            Ok(_receipt) => Refusal::from(denial).into(),
            Err(cause) => Refusal::from(cause).into(),
        }
    }
}
