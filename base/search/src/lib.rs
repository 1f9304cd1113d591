//! Search: what a resource is found by, and what a search asks for.
//!
//! Both sides speak the same small language. [`extract()`] turns a resource into a [`SearchDocument`]: exact terms, and date
//! ranges in numbered slots. [`parse_query`] turns the parameters of a request into a [`Query`] over the same terms and
//! slots, or refuses every parameter it cannot serve by name. [`Query::matches`] is the one meaning of a search; an index
//! must answer what it answers.
//!
//! Served: the parameters of every R4 type, with the modifiers and prefixes that [`modifiers`] and [`prefixes`]
//! list, `_filter`, `_list`, `_has` and chains. Dates without a time zone are UTC; the parameters named `phonetic` compare by
//! [`sound`]. What other searches must answer first ([`Criterion::Chain`], [`Criterion::Has`], [`Criterion::Listed`]) stands in the query
//! as it was asked, and [`Query::is_resolved`] says whether any is left.
//!
//! Beyond FHIR, and reached by no FHIR parameter: the words of names ([`words`], [`Near`]), the ends of telephone numbers,
//! identifiers without their signs and days of birth, for finding a person as one types.

mod abilities;
mod candidates;
mod chain;
mod clause;
mod components;
pub mod composite;
mod criteria;
pub mod date;
mod document;
mod escape;
mod extract;
pub mod fold;
pub mod join;
mod labels;
mod near;
pub mod number;
mod parse;
mod plan;
pub mod position;
pub mod quantity;
mod query;
mod read;
pub mod scan;
mod sink;
mod sort;
pub mod sound;
pub mod term;
mod terminology;
mod value;
pub mod words;

pub use abilities::{Modifier, PREFIXES, modifiers, prefixes};
pub use chain::{Chain, Has, Include, Link, refers_by_address};
pub use clause::Clause;
pub use document::{DateRange, SearchDocument, SortValues};
pub use escape::escape;
pub use extract::{contained, extract, extract_as, extract_whole, may_be_of_patients, patients_of, patients_of_as};
pub use join::{Targets, join_key};
pub use labels::{Label, Labels, labels_of};
pub use near::{NEAR_LETTERS_MAX, Near, Reach};
pub use parse::{FILTER_LEVELS_MAX, QueryContext, parse_query, parse_system_query, sortable};
pub use plan::{date_slot, parameter, served};
pub use query::{Contained, ContainedAs, Criterion, DateOp, Query, Summary, Total};
pub use scan::{Scan, ScanTest, Stretch, TextOrder, prefix_end};
pub use sink::{COMPOSITES_MAX, Crowded};
pub use sort::{Order, SORT_KEYS_MAX, Sort, SortKey};
pub use term::{Term, compartment_term, compartments_term, contains_term, label_term, normalised_term};
pub use terminology::{Coded, Defined, Terminology, Unknown};
