//! Reading the tables of classes. A test reads every line; nothing of them is taken on trust: what is said twice, or of nothing that
//! R4 has, makes the whole unreadable.

use std::collections::HashMap;

use super::identifiers::{Form, Pattern, Table};
use super::{Classes, DataClass};
use crate::definitions::definitions;

const CLASSES: &str = include_str!("../../tables/classes.txt");
const IDENTIFIERS: &str = include_str!("../../tables/classes_identifiers.txt");

/// Which edition of the table of identifiers this is: another one with every change of its text (FNV-1a, 24 bits).
pub const EDITION: [u8; 3] = edition(IDENTIFIERS.as_bytes());

const fn edition(text: &[u8]) -> [u8; 3] {
    let (mut hash, mut at) = (0x811c_9dc5_u32, 0);
    while at < text.len() {
        hash = (hash ^ text[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    let [_, a, b, c] = hash.to_be_bytes();
    [a, b, c]
}

/// Names the line that cannot be read.
type Read<T> = Result<T, String>;

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

pub(super) fn classes() -> Read<Classes> {
    let mut classes = Classes::default();
    let mut defaults = HashMap::new();
    for line in lines(CLASSES) {
        let wrong = || format!("unreadable line of a table: {line}");
        let mut words = line.split(' ');
        let (Some(what), Some(first)) = (words.next(), words.next()) else { return Err(wrong()) };
        if what == "default" {
            let class = DataClass::named(first).ok_or_else(wrong)?;
            for name in words {
                let kind = definitions().kind_of(name).ok_or_else(wrong)?;
                once(&mut defaults, kind, class, line)?;
            }
            continue;
        }
        let class = words.next().and_then(DataClass::named).filter(|_| words.next().is_none()).ok_or_else(wrong)?;
        let of = match what {
            "common" => &mut classes.common,
            "type" => &mut classes.types,
            "path" => &mut classes.paths,
            _ => return Err(wrong()),
        };
        once(of, first, class, line)?;
    }
    for kind in definitions().kinds() {
        let name = definitions().name_of(kind);
        classes.defaults.push(*defaults.get(&kind).ok_or_else(|| format!("{name} has no class"))?);
    }
    Ok(classes)
}

fn once<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: V, line: &str) -> Read<()> {
    if map.insert(key, value).is_some() { Err(format!("says again what another line says: {line}")) } else { Ok(()) }
}

pub(super) fn identifiers() -> Read<Table> {
    let mut table = Table::default();
    for line in lines(IDENTIFIERS) {
        let wrong = || format!("unreadable line of a table: {line}");
        let mut words = line.splitn(4, ' ');
        let (Some(what), Some(name), Some(form), Some(says)) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        let form = Form::named(form).ok_or_else(wrong)?;
        let rows = match what {
            "system" => &mut table.systems,
            "type" => &mut table.types,
            _ => return Err(wrong()),
        };
        if rows.iter().any(|row: &Pattern| row.name == name) {
            return Err(format!("says again what another line says: {line}"));
        }
        rows.push(Pattern { name, form, says });
    }
    Ok(table)
}
