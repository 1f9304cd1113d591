//! Who somebody is: users, clients, sessions, tokens, tenants, and what they prove. A proven caller is what `iris-access` decides
//! about (ADR 0013).

mod accounts;
mod authenticate;
mod beginning;
pub mod breached;
mod clients;
pub mod devices;
pub mod factors;
mod grants;
mod guards;
mod held;
mod identity;
pub mod imported;
pub mod kinds;
mod lists;
mod login;
pub mod messages;
pub mod open_sessions;
pub mod own_account;
pub mod password;
mod password_rules;
mod patient_login;
mod records;
mod refresh_token;
mod register;
mod report;
mod reset;
mod reviews;
mod roles;
mod sessions;
mod settings;
mod signing_key;
mod signing_keys;
mod standing;
pub mod step_up;
mod sweep;
mod tenants;
pub mod throttle;
mod token;
pub mod username;
mod users;
mod views;

pub use accounts::{DEPARTMENTS_MAX, SHOWN_NAME_CHARS_MAX, UserChange};
pub use grants::{GRANTS_MAX, GrantWords, NewGrant, REASON_CHARS_MAX, Taken};
pub use identity::Identity;
pub use login::Login;
pub use password_rules::PasswordRules;
pub use patient_login::{CODE_DIGITS, CODE_LIFE, CODE_TRIES_MAX, PortalAsked, PortalProof};
pub use register::{DISPLAY_NAME_CHARS_MAX, Registering, Registration};
pub use report::{DORMANT_DEFAULT, FAILURES_MAX, FAILURES_WITHIN, Failures, Finding, ReportItem, ReportPage};
pub use reset::Forgotten;
pub use reviews::{Decision, REVIEW_SPAN_MAX, ReviewItem, ReviewScope, ReviewView, Verdict};
pub use roles::{NewRole, ROLE_NAME_CHARS_MAX, ROLES_MAX};
pub use sessions::{Keeping, PageSessions, REFRESH_LIFE, REFRESH_RETRY, SESSION_LIFE};
pub use settings::{ChangedSetting, ChangedSettings};
pub use signing_key::KeyAlgorithm;
pub use signing_keys::KeyRules;
pub use sweep::{ENDED_KEPT, SWEEP_ROWS};
pub use tenants::{DEFAULT_TENANT, TENANTS_MAX, TenantChange};
pub use token::{ACCESS_BYTES_MAX, ACCESS_SECONDS, AUDIENCE, CLOCK_SKEW_SECONDS, ISSUER};
pub use users::{FirstPassword, NewAccount, USERS_COUNTED_MAX};
pub use views::{
    ClientView, ColleagueView, Enabled, GrantView, NewClient, NewUser, OpenSession, Page, Profile, ProfileChange,
    RoleView, SessionView, SigningKeyView, TenantView, Tokens, UserView,
};
