//! Who may do what: users, clients, sessions, tokens, roles and scopes, and the one decision. Only this crate makes a
//! [`Permit`], and nothing below reads or writes a record without one (ADR 0008).

mod action;
mod caller;
mod error;
mod family;
mod names;
mod permission;
mod permit;
mod role;
mod scope;

pub use action::{Action, ActionKind, Create, Delete, Export, History, Read, Search, Update, Verify, VersionRead};
pub use caller::{Caller, Origin, Subject, SubjectKind};
pub use error::AccessError;
pub use family::{Family, FamilySet, family_of_name};
pub use permission::{Permission, PermissionSet};
pub use permit::{Denial, Facts, Named, Permit, Target, decide, judge};
pub use role::{Role, RoleSet, UnknownRole};
pub use scope::{SCOPE_BYTES_MAX, SCOPES_MAX, Scopes};
