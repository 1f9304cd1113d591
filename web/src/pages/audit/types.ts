import type { components } from "../../api/schema";

type Schemas = components["schemas"];

/** One entry of the access log, as the API shows it. */
export type Entry = Schemas["AuditEntry"];
/** What a check of the whole log found. */
export type Report = Schemas["AuditReport"];
/** One fault of the log, and where it is: positions count from 0, `until` is one past the last. */
export type Fault = Schemas["AuditFault"];
