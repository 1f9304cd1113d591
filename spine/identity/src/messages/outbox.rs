//! The outbox: a number of places in each tenant, each of which holds one message or nothing. Bounded, in the store, and worked on
//! by whichever node has the turn.

use iris_audit::{Action, Actor, Outcome};
use iris_crypto::digest::sha256;
use iris_kernel::Tenant;
use iris_store::Tx;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

use super::notices::{Notice, Reached};
use super::tokens::NewAccount;
use super::{Asked, Language};
use crate::identity::{Identity, source};
use crate::kinds;
use crate::records::{self, Stamp};
use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Origin};

/// Places of one tenant for what is asked for: most such messages that wait at once. As many more are for notices.
pub const PLACES: u16 = 256;
/// How many places are looked at for a free one.
const PROBES: u16 = 16;
/// When to come back after no free one was found.
const FULL_RETRY: Duration = Duration::from_secs(30);

/// What a message is about, as it was asked for.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// A new password for the account with this user name.
    ResetByName(String),
    /// A new password for the account with this address.
    ResetByEmail(String),
    /// An account of one's own.
    Register {
        /// The address, as typed and checked.
        email: String,
        /// The account.
        account: NewAccount,
    },
    /// Proof of the address of an account.
    Verify(Uuid),
    /// The first password of an account.
    Invite(Uuid),
    /// A code for a patient's own record.
    Portal {
        /// Id of the Patient, as typed.
        patient: String,
        /// The date of birth, as typed.
        birth: Birth,
        /// What the asker got in answer.
        challenge: Uuid,
    },
    /// Something about how the owner of an account signs in was changed.
    Notice {
        /// The account.
        user: Uuid,
        /// What was changed.
        notice: Notice,
        /// Where the owner was reached before that.
        to: Reached,
    },
}

/// Some of the places of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pool {
    /// For what somebody asks for, be they signed in or not.
    Asked,
    /// For notices to owners, which nobody's questions are to keep out.
    Notices,
}

impl Pool {
    const fn first(self) -> u16 {
        match self {
            Self::Asked => 0,
            Self::Notices => PLACES,
        }
    }
}

/// A date of birth that somebody typed, `YYYY-MM-DD`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Birth(pub(crate) String);

/// A message that waits.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Names the message, its record, and its token.
    pub(crate) id: Uuid,
    pub(crate) what: What,
    /// The language of whoever asked.
    #[serde(default)]
    pub(crate) language: Language,
    /// When it was asked for, and when to look at it next: microseconds.
    pub(crate) asked: i64,
    pub(crate) due: i64,
    /// How often it was tried.
    #[serde(default)]
    pub(crate) tries: u32,
    /// Ties what is logged about it to the request.
    pub(crate) correlation: String,
}

/// A place as stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PlaceRecord {
    pub(crate) place: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<Message>,
}

/// A public question: who is meant, for counting and for the log.
pub(crate) struct Question<'a> {
    /// The tenant in whose outbox and log it stands.
    pub(crate) tenant: Tenant,
    /// What was typed, folded; questions about the same are counted together.
    pub(crate) named: &'a [&'a [u8]],
    /// What is logged.
    pub(crate) action: Action,
    /// What was typed, for the log; or nothing.
    pub(crate) typed: &'a str,
    /// About which record, if that may be said before anything is proven.
    pub(crate) resource: Option<String>,
}

impl Identity {
    /// Puts a message into a free place. The write set is tried again as a whole if somebody else takes that place meanwhile.
    ///
    /// # Errors
    /// [`AccessError::TooMany`]: no place is free.
    pub(crate) fn message_put(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        (id, what): (Uuid, What),
        told: (Language, &str),
    ) -> Result<(), AccessError> {
        match self.message_place(tx, stamp, Pool::Asked, (id, what), told)? {
            true => Ok(()),
            false => Err(AccessError::TooMany { retry: FULL_RETRY }),
        }
    }

    /// The same in a pool of places; no if none is free.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn message_place(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        pool: Pool,
        (id, what): (Uuid, What),
        (language, correlation): (Language, &str),
    ) -> Result<bool, AccessError> {
        let mut first = [0; 2];
        self.entropy.fill(&mut first);
        let first = u16::from_be_bytes(first) % PLACES;
        for place in (0..PROBES).map(|step| pool.first() + (first + step) % PLACES) {
            let name = place.to_string();
            let stored = records::read::<PlaceRecord>(self.store.current(tx.tenant(), kinds::OUTBOX, &name)?)?;
            if stored.as_ref().is_some_and(|stored| stored.value.message.is_some()) {
                continue;
            }
            let (asked, correlation) = (stamp.at.0, correlation.to_owned());
            let message = Message { id, what, language, asked, due: asked, tries: 0, correlation };
            let record = PlaceRecord { place, message: Some(message) };
            match &stored {
                None => records::add(tx, stamp, kinds::OUTBOX, &name, &record)?,
                Some(before) => records::change(tx, stamp, (kinds::OUTBOX, &name), before, &record)?,
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Counts a public question; no if it is to be answered like any other and come to nothing.
    ///
    /// # Errors
    /// [`AccessError::TooMany`]: this source, or everybody together, asks too often.
    pub(crate) fn question_counts(&self, question: &Question<'_>, origin: &Origin) -> Result<bool, AccessError> {
        let number = question.tenant.0.to_be_bytes();
        let mut named: Vec<&[u8]> = vec![b"named\0", &number];
        named.extend(question.named);
        match self.messages.limits.ask(source(origin), sha256(&named), self.clock.now()) {
            Asked::Taken => Ok(true),
            Asked::Ignored => Ok(false),
            Asked::Refused(retry) => Err(AccessError::TooMany { retry }),
        }
    }

    /// Stores a public question with its entry and does nothing else, so that nothing of the answer can depend on whom it is about.
    ///
    /// # Errors
    /// [`AccessError::TooMany`]: no place is free.
    pub(crate) async fn question_keep(
        &self,
        question: &Question<'_>,
        (id, what): (Uuid, What),
        language: Language,
        origin: &Origin,
    ) -> Result<(), AccessError> {
        for _ in 0..TRIES_MAX {
            let mut tx = self.store.begin(question.tenant);
            let stamp = self.stamp(Uuid::nil());
            self.message_put(&mut tx, stamp, (id, what.clone()), (language, &origin.correlation))?;
            let asked = Happened::new(question.action, Outcome::Success, question.resource.clone());
            let actor = Actor::unknown(question.typed);
            tx.audit(self.audit.row(&self.event(question.tenant, actor, asked, origin))?);
            if let Try::Done = commit(tx).await? {
                return Ok(());
            }
        }
        Err(AccessError::Conflict)
    }

    /// The tenant in whose outbox and log a question stands. One that is not there has no accounts: the question is kept by the
    /// platform like any other, and comes to nothing.
    pub(crate) fn asked_tenant(&self, named: Option<Tenant>) -> Tenant {
        named.unwrap_or(Tenant::PLATFORM)
    }
}
