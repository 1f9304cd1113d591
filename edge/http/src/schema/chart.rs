//! The chart: summary, lists of clinical records, trends and the timeline.

use iris_plain::{Field, Form};
use iris_records::digest::fields::{
    ALERT, ALLERGY, CONDITION, COUNTS, ENCOUNTER, IMMUNIZATION, MEDICATION, OBSERVATION, TIMELINE, TREND_POINT,
    TREND_SERIES,
};

use super::{NEXT, Object, TOTAL, answer};

const fn items(name: &'static str, what: &'static str) -> Field {
    Field::always("items", Form::ListOf(name), what)
}

const CONDITIONS: &[Field] = &[items("ConditionItem", "The conditions, latest first."), NEXT, TOTAL];
const ALLERGIES: &[Field] = &[items("AllergyItem", "The allergies and intolerances, latest first."), NEXT, TOTAL];
const MEDICATIONS: &[Field] =
    &[items("MedicationItem", "Requested and stated medications, latest first."), NEXT, TOTAL];
const ENCOUNTERS: &[Field] = &[items("EncounterItem", "The encounters, latest first."), NEXT, TOTAL];
const OBSERVATIONS: &[Field] = &[items("ObservationItem", "The values, latest first."), NEXT, TOTAL];

const TRENDS: &[Field] = &[
    Field::always(
        "series",
        Form::ListOf("TrendSeries"),
        "One series for each code and unit; blood pressure gives one for each part.",
    ),
    Field::always("truncated", Form::Boolean, "Whether older values were left out: the newest 1,000 are looked at."),
];

const TIMELINE_LIST: &[Field] = &[
    items("TimelineItem", "What happened, latest first; what has no date comes last."),
    NEXT,
    Field::always("withheld", Form::Texts, "Kinds that the caller may not see."),
];

const SUMMARY: &[Field] = &[
    Field::always("patient", Form::Named("Patient"), "The patient."),
    Field::always(
        "counts",
        Form::Named("SummaryCounts"),
        "How many records there are of each list that the caller may see.",
    ),
    Field::returned(
        "alerts",
        Form::ListOf("AlertItem"),
        "What to know before anything is done: flags that are in force.",
    ),
    Field::returned(
        "problems",
        Form::ListOf("ConditionItem"),
        "Conditions: all that are not said to be over, then the latest of the others, 50 at most.",
    ),
    Field::returned(
        "allergies",
        Form::ListOf("AllergyItem"),
        "Allergies and intolerances: all that are not said to be over, then the latest of the others, 50 at most. An empty list \
         says that none is recorded, not that there is none.",
    ),
    Field::returned(
        "medications",
        Form::ListOf("MedicationItem"),
        "Requested and stated medications: all that are current, then the latest of the others, 50 at most of each sort.",
    ),
    Field::returned("immunizations", Form::ListOf("ImmunizationItem"), "Immunizations, latest first."),
    Field::returned("vital_signs", Form::ListOf("ObservationItem"), "The latest value of each vital sign."),
    Field::returned("lab_results", Form::ListOf("ObservationItem"), "The latest value of each laboratory test."),
    Field::returned("encounters", Form::ListOf("EncounterItem"), "The latest 10 encounters."),
    Field::always(
        "truncated",
        Form::Texts,
        "Lists that do not hold all that they are meant to hold, because there is more than a summary may show (alerts, \
         current problems, allergies and medications, immunizations, the latest value of each) or because the caller may not see \
         all kinds of records in it.",
    ),
    Field::always("withheld", Form::Texts, "Lists that the caller may not see."),
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    answer("Summary", SUMMARY),
    answer("SummaryCounts", COUNTS),
    answer("AlertItem", ALERT),
    answer("ConditionItem", CONDITION),
    answer("ConditionList", CONDITIONS),
    answer("AllergyItem", ALLERGY),
    answer("AllergyList", ALLERGIES),
    answer("MedicationItem", MEDICATION),
    answer("MedicationList", MEDICATIONS),
    answer("ImmunizationItem", IMMUNIZATION),
    answer("EncounterItem", ENCOUNTER),
    answer("EncounterList", ENCOUNTERS),
    answer("ObservationItem", OBSERVATION),
    answer("ObservationList", OBSERVATIONS),
    answer("TrendPoint", TREND_POINT),
    answer("TrendSeries", TREND_SERIES),
    answer("Trends", TRENDS),
    answer("TimelineItem", TIMELINE),
    answer("Timeline", TIMELINE_LIST),
];
