//! `cargo xtask vaccine-codes FOLDER`: turns CDC's vaccine tables into the compact table that `contexts/immunization` ships.
//!
//! CDC publishes CVX (vaccines), MVX (manufacturers) and product names as XML; they are works of the US government and in the
//! public domain. Only the facts are kept: code, names, status. The output is sorted, so that a new edition shows as a small diff.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use roxmltree::{Document, Node};

const TARGET: &str = "contexts/immunization/tables/cvx.txt";
const HEAD: &str = "\
# CVX vaccine codes, MVX manufacturer codes and trade names that stand for exactly one CVX code.
# Source: CDC, https://www2.cdc.gov/vaccines/iis/iisstandards/ (public domain). Made by `cargo xtask vaccine-codes`.
";

/// Runs the command.
///
/// # Errors
/// Wrong arguments, a file that is missing or is not what it should be, or a value that the table cannot hold.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let [folder] = args else {
        return Err("usage: cargo xtask vaccine-codes FOLDER (with cvx.xml, mvx.xml, tradename.xml)".to_owned());
    };
    let folder = Path::new(folder);
    let table = table(&read(folder, "cvx.xml")?, &read(folder, "mvx.xml")?, &read(folder, "tradename.xml")?)?;
    std::fs::write(TARGET, table).map_err(|e| format!("{TARGET}: {e}"))
}

fn read(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
}

fn table(cvx: &str, mvx: &str, trade: &str) -> Result<String, String> {
    let mut out = HEAD.to_owned();
    section(&mut out, "cvx: code|short name|full name|status", vaccines(cvx)?)?;
    section(&mut out, "mvx: code|name|status", manufacturers(mvx)?)?;
    section(&mut out, "trade: name|cvx", trade_names(trade)?)?;
    Ok(out)
}

fn section(out: &mut String, title: &str, rows: BTreeMap<String, Vec<String>>) -> Result<(), String> {
    let _ = writeln!(out, "[{title}]");
    for (key, values) in rows {
        if key.is_empty() || values.iter().chain([&key]).any(|v| v.contains(['|', '\n'])) {
            return Err(format!("{title}: the row {key:?} has an empty key or a separator in a value"));
        }
        let _ = writeln!(out, "{key}|{}", values.join("|"));
    }
    Ok(())
}

fn vaccines(xml: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let document = Document::parse(xml).map_err(|e| format!("cvx.xml: {e}"))?;
    let mut rows = BTreeMap::new();
    for row in document.descendants().filter(|n| n.has_tag_name("CVXInfo")) {
        let cell = |name: &str| row.children().find(|n| n.has_tag_name(name)).map(tidy).unwrap_or_default();
        let code = cell("CVXCode");
        let values = vec![cell("ShortDescription"), cell("FullVaccinename"), status(&cell("Status"))?];
        if rows.insert(code.clone(), values).is_some() {
            return Err(format!("cvx.xml: code {code} occurs twice"));
        }
    }
    Ok(rows)
}

fn manufacturers(xml: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let document = Document::parse(xml).map_err(|e| format!("mvx.xml: {e}"))?;
    let mut rows = BTreeMap::new();
    for row in document.descendants().filter(|n| n.has_tag_name("MVXInfo")) {
        let cells = pairs(row);
        let cell = |name: &str| cells.get(name).cloned().unwrap_or_default();
        rows.insert(cell("MVX_CODE"), vec![cell("Manufacturer Name"), status(&cell("Status"))?]);
    }
    Ok(rows)
}

/// Trade names with exactly one CVX code; one that stands for several formulations says nothing and is left out.
fn trade_names(xml: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let document = Document::parse(xml).map_err(|e| format!("tradename.xml: {e}"))?;
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in document.descendants().filter(|n| n.has_tag_name("prodInfo")) {
        let mut cells = pairs(row);
        let (Some(name), Some(code)) = (cells.remove("CDC Product Name"), cells.remove("CVXCode")) else {
            return Err("tradename.xml: a product without name or code".to_owned());
        };
        codes.entry(name).or_default().insert(code);
    }
    Ok(codes
        .into_iter()
        .filter(|(_, codes)| codes.len() == 1)
        .map(|(name, codes)| (name, codes.into_iter().collect()))
        .collect())
}

/// The cells of a row in CDC's second form: `<Name>key</Name><Value>value</Value>`, one after the other.
fn pairs(row: Node<'_, '_>) -> BTreeMap<String, String> {
    let mut cells = BTreeMap::new();
    let mut key = String::new();
    for node in row.children() {
        match node.tag_name().name() {
            "Name" => key = tidy(node),
            "Value" => drop(cells.insert(std::mem::take(&mut key), tidy(node))),
            _ => {}
        }
    }
    cells
}

/// The text of a node with runs of white space made one space: CDC pads codes and breaks long names over lines.
fn tidy(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn status(text: &str) -> Result<String, String> {
    match text {
        "Active" => Ok("active".to_owned()),
        "Inactive" => Ok("inactive".to_owned()),
        "Non-US" => Ok("non-us".to_owned()),
        "Never Active" => Ok("never-active".to_owned()),
        other => Err(format!("unknown status {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::table;

    const CVX: &str = "<CVXCodes><CVXInfo><ShortDescription>Tdap</ShortDescription><FullVaccinename>tetanus toxoid,\n  reduced \
        diphtheria</FullVaccinename><CVXCode>115       </CVXCode><Status>Active</Status></CVXInfo></CVXCodes>";
    const MVX: &str = "<MVXCodes><MVXInfo><Name>MVX_CODE</Name><Value>SKB</Value><Name>Manufacturer Name</Name>\
        <Value>GlaxoSmithKline</Value><Name>Status</Name><Value>Active</Value></MVXInfo></MVXCodes>";

    fn product(name: &str, code: &str) -> String {
        format!(
            "<prodInfo><Name>CDC Product Name</Name><Value>{name}</Value><Name>CVXCode</Name><Value>{code} </Value></prodInfo>"
        )
    }

    #[test]
    fn facts_are_kept_and_ambiguous_trade_names_left_out() {
        let trade = format!(
            "<p>{}{}{}{}</p>",
            product("BOOSTRIX", "115"),
            product("BOOSTRIX", "115"),
            product("FLUX", "140"),
            product("FLUX", "141")
        );
        let made = table(CVX, MVX, &trade).unwrap();
        assert!(made.contains("\n115|Tdap|tetanus toxoid, reduced diphtheria|active\n"), "{made}");
        assert!(made.contains("\nSKB|GlaxoSmithKline|active\n"), "{made}");
        assert!(made.contains("\nBOOSTRIX|115\n"), "{made}");
        assert!(!made.contains("FLUX"), "{made}");
    }

    #[test]
    fn an_unknown_status_is_an_error() {
        assert!(table(&CVX.replace("Active", "Odd"), MVX, "<p/>").is_err());
    }
}
