//! Reading an immunization object.

use iris_fhir::json::{Value, ValueKind};
use iris_kernel::{Fault, Timestamp};
use iris_plain::{FhirTime, Given, Object};

use crate::doubts::doubts;
use crate::fields::IMMUNIZATION;
use crate::vaccines::Vaccines;
use crate::{CVX, Dose, Quantity, VaccineCode};

/// How far a dose may lie in the future: as far as two clocks in different time zones can be apart.
const FUTURE_HOURS_MAX: u64 = 24;
/// Longest code or unit.
const CODE_CHARS_MAX: usize = 100;

/// For what an object is read.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// To make a record, for this patient if the path names one.
    Create {
        /// The patient of the path.
        patient: Option<&'a str>,
    },
    /// To change a record: absent fields stay, `null` takes away; the server's own must be what is shown now.
    Update {
        /// The record as the API shows it now.
        shown: Value<'a>,
    },
}

/// An immunization object as given: checked, with aliases resolved and codes looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoseInput {
    /// `patient_id`
    pub patient_id: Given<String>,
    /// `vaccine_code`
    pub vaccine_code: Given<VaccineCode>,
    /// `vaccine_name`
    pub vaccine_name: Given<String>,
    /// `administered_at`
    pub administered_at: Given<FhirTime>,
    /// `lot_number`
    pub lot_number: Given<String>,
    /// `manufacturer`
    pub manufacturer: Given<String>,
    /// `expiration_date`
    pub expiration_date: Given<String>,
    /// `site`
    pub site: Given<String>,
    /// `route`
    pub route: Given<String>,
    /// `dose_volume`
    pub dose_volume: Given<Quantity>,
    /// `provider_id`
    pub provider_id: Given<String>,
    /// `status`
    pub status: Given<&'static str>,
    /// `status_reason`
    pub status_reason: Given<String>,
    /// `notes`
    pub notes: Given<String>,
    /// `iris_reportable`
    pub iris_reportable: Given<bool>,
}

impl DoseInput {
    /// Reads and checks an immunization object; codes are looked up in `table`.
    ///
    /// # Errors
    /// Every fault, each with its JSON pointer.
    pub fn read(body: Value<'_>, purpose: Purpose<'_>, table: &Vaccines, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut object = Object::read(body, IMMUNIZATION, "");
        server_fields(&mut object, purpose);
        let mut input = Self {
            patient_id: reference_id(&mut object, "patient_id"),
            vaccine_code: object.with("vaccine_code", |value| vaccine_code(value, table)),
            vaccine_name: object.text("vaccine_name"),
            administered_at: object.time("administered_at"),
            lot_number: object.text("lot_number"),
            manufacturer: object.text("manufacturer"),
            expiration_date: object.date("expiration_date"),
            site: object.text("site"),
            route: object.text("route"),
            dose_volume: object.with("dose_volume", quantity),
            provider_id: reference_id(&mut object, "provider_id"),
            status: object.choice("status"),
            status_reason: object.text("status_reason"),
            notes: object.text("notes"),
            iris_reportable: object.boolean("iris_reportable"),
        };
        input.check(&mut object, purpose, now);
        let faults = object.finish();
        if faults.is_empty() { Ok(input) } else { Err(faults) }
    }

    fn check(&mut self, object: &mut Object<'_>, purpose: Purpose<'_>, now: Timestamp) {
        let latest = now.plus(std::time::Duration::from_secs(FUTURE_HOURS_MAX * 3_600));
        if self.administered_at.as_value().is_some_and(|at| at.after(latest)) {
            object.fault("administered_at", "lies in the future");
        }
        match purpose {
            Purpose::Create { patient } => {
                self.check_create(object, patient);
                if self.administered_at.as_value().is_none() {
                    self.administered_at = Given::Value(FhirTime::moment(now));
                }
            }
            Purpose::Update { shown } => self.check_update(object, shown),
        }
    }

    fn check_create(&mut self, object: &mut Object<'_>, patient: Option<&str>) {
        match (patient, &self.patient_id) {
            (Some(of_path), Given::Value(given)) if of_path != given => {
                object.fault("patient_id", "is not the patient of the path");
            }
            (Some(of_path), _) => self.patient_id = Given::Value(of_path.to_owned()),
            (None, Given::Value(_)) => {}
            (None, _) => {
                if !object.has("patient_id") || self.patient_id == Given::Null {
                    object.fault("patient_id", "is needed");
                }
            }
        }
        let named = [object.has("vaccine_code"), object.has("vaccine_name")].contains(&true);
        let null = !named || (self.vaccine_code == Given::Null && !object.has("vaccine_name"));
        if null {
            object.fault("vaccine_code", "is needed, or a vaccine_name");
        }
    }

    fn check_update(&self, object: &mut Object<'_>, shown: Value<'_>) {
        let given = object.raw("patient_id");
        let same = match given {
            Given::Absent => true,
            Given::Null => false,
            Given::Value(value) => shown.get("patient_id").is_some_and(|now| now.same_as(value)),
        };
        if !same {
            object.fault("patient_id", "cannot be changed; mark this one entered-in-error and record it anew");
        }
        for (name, null) in
            [("administered_at", self.administered_at == Given::Null), ("status", self.status == Given::Null)]
        {
            if null {
                object.fault(name, "cannot be taken away");
            }
        }
    }

    /// The dose after an update of what it was, and what the caller should know about it. A name without a code is coded if
    /// it stands for exactly one vaccine; otherwise nothing is guessed.
    #[must_use]
    pub fn over(&self, before: &Dose, table: &Vaccines) -> (Dose, Vec<String>) {
        let was = before.clone();
        let mut dose = Dose {
            patient_id: self.patient_id.over(was.patient_id),
            vaccine_code: self.vaccine_code.over(was.vaccine_code),
            vaccine_name: self.vaccine_name.over(was.vaccine_name),
            administered_at: self.administered_at.clone().map(|at| at.as_str().to_owned()).over(was.administered_at),
            lot_number: self.lot_number.over(was.lot_number),
            manufacturer: self.manufacturer.over(was.manufacturer),
            expiration_date: self.expiration_date.over(was.expiration_date),
            site: self.site.over(was.site),
            route: self.route.over(was.route),
            dose_volume: self.dose_volume.over(was.dose_volume),
            provider_id: self.provider_id.over(was.provider_id),
            status: self.status.clone().map(str::to_owned).over(was.status),
            status_reason: self.status_reason.over(was.status_reason),
            notes: self.notes.over(was.notes),
            iris_reportable: self.iris_reportable.over(was.iris_reportable),
        };
        let mut warnings = self.look_up(before, &mut dose, table);
        warnings.extend(doubts(self, before, &dose, table));
        (dose, warnings)
    }

    fn look_up(&self, before: &Dose, dose: &mut Dose, table: &Vaccines) -> Vec<String> {
        let mut warnings = Vec::new();
        let name_changed = dose.vaccine_name != before.vaccine_name;
        if !self.vaccine_code.is_given() && name_changed {
            let found = dose.vaccine_name.as_deref().and_then(|name| table.vaccine_named(name));
            match (found, &dose.vaccine_code) {
                (Some(vaccine), _) => {
                    dose.vaccine_code = Some(VaccineCode { system: Some(CVX.to_owned()), code: vaccine.code.clone() });
                }
                (None, None) => {
                    warnings.push("vaccine_name stands for no single CVX code; it is kept as text".to_owned());
                }
                (None, Some(code)) => {
                    warnings.push(format!(
                        "vaccine_code is still {}; vaccine_name stands for no single CVX code",
                        code.code
                    ));
                }
            }
        }
        if let Given::Value(VaccineCode { system, code }) = &self.vaccine_code {
            match system.as_deref() {
                None => warnings.push("vaccine_code is in no known table; it is kept as text".to_owned()),
                Some(CVX) if table.vaccine(code).is_none() => {
                    warnings.push("vaccine_code is not in the CVX table".to_owned());
                }
                Some(_) => {}
            }
            // The old name belonged to the old code.
            if !self.vaccine_name.is_given() && before.vaccine_code.as_ref().is_some_and(|was| was.code != *code) {
                dose.vaccine_name = table.vaccine(code).map(|vaccine| vaccine.name.clone());
            }
        }
        warnings
    }
}

/// The server's own fields: refused on a create; on an update a caller may send back what it was shown.
fn server_fields(object: &mut Object<'_>, purpose: Purpose<'_>) {
    let given: Vec<_> = object.returned().collect();
    for (name, value) in given {
        let same = match purpose {
            Purpose::Create { .. } => false,
            Purpose::Update { shown } => shown.get(name).is_none_or(|now| now.same_as(value)),
        };
        if !same {
            object.fault(name, "is set by the server");
        }
    }
}

/// The id of another record. Whether the record is there is checked where it is written.
fn reference_id(object: &mut Object<'_>, name: &str) -> Given<String> {
    object.with(name, |value| {
        let text = value.as_str().ok_or("must be an id as text")?;
        let good =
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        if good { Ok(text.into_owned()) } else { Err("is no id".to_owned()) }
    })
}

fn code_text(value: Option<Value<'_>>) -> Option<String> {
    let text = value?.as_str()?;
    // FHIR's `code`: no white space at the ends and only single spaces inside.
    let good =
        !text.is_empty() && text.chars().count() <= CODE_CHARS_MAX && text.split(' ').all(|part| !part.is_empty());
    (good && !text.chars().any(|c| c.is_control())).then(|| text.into_owned())
}

fn vaccine_code(value: Value<'_>, table: &Vaccines) -> Result<VaccineCode, String> {
    if value.kind() != ValueKind::Object {
        let code = code_text(Some(value)).ok_or("must be a code as text, or {system, code}")?;
        let system = table.vaccine(&code).map(|_| CVX.to_owned());
        return Ok(VaccineCode { system, code });
    }
    if let Some((name, _)) = value.members().find(|(name, _)| !matches!(&**name, "system" | "code")) {
        return Err(format!("has no member {name}; only system and code"));
    }
    match (code_text(value.get("system")), code_text(value.get("code"))) {
        (Some(system), Some(code)) => Ok(VaccineCode { system: Some(system), code }),
        _ => Err("needs both system and code as texts".to_owned()),
    }
}

fn quantity(value: Value<'_>) -> Result<Quantity, String> {
    const EXPECTED: &str = "must be a number of mL, a text such as \"0.5 mL\", or {value, unit}";
    match value.kind() {
        ValueKind::Number => millilitres(value.number().unwrap_or_default()),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            let text = text.trim().to_ascii_lowercase();
            millilitres(text.strip_suffix("ml").unwrap_or(&text).trim_end()).map_err(|_| EXPECTED.to_owned())
        }
        ValueKind::Object => {
            if let Some((name, _)) = value.members().find(|(name, _)| !matches!(&**name, "value" | "unit")) {
                return Err(format!("has no member {name}; only value and unit"));
            }
            let number = value.get("value").and_then(Value::number).filter(|number| is_amount(number));
            match (number, code_text(value.get("unit"))) {
                (Some(number), Some(unit)) => Ok(Quantity { value: number.to_owned(), unit }),
                _ => Err("needs a number as value and a UCUM unit as text".to_owned()),
            }
        }
        _ => Err(EXPECTED.to_owned()),
    }
}

fn millilitres(number: &str) -> Result<Quantity, String> {
    if is_amount(number) {
        Ok(Quantity { value: number.to_owned(), unit: "mL".to_owned() })
    } else {
        Err("must be a decimal number that is not negative".to_owned())
    }
}

/// A decimal as JSON spells it, not negative.
fn is_amount(number: &str) -> bool {
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits)
}
