//! Tests that reach the database, once more over PostgreSQL.

use super::*;

#[path = "../admin.rs"]
mod admin;
#[path = "../break_glass.rs"]
mod break_glass;
#[path = "../closed/mod.rs"]
mod closed;
#[path = "../consents.rs"]
mod consents;
#[path = "../fhir.rs"]
mod fhir;
#[path = "../find.rs"]
mod find;
#[path = "../health.rs"]
mod health;
#[path = "../immunizations.rs"]
mod immunizations;
#[path = "../interactions/mod.rs"]
mod interactions;
#[path = "../logs.rs"]
mod logs;
#[path = "../masks.rs"]
mod masks;
#[path = "../patients.rs"]
mod patients;
#[path = "../replay/mod.rs"]
mod replay;
#[path = "../reviews.rs"]
mod reviews;
#[path = "../roles.rs"]
mod roles;
#[path = "../tenants.rs"]
mod tenants;
