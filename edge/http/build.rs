//! Makes cargo notice when the pages were built anew: release builds carry `web/dist` inside the binary.

use std::path::Path;

/// Where the web build puts its files, seen from this crate.
const DIST: &str = "../../web/dist";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Debug builds read the files when they are asked for, and need no new build for new pages.
    if std::env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        // A folder that is not there counts as changed at every build; an empty one is the same to the binary. Where it cannot be
        // made, builds only take longer.
        let _ = std::fs::create_dir_all(Path::new(DIST));
        println!("cargo::rerun-if-changed={DIST}");
    }
}
