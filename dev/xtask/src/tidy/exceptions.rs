//! Sizes and lint exceptions, each with its shrink-only list.

use std::collections::BTreeMap;

use super::Tree;

/// Longest source file, in lines.
const FILE_LINES_MAX: usize = 500;
/// `path lines` for each file that is longer.
const LENGTH_LIST: &str = "dev/xtask/lists/long-files.txt";
/// `path lint count` for each lint that a file switches off.
const LINT_LIST: &str = "dev/xtask/lists/lint-exceptions.txt";

/// What counts as source for the length rule; tables and golden files may be as long as their subject.
const SOURCE_EXTENSIONS: &[&str] = &["rs", "sh", "py", "sql", "lua"];

/// Longer files are hard to hold in the head; those that are longer today are listed and may only shrink.
pub(super) fn file_length(tree: &Tree) -> Vec<String> {
    let found = tree
        .files
        .iter()
        .filter(|file| file.path.rsplit_once('.').is_some_and(|(_, e)| SOURCE_EXTENSIONS.contains(&e)))
        .map(|file| (file.path.clone(), file.text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .collect();
    compare(tree, LENGTH_LIST, &found, "lines")
}

/// A lint is switched off with a reason beside it, and counted, so that the number cannot grow unseen.
pub(super) fn lints(tree: &Tree) -> Vec<String> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut complaints = Vec::new();
    for file in tree.with_extension("rs").filter(|file| !is_test(&file.path)) {
        for attribute in attributes(&file.text) {
            if !attribute.contains("reason") {
                complaints.push(format!("{}: a lint is switched off without a reason: {attribute}", file.path));
            }
            for lint in lint_names(&attribute) {
                *found.entry(format!("{} {lint}", file.path)).or_default() += 1;
            }
        }
    }
    complaints.extend(compare(tree, LINT_LIST, &found, "times"));
    complaints
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.contains("/examples/") || path.ends_with("/tests.rs") || path.starts_with("dev/")
}

/// The text of each `allow(…)` and `expect(…)` attribute before the file's own test module.
fn attributes(text: &str) -> Vec<String> {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or(text);
    let mut found = Vec::new();
    for opening in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
        for (position, _) in shipped.match_indices(opening) {
            let rest = &shipped[position + opening.len()..];
            let end = rest.find(")]").unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
        }
    }
    found
}

fn lint_names(attribute: &str) -> Vec<String> {
    let names = attribute.split("reason").next().unwrap_or(attribute);
    names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Holds what is found against the list: nothing unlisted, nothing above its number, nothing listed in vain.
fn compare(tree: &Tree, list: &str, found: &BTreeMap<String, usize>, unit: &str) -> Vec<String> {
    let (allowed, mut complaints) = read_list(tree, list);
    for (what, count) in found {
        match allowed.get(what) {
            None => complaints.push(format!("{what}: {count} {unit}, and not in {list}")),
            Some(limit) if count > limit => {
                complaints.push(format!("{what}: grew from {limit} to {count} {unit}; {list} may only shrink"));
            }
            Some(limit) if count < limit => {
                complaints.push(format!("{list}: {what} is down to {count} {unit}; write that instead of {limit}"));
            }
            Some(_) => {}
        }
    }
    let stale = allowed.keys().filter(|what| !found.contains_key(*what));
    complaints.extend(stale.map(|what| format!("{list}: {what} needs no exception any more; delete the line")));
    complaints
}

fn read_list(tree: &Tree, list: &str) -> (BTreeMap<String, usize>, Vec<String>) {
    let mut allowed = BTreeMap::new();
    let mut complaints = Vec::new();
    let lines = tree.text(list).unwrap_or_default().lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.rsplit_once(' ').map(|(what, count)| (what, count.parse())) {
            Some((what, Ok(count))) => {
                allowed.insert(what.to_owned(), count);
            }
            _ => complaints.push(format!("{list}: cannot read the line `{line}`")),
        }
    }
    (allowed, complaints)
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    fn file_of(lines: usize) -> String {
        "//\n".repeat(lines)
    }

    #[test]
    fn the_limit_holds_at_the_limit_and_one_past_it() {
        assert!(file_length(&tree(&[("a/src/a.rs", &file_of(500))])).is_empty());
        let past = file_length(&tree(&[("a/src/a.rs", &file_of(501))]));
        assert_eq!(past, ["a/src/a.rs: 501 lines, and not in dev/xtask/lists/long-files.txt"]);
    }

    #[test]
    fn a_list_only_shrinks() {
        let long = file_of(600);
        let with = |list: &str| file_length(&tree(&[("a/src/a.rs", &long), (LENGTH_LIST, list)]));
        assert!(with("a/src/a.rs 600\n").is_empty());
        assert_eq!(with("a/src/a.rs 599\n").len(), 1, "it grew");
        assert_eq!(with("a/src/a.rs 601\n").len(), 1, "it shrank, so the list must follow");
        assert_eq!(with("a/src/a.rs 600\nb/src/b.rs 700\n").len(), 1, "an entry without a file");
        assert_eq!(with("a/src/a.rs\n").len(), 2, "no number, hence no exception either");
    }

    #[test]
    fn a_lint_is_switched_off_with_a_reason_and_counted() {
        let text = "#[allow(clippy::panic, reason = \"why\")]\nfn f() {}\n";
        let list = "a/src/a.rs clippy::panic 1\n";
        assert!(lints(&tree(&[("a/src/a.rs", text), (LINT_LIST, list)])).is_empty());
        assert_eq!(lints(&tree(&[("a/src/a.rs", text)])).len(), 1);
        let bare = lints(&tree(&[("a/src/a.rs", "#[allow(clippy::panic)]"), (LINT_LIST, list)]));
        assert_eq!(bare, ["a/src/a.rs: a lint is switched off without a reason: clippy::panic"]);
    }

    #[test]
    fn tests_and_tools_may_switch_lints_off() {
        let text = "fn f() {}\n#[cfg(test)]\nmod tests { #![allow(clippy::panic)] }\n";
        assert!(lints(&tree(&[("a/src/a.rs", text), ("a/tests/b.rs", "#![allow(dead_code)]")])).is_empty());
    }
}
