//! The access log.

use iris_plain::{Field, Form};

use super::{NEXT, Object, always, answer, text};

const AUDIT_ENTRY: &[Field] = &[
    always("id", "Position in the log."),
    Field::always("timestamp", Form::Time, "When."),
    always("action", "What was done, from the catalogue."),
    Field::always("outcome", Form::Choice(&["success", "denied", "failure", "error"]), "How it ended."),
    Field::always(
        "proof_state",
        Form::Choice(&["proven", "pending"]),
        "`proven`: under a signed checkpoint, so that nobody can change it unnoticed any more.",
    ),
    text("user_id", "Who did it."),
    text("user_name", "Their name."),
    text("access_purpose", "Why, as stated."),
    text("address", "Network address."),
    text("user_agent", "What the caller calls itself."),
    text("correlation_id", "Correlation id of the request."),
    text("detail", "The search, the reason of a refusal, counts."),
    Field::both("patient_ids", Form::Texts, "Patients concerned."),
    Field::both("resources", Form::Texts, "Records concerned, Type/id, with the version where one was named."),
    Field::both(
        "fields",
        Form::Texts,
        "Classes of data that were shown or changed: public, internal, PII, PHI, sensitive, sensitive (masked).",
    ),
    Field::always("content", Form::Choice(&["open", "shredded", "damaged"]), "Whether the details can be had."),
];

const AUDIT_LIST: &[Field] = &[
    Field::always("items", Form::ListOf("AuditEntry"), "The entries, newest first."),
    NEXT,
    Field::always("unreadable", Form::Integer, "Entries that cannot be read; verification locates them."),
    Field::always(
        "pending",
        Form::Integer,
        "Entries that are durable but have no place in the log yet, so that no page holds them; a number that does not fall means \
         that the log has stopped, which /health/detailed tells.",
    ),
];

const AUDIT_ACTION: &[Field] =
    &[always("action", "Name of the action, by which lists are filtered."), always("what", "What it means.")];
const AUDIT_ACTIONS: &[Field] = &[Field::always("items", Form::ListOf("AuditAction"), "Every action there is.")];

const AUDIT_CHECKPOINT: &[Field] = &[
    Field::always("size", Form::Integer, "Entries that it signs."),
    always("root", "Root of the tree over them, base64."),
    Field::or_null(
        "timestamp",
        Form::Time,
        "When the newest entry under it was made; it was signed within a second of that.",
    ),
    always("note", "The signed checkpoint (C2SP note)."),
];
const AUDIT_CHECKPOINTS: &[Field] =
    &[Field::always("items", Form::ListOf("AuditCheckpoint"), "The checkpoints, newest first."), NEXT];

const AUDIT_PROOF: &[Field] = &[
    Field::both("entry", Form::Open, "The entry as it stands in the log."),
    text("checkpoint", "The signed checkpoint (C2SP note)."),
    Field::both("path", Form::Texts, "Hashes from the leaf to the root, base64 (RFC 6962)."),
];

const AUDIT_REPORT: &[Field] = &[
    Field::both("valid", Form::Boolean, "Whether the log is whole and unchanged."),
    Field::both("size", Form::Integer, "Entries looked at."),
    text("root", "Root of the tree over them, base64."),
    Field::both("checkpoints", Form::Integer, "Checkpoints looked at."),
    Field::both("opened", Form::Integer, "Entries whose details were opened and fit."),
    Field::both(
        "earlier",
        Form::Integer,
        "Entries whose time is before that of entries ahead of them: the clock was set back.",
    ),
    Field::both("faults", Form::ListOf("AuditFault"), "Everything that is wrong."),
    Field::both("faults_more", Form::Integer, "Faults beyond those listed."),
];

const FAULT: &[Field] = &[
    text("kind", "What sort of thing is wrong."),
    Field::both("position", Form::Integer, "Log position, or the first of several."),
    Field::both("until", Form::Integer, "One past the last position."),
    text("stream", "writes or reads."),
    Field::both("ordinal", Form::Integer, "Ordinal in the stream."),
    Field::both("line", Form::Integer, "Line of an exported file."),
    text("what", "What is wrong, in words."),
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    answer("AuditEntry", AUDIT_ENTRY),
    answer("AuditList", AUDIT_LIST),
    answer("AuditAction", AUDIT_ACTION),
    answer("AuditActions", AUDIT_ACTIONS),
    answer("AuditCheckpoint", AUDIT_CHECKPOINT),
    answer("AuditCheckpoints", AUDIT_CHECKPOINTS),
    answer("AuditProof", AUDIT_PROOF),
    answer("AuditReport", AUDIT_REPORT),
    answer("AuditFault", FAULT),
];
