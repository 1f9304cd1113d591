//! Reading CDC's files.

use std::collections::BTreeMap;
use std::path::Path;

use roxmltree::{Document, Node};

/// A row of the CVX table.
pub(super) struct Cvx {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) status: &'static str,
}

/// A row of the MVX table.
pub(super) struct Mvx {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) status: &'static str,
}

/// A row of the table of product names.
pub(super) struct Product {
    pub(super) cvx: String,
    pub(super) name: String,
    /// Empty for old products whose manufacturer CDC does not tell.
    pub(super) mvx: String,
    pub(super) status: &'static str,
}

/// CDC's tables, as far as ours is made from them.
pub(super) struct Source {
    /// Day of the newest change in the tables of vaccines, manufacturers and products, `YYYY-MM-DD`.
    pub(super) edition: String,
    pub(super) vaccines: Vec<Cvx>,
    pub(super) manufacturers: Vec<Mvx>,
    pub(super) products: Vec<Product>,
    /// Vaccine and group.
    pub(super) groups: Vec<(String, String)>,
    /// Group and what people call its vaccines: from our own list.
    pub(super) words: Vec<(String, String)>,
    /// Vaccine and last day of sale of each package, `YYYYMMDD`; empty while it is sold.
    pub(super) packages: Vec<(String, String)>,
}

impl Source {
    /// Reads the files of a folder; `words` is our own list.
    ///
    /// # Errors
    /// A file is missing, or holds what it should not.
    pub(super) fn read(folder: &Path, words: &str) -> Result<Self, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
        };
        Self::of(
            &read("cvx.xml")?,
            &read("mvx.xml")?,
            &read("tradename.xml")?,
            &read("vac2vg.xml")?,
            &read("NDC_Unit_sale.txt")?,
            words,
        )
    }

    /// Reads the files' texts.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(super) fn of(cvx: &str, mvx: &str, trade: &str, groups: &str, sale: &str, words: &str) -> Result<Self, String> {
        let mut edition = String::new();
        let mut newest = |day: &str| -> Result<(), String> {
            let day = iso_day(day)?;
            if day > edition {
                edition = day;
            }
            Ok(())
        };
        let mut vaccines = Vec::new();
        for cells in rows(cvx, "cvx.xml", "CVXInfo")? {
            newest(cells.of("LastUpdated")?)?;
            vaccines.push(Cvx {
                code: cells.of("CVXCode")?.to_owned(),
                name: cells.of("ShortDescription")?.to_owned(),
                full_name: cells.of("FullVaccinename")?.to_owned(),
                status: status(cells.of("Status")?)?,
            });
        }
        let mut manufacturers = Vec::new();
        for cells in rows(mvx, "mvx.xml", "MVXInfo")? {
            newest(cells.of("Last Updated")?)?;
            manufacturers.push(Mvx {
                code: cells.of("MVX_CODE")?.to_owned(),
                name: cells.of("Manufacturer Name")?.to_owned(),
                status: status(cells.of("Status")?)?,
            });
        }
        let mut products = Vec::new();
        for cells in rows(trade, "tradename.xml", "prodInfo")? {
            newest(cells.of("Last Updated")?)?;
            products.push(Product {
                cvx: cells.of("CVXCode")?.to_owned(),
                name: cells.of("CDC Product Name")?.to_owned(),
                mvx: cells.or_empty("MVX Code").to_owned(),
                status: status(cells.of("Product name Status")?)?,
            });
        }
        let mut of_group = Vec::new();
        for cells in rows(groups, "vac2vg.xml", "CVXVGInfo")? {
            of_group.push((cells.of("CVXCode")?.to_owned(), cells.of("Vaccine Group Name")?.to_owned()));
        }
        Ok(Self {
            edition,
            vaccines,
            manufacturers,
            products,
            groups: of_group,
            packages: packages(sale)?,
            words: called(words)?,
        })
    }
}

/// The named cells of one row.
struct Cells {
    file: &'static str,
    cells: BTreeMap<String, String>,
}

impl Cells {
    fn of(&self, name: &str) -> Result<&str, String> {
        let text = self.or_empty(name);
        if text.is_empty() { Err(format!("{}: a row without {name}", self.file)) } else { Ok(text) }
    }

    fn or_empty(&self, name: &str) -> &str {
        self.cells.get(name).map_or("", String::as_str)
    }
}

fn rows(xml: &str, file: &'static str, tag: &str) -> Result<Vec<Cells>, String> {
    let document = Document::parse(xml).map_err(|e| format!("{file}: {e}"))?;
    let rows = document.descendants().filter(|node| node.has_tag_name(tag));
    Ok(rows.map(|row| Cells { file, cells: cells(row) }).collect())
}

/// The cells of a row in either of CDC's forms: `<Key>value</Key>`, or `<Name>key</Name><Value>value</Value>`.
fn cells(row: Node<'_, '_>) -> BTreeMap<String, String> {
    let mut cells = BTreeMap::new();
    let mut key = String::new();
    for node in row.children().filter(Node::is_element) {
        match node.tag_name().name() {
            "Name" => key = tidy(node),
            "Value" => drop(cells.insert(std::mem::take(&mut key), tidy(node))),
            name => drop(cells.insert(name.to_owned(), tidy(node))),
        }
    }
    cells
}

/// The text of a node with runs of white space made one space: CDC pads codes and breaks long names over lines.
fn tidy(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn status(text: &str) -> Result<&'static str, String> {
    match text {
        "Active" => Ok("active"),
        "Inactive" => Ok("inactive"),
        "Non-US" => Ok("non-us"),
        "Pending" => Ok("pending"),
        "Never Active" => Ok("never-active"),
        other => Err(format!("unknown status {other:?}")),
    }
}

/// `M/D/YYYY` as `YYYY-MM-DD`.
fn iso_day(text: &str) -> Result<String, String> {
    let mut parts = text.split('/').map(str::parse::<u16>);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Ok(month)), Some(Ok(day)), Some(Ok(year)), None) => Ok(format!("{year:04}-{month:02}-{day:02}")),
        _ => Err(format!("{text:?} is no day of the form M/D/YYYY")),
    }
}

/// The packages of CDC's table "NDC unit of sale": 16 columns, the ninth the end of sale, the thirteenth the vaccine.
fn packages(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut packages = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        if columns.len() != 16 {
            return Err(format!("NDC_Unit_sale.txt, line {}: not 16 columns", at + 1));
        }
        packages.push((columns[12].to_owned(), columns[8].to_owned()));
    }
    Ok(packages)
}

/// Our own list: `group|words`, and comments.
fn called(text: &str) -> Result<Vec<(String, String)>, String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| line.split_once('|').map(|(group, words)| (group.to_owned(), words.to_owned()));
    lines.map(|line| pair(line).ok_or_else(|| format!("vaccine-words.txt: {line:?} has no group"))).collect()
}
