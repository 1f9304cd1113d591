//! The plain filters of immunization lists, as FHIR search parameters.

use iris_kernel::{Fault, Timestamp};
use iris_plain::{day_bounds, is_date};
use iris_search::escape;

use crate::STATUSES;

/// Every filter of `/immunizations`, with what it finds.
pub const FILTERS: [(&str, &str); 7] = [
    ("patient_id", "Immunizations of this patient."),
    ("provider_id", "Immunizations given by this practitioner."),
    ("vaccine_code", "Immunizations with this vaccine code."),
    ("date", "Immunizations given on this day, `YYYY-MM-DD` or `today`."),
    ("date_from", "Immunizations given on this day or later."),
    ("date_to", "Immunizations given on this day or earlier."),
    ("status", "completed, entered-in-error or not-done; several with commas between them."),
];

/// The FHIR search of these filters. `now` says what `today` is, in UTC.
///
/// # Errors
/// Every filter with a wrong value, by name.
pub fn parameters(filters: &[(String, String)], now: Timestamp) -> Result<Vec<(String, String)>, Vec<Fault>> {
    let mut pairs = Vec::new();
    let mut faults = Vec::new();
    for (name, value) in filters {
        match parameter(name, value, now) {
            Ok((name, value)) => pairs.push((name.to_owned(), value)),
            Err(what) => faults.push(Fault::new(name.clone(), what)),
        }
    }
    if faults.is_empty() { Ok(pairs) } else { Err(faults) }
}

fn parameter(name: &str, value: &str, now: Timestamp) -> Result<(&'static str, String), String> {
    Ok(match name {
        "patient_id" => ("patient", format!("Patient/{}", id(value)?)),
        "provider_id" => ("performer", format!("Practitioner/{}", id(value)?)),
        "vaccine_code" => ("vaccine-code", escape(value)),
        "date" => ("date", date(value, "", now)?),
        "date_from" => ("date", date(value, "ge", now)?),
        "date_to" => ("date", date(value, "le", now)?),
        "status" if value.split(',').all(|word| STATUSES.contains(&word)) => ("status", value.to_owned()),
        "status" => return Err(format!("must be one of {}", STATUSES.join(", "))),
        _ => return Err("there is no such filter".to_owned()),
    })
}

fn id(value: &str) -> Result<&str, String> {
    let good = !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if good { Ok(value) } else { Err("is no id".to_owned()) }
}

fn date(value: &str, prefix: &str, now: Timestamp) -> Result<String, String> {
    let day = if value == "today" { day_bounds(now) } else { value.to_owned() };
    if is_date(&day) { Ok(format!("{prefix}{day}")) } else { Err("must be a date, YYYY-MM-DD, or today".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_become_fhir_parameters() {
        let filters: Vec<(String, String)> = [("patient_id", "p-1"), ("date_from", "2025-01-01"), ("date", "today")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .to_vec();
        let made = parameters(&filters, Timestamp(1_795_000_000_000_000)).unwrap();
        let expected = [("patient", "Patient/p-1"), ("date", "ge2025-01-01"), ("date", "2026-11-18")];
        assert_eq!(made, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn every_listed_filter_is_known_and_wrong_values_are_named() {
        for (name, _) in FILTERS {
            let made = parameters(&[(name.to_owned(), "/".to_owned())], Timestamp(0));
            assert!(made.is_ok() == (name == "vaccine_code"), "{name}");
            assert!(made.is_ok() || !made.unwrap_err()[0].what.contains("no such filter"), "{name}");
        }
    }
}
