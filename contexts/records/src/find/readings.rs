//! What each piece of a typed text can mean.

use iris_kernel::Kind;
use iris_search::words::beginning;
use iris_search::{Criterion, DateOp, Near, Reach, date, date_slot, normalised_term, parameter, sound, term};

use super::dates::{is_year, readings as days};
use super::tokens::{Sort, Token, runs};
use super::{Grade, Reading, What};

/// Most neighbouring words that are also looked for written as one (`de la cruz`: `delacruz`).
const WORDS_JOINED_MAX: usize = 3;
/// Most neighbouring numbers that may be one telephone or record number (`+1 555 010 4477`).
const NUMBERS_JOINED_MAX: usize = 4;
/// Fewest letters of a word that others may sound like: of two letters too much is left open.
const SOUND_LETTERS_MIN: usize = 3;
/// Letters from which on a misspelt beginning is enough; of a shorter one too little is left.
const BEGINNING_LETTERS_MIN: usize = 6;
/// Digits of a telephone number with the country code of North America, and the code.
const NORTH_AMERICA: (usize, char) = (11, '1');

/// The search parameters that patients are found by, by their indexes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    pub(super) name: u16,
    phonetic: u16,
    phone: u16,
    email: u16,
    identifier: u16,
    birth: u16,
    birth_slot: u8,
}

impl Parameters {
    /// `None` for a kind that is not found by all of them.
    pub(super) fn of(kind: Kind) -> Option<Self> {
        let index = |code| parameter(kind, code).map(|param| param.index);
        Some(Self {
            name: index("name")?,
            phonetic: index("phonetic")?,
            phone: index("phone")?,
            email: index("email")?,
            identifier: index("identifier")?,
            birth: index("birthdate")?,
            birth_slot: date_slot(kind, "birthdate")?,
        })
    }

    /// The readings of each token, those as part of a run of neighbours included.
    pub(super) fn readings(&self, typed: &[Token], today: &str) -> Vec<Vec<Reading>> {
        let mut all: Vec<Vec<Reading>> = typed.iter().map(|token| self.alone(token, typed.len(), today)).collect();
        let joined =
            |range: &std::ops::Range<usize>| typed[range.clone()].iter().map(|token| token.text.as_str()).collect();
        for range in runs(typed, Sort::Word, WORDS_JOINED_MAX) {
            let word: String = joined(&range);
            all[range].iter_mut().for_each(|readings| readings.extend(self.written_so(&word)));
        }
        for range in runs(typed, Sort::Number, NUMBERS_JOINED_MAX) {
            let digits: String = typed[range.clone()].iter().map(Token::digits).collect();
            all[range].iter_mut().for_each(|readings| readings.extend(self.number(&digits)));
        }
        all
    }

    fn alone(&self, token: &Token, count: usize, today: &str) -> Vec<Reading> {
        let mut readings = match token.sort {
            Sort::Word => self.word(&token.text),
            Sort::Mail => {
                let whole = Criterion::Term(normalised_term(self.email, &token.text));
                vec![reading(whole, Grade::Exact, What::Email, &token.text)]
            }
            Sort::Number => {
                let mut readings = self.dates(&token.text, today);
                // A year alone is the birth year of one in a hundred: it only narrows.
                if count > 1 && is_year(&token.text, today) {
                    readings.extend(self.year(&token.text));
                }
                readings.extend(self.number(&token.digits()));
                readings
            }
        };
        readings.extend(token.identifier.iter().flat_map(|plain| self.identifier(plain)));
        readings
    }

    fn word(&self, word: &str) -> Vec<Reading> {
        let letters = word.chars().count();
        let reach = if letters < BEGINNING_LETTERS_MIN { Reach::Whole } else { Reach::Beginning };
        let mut readings = self.written_so(word);
        let near = Near::new(self.name, word, reach).map(Criterion::Near);
        readings.extend(near.map(|near| reading(near, Grade::Spelling, What::Name, word)));
        if let [key] = &sound::keys(word)[..]
            && letters >= SOUND_LETTERS_MIN
        {
            let alike = Criterion::Term(term::sound(self.phonetic, key));
            readings.push(reading(alike, Grade::Sound, What::Name, word));
        }
        readings
    }

    fn written_so(&self, word: &str) -> Vec<Reading> {
        let whole = Criterion::Term(term::word(self.name, word));
        vec![
            reading(whole, Grade::Exact, What::Name, word),
            reading(beginning(self.name, word), Grade::Beginning, What::Name, word),
        ]
    }

    fn dates(&self, text: &str, today: &str) -> Vec<Reading> {
        let grades = std::iter::once(Grade::Exact).chain(std::iter::repeat(Grade::Beginning));
        let days = days(text, today);
        let born = days.iter().zip(grades);
        born.map(|(day, grade)| reading(Criterion::Term(term::day(self.birth, day)), grade, What::Birth, day)).collect()
    }

    fn year(&self, year: &str) -> Option<Reading> {
        let (low, high) = date::range(year)?;
        let born = Criterion::Date { slot: self.birth_slot, op: DateOp::Eq, low, high };
        Some(reading(born, Grade::Exact, What::Birth, year))
    }

    /// A telephone number, whole or by its last digits, or a record number, whole.
    fn number(&self, digits: &str) -> Vec<Reading> {
        let phone = |term| reading(Criterion::Term(term), Grade::Exact, What::Phone, digits);
        let mut readings = vec![phone(normalised_term(self.phone, digits))];
        readings.extend(self.identifier(digits));
        if term::CONTACT_ENDS.contains(&digits.len()) {
            readings.push(phone(term::contact_end(self.phone, digits)));
        }
        if let Some(national) = digits.strip_prefix(NORTH_AMERICA.1).filter(|_| digits.len() == NORTH_AMERICA.0) {
            readings.push(phone(term::contact_end(self.phone, national)));
        }
        readings
    }

    /// Also one that not everybody sees: `iris-resources` leaves that out for those who do not.
    fn identifier(&self, plain: &str) -> [Reading; 2] {
        let open = term::plain_identifier(self.identifier, plain);
        let guarded = term::guarded(&open);
        [open, guarded].map(|term| reading(Criterion::Term(term), Grade::Exact, What::Identifier, plain))
    }
}

fn reading(criterion: Criterion, grade: Grade, what: What, typed: &str) -> Reading {
    Reading { criterion, grade, what, typed: typed.to_owned() }
}
