//! Reading a table:
//!
//! ```text
//! # a comment
//! iris-vaccines|1
//! edition|2025-11-19
//! source|where the facts come from
//! [vaccines: cvx|status|packages on sale|groups|name|full name]
//! 110|active|2|DTAP;HepB;POLIO|DTaP-Hep B-IPV|DTaP-hepatitis B and poliovirus vaccine
//! [manufacturers: mvx|status|name]
//! SKB|active|GlaxoSmithKline
//! [products: cvx|trade name|mvx|status]
//! 110|PEDIARIX|SKB|active
//! [words: group|what people call it]
//! POLIO|poliomyelitis; poliomielitis
//! ```
//!
//! The words are for look-ups only: no name is coded by them.

use std::collections::{HashMap, HashSet};

use iris_kernel::Fault;
use iris_kernel::limits::FAULTS_MAX;
use iris_plain::is_date;

use super::{Manufacturer, Product, Status, Vaccine};

/// The first line that is no comment: what the file is, and of which form.
const FORM: &str = "iris-vaccines|1";
/// Longest cell, in characters.
const CELL_CHARS_MAX: usize = 500;
/// Longest code, in characters.
const CODE_CHARS_MAX: usize = 10;
/// Most rows of a section.
const ROWS_MAX: usize = 10_000;

/// What a table says.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) edition: String,
    pub(super) source: String,
    pub(super) vaccines: Vec<Vaccine>,
    pub(super) manufacturers: Vec<Manufacturer>,
    /// What people call the vaccines of a group.
    pub(super) words: HashMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Head,
    Vaccines,
    Manufacturers,
    Products,
    Words,
    /// One that is not known; its title is the fault.
    Unknown,
}

#[derive(Default)]
struct Reader {
    table: Table,
    codes: HashMap<String, usize>,
    makers: HashSet<String>,
    /// Products by line; they may stand before the vaccines they belong to.
    products: Vec<(usize, String, Product)>,
    /// Groups of the words, by line, for the same reason.
    worded: Vec<(usize, String)>,
    formed: bool,
    faults: Vec<Fault>,
}

/// Reads a whole table.
pub(super) fn parse(text: &str) -> Result<Table, Vec<Fault>> {
    let mut reader = Reader::default();
    let mut section = Section::Head;
    for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !reader.formed {
            if line != FORM {
                reader.fault(at, &format!("a table of vaccines begins with {FORM}"));
                return Err(reader.faults);
            }
            reader.formed = true;
        } else if let Some(title) = line.strip_prefix('[') {
            section = reader.section(at, title);
        } else {
            reader.row(at, section, line);
        }
    }
    reader.finish()
}

impl Reader {
    fn fault(&mut self, line: usize, what: &str) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::new(format!("line {line}"), what));
        }
    }

    fn section(&mut self, at: usize, title: &str) -> Section {
        match title.split([':', ']']).next().unwrap_or_default() {
            "vaccines" => Section::Vaccines,
            "manufacturers" => Section::Manufacturers,
            "products" => Section::Products,
            "words" => Section::Words,
            _ => {
                self.fault(
                    at,
                    "there is no such section; the sections are vaccines, manufacturers, products and words",
                );
                Section::Unknown
            }
        }
    }

    fn row(&mut self, at: usize, section: Section, line: &str) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if cells.iter().any(|cell| cell.chars().count() > CELL_CHARS_MAX) {
            return self.fault(at, &format!("a cell has more than {CELL_CHARS_MAX} characters"));
        }
        if line.chars().any(char::is_control) {
            return self.fault(at, "has a control character in it");
        }
        match (section, cells.as_slice()) {
            (Section::Head, ["edition", day]) if is_date(day) => (*day).clone_into(&mut self.table.edition),
            (Section::Head, ["source", source]) => (*source).clone_into(&mut self.table.source),
            (Section::Head, ["edition", ..]) => self.fault(at, "the edition is a day, YYYY-MM-DD"),
            (Section::Head, _) => self.fault(at, "before the first section there are only edition and source"),
            (Section::Vaccines, [code, status, packages, groups, name, full_name]) => {
                self.vaccine(at, [code, status, packages, groups, name, full_name]);
            }
            (Section::Manufacturers, [code, status, name]) => self.manufacturer(at, code, status, name),
            (Section::Products, [cvx, name, mvx, status]) => self.product(at, cvx, name, mvx, status),
            (Section::Words, [group, words]) => self.words(at, group, words),
            (Section::Words, _) => self.columns(at, 2, cells.len()),
            (Section::Vaccines, _) => self.columns(at, 6, cells.len()),
            (Section::Manufacturers, _) => self.columns(at, 3, cells.len()),
            (Section::Products, _) => self.columns(at, 4, cells.len()),
            (Section::Unknown, _) => {}
        }
    }

    fn columns(&mut self, at: usize, wanted: usize, found: usize) {
        self.fault(at, &format!("has {found} columns instead of {wanted}"));
    }

    fn vaccine(&mut self, at: usize, [code, status, packages, groups, name, full_name]: [&str; 6]) {
        self.code(at, code, "CVX code");
        let status = self.status(at, status);
        let packages = packages.parse().unwrap_or_else(|_| {
            self.fault(at, "the number of packages on sale is no number");
            0
        });
        for (text, what) in [(name, "name"), (full_name, "full name")] {
            self.present(at, text, what);
        }
        let groups = groups.split(';').map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned).collect();
        if self.codes.insert(code.to_owned(), self.table.vaccines.len()).is_some() {
            return self.fault(at, "the vaccine's code stands there twice");
        }
        if self.table.vaccines.len() == ROWS_MAX {
            return self.fault(at, &format!("there are more than {ROWS_MAX} vaccines"));
        }
        let [code, name, full_name] = [code, name, full_name].map(str::to_owned);
        self.table.vaccines.push(Vaccine { code, name, full_name, status, groups, packages, products: Vec::new() });
    }

    fn manufacturer(&mut self, at: usize, code: &str, status: &str, name: &str) {
        self.code(at, code, "MVX code");
        let status = self.status(at, status);
        self.present(at, name, "name");
        if !self.makers.insert(code.to_owned()) {
            return self.fault(at, "the manufacturer's code stands there twice");
        }
        if self.table.manufacturers.len() == ROWS_MAX {
            return self.fault(at, &format!("there are more than {ROWS_MAX} manufacturers"));
        }
        self.table.manufacturers.push(Manufacturer { code: code.to_owned(), name: name.to_owned(), status });
    }

    fn product(&mut self, at: usize, cvx: &str, name: &str, mvx: &str, status: &str) {
        let status = self.status(at, status);
        self.present(at, name, "trade name");
        if self.products.len() == ROWS_MAX {
            return self.fault(at, &format!("there are more than {ROWS_MAX} products"));
        }
        let mvx = (!mvx.is_empty()).then(|| mvx.to_owned());
        self.products.push((at, cvx.to_owned(), Product { trade_name: name.to_owned(), mvx, status }));
    }

    fn words(&mut self, at: usize, group: &str, words: &str) {
        self.present(at, words, "list of words");
        if self.table.words.insert(group.to_owned(), words.to_owned()).is_some() {
            return self.fault(at, "the group stands there twice");
        }
        self.worded.push((at, group.to_owned()));
    }

    fn code(&mut self, at: usize, code: &str, what: &str) {
        let good = (1..=CODE_CHARS_MAX).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
        if !good {
            self.fault(at, &format!("the {what} must be 1 to {CODE_CHARS_MAX} letters or digits"));
        }
    }

    fn status(&mut self, at: usize, word: &str) -> Status {
        Status::ALL.into_iter().find(|status| status.word() == word).unwrap_or_else(|| {
            self.fault(at, &format!("the status must be one of {}", Status::WORDS.join(", ")));
            Status::Inactive
        })
    }

    fn present(&mut self, at: usize, text: &str, what: &str) {
        if text.is_empty() {
            self.fault(at, &format!("the {what} is missing"));
        }
    }

    fn finish(mut self) -> Result<Table, Vec<Fault>> {
        for (at, cvx, product) in std::mem::take(&mut self.products) {
            if product.mvx.as_ref().is_some_and(|mvx| !self.makers.contains(mvx)) {
                self.fault(at, "the manufacturer of the product is not in the table");
            }
            match self.codes.get(&cvx).and_then(|place| self.table.vaccines.get_mut(*place)) {
                None => self.fault(at, "the vaccine of the product is not in the table"),
                Some(vaccine)
                    if vaccine
                        .products
                        .iter()
                        .any(|p| (&p.trade_name, &p.mvx) == (&product.trade_name, &product.mvx)) =>
                {
                    self.fault(at, "the product stands there twice");
                }
                Some(vaccine) => vaccine.products.push(product),
            }
        }
        for (at, group) in std::mem::take(&mut self.worded) {
            if !self.table.vaccines.iter().any(|vaccine| vaccine.groups.contains(&group)) {
                self.fault(at, "no vaccine is in the group of these words");
            }
        }
        for (text, what) in [(&self.table.edition, "edition"), (&self.table.source, "source")] {
            if text.is_empty() && self.faults.len() < FAULTS_MAX {
                self.faults.push(Fault::new(what, "is missing"));
            }
        }
        if self.table.vaccines.is_empty() && self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::new("vaccines", "there is not one"));
        }
        for vaccine in &mut self.table.vaccines {
            vaccine.products.sort_by(|a, b| (a.status, &a.trade_name).cmp(&(b.status, &b.trade_name)));
        }
        if self.faults.is_empty() { Ok(self.table) } else { Err(self.faults) }
    }
}
