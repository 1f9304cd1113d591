//! What observations have in common.

use crate::doc::{Code, Decimal, Doc, Unit, hl7};
use crate::household::Person;
use crate::visits::Visit;

/// Kinds of observations.
pub(crate) const VITAL_SIGNS: Code = hl7!("observation-category", "vital-signs", "Vital Signs");
pub(crate) const LABORATORY: Code = hl7!("observation-category", "laboratory", "Laboratory");
pub(crate) const SOCIAL: Code = hl7!("observation-category", "social-history", "Social History");

/// A code with what people call it.
pub(crate) type Named = (Code, &'static str);

/// Begins an observation that was made during a visit; its code comes with what people call it.
pub(crate) fn begin(id: &str, category: &Code, (code, name): &Named, person: &Person, visit: &Visit) -> Doc {
    let mut doc = Doc::new("Observation", id);
    doc.text("status", "final").concepts("category", &[category]).concept_as("code", &[code], name);
    doc.reference("subject", "Patient", &person.id);
    if let Some(encounter) = &visit.encounter {
        doc.reference("encounter", "Encounter", encounter);
    }
    doc.text("effectiveDateTime", &visit.time(5));
    doc
}

/// Writes an interpretation by the range, and the range.
pub(crate) fn judged(doc: &mut Doc, value: Decimal, unit: Unit, range: (Option<i64>, Option<i64>)) {
    let verdict = match range {
        (Some(low), _) if value.units < low => hl7!("v3-ObservationInterpretation", "L", "Low"),
        (_, Some(high)) if value.units > high => hl7!("v3-ObservationInterpretation", "H", "High"),
        _ => hl7!("v3-ObservationInterpretation", "N", "Normal"),
    };
    doc.concepts("interpretation", &[&verdict]).list("referenceRange").item();
    for (name, end) in [("low", range.0), ("high", range.1)] {
        if let Some(units) = end {
            doc.quantity(name, Decimal { units, places: value.places }, unit);
        }
    }
    doc.end().end();
}
