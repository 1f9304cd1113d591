//! The drill of `docs/guide/restore.md`.

use std::path::Path;
use std::process::Command;

use iris_testkit::postgres::{program, programs};

use crate::binary;

/// Megabytes of the database that is lost and brought back.
const MEGABYTES: &str = "2048";

#[test]
#[ignore = "fills a database of two gigabytes"]
fn two_gigabytes_are_back_within_ten_minutes_as_they_were_at_a_moment() {
    if programs().is_none() || program("pgbackrest").is_none() {
        return;
    }
    // Tests run in the folder of their crate.
    let script = Path::new("../../dev/scripts/restore-drill").canonicalize().unwrap();
    let status = Command::new(script).args([binary(), MEGABYTES]).status().unwrap();
    assert!(status.success(), "the drill failed");
}
