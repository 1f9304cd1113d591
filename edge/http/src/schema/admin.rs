//! Accounts, keys, the state of the installation.

use iris_plain::{Field, Form};

use super::{NEXT, Object, always, answer, change, input, text};
use crate::admin::{NEW_USER, USER_CHANGE};

const USER: &[Field] = &[
    always("id", "The user's id."),
    always("username", "The name to sign in with."),
    Field::always("roles", Form::Texts, "Roles without limit of time, of the product and of the tenant."),
    Field::always("grants", Form::ListOf("Grant"), "What was granted beside the standing roles."),
    text("patient_id", "The own record, for patients."),
    text("display_name", "How colleagues call the person."),
    text("email", "Where messages about the account go."),
    Field::returned("email_verified", Form::Boolean, "Whether somebody with this account has read a message there."),
    text("phone", "Where codes go as text messages."),
    Field::always("departments", Form::Texts, "Ids of the Organizations in which the person works."),
    text("practitioner_id", "The Practitioner who the person is."),
    Field::returned("last_login", Form::Time, "The last sign-in."),
    Field::returned("created_at", Form::Time, "When the account was made."),
    Field::always("locked", Form::Boolean, "Whether nobody can sign in with the account."),
    Field::returned("factors", Form::Texts, "Second factors that are set up: totp, passkey."),
];
const USER_MADE: &[Field] = &[
    always("id", "The user's id."),
    always("username", "The name to sign in with."),
    Field::always("roles", Form::Texts, "Roles without limit of time, of the product and of the tenant."),
    Field::always("grants", Form::ListOf("Grant"), "What was granted beside the standing roles."),
    text("patient_id", "The own record, for patients."),
    text("display_name", "How colleagues call the person."),
    text("email", "Where messages about the account go."),
    Field::returned("email_verified", Form::Boolean, "Whether somebody with this account has read a message there."),
    text("phone", "Where codes go as text messages."),
    Field::always("departments", Form::Texts, "Ids of the Organizations in which the person works."),
    text("practitioner_id", "The Practitioner who the person is."),
    Field::returned("last_login", Form::Time, "The last sign-in."),
    Field::returned("created_at", Form::Time, "When the account was made."),
    Field::always("locked", Form::Boolean, "Whether nobody can sign in with the account."),
    text("initial_password", "The password that was made; it is answered this once and stored nowhere."),
];
const USER_LIST: &[Field] = &[
    Field::always("items", Form::ListOf("User"), "The users, oldest first."),
    NEXT,
    Field::always("total", Form::Integer, "How many there are."),
];
const GRANT: &[Field] = &[
    always("id", "The grant's id."),
    text("role", "The role, if it is one."),
    text("permission", "The permission, if it is one."),
    Field::returned("valid_from", Form::Time, "From when on it counts; from the beginning where nothing is said."),
    Field::returned("valid_until", Form::Time, "Until when; for good where nothing is said."),
    always("granted_by", "Id of who granted it."),
    always("reason", "Why."),
    Field::always("counts", Form::Boolean, "Whether it counts now."),
];

const KEYS: &[Field] = &[
    Field::always(
        "root",
        Form::Object(&[Field::or_null(
            "wraps",
            Form::Integer,
            "Keys that the root wraps: one for each tenant; null for administrators of a tenant of its own.",
        )]),
        "The key above all keys, in its own file.",
    ),
    Field::always(
        "data_keys",
        Form::Object(&[
            Field::or_null(
                "total",
                Form::Integer,
                "All keys that are stored, each wrapped by another; null for administrators of a tenant of its own.",
            ),
            Field::always("of_tenant", Form::Integer, "Those of the caller's tenant, its patients' among them."),
        ]),
        "Keys that seal records. They are not dated.",
    ),
    Field::always("signing_keys", Form::ListOf("SigningKey"), "Keys that sign access tokens."),
    always("audit_key", "The public key that checks the log's checkpoints, for `iris audit verify --key`."),
];
const SIGNING_KEY: &[Field] = &[
    always("id", "Public name of the key (`kid`)."),
    always("algorithm", "Its algorithm."),
    Field::always("created_at", Form::Time, "When it was made."),
    Field::always("active", Form::Boolean, "Whether new tokens are signed with it."),
    Field::returned("retired_at", Form::Time, "When another key took its place; its tokens count until they run out."),
];
const SIGNING_KEYS: &[Field] =
    &[Field::always("signing_keys", Form::ListOf("SigningKey"), "Keys that sign access tokens, or have until now.")];

const STATES: Form = Form::Choice(&["healthy", "degraded", "unhealthy"]);
const DASHBOARD: &[Field] = &[
    Field::always(
        "health",
        Form::Object(&[
            Field::always("status", STATES, "State of the whole."),
            Field::always("components", Form::Open, "State of each part with the reason."),
        ]),
        "As /health/detailed.",
    ),
    Field::always(
        "index",
        Form::Object(&[
            Field::always("phase", Form::Choice(&["ready", "building", "failed", "closed"]), "What it is doing."),
            Field::always("applied", Form::Integer, "The last change that a search sees."),
            Field::always("committed", Form::Integer, "The last change that survives a restart without catching up."),
            Field::always("documents", Form::Integer, "Living documents on disk."),
            Field::always("segments", Form::Integer, "Segments on disk."),
            Field::always("tail", Form::Integer, "Changes held in memory only."),
        ]),
        "The search index.",
    ),
    Field::always(
        "audit",
        Form::Object(&[
            Field::always("size", Form::Integer, "Entries with a place in the log."),
            Field::always("checkpoint_size", Form::Integer, "Entries under the newest signed checkpoint."),
            Field::or_null("checkpoint_at", Form::Time, "When the newest of those was made."),
            Field::always("pending", Form::Integer, "Durable entries that have no place in the log yet."),
            Field::always("signing", Form::Choice(&["working", "stopped"]), "Whether the log makes progress."),
        ]),
        "The access log.",
    ),
    Field::always(
        "store",
        Form::Object(&[
            Field::always("head", Form::Integer, "Position of the newest change."),
            Field::always("bytes", Form::Integer, "Bytes of database and journal on disk."),
        ]),
        "The store.",
    ),
    Field::always(
        "users",
        Form::Object(&[
            Field::always("total", Form::Integer, "Accounts."),
            Field::or_null("locked", Form::Integer, "Those that are locked; null where there are more than 10,000."),
        ]),
        "Accounts of the tenant.",
    ),
    Field::always(
        "sessions",
        Form::Object(&[Field::always(
            "active",
            Form::Integer,
            "Sessions of the tenant's people in which something was asked of the node that answers in the last quarter of an hour; since its start.",
        )]),
        "Sessions.",
    ),
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    input("NewUser", NEW_USER),
    change("UserChange", USER_CHANGE),
    answer("User", USER),
    answer("UserMade", USER_MADE),
    answer("UserList", USER_LIST),
    answer("Grant", GRANT),
    answer("Keys", KEYS),
    answer("SigningKey", SIGNING_KEY),
    answer("SigningKeys", SIGNING_KEYS),
    answer("Dashboard", DASHBOARD),
];
