//! Documents that must keep step with the tree.

use std::collections::BTreeSet;

use super::Tree;

const DECISIONS: &str = "docs/adr/";
const DECISIONS_INDEX: &str = "docs/adr/README.md";
const DEPENDENCIES: &str = "docs/dependencies.md";
const ARCHITECTURE: &str = "ARCHITECTURE.md";
const ASVS: &str = "docs/guide/asvs.md";
const PAGE_TESTS: &str = "web/tests/";

/// Every decision is in the index, every entry of the index exists, and no number is used twice.
pub(super) fn decisions(tree: &Tree) -> Vec<String> {
    let index = tree.text(DECISIONS_INDEX).unwrap_or_default();
    let written: BTreeSet<&str> = tree
        .files
        .iter()
        .filter_map(|file| file.path.strip_prefix(DECISIONS))
        .filter(|name| name.ends_with(".md") && *name != "README.md")
        .collect();
    let listed: BTreeSet<&str> = index
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| link.ends_with(".md"))
        .collect();
    let mut complaints: Vec<String> = written
        .difference(&listed)
        .map(|name| format!("{DECISIONS}{name}: not in {DECISIONS_INDEX}"))
        .chain(listed.difference(&written).map(|name| format!("{DECISIONS_INDEX}: lists {name}, which does not exist")))
        .collect();
    let mut numbers = BTreeSet::new();
    for name in written {
        let number = name.split('-').next().unwrap_or_default();
        if number.len() != 4 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            complaints.push(format!("{DECISIONS}{name}: the name must start with four digits"));
        } else if !numbers.insert(number) {
            complaints.push(format!("{DECISIONS}{name}: number {number} is used twice"));
        }
    }
    complaints
}

/// Every outside dependency has a row that says what it is for, and no row outlives its dependency.
pub(super) fn dependencies(tree: &Tree) -> Vec<String> {
    let Some(Ok(manifest)) = tree.text("Cargo.toml").map(str::parse::<toml::Table>) else {
        return vec!["Cargo.toml: not there, or not TOML".to_owned()];
    };
    let table = manifest.get("workspace").and_then(|w| w.get("dependencies")).and_then(toml::Value::as_table);
    let used: BTreeSet<&str> = table
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.get("path").is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let page = tree.text(DEPENDENCIES).unwrap_or_default();
    let explained: BTreeSet<&str> = page.lines().filter_map(first_cell).flat_map(names).collect();
    used.difference(&explained)
        .map(|name| format!("{DEPENDENCIES}: no row for {name}"))
        .chain(explained.difference(&used).map(|name| format!("{DEPENDENCIES}: {name} is no dependency any more")))
        .collect()
}

/// A test that a page cites exists, and each row of the table of ASVS cites one.
pub(super) fn cited_tests(tree: &Tree) -> Vec<String> {
    let page = tree.text(ASVS).unwrap_or_default();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| row "));
    let bare =
        rows.filter(|row| row.trim_end_matches([' ', '|']).rsplit(" | ").next().is_none_or(|last| !last.contains('`')));
    let mut complaints: Vec<String> = bare.map(|row| format!("{ASVS}: no evidence in {row:.60}")).collect();
    for document in [ARCHITECTURE, ASVS] {
        complaints.extend(
            cited(tree.text(document).unwrap_or_default())
                .filter(|name| !exists(tree, name))
                .map(|name| format!("{document}: there is no test {name}")),
        );
    }
    complaints
}

/// Tests in Rust by name, and files of tests of pages.
fn cited(page: &str) -> impl Iterator<Item = &str> {
    const UNDERSCORES_MIN: usize = 3;
    let is_name = |word: &str| {
        word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && (word.matches('_').count() >= UNDERSCORES_MIN || word.starts_with("attack_"))
    };
    // Backquotes inside code fences come in threes and keep the count even.
    let words: BTreeSet<&str> = page.split('`').skip(1).step_by(2).collect();
    words.into_iter().filter(move |word| is_name(word) || word.starts_with(PAGE_TESTS))
}

fn exists(tree: &Tree, name: &str) -> bool {
    let definition = format!("fn {name}(");
    tree.text(name).is_some() || tree.with_extension("rs").any(|file| file.text.contains(&definition))
}

fn first_cell(line: &str) -> Option<&str> {
    line.strip_prefix("| `").map(|_| line[2..].split(" |").next().unwrap_or_default())
}

/// The names between backquotes: a row may explain several that belong together.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    #[test]
    fn index_and_decisions_agree() {
        let good = [("docs/adr/0001-a.md", ""), ("docs/adr/README.md", "- [A](0001-a.md)\n")];
        assert!(decisions(&tree(&good)).is_empty());
        let unlisted = decisions(&tree(&[("docs/adr/0001-a.md", "")]));
        assert_eq!(unlisted, ["docs/adr/0001-a.md: not in docs/adr/README.md"]);
        let missing = decisions(&tree(&[("docs/adr/README.md", "[B](0002-b.md)")]));
        assert_eq!(missing, ["docs/adr/README.md: lists 0002-b.md, which does not exist"]);
        let twice = decisions(&tree(&[
            ("docs/adr/0001-a.md", ""),
            ("docs/adr/0001-b.md", ""),
            ("docs/adr/README.md", "[A](0001-a.md) [B](0001-b.md)"),
        ]));
        assert_eq!(twice, ["docs/adr/0001-b.md: number 0001 is used twice"]);
    }

    #[test]
    fn a_cited_test_exists() {
        let page = "**All is well.** `all_is_always_well`, `make test`, `x_y`\n```\n`not_a_real_test_name\n```\n";
        let test = "#[test]\nfn all_is_always_well() {}\n";
        assert!(cited_tests(&tree(&[(ARCHITECTURE, page), ("a/src/a.rs", test)])).is_empty());
        assert_eq!(
            cited_tests(&tree(&[(ARCHITECTURE, page)])),
            ["ARCHITECTURE.md: there is no test all_is_always_well"]
        );
    }

    #[test]
    fn a_row_of_asvs_has_evidence_that_exists() {
        let of =
            |page: &str| cited_tests(&tree(&[(ASVS, page), ("web/tests/a.test.ts", ""), ("a.rs", "fn attack_x() {}")]));
        assert!(of("| row | evidence |\n|---|---|\n| 1 | `attack_x` |\n| 2 | `web/tests/a.test.ts` |\n").is_empty());
        assert_eq!(of("| 1 | `how` | later |\n"), ["docs/guide/asvs.md: no evidence in | 1 | `how` | later |"]);
        let gone = of("| 1 | `attack_y`, `web/tests/b.test.ts` |\n");
        assert_eq!(gone.len(), 2, "{gone:?}");
    }

    #[test]
    fn every_dependency_is_explained_and_nothing_else() {
        let root = "[workspace.dependencies]\nours = { path = \"a\" }\nserde = \"1\"\nserde_json = \"1\"\n";
        let of = |page: &str| dependencies(&tree(&[("Cargo.toml", root), (DEPENDENCIES, page)]));
        assert!(of("| need | take |\n|---|---|\n| `serde`, `serde_json` | x |\n").is_empty());
        assert_eq!(of("| `serde` | x |\n"), ["docs/dependencies.md: no row for serde_json"]);
        assert_eq!(
            of("| `serde`, `serde_json` | x |\n| `old` | y |\n"),
            ["docs/dependencies.md: old is no dependency any more"]
        );
    }
}
