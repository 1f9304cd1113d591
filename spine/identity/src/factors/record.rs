//! The second factors of one account as stored: one internal record, sealed by the store like every other. It also counts what
//! was tried in vain and which tickets were used, so that neither a restart nor another node makes anybody forget it: each
//! attempt writes the record under the expectation that nobody else did meanwhile.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::digest::sha256;
use iris_kernel::{Secret, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::recovery::RecoveryCode;
use super::ticket::Ticket;
use super::totp::{SECRET_BYTES, TotpSecret};
use super::webauthn::Known;
use crate::records::UserRecord;

/// Wrong codes in a row before the first wait.
pub const CODE_FAILURES_FREE: u32 = 5;
/// The first wait; each further failure doubles it.
const WAIT_FIRST: Duration = Duration::from_secs(30);
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(3_600);
/// Wrong codes in a row after which no code of the app counts any more, until a recovery code, a passkey or an administrator
/// proves the owner (NIST SP 800-63B: at most 100).
pub const CODE_FAILURES_MAX: u32 = 100;
/// What somebody is told to wait then.
const STOPPED: Duration = Duration::from_secs(86_400);
/// Wrong codes with one ticket; then it is used up and the password is asked for again.
pub const TICKET_FAILURES_MAX: u32 = 5;
/// Most tickets that are remembered. They are forgotten with their time; who uses more at once waits.
const TICKETS_MAX: usize = 64;
/// Most passkeys of an account.
pub const PASSKEYS_MAX: usize = 20;
/// How long a set-up may be confirmed.
pub(super) const PENDING_LIFE: Duration = Duration::from_secs(600);

/// The record. No `Debug`: it holds secrets.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct FactorsRecord {
    /// The authenticator app, once its first code was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) totp: Option<Totp>,
    /// An authenticator app whose first code was not seen yet. It opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pending: Option<Pending>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) recovery: Vec<RecoveryCode>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) passkeys: Vec<Passkey>,
    /// Wrong codes since the last good proof, and when the last one came, in microseconds.
    #[serde(default)]
    pub(super) failures: u32,
    #[serde(default)]
    pub(super) failed: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tickets: Vec<Tried>,
    /// Raised by whatever changes which factors there are; tickets of before no longer count.
    #[serde(default)]
    pub(super) era: u32,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Totp {
    #[serde(with = "coded")]
    pub(super) secret: TotpSecret,
    /// The newest step whose code was used.
    pub(super) last_step: u64,
    pub(super) created: i64,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Pending {
    #[serde(with = "coded")]
    pub(super) secret: TotpSecret,
    pub(super) until: i64,
}

/// A passkey.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Passkey {
    pub(super) id: Uuid,
    pub(super) name: String,
    /// What the authenticator calls it, base64url.
    pub(super) credential: String,
    /// The public key, COSE in base64url.
    key: String,
    pub(super) counter: u32,
    eligible: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) transports: Vec<String>,
    pub(super) created: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) used: Option<i64>,
}

/// A ticket that somebody used, in vain or for good.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Tried {
    mark: String,
    until: i64,
    pub(super) failures: u32,
    spent: bool,
}

impl Passkey {
    /// A new one.
    pub(super) fn new(id: Uuid, name: String, made: super::webauthn::NewPasskey, at: Timestamp) -> Self {
        Self {
            id,
            name,
            credential: URL_SAFE_NO_PAD.encode(&made.id),
            key: URL_SAFE_NO_PAD.encode(&made.key),
            counter: made.counter,
            eligible: made.eligible,
            transports: made.transports,
            created: at.0,
            used: None,
        }
    }

    /// The public key; empty if the record is damaged, and then nothing fits it.
    pub(super) fn key(&self) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(&self.key).unwrap_or_default()
    }

    /// What a proof is checked against.
    pub(super) fn known<'a>(&self, key: &'a [u8]) -> Known<'a> {
        Known { key, counter: self.counter, eligible: self.eligible }
    }
}

impl FactorsRecord {
    /// Whether a password alone is not enough.
    pub(crate) fn any(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }

    /// How many recovery codes are left.
    pub(super) fn recovery_left(&self) -> usize {
        self.recovery.iter().filter(|code| code.is_left()).count()
    }

    /// How long codes of the app are not looked at. After too many, time alone no longer helps.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Duration> {
        if self.failures >= CODE_FAILURES_MAX {
            return Some(STOPPED);
        }
        let over = self.failures.checked_sub(CODE_FAILURES_FREE)?;
        let until = Timestamp(self.failed).plus(WAIT_MAX.min(WAIT_FIRST.saturating_mul(1 << over.min(16))));
        (until > now).then(|| until.since(now))
    }

    /// A wrong code, given with this ticket if there is one.
    pub(super) fn failed(&mut self, ticket: Option<&Ticket>, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.failed = now.0;
        if let Some(ticket) = ticket {
            self.tried(ticket, now).failures += 1;
        }
    }

    /// A good proof, given with this ticket if there is one, which is then used up.
    pub(super) fn proven(&mut self, ticket: Option<&Ticket>, now: Timestamp) {
        self.failures = 0;
        if let Some(ticket) = ticket {
            self.spent(ticket, now);
        }
    }

    /// The ticket was used up.
    pub(super) fn spent(&mut self, ticket: &Ticket, now: Timestamp) {
        self.tried(ticket, now).spent = true;
    }

    /// Whether nobody has used the ticket up, and there is room to remember who does.
    pub(super) fn takes(&self, ticket: &Ticket, now: Timestamp) -> bool {
        match self.tickets.iter().find(|tried| tried.mark == ticket.mark()) {
            Some(tried) => !tried.spent && tried.failures < TICKET_FAILURES_MAX,
            None => self.tickets.iter().filter(|tried| tried.until > now.0).count() < TICKETS_MAX,
        }
    }

    fn tried(&mut self, ticket: &Ticket, now: Timestamp) -> &mut Tried {
        let mark = ticket.mark();
        self.tickets.retain(|tried| tried.until > now.0 || tried.mark == mark);
        let at = self.tickets.iter().position(|tried| tried.mark == mark).unwrap_or_else(|| {
            self.tickets.push(Tried { mark, until: ticket.forgotten().0, failures: 0, spent: false });
            self.tickets.len() - 1
        });
        &mut self.tickets[at]
    }

    /// Says that there are other factors than before.
    pub(super) fn changed(&mut self) {
        self.era = self.era.saturating_add(1);
        if !self.any() {
            self.recovery.clear();
        }
    }

    /// The record without set-ups and tickets whose time is over, if there are any.
    pub(crate) fn trimmed(&self, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        next.pending = next.pending.filter(|pending| now.0 < pending.until);
        next.tickets.retain(|tried| tried.until > now.0);
        let less = next.pending.is_none() != self.pending.is_none() || next.tickets.len() < self.tickets.len();
        less.then_some(next)
    }

    /// Without any factor; what was tried stays known.
    pub(super) fn emptied(&self) -> Self {
        Self { era: self.era.saturating_add(1), tickets: self.tickets.clone(), ..Self::default() }
    }

    /// What a sign-in that is under way rests on: the account's password and sessions, and these factors. If one of them changes,
    /// its ticket counts no more.
    pub(super) fn stand(&self, user: &UserRecord) -> [u8; 32] {
        let (epoch, era) = (user.epoch.to_be_bytes(), self.era.to_be_bytes());
        sha256(&[b"iris/factors/stand\0", user.id.as_bytes(), &epoch, &era, user.password.as_bytes()])
    }

    /// The passkey with this credential id.
    pub(super) fn passkey(&self, credential: &[u8]) -> Option<usize> {
        let wanted = URL_SAFE_NO_PAD.encode(credential);
        self.passkeys.iter().position(|passkey| passkey.credential.as_bytes().ct_eq(wanted.as_bytes()).into())
    }
}

/// Secrets as base64url.
mod coded {
    use super::{Deserialize, Deserializer, Engine, SECRET_BYTES, Secret, Serializer, TotpSecret, URL_SAFE_NO_PAD};

    pub(super) fn serialize<S: Serializer>(secret: &TotpSecret, to: S) -> Result<S::Ok, S::Error> {
        let text = Secret::new(URL_SAFE_NO_PAD.encode(secret.expose()));
        to.serialize_str(text.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TotpSecret, D::Error> {
        let text = Secret::new(String::deserialize(from)?);
        let bytes = Secret::new(URL_SAFE_NO_PAD.decode(text.expose()).map_err(serde::de::Error::custom)?);
        let bytes: [u8; SECRET_BYTES] =
            bytes.expose().as_slice().try_into().map_err(|_| serde::de::Error::custom("a secret of another length"))?;
        Ok(Secret::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use iris_kernel::Tenant;
    use iris_testkit::SeededEntropy;

    use super::super::ticket::{Purpose, Tickets};
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    fn ticket(seed: u64) -> Ticket {
        let tickets = Tickets::with_key(&[1; 32]);
        tickets.issue((Purpose::SignIn, Tenant(1), [0; 16]), &[], NOW, &SeededEntropy::new(seed))
    }

    #[test]
    fn attack_guessing_waits_grow_and_end_in_a_stop() {
        let mut record = FactorsRecord::default();
        let mut now = NOW;
        for _ in 0..CODE_FAILURES_FREE {
            assert_eq!(record.wait(now), None);
            record.failed(None, now);
        }
        assert_eq!(record.wait(now), Some(WAIT_FIRST));
        let mut waited = Duration::ZERO;
        while record.failures < CODE_FAILURES_MAX {
            let wait = record.wait(now).unwrap();
            assert!(wait <= WAIT_MAX);
            (now, waited) = (now.plus(wait), waited + wait);
            assert_eq!(record.wait(now), None);
            record.failed(None, now);
        }
        assert!(waited > Duration::from_secs(3 * 86_400), "{waited:?}");
        assert_eq!(record.wait(now.plus(Duration::from_secs(365 * 86_400))), Some(STOPPED));
        record.proven(None, now);
        assert_eq!(record.wait(now), None);
    }

    #[test]
    fn a_ticket_is_used_once_and_bears_five_mistakes() {
        let mut record = FactorsRecord::default();
        let (good, bad) = (ticket(1), ticket(2));
        record.proven(Some(&good), NOW);
        assert!(!record.takes(&good, NOW));
        for _ in 0..TICKET_FAILURES_MAX {
            assert!(record.takes(&bad, NOW));
            record.failed(Some(&bad), NOW);
        }
        assert!(!record.takes(&bad, NOW));
        assert!(record.takes(&ticket(3), NOW));
    }

    #[test]
    fn tickets_are_remembered_as_long_as_they_last_and_no_more_than_there_is_room_for() {
        let mut record = FactorsRecord::default();
        for seed in 0..TICKETS_MAX as u64 {
            record.failed(Some(&ticket(seed)), NOW);
        }
        assert_eq!(record.tickets.len(), TICKETS_MAX);
        assert!(!record.takes(&ticket(1_000), NOW));
        let later = ticket(5).forgotten();
        assert!(record.takes(&ticket(1_000), later));
        record.failed(Some(&ticket(1_000)), later);
        assert_eq!(record.tickets.len(), 1);
    }

    #[test]
    fn the_record_survives_its_text_and_old_ones_are_read() {
        let record = FactorsRecord {
            totp: Some(Totp { secret: Secret::new([9; SECRET_BYTES]), last_step: 7, created: 1 }),
            ..FactorsRecord::default()
        };
        let text = serde_json::to_string(&record).unwrap();
        let again: FactorsRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(again.totp.unwrap().secret.expose(), &[9; SECRET_BYTES]);
        let empty: FactorsRecord = serde_json::from_str("{}").unwrap();
        assert!(!empty.any() && empty.wait(NOW).is_none());
        assert!(serde_json::from_str::<Totp>(r#"{"secret":"AAAA","last_step":1,"created":1}"#).is_err());
    }
}
