//! The binary's insides: configuration, wiring, the command line, the admin socket and the import.
//!
//! This is the outermost crate: here the clock, randomness, files and signals of the real machine come in, and everything
//! below is handed them.

pub mod admin;
pub mod application;
pub mod cli;
pub mod command;
pub mod config;
mod demo;
mod doctor;
pub mod import;
pub mod logging;
mod messages;
mod migrate;
pub mod operations;
pub mod output;
mod passwords;
pub mod platform;
mod run;
mod serve;
mod stopping;
mod store_copy;
mod storing;
mod tenants;
mod traces;
pub mod vaccines;
pub mod words;

pub use run::main;
