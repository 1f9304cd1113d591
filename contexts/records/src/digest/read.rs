//! Reading what many resources have in common: concepts, statuses, times.

use std::borrow::Cow;

use iris_fhir::json::{Value, Writer};
use iris_plain::shown;

pub(super) fn text<'a>(value: Value<'a>, name: &str) -> Option<Cow<'a, str>> {
    value.str_of(name)
}

pub(super) fn items<'a>(value: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    value.get(name).into_iter().flat_map(Value::items)
}

/// A CodeableConcept as a text: what was written, else the first display, else the first code.
pub(super) fn concept(owner: Value<'_>, name: &str) -> Option<String> {
    concept_text(owner.get(name)?)
}

pub(super) fn concept_text(concept: Value<'_>) -> Option<String> {
    let of_coding = |part: &'static str| items(concept, "coding").find_map(move |coding| text(coding, part));
    text(concept, "text").or_else(|| of_coding("display")).or_else(|| of_coding("code")).map(Cow::into_owned)
}

/// The first of a list of CodeableConcepts as a text.
pub(super) fn first_concept(owner: Value<'_>, name: &str) -> Option<String> {
    items(owner, name).find_map(concept_text)
}

/// The first coding of a concept that has a code.
pub(super) fn coding<'a>(owner: Value<'a>, name: &str) -> Option<Value<'a>> {
    items(owner.get(name)?, "coding").find(|coding| coding.get("code").is_some())
}

/// The code of a status concept: `active`, `confirmed` …
pub(super) fn status_code<'a>(owner: Value<'a>, name: &str) -> Option<Cow<'a, str>> {
    items(owner.get(name)?, "coding").find_map(|coding| text(coding, "code"))
}

/// Whether a record says of itself that it should not exist.
pub(super) fn is_void(resource: Value<'_>) -> bool {
    const VOID: &str = "entered-in-error";
    text(resource, "status").is_some_and(|status| status == VOID)
        || status_code(resource, "verificationStatus").is_some_and(|status| status == VOID)
}

/// The first of these elements that is there, as a time; of a period its beginning.
pub(super) fn time_of(owner: Value<'_>, elements: &[&str]) -> Option<String> {
    let found = elements.iter().find_map(|element| owner.get(element))?;
    let at = found.as_str().or_else(|| text(found, "start"))?;
    Some(shown(&at))
}

/// The display of a reference.
pub(super) fn display<'a>(owner: Value<'a>, name: &str) -> Option<Cow<'a, str>> {
    text(owner.get(name)?, "display")
}

pub(super) fn member(w: &mut Writer, name: &str, value: Option<impl AsRef<str>>) {
    if let Some(value) = value {
        w.member(name, value.as_ref());
    }
}

/// Opens the object of a record with its id and its reference.
pub(super) fn head(resource: Value<'_>, w: &mut Writer) {
    let (id, kind) = (text(resource, "id").unwrap_or_default(), text(resource, "resourceType").unwrap_or_default());
    w.object().member("id", &id).member("resource", &format!("{kind}/{id}"));
}

/// Writes `code` and `system` of a concept.
pub(super) fn codes(owner: Value<'_>, name: &str, w: &mut Writer) {
    if let Some(coding) = coding(owner, name) {
        member(w, "code", text(coding, "code"));
        member(w, "system", text(coding, "system"));
    }
}
