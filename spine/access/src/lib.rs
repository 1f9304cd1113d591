//! Who may do what: users, clients, sessions, tokens, roles and scopes, and the one decision. Only this crate makes a
//! [`Permit`], and nothing below reads or writes a record without one (ADR 0008).

mod access;
mod action;
mod caller;
mod error;
mod family;
pub mod kinds;
mod names;
pub mod password;
mod permission;
mod permit;
mod role;
mod scope;
pub mod throttle;
pub mod username;

pub use access::{
    Access, ClientView, Enabled, NewClient, NewUser, Page, Profile, TenantView, Tokens, UserView,
};
pub use action::{Action, ActionKind, Create, Delete, Export, History, Read, Search, Update, Verify, VersionRead};
pub use caller::{Caller, Origin, Subject, SubjectKind};
pub use error::{AccessError, Cause};
pub use family::{Family, FamilySet, family_of_name};
pub use permission::{Permission, PermissionSet};
pub use permit::{Denial, Facts, Named, Permit, Target, decide, judge};
pub use role::{Role, RoleSet, UnknownRole};
pub use scope::{SCOPE_BYTES_MAX, SCOPES_MAX, Scopes};
