import { Problem } from "../api/problem";

/** Whether a mailed link is refused as such: used, too old, or never made. A fault of another field is none of these. */
export function isSpent(error: unknown): boolean {
  if (!(error instanceof Problem)) return false;
  if (error.status === 404 || error.status === 410 || error.status === 401) return true;
  return error.at("token") !== undefined;
}
