//! The table of units and prefixes.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use crate::decimal::Decimal;
use crate::dimension::{BASE, Dimension};
use crate::parse::parse_with;
use crate::unit::{Special, Unit};

const UNITS: &str = include_str!("../tables/units.txt");

/// A unit without prefix or power.
#[derive(Debug)]
pub(crate) struct Atom {
    pub(crate) unit: Unit,
    /// Whether it takes prefixes.
    pub(crate) metric: bool,
}

static ATOMS: LazyLock<HashMap<&'static str, Atom>> = LazyLock::new(|| load().unwrap_or_default());

/// The unit with this code, without prefix.
pub(crate) fn atom(code: &str) -> Option<&'static Atom> {
    ATOMS.get(code)
}

/// The prefixes: code and the power of ten, or of two for `Ki` and its like.
pub(crate) const PREFIXES: [(&str, Scale); 24] = [
    ("Y", Scale::Ten(24)),
    ("Z", Scale::Ten(21)),
    ("E", Scale::Ten(18)),
    ("P", Scale::Ten(15)),
    ("T", Scale::Ten(12)),
    ("G", Scale::Ten(9)),
    ("M", Scale::Ten(6)),
    ("k", Scale::Ten(3)),
    ("h", Scale::Ten(2)),
    ("da", Scale::Ten(1)),
    ("d", Scale::Ten(-1)),
    ("c", Scale::Ten(-2)),
    ("m", Scale::Ten(-3)),
    ("u", Scale::Ten(-6)),
    ("n", Scale::Ten(-9)),
    ("p", Scale::Ten(-12)),
    ("f", Scale::Ten(-15)),
    ("a", Scale::Ten(-18)),
    ("z", Scale::Ten(-21)),
    ("y", Scale::Ten(-24)),
    ("Ki", Scale::Two(10)),
    ("Mi", Scale::Two(20)),
    ("Gi", Scale::Two(30)),
    ("Ti", Scale::Two(40)),
];

/// What a prefix multiplies by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scale {
    Ten(i32),
    Two(u32),
}

impl Scale {
    pub(crate) fn factor(self) -> Option<Decimal> {
        match self {
            Self::Ten(power) => Decimal::new(1, -power),
            Self::Two(power) => Decimal::new(1_i128.checked_shl(power)?, 0),
        }
    }
}

/// A line of the table: code, sort, value, unit.
struct Line {
    sort: &'static str,
    value: &'static str,
    unit: &'static str,
}

/// Reads the table; names what it cannot read.
pub(crate) fn load() -> Result<HashMap<&'static str, Atom>, String> {
    // In the order of their codes, so that a fault is always the same one.
    let mut lines = BTreeMap::new();
    for line in UNITS.lines().filter(|line| !line.starts_with("# ") && !line.is_empty()) {
        let mut words = line.split('\t');
        let (Some(code), Some(sort)) = (words.next(), words.next()) else { return Err(line.to_owned()) };
        let line = Line { sort, value: words.next().unwrap_or("1"), unit: words.next().unwrap_or("1") };
        lines.insert(code, line);
    }
    let mut atoms = HashMap::with_capacity(lines.len() + BASE.len());
    for (position, code) in BASE.into_iter().enumerate() {
        let unit = Unit { dimension: Dimension::of_base(position), ..Unit::one() };
        atoms.insert(code, Atom { unit, metric: true });
    }
    // A unit is made once all that it is defined by has been made; each round makes at least one.
    while !lines.is_empty() {
        let before = lines.len();
        let mut fault = String::new();
        lines.retain(|code, line| match unit(code, line, &atoms) {
            Ok(unit) => {
                let metric = line.sort.ends_with("metric") || line.sort == "celsius";
                atoms.insert(code, Atom { unit, metric });
                false
            }
            Err(why) => {
                fault = why;
                true
            }
        });
        if lines.len() == before {
            return Err(fault);
        }
    }
    Ok(atoms)
}

/// The unit of a line, if all that it is defined by is there.
fn unit(code: &'static str, line: &Line, atoms: &HashMap<&'static str, Atom>) -> Result<Unit, String> {
    match line.sort {
        "arbitrary" | "arbitrary-metric" | "log" | "log-metric" => {
            Ok(Unit { dimension: Dimension::own(code), ..Unit::one() })
        }
        "celsius" => special(Special::Celsius, atoms),
        "fahrenheit" => special(Special::Fahrenheit, atoms),
        "reaumur" => special(Special::Reaumur, atoms),
        _ => {
            let unit = parse_with(line.unit, &|name| atoms.get(name)).map_err(|error| format!("{code}: {error}"))?;
            let value = Decimal::parse(line.value).map_err(|error| format!("{code}: {error}"))?;
            unit.scaled(value).ok_or_else(|| format!("{code} is too large"))
        }
    }
}

fn special(special: Special, atoms: &HashMap<&'static str, Atom>) -> Result<Unit, String> {
    let kelvin = atoms.get("K").ok_or("K is not in the table")?;
    Ok(Unit { special: Some(special), ..kelvin.unit.clone() })
}
