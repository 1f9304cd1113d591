//! What the plain dialect sees of a FHIR Immunization.

use iris_fhir::json::Writer;
use iris_plain::{Record, shown};

use crate::CVX;

/// A vaccine code as the plain dialect writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaccineCode {
    /// Its system; none for a code that is in no known table.
    pub system: Option<String>,
    /// The code.
    pub code: String,
}

/// An amount with its exact decimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The number as it is spelt.
    pub value: String,
    /// UCUM unit.
    pub unit: String,
}

/// One immunization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dose {
    /// `patient_id`
    pub patient_id: Option<String>,
    /// `vaccine_code`
    pub vaccine_code: Option<VaccineCode>,
    /// `vaccine_name`
    pub vaccine_name: Option<String>,
    /// `administered_at`, as FHIR has it.
    pub administered_at: Option<String>,
    /// `lot_number`
    pub lot_number: Option<String>,
    /// `manufacturer`
    pub manufacturer: Option<String>,
    /// `expiration_date`
    pub expiration_date: Option<String>,
    /// `site`
    pub site: Option<String>,
    /// `route`
    pub route: Option<String>,
    /// `dose_volume`
    pub dose_volume: Option<Quantity>,
    /// `provider_id`
    pub provider_id: Option<String>,
    /// `status`
    pub status: Option<String>,
    /// `status_reason`
    pub status_reason: Option<String>,
    /// `notes`
    pub notes: Option<String>,
    /// `iris_reportable`
    pub iris_reportable: Option<bool>,
}

fn optional(w: &mut Writer, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        w.member(name, value);
    }
}

impl Dose {
    /// Writes the immunization object. The caller closes it, after adding what stands beside it.
    pub fn show(&self, record: &Record, w: &mut Writer) {
        w.object().member("id", &record.id);
        optional(w, "patient_id", self.patient_id.as_ref());
        match &self.vaccine_code {
            Some(VaccineCode { system: Some(system), code }) if system != CVX => {
                w.key("vaccine_code").object().member("system", system).member("code", code).end();
            }
            Some(VaccineCode { code, .. }) => {
                w.member("vaccine_code", code);
            }
            None => {}
        }
        optional(w, "vaccine_name", self.vaccine_name.as_ref());
        optional(w, "administered_at", self.administered_at.as_deref().map(shown).as_ref());
        optional(w, "lot_number", self.lot_number.as_ref());
        optional(w, "manufacturer", self.manufacturer.as_ref());
        optional(w, "expiration_date", self.expiration_date.as_ref());
        optional(w, "site", self.site.as_ref());
        optional(w, "route", self.route.as_ref());
        match &self.dose_volume {
            Some(dose) if dose.unit == "mL" => {
                w.key("dose_volume").raw(dose.value.as_bytes());
            }
            Some(dose) => {
                w.key("dose_volume").object().key("value").raw(dose.value.as_bytes()).member("unit", &dose.unit).end();
            }
            None => {}
        }
        optional(w, "provider_id", self.provider_id.as_ref());
        optional(w, "status", self.status.as_ref());
        optional(w, "status_reason", self.status_reason.as_ref());
        optional(w, "notes", self.notes.as_ref());
        if let Some(reportable) = self.iris_reportable {
            w.key("iris_reportable").bool(reportable);
        }
        w.member("fhir_id", &format!("Immunization/{}", record.id));
        record.show(w);
    }
}
