//! Notices: what people are told of changes to how they sign in, so that who did not make them hears of it (ASVS 5.0, 6.3.7).
//!
//! A notice goes to where the account's messages went *before* the change, and that is settled in the commit that makes the change:
//! whoever takes an account over and gives it another address cannot turn the notice around. It has places of the outbox of its own,
//! which public questions do not fill. Where none is free nobody is kept from changing a password: the log says what was not sent.

use iris_access::AccessError;
use iris_audit::{Action, Actor, Event, Outcome};
use iris_kernel::{Secret, Tenant, Timestamp};
use iris_store::Tx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::address::{EmailAddress, PhoneNumber};
use super::deliver::{Flood, NOTICE_LIFE, Prepared, Ready, To};
use super::outbox::{Message, Pool, What};
use super::{Language, texts};
use crate::identity::Identity;
use crate::records::{Stamp, UserRecord};

/// What somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notice {
    /// The owner set another password.
    PasswordChanged,
    /// A password was set by a link.
    PasswordReset,
    /// An authenticator app or a passkey was added.
    FactorAdded,
    /// One of them was taken away.
    FactorRemoved,
    /// An administrator took all of them away.
    FactorsReset,
    /// Messages go to another address from now on.
    EmailChanged,
    /// Somebody signed in on a device on which the account was not known.
    NewDevice,
}

/// Where a notice goes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reached {
    Email(String),
    Phone(String),
}

impl Identity {
    /// Puts a notice to the owner of this account, as it was before the change, into the write set of that change. An account that no
    /// message can reach gets none.
    ///
    /// # Errors
    /// The store cannot be read; the log cannot take that there was no place for it.
    pub(crate) fn notice_put(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        (user, notice): (&UserRecord, Notice),
        correlation: &str,
    ) -> Result<(), AccessError> {
        let Some((to, language)) = self.reached(tx.tenant(), user)? else { return Ok(()) };
        let what = What::Notice { user: user.id, notice, to };
        if self.message_place(tx, stamp, Pool::Notices, (self.entropy.uuid(), what), (language, correlation))? {
            return Ok(());
        }
        let mut event = Event::new(tx.tenant(), Actor::system(), Action::MessageDrop, Outcome::Error, stamp.at);
        correlation.clone_into(&mut event.correlation);
        event.resources.push(format!("User/{}", user.id));
        "there was no place for a notice to the owner".clone_into(&mut event.query);
        tx.audit(self.audit.row(&event)?);
        Ok(())
    }

    /// Where the owner is reached, and in which language: at the account's address; a patient without one as the record says.
    fn reached(&self, tenant: Tenant, user: &UserRecord) -> Result<Option<(Reached, Language)>, AccessError> {
        if let Some(email) = user.email.clone().filter(|_| self.mail_is_set()) {
            return Ok(Some((Reached::Email(email), user.language.unwrap_or_default())));
        }
        let person = user.patient.as_deref().map(|patient| self.person(tenant, patient)).transpose()?.flatten();
        let Some(person) = person else { return Ok(None) };
        let language = user.language.or(person.language()).unwrap_or_default();
        let carriers = self.messages.carriers.read().clone();
        let now = self.clock.now();
        let phone = person.phone(now).filter(|_| carriers.texter.is_some());
        let email = person.email(now).filter(|_| carriers.mailer.is_some());
        let to = phone
            .map(|phone| Reached::Phone(phone.as_str().to_owned()))
            .or(email.map(|email| Reached::Email(email.as_str().to_owned())));
        Ok(to.map(|to| (to, language)))
    }

    /// The notice as it is sent.
    pub(crate) fn notice_prepare(&self, message: &Message, (user, notice): (Uuid, Notice), to: &Reached) -> Prepared {
        let to = match to {
            Reached::Email(email) => email.parse::<EmailAddress>().ok().map(To::Email),
            Reached::Phone(phone) => PhoneNumber::read(phone).map(To::Phone),
        };
        let Some(to) = to else { return Prepared::Drop("the address is none") };
        let asked = Timestamp(message.asked);
        let (subject, text) = match &to {
            To::Email(_) => texts::notice(notice, message.language, asked),
            To::Phone(_) => texts::notice_short(notice, message.language, asked),
        };
        Prepared::Ready(Box::new(Ready {
            to,
            subject,
            text: Secret::new(text),
            flood: Flood::Uncounted,
            token: None,
            code: None,
            resource: Some(format!("User/{user}")),
            until: asked.plus(NOTICE_LIFE),
        }))
    }
}
