//! The plain dialect of `/api/v1`, told by field tables: one table for each object says which names there are, which aliases
//! stand for them and what may be in them. Reading checks against the table and names every fault at once; `/openapi.json`
//! is written from the same tables. Turning fields into FHIR and back is the contexts' business; [`element`] helps them edit
//! a stored resource without losing what the plain dialect does not know.

pub mod element;
mod field;
mod object;
mod record;
mod schema;
mod time;

pub use field::{Field, Flow, Form, Presence};
pub use object::{Given, Object};
pub use record::Record;
pub use schema::{View, form, schema};
pub use time::{FhirTime, day_bounds, is_date, partial_date, shown};
