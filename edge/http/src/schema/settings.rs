//! Settings that can be changed while the server runs.

use iris_plain::{Field, Form};

use super::{Object, always, answer, input, text};
use crate::settings::{CHANGES, FLAG_CHANGE};

const SETTING: &[Field] = &[
    always("name", "Its name."),
    always("value", "What counts now; on or off for a feature."),
    always("start", "What counted at the start of this node, and counts again once nothing is changed."),
    always("default", "What counts where nobody says anything."),
    always("origin", "Where the value comes from: default, environment, a place in a file, a flag, or api."),
    always("what", "What it means."),
    Field::returned("changed_at", Form::Time, "When it was changed, if it was."),
    text("changed_by", "The id of whoever changed it."),
    text("changed_by_name", "Their name at that time."),
];
const CONFIG: &[Field] = &[Field::always("settings", Form::ListOf("Setting"), "The settings, by name.")];

const FLAG: &[Field] = &[
    always("name", "Its name."),
    Field::always("enabled", Form::Boolean, "Whether the feature is on."),
    always("what", "What it means."),
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    answer("Config", CONFIG),
    answer("Setting", SETTING),
    answer("Flag", FLAG),
    input("ConfigChange", CHANGES),
    input("FlagChange", FLAG_CHANGE),
];
