//! A user signs in.

use iris_audit::{Action, Actor, Outcome};
use iris_kernel::{Secret, Tenant};
use uuid::Uuid;

use crate::beginning::Beginning;
use crate::factors::{self, Challenge};
use crate::identity::Identity;
use crate::kinds;
use crate::records::{Stored, UserRecord};
use crate::sessions::Keeping;
use crate::username;
use crate::views::Tokens;
use iris_access::trail::{Happened, TRIES_MAX};
use iris_access::{AccessError, Factor, Origin};

/// How the first step of a sign-in ends.
#[derive(Debug)]
pub enum Login {
    /// Signed in.
    Done(Box<Tokens>),
    /// The password fits; a second factor is needed.
    Challenge(Challenge),
}

impl Identity {
    /// The first step of a sign-in. Unknown names, wrong passwords and disabled accounts cost the same work and get the same
    /// answer. Where there is a second factor, a password that fits gives a challenge and nothing else.
    ///
    /// # Errors
    /// [`AccessError::Credentials`]; [`AccessError::TooMany`] after too many failures.
    pub async fn login(
        &self,
        tenant: Tenant,
        name: &str,
        password: &Secret<String>,
        keeping: Keeping,
        origin: &Origin,
    ) -> Result<Login, AccessError> {
        let folded = username::fold_bounded(name);
        let attempt = self.guarded_attempt(tenant, folded.as_deref().unwrap_or("\0too long"), origin);
        self.wait(&attempt)?;
        let turn = self.passwords.turn().await?;
        // Once more with the turn in hand: guesses sent all at once must not pass before the first of them has failed.
        self.wait(&attempt)?;
        let user = match &folded {
            Some(folded) => self.user_named(tenant, folded)?,
            None => None,
        };
        let stored = user.as_ref().map(|user| user.value.password.as_str());
        let imports = self.imports_dearest(tenant)?;
        let (fits, turn) = self.passwords.verify(turn, password, (stored, imports)).await?;
        let open = self.tenant_admits(tenant, self.clock.now().0)?;
        match user {
            Some(user) if fits && open && user.value.enabled => {
                self.throttle.succeeded(&attempt);
                let user = self.password_upgraded(tenant, user, (password, turn), origin).await?;
                self.first_factor_fits(tenant, user, Beginning { keeping, factor: Factor::Password, origin }).await
            }
            user => {
                self.throttle.failed(&attempt, self.clock.now());
                drop(turn);
                let why = match &user {
                    None => "no such account",
                    Some(_) if !open => "the tenant is switched off",
                    Some(user) if !user.value.enabled => "the account is disabled",
                    Some(_) => "the password is wrong",
                };
                let user = user.map(|user| user.value.id);
                self.login_refused((tenant, name, user), why, origin).await?;
                Err(AccessError::Credentials)
            }
        }
    }

    /// A session, or a challenge where one factor alone, a password or the portal's code, is not enough. The session is stored provided
    /// that the account is still the one that was checked, and still has no second factor.
    pub(crate) async fn first_factor_fits(
        &self,
        tenant: Tenant,
        mut user: Stored<UserRecord>,
        beginning: Beginning<'_>,
    ) -> Result<Login, AccessError> {
        let id = user.value.id;
        for _ in 0..TRIES_MAX {
            let factors = self.factors(tenant, id)?;
            if factors::of(&factors).any() {
                return self
                    .challenge((tenant, &user.value), &factors::of(&factors), beginning.origin)
                    .await
                    .map(Login::Challenge);
            }
            let mut tx = self.store.begin(tenant);
            tx.require(kinds::FACTORS, &id.to_string(), factors::expected(&factors));
            if let Some(tokens) = self.session_try(&user, beginning, tx).await? {
                return Ok(Login::Done(Box::new(tokens)));
            }
            user = match self.user(tenant, id)? {
                Some(fresh) if fresh.value.enabled && fresh.value.password == user.value.password => fresh,
                _ => return Err(AccessError::Credentials),
            };
        }
        Err(AccessError::Conflict)
    }

    /// Writes down a sign-in that was refused. The name is what somebody typed: nobody has proven it.
    pub(crate) async fn login_refused(
        &self,
        (tenant, name, user): (Tenant, &str, Option<Uuid>),
        why: &str,
        origin: &Origin,
    ) -> Result<(), AccessError> {
        let resource = user.map(|user| format!("User/{user}"));
        let what = Happened::new(Action::LoginFailure, Outcome::Denied, resource).because(why);
        let tenant = self.log_tenant(tenant)?;
        self.audit.record(self.event(tenant, Actor::unknown(name), what, origin)).await?;
        Ok(())
    }
}
