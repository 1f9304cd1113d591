//! Field tables as JSON Schema (2020-12, as OpenAPI 3.1 has it).

use iris_fhir::json::Writer;

use crate::field::{Field, Flow, Form, Presence};

/// From which side an object is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// As the server answers it.
    Answer,
    /// As a caller sends it to make a record.
    Create,
    /// As a caller sends it to change a record: absent fields stay, `null` takes a field away.
    Change,
}

impl View {
    /// Whether a field is told from this side. What only the server sets may come back unchanged on a change, but is not asked for.
    #[must_use]
    pub fn shows(self, field: &Field) -> bool {
        match self {
            Self::Answer => field.flow != Flow::Taken,
            Self::Create | Self::Change => field.flow != Flow::Returned,
        }
    }

    fn requires(self, field: &Field) -> bool {
        match self {
            Self::Answer => matches!(field.presence, Presence::Always | Presence::OrNull),
            Self::Create => field.flow == Flow::Needed,
            Self::Change => false,
        }
    }

    fn nullable(self, field: &Field) -> bool {
        match self {
            Self::Answer => matches!(field.presence, Presence::OrNull | Presence::SometimesOrNull),
            Self::Create => false,
            Self::Change => true,
        }
    }
}

/// Writes the schema of an object as it is told from one side.
pub fn schema(fields: &[Field], view: View, w: &mut Writer) {
    w.object().member("type", "object");
    members(fields, view, w);
    w.end();
}

fn members(fields: &[Field], view: View, w: &mut Writer) {
    w.key("additionalProperties").bool(false).key("properties").object();
    for field in fields.iter().filter(|field| view.shows(field)) {
        w.key(field.name).object();
        form(field.form, view, view.nullable(field), w);
        w.member("description", &described(field)).end();
    }
    w.end();
    let mut required = fields.iter().filter(|field| view.shows(field) && view.requires(field)).peekable();
    if required.peek().is_some() {
        w.key("required").array();
        for field in required {
            w.string(field.name);
        }
        w.end();
    }
}

fn types(names: &[&str], nullable: bool, w: &mut Writer) {
    match names {
        [name] if !nullable => {
            w.member("type", name);
        }
        names => {
            w.key("type").array();
            for name in names {
                w.string(name);
            }
            if nullable {
                w.string("null");
            }
            w.end();
        }
    }
}

fn reference(name: &str, w: &mut Writer) {
    w.object().member("$ref", &format!("#/components/schemas/{name}")).end();
}

/// Writes what may be in a field as members of the open object.
pub fn form(form: Form, view: View, nullable: bool, w: &mut Writer) {
    match form {
        Form::Object(fields) => {
            types(&["object"], nullable, w);
            members(fields, view, w);
        }
        Form::Objects(fields) => {
            types(&["array"], nullable, w);
            w.key("items");
            schema(fields, view, w);
        }
        Form::Named(name) if nullable => {
            w.key("anyOf").array();
            reference(name, w);
            w.object().member("type", "null").end().end();
        }
        Form::Named(name) => {
            w.member("$ref", &format!("#/components/schemas/{name}"));
        }
        Form::ListOf(name) => {
            types(&["array"], nullable, w);
            w.key("items");
            reference(name, w);
        }
        Form::Choice(words) => choice(words, nullable, w),
        Form::Texts => {
            types(&["array"], nullable, w);
            w.key("items").object().member("type", "string").end();
        }
        Form::Text(chars) => {
            types(&["string"], nullable, w);
            w.key("maxLength").integer(i64::try_from(chars).unwrap_or(i64::MAX));
        }
        Form::Date => {
            types(&["string"], nullable, w);
            w.member("pattern", "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$");
        }
        Form::Time => {
            types(&["string"], nullable, w);
            w.key("examples").array().string("2026-01-15T10:30:00Z").end();
        }
        Form::Boolean => types(&["boolean"], nullable, w),
        Form::Integer => types(&["integer"], nullable, w),
        Form::Decimal => types(&["number"], nullable, w),
        Form::Observed => types(&["number", "string"], nullable, w),
        Form::Quantity(_) => {
            let texts: &[&str] = if view == View::Answer { &["number"] } else { &["number", "string"] };
            either(texts, &[("value", "number"), ("unit", "string")], nullable, w);
        }
        Form::Code => either(&["string"], &[("system", "string"), ("code", "string")], nullable, w),
        Form::Open => types(&["object"], nullable, w),
    }
}

/// One of these plain types, or an object with all of these members.
fn either(plain: &[&str], parts: &[(&str, &str)], nullable: bool, w: &mut Writer) {
    w.key("anyOf").array();
    for name in plain.iter().copied().chain(nullable.then_some("null")) {
        w.object().member("type", name).end();
    }
    w.object().member("type", "object").key("additionalProperties").bool(false).key("properties").object();
    for (name, of) in parts {
        w.key(name).object().member("type", of).end();
    }
    w.end().key("required").array();
    for (name, _) in parts {
        w.string(name);
    }
    w.end().end().end();
}

fn choice(words: &[&str], nullable: bool, w: &mut Writer) {
    types(&["string"], nullable, w);
    w.key("enum").array();
    for word in words {
        w.string(word);
    }
    if nullable {
        w.null();
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

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        Field::always("id", Form::Text(64), "Id."),
        Field::needed("name", Form::Text(5), "Name.").or(&["label"]),
        Field::both("mood", Form::Choice(&["good"]), "Mood."),
        Field::taken("secret", Form::Text(9), "Secret."),
        Field::or_null("next", Form::Named("Thing"), "Next."),
    ];

    fn told(view: View) -> String {
        let mut w = Writer::new();
        schema(FIELDS, view, &mut w);
        String::from_utf8(w.finish()).unwrap()
    }

    #[test]
    fn an_answer_lists_what_is_always_there() {
        let expected = r##"{"type":"object","additionalProperties":false,"properties":{"id":{"type":"string","maxLength":64,"description":"Id."},"name":{"type":"string","maxLength":5,"description":"Name. Also taken as `label`."},"mood":{"type":"string","enum":["good"],"description":"Mood."},"next":{"anyOf":[{"$ref":"#/components/schemas/Thing"},{"type":"null"}],"description":"Next."}},"required":["id","next"]}"##;
        assert_eq!(told(View::Answer), expected);
    }

    #[test]
    fn a_new_record_needs_what_it_needs_and_a_change_nothing() {
        assert!(told(View::Create).ends_with(r#""required":["name"]}"#));
        let change = told(View::Change);
        assert!(change.contains(r#""mood":{"type":["string","null"],"enum":["good",null]"#), "{change}");
        assert!(!change.contains("required") && !change.contains(r#""id""#) && change.contains("secret"), "{change}");
    }
}
