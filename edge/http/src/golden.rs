//! Files that a reviewer reads whenever a public list changes. `IRIS_GOLDEN_WRITE=1` rewrites them.

use std::path::PathBuf;

/// Compares with `golden/<name>`; tells how to accept a wanted change.
#[allow(clippy::disallowed_methods, reason = "a switch of the developer's shell, not a setting of the product")]
pub(crate) fn check(name: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var("IRIS_GOLDEN_WRITE").is_ok() {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        kept, made,
        "golden/{name} differs; if the change is wanted, run the test once with IRIS_GOLDEN_WRITE=1"
    );
}
