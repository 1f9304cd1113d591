//! What two records of patients are compared by.

use std::collections::BTreeSet;

use iris_fhir::classes::form_of;
use iris_fhir::json::Value;
use iris_search::fold::fold;
use iris_search::term::plain;
use iris_search::words::words;

use crate::patient::SSN_SYSTEM;

/// Digits of a telephone number that tell it from others, whatever its country code.
pub(super) const PHONE_DIGITS: usize = 10;
/// Fewest digits of a telephone number that tells anything.
const PHONE_DIGITS_MIN: usize = 7;
/// Most names of one record that are compared; further ones are not looked at.
const NAMES_MAX: usize = 5;

/// One name of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// The words of the given names, folded, in order.
    pub(super) given: Vec<String>,
    /// The words of the family name, folded, in order.
    pub(super) family: Vec<String>,
}

/// A person as far as it matters for telling them from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) names: Vec<Name>,
    /// `YYYY-MM-DD`, or less of it.
    pub(super) born: Option<String>,
    pub(super) gender: Option<String>,
    pub(super) ssn: Option<String>,
    /// Other identifiers as (system, letters and digits).
    pub(super) identifiers: BTreeSet<(String, String)>,
    pub(super) phones: BTreeSet<String>,
    pub(super) emails: BTreeSet<String>,
    /// Street and postal code or city, folded.
    pub(super) homes: BTreeSet<(String, String)>,
}

impl Person {
    /// Reads a FHIR Patient.
    pub(super) fn of(root: Value<'_>) -> Self {
        let mut person = Self {
            names: items(root, "name").map(name).filter(|name| *name != Name::default()).take(NAMES_MAX).collect(),
            born: text(root, "birthDate"),
            gender: text(root, "gender").filter(|gender| gender != "unknown"),
            ..Self::default()
        };
        for identifier in items(root, "identifier").filter(|identifier| !is_masked(*identifier)) {
            let value = text(identifier, "value").map(|value| plain(&value)).filter(|value| tells_something(value));
            // A value without a system is nobody's number in particular.
            match text(identifier, "system").zip(value) {
                Some((system, value)) if system == SSN_SYSTEM => person.ssn = Some(value),
                Some(number) => drop(person.identifiers.insert(number)),
                None => {}
            }
        }
        for contact in items(root, "telecom") {
            let (system, value) = (text(contact, "system"), text(contact, "value").unwrap_or_default());
            match system.as_deref() {
                Some("phone") => person.phones.extend(phone(&value)),
                Some("email") if value.contains('@') => drop(person.emails.insert(value.trim().to_lowercase())),
                _ => {}
            }
        }
        for address in items(root, "address") {
            let lines: Vec<String> = items(address, "line").filter_map(|line| line.as_str().map(Into::into)).collect();
            let street = words(&lines.join(" ")).join(" ");
            let places = ["postalCode", "city"].iter().filter_map(|part| text(address, part));
            if !street.is_empty() {
                person.homes.extend(places.map(|place| (street.clone(), fold(&place).into_owned())));
            }
        }
        person
    }
}

fn items<'a>(owner: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    owner.get(name).into_iter().flat_map(Value::items)
}

fn text(owner: Value<'_>, name: &str) -> Option<String> {
    owner.str_of(name).map(Into::into)
}

/// A name from its parts; one that is a text alone by its last word and those before it.
fn name(value: Value<'_>) -> Name {
    let given: Vec<String> =
        items(value, "given").filter_map(|part| part.as_str()).flat_map(|part| words(&part)).collect();
    let family = text(value, "family").map(|family| words(&family)).unwrap_or_default();
    if !given.is_empty() || !family.is_empty() {
        return Name { given, family };
    }
    let mut all = text(value, "text").map(|text| words(&text)).unwrap_or_default();
    let family = all.pop().into_iter().collect();
    Name { given: all, family }
}

/// Whether the value is a mask: then it is not compared, and what is said of two records does not tell what is under it.
fn is_masked(identifier: Value<'_>) -> bool {
    let value = identifier.str_of("value");
    form_of(identifier).zip(value).is_some_and(|(form, value)| form.is_mask(&value))
}

/// Whether a number is more than what fields are filled with that must not be left empty: `000-00-0000`, `9999999999`.
fn tells_something(number: &str) -> bool {
    number.chars().next().is_some_and(|first| number.chars().any(|sign| sign != first))
}

/// The last digits of a telephone number.
fn phone(value: &str) -> Option<String> {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let from = digits.len().saturating_sub(PHONE_DIGITS);
    (digits.len() >= PHONE_DIGITS_MIN && tells_something(&digits)).then(|| digits[from..].to_owned())
}
