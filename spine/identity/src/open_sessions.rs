//! Which sessions an account has open: so that people see where they are signed in, and end what they do not know.

use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Caller};
use iris_audit::{Action, Outcome};
use iris_kernel::{Tenant, Timestamp};
use iris_store::Tx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::messages::Notice;
use crate::records::{self, Revoked, SessionRecord, Stamp, Stored, UserRecord};
use crate::views::OpenSession;

/// Most sessions of one account at once; the one that began first ends when another begins.
pub const SESSIONS_MAX: usize = 50;

/// The ids of an account's sessions with their ends, oldest first; those that ended before their time stay until there is a need for
/// room.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct OpenSessionsRecord {
    sessions: Vec<(Uuid, i64)>,
}

impl OpenSessionsRecord {
    /// The list without those whose time is over, if there are any.
    pub(crate) fn trimmed(&self, now: Timestamp) -> Option<Self> {
        let mut sessions = self.sessions.clone();
        sessions.retain(|(_, ends)| *ends > now.0);
        (sessions.len() < self.sessions.len()).then_some(Self { sessions })
    }
}

/// A change of the caller's own account that ends its other sessions.
pub(crate) struct OwnChange<'a> {
    /// The account as it is to be.
    pub(crate) next: UserRecord,
    /// What stands in the log.
    pub(crate) what: Happened<'a>,
    /// What the owner is told besides.
    pub(crate) notice: Option<Notice>,
}

/// The caller's own account, its session, and the id of that.
pub(crate) struct Own {
    pub(crate) user: Stored<UserRecord>,
    pub(crate) session: Stored<SessionRecord>,
    pub(crate) id: Uuid,
}

impl Identity {
    /// Puts a new session on the account's list, in the transaction that stores it. One too many ends the oldest.
    pub(crate) fn session_enlist(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        (tenant, user): (Tenant, &UserRecord),
        (id, session): (Uuid, &SessionRecord),
    ) -> Result<(), AccessError> {
        let account = user.id.to_string();
        let before = self.open_sessions(tenant, user.id)?;
        let mut open = before.as_ref().map_or_else(Vec::new, |before| before.value.sessions.clone());
        open.retain(|(_, ends)| *ends > stamp.at.0);
        if open.len() >= SESSIONS_MAX {
            let mut counting = Vec::new();
            for entry in open {
                if self.session(tenant, entry.0)?.is_some_and(|session| session.value.is_open(user, stamp.at)) {
                    counting.push(entry);
                }
            }
            open = counting;
        }
        while open.len() >= SESSIONS_MAX {
            let (oldest, _) = open.remove(0);
            if let Some(stored) = self.session(tenant, oldest)? {
                let why = "the account began another session and had too many".to_owned();
                let ended = SessionRecord { revoked: Some(Revoked { at: stamp.at.0, why }), ..stored.value.clone() };
                records::change(tx, stamp, (kinds::SESSION, &oldest.to_string()), &stored, &ended)?;
            }
        }
        open.push((id, session.ends));
        let next = OpenSessionsRecord { sessions: open };
        match &before {
            None => records::add(tx, stamp, kinds::OPEN_SESSIONS, &account, &next),
            Some(before) => records::change(tx, stamp, (kinds::OPEN_SESSIONS, &account), before, &next),
        }
    }

    /// The caller's open sessions, newest first. That they were looked at stands in the log.
    ///
    /// # Errors
    /// [`AccessError::Refused`] for a caller without sessions; the store or the log cannot take it.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<OpenSession>, AccessError> {
        let own = self.own(caller)?;
        let now = self.clock.now();
        let listed = self.open_sessions(caller.tenant, own.user.value.id)?.map(|listed| listed.value.sessions);
        let mut open = Vec::new();
        for (id, _) in listed.unwrap_or_default() {
            let Some(session) = self.session(caller.tenant, id)? else { continue };
            if session.value.is_open(&own.user.value, now) {
                open.push(self.shown(id, &session.value, id == own.id));
            }
        }
        if !open.iter().any(|session| session.current) {
            // One that began before sessions were listed.
            open.push(self.shown(own.id, &own.session.value, true));
        }
        open.sort_by_key(|session| std::cmp::Reverse(session.created));
        let what = Happened::new(Action::UserRead, Outcome::Success, Some(format!("User/{}", own.user.value.id)));
        self.audit.record(self.event_by(caller, what.because("the own sessions were listed"))).await?;
        Ok(open)
    }

    fn shown(&self, id: Uuid, session: &SessionRecord, current: bool) -> OpenSession {
        let exchanged = Timestamp(session.refreshed);
        OpenSession {
            id,
            created: Timestamp(session.created),
            last_used: self.verified.last_seen(id).map_or(exchanged, |seen| seen.max(exchanged)),
            address: session.address.clone(),
            agent: session.agent.clone(),
            factor: session.factor,
            current,
            ends: Timestamp(session.expires.min(session.ends)),
        }
    }

    /// Ends one session of the caller's own account; durable when it returns, and on every node within a second.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] for what is no open session of this account, whoever's it is.
    pub async fn session_revoke(&self, caller: &Caller, id: Uuid) -> Result<(), AccessError> {
        let resource = Some(format!("Session/{id}"));
        for _ in 0..TRIES_MAX {
            let own = self.own(caller)?;
            let found = self.session(caller.tenant, id)?;
            let found = found.filter(|session| session.value.is_open(&own.user.value, self.clock.now()));
            let found = found.ok_or(AccessError::NotFound("session"));
            let session = self.tried(caller, (Action::SessionRevoke, resource.clone()), found).await?;
            let what = Happened::new(Action::SessionRevoke, Outcome::Success, resource.clone());
            let (event, why) = (self.event_by(caller, what), "the owner ended it");
            if let Try::Done = self.session_end(id, &session, (caller.subject.id, why), event).await? {
                return Ok(());
            }
        }
        Err(AccessError::Conflict)
    }

    /// Ends every session of the caller's account but the one that asks.
    ///
    /// # Errors
    /// [`AccessError::Refused`] for a caller without sessions; the store cannot take it.
    pub async fn sessions_revoke(&self, caller: &Caller) -> Result<(), AccessError> {
        for _ in 0..TRIES_MAX {
            let own = self.own(caller)?;
            let what =
                Happened::new(Action::SessionRevoke, Outcome::Success, Some(format!("User/{}", caller.subject.id)));
            let what = what.because("every other session was ended");
            let change = OwnChange { next: own.user.value.clone(), what, notice: None };
            if let Try::Done = self.own_account_change(caller, &own.user, change).await? {
                return Ok(());
            }
        }
        Err(AccessError::Conflict)
    }

    /// Stores the caller's own account anew and ends all its sessions but the one that asks: that one follows the account's new
    /// epoch.
    pub(crate) async fn own_account_change(
        &self,
        caller: &Caller,
        before: &Stored<UserRecord>,
        OwnChange { next, what, notice }: OwnChange<'_>,
    ) -> Result<Try, AccessError> {
        let stamp = self.stamp(caller.subject.id);
        let own = self.own(caller)?;
        if own.user.seq != before.seq {
            return Ok(Try::Again);
        }
        let epoch = before.value.epoch.saturating_add(1);
        let mut tx = self.store.begin(caller.tenant);
        let next = UserRecord { epoch, ..next };
        records::change(&mut tx, stamp, (kinds::USER, &before.value.id.to_string()), before, &next)?;
        self.imports_count(&mut tx, stamp, (&before.value.password, &next.password))?;
        let session = SessionRecord { epoch, ..own.session.value.clone() };
        records::change(&mut tx, stamp, (kinds::SESSION, &own.id.to_string()), &own.session, &session)?;
        tx.audit(self.audit.row(&self.event_by(caller, what))?);
        if let Some(notice) = notice {
            self.notice_put(&mut tx, stamp, (&before.value, notice), &caller.correlation)?;
        }
        let tried = commit(tx).await?;
        if let Try::Done = tried {
            self.lower(caller.tenant, kinds::USER, before.value.id);
            self.lower(caller.tenant, kinds::SESSION, own.id);
        }
        Ok(tried)
    }

    /// The caller's own account as it is stored now.
    ///
    /// # Errors
    /// [`AccessError::Refused`] for clients and the system, who have none; [`AccessError::Token`] if it is gone by now.
    pub(crate) fn own_account(&self, caller: &Caller) -> Result<Stored<UserRecord>, AccessError> {
        Ok(self.own(caller)?.user)
    }

    /// The caller's own account with the session of the token, both as they are stored now: somebody may have locked the one or ended
    /// the other since the token was looked at.
    ///
    /// # Errors
    /// As [`Identity::own_account`].
    pub(crate) fn own(&self, caller: &Caller) -> Result<Own, AccessError> {
        let id = caller.session.ok_or(AccessError::Refused("only people have sessions"))?;
        let user = self.user(caller.tenant, caller.subject.id)?.ok_or(AccessError::Token)?;
        let session = self.session(caller.tenant, id)?.ok_or(AccessError::Token)?;
        if user.value.enabled && session.value.counts_for(&user.value) {
            return Ok(Own { user, session, id });
        }
        Err(AccessError::Token)
    }

    pub(crate) fn session(&self, tenant: Tenant, id: Uuid) -> Result<Option<Stored<SessionRecord>>, AccessError> {
        records::read(self.store.current(tenant, kinds::SESSION, &id.to_string())?)
    }

    fn open_sessions(&self, tenant: Tenant, user: Uuid) -> Result<Option<Stored<OpenSessionsRecord>>, AccessError> {
        records::read(self.store.current(tenant, kinds::OPEN_SESSIONS, &user.to_string())?)
    }
}
