//! The plain filters of patient lists, as FHIR search parameters: the plain dialect has no search of its own.

use iris_kernel::Fault;
use iris_plain::partial_date;
use iris_search::{Criterion, Query, escape, normalised_term, parameter};

use crate::patient::{GENDERS, SSN_SYSTEM, STATUSES};

/// A filter of a list.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Its name.
    pub name: &'static str,
    /// What it finds.
    pub what: &'static str,
}

const fn filter(name: &'static str, what: &'static str) -> Filter {
    Filter { name, what }
}

/// Filters on contact points, named as their FHIR parameters.
const CONTACTS: [&str; 2] = ["phone", "email"];

/// Every filter of `/patients` and `/patients/search`.
pub const FILTERS: [Filter; 13] = [
    filter("name", "Beginning of any part of the name, without regard to case and accents."),
    filter("first_name", "Beginning of a given name."),
    filter("last_name", "Beginning of the family name."),
    filter("date_of_birth", "Date of birth; `YYYY` and `YYYY-MM` find the whole year or month."),
    filter("date_of_birth_from", "Born on this day or later."),
    filter("date_of_birth_to", "Born on this day or earlier."),
    filter("phone", "Telephone number, whole; only its digits count."),
    filter("email", "E-mail address, whole, without regard to case."),
    filter(
        "ssn",
        "US social security number, with or without dashes; only with the permission healthcare:identifiers.",
    ),
    filter("medical_record_number", "Medical record number."),
    filter("gender", "male, female, other or unknown."),
    filter("patient_status", "active, inactive or deceased."),
    filter("active", "true or false: whether the record is in use."),
];

/// The filters that FHIR compares to the letter and people do not: telephone numbers and e-mail addresses. They are added to
/// the query that [`parameters`] leads to, in their normal form.
pub fn narrow(query: &mut Query, filters: &[(String, String)]) {
    for (name, value) in filters.iter().filter(|(name, _)| CONTACTS.contains(&name.as_str())) {
        let found = parameter(query.kind, name).map(|param| Criterion::Term(normalised_term(param.index, value)));
        query.all.push(vec![found.unwrap_or(Criterion::Nothing)]);
        query.applied.push((name.clone(), value.clone()));
    }
}

/// The FHIR search of the filters, [`narrow`]'s apart.
///
/// # Errors
/// Every filter with a wrong value, by name.
pub fn parameters(filters: &[(String, String)]) -> Result<Vec<(String, String)>, Vec<Fault>> {
    let mut pairs = Vec::new();
    let mut faults = Vec::new();
    for (name, value) in filters {
        match translated(name, value) {
            Ok((name, _)) if CONTACTS.contains(&name) => {}
            Ok((name, value)) => pairs.push((name.to_owned(), value)),
            Err(what) => faults.push(Fault::new(name.clone(), what)),
        }
    }
    if faults.is_empty() { Ok(pairs) } else { Err(faults) }
}

fn translated(name: &str, value: &str) -> Result<(&'static str, String), String> {
    if value.is_empty() {
        return Err("must not be empty".to_owned());
    }
    let escaped = || escape(value);
    Ok(match name {
        "name" => ("name", escaped()),
        "first_name" => ("given", escaped()),
        "last_name" => ("family", escaped()),
        "phone" => ("phone", escaped()),
        "email" => ("email", escaped()),
        "medical_record_number" => ("identifier", escaped()),
        "date_of_birth" => ("birthdate", date(value, "")?),
        "date_of_birth_from" => ("birthdate", date(value, "ge")?),
        "date_of_birth_to" => ("birthdate", date(value, "le")?),
        "ssn" => ("identifier", ssn(value)?),
        "gender" => ("gender", word(value, GENDERS)?),
        "active" => ("active", word(value, &["true", "false"])?),
        "patient_status" => match word(value, STATUSES)?.as_str() {
            "deceased" => ("deceased", "true".to_owned()),
            "inactive" => ("active", "false".to_owned()),
            _ => ("active", "true".to_owned()),
        },
        _ => return Err("there is no such filter".to_owned()),
    })
}

fn date(value: &str, prefix: &str) -> Result<String, String> {
    partial_date(value).map(|()| format!("{prefix}{value}"))
}

fn word(value: &str, words: &[&str]) -> Result<String, String> {
    if words.contains(&value) { Ok(value.to_owned()) } else { Err(format!("must be one of {}", words.join(", "))) }
}

/// Either spelling: numbers are stored as they were sent.
fn ssn(value: &str) -> Result<String, String> {
    let digits: String = value.chars().filter(|c| *c != '-').collect();
    if digits.len() != 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err("is no social security number; write 123-45-6789".to_owned());
    }
    let (area, group, serial) = (&digits[..3], &digits[3..5], &digits[5..]);
    Ok(format!("{SSN_SYSTEM}|{area}-{group}-{serial},{SSN_SYSTEM}|{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str, value: &str) -> Result<Vec<(String, String)>, Vec<Fault>> {
        parameters(&[(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn filters_become_fhir_parameters() {
        let pair = |name: &str, value: &str| Ok(vec![(name.to_owned(), value.to_owned())]);
        assert_eq!(made("last_name", "O,Neil|x"), pair("family", "O\\,Neil\\|x"));
        assert_eq!(made("date_of_birth_from", "1985-05"), pair("birthdate", "ge1985-05"));
        let both = "http://hl7.org/fhir/sid/us-ssn|123-45-6789,http://hl7.org/fhir/sid/us-ssn|123456789";
        assert_eq!(made("ssn", "123456789"), pair("identifier", both));
        assert_eq!(made("ssn", "123-45-6789"), pair("identifier", both));
        assert_eq!(made("patient_status", "inactive"), pair("active", "false"));
    }

    #[test]
    fn contacts_are_found_in_any_spelling() {
        let kind = iris_fhir::definitions::kind_of("Patient").unwrap();
        let narrowed = |name: &str, value: &str| {
            let mut query = Query::everything(kind);
            narrow(&mut query, &[(name.to_owned(), value.to_owned())]);
            query.all
        };
        assert_eq!(narrowed("phone", "+1 555 010-4477"), narrowed("phone", "15550104477"));
        assert_eq!(narrowed("email", "Ada@Example.org"), narrowed("email", "ada@example.ORG"));
        assert_ne!(narrowed("phone", "1"), narrowed("phone", "2"));
        assert_eq!(made("phone", "1"), Ok(Vec::new()));
        assert!(made("phone", "").is_err());
    }

    #[test]
    fn every_wrong_filter_is_named() {
        let wrong = [("ssn", "12"), ("gender", "F"), ("colour", "red"), ("date_of_birth", "soon"), ("name", "")];
        let pairs: Vec<(String, String)> = wrong.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let faults = parameters(&pairs).unwrap_err();
        assert_eq!(
            faults.iter().map(|f| f.at.as_str()).collect::<Vec<_>>(),
            ["ssn", "gender", "colour", "date_of_birth", "name"]
        );
    }

    #[test]
    fn every_listed_filter_is_known() {
        for filter in FILTERS {
            let unknown = made(filter.name, "x").is_err_and(|faults| faults[0].what.contains("no such filter"));
            assert!(!unknown, "{}", filter.name);
        }
    }
}
