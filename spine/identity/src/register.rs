//! An account of one's own, where the tenant lets people make one, and the proof that an address is somebody's.
//!
//! Nothing is made before the link in the mail is used: a name or address that somebody merely typed is nobody's yet, and the answer
//! to the question is the same whatever is there already.

use iris_audit::{Action, Actor, Outcome};
use iris_kernel::{Fault, Secret, Tenant};
use iris_store::{ClaimExpect, CommitError, Conflict, Tx};
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::lists::List;
use crate::messages::{EmailAddress, Language, MailToken, NewAccount, Purpose, Question, TokenRecord, What};
use crate::records::{self, Stamp, Stored, UserRecord};
use crate::username;
use iris_access::trail::{Happened, TRIES_MAX};
use iris_access::{AccessError, Origin, Role};

/// Longest name by which a person is shown, in characters.
pub const DISPLAY_NAME_CHARS_MAX: usize = 128;
/// What a link is refused with, whatever is wrong with it.
const LINK_REFUSED: &str = "is not good, or not any more: ask for a new one";

/// An account that somebody asks for.
#[derive(Debug)]
pub struct Registration {
    /// The name to sign in with.
    pub name: String,
    /// Where the link goes.
    pub email: EmailAddress,
    /// The password.
    pub password: Secret<String>,
    /// How the person wants to be called.
    pub display_name: Option<String>,
}

/// What becomes of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registering {
    /// It was taken in; a mail follows.
    Asked,
    /// Nobody makes accounts by themselves there.
    Closed,
}

impl Identity {
    /// Takes the wish for an account in. The answer is the same whether the name or the address is in use.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault of what was typed; [`AccessError::TooMany`].
    pub async fn register(
        &self,
        tenant: Option<Tenant>,
        wanted: Registration,
        language: Language,
        origin: &Origin,
    ) -> Result<Registering, AccessError> {
        let at = self.asked_tenant(tenant);
        let folded = wanted.email.folded();
        let question = Question {
            tenant: at,
            named: &[b"register\0", folded.as_bytes()],
            action: Action::RegisterAsk,
            typed: &wanted.name,
            resource: None,
        };
        if tenant.is_none() || !self.policies.policy(at)?.self_registration {
            // Counted, so that nobody fills the log with it.
            if !self.question_counts(&question, origin)? {
                return Ok(Registering::Closed);
            }
            let what = Happened::new(Action::RegisterAsk, Outcome::Denied, None)
                .because("accounts are made by administrators");
            self.audit.record(self.event(at, Actor::unknown(""), what, origin)).await?;
            return Ok(Registering::Closed);
        }
        let faults = self.registration_faults(&wanted).await?;
        if !faults.is_empty() {
            return Err(AccessError::Invalid(faults));
        }
        // Counted before the work of a hash is spent, which is spent in any case.
        let counts = self.question_counts(&question, origin)?;
        let turn = self.passwords.turn().await?;
        let password = self.passwords.hash(turn, &wanted.password, self.entropy.as_ref()).await?;
        if counts {
            let account =
                NewAccount { name: wanted.name.clone(), password, display_name: wanted.display_name, language };
            let what = What::Register { email: wanted.email.as_str().to_owned(), account };
            self.question_keep(&question, (self.entropy.uuid(), what), language, origin).await?;
        }
        Ok(Registering::Asked)
    }

    async fn registration_faults(&self, wanted: &Registration) -> Result<Vec<Fault>, AccessError> {
        let mut faults = Vec::new();
        match username::check(&wanted.name, "/username") {
            Err(fault) => faults.push(fault),
            // A name that is somebody else's address would catch what is meant for them.
            Ok(()) if wanted.name.contains('@') && username::fold(&wanted.name) != wanted.email.folded() => {
                faults.push(Fault::new("/username", "must be a name, or the same address as email"));
            }
            Ok(()) => {}
        }
        let shown = wanted.display_name.as_deref().unwrap_or_default();
        if shown.chars().count() > DISPLAY_NAME_CHARS_MAX || shown.chars().any(char::is_control) {
            faults.push(Fault::new("/display_name", "must be a text of at most 128 characters in one line"));
        }
        let about = [wanted.name.as_str(), wanted.email.as_str(), shown];
        faults.extend(self.password_fault(&wanted.password, &about, "/password").await?);
        Ok(faults)
    }

    /// Puts a mail that proves the account's address into the outbox, together with whatever else the write set does. Nothing
    /// comes of it if the account has no address, or a proven one, by then.
    ///
    /// # Errors
    /// [`AccessError::TooMany`]: the outbox is full.
    pub(crate) fn verification_put(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        user: Uuid,
        (language, correlation): (Language, &str),
    ) -> Result<(), AccessError> {
        self.message_put(tx, stamp, (self.entropy.uuid(), What::Verify(user)), (language, correlation))
    }

    /// Puts an invitation into the outbox, together with whatever else the write set does: a mail to the account's address with a
    /// link that sets its first password and proves the address.
    ///
    /// # Errors
    /// [`AccessError::TooMany`]: the outbox is full.
    pub(crate) fn invitation_put(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        user: Uuid,
        (language, correlation): (Language, &str),
    ) -> Result<(), AccessError> {
        self.message_put(tx, stamp, (self.entropy.uuid(), What::Invite(user)), (language, correlation))
    }

    /// Redeems a link that proves an address: makes the account that was asked for, or notes that the account's address is proven.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] at `/token`, the same for every link that is not good; [`AccessError::Taken`] if somebody else got
    /// the user name meanwhile; [`AccessError::TooMany`] after too many links that were not good.
    pub async fn email_verify(&self, text: &str, origin: &Origin) -> Result<(), AccessError> {
        let token = self.link(text, &[Purpose::Register, Purpose::Verify], origin).await?;
        for _ in 0..TRIES_MAX {
            let record = self.link_record(&token, origin).await?;
            let stamp = self.stamp(record.value.user.unwrap_or(token.id));
            let mut tx = self.store.begin(token.tenant);
            self.link_spend(&mut tx, stamp, &token, &record)?;
            let lowered = match (&record.value.account, record.value.user) {
                (Some(_), _) if !self.policies.policy(token.tenant)?.self_registration => {
                    let why = "nobody makes accounts by themselves there any more";
                    return Err(self.link_refused(Some(&token), why, origin).await?);
                }
                (Some(account), _) => {
                    self.registered_add(&mut tx, stamp, (&token, &record.value), (account, origin))?;
                    None
                }
                (None, Some(id)) => {
                    let user = self.link_user(&token, &record, id, origin).await?;
                    let next = UserRecord { email_verified: true, ..user.value.clone() };
                    self.email_claim(&mut tx, token.tenant, &next)?;
                    records::change(&mut tx, stamp, (kinds::USER, &id.to_string()), &user, &next)?;
                    let actor = Actor::new(id.into_bytes(), &*user.value.name);
                    let what = Happened::new(Action::EmailVerify, Outcome::Success, Some(format!("User/{id}")));
                    tx.audit(self.audit.row(&self.event(token.tenant, actor, what, origin))?);
                    Some(id)
                }
                (None, None) => {
                    return Err(self.link_refused(Some(&token), "the link stands for nothing", origin).await?);
                }
            };
            match tx.commit().await {
                Ok(_) => {
                    lowered.into_iter().for_each(|id| self.lower(token.tenant, kinds::USER, id));
                    return Ok(());
                }
                Err(CommitError::Conflict { which: Conflict::Claim(0) }) if lowered.is_none() => {
                    return Err(AccessError::Taken("the user name"));
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(AccessError::Conflict)
    }

    /// Makes the account that a link stands for. Its first claim is the user name.
    fn registered_add(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        (token, record): (&MailToken, &TokenRecord),
        (account, origin): (&NewAccount, &Origin),
    ) -> Result<(), AccessError> {
        // The link's id, so that the same link can only ever make the same account.
        let user = UserRecord {
            password: account.password.clone(),
            email: Some(record.email.clone()),
            email_verified: true,
            display_name: account.display_name.clone(),
            language: Some(account.language),
            password_changed: Some(stamp.at.0),
            ..UserRecord::fresh(token.id, &account.name, Role::User, stamp.at)
        };
        self.account_add(tx, stamp, &user)?;
        self.email_claim(tx, token.tenant, &user)?;
        let actor = || Actor::new(user.id.into_bytes(), &*user.name);
        for (action, why) in [(Action::UserCreate, "user"), (Action::EmailVerify, "")] {
            let what = Happened::new(action, Outcome::Success, Some(format!("User/{}", user.id))).because(why);
            tx.audit(self.audit.row(&self.event(token.tenant, actor(), what, origin))?);
        }
        Ok(())
    }

    /// Adds an account to the write set: its name, its record, its place in the list.
    pub(crate) fn account_add(&self, tx: &mut Tx, stamp: Stamp, user: &UserRecord) -> Result<(), AccessError> {
        let (tenant, id) = (tx.tenant(), user.id.to_string());
        let holder = self.store.record_id(tenant, kinds::USER, &id);
        let folded = username::fold(&user.name);
        tx.claim(kinds::CLAIM_USER_NAME, &[folded.as_bytes()], ClaimExpect::Absent, holder);
        records::add(tx, stamp, kinds::USER, &id, user)?;
        self.list_append(tx, stamp, tenant, List::Users, user.id)
    }

    /// Notes whose address it is. Two accounts of one address are one person's: the one that proved it last gets the mails.
    pub(crate) fn email_claim(&self, tx: &mut Tx, tenant: Tenant, user: &UserRecord) -> Result<(), AccessError> {
        if let Some(address) = user.email.as_deref().and_then(|email| email.parse::<EmailAddress>().ok()) {
            let holder = self.store.record_id(tenant, kinds::USER, &user.id.to_string());
            tx.claim(kinds::CLAIM_EMAIL, &[address.folded().as_bytes()], ClaimExpect::Any, holder);
        }
        Ok(())
    }

    /// Reads a link's token: one that was made here, for one of these purposes.
    pub(crate) async fn link(
        &self,
        text: &str,
        purposes: &[Purpose],
        origin: &Origin,
    ) -> Result<MailToken, AccessError> {
        self.wait(&self.attempt(Tenant::PLATFORM, "mail link", origin))?;
        match MailToken::parse(&self.messages.links, text).filter(|token| purposes.contains(&token.purpose)) {
            Some(token) if self.tenant_admits(token.tenant, self.clock.now().0)? => Ok(token),
            Some(token) => Err(self.link_refused(Some(&token), "the tenant is switched off", origin).await?),
            None => Err(self.link_refused(None, "not made here, or for something else", origin).await?),
        }
    }

    /// The record of a link that can be redeemed now.
    pub(crate) async fn link_record(
        &self,
        token: &MailToken,
        origin: &Origin,
    ) -> Result<Stored<TokenRecord>, AccessError> {
        let row = self.store.current(token.tenant, kinds::MAIL_TOKEN, &token.record())?;
        match records::read::<TokenRecord>(row)?.filter(|record| record.value.stands_for(token, self.clock.now())) {
            Some(record) => Ok(record),
            None => Err(self.link_refused(Some(token), "spent, too old, or never sent", origin).await?),
        }
    }

    /// The account of a link, if it is still as it was when the link was made.
    pub(crate) async fn link_user(
        &self,
        token: &MailToken,
        record: &Stored<TokenRecord>,
        id: Uuid,
        origin: &Origin,
    ) -> Result<Stored<UserRecord>, AccessError> {
        let same = |user: &UserRecord| user.enabled && record.value.is_bound_to(token.purpose, user);
        match self.user(token.tenant, id)?.filter(|user| same(&user.value)) {
            Some(user) => Ok(user),
            None => Err(self.link_refused(Some(token), "the account was changed since", origin).await?),
        }
    }

    /// Spends a link in the write set. Of two at once, on whatever nodes, one finds it spent.
    pub(crate) fn link_spend(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        token: &MailToken,
        record: &Stored<TokenRecord>,
    ) -> Result<(), AccessError> {
        // What it was to make is not kept: it held a password's hash.
        let spent = TokenRecord { spent: Some(stamp.at.0), account: None, ..record.value.clone() };
        records::change(tx, stamp, (kinds::MAIL_TOKEN, &token.record()), record, &spent)
    }

    /// Counts and writes down a link that is not good, and gives what it is answered with.
    pub(crate) async fn link_refused(
        &self,
        token: Option<&MailToken>,
        why: &str,
        origin: &Origin,
    ) -> Result<AccessError, AccessError> {
        self.throttle.failed(&self.attempt(Tenant::PLATFORM, "mail link", origin), self.clock.now());
        let tenant = token.map_or(Tenant::PLATFORM, |token| token.tenant);
        let what = Happened::new(Action::TokenRefused, Outcome::Denied, None).because(why);
        self.audit.record(self.event(tenant, Actor::unknown(""), what, origin)).await?;
        Ok(AccessError::Invalid(vec![Fault::new("/token", LINK_REFUSED)]))
    }
}
