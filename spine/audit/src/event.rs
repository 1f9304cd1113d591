//! What a caller says happened, and its sealed details.

use std::borrow::Cow;

use iris_kernel::{Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::{Action, Outcome};

/// Longest user agent, address, purpose or correlation id that an entry keeps, in bytes; the rest is cut and marked with `…`.
pub const WORD_BYTES_MAX: usize = 256;
/// Longest query text that an entry keeps, in bytes; the rest is cut and marked with `…`.
pub const QUERY_BYTES_MAX: usize = 4_096;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The subject's UUID; in the header only a keyed token of it is shown.
    pub id: [u8; 16],
    /// The name shown to auditors; sealed.
    pub name: String,
}

impl Actor {
    /// A named subject.
    #[must_use]
    pub fn new(id: [u8; 16], name: impl Into<String>) -> Self {
        Self { id, name: name.into() }
    }

    /// The server itself, or somebody at its console.
    #[must_use]
    pub fn system() -> Self {
        Self::new([0; 16], "system")
    }

    /// Somebody whose identity is not proven; `name` is what they called themselves.
    #[must_use]
    pub fn unknown(name: impl Into<String>) -> Self {
        Self::new([0xff; 16], name)
    }
}

/// One thing that happened, before it is sealed into an entry. Every text field may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose data it concerns.
    pub tenant: Tenant,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// When, by the server's clock.
    pub at: Timestamp,
    /// Why, as the caller declared it (for example `TREAT`).
    pub purpose: String,
    /// The caller's network address.
    pub address: String,
    /// The caller's user agent.
    pub agent: String,
    /// The request's correlation id.
    pub correlation: String,
    /// Logical ids of the patients concerned.
    pub patients: Vec<String>,
    /// Resources concerned: `Type/id`, or `Type/id/_history/version` where the version matters.
    pub resources: Vec<String>,
    /// The classes of data that were shown or changed (`PII`, `PHI`, `sensitive`, `sensitive (masked)`), or elements, where not all were.
    pub fields: Vec<String>,
    /// The search, the reason of a refusal, counts: what else a reader of the log must know.
    pub query: String,
}

impl Event {
    /// An event with its four signed facts; the rest is filled in by field.
    #[must_use]
    pub fn new(tenant: Tenant, actor: Actor, action: Action, outcome: Outcome, at: Timestamp) -> Self {
        Self {
            tenant,
            actor,
            action,
            outcome,
            at,
            purpose: String::new(),
            address: String::new(),
            agent: String::new(),
            correlation: String::new(),
            patients: Vec::new(),
            resources: Vec::new(),
            fields: Vec::new(),
            query: String::new(),
        }
    }
}

/// The sealed part of an entry, as JSON: the same words in the API, in an export and under the seal. What an event left
/// empty is left out.
pub type Details = Sealable<String, Vec<String>>;
/// The same, borrowed from the event that is to be sealed.
pub(crate) type DetailsOf<'a> = Sealable<Cow<'a, str>, &'a [String]>;

/// [`Details`], over the way in which texts and lists are held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "Text: Deserialize<'de> + Default, List: Deserialize<'de> + Default"))]
pub struct Sealable<Text: AsRef<str>, List: AsRef<[String]>> {
    /// The subject's UUID.
    pub actor: Uuid,
    /// The subject's name.
    #[serde(default, skip_serializing_if = "no_text")]
    pub name: Text,
    /// See [`Event::purpose`].
    #[serde(default, skip_serializing_if = "no_text")]
    pub purpose: Text,
    /// See [`Event::address`].
    #[serde(default, skip_serializing_if = "no_text")]
    pub address: Text,
    /// See [`Event::agent`].
    #[serde(default, skip_serializing_if = "no_text")]
    pub agent: Text,
    /// See [`Event::correlation`].
    #[serde(default, skip_serializing_if = "no_text")]
    pub correlation: Text,
    /// See [`Event::patients`].
    #[serde(default, skip_serializing_if = "no_list")]
    pub patients: List,
    /// See [`Event::resources`].
    #[serde(default, skip_serializing_if = "no_list")]
    pub resources: List,
    /// See [`Event::fields`].
    #[serde(default, skip_serializing_if = "no_list")]
    pub fields: List,
    /// See [`Event::query`].
    #[serde(default, skip_serializing_if = "no_text")]
    pub query: Text,
}

fn no_text(text: &impl AsRef<str>) -> bool {
    text.as_ref().is_empty()
}

fn no_list(list: &impl AsRef<[String]>) -> bool {
    list.as_ref().is_empty()
}

impl<'a> From<&'a Event> for DetailsOf<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            actor: Uuid::from_bytes(event.actor.id),
            name: bounded(&event.actor.name, WORD_BYTES_MAX),
            purpose: bounded(&event.purpose, WORD_BYTES_MAX),
            address: bounded(&event.address, WORD_BYTES_MAX),
            agent: bounded(&event.agent, WORD_BYTES_MAX),
            correlation: bounded(&event.correlation, WORD_BYTES_MAX),
            patients: &event.patients,
            resources: &event.resources,
            fields: &event.fields,
            query: bounded(&event.query, QUERY_BYTES_MAX),
        }
    }
}

/// Cuts caller-chosen text at a limit, so that nobody can swell the log; the mark shows that it was cut.
fn bounded(text: &str, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return Cow::Borrowed(text);
    }
    let mut end = bytes_max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_at_a_character_and_marked() {
        assert_eq!(bounded("abc", 3), "abc");
        assert_eq!(bounded("abcd", 3), "abc…");
        assert_eq!(bounded("aäd", 2), "a…");
    }

    #[test]
    fn details_leave_out_what_is_empty() {
        let mut event = Event::new(Tenant::DEFAULT, Actor::system(), Action::PhiRead, Outcome::Success, Timestamp(0));
        event.resources.push("Patient/1".to_owned());
        let text = serde_json::to_string(&DetailsOf::from(&event)).unwrap();
        let expected = r#"{"actor":"00000000-0000-0000-0000-000000000000","name":"system","resources":["Patient/1"]}"#;
        assert_eq!(text, expected);
        let read: Details = serde_json::from_str(&text).unwrap();
        assert_eq!((read.name.as_str(), read.resources, read.query.as_str()), ("system", event.resources, ""));
    }
}
