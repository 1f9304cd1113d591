//! Reading an object by its field table, with every fault at once.

use std::borrow::Cow;

use iris_fhir::json::{Value, ValueKind};
use iris_kernel::Fault;
use iris_kernel::limits::FAULTS_MAX;

use crate::field::{Field, Flow, Form};
use crate::time::{FhirTime, partial_date};

/// Whether and how a field was given. On an update an absent field stays as it is and `null` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// Not there.
    #[default]
    Absent,
    /// There as `null`.
    Null,
    /// There with a value.
    Value(T),
}

impl<T> Given<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The value, if there is one.
    pub fn as_value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Whether it was given at all, be it as `null`.
    pub const fn is_given(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// With the value changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Given<U> {
        match self {
            Self::Absent => Given::Absent,
            Self::Null => Given::Null,
            Self::Value(value) => Given::Value(change(value)),
        }
    }

    /// What the field is after an update of what it was.
    pub fn over(&self, before: Option<T>) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Absent => before,
            Self::Null => None,
            Self::Value(value) => Some(value.clone()),
        }
    }
}

/// A member of the object, resolved to its field.
struct Member<'a> {
    field: &'static Field,
    /// The name under which it came, for pointers.
    name: Cow<'a, str>,
    value: Value<'a>,
}

/// An object read by a table. Faults collect in it, at most [`FAULTS_MAX`], until [`Object::finish`].
pub struct Object<'a> {
    at: String,
    members: Vec<Member<'a>>,
    faults: Vec<Fault>,
}

impl<'a> Object<'a> {
    /// Reads the members. Unknown names, several names for one field with different values, and a value that is no object
    /// are faults; reading ends with the last fault that will be told. `at` is the JSON pointer of the object, empty for the whole body.
    #[must_use]
    pub fn read(value: Value<'a>, fields: &'static [Field], at: &str) -> Self {
        let mut object = Self { at: at.to_owned(), members: Vec::new(), faults: Vec::new() };
        if value.kind() != ValueKind::Object {
            object.push(Fault::new(at, "must be an object"));
            return object;
        }
        for (name, value) in value.members() {
            // Whoever reads on only collects what nobody will be told.
            if object.faults.len() >= FAULTS_MAX {
                break;
            }
            let found = fields.iter().find(|f| f.name == name || f.aliases.contains(&&*name));
            let Some(field) = found else {
                object.fault_at(&name, "there is no such field");
                continue;
            };
            let before = object.members.iter().find(|member| member.field.name == field.name);
            match before.map(|member| (member.name.to_string(), member.value.same_as(value))) {
                None => object.members.push(Member { field, name, value }),
                Some((_, true)) => {}
                Some((other, false)) => {
                    object.fault_at(&name, format!("means the same field as {other}, which has another value"));
                }
            }
        }
        object
    }

    /// Takes what was found wrong out of the object.
    #[must_use]
    pub fn finish(self) -> Vec<Fault> {
        self.faults
    }

    /// Whether the field was given, be it as `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.field.name == name)
    }

    /// Fields that only the server sets but that were given, with what was given.
    pub fn returned(&self) -> impl Iterator<Item = (&'static str, Value<'a>)> + '_ {
        let returned = self.members.iter().filter(|member| member.field.flow == Flow::Returned);
        returned.map(|member| (member.field.name, member.value))
    }

    /// Records a fault for every needed field that is absent or `null`.
    pub fn need(&mut self, fields: &'static [Field]) {
        for field in fields.iter().filter(|field| field.flow == Flow::Needed) {
            let there = self.members.iter().any(|member| member.field.name == field.name && !member.value.is_null());
            if !there {
                self.fault(field.name, "is needed");
            }
        }
    }

    /// The JSON pointer of a field, under the name that the caller used.
    #[must_use]
    pub fn pointer(&self, name: &str) -> String {
        let used = self.members.iter().find(|member| member.field.name == name).map_or(name, |member| &member.name);
        format!("{}/{}", self.at, used.replace('~', "~0").replace('/', "~1"))
    }

    /// Records a fault of a field.
    pub fn fault(&mut self, name: &str, what: impl Into<String>) {
        self.push(Fault::new(self.pointer(name), what));
    }

    /// Takes over the faults of an object inside this one.
    pub fn absorb(&mut self, inner: Object<'_>) {
        inner.faults.into_iter().for_each(|fault| self.push(fault));
    }

    fn push(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }

    fn fault_at(&mut self, name: &str, what: impl Into<String>) {
        let at = format!("{}/{}", self.at, name.replace('~', "~0").replace('/', "~1"));
        self.push(Fault::new(at, what));
    }

    /// The value as it came.
    #[must_use]
    pub fn raw(&self, name: &str) -> Given<Value<'a>> {
        match self.members.iter().find(|member| member.field.name == name) {
            None => Given::Absent,
            Some(member) if member.value.is_null() => Given::Null,
            Some(member) => Given::Value(member.value),
        }
    }

    fn form(&self, name: &str) -> Option<Form> {
        self.members.iter().find(|member| member.field.name == name).map(|member| member.field.form)
    }

    /// Reads a field by `read`; what `read` refuses is a fault and counts as absent.
    pub fn with<T>(&mut self, name: &str, read: impl FnOnce(Value<'a>) -> Result<T, String>) -> Given<T> {
        match self.raw(name) {
            Given::Absent => Given::Absent,
            Given::Null => Given::Null,
            Given::Value(value) => match read(value) {
                Ok(value) => Given::Value(value),
                Err(what) => {
                    self.fault(name, what);
                    Given::Absent
                }
            },
        }
    }

    /// A text: neither empty nor longer than its table allows, and without control characters.
    pub fn text(&mut self, name: &str) -> Given<String> {
        let chars_max = match self.form(name) {
            Some(Form::Text(chars)) => chars,
            _ => usize::MAX,
        };
        self.with(name, |value| {
            let text = value.as_str().ok_or("must be a text")?;
            check_text(&text, chars_max)?;
            Ok(text.into_owned())
        })
    }

    /// A date, possibly without day or month.
    pub fn date(&mut self, name: &str) -> Given<String> {
        self.with(name, |value| {
            let text = value.as_str().ok_or("must be a date as text")?;
            partial_date(&text).map(|()| text.into_owned())
        })
    }

    /// A moment or a day.
    pub fn time(&mut self, name: &str) -> Given<FhirTime> {
        self.with(name, |value| FhirTime::parse(&value.as_str().ok_or("must be a time as text")?))
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &str) -> Given<bool> {
        self.with(name, |value| value.as_bool().ok_or_else(|| "must be true or false".to_owned()))
    }

    /// One of the words of its table.
    pub fn choice(&mut self, name: &str) -> Given<&'static str> {
        let words = match self.form(name) {
            Some(Form::Choice(words)) => words,
            _ => &[],
        };
        self.with(name, |value| {
            let text = value.as_str().unwrap_or_default();
            let known = words.iter().find(|word| **word == text);
            known.copied().ok_or_else(|| format!("must be one of {}", words.join(", ")))
        })
    }
}

/// The rules of FHIR's `string`, so that a fault is told at the caller's field and not deep inside a resource.
fn check_text(text: &str, chars_max: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("must not be empty; null takes a value away".to_owned());
    }
    if text.chars().count() > chars_max {
        return Err(format!("has more than {chars_max} characters"));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err("has control characters".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use iris_fhir::json::Json;

    use super::*;

    const INNER: &[Field] = &[Field::both("city", Form::Text(3), "")];
    const FIELDS: &[Field] = &[
        Field::needed("name", Form::Text(5), "").or(&["label"]),
        Field::both("born", Form::Date, ""),
        Field::both("mood", Form::Choice(&["good", "bad"]), ""),
        Field::both("home", Form::Object(INNER), ""),
        Field::returned("id", Form::Text(64), ""),
    ];

    fn faults(text: &'static str) -> Vec<String> {
        let json = Json::parse(text).unwrap();
        let mut object = Object::read(json.root(), FIELDS, "");
        object.need(FIELDS);
        let _ = (object.text("name"), object.date("born"), object.choice("mood"));
        if let Given::Value(home) = object.raw("home") {
            let mut inner = Object::read(home, INNER, &object.pointer("home"));
            let _ = inner.text("city");
            object.absorb(inner);
        }
        object.finish().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_fault_is_named_at_once_with_its_place() {
        let text = r#"{"nam/e":1,"born":"1985-02-30","mood":"so","home":{"city":"Rome","x":1}}"#;
        let expected = [
            "/nam~1e: there is no such field",
            "/name: is needed",
            "/born: is no date of the calendar",
            "/mood: must be one of good, bad",
            "/home/x: there is no such field",
            "/home/city: has more than 3 characters",
        ];
        assert_eq!(faults(text), expected);
    }

    #[test]
    fn no_more_faults_are_kept_than_are_told() {
        let object = |fields: usize| {
            let members: Vec<String> = (0..fields).map(|n| format!("\"f{n}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        let read = |fields: usize| {
            let json = Json::parse(object(fields)).unwrap();
            let mut outer = Object::read(json.root(), FIELDS, "");
            outer.need(FIELDS);
            outer.absorb(Object::read(json.root(), INNER, "/home"));
            outer.finish().len()
        };
        assert_eq!(read(40), 81);
        assert_eq!(read(FAULTS_MAX), FAULTS_MAX);
        assert_eq!(read(FAULTS_MAX + 1), FAULTS_MAX);
    }

    #[test]
    fn an_alias_is_taken_and_must_not_contradict() {
        assert_eq!(faults(r#"{"label":"x"}"#), [""; 0]);
        assert_eq!(faults(r#"{"label":"x","name":"x"}"#), [""; 0]);
        assert_eq!(
            faults(r#"{"label":"x","name":"y"}"#),
            ["/name: means the same field as label, which has another value"]
        );
        assert_eq!(faults(r#"{"label":""}"#), ["/label: must not be empty; null takes a value away"]);
        assert_eq!(
            faults(r#"["x"]"#),
            [": must be an object", "/name: is needed"].map(|f| f.trim_start_matches(": ").to_owned())
        );
    }

    #[test]
    fn absent_null_and_value_are_three_things() {
        let given: [Given<u8>; 3] = [Given::Absent, Given::Null, Given::Value(2)];
        assert_eq!(given.map(|g| g.over(Some(1))), [Some(1), None, Some(2)]);
    }
}
