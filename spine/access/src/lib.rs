//! Who may do what: roles, permissions, scopes, and the one decision. Only this crate makes a [`Permit`], and nothing below reads
//! or writes a record without one (ADR 0008).

mod action;
mod books;
mod caller;
pub mod consent;
pub mod error;
mod family;
mod glass;
mod labels;
mod names;
mod permission;
mod permit;
mod policies;
mod policy;
mod policy_change;
pub mod purpose;
pub mod records;
mod restriction;
mod role;
mod rule;
mod scope;
mod teams;
pub mod trail;
mod view;

pub use action::{Action, ActionKind, Create, Delete, Export, History, Read, Search, Update, Verify, VersionRead};
pub use caller::{Caller, Factor, Limit, Origin, Proven, Subject, SubjectKind};
pub use error::{AccessError, Cause};
pub use family::{Family, FamilySet, UnknownFamily, family_of_name};
pub use glass::{GLASS_TEXT_CHARS_MAX, GLASSES_OPEN_MAX, GlassRecord, GlassReview, GlassVerdict};
pub use labels::{Label, Labels};
pub use permission::{Permission, PermissionSet, UnknownPermission};
pub use permit::{Denial, Facts, Named, Permit, Target, decide, judge, sight};
pub use policies::Policies;
pub use policy::{BREAK_GLASS_MINUTES, BREAK_GLASS_MINUTES_DEFAULT, CareTeamPolicy, ConsentPolicy, TenantPolicy};
pub use policy_change::StoredPolicy;
pub use restriction::{ConsentRules, Denied, PatientSet, RecordFacts, Restriction};
pub use role::{Role, RoleSet, UnknownRole, invitable, permissions_of};
pub use rule::Rule;
pub use scope::{SCOPE_BYTES_MAX, SCOPES_MAX, Scopes};
pub use view::View;
