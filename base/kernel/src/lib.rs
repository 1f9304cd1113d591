//! What every other crate speaks in: ids, time, chance, secrets, kinds of error, limits and settings.
//!
//! Nothing here does I/O, is asynchronous, reads a clock or makes randomness; [`Clock`] and [`Entropy`] are the doors
//! through which the outer layers hand those in.

pub mod config;
pub mod entropy;
pub mod error;
pub mod ids;
pub mod kinds;
pub mod limits;
pub mod secret;
pub mod span;
pub mod time;

pub use entropy::Entropy;
pub use error::{ErrorKind, Fault};
pub use ids::{Id, Kind, RecordId, Seq, Tenant, Version};
pub use secret::Secret;
pub use span::Span;
pub use time::{Clock, Timestamp};
