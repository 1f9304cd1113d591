//! Fields as data.

use iris_fhir::json::Writer;

/// What may be in a field.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A text of at most so many characters.
    Text(usize),
    /// A date, `YYYY-MM-DD`; `YYYY` and `YYYY-MM` where the day is not known.
    Date,
    /// A moment, RFC 3339; without an offset it is UTC, and a mere date is a whole day.
    Time,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An object of its own.
    Object(&'static [Field]),
    /// A list of objects.
    Objects(&'static [Field]),
    /// A list of texts.
    Texts,
    /// A number of the unit named, a text such as `0.5 mL`, or `{value, unit}`.
    Quantity(&'static str),
    /// A code as text, or `{system, code}`.
    Code,
    /// An object whose members are not listed.
    Open,
}

/// Which way a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Taken and returned; needed to make a record.
    Needed,
    /// Taken and returned.
    Both,
    /// Returned only; on an update it may come back unchanged.
    Returned,
    /// Taken only.
    Taken,
}

/// One field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The canonical name, the only one that is ever returned.
    pub name: &'static str,
    /// Other names under which it is taken.
    pub aliases: &'static [&'static str],
    /// What may be in it.
    pub form: Form,
    /// Which way it goes.
    pub flow: Flow,
    /// What it means, in a sentence.
    pub what: &'static str,
}

impl Field {
    /// A field that is taken and returned.
    #[must_use]
    pub const fn both(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { name, aliases: &[], form, flow: Flow::Both, what }
    }

    /// A field without which no record is made.
    #[must_use]
    pub const fn needed(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { flow: Flow::Needed, ..Self::both(name, form, what) }
    }

    /// A field that only the server sets.
    #[must_use]
    pub const fn returned(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { flow: Flow::Returned, ..Self::both(name, form, what) }
    }

    /// A field that is never returned.
    #[must_use]
    pub const fn taken(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { flow: Flow::Taken, ..Self::both(name, form, what) }
    }

    /// With other names under which it is taken.
    #[must_use]
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

/// Writes the JSON Schema (2020-12, as OpenAPI 3.1 has it) of an object.
pub fn schema(fields: &[Field], w: &mut Writer) {
    w.object().member("type", "object").key("additionalProperties").bool(false).key("properties").object();
    for field in fields {
        w.key(field.name);
        form(field, w);
    }
    w.end();
    let mut needed = fields.iter().filter(|field| field.flow == Flow::Needed).peekable();
    if needed.peek().is_some() {
        w.key("required").array();
        for field in needed {
            w.string(field.name);
        }
        w.end();
    }
    w.end();
}

fn form(field: &Field, w: &mut Writer) {
    match field.form {
        Form::Object(fields) => return schema(fields, w),
        Form::Objects(fields) => {
            w.object().member("type", "array").key("items");
            schema(fields, w);
        }
        Form::Text(chars) => {
            w.object().member("type", "string").key("maxLength").integer(i64::try_from(chars).unwrap_or(i64::MAX));
        }
        Form::Date => {
            w.object().member("type", "string").member("pattern", "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$");
        }
        Form::Time => {
            w.object().member("type", "string").key("examples").array().string("2026-01-15T10:30:00Z").end();
        }
        Form::Boolean => {
            w.object().member("type", "boolean");
        }
        Form::Integer => {
            w.object().member("type", "integer");
        }
        Form::Choice(words) => {
            w.object().member("type", "string").key("enum").array();
            for word in words {
                w.string(word);
            }
            w.end();
        }
        Form::Texts => {
            w.object().member("type", "array").key("items").object().member("type", "string").end();
        }
        Form::Quantity(_) => {
            w.object().key("type").array().string("number").string("string").string("object").end();
        }
        Form::Code => {
            w.object().key("type").array().string("string").string("object").end();
        }
        Form::Open => {
            w.object().member("type", "object");
        }
    }
    w.member("description", &described(field));
    if field.flow == Flow::Returned {
        w.key("readOnly").bool(true);
    }
    if field.flow == Flow::Taken {
        w.key("writeOnly").bool(true);
    }
    w.end();
}

fn described(field: &Field) -> String {
    let mut text = field.what.to_owned();
    if let Form::Quantity(unit) = field.form {
        text.push_str(&format!(" A bare number is in {unit}; also `{{value, unit}}`."));
    }
    if !field.aliases.is_empty() {
        text.push_str(&format!(" Also taken as `{}`.", field.aliases.join("`, `")));
    }
    text
}
