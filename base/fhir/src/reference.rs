//! What a `Reference.reference` can be.

use iris_kernel::Kind;

use crate::definitions::definitions;
use crate::json::Value;
use crate::resource::Resource;
use crate::validate::primitive::is_id;

/// A reference, read (R4 references.html, "literal references", and http.html for conditional ones).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// `Patient/1`, `Patient/1/_history/2`: a resource on this server.
    Local {
        /// The type before the slash.
        kind: Kind,
        /// The logical id.
        id: String,
        /// The version, if one is named.
        version: Option<String>,
    },
    /// A URL with a scheme and an authority. It may still be on this server; see [`Reference::within`].
    Absolute(String),
    /// `#p1`: a contained resource, by its id. `#` alone is the container itself: an empty id.
    Contained(String),
    /// `urn:uuid:…`, `urn:oid:…`: whole.
    Urn(String),
    /// `Patient?identifier=…`: to be resolved in a transaction.
    Conditional {
        /// The type before the question mark.
        kind: Kind,
        /// What comes after it, still percent-encoded.
        query: String,
    },
    /// Anything else.
    Other,
}

/// A [`Reference`] that still points into the text it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts<'a> {
    Local { kind: Kind, id: &'a str, version: Option<&'a str> },
    Absolute(&'a str),
    Contained(&'a str),
    Urn(&'a str),
    Conditional { kind: Kind, query: &'a str },
    Other,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        if let Some(id) = text.strip_prefix('#') {
            return Self::Contained(id);
        }
        if text.starts_with("urn:uuid:") || text.starts_with("urn:oid:") {
            return Self::Urn(text);
        }
        if let Some(local) = Self::local(text) {
            return local;
        }
        if let Some((name, query)) = text.split_once('?')
            && let Some(kind) = definitions().kind_of(name)
        {
            return Self::Conditional { kind, query };
        }
        match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) && !rest.is_empty() => Self::Absolute(text),
            _ => Self::Other,
        }
    }

    fn local(text: &'a str) -> Option<Self> {
        let mut parts = text.split('/');
        let kind = definitions().kind_of(parts.next()?)?;
        let id = parts.next().filter(|id| is_id(id))?;
        let version = match parts.next() {
            None => None,
            Some("_history") => Some(parts.next().filter(|version| is_id(version))?),
            Some(_) => return None,
        };
        parts.next().is_none().then_some(Self::Local { kind, id, version })
    }
}

impl From<Parts<'_>> for Reference {
    fn from(parts: Parts<'_>) -> Self {
        match parts {
            Parts::Local { kind, id, version } => Self::Local { kind, id: id.to_owned(), version: version.map(str::to_owned) },
            Parts::Absolute(url) => Self::Absolute(url.to_owned()),
            Parts::Contained(id) => Self::Contained(id.to_owned()),
            Parts::Urn(urn) => Self::Urn(urn.to_owned()),
            Parts::Conditional { kind, query } => Self::Conditional { kind, query: query.to_owned() },
            Parts::Other => Self::Other,
        }
    }
}

impl Reference {
    /// Reads a reference; never fails, because what is no reference is [`Reference::Other`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Parts::of(text).into()
    }

    /// The local form of an absolute URL that lies under `base` (without its final slash); otherwise as [`Self::parse`].
    #[must_use]
    pub fn within(base: &str, text: &str) -> Self {
        let under = text.strip_prefix(base.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        under.filter(|_| !base.is_empty()).and_then(Parts::local).unwrap_or_else(|| Parts::of(text)).into()
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Every `reference` string anywhere in the resource, nested resources included, in the order of the text. R4 has no
/// element of that name outside `Reference` (a test over the tables holds this).
#[must_use]
pub fn references(resource: &Resource) -> Vec<(Value<'_>, Reference)> {
    let values = resource.root().all_named("reference");
    values.filter_map(|value| Some((value, Reference::parse(&value.as_str()?)))).collect()
}

#[cfg(test)]
mod tests;
