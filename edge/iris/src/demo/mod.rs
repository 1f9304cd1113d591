//! The demo clinic: `iris demo seed`, which loads invented families through the one write path, and `iris serve --demo`, which
//! makes a clinic of them that one can sign in to at once.
//!
//! What is invented is `iris-demo`'s affair. Here is when, for whom and into which folder.

mod clinic;
mod seed;
mod words;

pub(crate) use clinic::{Demo, Filled, address, is_one};
pub(crate) use seed::run as seed;
