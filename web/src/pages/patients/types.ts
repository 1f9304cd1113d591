import type { components } from "../../api/schema";

type Schemas = components["schemas"];

export type Patient = Schemas["Patient"];

/** A patient who was found, with what of the record the typed text was found in. */
export type Found = Schemas["PatientSearch"]["items"][number];

/** Somebody who may be the same person as the one being registered. */
export type Candidate = Schemas["Duplicate"];
