import type { components } from "../../api/schema";

export type Patient = components["schemas"]["Patient"];

/** What of a patient the typed text was found in. */
export type Matched =
  | "name"
  | "name_spelling"
  | "name_sound"
  | "date_of_birth"
  | "phone"
  | "email"
  | "medical_record_number"
  | "ssn"
  | "identifier";

/** A patient who was found. */
export interface Found extends Patient {
  matched: Matched[];
}

/** Somebody who may be the same person as the one being registered. */
export interface Candidate {
  patient: Patient;
  /** 0 to 100. */
  score: number;
  certainty: "certain" | "probable" | "possible";
  reasons: string[];
}
