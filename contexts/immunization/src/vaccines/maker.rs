//! Which manufacturer a text means, and whether it makes a vaccine.

use iris_search::fold::fold;

use super::{Manufacturer, Vaccine, Vaccines};

/// Words of company names that tell no company from another.
const FILLERS: [&str; 10] =
    ["and", "co", "company", "corp", "corporation", "inc", "incorporated", "limited", "llc", "ltd"];
/// MVX codes that say that the manufacturer is not known or stands in no table.
const NOBODY: [&str; 2] = ["UNK", "OTH"];

impl Vaccines {
    /// The manufacturer of an MVX code, of a name as MVX writes it, or of the first words of exactly one name: `Merck`, `Pfizer`.
    #[must_use]
    pub fn manufacturer(&self, text: &str) -> Option<&Manufacturer> {
        if let Some(at) = self.makers.get(&*fold(text)) {
            return self.manufacturers.get(*at);
        }
        let given = telling_words(text);
        if given.is_empty() {
            return None;
        }
        let mut fitting = self.manufacturers.iter().filter(|maker| telling_words(&maker.name).starts_with(&given));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// Whether a manufacturer is known not to make a vaccine: the vaccine has products with a known manufacturer, and none is this
    /// one's. A partnership or a daughter that names this one counts as this one.
    #[must_use]
    pub fn is_made_by_others(&self, vaccine: &Vaccine, maker: &Manufacturer) -> bool {
        let wanted = telling_words(&maker.name);
        let mut makers = vaccine.products.iter().filter_map(|product| product.mvx.as_deref()).peekable();
        if makers.peek().is_none() || NOBODY.contains(&maker.code.as_str()) {
            return false;
        }
        !makers.any(|code| {
            let words = self.maker(code).map(|other| telling_words(&other.name)).unwrap_or_default();
            code == maker.code || words.windows(wanted.len().max(1)).any(|part| part == wanted)
        })
    }
}

/// The folded words of a company's name without those that tell nothing.
fn telling_words(name: &str) -> Vec<String> {
    let folded = fold(name);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.filter(|word| !FILLERS.contains(word)).map(str::to_owned).collect()
}
