//! Finding a patient as one types: names in any order and spelling, birth dates in common spellings, telephone numbers, record
//! numbers, e-mail addresses.
//!
//! What was typed is taken apart into words, numbers and addresses. Each has readings: what it can mean, and how good a find it
//! is to mean that. All of them must hold. The search runs in rounds from the best readings to the poorest, and stops when
//! enough is found; every candidate is then looked at once more, which gives the order of the answer and says why each is in it.

mod dates;
mod readings;
mod tokens;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use iris_kernel::{Fault, Kind, Tenant, Timestamp};
use iris_plain::day_bounds;
use iris_resources::{Judge, Measure, Refusal, Stored, Until};
use iris_search::fold::fold;
use iris_search::term::plain;
use iris_search::words::words;
use iris_search::{Criterion, Query, SearchDocument, Total, extract_as, sound};

use crate::patient::{Patient, mrn_system};
use readings::Parameters;
use tokens::{Sort, Token, tokens};

/// Longest text that is searched for, in characters.
pub const TEXT_CHARS_MAX: usize = 120;
/// Most words, numbers and addresses in it.
pub const TOKENS_MAX: usize = 8;
/// Most patients of an answer.
pub const FOUND_MAX: usize = 50;
/// How many times more candidates one round looks at than are wanted, the newest: of more that are equally good the others are
/// not looked at, and the answer says that there are more.
const CANDIDATES_FACTOR: usize = 2;

/// Finds by whole words, beginnings, dates and numbers from which on nobody is shown whose name is only nearly so or sounds alike:
/// whoever typed a name that many have did not mistype it.
pub const GOOD_ENOUGH: usize = 5;

/// How good a find is. The numbers of the variants are the rounds of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    /// The whole word, number or date.
    Exact,
    /// The beginning of a word; the less likely reading of a date.
    Beginning,
    /// A word that is nearly this one.
    Spelling,
    /// A word that sounds like this one.
    Sound,
}

impl Grade {
    const ALL: [Self; 4] = [Self::Exact, Self::Beginning, Self::Spelling, Self::Sound];
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Name,
    Birth,
    Phone,
    Email,
    Identifier,
}

/// One thing that a token can mean.
#[derive(Clone, Debug)]
struct Reading {
    criterion: Criterion,
    grade: Grade,
    what: What,
    /// The letters that were typed: a word that only sounds like them must share some, an identifier is named by its field.
    typed: String,
}

/// A text that somebody is to be found by.
#[derive(Debug)]
pub struct Find {
    kind: Kind,
    text: String,
    /// What each token can mean.
    tokens: Vec<Vec<Reading>>,
    /// The parameter that reads names.
    name: u16,
    /// The system of this house's record numbers.
    system: String,
}

/// Why a patient is in the answer, and how good a find it is: the poorest part first, then all parts together, then whether
/// the answer shows the name that was found, then the name and the date of birth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    worst: Grade,
    sum: usize,
    /// How many words were found in names that the answer does not show, such as a middle name.
    unseen: usize,
    name: String,
    born: String,
    /// What was found: `name`, `name_spelling`, `name_sound`, `date_of_birth`, `phone`, `email`, `medical_record_number`, `ssn`,
    /// `identifier`; each once, in the order of the alphabet.
    pub matched: BTreeSet<&'static str>,
}

impl Find {
    /// Reads what was typed. `kind` is that of patients, `now` tells which dates are in the future.
    ///
    /// # Errors
    /// Why nobody can be found by it.
    pub fn read(text: &str, kind: Kind, tenant: Tenant, now: Timestamp) -> Result<Self, Fault> {
        let fault = |what: String| Err(Fault::new("q", what));
        if text.chars().count() > TEXT_CHARS_MAX {
            return fault(format!("has more than {TEXT_CHARS_MAX} characters"));
        }
        let typed = tokens(text);
        if typed.len() > TOKENS_MAX {
            return fault(format!("has more than {TOKENS_MAX} words and numbers"));
        }
        if !typed.iter().any(tells_enough) {
            return fault("needs a word of at least two letters or a number of at least two digits".to_owned());
        }
        let Some(parameters) = Parameters::of(kind) else {
            return fault("finds patients only".to_owned());
        };
        let tokens = parameters.readings(&typed, &day_bounds(now));
        Ok(Self { kind, text: text.to_owned(), tokens, name: parameters.name, system: mrn_system(tenant) })
    }

    /// The searches, the one for the best finds first. `narrowed` is the search of the other filters.
    #[must_use]
    pub fn rounds(&self, narrowed: &Query) -> Vec<Query> {
        let mut base = narrowed.clone();
        base.kind = self.kind;
        base.total = Total::None;
        base.applied.insert(0, ("q".to_owned(), self.text.clone()));
        let round = |grade| {
            let groups = self.tokens.iter().map(|readings| {
                let good = readings.iter().filter(|reading| reading.grade <= grade);
                good.map(|reading| reading.criterion.clone()).collect()
            });
            Query { all: base.all.iter().cloned().chain(groups).collect(), ..base.clone() }
        };
        self.grades().map(round).collect()
    }

    /// The grades that something typed can be found by, the best first: one for each round.
    fn grades(&self) -> impl Iterator<Item = Grade> + '_ {
        let has = |grade| self.tokens.iter().flatten().any(|reading| reading.grade == grade);
        Grade::ALL.into_iter().filter(move |grade| *grade == Grade::Exact || has(*grade))
    }

    /// How much is looked at for an answer of so many.
    #[must_use]
    pub fn measure(&self, limit: usize) -> Measure {
        let rounds = self.grades().filter(|grade| *grade <= Grade::Beginning).count();
        let until = Until::Enough { rounds, items: GOOD_ENOUGH };
        Measure { wanted: limit, candidates: limit * CANDIDATES_FACTOR + 1, until }
    }

    fn matching(&self, document: &SearchDocument, patient: &Patient) -> Option<Match> {
        let mut found = Match {
            worst: Grade::Exact,
            sum: 0,
            unseen: 0,
            name: sorted_name(patient),
            born: patient.date_of_birth.clone().unwrap_or_default(),
            matched: BTreeSet::new(),
        };
        let shown = shown_words(patient);
        for readings in &self.tokens {
            let holding = readings.iter().filter(|reading| reading.holds(document, self.name));
            let best = holding.min_by_key(|reading| reading.grade)?;
            found.worst = found.worst.max(best.grade);
            found.sum += best.grade as usize;
            found.unseen += usize::from(best.what == What::Name && !best.is_seen_in(&shown));
            found.matched.insert(best.name_of(patient));
        }
        Some(found)
    }
}

impl Judge for Find {
    type Verdict = Match;

    fn judge(&self, candidate: &Stored) -> Result<Option<Match>, Refusal> {
        let resource = candidate.resource()?;
        let document = extract_as(&resource, &candidate.id, candidate.at);
        let patient = Patient::of(resource.root(), &self.system);
        Ok(self.matching(&document, &patient))
    }
}

impl Reading {
    fn holds(&self, document: &SearchDocument, name: u16) -> bool {
        let holds = document.satisfies(&self.criterion);
        if !holds || self.grade != Grade::Sound {
            return holds;
        }
        // The keys of sounds are coarse: Garcia sounds like Gross and Grace. More than half of the letters must be there.
        document.words(name).any(|word| {
            let longest = word.chars().count().max(self.typed.chars().count());
            strsim::osa_distance(word, &self.typed) * 2 < longest
        })
    }

    /// Whether a word of the names that the answer shows is what was found.
    fn is_seen_in(&self, shown: &[String]) -> bool {
        shown.iter().any(|word| match (&self.criterion, self.grade) {
            (Criterion::Near(near), _) => near.holds(word.as_bytes()),
            (_, Grade::Sound) => sound::keys(word) == sound::keys(&self.typed),
            _ => word.starts_with(&self.typed),
        })
    }

    /// What was found, as the answer says it.
    fn name_of(&self, patient: &Patient) -> &'static str {
        let is = |value: &Option<String>| value.as_deref().is_some_and(|value| plain(value) == self.typed);
        match (self.what, self.grade) {
            (What::Name, Grade::Exact | Grade::Beginning) => "name",
            (What::Name, Grade::Spelling) => "name_spelling",
            (What::Name, Grade::Sound) => "name_sound",
            (What::Birth, _) => "date_of_birth",
            (What::Phone, _) => "phone",
            (What::Email, _) => "email",
            (What::Identifier, _) if is(&patient.medical_record_number) => "medical_record_number",
            (What::Identifier, _) if is(&patient.ssn) => "ssn",
            (What::Identifier, _) => "identifier",
        }
    }
}

/// The words of the first and last name that an answer shows, and each of them written as one.
fn shown_words(patient: &Patient) -> Vec<String> {
    let parts = [&patient.first_name, &patient.last_name].into_iter().flatten().map(|part| words(part));
    parts.flat_map(|words| [vec![words.concat()], words].concat()).collect()
}

/// A name as lists are sorted by it.
fn sorted_name(patient: &Patient) -> String {
    let part = |part: &Option<String>| fold(part.as_deref().unwrap_or_default()).into_owned();
    format!("{}\u{0}{}", part(&patient.last_name), part(&patient.first_name))
}

/// Whether a piece is enough to look for somebody by. One letter is, where it is a word of a script without cases.
fn tells_enough(token: &Token) -> bool {
    match token.sort {
        Sort::Word => token.text.chars().nth(1).is_some() || token.text.chars().any(is_caseless),
        Sort::Number => token.digits().len() > 1,
        Sort::Mail => true,
    }
}

fn is_caseless(sign: char) -> bool {
    sign.is_alphabetic() && !sign.is_lowercase()
}
