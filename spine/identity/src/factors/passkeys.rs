//! Passkeys: making them, showing them, taking them away.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_audit::{Action, Outcome};
use iris_kernel::{Fault, Secret, Tenant, Timestamp};
use iris_store::{ClaimExpect, Expect, Tx};
use serde_json::{Value, json};
use uuid::Uuid;

use super::record::{FactorsRecord, PASSKEYS_MAX, Passkey};
use super::setup::still_enough;
use super::ticket::{Purpose, TICKET_LIFE, Ticket, Tickets};
use super::webauthn::{Made, NewPasskey, Shown, Site, Why};
use super::{PasskeyView, StoredFactors, cose, of, recovery};
use crate::beginning::Beginning;
use crate::identity::Identity;
use crate::kinds;
use crate::messages::Notice;
use crate::records::{Stored, UserRecord};
use crate::sessions::Keeping;
use crate::username;
use crate::views::Tokens;
use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Caller, Factor, Origin};

/// Longest name of a passkey, in characters.
pub const NAME_CHARS_MAX: usize = 100;

/// A ceremony with an authenticator that has begun.
#[derive(Debug)]
pub struct Ceremony {
    /// What its end brings back.
    pub token: Secret<String>,
    /// What the browser is asked for (`PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`).
    pub options: Value,
}

/// A passkey that was just made.
#[derive(Debug)]
pub struct NewPasskeyView {
    /// The passkey.
    pub passkey: PasskeyView,
    /// Recovery codes, where it is the account's first factor: shown this once.
    pub recovery_codes: Vec<Secret<String>>,
}

/// Whose passkey it seems to be, and what is wrong with it.
type Refused = (Option<Uuid>, Why);

/// Somebody who showed a good passkey, and what their factors are after it.
struct Presented {
    user: Stored<UserRecord>,
    before: StoredFactors,
    next: FactorsRecord,
}

impl Identity {
    /// Begins to make a passkey for the caller.
    ///
    /// # Errors
    /// [`AccessError::Refused`]: there are [`PASSKEYS_MAX`] already; [`AccessError::Denied`]: the password must be changed first.
    pub async fn passkey_register_begin(&self, caller: &Caller, site: &Site) -> Result<Ceremony, AccessError> {
        let begun = self.passkey_begun(caller, site);
        self.tried(caller, (Action::FactorAdd, Some(format!("User/{}", caller.subject.id))), begun).await
    }

    fn passkey_begun(&self, caller: &Caller, site: &Site) -> Result<Ceremony, AccessError> {
        let (tenant, id) = (caller.tenant, caller.subject.id);
        let user = self.factors_owner(caller)?;
        let factors = of(&self.factors(tenant, id)?);
        if factors.passkeys.len() >= PASSKEYS_MAX {
            return Err(AccessError::Refused("there are too many passkeys already: remove one first"));
        }
        let session = caller.session.ok_or(AccessError::Token)?;
        let of_whom = (Purpose::Register, tenant, id.into_bytes());
        let bound: [&[u8]; 3] = [session.as_bytes(), site.id().as_bytes(), site.origin().as_bytes()];
        let ticket = Tickets::new(&self.store).issue(of_whom, &bound, self.clock.now(), self.entropy.as_ref());
        let name = &user.value.name;
        let known = |passkey: &Passkey| json!({"type": "public-key", "id": passkey.credential, "transports": passkey.transports});
        let kinds = cose::ALGORITHMS.map(|number| json!({"type": "public-key", "alg": number}));
        let options = json!({
            "rp": {"id": site.id(), "name": "IRIS"},
            "user": {"id": URL_SAFE_NO_PAD.encode(id.as_bytes()), "name": name, "displayName": name},
            "challenge": URL_SAFE_NO_PAD.encode(ticket.nonce),
            "pubKeyCredParams": kinds,
            "timeout": TICKET_LIFE.as_secs() * 1_000,
            "excludeCredentials": factors.passkeys.iter().map(known).collect::<Vec<_>>(),
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
            },
            "attestation": "none",
        });
        Ok(Ceremony { token: ticket.text(), options })
    }

    /// Takes in a passkey that the caller's authenticator has made; `credential` is the browser's JSON. The first factor of an
    /// account comes with recovery codes.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with what is wrong, also if the ceremony does not count;
    /// [`AccessError::Taken`]: it is somebody's passkey already.
    pub async fn passkey_register(
        &self,
        caller: &Caller,
        site: &Site,
        (ceremony, credential): (&str, &[u8]),
        name: &str,
    ) -> Result<NewPasskeyView, AccessError> {
        let what = (Action::FactorAdd, Some(format!("User/{}", caller.subject.id)));
        let result = match good_name(name) {
            Err(fault) => Err(AccessError::Invalid(vec![fault])),
            Ok(()) => self.passkey_take(caller, site, (ceremony, credential), name).await,
        };
        self.tried(caller, what, result).await
    }

    async fn passkey_take(
        &self,
        caller: &Caller,
        site: &Site,
        (ceremony, credential): (&str, &[u8]),
        name: &str,
    ) -> Result<NewPasskeyView, AccessError> {
        let (tenant, id) = (caller.tenant, caller.subject.id);
        let faulty = |why: Why| AccessError::Invalid(vec![Fault::new("/credential", why)]);
        let made = Made::parse(credential).map_err(faulty)?;
        let session = caller.session.ok_or(AccessError::Token)?;
        let bound: [&[u8]; 3] = [session.as_bytes(), site.id().as_bytes(), site.origin().as_bytes()];
        let Some(ticket) = Ticket::parse(ceremony).filter(|ticket| ticket.is_about(tenant, id)) else {
            return Err(self.factor_refused(caller, "the ceremony does not count").await);
        };
        for _ in 0..TRIES_MAX {
            let now = self.clock.now();
            let user = self.factors_owner(caller)?;
            let before = self.factors(tenant, id)?;
            let mut next = of(&before);
            let counts = Tickets::new(&self.store).counts(&ticket, Purpose::Register, &bound, now);
            if !counts || !next.takes(&ticket, now) {
                return Err(self.factor_refused(caller, "the ceremony does not count").await);
            }
            let made = made.verified(&ticket.nonce, site).map_err(faulty)?;
            if next.passkeys.len() >= PASSKEYS_MAX {
                return Err(AccessError::Refused("there are too many passkeys already: remove one first"));
            }
            if self.store.claim_holder(tenant, kinds::CLAIM_PASSKEY, &[&made.id])?.is_some() {
                return Err(AccessError::Taken("the passkey"));
            }
            let mut tx = self.store.begin(tenant);
            let holder = self.store.record_id(tenant, kinds::FACTORS, &id.to_string());
            tx.claim(kinds::CLAIM_PASSKEY, &[&made.id], ClaimExpect::Absent, holder);
            let view = self.passkey_added(&mut next, (id, name), made, now);
            next.spent(&ticket, now);
            self.session_upgrade(&mut tx, caller)?;
            self.factors_put(&mut tx, self.stamp(id), (id, &before), &next)?;
            self.guard_put(&mut tx, self.stamp(id), &user.value)?;
            let notice = (&user.value, Notice::FactorAdded);
            self.notice_put(&mut tx, self.stamp(id), notice, &caller.correlation)?;
            let what = Happened::new(Action::FactorAdd, Outcome::Success, Some(format!("User/{id}")));
            let detail = format!("the passkey {}", view.passkey.id);
            tx.audit(self.audit.row(&self.event_by(caller, what.because(&detail)))?);
            if let Try::Done = commit(tx).await? {
                self.session_lower(caller);
                return Ok(view);
            }
        }
        Err(AccessError::Conflict)
    }

    fn passkey_added(
        &self,
        next: &mut FactorsRecord,
        (user, name): (Uuid, &str),
        made: NewPasskey,
        now: Timestamp,
    ) -> NewPasskeyView {
        let mut recovery_codes = Vec::new();
        if next.recovery_left() == 0 {
            (recovery_codes, next.recovery) = recovery::generate(user, self.entropy.as_ref());
        }
        let id = self.entropy.uuid();
        next.passkeys.push(Passkey::new(id, name.to_owned(), made, now));
        next.changed();
        let passkey = PasskeyView { id, name: name.to_owned(), created: now, used: None };
        NewPasskeyView { passkey, recovery_codes }
    }

    /// Calls one of the caller's passkeys by another name.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Invalid`] for what is no name.
    pub async fn passkey_rename(&self, caller: &Caller, passkey: Uuid, name: &str) -> Result<PasskeyView, AccessError> {
        let result = self.passkey_named(caller, passkey, name).await;
        self.tried(caller, (Action::UserUpdate, Some(format!("User/{}", caller.subject.id))), result).await
    }

    async fn passkey_named(&self, caller: &Caller, passkey: Uuid, name: &str) -> Result<PasskeyView, AccessError> {
        let (tenant, id) = (caller.tenant, caller.subject.id);
        good_name(name).map_err(|fault| AccessError::Invalid(vec![fault]))?;
        for _ in 0..TRIES_MAX {
            let before = self.factors(tenant, id)?;
            let mut next = of(&before);
            let known = next.passkeys.iter_mut().find(|known| known.id == passkey);
            let known = known.ok_or(AccessError::NotFound("passkey"))?;
            known.name = name.to_owned();
            let view = known.view();
            let mut tx = self.store.begin(tenant);
            self.factors_put(&mut tx, self.stamp(id), (id, &before), &next)?;
            let what = Happened::new(Action::UserUpdate, Outcome::Success, Some(format!("User/{id}")));
            let detail = format!("the passkey {passkey} was named");
            tx.audit(self.audit.row(&self.event_by(caller, what.because(&detail)))?);
            if let Try::Done = commit(tx).await? {
                return Ok(view);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Takes one of the caller's passkeys away. With the last factor the recovery codes go.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Refused`]: the caller's roles ask for a second factor and there is no other.
    pub async fn passkey_remove(&self, caller: &Caller, passkey: Uuid) -> Result<(), AccessError> {
        let result = self.passkey_drop(caller, passkey).await;
        let what = (Action::FactorRemove, Some(format!("User/{}", caller.subject.id)));
        self.tried(caller, what, result).await
    }

    async fn passkey_drop(&self, caller: &Caller, passkey: Uuid) -> Result<(), AccessError> {
        let (tenant, id) = (caller.tenant, caller.subject.id);
        for _ in 0..TRIES_MAX {
            let user = self.own(caller)?.user;
            let required = self.second_factor_required(tenant, &user.value)?;
            let before = self.factors(tenant, id)?;
            let mut next = of(&before);
            let at = next.passkeys.iter().position(|known| known.id == passkey);
            let gone = next.passkeys.remove(at.ok_or(AccessError::NotFound("passkey"))?);
            next.changed();
            still_enough(&next, required)?;
            let mut tx = self.store.begin(tenant);
            // Whether there must be one stands in the account.
            tx.require(kinds::USER, &id.to_string(), Expect::Current(user.seq));
            self.factors_put(&mut tx, self.stamp(id), (id, &before), &next)?;
            self.passkey_claims_release(&mut tx, id, &[gone]);
            let notice = (&user.value, Notice::FactorRemoved);
            self.notice_put(&mut tx, self.stamp(id), notice, &caller.correlation)?;
            let what = Happened::new(Action::FactorRemove, Outcome::Success, Some(format!("User/{id}")));
            let detail = format!("the passkey {passkey}");
            tx.audit(self.audit.row(&self.event_by(caller, what.because(&detail)))?);
            if let Try::Done = commit(tx).await? {
                return Ok(());
            }
        }
        Err(AccessError::Conflict)
    }

    /// Adds to a write set that nobody holds these passkeys any more.
    pub(super) fn passkey_claims_release(&self, tx: &mut Tx, user: Uuid, passkeys: &[Passkey]) {
        let holder = self.store.record_id(tx.tenant(), kinds::FACTORS, &user.to_string());
        for passkey in passkeys {
            let credential = URL_SAFE_NO_PAD.decode(&passkey.credential).unwrap_or_default();
            tx.release(kinds::CLAIM_PASSKEY, &[&credential], holder);
        }
    }

    /// Begins to ask for a passkey: of whoever comes, or of the account with this name. The answer says nothing about whether there
    /// is one, since authenticators find their passkeys by themselves.
    #[must_use]
    pub fn passkey_ask(&self, tenant: Tenant, name: Option<&str>, site: &Site) -> Ceremony {
        let tickets = Tickets::new(&self.store);
        let about = match name {
            None => [0; 16],
            Some(name) => tickets.name(tenant, &username::fold_bounded(name).unwrap_or_default()),
        };
        let of_whom = (Purpose::Assert, tenant, about);
        let bound: [&[u8]; 2] = [site.id().as_bytes(), site.origin().as_bytes()];
        let ticket = tickets.issue(of_whom, &bound, self.clock.now(), self.entropy.as_ref());
        let options = json!({
            "challenge": URL_SAFE_NO_PAD.encode(ticket.nonce),
            "rpId": site.id(),
            "timeout": TICKET_LIFE.as_secs() * 1_000,
            "userVerification": "required",
            "allowCredentials": [],
        });
        Ceremony { token: ticket.text(), options }
    }

    /// Signs somebody in by a passkey; `credential` is the browser's JSON.
    ///
    /// # Errors
    /// [`AccessError::Factor`], whatever is wrong; [`AccessError::TooMany`] after too many failures.
    pub async fn passkey_login(
        &self,
        site: &Site,
        (ceremony, credential): (&str, &[u8]),
        keeping: Keeping,
        origin: &Origin,
    ) -> Result<Tokens, AccessError> {
        let Some(ticket) = Ticket::parse(ceremony) else { return Err(AccessError::Factor) };
        let attempt = self.attempt(ticket.tenant, &ticket.mark(), origin);
        self.wait(&attempt)?;
        let beginning = Beginning { keeping, factor: Factor::Passkey, origin };
        for _ in 0..TRIES_MAX {
            let presented = match Shown::parse(credential) {
                Ok(shown) => self.presented(&ticket, &shown, site)?,
                Err(why) => Err((None, why)),
            };
            let Presented { user, before, next } = match presented {
                Ok(presented) => presented,
                Err((user, why)) => {
                    self.throttle.failed(&attempt, self.clock.now());
                    self.login_refused((ticket.tenant, "", user), why, origin).await?;
                    return Err(AccessError::Factor);
                }
            };
            let id = user.value.id;
            let mut tx = self.store.begin(ticket.tenant);
            self.factors_put(&mut tx, self.stamp(id), (id, &before), &next)?;
            if let Some(tokens) = self.session_try(&user, beginning, tx).await? {
                return Ok(tokens);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Takes a passkey as a fresh proof of the caller; the ceremony is used up by it.
    ///
    /// # Errors
    /// [`AccessError::Invalid`], whatever is wrong.
    pub async fn step_up_by_passkey(
        &self,
        caller: &Caller,
        site: &Site,
        (ceremony, credential): (&str, &[u8]),
    ) -> Result<(), AccessError> {
        let (tenant, id) = (caller.tenant, caller.subject.id);
        for _ in 0..TRIES_MAX {
            let presented = match (Ticket::parse(ceremony), Shown::parse(credential)) {
                (Some(ticket), Ok(shown)) if ticket.tenant == tenant => self.presented(&ticket, &shown, site)?,
                (_, Err(why)) => Err((None, why)),
                _ => Err((None, "the ceremony does not count")),
            };
            let Presented { user, before, next } = match presented {
                Ok(presented) => presented,
                Err((_, why)) => return Err(self.factor_refused(caller, why).await),
            };
            if user.value.id != id {
                return Err(self.factor_refused(caller, "is the passkey of somebody else").await);
            }
            let mut tx = self.store.begin(tenant);
            self.factors_put(&mut tx, self.stamp(id), (id, &before), &next)?;
            tx.require(kinds::USER, &id.to_string(), Expect::Current(user.seq));
            if let Try::Done = commit(tx).await? {
                return self.session_proven(caller, "by a passkey").await;
            }
        }
        Err(AccessError::Conflict)
    }

    /// Who shows a passkey, if everything about it is good; otherwise whose it seems to be and what is wrong.
    fn presented(
        &self,
        ticket: &Ticket,
        shown: &Shown,
        site: &Site,
    ) -> Result<Result<Presented, Refused>, AccessError> {
        let (now, tickets) = (self.clock.now(), Tickets::new(&self.store));
        let bound: [&[u8]; 2] = [site.id().as_bytes(), site.origin().as_bytes()];
        if !tickets.counts(ticket, Purpose::Assert, &bound, now) {
            return Ok(Err((None, "the ceremony does not count")));
        }
        let handle = shown.user_handle.as_deref().and_then(|handle| Uuid::from_slice(handle).ok());
        let Some(user) = handle.map(|id| self.user_enabled(ticket.tenant, id)).transpose()?.flatten() else {
            return Ok(Err((None, "is of no account that may sign in")));
        };
        let id = user.value.id;
        let before = self.factors(ticket.tenant, id)?;
        let mut next = of(&before);
        let wrong = |why: Why| Ok(Err((Some(id), why)));
        let named =
            ticket.about == [0; 16] || ticket.about == tickets.name(ticket.tenant, &username::fold(&user.value.name));
        if !named {
            return wrong("is of another account than the one named");
        }
        if !next.takes(ticket, now) {
            return wrong("the ceremony is used up");
        }
        let Some(at) = next.passkey(&shown.id) else { return wrong("is no passkey of this account") };
        let key = next.passkeys[at].key();
        match shown.verified(&next.passkeys[at].known(&key), &ticket.nonce, site) {
            Err(why) => wrong(why),
            Ok(used) => {
                (next.passkeys[at].counter, next.passkeys[at].used) = (used.counter, Some(now.0));
                next.proven(Some(ticket), now);
                Ok(Ok(Presented { user, before, next }))
            }
        }
    }

    /// Writes down that a proof of the caller was refused, and gives the refusal.
    async fn factor_refused(&self, caller: &Caller, why: Why) -> AccessError {
        let resource = Some(format!("User/{}", caller.subject.id));
        let what = Happened::new(Action::FactorRefuse, Outcome::Denied, resource).because(why);
        match self.audit.record(self.event_by(caller, what)).await {
            Ok(_) => AccessError::Invalid(vec![Fault::new("/credential", "does not count here or now")]),
            Err(error) => error.into(),
        }
    }
}

fn good_name(name: &str) -> Result<(), Fault> {
    let fault = |what: &str| Err(Fault::new("/name", what));
    if name.trim().is_empty() {
        fault("must not be empty")
    } else if name.chars().count() > NAME_CHARS_MAX {
        fault("is longer than 100 characters")
    } else if name.chars().any(char::is_control) {
        fault("must not contain control characters")
    } else {
        Ok(())
    }
}
