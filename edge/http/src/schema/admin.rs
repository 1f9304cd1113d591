//! Accounts, keys, the state of the installation.

use iris_plain::{Field, Form};

use super::{NEXT, Object, always, answer, input, text};
use crate::admin::{NEW_USER, USER_ROLES};

const USER: &[Field] = &[
    always("id", "The user's id."),
    always("username", "The name to sign in with."),
    Field::always("roles", Form::Texts, "Roles."),
    text("patient_id", "The own record, for patients."),
    Field::always("locked", Form::Boolean, "Whether nobody can sign in with the account."),
];
const USER_MADE: &[Field] = &[
    always("id", "The user's id."),
    always("username", "The name to sign in with."),
    Field::always("roles", Form::Texts, "Roles."),
    text("patient_id", "The own record, for patients."),
    Field::always("locked", Form::Boolean, "Whether nobody can sign in with the account."),
    text("initial_password", "The password that was made; it is answered this once and stored nowhere."),
];
const USER_LIST: &[Field] = &[
    Field::always("items", Form::ListOf("User"), "The users, oldest first."),
    NEXT,
    Field::always("total", Form::Integer, "How many there are."),
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
];

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
    input("UserRoles", USER_ROLES),
    answer("User", USER),
    answer("UserMade", USER_MADE),
    answer("UserList", USER_LIST),
    answer("Keys", KEYS),
    answer("SigningKey", SIGNING_KEY),
    answer("Dashboard", DASHBOARD),
];
