//! `PUT /api/v1/patients/{id}`

use axum::http::Method;
use iris_access::ActionKind;
use iris_fhir::json::{Value, Writer};
use iris_kernel::ErrorKind;
use iris_plain::Record;
use iris_records::patient::{edit, field_of, mrn_system};
use iris_records::{Patient, PatientInput, Purpose};

use super::IF_MATCH;
use super::change::{Editable, Edited, update};
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, path};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::PUT,
        "/api/v1/patients/{id}",
        "Change a patient record: absent fields stay, null takes a field away",
        handle,
    )
    .needs(Needs::Records(ActionKind::Update, "Patient"))
    .params(&[path("id", "The record's id."), IF_MATCH])
    .takes("PatientChange")
    .gives(&[(200, Some("Patient"))])
    .fails(&[
        ErrorKind::Invalid,
        ErrorKind::NotFound,
        ErrorKind::Gone,
        ErrorKind::LostUpdate,
        ErrorKind::MediaType,
    ])
}

/// Patients, whose own record numbers stand under this system.
struct Patients {
    system: String,
}

impl Editable for Patients {
    fn show(&self, resource: Value<'_>, record: &Record, w: &mut Writer) {
        Patient::of(resource, &self.system).show(record, w);
    }

    fn edit(&self, call: &Call, stored: Value<'_>, sent: Value<'_>, shown: Value<'_>) -> Result<Edited, Problem> {
        let read = PatientInput::read(sent, Purpose::Update { shown }, call.app.clock.now());
        let input = read.map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?;
        let after = input.over(&Patient::of(stored, &self.system));
        Ok(Edited { body: edit(stored, &after, &self.system), warnings: None })
    }

    fn field_of(pointer: &str) -> String {
        field_of(pointer)
    }
}

async fn handle(call: Call) -> Outcome {
    let system = mrn_system(call.caller()?.tenant);
    update(call, "Patient", Patients { system }).await
}
