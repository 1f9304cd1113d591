//! The vaccine table: CVX vaccines with their groups and products, and MVX manufacturers. One ships with IRIS, made by
//! `cargo xtask vaccines`; an installation can put another of the same form in its place.

mod current;
mod find;
mod maker;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use iris_kernel::Fault;
use iris_search::fold::fold;

pub use current::CurrentVaccines;
pub use find::Found;

/// The table that ships with IRIS.
const SHIPPED: &str = include_str!("../../tables/vaccines.txt");

/// What a code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Current.
    Active,
    /// Right only for a dose that was given earlier, or whose formulation is not known.
    Inactive,
    /// Given outside the United States only.
    NonUs,
    /// Announced; may become active.
    Pending,
    /// Was reserved and never given.
    NeverActive,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Active, Self::Inactive, Self::NonUs, Self::Pending, Self::NeverActive];
    /// The words for them in tables and answers.
    pub const WORDS: &'static [&'static str] = &["active", "inactive", "non-us", "pending", "never-active"];

    /// The word for it in tables and answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::NonUs => "non-us",
            Self::Pending => "pending",
            Self::NeverActive => "never-active",
        }
    }
}

/// A vaccine of the CVX table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vaccine {
    /// CVX code.
    pub code: String,
    /// Short description.
    pub name: String,
    /// Full name.
    pub full_name: String,
    /// Whether the code is current.
    pub status: Status,
    /// Vaccine groups, such as `FLU`; a combination is in several.
    pub groups: Vec<String>,
    /// How many different packages of it are on sale: a measure of how common it is.
    pub packages: u32,
    /// What it is sold as.
    pub products: Vec<Product>,
}

/// A vaccine as one manufacturer sells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Trade name.
    pub trade_name: String,
    /// MVX code; none for old products whose manufacturer the source does not tell.
    pub mvx: Option<String>,
    /// Whether it is current.
    pub status: Status,
}

/// A manufacturer of the MVX table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manufacturer {
    /// MVX code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Whether the code is current.
    pub status: Status,
}

/// A whole table, with what is looked up in it.
#[derive(Clone, Debug)]
pub struct Vaccines {
    edition: String,
    source: String,
    vaccines: Vec<Vaccine>,
    manufacturers: Vec<Manufacturer>,
    by_code: HashMap<String, usize>,
    /// Folded names, short, full and of trade, to the vaccines they can stand for.
    names: HashMap<String, BTreeSet<usize>>,
    makers: HashMap<String, usize>,
    /// What people call the vaccines of a group.
    also: HashMap<String, String>,
    words: Vec<find::Words>,
    maker_words: Vec<find::WordSet>,
}

impl Vaccines {
    /// The table that ships with IRIS.
    ///
    /// # Errors
    /// Its faults; a test holds that it has none.
    pub fn shipped() -> Result<Self, Vec<Fault>> {
        Self::parse(SHIPPED)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// Every fault with its line, as many as a list of faults may hold.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        parse::parse(text).map(Self::indexed)
    }

    fn indexed(table: parse::Table) -> Self {
        let parse::Table { edition, source, vaccines, manufacturers, words: also } = table;
        let mut names: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for (at, vaccine) in vaccines.iter().enumerate() {
            let own = [&vaccine.name, &vaccine.full_name];
            let own = own.into_iter().filter(|_| vaccine.status != Status::NeverActive);
            for name in own.chain(vaccine.products.iter().map(|product| &product.trade_name)) {
                names.entry(fold(name).into_owned()).or_default().insert(at);
            }
        }
        let by_code = vaccines.iter().enumerate().map(|(at, vaccine)| (vaccine.code.clone(), at)).collect();
        let codes = manufacturers.iter().enumerate().map(|(at, maker)| (fold(&maker.code).into_owned(), at));
        let mut makers: HashMap<String, usize> = codes.collect();
        for (at, maker) in manufacturers.iter().enumerate() {
            makers.entry(fold(&maker.name).into_owned()).or_insert(at);
        }
        let maker_words = manufacturers.iter().map(|maker| find::WordSet::of(&[&maker.code, &maker.name])).collect();
        let mut table = Self {
            edition,
            source,
            vaccines,
            manufacturers,
            by_code,
            names,
            makers,
            also,
            words: Vec::new(),
            maker_words,
        };
        table.words = table.vaccines.iter().map(|vaccine| find::Words::of(vaccine, &table)).collect();
        table
    }

    /// Its edition: the day of its newest change, `YYYY-MM-DD`.
    #[must_use]
    pub fn edition(&self) -> &str {
        &self.edition
    }

    /// Where its facts come from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// All vaccines.
    #[must_use]
    pub fn vaccines(&self) -> &[Vaccine] {
        &self.vaccines
    }

    /// All manufacturers.
    #[must_use]
    pub fn manufacturers(&self) -> &[Manufacturer] {
        &self.manufacturers
    }

    /// The vaccine of a CVX code.
    #[must_use]
    pub fn vaccine(&self, code: &str) -> Option<&Vaccine> {
        self.vaccines.get(*self.by_code.get(code)?)
    }

    /// The manufacturer of an MVX code.
    #[must_use]
    pub fn maker(&self, mvx: &str) -> Option<&Manufacturer> {
        self.manufacturers.iter().find(|maker| maker.code == mvx)
    }

    /// The vaccine that a name, of it or of trade, stands for, if it stands for exactly one.
    #[must_use]
    pub fn vaccine_named(&self, name: &str) -> Option<&Vaccine> {
        let mut places = self.names.get(&*fold(name))?.iter();
        match (places.next(), places.next()) {
            (Some(at), None) => self.vaccines.get(*at),
            _ => None,
        }
    }
}
