//! What no committed text may say, and how it is laid out.

use super::{File, Tree};

/// Places of one machine and hosts of package registries: a clone elsewhere has neither. Written in halves, so that this
/// file keeps its own rule.
const MACHINE: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/tmp/", "target"),
    ("/tmp/", "iris/"),
    ("/tmp/", "data"),
    ("crates", ".io"),
    ("registry", ".npmjs"),
    ("registry", ".yarnpkg"),
    ("py", "pi.org"),
    ("files.python", "hosted"),
    ("deb.", "debian.org"),
    ("shared/", "spec"),
];

/// Words about the making instead of the thing made.
const MAKING: &[(&str, &str)] = &[
    ("co-authored", "-by"),
    ("generated ", "with"),
    ("sub", "agent"),
    ("this ", "conversation"),
    ("helper ", "agent"),
];

/// Lock files name where each package comes from; cargo writes them, not we.
const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];

/// No path of the machine it was written on, no registry's host, no words about how it was written.
pub(super) fn machine_and_making(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.files.iter().filter(|file| !LOCK_FILES.iter().any(|lock| file.path.ends_with(lock))) {
        let lower = file.text.to_lowercase();
        for (left, right) in MACHINE.iter().chain(MAKING) {
            let word = format!("{left}{right}");
            if let Some(position) = lower.find(&word) {
                let line = lower[..position].matches('\n').count() + 1;
                complaints.push(format!("{}:{line}: `{word}` does not belong in the tree", file.path));
            }
        }
    }
    complaints
}

/// A test that does not run says why.
pub(super) fn ignored_tests(tree: &Tree) -> Vec<String> {
    let bare = ["#[ig", "nore]"].concat();
    tree.with_extension("rs")
        .filter(|file| file.text.contains(&bare))
        .map(|file| format!("{}: a test is ignored without a reason", file.path))
        .collect()
}

/// Text files end with one line feed and have no carriage returns or spaces at line ends. Golden and test files are what
/// they are.
pub(super) fn whitespace(tree: &Tree) -> Vec<String> {
    const WRITTEN: &[&str] = &["rs", "toml", "md", "sh", "sql", "py", "yml", "yaml"];
    let written = |file: &&File| file.path.rsplit_once('.').is_some_and(|(_, e)| WRITTEN.contains(&e));
    let mut complaints = Vec::new();
    for file in tree.files.iter().filter(written) {
        if !file.text.is_empty() && !file.text.ends_with('\n') {
            complaints.push(format!("{}: no line feed at the end", file.path));
        }
        if let Some(line) = file.text.split('\n').position(|line| line.ends_with([' ', '\t', '\r'])) {
            complaints.push(format!("{}:{}: space at the end of a line", file.path, line + 1));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    #[test]
    fn a_machine_and_a_registry_are_named_nowhere() {
        for (left, right) in MACHINE.iter().chain(MAKING) {
            let text = format!("one\ntwo {left}{right} three\n");
            let found = machine_and_making(&tree(&[("README.md", &text)]));
            assert_eq!(found.len(), 1, "{left}{right}");
            assert!(found[0].starts_with("README.md:2:"), "{found:?}");
            assert!(machine_and_making(&tree(&[("Cargo.lock", &text)])).is_empty());
        }
        assert!(machine_and_making(&tree(&[("README.md", "A framework, at work.\n")])).is_empty());
    }

    #[test]
    fn an_ignored_test_has_a_reason() {
        let bare = format!("{}{}", "#[ig", "nore]\nfn f() {}\n");
        assert_eq!(ignored_tests(&tree(&[("a/src/a.rs", &bare)])).len(), 1);
        assert!(ignored_tests(&tree(&[("a/src/a.rs", "#[ignore = \"soak: ten minutes\"]\n")])).is_empty());
    }

    #[test]
    fn lines_end_cleanly() {
        assert!(whitespace(&tree(&[("a.md", "text\n")])).is_empty());
        assert_eq!(whitespace(&tree(&[("a.md", "text")])), ["a.md: no line feed at the end"]);
        assert_eq!(whitespace(&tree(&[("a.md", "a\nb \n")])), ["a.md:2: space at the end of a line"]);
        assert!(whitespace(&tree(&[("golden.txt", "a ")])).is_empty());
    }
}
