//! A user signs in.

use std::time::Duration;

use iris_audit::{Action, Actor, Outcome};
use iris_kernel::{Secret, Tenant, Timestamp};
use iris_store::Expect;
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::records::{self, SessionRecord, Stored, UserRecord};
use crate::refresh_token::RefreshToken;
use crate::sessions::{Keeping, REFRESH_LIFE, SESSION_LIFE};
use crate::token::{ACCESS_SECONDS, AUDIENCE, Claims, ISSUER};
use crate::username;
use crate::views::{Profile, SessionView, Tokens};
use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Origin, SubjectKind};

impl Identity {
    /// Signs a user in. Unknown names, wrong passwords and disabled accounts cost the same work and get the same answer.
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
    ) -> Result<Tokens, AccessError> {
        let folded = username::fold_bounded(name);
        let attempt = self.attempt(tenant, folded.as_deref().unwrap_or("\0too long"), origin);
        self.wait(&attempt)?;
        let turn = self.passwords.turn().await?;
        // Once more with the turn in hand: guesses sent all at once must not pass before the first of them has failed.
        self.wait(&attempt)?;
        let user = match &folded {
            Some(folded) => self.user_named(tenant, folded)?,
            None => None,
        };
        let stored = user.as_ref().map(|user| user.value.password.as_str());
        let (fits, turn) = self.passwords.verify(turn, password, stored).await?;
        match user {
            Some(user) if fits && user.value.enabled => {
                self.throttle.succeeded(&attempt);
                drop(turn);
                self.session_begin(tenant, user, keeping, origin).await
            }
            user => {
                self.throttle.failed(&attempt, self.clock.now());
                drop(turn);
                self.login_refused(tenant, name, user, origin).await
            }
        }
    }

    async fn login_refused(
        &self,
        tenant: Tenant,
        name: &str,
        user: Option<Stored<UserRecord>>,
        origin: &Origin,
    ) -> Result<Tokens, AccessError> {
        let why = match &user {
            None => "no such account",
            Some(user) if !user.value.enabled => "the account is disabled",
            Some(_) => "the password is wrong",
        };
        let resource = user.map(|user| format!("User/{}", user.value.id));
        let what = Happened::new(Action::LoginFailure, Outcome::Denied, resource).because(why);
        let tenant = self.log_tenant(tenant)?;
        self.audit.record(self.event(tenant, Actor::unknown(name), what, origin)).await?;
        Err(AccessError::Credentials)
    }

    /// Stores the session with its entry, provided that the account is still the one that was checked.
    async fn session_begin(
        &self,
        tenant: Tenant,
        mut user: Stored<UserRecord>,
        keeping: Keeping,
        origin: &Origin,
    ) -> Result<Tokens, AccessError> {
        let pages = *self.pages.read();
        let (idle, life) = match keeping {
            Keeping::Program => (REFRESH_LIFE, SESSION_LIFE),
            Keeping::Browser => (pages.idle, pages.life),
        };
        for _ in 0..TRIES_MAX {
            let id = self.entropy.uuid();
            let token = RefreshToken::first(tenant, id, self.entropy.as_ref());
            let stamp = self.stamp(user.value.id);
            let session = SessionRecord {
                user: user.value.id,
                epoch: user.value.epoch,
                idle: matches!(keeping, Keeping::Browser).then_some(idle.as_secs()),
                family: token.family_hash(),
                generation: token.generation,
                token: token.hash(),
                previous: None,
                created: stamp.at.0,
                refreshed: stamp.at.0,
                expires: stamp.at.plus(idle.min(life)).0,
                ends: stamp.at.plus(life).0,
                revoked: None,
                address: origin.address.as_deref().map(str::to_owned),
                agent: origin.agent.as_deref().map(|agent| agent.chars().take(200).collect()),
            };
            let mut tx = self.store.begin(tenant);
            records::add(&mut tx, stamp, kinds::SESSION, &id.to_string(), &session)?;
            tx.require(kinds::USER, &user.value.id.to_string(), Expect::Current(user.seq));
            let actor = Actor::new(user.value.id.into_bytes(), &*user.value.name);
            let what = Happened::new(Action::LoginSuccess, Outcome::Success, Some(format!("Session/{id}")));
            tx.audit(self.audit.row(&self.event(tenant, actor, what, origin))?);
            if let Try::Done = commit(tx).await? {
                return self.user_tokens(tenant, &user.value, (id, &session), &token);
            }
            user = match self.user(tenant, user.value.id)? {
                Some(fresh) if fresh.value.enabled && fresh.value.password == user.value.password => fresh,
                _ => return Err(AccessError::Credentials),
            };
        }
        Err(AccessError::Conflict)
    }

    /// The pair for a session whose present refresh token is `refresh`. The access token lives no longer than the refresh
    /// token, so that the end of a session is one for everything that came of it.
    pub(crate) fn user_tokens(
        &self,
        tenant: Tenant,
        user: &UserRecord,
        (id, session): (Uuid, &SessionRecord),
        refresh: &RefreshToken,
    ) -> Result<Tokens, AccessError> {
        let roles = user.role_set()?;
        let claims = self.claims(tenant, user.id, SubjectKind::User);
        let refresh_until = Timestamp(session.expires.min(session.ends));
        let exp = claims.exp.min(refresh_until.seconds());
        let expires_in = u64::try_from(exp.saturating_sub(claims.iat)).unwrap_or(0);
        let claims = Claims {
            exp,
            sid: Some(id),
            roles: user.roles.clone(),
            permissions: roles.permissions().names().into_iter().map(str::to_owned).collect(),
            ..claims
        };
        let profile = Profile {
            id: user.id,
            name: user.name.clone(),
            kind: SubjectKind::User.name(),
            tenant: tenant.0,
            roles: roles.names(),
            permissions: roles.permissions().names(),
            scope: None,
            patient_id: user.patient.clone(),
            session_id: Some(id),
        };
        let access = Secret::new(self.keys()?.sign(&claims)?);
        let idle = session.idle.map_or(REFRESH_LIFE, Duration::from_secs);
        let session = SessionView { id, idle, refresh_until, ends: Timestamp(session.ends) };
        Ok(Tokens { access, expires_in, refresh: Some(refresh.text()), scope: None, session: Some(session), profile })
    }

    /// The claims that every access token has.
    pub(crate) fn claims(&self, tenant: Tenant, subject: Uuid, kind: SubjectKind) -> Claims {
        let now = self.clock.now().seconds();
        Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject,
            jti: self.entropy.uuid(),
            iat: now,
            nbf: now,
            exp: now.saturating_add_unsigned(ACCESS_SECONDS),
            tenant: tenant.0,
            kind: kind.name().to_owned(),
            sid: None,
            roles: Vec::new(),
            permissions: Vec::new(),
            scope: None,
        }
    }
}
