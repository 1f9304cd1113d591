//! What was taken but may not be what was meant. Nothing here keeps a dose from being recorded: it was given, whatever the table
//! says. Each text begins with the field it is about.

use crate::vaccines::{Status, Vaccine, Vaccines};
use crate::{CVX, Dose, DoseInput};

/// Every doubt about what this input touches; what stands in the record already is not doubted again.
pub(crate) fn doubts(input: &DoseInput, before: &Dose, dose: &Dose, table: &Vaccines) -> Vec<String> {
    let coded = input.vaccine_code.is_given() || dose.vaccine_code != before.vaccine_code;
    let vaccine = vaccine_of(dose, table);
    let mut doubts = Vec::new();
    if coded {
        doubts.extend(vaccine.and_then(of_status));
    }
    if input.vaccine_code.is_given() || input.vaccine_name.is_given() {
        doubts.extend(of_name(dose, vaccine, table));
    }
    if input.manufacturer.is_given() || coded {
        doubts.extend(of_maker(dose, vaccine, table));
    }
    if input.expiration_date.is_given() || input.administered_at.is_given() {
        doubts.extend(of_expiry(dose));
    }
    doubts
}

fn vaccine_of<'a>(dose: &Dose, table: &'a Vaccines) -> Option<&'a Vaccine> {
    let code = dose.vaccine_code.as_ref().filter(|code| code.system.as_deref() == Some(CVX))?;
    table.vaccine(&code.code)
}

fn of_status(vaccine: &Vaccine) -> Option<String> {
    let what = match vaccine.status {
        Status::Active => return None,
        Status::Inactive => "is inactive: right only for a dose given earlier or of an unknown formulation",
        Status::NonUs => "is of a vaccine that is not given in the United States",
        Status::Pending => "is pending: not yet in use",
        Status::NeverActive => "was never in use",
    };
    Some(format!("vaccine_code {} {what}", vaccine.code))
}

/// A name that stands for another vaccine than the code.
fn of_name(dose: &Dose, vaccine: Option<&Vaccine>, table: &Vaccines) -> Option<String> {
    let named = table.vaccine_named(dose.vaccine_name.as_deref()?)?;
    let coded = vaccine.filter(|coded| coded.code != named.code)?;
    Some(format!("vaccine_name stands for CVX {}, but vaccine_code is {}", named.code, coded.code))
}

fn of_maker(dose: &Dose, vaccine: Option<&Vaccine>, table: &Vaccines) -> Option<String> {
    let Some(maker) = table.manufacturer(dose.manufacturer.as_deref()?) else {
        return Some("manufacturer stands for no single MVX code; it is kept as text".to_owned());
    };
    let vaccine = vaccine.filter(|vaccine| table.is_made_by_others(vaccine, maker))?;
    Some(format!("manufacturer {} is not known to make CVX {}", maker.code, vaccine.code))
}

/// A lot that had expired when it was given. A date without a day or month expires at its end.
fn of_expiry(dose: &Dose) -> Option<String> {
    if dose.status.as_deref().is_some_and(|status| status != "completed") {
        return None;
    }
    let (given, expires) = (dose.administered_at.as_deref()?, dose.expiration_date.as_deref()?);
    let length = given.find('T').unwrap_or(given.len()).min(expires.len());
    let (given, expires) = (given.get(..length)?, expires.get(..length)?);
    (given > expires).then(|| "expiration_date lies before administered_at: the lot had expired".to_owned())
}
