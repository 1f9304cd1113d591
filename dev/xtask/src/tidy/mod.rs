//! `cargo xtask tidy`: the rules of the house that no compiler holds.
//!
//! Every rule is a function from the tree (a list of paths and texts) to complaints, so that its test is a small tree in
//! memory. Exceptions stand in `dev/xtask/lists/*.txt`; such a list may only shrink: an entry that is no longer needed, or
//! allows more than is used, is itself a complaint.

mod documents;
mod exceptions;
mod layers;
mod texts;

use std::path::Path;
use std::process::Command;

/// One file of the tree.
pub(crate) struct File {
    /// Relative to the workspace, with forward slashes.
    pub(crate) path: String,
    /// The whole text; files that are no UTF-8 are not in the tree.
    pub(crate) text: String,
}

/// Everything that is, or is about to be, committed.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// The text of one file.
    fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    fn with_extension<'a>(&'a self, extension: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.rsplit_once('.').is_some_and(|(_, e)| e == extension))
    }

    /// Reads what git knows and what it would add.
    fn read(root: &Path) -> Result<Self, String> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("tidy: cannot start git: {error}"))?;
        if !output.status.success() {
            return Err(format!("tidy: git ls-files failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let names = String::from_utf8_lossy(&output.stdout);
        let mut paths: Vec<&str> = names.split('\0').filter(|name| !name.is_empty()).collect();
        paths.sort_unstable();
        paths.dedup();
        let files = paths
            .into_iter()
            // A file that git still lists but that is gone from the disk is about to be deleted.
            .filter_map(|path| {
                std::fs::read_to_string(root.join(path)).ok().map(|text| File { path: path.to_owned(), text })
            })
            .collect();
        Ok(Self { files })
    }
}

/// Runs every rule.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root)?;
    let complaints = complaints(&tree);
    if complaints.is_empty() {
        return Ok(());
    }
    Err(format!("tidy: {} complaints\n  {}", complaints.len(), complaints.join("\n  ")))
}

fn complaints(tree: &Tree) -> Vec<String> {
    let rules: [fn(&Tree) -> Vec<String>; 11] = [
        layers::dependencies,
        layers::one_crate_names_the_driver,
        layers::one_crate_proves_callers,
        exceptions::file_length,
        exceptions::lints,
        texts::machine_and_making,
        texts::ignored_tests,
        texts::whitespace,
        documents::decisions,
        documents::dependencies,
        documents::cited_tests,
    ];
    rules.iter().flat_map(|rule| rule(tree)).collect()
}

#[cfg(test)]
pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    Tree {
        files: files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect(),
    }
}

#[cfg(test)]
mod tests {
    /// The real tree: this is what makes `cargo nextest run` complain too, not only `cargo xtask tidy`.
    #[test]
    fn the_house_is_tidy() {
        super::run(&crate::root()).unwrap();
    }
}
