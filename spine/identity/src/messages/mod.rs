//! Messages about accounts: mails with links that prove an address or set a password, one-time codes for patients, and notices of
//! changes to how somebody signs in.
//!
//! A public question ("I forgot my password") is stored as it was typed, in a place of the outbox, whether there is such an account
//! or not: the answer, its length and its time tell nothing. Some node that has the turn looks later who is meant, makes the link,
//! and sends it; what was acknowledged is sent after a restart too. Neither links nor codes are stored anywhere: they are derived
//! from a random id under a key of the store, so that each try sends the same, and only digests are compared.

mod address;
mod deliver;
mod limits;
mod notices;
mod outbox;
mod ports;
mod texts;
mod tokens;

pub use address::{EMAIL_BYTES_MAX, EmailAddress, NoEmailAddress, PhoneNumber};
pub use outbox::PLACES;
pub use ports::{Mail, Mailer, SendError, Sending, Text, Texter};
pub use texts::Language;

pub(crate) use deliver::{AddresseeRecord, Flood, Prepared, Ready, To, code_text};
pub(crate) use limits::{Asked, Limits};
pub(crate) use notices::Notice;
pub(crate) use outbox::{Birth, Message, Question, What};
pub(crate) use tokens::{MailToken, NewAccount, Purpose, TokenRecord};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use iris_crypto::MacKey;
use iris_kernel::{RecordId, Tenant, Timestamp};
use iris_store::{Change, Follower, Store};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::identity::Identity;
use crate::kinds;

/// How long a link that proves an address is good.
pub const VERIFY_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// How long a link that sets a forgotten password is good. Not less than the hour in which an address gets no further mail once it
/// got its share: whoever uses that share up for somebody else leaves them a link that works.
pub const RESET_LIFE: Duration = Duration::from_secs(3_600);
/// How long an invitation is good.
pub const INVITE_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// Who carries messages, and where their links lead.
#[derive(Clone)]
pub struct Carriers {
    /// Sends mails.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Sends text messages.
    pub texter: Option<Arc<dyn Texter>>,
    /// The address under which callers reach this installation, without a slash at the end: from the settings, never from a request.
    pub base_url: Arc<str>,
}

impl Default for Carriers {
    /// Nobody.
    fn default() -> Self {
        Self { mailer: None, texter: None, base_url: "".into() }
    }
}

/// What [`Identity`] keeps for messages.
pub(crate) struct Messages {
    pub(crate) carriers: RwLock<Carriers>,
    pub(crate) limits: Limits,
    /// Links are derived under it.
    pub(crate) links: MacKey,
    /// Codes are derived under it.
    pub(crate) codes: MacKey,
    pub(crate) waiting: Arc<Waiting>,
}

impl Messages {
    pub(crate) fn open(store: &Store) -> Self {
        let waiting = Arc::new(Waiting::default());
        store.follow(Arc::clone(&waiting) as _);
        Self {
            carriers: RwLock::default(),
            limits: Limits::default(),
            links: MacKey::new(&store.derive("iris mail link v1")),
            codes: MacKey::new(&store.derive("iris portal code v1")),
            waiting,
        }
    }
}

/// The places of the outbox in which something waits, with the time before which there is nothing to do. A hint: what is true
/// stands in the store. Every node keeps one, and only the one whose turn it is looks.
#[derive(Default)]
pub(crate) struct Waiting {
    places: Mutex<HashMap<(Tenant, RecordId), Timestamp>>,
    changed: Notify,
}

/// Most places that are kept in mind; what is beyond is found by the look at all of them.
const WAITING_MAX: usize = 100_000;

impl Follower for Waiting {
    fn committed(&self, changes: &mut [Change]) {
        for change in changes.iter().filter(|change| change.kind == kinds::OUTBOX) {
            self.put(change.tenant, change.record, Timestamp(0));
        }
    }
}

impl Waiting {
    pub(crate) fn put(&self, tenant: Tenant, record: RecordId, due: Timestamp) {
        let mut places = self.places.lock();
        if places.len() < WAITING_MAX || places.contains_key(&(tenant, record)) {
            places.insert((tenant, record), due);
        }
        drop(places);
        self.changed.notify_one();
    }

    pub(crate) fn take_due(&self, now: Timestamp) -> Vec<(Tenant, RecordId)> {
        let mut places = self.places.lock();
        let due: Vec<_> = places.iter().filter(|(_, due)| **due <= now).map(|(place, _)| *place).collect();
        places.retain(|_, due| *due > now);
        due
    }

    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Identity {
    /// Sets who carries messages from now on.
    #[must_use]
    pub fn with_carriers(self, carriers: Carriers) -> Self {
        self.carriers_set(carriers);
        self
    }

    /// Sets who carries messages from now on.
    pub fn carriers_set(&self, carriers: Carriers) {
        *self.messages.carriers.write() = carriers;
    }

    /// Whether mails can be sent. Operations of administrators that rest on a mail are refused without; public ones never tell.
    #[must_use]
    pub fn mail_is_set(&self) -> bool {
        self.messages.carriers.read().mailer.is_some()
    }
}
