//! `cargo xtask units FOLDER`: the table of UCUM's units that `base/ucum` ships.
//!
//! FOLDER is the unpacked npm package `@lhncbc/ucum-lhc`, which carries UCUM's own table in `data/ucumDefs.min.json`. Only facts are
//! kept: codes, and how many of which unit each is. What LOINC adds there is left out: it is put together of these.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

const TARGET: &str = "base/ucum/tables/units.txt";
const SOURCE: &str = "data/ucumDefs.min.json";
/// Digits of the number pi and its like that are kept; decimals hold 38.
const DIGITS_MAX: usize = 36;

/// Units whose columns of text contradict the column of magnitudes, as the UCUM table defines them: code, how many, of what.
const CORRECTED: [(&str, &str, &str); 3] =
    [("[mu_0]", "4", "[pi].10*-7.N/A2"), ("Oe", "250", "/[pi].A/m"), ("[S]", "1", "10*-13.s")];

const HEAD: &str = "\
# Units of UCUM but the seven base units: code, sort (-metric: takes prefixes), and how many of which unit it is. A sort other
# than `unit` has a zero or a scale of its own, or is defined by an assay.
# The Unified Code for Units of Measure (https://ucum.org), facts of version 2.1. Made by `cargo xtask units`; do not edit.
";

/// Runs the command.
///
/// # Errors
/// Wrong arguments, or a file that is missing or laid out in another way.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let [folder] = args else {
        return Err("usage: cargo xtask units FOLDER (the unpacked npm package @lhncbc/ucum-lhc)".to_owned());
    };
    let path = Path::new(folder).join(SOURCE);
    let text = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let file: Value = serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let list = |pointer: &str| file.pointer(pointer).and_then(Value::as_array).ok_or(format!("no {pointer}"));
    // A column that is itself a list has two names, the first of which is its own.
    let own_name = |name: &'_ Value| name.as_str().or_else(|| name.get(0).and_then(Value::as_str)).map(str::to_owned);
    let names: Vec<String> = list("/units/config")?.iter().map(|name| own_name(name).unwrap_or_default()).collect();
    let lines: BTreeSet<Vec<String>> = list("/units/data")?.iter().filter_map(|row| line(&names, row)).collect();
    let table: String = lines.iter().map(|line| format!("{}\n", line.join("\t"))).collect();
    println!("{:>8} units  {TARGET}", lines.len());
    std::fs::write(TARGET, format!("{HEAD}{table}")).map_err(|e| format!("{TARGET}: {e}"))
}

/// A line of the table; `None` for base units, and for units that are not UCUM's own.
fn line(names: &[String], row: &Value) -> Option<Vec<String>> {
    let column = |name: &str| names.iter().position(|own| *own == name).and_then(|at| row.get(at));
    let is = |name: &str| column(name).and_then(Value::as_bool).unwrap_or_default();
    let text = |name: &str| column(name).and_then(Value::as_str).unwrap_or_default();
    if text("source_") != "UCUM" || is("isBase_") {
        return None;
    }
    let code = text("csCode_").to_owned();
    let metric = if is("isMetric_") { "-metric" } else { "" };
    let special = match code.as_str() {
        "Cel" => Some("celsius".to_owned()),
        "[degF]" => Some("fahrenheit".to_owned()),
        "[degRe]" => Some("reaumur".to_owned()),
        _ if is("isSpecial_") => Some(format!("log{metric}")),
        _ if is("isArbitrary_") => Some(format!("arbitrary{metric}")),
        _ => None,
    };
    Some(match special {
        Some(sort) => vec![code, sort],
        None => {
            let corrected = CORRECTED.iter().find(|(own, ..)| *own == code).map(|(_, value, unit)| (*value, *unit));
            let (value, unit) = corrected.unwrap_or((text("baseFactorStr_"), text("csUnitString_")));
            let value = value.get(..DIGITS_MAX).unwrap_or(value);
            vec![code, format!("unit{metric}"), value.to_owned(), unit.to_owned()]
        }
    })
}
