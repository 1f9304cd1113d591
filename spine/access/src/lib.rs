//! Who may do what: users, clients, sessions, tokens, roles and scopes, and the one decision. Only this crate makes a
//! [`Permit`], and nothing below reads or writes a record without one (ADR 0008).

mod access;
mod accounts;
mod action;
mod authenticate;
mod caller;
mod clients;
mod error;
mod family;
pub mod kinds;
mod lists;
mod login;
mod names;
pub mod password;
mod permission;
mod permit;
mod records;
mod refresh_token;
mod role;
mod scope;
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

pub use access::Access;
pub use action::{Action, ActionKind, Create, Delete, Export, History, Read, Search, Update, Verify, VersionRead};
pub use caller::{Caller, Origin, Subject, SubjectKind};
pub use error::{AccessError, Cause};
pub use family::{Family, FamilySet, family_of_name};
pub use permission::{Permission, PermissionSet};
pub use permit::{Denial, Facts, Named, Permit, Target, decide, judge};
pub use role::{Role, RoleSet, UnknownRole};
pub use scope::{SCOPE_BYTES_MAX, SCOPES_MAX, Scopes};
pub use sessions::{Keeping, PageSessions, REFRESH_LIFE, REFRESH_RETRY, SESSION_LIFE};
pub use settings::{ChangedSetting, ChangedSettings};
pub use tenants::{DEFAULT_TENANT, TENANTS_MAX};
pub use token::{ACCESS_BYTES_MAX, ACCESS_SECONDS, AUDIENCE, CLOCK_SKEW_SECONDS, ISSUER};
pub use users::USERS_COUNTED_MAX;
pub use views::{
    ClientView, Enabled, NewClient, NewUser, Page, Profile, SessionView, SigningKeyView, TenantView, Tokens, UserView,
};
