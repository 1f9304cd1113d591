//! Refreshing and ending sessions.

use std::time::Duration;

use iris_audit::{Action, Actor, Outcome};
use iris_kernel::Timestamp;
use iris_store::Expect;
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::records::{self, Previous, Revoked, RevokedTokenRecord, SessionRecord, Stored, UserRecord};
use crate::refresh_token::{RefreshToken, same};
use crate::token::ACCESS_SECONDS;
use crate::views::Tokens;
use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Caller, Factor, Origin};

/// How long a refresh token can be exchanged: 30 days from its own issue.
pub const REFRESH_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// How long a session lasts at most, however often it is refreshed.
pub const SESSION_LIFE: Duration = Duration::from_secs(90 * 86_400);
/// How long after an exchange the same exchange is answered again with the same successor: the answer may have been lost, or
/// two windows of one application may have asked at once.
pub const REFRESH_RETRY: Duration = Duration::from_secs(10);

/// How long the sessions of pages last: in a clinic somebody else may come to the same screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSessions {
    /// The session is over after this time without an exchange; pages exchange only while somebody works with them.
    pub idle: Duration,
    /// The session is over after this time in any case.
    pub life: Duration,
}

impl Default for PageSessions {
    /// A quarter of an hour idle, twelve hours in all: one shift.
    fn default() -> Self {
        Self { idle: Duration::from_secs(15 * 60), life: Duration::from_secs(12 * 3_600) }
    }
}

/// Sessions of patients who came in by a one-time code: half an hour idle, two hours in all.
pub(crate) const PORTAL_SESSIONS: PageSessions =
    PageSessions { idle: Duration::from_secs(30 * 60), life: Duration::from_secs(2 * 3_600) };

/// Who keeps the refresh token of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// The program that signed in; [`REFRESH_LIFE`] and [`SESSION_LIFE`] hold.
    Program,
    /// A browser, in a cookie that its scripts cannot read; [`PageSessions`] hold.
    Browser,
}

/// Whether this proof is one factor alone: a password that somebody knows, or a code that came to a telephone or address.
pub(crate) const fn is_alone(factor: Factor) -> bool {
    matches!(factor, Factor::Password | Factor::Portal)
}

/// What a refresh token that belongs to a session turns out to be.
enum Shown {
    /// The one that can be exchanged.
    Present,
    /// The one before, shown again at once.
    Repeated([u8; 32]),
    /// An older one.
    Used,
}

impl Identity {
    /// Exchanges a refresh token for a new pair. Of concurrent exchanges one wins and the others get the same successor.
    /// `keeping` says how the token came; one that was given to a browser is not taken from elsewhere, and the reverse.
    ///
    /// A token that is good is exchanged however often others have failed from the same address: there is nothing about it to guess.
    ///
    /// # Errors
    /// [`AccessError::Refresh`]. A token that was used before ends its whole session, durably; so does one that comes too late.
    /// [`AccessError::TooMany`] for one that is no good, after too many of these.
    pub async fn refresh(&self, token: &str, keeping: Keeping, origin: &Origin) -> Result<Tokens, AccessError> {
        let Some(token) = RefreshToken::parse(token) else { return Err(AccessError::Refresh) };
        for _ in 0..TRIES_MAX {
            let Some((session, user)) = self.session_of(&token)? else {
                return self.refresh_refused(&token, None, "no such session", origin).await;
            };
            if let Some(why) = unusable(&session.value, &user.value, keeping) {
                return self.refresh_refused(&token, Some(&user.value), why, origin).await;
            }
            if self.clock.now().0 >= session.value.expires.min(session.value.ends) {
                match self.expired(&token, &session, &user.value, origin).await? {
                    Try::Done => return Err(AccessError::Refresh),
                    Try::Again => continue,
                }
            }
            let exchanged = match shown(&session.value, &token, self.clock.now()) {
                Shown::Present => self.rotate(&token, &session, &user, origin).await?,
                Shown::Repeated(salt) => {
                    let what = Happened::new(Action::TokenRefresh, Outcome::Success, Some(resource(&token)))
                        .because("the same exchange again");
                    self.audit.record(self.event(token.tenant, actor(&user.value), what, origin)).await?;
                    Some((token.successor(&salt), session.value.clone()))
                }
                Shown::Used => match self.reused(&token, &session, &user.value, origin).await? {
                    Try::Done => return Err(AccessError::Refresh),
                    Try::Again => None,
                },
            };
            if let Some((successor, session)) = exchanged {
                return self.user_tokens(token.tenant, &user.value, (token.session, &session), &successor);
            }
        }
        Err(AccessError::Conflict)
    }

    /// The session that the token proves to belong to, with its user; `None` if there is none, or the token proves nothing.
    #[allow(clippy::type_complexity, reason = "a pair")]
    fn session_of(
        &self,
        token: &RefreshToken,
    ) -> Result<Option<(Stored<SessionRecord>, Stored<UserRecord>)>, AccessError> {
        let row = self.store.current(token.tenant, kinds::SESSION, &token.session.to_string())?;
        let Some(session) = records::read::<SessionRecord>(row)? else { return Ok(None) };
        if !same(&session.value.family, &token.family_hash()) {
            return Ok(None);
        }
        if !self.tenant_admits(token.tenant, session.value.created)? {
            return Ok(None);
        }
        Ok(self.user(token.tenant, session.value.user)?.map(|user| (session, user)))
    }

    /// Stores the successor and gives it with the session as it is now; `None` if the session or the account was changed in between.
    async fn rotate(
        &self,
        token: &RefreshToken,
        session: &Stored<SessionRecord>,
        user: &Stored<UserRecord>,
        origin: &Origin,
    ) -> Result<Option<(RefreshToken, SessionRecord)>, AccessError> {
        let idle = session.value.idle.map_or(REFRESH_LIFE, Duration::from_secs);
        let mut salt = [0; 32];
        self.entropy.fill(&mut salt);
        let successor = token.successor(&salt);
        let stamp = self.stamp(user.value.id);
        let next = SessionRecord {
            generation: successor.generation,
            token: successor.hash(),
            previous: Some(Previous { token: token.hash(), salt }),
            refreshed: stamp.at.0,
            expires: stamp.at.plus(idle).0.min(session.value.ends),
            ..session.value.clone()
        };
        let mut tx = self.store.begin(token.tenant);
        let id = token.session.to_string();
        records::change(&mut tx, stamp, (kinds::SESSION, &id), session, &next)?;
        tx.require(kinds::USER, &user.value.id.to_string(), Expect::Current(user.seq));
        let what = Happened::new(Action::TokenRefresh, Outcome::Success, Some(resource(token)));
        tx.audit(self.audit.row(&self.event(token.tenant, actor(&user.value), what, origin))?);
        Ok(match commit(tx).await? {
            Try::Done => Some((successor, next)),
            Try::Again => None,
        })
    }

    /// A used token came back: somebody else has it. Nobody can tell the thief from the owner, so both are out.
    async fn reused(
        &self,
        token: &RefreshToken,
        session: &Stored<SessionRecord>,
        user: &UserRecord,
        origin: &Origin,
    ) -> Result<Try, AccessError> {
        let what = Happened::new(Action::TokenReuse, Outcome::Denied, Some(resource(token)))
            .because("a used refresh token was shown again; the session was revoked");
        let event = self.event(token.tenant, actor(user), what, origin);
        self.session_end(token.session, session, (user.id, "a used refresh token was shown again"), event).await
    }

    /// The session has run out, and nobody could go on with it; now the record and the log say so too.
    async fn expired(
        &self,
        token: &RefreshToken,
        session: &Stored<SessionRecord>,
        user: &UserRecord,
        origin: &Origin,
    ) -> Result<Try, AccessError> {
        let over = self.clock.now().0 >= session.value.ends;
        let why = if over { "the session's time was over" } else { "the session was idle for too long" };
        let what = Happened::new(Action::SessionExpire, Outcome::Denied, Some(resource(token))).because(why);
        let event = self.event(token.tenant, actor(user), what, origin);
        self.session_end(token.session, session, (user.id, why), event).await
    }

    pub(crate) async fn session_end(
        &self,
        id: Uuid,
        session: &Stored<SessionRecord>,
        (author, why): (Uuid, &str),
        event: iris_audit::Event,
    ) -> Result<Try, AccessError> {
        let stamp = self.stamp(author);
        let ended =
            SessionRecord { revoked: Some(Revoked { at: stamp.at.0, why: why.to_owned() }), ..session.value.clone() };
        let mut tx = self.store.begin(event.tenant);
        records::change(&mut tx, stamp, (kinds::SESSION, &id.to_string()), session, &ended)?;
        tx.audit(self.audit.row(&event)?);
        let tried = commit(tx).await?;
        if let Try::Done = tried {
            self.lower(event.tenant, kinds::SESSION, id);
        }
        Ok(tried)
    }

    /// Refuses, and counts it; who has failed too often leaves no further entry in the log.
    async fn refresh_refused(
        &self,
        token: &RefreshToken,
        user: Option<&UserRecord>,
        why: &str,
        origin: &Origin,
    ) -> Result<Tokens, AccessError> {
        let attempt = self.attempt(token.tenant, &token.session.to_string(), origin);
        self.wait(&attempt)?;
        self.throttle.failed(&attempt, self.clock.now());
        let actor = user.map_or_else(|| Actor::unknown(""), actor);
        let what = Happened::new(Action::TokenRefused, Outcome::Denied, Some(resource(token))).because(why);
        let tenant = self.log_tenant(token.tenant)?;
        self.audit.record(self.event(tenant, actor, what, origin)).await?;
        Err(AccessError::Refresh)
    }

    /// Ends the caller's session with all its tokens, or revokes the client's token; durable when it returns.
    ///
    /// # Errors
    /// The store cannot take it: nothing was ended.
    pub async fn logout(&self, caller: &Caller) -> Result<(), AccessError> {
        let Some(id) = caller.session else { return self.token_revoke(caller).await };
        for _ in 0..TRIES_MAX {
            let row = self.store.current(caller.tenant, kinds::SESSION, &id.to_string())?;
            let session = match records::read::<SessionRecord>(row)? {
                Some(session) if session.value.revoked.is_none() => session,
                _ => return Ok(()),
            };
            let event =
                self.event_by(caller, Happened::new(Action::Logout, Outcome::Success, Some(format!("Session/{id}"))));
            if let Try::Done = self.session_end(id, &session, (caller.subject.id, "sign-out"), event).await? {
                return Ok(());
            }
        }
        Err(AccessError::Conflict)
    }

    /// Ends the session of a browser to which this refresh token belongs, whichever of its tokens it is; durable when it returns.
    /// What is no token, or one of a program, or of a session that has ended, ends nothing. `why` stands in the log.
    ///
    /// # Errors
    /// The store cannot take it: nothing was ended.
    pub async fn page_session_end(&self, token: &str, why: &str, origin: &Origin) -> Result<(), AccessError> {
        let Some(token) = RefreshToken::parse(token) else { return Ok(()) };
        for _ in 0..TRIES_MAX {
            let Some((session, user)) = self.session_of(&token)? else { return Ok(()) };
            if !session.value.is_browsers() || !session.value.counts_for(&user.value) {
                return Ok(());
            }
            let ended = if self.clock.now().0 >= session.value.expires.min(session.value.ends) {
                self.expired(&token, &session, &user.value, origin).await?
            } else {
                let what = Happened::new(Action::Logout, Outcome::Success, Some(resource(&token))).because(why);
                let event = self.event(token.tenant, actor(&user.value), what, origin);
                self.session_end(token.session, &session, (user.value.id, why), event).await?
            };
            if let Try::Done = ended {
                return Ok(());
            }
        }
        Err(AccessError::Conflict)
    }

    async fn token_revoke(&self, caller: &Caller) -> Result<(), AccessError> {
        if caller.token.is_nil() {
            return Ok(());
        }
        let stamp = self.stamp(caller.subject.id);
        let record = RevokedTokenRecord {
            subject: caller.subject.id,
            expires: stamp.at.seconds().saturating_add_unsigned(ACCESS_SECONDS),
        };
        let id = caller.token.to_string();
        let mut tx = self.store.begin(caller.tenant);
        records::add(&mut tx, stamp, kinds::REVOKED_TOKEN, &id, &record)?;
        let what = Happened::new(Action::Logout, Outcome::Success, Some(format!("Token/{id}")));
        tx.audit(self.audit.row(&self.event_by(caller, what))?);
        // A conflict means that it was revoked already.
        commit(tx).await?;
        self.lower(caller.tenant, kinds::REVOKED_TOKEN, caller.token);
        Ok(())
    }
}

fn actor(user: &UserRecord) -> Actor {
    Actor::new(user.id.into_bytes(), &*user.name)
}

fn resource(token: &RefreshToken) -> String {
    format!("Session/{}", token.session)
}

fn unusable(session: &SessionRecord, user: &UserRecord, keeping: Keeping) -> Option<&'static str> {
    if !session.counts_for(user) {
        Some("the session was revoked")
    } else if !user.enabled {
        Some("the account is disabled")
    } else if session.is_browsers() != matches!(keeping, Keeping::Browser) {
        Some("the token came by another way than it was given")
    } else {
        None
    }
}

fn shown(session: &SessionRecord, token: &RefreshToken, now: Timestamp) -> Shown {
    if same(&session.token, &token.hash()) {
        return Shown::Present;
    }
    match &session.previous {
        Some(previous)
            if same(&previous.token, &token.hash()) && now.since(Timestamp(session.refreshed)) < REFRESH_RETRY =>
        {
            Shown::Repeated(previous.salt)
        }
        _ => Shown::Used,
    }
}
