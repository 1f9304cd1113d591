//! What goes in and comes out of the operations on accounts.

use std::time::Duration;

use iris_kernel::{Secret, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::messages::Language;
use crate::records::UserRecord;
use iris_access::{Caller, Factor, Limit, RoleSet, Rule};

/// What a sign-in or a refresh gives.
#[derive(Debug)]
pub struct Tokens {
    /// The access token (a JWT, `Authorization: Bearer`).
    pub access: Secret<String>,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// The refresh token, good for one exchange; none for clients.
    pub refresh: Option<Secret<String>>,
    /// Granted scopes, for clients.
    pub scope: Option<String>,
    /// The session; none for clients.
    pub session: Option<SessionView>,
    /// What makes the device known at the next sign-in; after a sign-in only.
    pub device: Option<Secret<String>>,
    /// What has to be done before the session is good for anything else.
    pub must: Option<Limit>,
    /// Whether a passkey should be offered, so that the next sign-in needs no code.
    pub offers_passkey: bool,
    /// Who signed in.
    pub profile: Profile,
}

/// One of an account's open sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// The id.
    pub id: Uuid,
    /// When it began.
    pub created: Timestamp,
    /// When a token of it was last shown to this node, or exchanged on any.
    pub last_used: Timestamp,
    /// The network address from which it began.
    pub address: Option<String>,
    /// What the program called itself from which it began.
    pub agent: Option<String>,
    /// What was proven at its beginning.
    pub factor: Factor,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it ends if nobody goes on with it.
    pub ends: Timestamp,
}

/// What people change of their own account. Nothing where nothing is to change, and inside of it nothing where nothing is to be left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// How colleagues call the person.
    pub display_name: Option<Option<String>>,
    /// Where messages about the account go.
    pub email: Option<Option<String>>,
    /// Where codes go as text messages.
    pub phone: Option<Option<String>>,
    /// In which language messages are written.
    pub language: Option<Option<Language>>,
}

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The id.
    pub id: Uuid,
    /// The session is over after this time without an exchange of the refresh token.
    pub idle: Duration,
    /// When the refresh token stops being good: the idle time from now, or the session's end.
    pub refresh_until: Timestamp,
    /// When the session ends, however often it is refreshed.
    pub ends: Timestamp,
}

/// Who somebody is and what they may do: the answer of `GET /auth/me`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// Id of the user or client.
    pub id: Uuid,
    /// User name or client name.
    pub name: String,
    /// `user`, `client` or `system`.
    pub kind: &'static str,
    /// Number of the tenant.
    pub tenant: u32,
    /// Names of the roles.
    pub roles: Vec<&'static str>,
    /// Permission strings.
    pub permissions: Vec<&'static str>,
    /// Scopes, for clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The own Patient resource's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Uuid>,
    /// How colleagues call the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where messages about the account go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether somebody with this account has read a message there; nothing where there is no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Where codes go as text messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// In which language messages are written, if one was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Which second factors the person has; nothing where that was not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factors: Option<Vec<&'static str>>,
}

/// A user to be made.
#[derive(Debug)]
pub struct NewUser {
    /// The name to sign in with; unique in the tenant by case-folded NFKC.
    pub name: String,
    /// The first password.
    pub password: Secret<String>,
    /// The roles.
    pub roles: RoleSet,
    /// Id of the own Patient resource; needed by the patient role.
    pub patient: Option<String>,
}

/// A user as lists and answers show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UserView {
    /// The id.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// Names of the roles.
    pub roles: Vec<String>,
    /// Id of the own Patient resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<String>,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// Where messages about the account go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether somebody with this account has read a message at that address.
    pub email_verified: bool,
    /// Where codes go as text messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// How colleagues call the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Logical ids of the Organizations in which the person works.
    pub departments: Vec<String>,
    /// Logical id of the Practitioner who the person is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practitioner_id: Option<String>,
    /// The last sign-in.
    #[serde(skip)]
    pub last_login: Option<Timestamp>,
    /// When the account was made.
    #[serde(skip)]
    pub created: Option<Timestamp>,
    /// What was granted to the person, those grants included whose time is not there yet or over.
    #[serde(skip)]
    pub grants: Vec<GrantView>,
}

/// A grant as answers show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantView {
    /// The id.
    pub id: Uuid,
    /// Name of the role, if it is one.
    pub role: Option<String>,
    /// Name of the permission, if it is one.
    pub permission: Option<String>,
    /// From when on; from the beginning where there is none.
    pub from: Option<Timestamp>,
    /// Until when; for good where there is none.
    pub until: Option<Timestamp>,
    /// Who granted it; nil for the installation itself.
    pub by: Uuid,
    /// Why.
    pub reason: String,
    /// Whether it counts now.
    pub counts: bool,
}

/// A role of the tenant's own as answers show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleView {
    /// The id.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The role of the product whose rules it has too.
    pub based_on: Option<String>,
    /// Names of its permissions.
    pub permissions: Vec<String>,
    /// Names of the families on which they count; those that ask for one of them, where none is named.
    pub families: Vec<String>,
    /// What all of it allows.
    pub rules: Vec<Rule>,
}

/// A colleague, as everybody in the tenant may know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColleagueView {
    /// The id.
    pub id: Uuid,
    /// The name to sign in with.
    pub name: String,
    /// How colleagues call the person.
    pub display_name: Option<String>,
    /// Logical id of the Practitioner who the person is.
    pub practitioner_id: Option<String>,
}

/// A machine client as lists and answers show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    /// The `client_id`.
    pub client_id: String,
    /// The name.
    pub name: String,
    /// Granted scopes in normal form.
    pub scope: String,
    /// Whether the client gets tokens.
    pub enabled: bool,
}

/// A fresh client with its secret, which is shown this once.
#[derive(Debug)]
pub struct NewClient {
    /// The client.
    pub client: ClientView,
    /// The secret.
    pub secret: Secret<String>,
}

/// A key that signs access tokens, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeyView {
    /// Its public name (`kid`).
    pub id: String,
    /// Its algorithm.
    pub algorithm: &'static str,
    /// When it was made, RFC 3339.
    pub created: String,
    /// Whether new tokens are signed with it.
    pub active: bool,
    /// When another key took its place; tokens that it signed before still count until they run out.
    pub retired: Option<Timestamp>,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantView {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Whether it is switched off: nobody signs in there, and no token counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    /// When it was switched off last, in microseconds: sessions from before stay ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<i64>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The items, oldest first.
    pub items: Vec<T>,
    /// Pass as `after` to get the next page; none at the end.
    pub next: Option<u32>,
    /// How many there are on all pages.
    pub total: u32,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enabled {
    /// It may.
    Yes,
    /// It may not; its tokens stop working at once.
    No,
}

impl Profile {
    /// Who a caller is.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        Self {
            id: caller.subject.id,
            name: caller.subject.name.to_string(),
            kind: caller.subject.kind.name(),
            tenant: caller.tenant.0,
            roles: caller.roles.names(),
            permissions: caller.permissions.names(),
            scope: caller.scopes.as_ref().map(ToString::to_string),
            patient_id: caller.patient.as_ref().map(ToString::to_string),
            session_id: caller.session,
            ..Self::default()
        }
    }

    /// Adds what the account says of itself.
    pub(crate) fn add(&mut self, user: &UserRecord) {
        self.display_name.clone_from(&user.display_name);
        self.email.clone_from(&user.email);
        self.email_verified = user.email.is_some().then_some(user.email_verified);
        self.phone.clone_from(&user.phone);
        self.language = user.language;
    }
}
