//! Writing our table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::source::Source;

/// What stands above the rows. `contexts/immunization/src/vaccines/parse.rs` says what the lines mean.
const HEAD: &str = "\
# Vaccines (CVX), manufacturers (MVX) and products. `iris vaccines check FILE` tells what is wrong with a table of this form.
# Facts from CDC's tables, which are works of the US government and in the public domain; the words at the end are our own.
# Made by `cargo xtask vaccines`.
iris-vaccines|1
";
const SOURCE: &str =
    "CDC, https://www2.cdc.gov/vaccines/iis/iisstandards/: CVX, MVX, product names, vaccine groups, NDC";

/// The table as text.
///
/// # Errors
/// A value that the table cannot hold, a code that stands there twice, or one that no other table knows.
pub(super) fn written(source: &Source) -> Result<String, String> {
    let mut out = format!("{HEAD}edition|{}\nsource|{SOURCE}\n", source.edition);
    section(&mut out, "vaccines: cvx|status|packages on sale|groups|name|full name", &vaccines(source)?)?;
    section(&mut out, "manufacturers: mvx|status|name", &manufacturers(source)?)?;
    section(&mut out, "products: cvx|trade name|mvx|status", &products(source)?)?;
    section(&mut out, "words: group|what people call it", &words(source)?)?;
    Ok(out)
}

fn section(out: &mut String, title: &str, rows: &[Vec<String>]) -> Result<(), String> {
    let _ = writeln!(out, "[{title}]");
    for row in rows {
        if row.iter().any(|cell| cell.contains(['|', '\n', '\r'])) {
            return Err(format!("{title}: a cell of {:?} has a separator in it", row.first()));
        }
        let _ = writeln!(out, "{}", row.join("|"));
    }
    Ok(())
}

fn vaccines(source: &Source) -> Result<Vec<Vec<String>>, String> {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (code, group) in &source.groups {
        if group.contains(';') {
            return Err(format!("the group {group:?} has a separator in its name"));
        }
        groups.entry(code).or_default().insert(group);
    }
    let edition = source.edition.replace('-', "");
    let mut packages: BTreeMap<&str, u32> = BTreeMap::new();
    for (code, end) in &source.packages {
        if end.is_empty() || *end >= edition {
            *packages.entry(code).or_default() += 1;
        }
    }
    let mut rows = BTreeMap::new();
    for vaccine in &source.vaccines {
        let code = vaccine.code.as_str();
        let in_groups: Vec<&str> = groups.remove(code).unwrap_or_default().into_iter().collect();
        let row = vec![
            vaccine.code.clone(),
            vaccine.status.to_owned(),
            packages.remove(code).unwrap_or_default().to_string(),
            in_groups.join(";"),
            vaccine.name.clone(),
            vaccine.full_name.clone(),
        ];
        if rows.insert(by_number(code), row).is_some() {
            return Err(format!("cvx.xml: code {code} occurs twice"));
        }
    }
    if let Some(code) = groups.keys().chain(packages.keys()).next() {
        return Err(format!("the vaccine {code} of a group or package is not in cvx.xml"));
    }
    Ok(rows.into_values().collect())
}

fn manufacturers(source: &Source) -> Result<Vec<Vec<String>>, String> {
    let mut rows = BTreeMap::new();
    for maker in &source.manufacturers {
        let row = vec![maker.code.clone(), maker.status.to_owned(), maker.name.clone()];
        if rows.insert(maker.code.as_str(), row).is_some() {
            return Err(format!("mvx.xml: code {} occurs twice", maker.code));
        }
    }
    Ok(rows.into_values().collect())
}

/// One row for each vaccine, trade name and manufacturer; it is active if one of CDC's rows for it is.
fn products(source: &Source) -> Result<Vec<Vec<String>>, String> {
    let vaccines: BTreeSet<&str> = source.vaccines.iter().map(|vaccine| vaccine.code.as_str()).collect();
    let makers: BTreeSet<&str> = source.manufacturers.iter().map(|maker| maker.code.as_str()).collect();
    let mut rows: BTreeMap<_, &str> = BTreeMap::new();
    for product in &source.products {
        if !vaccines.contains(product.cvx.as_str()) || !(product.mvx.is_empty() || makers.contains(&*product.mvx)) {
            return Err(format!("tradename.xml: {} has a code that is in no table", product.name));
        }
        let key = (by_number(&product.cvx), product.name.as_str(), product.mvx.as_str());
        let status = rows.entry(key).or_insert(product.status);
        if product.status == "active" {
            *status = "active";
        }
    }
    let row = |((cvx, name, mvx), status): ((_, &str, &str), &str)| {
        let (_, cvx): (usize, &str) = cvx;
        [cvx, name, mvx, status].map(str::to_owned).to_vec()
    };
    Ok(rows.into_iter().map(row).collect())
}

fn words(source: &Source) -> Result<Vec<Vec<String>>, String> {
    let groups: BTreeSet<&str> = source.groups.iter().map(|(_, group)| group.as_str()).collect();
    if let Some((group, _)) = source.words.iter().find(|(group, _)| !groups.contains(group.as_str())) {
        return Err(format!("vaccine-words.txt: CDC has no group {group:?}"));
    }
    let rows: BTreeMap<&str, &str> = source.words.iter().map(|(group, words)| (&**group, &**words)).collect();
    Ok(rows.into_iter().map(|(group, words)| vec![group.to_owned(), words.to_owned()]).collect())
}

/// Codes in the order of their numbers, leading zeros aside.
fn by_number(code: &str) -> (usize, &str) {
    (code.trim_start_matches('0').len(), code)
}
