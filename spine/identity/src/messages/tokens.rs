//! What stands in a link: which tenant, what for, a random id, and a secret that is derived from all three under a key of the
//! store. So a guess is refused before anything is looked up, the outbox holds no link, and each try of a mail has the same one.
//! The record under the id says once and for all whether it is spent; it holds a digest of the secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_crypto::MacKey;
use iris_crypto::digest::sha256;
use iris_kernel::{Secret, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::Language;
use crate::records::UserRecord;
use crate::refresh_token::same;

const PREFIX: &str = "imt1_";
const BYTES: usize = 4 + 1 + 16 + 32;
/// Characters of a link's token.
pub(crate) const TOKEN_CHARS: usize = PREFIX.len() + BYTES.div_ceil(3) * 4;

/// What a link does. The numbers stand in links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Makes the account that somebody asked for.
    Register = 1,
    /// Proves the address of an account.
    Verify = 2,
    /// Sets a forgotten password.
    Reset = 3,
    /// Sets the first password.
    Invite = 4,
}

impl Purpose {
    const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Register),
            2 => Some(Self::Verify),
            3 => Some(Self::Reset),
            4 => Some(Self::Invite),
            _ => None,
        }
    }
}

/// A link's token that was made here.
pub(crate) struct MailToken {
    pub(crate) tenant: Tenant,
    pub(crate) purpose: Purpose,
    pub(crate) id: Uuid,
    secret: Secret<[u8; 32]>,
}

impl MailToken {
    /// The one token of this id.
    pub(crate) fn derive(key: &MacKey, tenant: Tenant, purpose: Purpose, id: Uuid) -> Self {
        let secret = key.mac(&[b"iris/mail-link", &tenant.0.to_be_bytes(), &[purpose as u8], id.as_bytes()]);
        Self { tenant, purpose, id, secret: Secret::new(secret) }
    }

    /// Reads a token; `None` if it was not made here.
    pub(crate) fn parse(key: &MacKey, text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX).filter(|_| text.len() <= TOKEN_CHARS)?;
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok()?;
        let (tenant, rest) = bytes.split_first_chunk::<4>()?;
        let ([purpose], rest) = rest.split_first_chunk::<1>()?;
        let (id, secret) = rest.split_first_chunk::<16>()?;
        let (tenant, id) = (Tenant(u32::from_be_bytes(*tenant)), Uuid::from_bytes(*id));
        let token = Self::derive(key, tenant, Purpose::of(*purpose)?, id);
        bool::from(token.secret.expose().ct_eq(secret)).then_some(token)
    }

    /// The text for the link.
    pub(crate) fn text(&self) -> Secret<String> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(self.tenant.0.to_be_bytes());
        bytes.push(self.purpose as u8);
        bytes.extend(self.id.as_bytes());
        bytes.extend(self.secret.expose());
        let bytes = Secret::new(bytes);
        Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes.expose())))
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(&[b"iris/mail-link/hash\0", self.secret.expose()]))
    }

    /// The name of its record.
    pub(crate) fn record(&self) -> String {
        self.id.to_string()
    }
}

/// What a link stands for, as stored. No `Debug`: it may hold a password's hash.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct TokenRecord {
    pub(crate) purpose: u8,
    /// Digest of the secret.
    pub(crate) hash: String,
    /// The address to which it went.
    pub(crate) email: String,
    /// Whose account it is about; none for one that is yet to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<Uuid>,
    /// What the account was like when the link was made; see [`bound`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) bound: String,
    /// The account that is yet to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<NewAccount>,
    /// It is no good from this moment on, in microseconds.
    pub(crate) expires: i64,
    /// When it was redeemed, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spent: Option<i64>,
}

impl TokenRecord {
    /// Whether the link can be redeemed now.
    pub(crate) fn stands_for(&self, token: &MailToken, now: Timestamp) -> bool {
        same(&self.hash, &token.hash())
            && self.purpose == token.purpose as u8
            && self.spent.is_none()
            && now.0 < self.expires
    }

    /// Whether the account is as it was when the link was made.
    pub(crate) fn is_bound_to(&self, purpose: Purpose, user: &UserRecord) -> bool {
        same(&self.bound, &bound(purpose, user))
    }
}

/// An account as somebody asked for it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct NewAccount {
    pub(crate) name: String,
    /// PHC string of argon2id.
    pub(crate) password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    /// In which language they asked.
    #[serde(default)]
    pub(crate) language: Language,
}

/// A digest of what must be the same when a link is redeemed as it was when it was made. A link that sets a password dies with any
/// change of the password, of the address, or of the number under which sessions count; one that proves an address only with the
/// address.
pub(crate) fn bound(purpose: Purpose, user: &UserRecord) -> String {
    let email = user.email.as_deref().unwrap_or_default().as_bytes();
    let digest = match purpose {
        Purpose::Register | Purpose::Verify => sha256(&[b"iris/bound/email\0", email]),
        Purpose::Reset | Purpose::Invite => {
            let length = (email.len() as u64).to_be_bytes();
            let epoch = user.epoch.to_be_bytes();
            sha256(&[b"iris/bound/account\0", &length, email, &epoch, user.password.as_bytes()])
        }
    };
    URL_SAFE_NO_PAD.encode(digest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn attack_token_guessing_what_was_not_made_here_is_no_token() {
        let key = MacKey::new(&[1; 32]);
        let token = MailToken::derive(&key, Tenant(7), Purpose::Reset, Uuid::from_u128(9));
        let text = token.text();
        assert!(text.expose().len() <= TOKEN_CHARS);
        let again = MailToken::parse(&key, text.expose()).unwrap();
        assert_eq!((again.tenant, again.purpose, again.id), (Tenant(7), Purpose::Reset, Uuid::from_u128(9)));
        assert_eq!(again.hash(), token.hash());
        assert!(MailToken::parse(&MacKey::new(&[2; 32]), text.expose()).is_none(), "another installation's");
        // Another tenant, another purpose, another id, a flipped bit anywhere.
        let bytes = URL_SAFE_NO_PAD.decode(&text.expose()[PREFIX.len()..]).unwrap();
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(MailToken::parse(&key, &format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(changed))).is_none(), "{at}");
        }
        for other in [Purpose::Register, Purpose::Verify, Purpose::Invite] {
            assert_ne!(MailToken::derive(&key, Tenant(7), other, Uuid::from_u128(9)).hash(), token.hash());
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_reads_as_a_token(text in "(imt1_)?[A-Za-z0-9_=.-]{0,90}") {
            prop_assert!(MailToken::parse(&MacKey::new(&[3; 32]), &text).is_none());
        }
    }
}
