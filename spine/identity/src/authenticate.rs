//! From a bearer token to a caller.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use iris_audit::{Action, Actor, Outcome};
use iris_crypto::digest::sha256;
use iris_kernel::{Kind, Tenant, Timestamp};
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::records::{self, RevokedTokenRecord, SessionRecord, UserRecord};
use crate::roles::ROLES_ID;
use crate::sessions::is_alone;
use crate::standing::{Standing, Verified};
use crate::tenants::TENANTS_ID;
use crate::token::{Claims, TokenFault};
use iris_access::trail::Happened;
use iris_access::{AccessError, Caller, Factor, Limit, Origin, Proven, Scopes, Subject, SubjectKind};

impl Identity {
    /// Who stands behind an access token (the text after `Bearer `). A token that was verified before costs a hash and a look.
    ///
    /// A token that we signed but that no longer counts (revoked, account disabled) is recorded, once; what we never signed is
    /// not, so that nobody can fill the log with garbage, nor is one that merely expired.
    ///
    /// # Errors
    /// [`AccessError::Token`].
    pub async fn authenticate(&self, bearer: &str, origin: Origin) -> Result<Arc<Caller>, AccessError> {
        let now = self.clock.now();
        let key = sha256(&[bearer.as_bytes()]);
        if let Some(verified) = self.verified.get(&key, now) {
            return Ok(Arc::new(verified.caller(self.policies.view(&verified.proven, now)?, origin)));
        }
        let mut read = self.keys()?.verify(bearer, now);
        if read == Err(TokenFault::UnknownKey)
            && let Some(ring) = self.keys.ring_again(&self.store, now)?
        {
            read = ring.verify(bearer, now);
        }
        let claims = read.map_err(|fault| {
            tracing::debug!(%fault, correlation = %origin.correlation, "access token refused");
            AccessError::Token
        })?;
        match self.verified(&claims, now)? {
            Ok(verified) => {
                let verified = Arc::new(verified);
                self.verified.remember(key, &verified);
                Ok(Arc::new(verified.caller(self.policies.view(&verified.proven, now)?, origin)))
            }
            Err(why) => self.token_refused(key, &claims, why, &origin).await,
        }
    }

    async fn token_refused(
        &self,
        key: [u8; 32],
        claims: &Claims,
        why: &str,
        origin: &Origin,
    ) -> Result<Arc<Caller>, AccessError> {
        if !self.verified.refusal_known(&key) {
            let actor = Actor::new(claims.sub.into_bytes(), "");
            let what = Happened::new(Action::TokenRefused, Outcome::Denied, Some(format!("Token/{}", claims.jti)));
            self.audit.record(self.event(Tenant(claims.tenant), actor, what.because(why), origin)).await?;
            self.verified.refusal_remember(key);
        }
        Err(AccessError::Token)
    }

    /// Asks the account and the session behind a token; the inner error says why it no longer counts.
    fn verified(&self, claims: &Claims, now: Timestamp) -> Result<Result<Verified, &'static str>, AccessError> {
        match claims.kind.as_str() {
            "user" => self.verified_user(claims, now),
            "client" => self.verified_client(claims, now),
            _ => Ok(Err("the token is of no known kind")),
        }
    }

    fn standing(&self, tenant: Tenant, kind: Kind, id: Uuid) -> Standing {
        self.standings.take(self.store.record_id(tenant, kind, &id.to_string()))
    }

    /// What everybody in a tenant depends on: the roles that it made, and whether it is switched on.
    fn standing_of_tenant(&self, tenant: Tenant) -> Vec<Standing> {
        let roles = self.store.record_id(tenant, kinds::ROLES, ROLES_ID);
        let tenants = self.store.record_id(Tenant::PLATFORM, kinds::TENANTS, TENANTS_ID);
        vec![self.standings.take(roles), self.standings.take(tenants)]
    }

    /// Lowers the flag of a record that this node has just changed. The store tells of it too, but a moment late where the changes of
    /// other nodes before it cannot be read.
    pub(crate) fn lower(&self, tenant: Tenant, kind: Kind, id: Uuid) {
        self.standings.lower(self.store.record_id(tenant, kind, &id.to_string()));
    }

    fn verified_user(&self, claims: &Claims, now: Timestamp) -> Result<Result<Verified, &'static str>, AccessError> {
        let tenant = Tenant(claims.tenant);
        let Some(sid) = claims.sid else { return Ok(Err("the token names no session")) };
        // Before the reads, see `Standings`.
        let mut standing = self.standing_of_tenant(tenant);
        standing.extend([self.standing(tenant, kinds::USER, claims.sub), self.standing(tenant, kinds::SESSION, sid)]);
        let Some(user) = self.user(tenant, claims.sub)?.filter(|user| user.value.enabled) else {
            return Ok(Err("the account is gone or disabled"));
        };
        let session = self.store.current(tenant, kinds::SESSION, &sid.to_string())?;
        let session = match records::read::<SessionRecord>(session)? {
            Some(session) if session.value.counts_for(&user.value) => session.value,
            _ => return Ok(Err("the session is gone or revoked")),
        };
        if !self.tenant_admits(tenant, session.created)? {
            return Ok(Err("the tenant is switched off, or was since"));
        }
        let held = self.rules_at(tenant, &user.value, now)?;
        Ok(Ok(Verified {
            proven: Proven {
                subject: Subject { id: claims.sub, name: user.value.name.as_str().into(), kind: SubjectKind::User },
                tenant,
                roles: held.roles,
                rules: held.rules.into(),
                scopes: None,
                patient: user.value.patient.as_deref().map(Into::into),
                practitioner: user.value.practitioner.as_deref().map(Into::into),
                departments: user.value.departments.clone().into(),
                authenticated_at: Some(session.proven_at()),
                factor: Some(session.factor),
                limited: self.limit_of(tenant, &user.value, (session.factor, now))?,
                session: Some(sid),
                token: claims.jti,
            },
            expires: claims.exp,
            until: held.until,
            standing,
            checked: now,
            seen: AtomicI64::new(now.0),
        }))
    }

    /// What the account has to do before anything else in a session that began by this proof; the password first, so that a stolen
    /// one sets up no factor.
    pub(crate) fn limit_of(
        &self,
        tenant: Tenant,
        user: &UserRecord,
        (factor, now): (Factor, Timestamp),
    ) -> Result<Option<Limit>, AccessError> {
        if self.rules.change_due(user, now) {
            return Ok(Some(Limit::PasswordChange));
        }
        Ok((is_alone(factor) && self.second_factor_required(tenant, user)?).then_some(Limit::MfaSetup))
    }

    fn verified_client(&self, claims: &Claims, now: Timestamp) -> Result<Result<Verified, &'static str>, AccessError> {
        let tenant = Tenant(claims.tenant);
        let mut standing = self.standing_of_tenant(tenant);
        standing.extend([
            self.standing(tenant, kinds::CLIENT, claims.sub),
            self.standing(tenant, kinds::REVOKED_TOKEN, claims.jti),
        ]);
        if !self.tenant_admits(tenant, claims.iat.saturating_mul(1_000_000))? {
            return Ok(Err("the tenant is switched off, or was since"));
        }
        let Some(client) = self.client(tenant, claims.sub)?.filter(|client| client.value.enabled) else {
            return Ok(Err("the client is gone or disabled"));
        };
        let revoked = self.store.current(tenant, kinds::REVOKED_TOKEN, &claims.jti.to_string())?;
        if records::read::<RevokedTokenRecord>(revoked)?.is_some() {
            return Ok(Err("the token was revoked"));
        }
        let granted = Scopes::parse(&client.value.scope);
        let scopes = claims.scope.as_deref().map(Scopes::parse);
        let (Ok(granted), Some(Ok(scopes))) = (granted, scopes) else {
            return Ok(Err("the scopes are not known"));
        };
        if !granted.cover(&scopes) {
            return Ok(Err("the scopes are no longer granted"));
        }
        Ok(Ok(Verified {
            proven: Proven {
                subject: Subject { id: claims.sub, name: client.value.name.as_str().into(), kind: SubjectKind::Client },
                tenant,
                roles: iris_access::RoleSet::default(),
                rules: Arc::default(),
                scopes: Some(Arc::new(scopes)),
                patient: None,
                practitioner: None,
                departments: Arc::default(),
                authenticated_at: None,
                factor: None,
                limited: None,
                session: None,
                token: claims.jti,
            },
            expires: claims.exp,
            until: None,
            standing,
            checked: now,
            seen: AtomicI64::new(now.0),
        }))
    }
}
