//! The searches that bring together what may be one person.

use iris_kernel::{Kind, Timestamp};
use iris_plain::{day_bounds, is_date};
use iris_search::term::{self, Mode};
use iris_search::{Criterion, DateOp, Near, Reach, date, date_slot, normalised_term, parameter, sound};

use super::compare::turned;
use super::person::{PHONE_DIGITS, Person};

/// Most words of a name that candidates are looked for by.
const WORDS_MAX: usize = 6;
/// Most criteria by identifiers, telephone numbers and addresses that candidates are looked for by.
const OWN_MAX: usize = 30;
/// Fewest letters of a word that others may sound like.
const SOUND_LETTERS_MIN: usize = 3;

/// What each search asks: all groups, of which one criterion each.
type Groups = Vec<Vec<Criterion>>;

/// The searches: by numbers and addresses, by the day of birth, by a day of birth that a slip explains and a similar name, by
/// a similar name and the year of birth (a similar name alone where no birth date is known), by the same name.
pub(super) fn groups(kind: Kind, person: &Person, now: Timestamp) -> Vec<Groups> {
    let mut rounds = vec![vec![own(kind, person)]];
    let given = words(kind, person.names.iter().map(|name| &name.given));
    let family = words(kind, person.names.iter().map(|name| &name.family));
    let any_name: Vec<Criterion> = given.iter().chain(&family).cloned().collect();
    let Some(birth) = parameter(kind, "birthdate").zip(date_slot(kind, "birthdate")) else { return rounds };
    let (birth, slot) = (birth.0.index, birth.1);
    let by_name = || [&given, &family].into_iter().filter(|words| !words.is_empty()).cloned();
    match person.born.as_deref() {
        None => rounds.push(by_name().collect()),
        Some(born) => {
            if is_date(born) {
                rounds.push(vec![vec![Criterion::Term(term::day(birth, born))]]);
                let slips = slips(born, &day_bounds(now));
                let days = slips.iter().map(|day| Criterion::Term(term::day(birth, day))).collect();
                rounds.push(vec![days, any_name]);
            }
            let year = born.get(..4).and_then(date::range).map(|(low, high)| Criterion::Date {
                slot,
                op: DateOp::Eq,
                low,
                high,
            });
            let mut round: Groups = by_name().collect();
            if !round.is_empty() {
                round.push(year.into_iter().collect());
                rounds.push(round);
            }
            // Those whose birth date is not known are found by nothing but the whole name.
            let whole = |words: &Vec<Criterion>| words.iter().filter(|word| is_whole(word)).cloned().collect();
            rounds.push([&given, &family].map(whole).to_vec());
        }
    }
    // A group of nothing finds nothing, and a search without groups everything.
    rounds.retain(|round| !round.is_empty() && round.iter().all(|group| !group.is_empty()));
    rounds
}

/// The criteria for what few people have: an identifier, a telephone number, an e-mail address.
fn own(kind: Kind, person: &Person) -> Vec<Criterion> {
    let index = |code| parameter(kind, code).map(|param| param.index);
    let Some(((identifier, phone), email)) = index("identifier").zip(index("phone")).zip(index("email")) else {
        return Vec::new();
    };
    let numbers = person.ssn.iter().chain(person.identifiers.iter().map(|(_, number)| number));
    // Both terms: an identifier that not everybody sees in full stands under the second, which is left out for those who do not.
    let numbers = numbers.map(|number| term::plain_identifier(identifier, number));
    let numbers = numbers.flat_map(|open| [term::guarded(&open), open]);
    // A whole number by its last digits, so that a country code makes no difference.
    let phones = person.phones.iter().map(|digits| match digits.len() {
        PHONE_DIGITS => term::contact_end(phone, digits),
        _ => normalised_term(phone, digits),
    });
    let emails = person.emails.iter().map(|address| normalised_term(email, address));
    numbers.chain(phones).chain(emails).take(OWN_MAX).map(Criterion::Term).collect()
}

/// The criteria for words like these.
fn words<'a>(kind: Kind, names: impl Iterator<Item = &'a Vec<String>>) -> Vec<Criterion> {
    let index = |code| parameter(kind, code).map(|param| param.index);
    let Some((name, phonetic)) = index("name").zip(index("phonetic")) else { return Vec::new() };
    let mut criteria = Vec::new();
    for word in names.flatten().take(WORDS_MAX) {
        criteria.push(Criterion::Term(term::word(name, word)));
        criteria.extend(Near::new(name, word, Reach::Whole).map(Criterion::Near));
        if let [key] = &sound::keys(word)[..]
            && word.chars().count() >= SOUND_LETTERS_MIN
        {
            criteria.push(Criterion::Term(term::sound(phonetic, key)));
        }
    }
    criteria
}

/// Whether a criterion is for the word itself, not for words like it.
fn is_whole(criterion: &Criterion) -> bool {
    matches!(criterion, Criterion::Term(term) if term.get(2) == Some(&(Mode::Word as u8)))
}

/// The days up to `today` that a slip of the pen makes of a day: day and month exchanged, one digit wrong, two neighbouring
/// digits exchanged.
fn slips(born: &str, today: &str) -> Vec<String> {
    let mut days = vec![turned(born)];
    let digits: Vec<char> = born.chars().collect();
    for at in (0..digits.len()).filter(|at| digits[*at].is_ascii_digit()) {
        let mut other = digits.clone();
        for digit in '0'..='9' {
            other[at] = digit;
            days.push(other.iter().collect());
        }
        if digits.get(at + 1).is_some_and(char::is_ascii_digit) {
            let mut exchanged = digits.clone();
            exchanged.swap(at, at + 1);
            days.push(exchanged.iter().collect());
        }
    }
    days.retain(|day| day != born && is_date(day) && **day <= *today);
    days.sort_unstable();
    days.dedup();
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_days_of_the_calendar_that_have_been() {
        let days = slips("1987-04-12", "2026-11-22");
        for day in ["1987-12-04", "1987-04-13", "1978-04-12", "1987-04-21", "1887-04-12", "1987-04-02"] {
            assert!(days.iter().any(|known| known == day), "{day}");
        }
        for day in ["1987-04-12", "2987-04-12", "1987-40-12", "1987-04-42"] {
            assert!(!days.iter().any(|known| known == day), "{day}");
        }
        assert!(days.len() < 60, "{}", days.len());
    }
}
