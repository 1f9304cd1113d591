import type { components } from "../../api/schema";

type Schemas = components["schemas"];

export type Patient = Schemas["Patient"];
export type Summary = Schemas["Summary"];
export type Alert = Schemas["AlertItem"];
export type Problem = Schemas["ConditionItem"];
export type Allergy = Schemas["AllergyItem"];
export type Medication = Schemas["MedicationItem"];
export type Encounter = Schemas["EncounterItem"];
export type Observation = Schemas["ObservationItem"];
export type Series = Schemas["TrendSeries"];
export type Point = Schemas["TrendPoint"];
export type TimelineItem = Schemas["TimelineItem"];
export type Dose = Schemas["Immunization"];
export type DoseInput = Schemas["ImmunizationInput"];
export type DoseChange = Schemas["ImmunizationChange"];
export type Vaccine = Schemas["Vaccine"];
