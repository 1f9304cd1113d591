//! `PUT /api/v1/immunizations/{id}`

use std::sync::Arc;

use axum::http::Method;
use iris_access::ActionKind;
use iris_fhir::json::{Value, Writer};
use iris_immunization::{Dose, DoseInput, Purpose, Vaccines, edit, field_of};
use iris_kernel::ErrorKind;
use iris_plain::Record;

use super::IF_MATCH;
use super::change::{Editable, Edited, update};
use super::immunization_create::provider;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome, path};
use crate::problem::Problem;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::PUT,
        "/api/v1/immunizations/{id}",
        "Change an immunization: absent fields stay, null takes a field away",
        handle,
    )
    .needs(Needs::Records(ActionKind::Update, "Immunization"))
    .params(&[path("id", "The record's id."), IF_MATCH])
    .takes("ImmunizationChange")
    .gives(&[(200, Some("Immunization"))])
    .fails(&[
        ErrorKind::Invalid,
        ErrorKind::NotFound,
        ErrorKind::Gone,
        ErrorKind::LostUpdate,
        ErrorKind::MediaType,
    ])
}

/// Immunizations, with the vaccines as they are known now.
struct Doses {
    vaccines: Arc<Vaccines>,
}

impl Editable for Doses {
    fn show(&self, resource: Value<'_>, record: &Record, w: &mut Writer) {
        Dose::of(resource).show(record, w);
    }

    fn edit(&self, call: &Call, stored: Value<'_>, sent: Value<'_>, shown: Value<'_>) -> Result<Edited, Problem> {
        let read = DoseInput::read(sent, Purpose::Update { shown }, &self.vaccines, call.app.clock.now());
        let input = read.map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?;
        let (dose, warnings) = input.over(&Dose::of(stored), &self.vaccines);
        let provider = provider(call, call.caller()?.tenant, dose.provider_id.as_deref())?;
        Ok(Edited { body: edit(stored, &dose, provider, &self.vaccines), warnings: Some(warnings) })
    }

    fn field_of(pointer: &str) -> String {
        field_of(pointer)
    }
}

async fn handle(call: Call) -> Outcome {
    let vaccines = call.app.vaccines.now();
    update(call, "Immunization", Doses { vaccines }).await
}
