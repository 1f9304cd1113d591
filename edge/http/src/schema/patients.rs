//! Patients and immunizations as the contexts' own tables have them, and their lists.

use iris_immunization::IMMUNIZATION;
use iris_plain::{Field, Form, Presence};
use iris_records::patient::PATIENT;

use super::{NEXT, Object, TOTAL, answer, change, input};

const PATIENT_LIST: &[Field] = &[Field::always("items", Form::ListOf("Patient"), "The patients."), NEXT, TOTAL];

const IMMUNIZATION_LIST: &[Field] =
    &[Field::always("items", Form::ListOf("Immunization"), "The immunizations, latest first."), NEXT, TOTAL];

/// Of `/immunizations`, whose answer to `skip` has the older form.
const IMMUNIZATION_LISTS: &[Field] = &[
    Field::returned("items", Form::ListOf("Immunization"), "The immunizations, latest first."),
    Field { presence: Presence::Sometimes, ..NEXT },
    TOTAL,
    Field::returned("immunizations", Form::ListOf("Immunization"), "The immunizations, in the older form (`skip`)."),
    Field::returned("skip", Form::Integer, "Items passed over, in the older form."),
    Field::returned("limit", Form::Integer, "Most items of the page, in the older form."),
    Field::returned("has_more", Form::Boolean, "Whether more follow, in the older form."),
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    answer("Patient", PATIENT),
    input("PatientInput", PATIENT),
    change("PatientChange", PATIENT),
    answer("PatientList", PATIENT_LIST),
    answer("Immunization", IMMUNIZATION),
    input("ImmunizationInput", IMMUNIZATION),
    change("ImmunizationChange", IMMUNIZATION),
    answer("ImmunizationList", IMMUNIZATION_LIST),
    answer("ImmunizationLists", IMMUNIZATION_LISTS),
];
