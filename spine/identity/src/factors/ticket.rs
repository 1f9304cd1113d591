//! Tickets: what a sign-in or a ceremony with an authenticator goes on with. Nothing of them is stored until somebody uses one:
//! each says itself whose it is, for what and until when, under a code (HMAC-SHA256) that every node of the installation can
//! check. What it is bound to besides (the account as it was, the site, the session) is part of the code and not of the ticket.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::digest::{MacKey, sha256};
use iris_kernel::{Entropy, Secret, Tenant, Timestamp};
use iris_store::Store;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// How long a ticket is good: 300 seconds.
pub const TICKET_LIFE: Duration = Duration::from_secs(300);
/// Clocks of nodes agree within five seconds (ADR 0011); a ticket of the future is no ticket.
const SKEW: Duration = Duration::from_secs(5);

const PREFIX: &str = "ift1_";
const NONCE_BYTES: usize = 32;
const ABOUT_BYTES: usize = 16;
const BODY_BYTES: usize = 1 + 4 + ABOUT_BYTES + 8 + NONCE_BYTES;
const BYTES: usize = BODY_BYTES + 32;
const LABEL: &str = "iris factors ticket v1";

/// What a ticket is for. One for another purpose is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The second step of a sign-in whose password fitted.
    SignIn = 1,
    /// An authenticator is to make a passkey.
    Register = 2,
    /// An authenticator is to show a passkey.
    Assert = 3,
}

/// A ticket, opened.
#[derive(Clone)]
pub(super) struct Ticket {
    purpose: u8,
    pub(super) tenant: Tenant,
    /// Whose it is: an account's id, or [`Tickets::name`], or zeros for whoever comes.
    pub(super) about: [u8; ABOUT_BYTES],
    expires: Timestamp,
    /// Random; the challenge of a ceremony.
    pub(super) nonce: [u8; NONCE_BYTES],
    code: [u8; 32],
}

/// Makes and checks tickets.
pub(super) struct Tickets(MacKey);

impl Tickets {
    /// With the key that all nodes of the installation derive.
    pub(super) fn new(store: &Store) -> Self {
        Self(MacKey::new(&store.derive(LABEL)))
    }

    /// With a key of its own.
    #[cfg(test)]
    pub(super) fn with_key(key: &[u8; 32]) -> Self {
        Self(MacKey::new(key))
    }

    /// A new ticket.
    pub(super) fn issue(
        &self,
        (purpose, tenant, about): (Purpose, Tenant, [u8; ABOUT_BYTES]),
        bound: &[&[u8]],
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Ticket {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let expires = now.plus(TICKET_LIFE);
        let ticket = Ticket { purpose: purpose as u8, tenant, about, expires, nonce, code: [0; 32] };
        Ticket { code: self.code(&ticket, bound), ..ticket }
    }

    /// Whether it is one of ours for this purpose, bound to this, and good now.
    pub(super) fn counts(&self, ticket: &Ticket, purpose: Purpose, bound: &[&[u8]], now: Timestamp) -> bool {
        let ours: bool = self.code(ticket, bound).ct_eq(&ticket.code).into();
        let timely = now < ticket.expires && ticket.expires <= now.plus(TICKET_LIFE + SKEW);
        ours && timely && ticket.purpose == purpose as u8
    }

    /// What stands for a user name in a ticket: it does not tell whether there is such an account.
    pub(super) fn name(&self, tenant: Tenant, folded: &str) -> [u8; ABOUT_BYTES] {
        self.0.token(&[b"name", &tenant.0.to_be_bytes(), folded.as_bytes()])
    }

    fn code(&self, ticket: &Ticket, bound: &[&[u8]]) -> [u8; 32] {
        let body = ticket.body();
        let mut parts: Vec<&[u8]> = vec![b"ticket", &body];
        parts.extend(bound);
        self.0.mac(&parts)
    }
}

impl Ticket {
    fn body(&self) -> [u8; BODY_BYTES] {
        let mut body = [0; BODY_BYTES];
        body[0] = self.purpose;
        body[1..5].copy_from_slice(&self.tenant.0.to_be_bytes());
        body[5..21].copy_from_slice(&self.about);
        body[21..29].copy_from_slice(&self.expires.0.to_be_bytes());
        body[29..].copy_from_slice(&self.nonce);
        body
    }

    /// The text that the caller brings back.
    pub(super) fn text(&self) -> Secret<String> {
        let bytes = [&self.body()[..], &self.code[..]].concat();
        Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a text; `None` if it is no ticket at all. Whether it counts is [`Tickets::counts`]' affair.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX).filter(|rest| rest.len() <= BYTES.div_ceil(3) * 4)?;
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok()?;
        let (purpose, rest) = bytes.split_first()?;
        let (tenant, rest) = rest.split_first_chunk::<4>()?;
        let (about, rest) = rest.split_first_chunk::<ABOUT_BYTES>()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (nonce, code) = rest.split_first_chunk::<NONCE_BYTES>()?;
        Some(Self {
            purpose: *purpose,
            tenant: Tenant(u32::from_be_bytes(*tenant)),
            about: *about,
            expires: Timestamp(i64::from_be_bytes(*expires)),
            nonce: *nonce,
            code: code.try_into().ok()?,
        })
    }

    /// Whether it says that it is this account's.
    pub(super) fn is_about(&self, tenant: Tenant, user: Uuid) -> bool {
        self.tenant == tenant && self.about == *user.as_bytes()
    }

    /// When nobody can use it any more, whatever the clocks say.
    pub(super) fn forgotten(&self) -> Timestamp {
        self.expires.plus(SKEW)
    }

    /// What is kept of a ticket that was used.
    pub(super) fn mark(&self) -> String {
        URL_SAFE_NO_PAD.encode(&sha256(&[b"iris/factors/ticket\0", &self.nonce])[..16])
    }
}

#[cfg(test)]
mod tests {
    use iris_testkit::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    fn tickets(seed: u8) -> Tickets {
        Tickets::with_key(&[seed; 32])
    }

    fn issue(tickets: &Tickets) -> Ticket {
        let entropy = SeededEntropy::new(4);
        tickets.issue((Purpose::SignIn, Tenant(3), [7; 16]), &[b"stand"], NOW, &entropy)
    }

    #[test]
    fn a_ticket_counts_for_what_it_was_made_and_as_long() {
        let tickets = tickets(1);
        let ticket = Ticket::parse(issue(&tickets).text().expose()).unwrap();
        assert_eq!((ticket.tenant, ticket.about), (Tenant(3), [7; 16]));
        assert!(tickets.counts(&ticket, Purpose::SignIn, &[b"stand"], NOW));
        let last = NOW.plus(TICKET_LIFE - Duration::from_micros(1));
        assert!(tickets.counts(&ticket, Purpose::SignIn, &[b"stand"], last));
        assert!(!tickets.counts(&ticket, Purpose::SignIn, &[b"stand"], NOW.plus(TICKET_LIFE)));
    }

    #[test]
    fn attack_ticket_of_another_purpose_account_key_or_time() {
        let tickets = tickets(1);
        let ticket = issue(&tickets);
        assert!(!tickets.counts(&ticket, Purpose::Assert, &[b"stand"], NOW));
        assert!(!tickets.counts(&ticket, Purpose::SignIn, &[b"other"], NOW));
        assert!(!tickets.counts(&ticket, Purpose::SignIn, &[], NOW));
        assert!(!tickets.counts(&ticket, Purpose::SignIn, &[b"sta", b"nd"], NOW));
        assert!(!self::tickets(2).counts(&ticket, Purpose::SignIn, &[b"stand"], NOW));
        let before = Timestamp(NOW.0 - 60_000_000);
        assert!(!tickets.counts(&ticket, Purpose::SignIn, &[b"stand"], before), "one of the future");
    }

    #[test]
    fn attack_forgery_no_changed_bit_leaves_a_ticket_that_counts() {
        let tickets = tickets(1);
        let ticket = issue(&tickets);
        let whole = [&ticket.body()[..], &ticket.code[..]].concat();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let forged = Ticket::parse(&format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes))).unwrap();
            assert!(!tickets.counts(&forged, Purpose::SignIn, &[b"stand"], NOW), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn nothing_but_a_ticket_reads_as_one(text in "(ift1_)?[A-Za-z0-9_=.-]{0,140}") {
            if let Some(ticket) = Ticket::parse(&text) {
                prop_assert!(ticket.text().expose() == &text);
                prop_assert!(!tickets(1).counts(&ticket, Purpose::SignIn, &[b"stand"], NOW));
            }
        }
    }
}
