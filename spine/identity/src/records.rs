//! The stored forms: JSON bodies of the internal records of this crate.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use iris_access::records::{Stamp, Stored, add, change, read};
use iris_access::{AccessError, Role, RoleSet};

use crate::views::{ClientView, TenantView, UserView};

/// A user as stored. No `Debug`: it holds the password's hash.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// PHC string of argon2id.
    pub(crate) password: String,
    pub(crate) roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) patient: Option<String>,
    pub(crate) enabled: bool,
    /// Which sessions count: those that were begun under the same number. Whoever ends all of them raises it.
    #[serde(default)]
    pub(crate) epoch: u32,
}

impl UserRecord {
    /// The roles; a word that names none means that the record was made by another program or is damaged.
    pub(crate) fn role_set(&self) -> Result<RoleSet, AccessError> {
        let roles: Result<Vec<Role>, _> = self.roles.iter().map(|name| name.parse()).collect();
        roles.map(|roles| RoleSet::of(&roles)).map_err(|error| AccessError::Damaged(Box::new(error)))
    }

    pub(crate) fn view(self) -> UserView {
        UserView { id: self.id, name: self.name, roles: self.roles, patient_id: self.patient, enabled: self.enabled }
    }
}

/// A client as stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ClientRecord {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// SHA-256 of the secret, base64url. The secret has 256 random bits, so no slower hash is needed.
    pub(crate) secret: String,
    pub(crate) scope: String,
    pub(crate) enabled: bool,
}

impl ClientRecord {
    pub(crate) fn view(self, client_id: String) -> ClientView {
        ClientView { client_id, name: self.name, scope: self.scope, enabled: self.enabled }
    }
}

/// A session as stored: one sign-in and the refresh tokens that follow from it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub(crate) user: Uuid,
    /// The account's number when the session began; see [`UserRecord::epoch`].
    #[serde(default)]
    pub(crate) epoch: u32,
    /// For the sessions of pages: after how many seconds without an exchange the session is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) idle: Option<u64>,
    /// Hash of the family's secret.
    pub(crate) family: String,
    /// Generation and hash of the only refresh token that can be exchanged.
    pub(crate) generation: u32,
    pub(crate) token: String,
    /// Hash of the token before, and the salt that made the present one from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
    /// Sign-in, last exchange, end of the present refresh token, end of the session: microseconds.
    pub(crate) created: i64,
    pub(crate) refreshed: i64,
    pub(crate) expires: i64,
    pub(crate) ends: i64,
    /// Why it was ended before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked: Option<Revoked>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agent: Option<String>,
}

impl SessionRecord {
    /// Whether it is one of this account and nobody has ended it.
    pub(crate) fn counts_for(&self, user: &UserRecord) -> bool {
        self.revoked.is_none() && self.user == user.id && self.epoch == user.epoch
    }
}

/// What is kept of the refresh token that was exchanged last.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Previous {
    pub(crate) token: String,
    pub(crate) salt: [u8; 32],
}

/// Why and when something was revoked.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Revoked {
    pub(crate) at: i64,
    pub(crate) why: String,
}

/// An access token that was revoked by itself.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RevokedTokenRecord {
    pub(crate) subject: Uuid,
    /// `exp`, in seconds: after it the record is of no use.
    pub(crate) expires: i64,
}

/// How many records of a list a tenant has.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct CounterRecord {
    pub(crate) count: u32,
}

/// Every tenant but the first, which needs no record.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct TenantsRecord {
    pub(crate) tenants: Vec<TenantView>,
}
