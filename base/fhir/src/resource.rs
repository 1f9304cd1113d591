//! A FHIR resource: a JSON object whose `resourceType` is a type of R4.

use std::borrow::Cow;

use bytes::Bytes;
use iris_kernel::{Kind, Timestamp, Version};

use crate::definitions::definitions;
use crate::json::{Json, JsonError, Value, ValueKind, Writer, write_string};

/// Longest name of a resource type that a message repeats.
const NAME_CHARS_MAX: usize = 64;

/// Why some bytes are no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not JSON; see the cause.
    #[error("The body is not valid JSON: {0}")]
    Json(#[from] JsonError),
    /// JSON, but no object.
    #[error("A resource is a JSON object")]
    NotAnObject,
    /// An object without `resourceType`, or one that is no string.
    #[error("The resource has no resourceType")]
    NoType,
    /// A `resourceType` that R4 does not have. The name is there only if it looks like one.
    #[error("R4 has no resource type{}", .0.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default())]
    UnknownType(Option<String>),
}

/// A resource as it was sent: the exact text, the tape over it and its type. Nothing else has been checked; see
/// `iris_validation::Valid`.
#[derive(Clone, Debug)]
pub struct Resource {
    json: Json,
    kind: Kind,
}

impl Resource {
    /// Reads one resource.
    ///
    /// # Errors
    /// Not JSON, or no object with the `resourceType` of an R4 type.
    pub fn parse(text: impl Into<Bytes>) -> Result<Self, ParseError> {
        Self::from_json(Json::parse(text)?)
    }

    /// Takes a document that has been read already.
    ///
    /// # Errors
    /// It is no object with the `resourceType` of an R4 type.
    pub fn from_json(json: Json) -> Result<Self, ParseError> {
        let kind = kind_of(json.root())?;
        Ok(Self { json, kind })
    }

    /// Cuts a nested resource (a Bundle entry's, a contained one) out as one of its own.
    ///
    /// # Errors
    /// It is no object with the `resourceType` of an R4 type.
    pub fn from_value(value: Value<'_>) -> Result<Self, ParseError> {
        let mut text = Vec::new();
        value.compact_into(&mut text);
        Self::parse(text)
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of its type.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        definitions().name_of(self.kind)
    }

    /// Its logical id, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'_, str>> {
        self.root().str_of("id")
    }

    /// The document.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// The object itself.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        self.json.root()
    }

    /// The compact text with `id`, `meta.versionId` and `meta.lastUpdated` set by the server; all else as sent.
    /// `resourceType`, `id` and `meta` come first.
    #[must_use]
    pub fn with_server_fields(&self, id: &str, version: Version, at: Timestamp) -> Vec<u8> {
        let root = self.root();
        let mut out = Vec::with_capacity(self.json.text().len() + 160);
        out.extend_from_slice(b"{\"resourceType\":");
        write_string(self.kind_name(), &mut out);
        out.extend_from_slice(b",\"id\":");
        write_string(id, &mut out);
        out.extend_from_slice(b",\"meta\":");
        out.extend_from_slice(&server_meta(root.get("meta"), version, at));
        for member in root.members_raw() {
            if !matches!(&*member.name(), "resourceType" | "id" | "meta") {
                push_member(member.key(), member.value, &mut out);
            }
        }
        out.push(b'}');
        out
    }
}

fn server_meta(sent: Option<Value<'_>>, version: Version, at: Timestamp) -> Vec<u8> {
    let mut meta = Writer::new();
    meta.object().member("versionId", &version.to_string()).member("lastUpdated", &at.rfc3339());
    meta.end();
    let mut out = meta.finish();
    if let Some(sent) = sent.filter(|sent| sent.kind() == ValueKind::Object) {
        out.pop();
        for member in sent.members_raw() {
            if !matches!(&*member.name(), "versionId" | "lastUpdated") {
                push_member(member.key(), member.value, &mut out);
            }
        }
        out.push(b'}');
    }
    out
}

fn push_member(key: Value<'_>, value: Value<'_>, out: &mut Vec<u8>) {
    out.push(b',');
    out.extend_from_slice(key.raw());
    out.push(b':');
    value.compact_into(out);
}

/// The type of a nested or whole resource.
///
/// # Errors
/// Everything of [`ParseError`] but `Json`.
pub fn kind_of(value: Value<'_>) -> Result<Kind, ParseError> {
    if value.kind() != ValueKind::Object {
        return Err(ParseError::NotAnObject);
    }
    let name = value.str_of("resourceType").ok_or(ParseError::NoType)?;
    definitions().kind_of(&name).ok_or_else(|| {
        let shown = name.len() <= NAME_CHARS_MAX && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        ParseError::UnknownType(shown.then(|| name.into_owned()))
    })
}

#[cfg(test)]
mod tests;
