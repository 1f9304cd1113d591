//! The stored forms: JSON bodies of the internal records of this crate.

use iris_access::error::internal;
use iris_kernel::{Kind, Timestamp};
use iris_store::{Row, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

pub(crate) use iris_access::records::{Stamp, Stored, add, change, read};
use iris_access::{AccessError, Factor, Role, RoleSet};

use crate::messages::Language;
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
    /// Where messages about the account go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// Whether somebody with this account has read a message at that address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) email_verified: bool,
    /// Where codes go as text messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    /// How colleagues call the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    /// Logical ids of the Organizations in which the person works.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) departments: Vec<String>,
    /// Logical id of the Practitioner who the person is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) practitioner: Option<String>,
    /// What the person has beside the standing roles: custom roles, roles for a time, single permissions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) grants: Vec<Grant>,
    /// When the password was set last, in microseconds; nothing for accounts from before this was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password_changed: Option<i64>,
    /// What the person must do before anything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) must: Vec<Must>,
    /// The last sign-in, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_login: Option<i64>,
    /// When the owner was last told of a sign-in on a new device, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) device_told: Option<i64>,
    /// When the account was made, in microseconds; nothing for accounts from before this was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<i64>,
    /// In which language messages to the person are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<Language>,
}

/// What is granted to one person, from and until when, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) id: Uuid,
    pub(crate) what: Granted,
    /// It counts from this moment on, in microseconds; from the beginning where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<i64>,
    /// It no longer counts at this moment, in microseconds; for good where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<i64>,
    /// Who granted it; nil for the installation itself.
    pub(crate) by: Uuid,
    pub(crate) why: String,
}

/// What a grant gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Granted {
    /// A role of the product, by name.
    Role(String),
    /// A role of the tenant, by id.
    Custom(Uuid),
    /// A permission, by name.
    Permission(String),
}

/// What somebody must do before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Must {
    /// Set a password of their own.
    PasswordChange,
    /// Set up a second factor.
    MfaSetup,
}

/// Adds a record to the write set whose newest row, be it a deletion, is this one: what was swept up may come back.
///
/// # Errors
/// [`AccessError::Internal`]: the value is no JSON.
pub(crate) fn put_again<T: Serialize>(
    tx: &mut Tx,
    stamp: Stamp,
    (kind, id): (Kind, &str),
    row: Option<&Row>,
    value: &T,
) -> Result<(), AccessError> {
    let Some(row) = row else { return add(tx, stamp, kind, id, value) };
    let body = Zeroizing::new(serde_json::to_vec(value).map_err(internal)?);
    tx.put_after(row, stamp.at, &stamp.author, Some(&body));
    Ok(())
}

impl UserRecord {
    /// An account as it is made: of one role, open, without a password, which no password fits.
    pub(crate) fn fresh(id: Uuid, name: &str, role: Role, at: Timestamp) -> Self {
        Self {
            id,
            name: name.to_owned(),
            password: String::new(),
            roles: vec![role.name().to_owned()],
            patient: None,
            enabled: true,
            epoch: 0,
            email: None,
            email_verified: false,
            phone: None,
            display_name: None,
            departments: Vec::new(),
            practitioner: None,
            grants: Vec::new(),
            password_changed: None,
            must: Vec::new(),
            last_login: None,
            device_told: None,
            created: Some(at.0),
            language: None,
        }
    }

    /// The roles; a word that names none means that the record was made by another program or is damaged.
    pub(crate) fn role_set(&self) -> Result<RoleSet, AccessError> {
        let roles: Result<Vec<Role>, _> = self.roles.iter().map(|name| name.parse()).collect();
        roles.map(|roles| RoleSet::of(&roles)).map_err(|error| AccessError::Damaged(Box::new(error)))
    }

    /// For answers; [`crate::Identity::view_of`] adds what was granted.
    pub(crate) fn view(self) -> UserView {
        UserView {
            id: self.id,
            name: self.name,
            roles: self.roles,
            patient_id: self.patient,
            enabled: self.enabled,
            email: self.email,
            email_verified: self.email_verified,
            phone: self.phone,
            display_name: self.display_name,
            departments: self.departments,
            practitioner_id: self.practitioner,
            last_login: self.last_login.map(Timestamp),
            created: self.created.map(Timestamp),
            grants: Vec::new(),
        }
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
    /// Whether a browser keeps the refresh token; where it was not noted, those with an idle time are the browsers'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) browser: Option<bool>,
    /// What was proven at the sign-in.
    #[serde(default = "password_alone")]
    pub(crate) factor: Factor,
    /// When the owner last proved to be there, in microseconds; at the sign-in where it was not noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proven: Option<i64>,
    /// Where it is shorter than programs have it: after how many seconds without an exchange the session is over.
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
    /// Whether a browser keeps the refresh token.
    pub(crate) fn is_browsers(&self) -> bool {
        self.browser.unwrap_or(self.idle.is_some())
    }

    /// When the owner last proved to be there.
    pub(crate) fn proven_at(&self) -> Timestamp {
        Timestamp(self.proven.unwrap_or(self.created))
    }

    /// Whether somebody can go on with it.
    pub(crate) fn is_open(&self, user: &UserRecord, now: Timestamp) -> bool {
        self.counts_for(user) && now.0 < self.expires.min(self.ends)
    }

    /// Whether it is one of this account and nobody has ended it.
    pub(crate) fn counts_for(&self, user: &UserRecord) -> bool {
        self.revoked.is_none() && self.user == user.id && self.epoch == user.epoch
    }
}

fn password_alone() -> Factor {
    Factor::Password
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
