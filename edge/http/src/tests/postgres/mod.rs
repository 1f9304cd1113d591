//! Tests that reach the database, once more over PostgreSQL.

use super::*;

#[path = "../admin.rs"]
mod admin;
#[path = "../fhir.rs"]
mod fhir;
#[path = "../find.rs"]
mod find;
#[path = "../health.rs"]
mod health;
#[path = "../immunizations.rs"]
mod immunizations;
#[path = "../logs.rs"]
mod logs;
#[path = "../patients.rs"]
mod patients;
#[path = "../tenants.rs"]
mod tenants;
