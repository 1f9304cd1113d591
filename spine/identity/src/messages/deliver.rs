//! What becomes of a message: who is meant is looked up here and nowhere else, the link is made, and the message is handed over.
//! A try is noted before it is made, so that two nodes do not make the same one; one that is cut short is made again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use iris_audit::{Action, Actor, Event, Outcome};
use iris_kernel::{RecordId, Tenant, Timestamp};
use iris_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinSet, spawn_blocking};
use uuid::Uuid;

use super::address::{EmailAddress, PhoneNumber};
use super::outbox::{Message, PlaceRecord, What};
use super::texts::Letter;
use super::tokens::{self, MailToken, Purpose, TokenRecord};
use super::{INVITE_LIFE, Language, Mail, RESET_LIFE, SendError, Text, VERIFY_LIFE, limits, texts};
use crate::identity::Identity;
use crate::patient_login::Opened;
use crate::records::{self, Stored, UserRecord};
use crate::{kinds, username};
use iris_access::AccessError;
use iris_access::error::internal;
use iris_access::trail::{Try, commit};
use iris_kernel::Secret;

/// Messages handed over at the same time.
const AT_ONCE: usize = 8;
/// First rest after a try that failed; each further one doubles it.
const REST_FIRST: Duration = Duration::from_secs(10);
/// Longest rest.
const REST_MAX: Duration = Duration::from_secs(900);
/// For how long a message is tried; one with a shorter life is tried as long as it is good.
const TRIED_FOR: Duration = Duration::from_secs(86_400);
/// For how long a notice is tried.
pub(super) const NOTICE_LIFE: Duration = TRIED_FOR;
/// How long a node has the turn without asking again.
const LEASE_SPAN: Duration = Duration::from_secs(10);
/// Name of the lease.
const LEASE: &str = "messages";
/// Rest between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Time between two looks at every place there is.
const LOOK_AT_ALL: Duration = Duration::from_secs(300);
/// Rows of one look.
const ROWS: usize = 256;

/// Where a message goes, and what of it counts for the address.
pub(crate) enum To {
    Email(EmailAddress),
    Phone(PhoneNumber),
}

/// Whether an address can have had enough.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flood {
    /// Anybody can have caused it.
    Limited,
    /// An administrator did.
    Exempt,
    /// The owner did, or somebody in their place: it must come, and must keep no other message away.
    Uncounted,
}

/// A message that can be sent.
pub(crate) struct Ready {
    pub(crate) to: To,
    pub(crate) subject: &'static str,
    pub(crate) text: Secret<String>,
    pub(crate) flood: Flood,
    /// What the link in it stands for, with the link's id.
    pub(crate) token: Option<TokenRecord>,
    /// The code in it.
    pub(crate) code: Option<Opened>,
    /// About which account or patient.
    pub(crate) resource: Option<String>,
    /// It is good for nothing from then on.
    pub(crate) until: Timestamp,
}

/// What a message comes to.
pub(crate) enum Prepared {
    /// It can be sent.
    Ready(Box<Ready>),
    /// Nobody gets it; why, for the log.
    Drop(&'static str),
}

/// When messages went to an address, as stored.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct AddresseeRecord {
    sent: Vec<i64>,
}

impl AddresseeRecord {
    /// Whether nothing of it counts any more.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        limits::recent(&self.sent, now).next().is_none()
    }
}

/// A place with the message in it.
struct Held {
    tenant: Tenant,
    place: Stored<PlaceRecord>,
    message: Message,
}

impl Held {
    fn name(&self) -> String {
        self.place.value.place.to_string()
    }
}

impl Identity {
    /// Works on the outbox as long as this node has the turn. Never ends.
    pub fn messages_follow(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let identity = Arc::clone(self);
        async move {
            let mut looked: Option<Timestamp> = None;
            loop {
                let now = identity.clock.now();
                match identity.messages_turn().await {
                    Ok(true) => {
                        if looked.is_none_or(|at| now.since(at) >= LOOK_AT_ALL) {
                            match identity.messages_find().await {
                                Ok(()) => looked = Some(now),
                                Err(error) => tracing::warn!(%error, "waiting messages cannot be looked for"),
                            }
                        }
                        identity.messages_deliver().await;
                    }
                    // Whoever has the turn next must not rely on what it has heard.
                    Ok(false) => looked = None,
                    Err(error) => {
                        looked = None;
                        tracing::debug!(%error, "whose turn it is to send messages is not known");
                    }
                }
                if looked.is_some() {
                    let _ = tokio::time::timeout(LOOK, identity.messages.waiting.changed()).await;
                } else {
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    async fn messages_turn(self: &Arc<Self>) -> Result<bool, StoreError> {
        let store = self.store.clone();
        let turn = spawn_blocking(move || store.lease(LEASE, LEASE_SPAN)).await;
        turn.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Looks at every place of every tenant.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn messages_find(self: &Arc<Self>) -> Result<(), AccessError> {
        let identity = Arc::clone(self);
        let look = move || -> Result<(), AccessError> {
            for tenant in identity.tenants_every()? {
                let mut after = None;
                loop {
                    let rows = identity.store.current_of_kind(tenant, kinds::OUTBOX, after, ROWS)?;
                    let Some(last) = rows.last() else { break };
                    after = Some(last.record);
                    for row in rows {
                        let record = row.record;
                        if let Some(stored) = records::read::<PlaceRecord>(Some(row))?
                            && let Some(message) = stored.value.message
                        {
                            identity.messages.waiting.put(tenant, record, Timestamp(message.due));
                        }
                    }
                }
            }
            Ok(())
        };
        spawn_blocking(look).await.map_err(internal)?
    }

    /// Works on every message that is due, and gives how many places were looked at. What goes wrong is logged here.
    pub async fn messages_deliver(self: &Arc<Self>) -> usize {
        let (mut running, mut looked) = (JoinSet::new(), 0);
        for (tenant, record) in self.messages.waiting.take_due(self.clock.now()) {
            looked += 1;
            let identity = Arc::clone(self);
            running.spawn(async move {
                if let Err(error) = identity.message_work(tenant, record).await {
                    tracing::warn!(%error, "a message could not be worked on; it is tried again");
                    let later = identity.clock.now().plus(REST_FIRST);
                    identity.messages.waiting.put(tenant, record, later);
                }
            });
            if running.len() >= AT_ONCE {
                ended(running.join_next().await);
            }
        }
        while let Some(end) = running.join_next().await {
            ended(Some(end));
        }
        looked
    }

    async fn message_work(&self, tenant: Tenant, record: RecordId) -> Result<(), AccessError> {
        let Some(held) = self.message_held(tenant, record)? else { return Ok(()) };
        let now = self.clock.now();
        if held.message.due > now.0 {
            self.messages.waiting.put(tenant, record, Timestamp(held.message.due));
            return Ok(());
        }
        let ready = match self.message_prepare(tenant, &held.message, now)? {
            Prepared::Ready(ready) if now < ready.until && now.since(Timestamp(held.message.asked)) < TRIED_FOR => {
                ready
            }
            Prepared::Ready(ready) => {
                return self.message_end(&held, Outcome::Error, ready.resource, "nobody took it in time").await;
            }
            Prepared::Drop(why) => return self.message_end(&held, Outcome::Failure, None, why).await,
        };
        let held = match self.message_try(held, &ready, now).await? {
            Tried::Noted(held) => held,
            Tried::Enough(held) => {
                let why = "the address got too many messages";
                return self.message_end(&held, Outcome::Denied, ready.resource, why).await;
            }
            Tried::Lost => return Ok(()),
        };
        let sent = self.message_send(held.message.id, &ready, now).await;
        match sent {
            Ok(()) => self.message_end(&held, Outcome::Success, ready.resource, "").await,
            Err(SendError::Never(why)) => {
                tracing::warn!(error = why, "a message was refused for good");
                self.message_end(&held, Outcome::Error, ready.resource, &why).await
            }
            Err(SendError::Later(why)) => {
                tracing::warn!(error = why, "a message could not be sent; it is tried again");
                self.messages.waiting.put(tenant, record, Timestamp(held.message.due));
                Ok(())
            }
        }
    }

    fn message_held(&self, tenant: Tenant, record: RecordId) -> Result<Option<Held>, AccessError> {
        let row = self.store.current_by_record(tenant, kinds::OUTBOX, record)?;
        let Some(place) = records::read::<PlaceRecord>(row)? else { return Ok(None) };
        Ok(place.value.message.clone().map(|message| Held { tenant, place, message }))
    }

    /// Notes the try and, at the first one, what the message will open. Nothing leaves that is not noted.
    async fn message_try(&self, held: Held, ready: &Ready, now: Timestamp) -> Result<Tried, AccessError> {
        let (tenant, first) = (held.tenant, held.message.tries == 0);
        let stamp = self.stamp(Uuid::nil());
        let mut tx = self.store.begin(tenant);
        if first && !self.addressee_counts(&mut tx, stamp, ready, now)? {
            return Ok(Tried::Enough(held));
        }
        if let (true, Some(token)) = (first, &ready.token) {
            records::add(&mut tx, stamp, kinds::MAIL_TOKEN, &held.message.id.to_string(), token)?;
        }
        if let (true, Some(code)) = (first, &ready.code) {
            code.put(&mut tx, stamp)?;
        }
        let rest = REST_MAX.min(REST_FIRST.saturating_mul(1 << held.message.tries.min(10)));
        let message = Message { tries: held.message.tries + 1, due: now.plus(rest).0, ..held.message.clone() };
        let next = PlaceRecord { place: held.place.value.place, message: Some(message.clone()) };
        records::change(&mut tx, stamp, (kinds::OUTBOX, &held.name()), &held.place, &next)?;
        let committed = match tx.commit().await {
            Ok(committed) => committed,
            // Somebody else works on it, and then its record says so at the next look, or wrote to the address.
            Err(iris_store::CommitError::Conflict { .. }) => {
                let record = self.store.record_id(tenant, kinds::OUTBOX, &held.name());
                self.messages.waiting.put(tenant, record, now);
                return Ok(Tried::Lost);
            }
            Err(other) => return Err(other.into()),
        };
        let seq = committed.seqs.last().copied().unwrap_or(committed.first);
        let version = held.place.version.next();
        let place = Stored { value: next, seq, version, born: held.place.born };
        Ok(Tried::Noted(Held { tenant, place, message }))
    }

    /// Counts the message for its address; no if that had enough.
    fn addressee_counts(
        &self,
        tx: &mut Tx,
        stamp: records::Stamp,
        ready: &Ready,
        now: Timestamp,
    ) -> Result<bool, AccessError> {
        if ready.flood == Flood::Uncounted {
            return Ok(true);
        }
        let name = match &ready.to {
            To::Email(address) => format!("mail:{}", address.folded()),
            To::Phone(number) => format!("sms:{}", number.as_str()),
        };
        let row = self.store.current(tx.tenant(), kinds::ADDRESSEE, &name)?;
        let before = records::read::<AddresseeRecord>(row.clone())?;
        let sent = before.map(|before| before.value.sent).unwrap_or_default();
        if ready.flood == Flood::Limited && !limits::allowed(&sent, now) {
            return Ok(false);
        }
        let next = AddresseeRecord { sent: limits::with(&sent, now) };
        records::put_again(tx, stamp, (kinds::ADDRESSEE, &name), row.as_ref(), &next)?;
        Ok(true)
    }

    async fn message_send(&self, id: Uuid, ready: &Ready, at: Timestamp) -> Result<(), SendError> {
        let carriers = self.messages.carriers.read().clone();
        let nobody = || SendError::Later("nobody carries such messages any more".to_owned());
        match &ready.to {
            To::Email(to) => {
                let mail = Mail { id, at, to: to.clone(), subject: ready.subject, text: ready.text.clone() };
                carriers.mailer.ok_or_else(nobody)?.send(&mail).await
            }
            To::Phone(to) => {
                let text = Text { id, to: to.clone(), text: ready.text.clone() };
                carriers.texter.ok_or_else(nobody)?.send(&text).await
            }
        }
    }

    /// Frees the place and writes down what became of the message.
    async fn message_end(
        &self,
        held: &Held,
        outcome: Outcome,
        resource: Option<String>,
        why: &str,
    ) -> Result<(), AccessError> {
        let action = if outcome == Outcome::Success { Action::MessageSend } else { Action::MessageDrop };
        let mut event = Event::new(held.tenant, Actor::system(), action, outcome, self.clock.now());
        event.correlation.clone_from(&held.message.correlation);
        event.resources = resource.into_iter().collect();
        why.clone_into(&mut event.query);
        let mut tx = self.store.begin(held.tenant);
        let free = PlaceRecord { place: held.place.value.place, message: None };
        records::change(&mut tx, self.stamp(Uuid::nil()), (kinds::OUTBOX, &held.name()), &held.place, &free)?;
        tx.audit(self.audit.row(&event)?);
        // Whoever changed it meanwhile works on it.
        commit(tx).await.map(|_: Try| ())
    }

    /// Who is meant, and what they get.
    fn message_prepare(&self, tenant: Tenant, message: &Message, now: Timestamp) -> Result<Prepared, AccessError> {
        if !self.tenant_admits(tenant, now.0)? {
            return Ok(Prepared::Drop("the tenant is switched off"));
        }
        match &message.what {
            What::Portal { patient, birth, challenge } => {
                return self.portal_prepare(tenant, (patient, birth, *challenge), message, now);
            }
            What::Notice { user, notice, to } => return Ok(self.notice_prepare(message, (*user, *notice), to)),
            _ if !self.mail_is_set() => {
                tracing::warn!("a mail was asked for and none can be sent: IRIS_SMTP_URL is not set");
                return Ok(Prepared::Drop("no mail server is set"));
            }
            What::Register { email, account } => {
                let Ok(to) = email.parse::<EmailAddress>() else { return Ok(Prepared::Drop("the address is none")) };
                let letter = if self.user_of_address(tenant, &to)?.is_some() {
                    Letter::HasAccount
                } else if self.user_named(tenant, &username::fold(&account.name))?.is_some() {
                    Letter::NameTaken
                } else {
                    Letter::Register
                };
                let token = (letter == Letter::Register).then(|| (None, Some(account.clone())));
                return Ok(self.letter(tenant, message, (letter, message.language, to), token));
            }
            What::ResetByName(_) | What::ResetByEmail(_) | What::Verify(_) | What::Invite(_) => {}
        }
        let (user, letter) = match &message.what {
            What::ResetByName(name) => {
                let folded = username::fold_bounded(name);
                let user = folded.map(|folded| self.user_named(tenant, &folded)).transpose()?.flatten();
                (user.filter(|user| user.value.email_verified), Letter::Reset)
            }
            What::ResetByEmail(email) => {
                let user = email.parse().ok().map(|email| self.user_of_address(tenant, &email)).transpose()?.flatten();
                (user, Letter::Reset)
            }
            What::Verify(id) => (self.user(tenant, *id)?.filter(|user| !user.value.email_verified), Letter::Verify),
            What::Invite(id) => (self.user(tenant, *id)?, Letter::Invite),
            What::Register { .. } | What::Portal { .. } | What::Notice { .. } => (None, Letter::Verify),
        };
        let Some(user) = user.filter(|user| user.value.enabled).map(|user| user.value) else {
            return Ok(Prepared::Drop("there is no such account, or it has no proven address, or it is locked"));
        };
        let Some(to) = user.email.as_deref().and_then(|email| email.parse().ok()) else {
            return Ok(Prepared::Drop("the account has no address"));
        };
        let language = user.language.unwrap_or(message.language);
        Ok(self.letter(tenant, message, (letter, language, to), Some((Some(&user), None))))
    }

    /// A letter with its link, where it has one.
    fn letter(
        &self,
        tenant: Tenant,
        message: &Message,
        (letter, language, to): (Letter, Language, EmailAddress),
        about: Option<(Option<&UserRecord>, Option<tokens::NewAccount>)>,
    ) -> Prepared {
        let (purpose, life) = match letter {
            Letter::Register | Letter::HasAccount | Letter::NameTaken => (Purpose::Register, VERIFY_LIFE),
            Letter::Verify => (Purpose::Verify, VERIFY_LIFE),
            Letter::Reset => (Purpose::Reset, RESET_LIFE),
            Letter::Invite => (Purpose::Invite, INVITE_LIFE),
        };
        let until = Timestamp(message.asked).plus(life);
        let token = MailToken::derive(&self.messages.links, tenant, purpose, message.id);
        let base = Arc::clone(&self.messages.carriers.read().base_url);
        let link = letter.page().map(|page| Secret::new(format!("{base}/app/{page}#token={}", token.text().expose())));
        let text = letter.text(language, link.as_ref().map(|link| (link.expose().as_str(), life)));
        let resource = about.as_ref().and_then(|(user, _)| user.map(|user| format!("User/{}", user.id)));
        let token = about.map(|(user, account)| TokenRecord {
            purpose: purpose as u8,
            hash: token.hash(),
            email: to.as_str().to_owned(),
            user: user.map(|user| user.id),
            bound: user.map(|user| tokens::bound(purpose, user)).unwrap_or_default(),
            account,
            expires: until.0,
            spent: None,
        });
        let flood = if letter == Letter::Invite { Flood::Exempt } else { Flood::Limited };
        let (to, subject, text) = (To::Email(to), letter.subject(language), Secret::new(text));
        Prepared::Ready(Box::new(Ready { to, subject, text, flood, token, code: None, resource, until }))
    }

    /// The account that has proven this address, and still has it.
    pub(crate) fn user_of_address(
        &self,
        tenant: Tenant,
        address: &EmailAddress,
    ) -> Result<Option<Stored<UserRecord>>, AccessError> {
        let folded = address.folded();
        let Some(holder) = self.store.claim_holder(tenant, kinds::CLAIM_EMAIL, &[folded.as_bytes()])? else {
            return Ok(None);
        };
        let user = records::read::<UserRecord>(self.store.current_by_record(tenant, kinds::USER, holder)?)?;
        let has = |user: &UserRecord| {
            let own = user.email.as_deref().and_then(|own| own.parse::<EmailAddress>().ok());
            user.email_verified && own.is_some_and(|own| own.folded() == folded)
        };
        Ok(user.filter(|user| has(&user.value)))
    }
}

enum Tried {
    Noted(Held),
    Enough(Held),
    Lost,
}

fn ended(end: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = end {
        tracing::error!(%error, "a message's work broke off");
    }
}

/// The text of a code.
pub(crate) fn code_text(language: Language, code: &str, life: Duration) -> (&'static str, Secret<String>) {
    let (subject, text) = texts::code(language, code, life);
    (subject, Secret::new(text))
}
