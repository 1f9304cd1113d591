import { on } from "../../testing/server";

/** Answers of a server about one patient, for the tests of the chart. */
export const ana = {
  id: "p-1",
  first_name: "Ana",
  last_name: "Ruiz",
  date_of_birth: "1980-03-31",
  gender: "female",
  medical_record_number: "MRN-7",
  patient_status: "active",
};

const head = (type: string, id: string) => ({ id, resource: `${type}/${id}` });

export const summary = {
  patient: ana,
  counts: { alerts: 1, problems: 2, allergies: 1, medications: 1, immunizations: 1, encounters: 1 },
  alerts: [{ ...head("Flag", "f-1"), title: "Falls easily", status: "active" }],
  problems: [
    { ...head("Condition", "c-1"), condition: "Asthma", status: "active", verification: "confirmed", onset: "2001" },
    { ...head("Condition", "c-2"), condition: "Broken arm", status: "resolved", onset: "1990-05-01" },
  ],
  allergies: [
    {
      ...head("AllergyIntolerance", "a-1"),
      substance: "Penicillin",
      reaction: "Hives",
      severity: "severe",
      status: "active",
    },
  ],
  medications: [
    { ...head("MedicationRequest", "m-1"), medication_name: "Salbutamol", dosage: "2 puffs", status: "active" },
  ],
  immunizations: [
    {
      ...head("Immunization", "d-1"),
      vaccine_name: "MMR",
      vaccine_code: "03",
      status: "completed",
      administered_at: "1984-05-01",
    },
  ],
  vital_signs: [
    {
      ...head("Observation", "o-1"),
      name: "Blood pressure",
      code: "85354-9",
      components: [
        { name: "Systolic", value: 150, unit: "mm[Hg]", high: 140 },
        { name: "Diastolic", value: 80, unit: "mm[Hg]" },
      ],
      at: "2024-03-01T10:00:00Z",
    },
  ],
  lab_results: [
    { ...head("Observation", "o-2"), name: "Hemoglobin A1c", code: "4548-4", value: 5.1, unit: "%", at: "2024-03-01" },
  ],
  encounters: [
    {
      ...head("Encounter", "e-1"),
      encounter_type: "Check-up",
      class: "AMB",
      status: "finished",
      start: "2024-03-01T09:30:00Z",
    },
  ],
  truncated: [] as string[],
  withheld: [] as string[],
};

export const dose = {
  id: "d-1",
  patient_id: "p-1",
  vaccine_code: "03",
  vaccine_name: "MMR",
  administered_at: "1984-05-01",
  lot_number: "A1",
  status: "completed",
  fhir_id: "Immunization/d-1",
  created_at: "2024-01-01T00:00:00Z",
  created_by: "u-9",
  updated_at: "2024-01-01T00:00:00Z",
  updated_by: "u-9",
  version: 3,
};

/** A server that has one patient with one dose. */
export function serve(changes: object = {}) {
  on("GET /api/v1/patients/p-1/summary", () => ({ ...summary, ...changes }));
  on("GET /api/v1/patients/p-1/immunizations", () => ({ items: [dose], next_cursor: null }));
  on("GET /api/v1/immunizations/d-1", () => dose);
  on("GET /fhir/Immunization/d-1/_history", () => ({ entry: [] }));
  on("GET /api/v1/iris/manufacturers", () => ({ items: [], total: 0, edition: "2026-01-01" }));
}
