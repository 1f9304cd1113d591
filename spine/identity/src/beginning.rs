//! A session begins, and the tokens of one.

use std::time::Duration;

use iris_access::trail::{Happened, Try, commit};
use iris_access::{AccessError, Factor, Origin, SubjectKind};
use iris_audit::{Action, Actor, Outcome};
use iris_kernel::{Secret, Tenant, Timestamp};
use iris_store::Tx;
use uuid::Uuid;

use crate::identity::Identity;
use crate::messages::Notice;
use crate::records::{self, SessionRecord, Stored, UserRecord};
use crate::refresh_token::RefreshToken;
use crate::sessions::{Keeping, PORTAL_SESSIONS, REFRESH_LIFE, SESSION_LIFE};
use crate::token::{ACCESS_SECONDS, AUDIENCE, Claims, ISSUER};
use crate::views::{Profile, SessionView, Tokens};
use crate::{kinds, username};

/// Shortest time between two notices of sign-ins on new devices.
const DEVICE_NOTICE_REST: Duration = Duration::from_secs(3_600);

/// How somebody came in.
#[derive(Clone, Copy)]
pub(crate) struct Beginning<'a> {
    /// Who keeps the refresh token.
    pub(crate) keeping: Keeping,
    /// What was proven.
    pub(crate) factor: Factor,
    /// Where the request comes from.
    pub(crate) origin: &'a Origin,
}

impl Identity {
    /// Stores the session with its entry, together with what the write set holds already, provided that the account is still the one
    /// that was checked, and gives the device its token; `None` if somebody changed something of it in between. Whoever calls it has
    /// proven everything that the account asks for.
    pub(crate) async fn session_try(
        &self,
        user: &Stored<UserRecord>,
        Beginning { keeping, factor, origin }: Beginning<'_>,
        mut tx: Tx,
    ) -> Result<Option<Tokens>, AccessError> {
        let pages = *self.pages.read();
        let (idle, life) = match (factor, keeping) {
            (Factor::Portal, _) => (PORTAL_SESSIONS.idle, PORTAL_SESSIONS.life),
            (_, Keeping::Program) => (REFRESH_LIFE, SESSION_LIFE),
            (_, Keeping::Browser) => (pages.idle, pages.life),
        };
        let tenant = tx.tenant();
        let id = self.entropy.uuid();
        let token = RefreshToken::first(tenant, id, self.entropy.as_ref());
        let stamp = self.stamp(user.value.id);
        if !self.tenant_admits(tenant, stamp.at.0)? {
            return Err(AccessError::Credentials);
        }
        let session = SessionRecord {
            user: user.value.id,
            epoch: user.value.epoch,
            browser: Some(keeping == Keeping::Browser),
            idle: (idle != REFRESH_LIFE).then_some(idle.as_secs()),
            factor,
            proven: Some(stamp.at.0),
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
        records::add(&mut tx, stamp, kinds::SESSION, &id.to_string(), &session)?;
        self.session_enlist(&mut tx, stamp, (tenant, &user.value), (id, &session))?;
        let mut next = UserRecord { last_login: Some(stamp.at.0), ..user.value.clone() };
        if factor != Factor::Portal && self.is_on_new_device(tenant, &user.value, origin) {
            next.device_told = Some(stamp.at.0);
            self.notice_put(&mut tx, stamp, (&user.value, Notice::NewDevice), &origin.correlation)?;
        }
        records::change(&mut tx, stamp, (kinds::USER, &user.value.id.to_string()), user, &next)?;
        let actor = Actor::new(user.value.id.into_bytes(), &*user.value.name);
        let what = Happened::new(Action::LoginSuccess, Outcome::Success, Some(format!("Session/{id}")));
        tx.audit(self.audit.row(&self.event(tenant, actor, what, origin))?);
        match commit(tx).await? {
            Try::Again => Ok(None),
            Try::Done => {
                // What the account may do is as it was: what is remembered of its other sessions needs no new look, but gets one.
                self.lower(tenant, kinds::USER, user.value.id);
                let tokens = self.user_tokens(tenant, &user.value, (id, &session), &token)?;
                let folded = username::fold(&user.value.name);
                let (shown, entropy) = (origin.device.as_deref(), self.entropy.as_ref());
                let device = self.devices.give(shown, tenant, &folded, stamp.at, entropy);
                Ok(Some(Tokens { device: Some(device), ..tokens }))
            }
        }
    }

    /// Whether the owner is to be told that somebody signed in on a device on which the account is not known: not of the first sign-in,
    /// and once an hour at most, since programs that keep no device's token are always new.
    fn is_on_new_device(&self, tenant: Tenant, user: &UserRecord, origin: &Origin) -> bool {
        let now = self.clock.now();
        let rested = user.device_told.is_none_or(|told| now.since(Timestamp(told)) >= DEVICE_NOTICE_REST);
        let folded = username::fold(&user.name);
        let is_known = || self.devices.known(origin.device.as_deref(), tenant, &folded, now).is_some();
        user.last_login.is_some() && rested && !is_known()
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
        let session_factor = session.factor;
        let held = self.rules_at(tenant, user, self.clock.now())?;
        let claims = self.claims(tenant, user.id, SubjectKind::User);
        let refresh_until = Timestamp(session.expires.min(session.ends));
        let exp = claims.exp.min(refresh_until.seconds());
        let expires_in = u64::try_from(exp.saturating_sub(claims.iat)).unwrap_or(0);
        let claims = Claims {
            exp,
            sid: Some(id),
            roles: held.roles.names().into_iter().map(str::to_owned).collect(),
            permissions: held.permissions().names().into_iter().map(str::to_owned).collect(),
            ..claims
        };
        let mut profile = Profile {
            id: user.id,
            name: user.name.clone(),
            kind: SubjectKind::User.name(),
            tenant: tenant.0,
            roles: held.roles.names(),
            permissions: held.permissions().names(),
            scope: None,
            patient_id: user.patient.clone(),
            session_id: Some(id),
            ..Profile::default()
        };
        profile.add(user);
        let access = Secret::new(self.keys()?.sign(&claims)?);
        let idle = session.idle.map_or(REFRESH_LIFE, Duration::from_secs);
        let session = SessionView { id, idle, refresh_until, ends: Timestamp(session.ends) };
        Ok(Tokens {
            access,
            expires_in,
            refresh: Some(refresh.text()),
            scope: None,
            session: Some(session),
            device: None,
            must: self.limit_of(tenant, user, (session_factor, self.clock.now()))?,
            offers_passkey: false,
            profile,
        })
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
