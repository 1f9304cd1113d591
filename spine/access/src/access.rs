//! The state behind every operation, and what they share: reading accounts, building audit events, committing.

use std::sync::Arc;
use std::time::Duration;

use iris_audit::{Action as AuditAction, Actor, Audit, Event, Outcome};
use iris_crypto::digest::sha256;
use iris_kernel::{Clock, Entropy, Tenant, Timestamp};
use iris_store::{CommitError, Store, Tx};
use uuid::Uuid;

use crate::action::Read;
use crate::caller::{Caller, Origin};
use crate::error::AccessError;
use crate::kinds;
use crate::password::Passwords;
use crate::permit::{Denial, Named, Permit, Target};
use crate::records::{self, ClientRecord, Stamp, Stored, UserRecord};
use crate::sessions::PageSessions;
use crate::standing::{Standings, VerifiedTokens};
use crate::throttle::{Attempt, Throttle};
use crate::token::{KeyRing, StoredKeys};
use crate::views::{Profile, SigningKeyView};

/// Id of the one record of signing keys.
const SIGNING_KEYS_ID: &str = "access-token";
/// How often a write is tried again after somebody else changed the same record in between.
pub(crate) const TRIES_MAX: usize = 16;

/// The part of the product that knows who is who. One per process: the operations are in `login`, `sessions`, `authenticate`,
/// `clients`, `users` and `tenants`.
pub struct Access {
    pub(crate) store: Store,
    pub(crate) audit: Arc<Audit>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keys: KeyRing,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    pub(crate) standings: Standings,
    pub(crate) verified: VerifiedTokens,
    pub(crate) pages: PageSessions,
}

impl Access {
    /// Opens it; makes the signing key at the first start. Blocking.
    ///
    /// # Errors
    /// The store cannot be read or written, or the key is damaged.
    pub fn open(
        store: Store,
        audit: Arc<Audit>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, AccessError> {
        let keys = KeyRing::open(&signing_keys(&store, &audit, clock.now())?)?;
        let passwords = Passwords::new(entropy.as_ref())?;
        Ok(Self {
            store,
            audit,
            clock,
            entropy,
            keys,
            passwords,
            throttle: Throttle::default(),
            standings: Standings::default(),
            verified: VerifiedTokens::new(),
            pages: PageSessions::default(),
        })
    }

    /// With other times for the sessions of pages. Sessions that have begun keep theirs.
    #[must_use]
    pub fn with_page_sessions(self, pages: PageSessions) -> Self {
        Self { pages, ..self }
    }

    /// Who the caller is, for `GET /auth/me`.
    #[must_use]
    pub fn me(&self, caller: &Caller) -> Profile {
        Profile::of(caller)
    }

    /// The public keys that verify access tokens, as a JWK set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        self.keys.jwks()
    }

    /// The keys that sign access tokens: their names and dates.
    ///
    /// # Errors
    /// The permit is one on something else.
    pub fn signing_keys(&self, permit: &Permit<Read>) -> Result<Vec<SigningKeyView>, AccessError> {
        let family = permit.target().family();
        if permit.target() != Target::Named(Named::Operation) {
            return Err(AccessError::Denied(Denial::Never { action: permit.action(), family }));
        }
        Ok(self.keys.list())
    }

    /// In how many sessions of a tenant somebody has asked for something within `within`. What this process remembers of tokens is
    /// bounded, so on a server with more than that many tokens at once the number is a lower bound.
    #[must_use]
    pub fn sessions_active(&self, tenant: Tenant, within: Duration) -> usize {
        let now = self.clock.now();
        let since = now.0.saturating_sub(i64::try_from(within.as_micros()).unwrap_or(i64::MAX));
        self.verified.sessions(tenant, now, Timestamp(since))
    }

    pub(crate) fn user(&self, tenant: Tenant, id: Uuid) -> Result<Option<Stored<UserRecord>>, AccessError> {
        records::read(self.store.current(tenant, kinds::USER, &id.to_string())?)
    }

    pub(crate) fn user_named(&self, tenant: Tenant, folded: &str) -> Result<Option<Stored<UserRecord>>, AccessError> {
        match self.store.claim_holder(tenant, kinds::CLAIM_USER_NAME, &[folded.as_bytes()])? {
            None => Ok(None),
            Some(record) => records::read(self.store.current_by_record(tenant, kinds::USER, record)?),
        }
    }

    pub(crate) fn client(&self, tenant: Tenant, id: Uuid) -> Result<Option<Stored<ClientRecord>>, AccessError> {
        records::read(self.store.current(tenant, kinds::CLIENT, &id.to_string())?)
    }

    /// The keys under which failures are counted. Hashes, so that no name that somebody typed (it may be a password) stays in
    /// memory.
    pub(crate) fn attempt(&self, tenant: Tenant, account: &str, origin: &Origin) -> Attempt {
        let address = origin.address.as_deref().unwrap_or_default();
        let source = sha256(&[b"source\0", address.as_bytes()]);
        let account = sha256(&[b"account\0", &tenant.0.to_be_bytes(), &source, account.as_bytes()]);
        Attempt { account, source }
    }

    pub(crate) fn wait(&self, attempt: &Attempt) -> Result<(), AccessError> {
        match self.throttle.wait(attempt, self.clock.now()) {
            Some(retry) => Err(AccessError::TooMany { retry }),
            None => Ok(()),
        }
    }

    /// The tenant in whose log a refusal stands. What nobody has proven may name any number; one that is no tenant's goes into
    /// the platform's log, so that a stranger cannot make keys and logs for tenants that do not exist.
    pub(crate) fn log_tenant(&self, named: Tenant) -> Result<Tenant, AccessError> {
        Ok(if self.tenant_exists(named)? { named } else { Tenant::PLATFORM })
    }

    /// An event of a request.
    pub(crate) fn event(&self, tenant: Tenant, actor: Actor, what: Happened<'_>, origin: &Origin) -> Event {
        let text = |part: &Option<Arc<str>>| part.as_deref().unwrap_or_default().to_owned();
        let mut event = Event::new(tenant, actor, what.action, what.outcome, self.clock.now());
        event.address = text(&origin.address);
        event.agent = text(&origin.agent);
        event.purpose = text(&origin.purpose);
        event.correlation = origin.correlation.to_string();
        event.resources = what.resource.into_iter().collect();
        event.query = what.detail.to_owned();
        event
    }

    /// An event that a caller causes.
    pub(crate) fn event_by(&self, caller: &Caller, what: Happened<'_>) -> Event {
        let actor = Actor::new(caller.subject.id.into_bytes(), &*caller.subject.name);
        self.event(caller.tenant, actor, what, &caller.origin())
    }

    /// Writes down what a caller tried on accounts in vain, and gives the result back. What went well, and what failed because of us,
    /// is written down elsewhere.
    pub(crate) async fn tried<T>(
        &self,
        caller: &Caller,
        (action, resource): (AuditAction, Option<String>),
        result: Result<T, AccessError>,
    ) -> Result<T, AccessError> {
        let why = match &result {
            // Which fields, and never what was in them.
            Err(AccessError::Invalid(faults)) => {
                faults.iter().map(|fault| fault.at.as_str()).collect::<Vec<_>>().join(" ")
            }
            Err(
                error @ (AccessError::Refused(_)
                | AccessError::NotFound(_)
                | AccessError::Taken(_)
                | AccessError::Conflict),
            ) => error.to_string(),
            _ => return result,
        };
        let what = Happened::new(action, Outcome::Failure, resource).because(&why);
        self.audit.record(self.event_by(caller, what)).await?;
        result
    }

    pub(crate) fn stamp(&self, author: Uuid) -> Stamp {
        Stamp { author: author.into_bytes(), at: self.clock.now() }
    }
}

/// What is to be recorded.
pub(crate) struct Happened<'a> {
    pub(crate) action: AuditAction,
    pub(crate) outcome: Outcome,
    /// `User/<id>`, `Client/<id>`, `Session/<id>`, …
    pub(crate) resource: Option<String>,
    /// Why, or what else a reader must know. Never a password, token or secret.
    pub(crate) detail: &'a str,
}

impl<'a> Happened<'a> {
    pub(crate) fn new(action: AuditAction, outcome: Outcome, resource: Option<String>) -> Self {
        Self { action, outcome, resource, detail: "" }
    }

    pub(crate) fn because(self, detail: &'a str) -> Self {
        Self { detail, ..self }
    }
}

/// How a commit ended that is tried again after a conflict.
pub(crate) enum Try {
    /// Stored.
    Done,
    /// Somebody else was faster; read again.
    Again,
}

/// Commits, and tells a conflict from a failure.
pub(crate) async fn commit(tx: Tx) -> Result<Try, AccessError> {
    match tx.commit().await {
        Ok(_) => Ok(Try::Done),
        Err(CommitError::Conflict { .. }) => Ok(Try::Again),
        Err(other) => Err(other.into()),
    }
}

/// Whether the permit is one on accounts; one on patients opens no accounts.
pub(crate) fn on_accounts<A: crate::Action>(permit: &Permit<A>) -> Result<&Arc<Caller>, AccessError> {
    if permit.target() == Target::Named(Named::Accounts) {
        return Ok(permit.caller());
    }
    let (action, family) = (permit.action(), Target::Named(Named::Accounts).family());
    Err(AccessError::Denied(Denial::Never { action, family }))
}

/// Reads the signing keys, or makes them. Two first starts cannot both succeed: the record is expected to be absent.
fn signing_keys(store: &Store, audit: &Audit, at: Timestamp) -> Result<StoredKeys, AccessError> {
    let read = || records::read::<StoredKeys>(store.current(Tenant::PLATFORM, kinds::SIGNING_KEYS, SIGNING_KEYS_ID)?);
    if let Some(stored) = read()? {
        return Ok(stored.value);
    }
    let keys = StoredKeys::generate(at)?;
    let mut tx = store.begin(Tenant::PLATFORM);
    let stamp = Stamp { author: Uuid::nil().into_bytes(), at };
    records::add(&mut tx, stamp, kinds::SIGNING_KEYS, SIGNING_KEYS_ID, &keys)?;
    let mut event = Event::new(Tenant::PLATFORM, Actor::system(), AuditAction::KeyCreate, Outcome::Success, at);
    event.resources.push(format!("SigningKey/{}", keys.active));
    tx.audit(audit.row(&event)?);
    match tx.commit_blocking() {
        Ok(_) => Ok(keys),
        Err(CommitError::Conflict { .. }) => Ok(read()?.ok_or(AccessError::Conflict)?.value),
        Err(other) => Err(other.into()),
    }
}
