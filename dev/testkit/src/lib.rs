//! What tests share: a clock that tests move, seeded chance, the real test data, PostgreSQL, connections that fail when told to,
//! and the real binary on a free port.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says why and ends"
)]

pub mod authenticator;
pub mod balancer;
pub mod caller;
pub mod chance;
pub mod clinic;
pub mod clock;
pub mod data;
pub mod fault_proxy;
pub mod fuzz;
pub mod load;
pub mod mail_sink;
pub mod nodes;
pub mod postgres;
pub mod redis;
pub mod search_cases;
pub mod server;
pub mod tamper;
pub mod text_sink;
pub mod wait;

pub use authenticator::{Authenticator, totp_code, wrong_totp_code};
pub use balancer::Balancer;
pub use caller::{Answer, Caller};
pub use chance::SeededEntropy;
pub use clinic::{Clinic, PASSWORD};
pub use clock::ManualClock;
pub use data::{archive, data_dir, examples, files, synthea};
pub use fault_proxy::{Direction, FaultProxy};
pub use fuzz::Fuzz;
pub use mail_sink::{MailSink, Mailed, Manner, SinkTls};
pub use nodes::Nodes;
pub use redis::Redis;
pub use search_cases::{Expect, SearchCase, SearchResource, SearchWorld, search_worlds};
pub use server::Server;
pub use text_sink::TextSink;
