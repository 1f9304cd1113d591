//! CVX vaccines, MVX manufacturers and trade names, from the committed table that `cargo xtask vaccine-codes` makes.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// A vaccine of CDC's CVX table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vaccine {
    /// CVX code.
    pub code: &'static str,
    /// Short description.
    pub name: &'static str,
    /// Full name.
    pub full_name: &'static str,
    /// `active`, `inactive`, `non-us` or `never-active`.
    pub status: &'static str,
}

/// A manufacturer of CDC's MVX table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manufacturer {
    /// MVX code.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
}

struct Codes {
    vaccines: HashMap<&'static str, Vaccine>,
    /// Folded names, short, full and of trade, to the codes they can stand for.
    names: HashMap<String, BTreeSet<&'static str>>,
    manufacturers: HashMap<String, Manufacturer>,
}

static CODES: LazyLock<Codes> = LazyLock::new(|| read(include_str!("../tables/cvx.txt")));

/// The vaccine of a CVX code.
#[must_use]
pub fn vaccine(code: &str) -> Option<Vaccine> {
    CODES.vaccines.get(code).copied()
}

/// The vaccine that a name stands for, if it stands for exactly one.
#[must_use]
pub fn vaccine_named(name: &str) -> Option<Vaccine> {
    let codes = CODES.names.get(&fold(name))?;
    let mut codes = codes.iter();
    match (codes.next(), codes.next()) {
        (Some(code), None) => vaccine(code),
        _ => None,
    }
}

/// The manufacturer of an MVX code or of a name as MVX writes it.
#[must_use]
pub fn manufacturer(text: &str) -> Option<Manufacturer> {
    CODES.manufacturers.get(&fold(text)).copied()
}

/// Names are compared without regard to case and white space.
pub(crate) fn fold(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn read(table: &'static str) -> Codes {
    let mut codes = Codes { vaccines: HashMap::new(), names: HashMap::new(), manufacturers: HashMap::new() };
    let mut section = "";
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        if let Some(title) = line.strip_prefix('[') {
            section = title.split(':').next().unwrap_or_default();
            continue;
        }
        let cells: Vec<&'static str> = line.split('|').collect();
        match (section, cells.as_slice()) {
            ("cvx", [code, name, full_name, status]) => {
                codes.vaccines.insert(code, Vaccine { code, name, full_name, status });
                if *status != "never-active" {
                    codes.names.entry(fold(name)).or_default().insert(code);
                    codes.names.entry(fold(full_name)).or_default().insert(code);
                }
            }
            ("mvx", [code, name, _]) => {
                let manufacturer = Manufacturer { code, name };
                codes.manufacturers.insert(fold(code), manufacturer);
                codes.manufacturers.insert(fold(name), manufacturer);
            }
            ("trade", [name, code]) => {
                codes.names.entry(fold(name)).or_default().insert(code);
            }
            // The table is ours and the test below reads every line of it.
            _ => {}
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_read() {
        let table = include_str!("../tables/cvx.txt");
        let mut section = "";
        let mut counts = HashMap::new();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            match line.strip_prefix('[') {
                Some(title) => section = title.split(':').next().unwrap(),
                None => *counts.entry((section, line.split('|').count())).or_insert(0) += 1,
            }
        }
        assert_eq!(counts[&("cvx", 4)], CODES.vaccines.len());
        assert!(CODES.vaccines.len() >= 288 && counts[&("mvx", 3)] >= 89 && counts[&("trade", 2)] >= 150, "{counts:?}");
        assert_eq!(counts.len(), 3, "every line has its section's form");
    }

    #[test]
    fn a_name_is_coded_only_when_it_stands_for_one_vaccine() {
        assert_eq!(vaccine_named("tdap").map(|v| v.code), Some("115"));
        assert_eq!(vaccine_named(" BOOSTRIX ").map(|v| v.code), Some("115"));
        assert_eq!(vaccine_named("Influenza"), None);
        assert_eq!(vaccine("08").map(|v| v.status), Some("active"));
        assert_eq!(vaccine("FLU2025"), None);
        assert_eq!(manufacturer("skb"), manufacturer("GlaxoSmithKline"));
    }
}
