//! The state behind every operation, and what they share: reading accounts, building audit events, committing.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use iris_access::trail::{self, Happened};
use iris_audit::{Action as AuditAction, Actor, Audit, Event, Outcome};
use iris_crypto::digest::sha256;
use iris_kernel::{Clock, Entropy, Tenant, Timestamp};
use iris_store::Store;
use parking_lot::RwLock;
use uuid::Uuid;

use crate::devices::Devices;
use crate::kinds;
use crate::messages::Messages;
use crate::password::Passwords;
use crate::password_rules::{PasswordRules, Rules};
use crate::records::{self, ClientRecord, Stamp, Stored, UserRecord};
use crate::sessions::PageSessions;
use crate::signing_keys::{KeyRules, SigningKeys};
use crate::standing::{Standings, VerifiedTokens};
use crate::throttle::{Attempt, Throttle};
use crate::token::KeyRing;
use iris_access::{AccessError, Caller, Origin, Policies};

/// The part of the product that knows who is who. One per process: the operations are in `login`, `sessions`, `authenticate`,
/// `clients`, `users` and `tenants`.
pub struct Identity {
    pub(crate) store: Store,
    pub(crate) audit: Arc<Audit>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) key_rules: KeyRules,
    pub(crate) passwords: Passwords,
    pub(crate) rules: Rules,
    pub(crate) throttle: Throttle,
    pub(crate) devices: Devices,
    pub(crate) standings: Arc<Standings>,
    pub(crate) verified: VerifiedTokens,
    pub(crate) pages: RwLock<PageSessions>,
    pub(crate) messages: Messages,
    pub(crate) policies: Policies,
}

impl Identity {
    /// Opens it; makes the signing key at the first start; follows the changes of every node. Blocking.
    ///
    /// # Errors
    /// The store cannot be read or written, or the key is damaged.
    pub fn open(
        store: Store,
        audit: Arc<Audit>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, AccessError> {
        let keys = SigningKeys::open(&store, &audit, clock.now())?;
        let standings = Arc::new(Standings::default());
        store.follow(Arc::clone(&standings) as _);
        let passwords = Passwords::new(entropy.as_ref())?;
        let devices = Devices::new(&store.derive("iris known device v1"));
        let messages = Messages::open(&store);
        let policies = Policies::new(store.clone(), Arc::clone(&audit), Arc::clone(&clock), Arc::clone(&entropy));
        Ok(Self {
            store,
            audit,
            clock,
            entropy,
            keys,
            key_rules: KeyRules::default(),
            passwords,
            rules: Rules::new(PasswordRules::default())?,
            throttle: Throttle::default(),
            devices,
            standings,
            verified: VerifiedTokens::new(),
            pages: RwLock::default(),
            messages,
            policies,
        })
    }

    /// What decisions know beyond roles: each tenant's policy, consents, care teams and broken glasses.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// With other times for the sessions of pages. Sessions that have begun keep theirs.
    #[must_use]
    pub fn with_page_sessions(self, pages: PageSessions) -> Self {
        Self { pages: RwLock::new(pages), ..self }
    }

    /// With other rules for passwords.
    ///
    /// # Errors
    /// A defect: the built-in list cannot be read.
    pub fn with_password_rules(self, rules: PasswordRules) -> Result<Self, AccessError> {
        Ok(Self { rules: Rules::new(rules)?, ..self })
    }

    /// Sets the times for the sessions of pages that begin from now on.
    pub fn page_sessions_set(&self, pages: PageSessions) {
        *self.pages.write() = pages;
    }

    /// The public keys that verify access tokens, as a JWK set (RFC 7517).
    ///
    /// # Errors
    /// The keys were changed and cannot be read now.
    pub fn jwks(&self) -> Result<serde_json::Value, AccessError> {
        Ok(self.keys()?.jwks(self.clock.now()))
    }

    /// The keys that sign access tokens, as they are now.
    pub(crate) fn keys(&self) -> Result<Arc<KeyRing>, AccessError> {
        self.keys.ring(&self.store)
    }

    /// In how many sessions of a tenant somebody has asked this node for something within `within`. What a process remembers of
    /// tokens is bounded, so on a node with more than that many tokens at once the number is a lower bound.
    #[must_use]
    pub fn sessions_active(&self, tenant: Tenant, within: Duration) -> usize {
        let now = self.clock.now();
        self.verified.sessions(tenant, now, before(now, within))
    }

    /// The same for all tenants together, for metrics.
    #[must_use]
    pub fn sessions_active_in_all(&self, within: Duration) -> usize {
        let now = self.clock.now();
        self.verified.sessions_of_all(now, before(now, within))
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
        let source = source(origin);
        let account = sha256(&[b"account\0", &tenant.0.to_be_bytes(), &source, account.as_bytes()]);
        Attempt::Stranger { account, source, anywhere: None }
    }

    /// The same where a secret is asked for that people choose or type: the account is then counted over all sources too, and a device
    /// on which it has signed in before is counted by itself. `account` is the folded user name.
    pub(crate) fn guarded_attempt(&self, tenant: Tenant, account: &str, origin: &Origin) -> Attempt {
        if let Some(device) = self.devices.known(origin.device.as_deref(), tenant, account, self.clock.now()) {
            return Attempt::Known { device };
        }
        let source = source(origin);
        let anywhere = sha256(&[b"anywhere\0", &tenant.0.to_be_bytes(), account.as_bytes()]);
        let account = sha256(&[b"account\0", &tenant.0.to_be_bytes(), &source, account.as_bytes()]);
        Attempt::Stranger { account, source, anywhere: Some(anywhere) }
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
        trail::event(tenant, actor, what, origin, self.clock.now())
    }

    /// An event that a caller causes.
    pub(crate) fn event_by(&self, caller: &Caller, what: Happened<'_>) -> Event {
        trail::event_by(caller, what, self.clock.now())
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
                | AccessError::MailNotConfigured
                | AccessError::Conflict),
            ) => error.to_string(),
            Err(AccessError::Denied(denial)) => denial.to_string(),
            _ => return result,
        };
        let denied = matches!(result, Err(AccessError::Denied(_)));
        let outcome = if denied { Outcome::Denied } else { Outcome::Failure };
        let what = Happened::new(action, outcome, resource).because(&why);
        self.audit.record(self.event_by(caller, what)).await?;
        result
    }

    pub(crate) fn stamp(&self, author: Uuid) -> Stamp {
        Stamp { author: author.into_bytes(), at: self.clock.now() }
    }
}

/// The key of a source. A whole IPv6 network of 64 bits is one source: whoever has one has all its addresses.
pub(crate) fn source(origin: &Origin) -> [u8; 32] {
    let text = origin.address.as_deref().unwrap_or_default();
    match text.parse() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => sha256(&[b"source\0", &address.octets()[..8]]),
        _ => sha256(&[b"source\0", text.as_bytes()]),
    }
}

/// The moment that lies so far back.
pub(crate) fn before(now: Timestamp, within: Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(within.as_micros()).unwrap_or(i64::MAX)))
}
