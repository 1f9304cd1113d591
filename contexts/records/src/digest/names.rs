//! Names of medications that a record only refers to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use iris_fhir::json::Value;
use iris_fhir::validate::primitive::is_id;

use super::read::{concept, display, items, text};

/// Names of Medication resources by their reference, `Medication/id`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// The id of the Medication that a record refers to, if its name stands nowhere in the record itself.
    #[must_use]
    pub fn wanted(resource: Value<'_>) -> Option<String> {
        if written(resource).is_some() {
            return None;
        }
        let reference = text(resource.get("medicationReference")?, "reference")?;
        reference.strip_prefix("Medication/").filter(|id| is_id(id)).map(str::to_owned)
    }

    /// Takes the name of a Medication.
    pub fn add(&mut self, medication: Value<'_>) {
        if let (Some(id), Some(name)) = (text(medication, "id"), concept(medication, "code")) {
            self.0.insert(format!("Medication/{id}"), name);
        }
    }

    /// The name of the medication of a record.
    pub(super) fn medication(&self, resource: Value<'_>) -> Option<String> {
        let referred = || {
            let reference = text(resource.get("medicationReference")?, "reference")?;
            self.0.get(&*reference).cloned()
        };
        written(resource).or_else(referred)
    }
}

/// The name as it stands in the record: as a concept, beside the reference, or in a resource that it contains.
fn written(resource: Value<'_>) -> Option<String> {
    let contained = || {
        let reference = text(resource.get("medicationReference")?, "reference")?;
        let wanted = reference.strip_prefix('#')?;
        let inside = items(resource, "contained").find(|inside| text(*inside, "id").is_some_and(|id| id == wanted))?;
        concept(inside, "code")
    };
    concept(resource, "medicationCodeableConcept")
        .or_else(|| display(resource, "medicationReference").map(Cow::into_owned))
        .or_else(contained)
}
