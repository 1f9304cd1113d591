//! Who somebody is: users, clients, sessions, tokens, tenants, and what they prove. A proven caller is what `iris-access` decides
//! about (ADR 0013).

mod accounts;
mod authenticate;
mod clients;
mod identity;
pub mod kinds;
mod lists;
mod login;
pub mod password;
mod records;
mod refresh_token;
mod sessions;
mod settings;
mod signing_keys;
mod standing;
mod tenants;
pub mod throttle;
mod token;
pub mod username;
mod users;
mod views;

pub use identity::Identity;
pub use sessions::{Keeping, PageSessions, REFRESH_LIFE, REFRESH_RETRY, SESSION_LIFE};
pub use settings::{ChangedSetting, ChangedSettings};
pub use tenants::{DEFAULT_TENANT, TENANTS_MAX};
pub use token::{ACCESS_BYTES_MAX, ACCESS_SECONDS, AUDIENCE, CLOCK_SKEW_SECONDS, ISSUER};
pub use users::USERS_COUNTED_MAX;
pub use views::{
    ClientView, Enabled, NewClient, NewUser, Page, Profile, SessionView, SigningKeyView, TenantView, Tokens, UserView,
};
