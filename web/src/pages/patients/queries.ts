import { api, body } from "../../api/client";
import type { Candidate, Found, Patient } from "./types";

/** How many are shown; who is not among them is found by typing more. */
export const FOUND_MAX = 20;

/** Patients by what was typed, the best first. */
export async function findPatients(q: string, signal: AbortSignal): Promise<{ found: Found[]; isMore: boolean }> {
  const query = { q, limit: FOUND_MAX };
  const { items, more, next_cursor } = body(await api.GET("/api/v1/patients/search", { params: { query }, signal }));
  return { found: items, isMore: more === true || next_cursor != null };
}

/** Who is stored already and may be the person with these fields. */
export async function findDuplicates(fields: Record<string, unknown>): Promise<Candidate[]> {
  return body(await api.POST("/api/v1/patients/duplicates", { body: fields as never })).items;
}

/** A patient record and the tag of its version. */
export interface Version {
  patient: Patient;
  etag: string;
}

export async function readPatient(id: string, signal?: AbortSignal): Promise<Version> {
  const answer = await api.GET("/api/v1/patients/{id}", { params: { path: { id } }, ...(signal && { signal }) });
  return { patient: body(answer), etag: answer.response.headers.get("ETag") ?? "" };
}

/** Stores a new patient: once, however often it is sent with the same key. */
export async function createPatient(fields: Record<string, unknown>, key: string): Promise<Patient> {
  const header = { "Idempotency-Key": key };
  return body(await api.POST("/api/v1/patients", { params: { header }, body: fields as never }));
}

/** Changes the fields given, if the record is still at the version with this tag. */
export async function updatePatient(id: string, fields: Record<string, unknown>, etag: string): Promise<Patient> {
  const params = { path: { id }, header: { "If-Match": etag } };
  return body(await api.PUT("/api/v1/patients/{id}", { params, body: fields as never }));
}
