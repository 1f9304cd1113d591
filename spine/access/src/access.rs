//! Sign-in, tokens, sessions and accounts over the store.

use std::sync::Arc;

use iris_audit::Audit;
use iris_kernel::{Clock, Entropy, Secret, Tenant};
use iris_store::Store;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::action::{Create, Read, Search, Update};
use crate::caller::{Caller, Origin, SubjectKind};
use crate::error::AccessError;
use crate::permit::Permit;
use crate::role::RoleSet;

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
    /// Who signed in.
    pub profile: Profile,
}

/// Who somebody is and what they may do: the answer of `GET /auth/me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantView {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The items, oldest first.
    pub items: Vec<T>,
    /// Pass as `after` to get the next page; none at the end.
    pub next: Option<u32>,
}

/// The part of the product that knows who is who. One per process.
pub struct Access {
    store: Store,
    audit: Arc<Audit>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

#[allow(unused_variables, clippy::todo)]
impl Access {
    /// Opens it; makes the signing key at the first start. Blocking.
    ///
    /// # Errors
    /// The store cannot be read or written, or the key is damaged.
    pub fn open(store: Store, audit: Arc<Audit>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Self, AccessError> {
        todo!()
    }

    /// Signs a user in. Unknown names, wrong passwords and disabled accounts cost the same and get the same answer.
    ///
    /// # Errors
    /// [`AccessError::Credentials`], [`AccessError::TooMany`].
    pub async fn login(&self, tenant: Tenant, name: &str, password: &Secret<String>, origin: &Origin) -> Result<Tokens, AccessError> {
        todo!()
    }

    /// Exchanges a refresh token for a new pair.
    ///
    /// # Errors
    /// [`AccessError::Refresh`]; a token that was used before revokes its whole session.
    pub async fn refresh(&self, token: &str, origin: &Origin) -> Result<Tokens, AccessError> {
        todo!()
    }

    /// Ends the caller's session (or revokes the client's token), durably and at once.
    ///
    /// # Errors
    /// The store cannot take it.
    pub async fn logout(&self, caller: &Caller) -> Result<(), AccessError> {
        todo!()
    }

    /// OAuth2 client credentials grant: a token with the asked-for scopes, or all that the client has.
    ///
    /// # Errors
    /// [`AccessError::Client`], [`AccessError::Invalid`] for a scope that is unknown or not granted.
    pub async fn client_token(&self, client_id: &str, secret: &Secret<String>, scope: Option<&str>, origin: &Origin) -> Result<Tokens, AccessError> {
        todo!()
    }

    /// Who stands behind an access token (without `Bearer `).
    ///
    /// # Errors
    /// [`AccessError::Token`].
    pub async fn authenticate(&self, bearer: &str, origin: Origin) -> Result<Arc<Caller>, AccessError> {
        todo!()
    }

    /// Who the caller is.
    #[must_use]
    pub fn me(&self, caller: &Caller) -> Profile {
        todo!()
    }

    /// The public keys that verify access tokens, as a JWK set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        todo!()
    }

    /// Makes a user in the permit's tenant. The permit is one on [`crate::Named::Accounts`].
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault, [`AccessError::Taken`].
    pub async fn user_create(&self, permit: &Permit<Create>, user: NewUser) -> Result<UserView, AccessError> {
        todo!()
    }

    /// Lists users.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn user_list(&self, permit: &Permit<Search>, after: Option<u32>, limit: usize) -> Result<Page<UserView>, AccessError> {
        todo!()
    }

    /// One user by name.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn user_by_name(&self, permit: &Permit<Read>, name: &str) -> Result<UserView, AccessError> {
        todo!()
    }

    /// Lets a user sign in, or not; their tokens stop working at once.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn user_enable(&self, permit: &Permit<Update>, id: Uuid, enabled: Enabled) -> Result<UserView, AccessError> {
        todo!()
    }

    /// Makes a client with these scopes in the permit's tenant.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every unknown scope, [`AccessError::Taken`].
    pub async fn client_create(&self, permit: &Permit<Create>, name: &str, scope: &str) -> Result<NewClient, AccessError> {
        todo!()
    }

    /// Lists clients.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn client_list(&self, permit: &Permit<Search>, after: Option<u32>, limit: usize) -> Result<Page<ClientView>, AccessError> {
        todo!()
    }

    /// Makes a tenant; only the platform itself may ([`Caller::system`] on [`Tenant::PLATFORM`]).
    ///
    /// # Errors
    /// [`AccessError::Invalid`], [`AccessError::Taken`].
    pub async fn tenant_create(&self, permit: &Permit<Create>, name: &str) -> Result<TenantView, AccessError> {
        todo!()
    }

    /// The tenant with this name (`default` is the first).
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, AccessError> {
        todo!()
    }

    /// Every tenant.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tenant_list(&self, permit: &Permit<Search>) -> Result<Vec<TenantView>, AccessError> {
        todo!()
    }
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enabled {
    /// It may.
    Yes,
    /// It may not; its tokens stop working at once.
    No,
}
