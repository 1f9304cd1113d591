//! Who may depend on whom.

use super::Tree;

/// The crates from the bottom up. Crates in one row may not depend on each other; a crate may depend on every row above
/// its own line here. A new crate gets its place in this table before it compiles in CI.
const ROWS: &[&[&str]] = &[
    &["base/kernel"],
    &["base/crypto", "base/fhir", "base/ucum"],
    &["base/fhirpath"],
    &["base/plain", "base/search", "base/xml"],
    // Narrative is XML.
    &["base/validation"],
    // Its tests read patches in XML.
    &["base/patch"],
    &["spine/store"],
    &["spine/index"],
    &["spine/audit"],
    &["spine/access"],
    &["spine/identity"],
    &["spine/events"],
    &["spine/resources"],
    &[
        "contexts/records",
        "contexts/immunization",
        "contexts/workflows",
        "contexts/documents",
        "contexts/registry",
        "contexts/retention",
        "contexts/insight",
    ],
    // Writes what the contexts read; only the binary uses it.
    &["contexts/demo"],
    &["edge/http", "edge/outbound", "edge/wire"],
    &["edge/iris"],
];

/// Crates for tests and tools: they may use everything; nothing that ships may use them.
const DEV: &str = "dev/";

/// The SQL driver, and the one folder whose files may name it.
const DRIVERS: &[&str] = &["rusqlite", "tokio-postgres", "tokio_postgres", "libsqlite3-sys"];
const DRIVER_FOLDER: &str = "spine/store/";

/// Holds the table above, and that every version number stands in the workspace's own manifest.
pub(super) fn dependencies(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let folders = match workspace_crates(tree) {
        Ok(folders) => folders,
        Err(complaint) => return vec![complaint],
    };
    for file in tree.with_extension("toml").filter(|file| file.path.ends_with("/Cargo.toml")) {
        let folder = file.path.trim_end_matches("/Cargo.toml");
        let manifest: toml::Table = match file.text.parse() {
            Ok(manifest) => manifest,
            Err(error) => {
                complaints.push(format!("{}: {error}", file.path));
                continue;
            }
        };
        if row(folder).is_none() && !folder.starts_with(DEV) {
            complaints.push(format!("{}: no row in the layer table", file.path));
            continue;
        }
        for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let entries = manifest.get(table).and_then(toml::Value::as_table).into_iter().flatten();
            for (name, value) in entries {
                // A crate's own tests may ask for one of its features.
                if table == "dev-dependencies" && value.get("path").and_then(toml::Value::as_str) == Some(".") {
                    continue;
                }
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    complaints.push(format!("{}: {name} must be `workspace = true`", file.path));
                }
                let Some((_, target)) = folders.iter().find(|(known, _)| known == name) else { continue };
                if !may_depend(folder, target, table) {
                    complaints.push(format!("{}: {folder} may not depend on {target} ({table})", file.path));
                }
            }
        }
    }
    complaints
}

/// Our own crates as the workspace's manifest names them: (package name, folder).
fn workspace_crates(tree: &Tree) -> Result<Vec<(String, String)>, String> {
    let text = tree.text("Cargo.toml").ok_or("Cargo.toml: not there")?;
    let manifest: toml::Table = text.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    let entries = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten();
    Ok(entries.filter_map(|(name, value)| Some((name.clone(), value.get("path")?.as_str()?.to_owned()))).collect())
}

fn row(folder: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&folder))
}

fn may_depend(folder: &str, target: &str, table: &str) -> bool {
    if folder.starts_with(DEV) {
        return true;
    }
    if target.starts_with(DEV) {
        return table == "dev-dependencies";
    }
    match (row(folder), row(target)) {
        (Some(own), Some(other)) => other < own,
        _ => false,
    }
}

/// Only the store knows SQL: its driver is named in no other crate's manifest or source.
pub(super) fn one_crate_names_the_driver(tree: &Tree) -> Vec<String> {
    let shipped =
        |path: &str| ROWS.iter().flat_map(|row| row.iter()).any(|folder| path.starts_with(&format!("{folder}/")));
    tree.files
        .iter()
        .filter(|file| shipped(&file.path) && !file.path.starts_with(DRIVER_FOLDER))
        .filter(|file| file.path.ends_with(".rs") || file.path.ends_with(".toml"))
        .flat_map(|file| {
            DRIVERS
                .iter()
                .filter(|driver| file.text.contains(**driver))
                .map(|driver| format!("{}: names {driver}; only {DRIVER_FOLDER} may", file.path))
        })
        .collect()
}

/// What makes a caller of what a token proves, and the two crates that may name it.
const PROOF: &str = "Caller::proven";
const PROOF_FOLDERS: [&str; 2] = ["spine/access/", "spine/identity/"];

/// Only the crate that verifies tokens says who somebody is (ADR 0013).
pub(super) fn one_crate_proves_callers(tree: &Tree) -> Vec<String> {
    let rust = tree.files.iter().filter(|file| file.path.ends_with(".rs") && !file.path.starts_with(DEV));
    rust.filter(|file| !PROOF_FOLDERS.iter().any(|folder| file.path.starts_with(folder)))
        .filter(|file| file.text.contains(PROOF))
        .map(|file| format!("{}: calls {PROOF}; only {PROOF_FOLDERS:?} may", file.path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    const ROOT: &str = r#"
[workspace.dependencies]
iris-kernel = { path = "base/kernel" }
iris-store = { path = "spine/store" }
iris-records = { path = "contexts/records" }
iris-immunization = { path = "contexts/immunization" }
iris-testkit = { path = "dev/testkit" }
serde = "1"
"#;

    fn complaints(folder: &str, manifest: &str) -> Vec<String> {
        let path = format!("{folder}/Cargo.toml");
        dependencies(&tree(&[("Cargo.toml", ROOT), (&path, manifest)]))
    }

    #[test]
    fn a_dependency_points_down_the_stack_only() {
        assert!(complaints("spine/store", "[dependencies]\niris-kernel.workspace = true").is_empty());
        let upward = complaints("base/kernel", "[dependencies]\niris-store.workspace = true");
        assert_eq!(upward, ["base/kernel/Cargo.toml: base/kernel may not depend on spine/store (dependencies)"]);
    }

    #[test]
    fn contexts_do_not_meet() {
        let meeting = complaints("contexts/immunization", "[dependencies]\niris-records.workspace = true");
        assert_eq!(meeting.len(), 1, "{meeting:?}");
    }

    #[test]
    fn the_testkit_is_for_tests() {
        assert!(complaints("spine/store", "[dev-dependencies]\niris-testkit.workspace = true").is_empty());
        assert_eq!(complaints("spine/store", "[dependencies]\niris-testkit.workspace = true").len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_and_a_version_of_its_own_are_named() {
        assert_eq!(complaints("spine/novel", "").len(), 1);
        let versioned = complaints("spine/store", "[dependencies]\nserde = \"1\"");
        assert_eq!(versioned, ["spine/store/Cargo.toml: serde must be `workspace = true`"]);
    }

    #[test]
    fn only_identity_proves_callers() {
        let call = "let caller = Caller::proven(&proven, origin);";
        for (path, fine) in [
            ("spine/identity/src/standing.rs", true),
            ("edge/http/src/call.rs", false),
            ("dev/testkit/src/lib.rs", true),
        ] {
            assert_eq!(one_crate_proves_callers(&tree(&[(path, call)])).is_empty(), fine, "{path}");
        }
    }

    #[test]
    fn only_the_store_names_the_driver() {
        let found = one_crate_names_the_driver(&tree(&[
            ("spine/store/src/lib.rs", "use rusqlite::Connection;"),
            ("spine/audit/src/lib.rs", "use rusqlite::Connection;"),
            ("docs/dependencies.md", "rusqlite"),
        ]));
        assert_eq!(found, ["spine/audit/src/lib.rs: names rusqlite; only spine/store/ may"]);
    }
}
