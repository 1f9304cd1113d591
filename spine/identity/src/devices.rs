//! Devices on which somebody has signed in before.
//!
//! At a successful sign-in the device gets a token that names itself and, sealed by a tag, the account. Shown at the next sign-in it
//! proves that the owner was here, so that this device is counted by itself (`throttle`) and a flood of hostile failures from
//! elsewhere does not keep the owner out. It proves nothing else: whoever steals one has five guesses and then waits like everybody.
//! Several people share a screen in a clinic, so one token holds the tags of several accounts. Nothing of it is stored here.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::digest::{MacKey, sha256};
use iris_kernel::{Entropy, Secret, Tenant, Timestamp};
use subtle::ConstantTimeEq;

use crate::throttle::Key;

const PREFIX: &str = "idv1_";
const ID_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const ENTRY_BYTES: usize = 2 + TAG_BYTES;
const DAY_SECONDS: i64 = 86_400;

/// Most accounts that one device knows; the one that signed in longest ago goes first.
pub const DEVICE_ACCOUNTS_MAX: usize = 16;
/// How long a device stays known after a sign-in.
pub const DEVICE_LIFE: Duration = Duration::from_secs(180 * 86_400);
/// Longest token that is looked at, in characters.
pub const DEVICE_CHARS_MAX: usize = PREFIX.len() + (ID_BYTES + DEVICE_ACCOUNTS_MAX * ENTRY_BYTES).div_ceil(3) * 4;

/// Makes and checks the tokens.
pub(crate) struct Devices(MacKey);

/// What a token says; nothing of it is proven before its tag is checked.
struct Shown {
    id: [u8; ID_BYTES],
    accounts: Vec<(u16, [u8; TAG_BYTES])>,
}

impl Devices {
    /// With a key that is the same on every node.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(MacKey::new(key))
    }

    /// What failures of this account on the device that shows `token` are counted under; `None` if the account was never signed in
    /// there, or too long ago.
    pub(crate) fn known(&self, token: Option<&str>, tenant: Tenant, account: &str, now: Timestamp) -> Option<Key> {
        let shown = Shown::parse(token?)?;
        let today = day(now);
        let oldest = today.saturating_sub(DEVICE_LIFE.as_secs().try_into().unwrap_or(i64::MAX) / DAY_SECONDS);
        shown
            .accounts
            .iter()
            .any(|(signed, tag)| {
                (oldest..=today).contains(&i64::from(*signed))
                    && bool::from(tag.ct_eq(&self.tag(&shown.id, tenant, account, *signed)))
            })
            .then(|| sha256(&[b"device\0", &tenant.0.to_be_bytes(), &shown.id, account.as_bytes()]))
    }

    /// The token for a device on which this account has just signed in; `shown` is the one it had, whose other accounts stay known.
    pub(crate) fn give(
        &self,
        shown: Option<&str>,
        tenant: Tenant,
        account: &str,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Secret<String> {
        let Shown { id, accounts } = shown.and_then(Shown::parse).unwrap_or_else(|| {
            let mut id = [0; ID_BYTES];
            entropy.fill(&mut id);
            Shown { id, accounts: Vec::new() }
        });
        let today = u16::try_from(day(now)).unwrap_or(u16::MAX);
        let others = accounts.into_iter().filter(|(signed, tag)| *tag != self.tag(&id, tenant, account, *signed));
        let all = std::iter::once((today, self.tag(&id, tenant, account, today))).chain(others);
        let mut bytes = id.to_vec();
        for (signed, tag) in all.take(DEVICE_ACCOUNTS_MAX) {
            bytes.extend(signed.to_be_bytes());
            bytes.extend(tag);
        }
        Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    fn tag(&self, id: &[u8; ID_BYTES], tenant: Tenant, account: &str, signed: u16) -> [u8; TAG_BYTES] {
        let whole =
            self.0.mac(&[b"iris/device/1", id, &tenant.0.to_be_bytes(), &signed.to_be_bytes(), account.as_bytes()]);
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&whole[..TAG_BYTES]);
        tag
    }
}

impl Shown {
    fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX).filter(|_| text.len() <= DEVICE_CHARS_MAX)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (id, rest) = bytes.split_first_chunk::<ID_BYTES>()?;
        if !rest.len().is_multiple_of(ENTRY_BYTES) {
            return None;
        }
        let entry = |entry: &[u8]| {
            let (signed, tag) = entry.split_first_chunk::<2>()?;
            Some((u16::from_be_bytes(*signed), tag.try_into().ok()?))
        };
        let accounts = rest.chunks(ENTRY_BYTES).map(entry).collect::<Option<Vec<_>>>()?;
        Some(Self { id: *id, accounts })
    }
}

fn day(now: Timestamp) -> i64 {
    now.seconds().div_euclid(DAY_SECONDS)
}

#[cfg(test)]
mod tests {
    use iris_testkit::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
    const HERE: Tenant = Tenant(1);

    fn devices() -> Devices {
        Devices::new(&[7; 32])
    }

    #[test]
    fn a_device_knows_those_who_signed_in_on_it_and_nobody_else() {
        let (devices, entropy) = (devices(), SeededEntropy::new(1));
        let alice = devices.give(None, HERE, "alice", NOW, &entropy);
        let both = devices.give(Some(alice.expose()), HERE, "bob", NOW, &entropy);
        let known = |token: &str, tenant, name| devices.known(Some(token), tenant, name, NOW);
        assert!(known(alice.expose(), HERE, "alice").is_some() && known(alice.expose(), HERE, "bob").is_none());
        assert!(known(both.expose(), HERE, "bob").is_some());
        assert_eq!(known(both.expose(), HERE, "alice"), known(alice.expose(), HERE, "alice"), "one device, one count");
        assert_ne!(known(both.expose(), HERE, "alice"), known(both.expose(), HERE, "bob"));
        assert!(known(both.expose(), Tenant(2), "alice").is_none(), "another tenant's alice");
        let other = Devices::new(&[8; 32]);
        assert!(other.known(Some(both.expose()), HERE, "alice", NOW).is_none(), "another installation's key");
    }

    #[test]
    fn a_device_forgets_after_its_time_and_holds_a_bounded_number() {
        let (devices, entropy) = (devices(), SeededEntropy::new(2));
        let token = devices.give(None, HERE, "alice", NOW, &entropy);
        let at = |time| devices.known(Some(token.expose()), HERE, "alice", time).is_some();
        assert!(at(NOW.plus(DEVICE_LIFE)) && !at(NOW.plus(DEVICE_LIFE + Duration::from_secs(86_400))));
        assert!(!at(Timestamp(NOW.0 - 86_400_000_000)), "not from the future either");
        let mut token = token;
        for n in 0..DEVICE_ACCOUNTS_MAX {
            token = devices.give(Some(token.expose()), HERE, &format!("user{n}"), NOW, &entropy);
            assert!(token.expose().len() <= DEVICE_CHARS_MAX);
        }
        assert!(devices.known(Some(token.expose()), HERE, "alice", NOW).is_none(), "the oldest went");
        assert!(devices.known(Some(token.expose()), HERE, "user0", NOW).is_some());
    }

    proptest! {
        #[test]
        fn attack_forged_tokens_make_no_device_known(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
            prop_assert!(devices().known(Some(&token), HERE, "alice", NOW).is_none());
        }
    }
}
