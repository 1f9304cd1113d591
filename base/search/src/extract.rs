//! From a resource to what it is found by.

use iris_fhir::Resource;
use iris_fhir::definitions::{definitions, kind_of};
use iris_fhir::json::Value;
use iris_fhir::validate::primitive::is_id;
use iris_fhirpath::{Item, Node};
use iris_kernel::{Kind, Timestamp};

use super::plan::{LAST_UPDATED_SLOT, Values, plan};
use super::read::{items, local_parts};
use super::sink::{Crowded, Sink, surroundings};
use super::term::contains_term;
use super::{DateRange, SearchDocument, join_key, labels_of, term};

/// Everything that a resource is found by: the values of each served parameter, its own id, the time of the change, and
/// the compartments of patients that it is in and its security labels.
///
/// `at` is the resource's `lastUpdated`, which the server gives; what stands in the text is not looked at. It counts to the
/// millisecond, as it is shown.
#[must_use]
pub fn extract(resource: &Resource, at: Timestamp) -> SearchDocument {
    let id = resource.id().unwrap_or_default();
    extract_as(resource, &id, at)
}

/// [`extract`] for a resource that is about to be stored under `id`, whatever id its text has.
#[must_use]
pub fn extract_as(resource: &Resource, id: &str, at: Timestamp) -> SearchDocument {
    gather(resource, id, at).0
}

/// [`extract`] for a resource that is about to be stored: what would not be found by all that it has is no resource to store.
///
/// # Errors
/// [`Crowded`].
pub fn extract_whole(resource: &Resource, at: Timestamp) -> Result<SearchDocument, Crowded> {
    let id = resource.id().unwrap_or_default();
    match gather(resource, &id, at) {
        (_, Some(crowded)) => Err(crowded),
        (document, None) => Ok(document),
    }
}

fn gather(resource: &Resource, id: &str, at: Timestamp) -> (SearchDocument, Option<Crowded>) {
    let mut sink = Sink::default();
    if let (Some(plan), Some(root)) = (plan(resource.kind()), Node::resource_of(resource.kind(), resource.root())) {
        sink.collect(plan, root, id, at);
    }
    let low = at.0.div_euclid(1_000).saturating_mul(1_000);
    sink.dates.push(DateRange { slot: LAST_UPDATED_SLOT, low, high: low.saturating_add(1_000) });
    let mut patients = std::mem::take(&mut sink.patients);
    if resource.kind_name() == PATIENT && !id.is_empty() && !patients.iter().any(|known| known == id) {
        patients.push(id.to_owned());
    }
    gather_inner(resource.kind_name(), resource.root(), &mut patients);
    if !patients.is_empty() {
        sink.terms.push(term::compartments_term());
    }
    sink.terms.extend(patients.iter().map(|patient| term::compartment_term(patient)));
    sink.terms.extend(labels_of(resource).iter().map(term::label_term));
    sink.terms
        .extend(contained(resource).filter_map(|inner| kind_of(&inner.str_of("resourceType")?)).map(contains_term));
    let crowded = sink.crowded;
    let mut document = sink.finish();
    if !id.is_empty() {
        document.own = join_key(resource.kind(), id);
    }
    (document, crowded)
}

/// What a resource contains, in order (R4 references.html#contained).
pub fn contained(resource: &Resource) -> impl Iterator<Item = Value<'_>> {
    items(resource.root(), "contained")
}

/// The logical ids of the patients in whose compartment a resource is, each once, by the definitions' compartment table
/// (R4 compartmentdefinition-patient). A Patient is in its own; a Binary is in that of the patient whom its `securityContext`
/// names (R4 binary.html: a proxy "when deciding and enforcing access control rules"); a stored Bundle in those of its entries.
#[must_use]
pub fn patients_of(resource: &Resource) -> Vec<String> {
    let id = resource.id().unwrap_or_default();
    patients_of_as(resource, &id)
}

/// [`patients_of`] for a resource that is about to be stored under `id`, whatever id its text has.
#[must_use]
pub fn patients_of_as(resource: &Resource, id: &str) -> Vec<String> {
    let mut patients: Vec<String> = Vec::new();
    if resource.kind_name() == PATIENT && !id.is_empty() {
        patients.push(id.to_owned());
    }
    gather_patients(resource.kind_name(), resource.root(), &mut patients);
    patients
}

/// [`patients_of`] of what stands at `root`, without the own id of a Patient.
fn gather_patients(name: &str, root: Value<'_>, patients: &mut Vec<String>) {
    gather_inner(name, root, patients);
    let (Some(plan), Some(node)) = (kind_of(name).and_then(plan), Node::resource(root)) else { return };
    let context = surroundings(node, Timestamp(0));
    for planned in plan.params.iter().filter(|planned| planned.compartment) {
        let Values::Items(expression) = &planned.values else { continue };
        let done = expression.program.each(Item::Node(node), &context, &mut |item| {
            if let Some(reference) = item.node().and_then(Node::value) {
                add_patient(reference, patients);
            }
        });
        debug_assert!(done.is_ok(), "{}: {done:?}", planned.param.url);
    }
}

/// [`gather_patients`] of what no parameter leads to.
fn gather_inner(name: &str, root: Value<'_>, patients: &mut Vec<String>) {
    match name {
        "Binary" => root.get("securityContext").into_iter().for_each(|context| add_patient(context, patients)),
        "Bundle" => {
            for inner in items(root, "entry").filter_map(|entry| entry.get("resource")) {
                let name = inner.str_of("resourceType").unwrap_or_default();
                if let Some(id) = inner.str_of("id").filter(|id| name == PATIENT && is_id(id))
                    && !patients.iter().any(|known| *known == id)
                {
                    patients.push(id.into_owned());
                }
                gather_patients(&name, inner, patients);
            }
        }
        _ => {}
    }
}

/// Adds the patient whom a Reference names.
pub(super) fn add_patient(reference: Value<'_>, patients: &mut Vec<String>) {
    let Some(text) = reference.get("reference").and_then(Value::as_str) else { return };
    if let Some((PATIENT, id)) = local_parts(&text)
        && !patients.iter().any(|known| known == id)
    {
        patients.push(id.to_owned());
    }
}

/// Whether resources of this type can be in a patient's compartment, see [`patients_of`].
#[must_use]
pub fn may_be_of_patients(kind: Kind) -> bool {
    let name = definitions().name_of(kind);
    matches!(name, PATIENT | "Binary" | "Bundle") || !definitions().patient_compartment(kind).is_empty()
}

/// The type whose compartments there are.
const PATIENT: &str = "Patient";
