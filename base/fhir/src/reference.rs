//! What a `Reference.reference` can be.

use iris_kernel::Kind;

use crate::definitions::{Primitive, Shape, Structure, Targets, definitions};
use crate::json::{Value, ValueKind};
use crate::resource::{Resource, kind_of};
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
            Parts::Local { kind, id, version } => {
                Self::Local { kind, id: id.to_owned(), version: version.map(str::to_owned) }
            }
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

/// A reference where it stands.
#[derive(Clone, Debug)]
pub struct Placed<'a> {
    /// The text.
    pub value: Value<'a>,
    /// What it is.
    pub reference: Reference,
    /// The object that it is the `reference` of.
    holder: Value<'a>,
    targets: &'static Targets,
}

impl Placed<'_> {
    /// What is wrong if it leads to a record of this type.
    #[must_use]
    pub fn misleads_to(&self, kind: Kind) -> Option<String> {
        let named = self.holder.str_of("type").and_then(|name| definitions().kind_of(&name));
        match named {
            Some(named) if named != kind => Some(format!(
                "The type beside it is {}, and it leads to a {}",
                definitions().name_of(named),
                definitions().name_of(kind)
            )),
            _ => self.targets.refuse(kind),
        }
    }
}

impl Targets {
    /// What is wrong with a reference to this type, in words.
    pub(crate) fn refuse(&self, kind: Kind) -> Option<String> {
        match self {
            Self::Only(kinds) if !kinds.contains(&kind) => {
                let names: Vec<&str> = kinds.iter().map(|kind| definitions().name_of(*kind)).collect();
                let found = definitions().name_of(kind);
                Some(format!("This element may refer to {} only, found a reference to {found}", names.join(", ")))
            }
            Self::Only(_) | Self::Any => None,
        }
    }
}

/// Every `Reference.reference` string anywhere in the resource, nested resources and extensions included, in the order of
/// the text. Elements of other types that are also called `reference` are none.
#[must_use]
pub fn references(resource: &Resource) -> Vec<(Value<'_>, Reference)> {
    placed_references(resource).into_iter().map(|placed| (placed.value, placed.reference)).collect()
}

/// [`references`] with what may stand where they stand.
#[must_use]
pub fn placed_references(resource: &Resource) -> Vec<Placed<'_>> {
    let mut found = Vec::new();
    in_resource(resource.root(), &mut |part| {
        if let Part::Object(holder, structure, targets) = part
            && structure.name == "Reference"
            && let Some(value) = holder.get("reference")
            && let Some(text) = value.as_str()
        {
            found.push(Placed { value, reference: Reference::parse(&text), holder, targets });
        }
    });
    found
}

/// A value in which a transaction may name one of its other entries, beside references (R4 3.1.0.11.2).
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The value.
    pub value: Value<'a>,
    /// What it is.
    pub form: LinkForm,
}

/// What a [`Link`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkForm {
    /// An address or a name: of type uri or url.
    Uri,
    /// A name that cannot be an address: of type oid or uuid.
    Name,
    /// Narrative, which may have links in it.
    Narrative,
}

impl LinkForm {
    /// Of the primitive types that can be links. Canonicals are none of them.
    const fn of(primitive: Primitive) -> Option<Self> {
        match primitive {
            Primitive::Uri | Primitive::Url => Some(Self::Uri),
            Primitive::Oid | Primitive::Uuid => Some(Self::Name),
            Primitive::Xhtml => Some(Self::Narrative),
            _ => None,
        }
    }
}

/// Every [`Link`] anywhere in the resource, nested resources and extensions included, in the order of the text.
#[must_use]
pub fn links(resource: &Resource) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    in_resource(resource.root(), &mut |part| {
        if let Part::Text(value, primitive) = part
            && let Some(form) = LinkForm::of(primitive)
        {
            found.push(Link { value, form });
        }
    });
    found
}

/// What a resource consists of, as far as anybody here looks at it.
enum Part<'a> {
    /// An object, and what it may refer to if it is a Reference.
    Object(Value<'a>, &'static Structure, &'static Targets),
    /// A primitive value that is a string in JSON.
    Text(Value<'a>, Primitive),
}

fn in_resource<'a>(value: Value<'a>, visit: &mut impl FnMut(Part<'a>)) {
    if let Some(structure) = kind_of(value).ok().and_then(|kind| definitions().structure_of(kind)) {
        in_object(value, structure, &Targets::Any, visit);
    }
}

/// The depth is bounded by the JSON reader's limit.
fn in_object<'a>(
    object: Value<'a>,
    structure: &'static Structure,
    targets: &'static Targets,
    visit: &mut impl FnMut(Part<'a>),
) {
    visit(Part::Object(object, structure, targets));
    for member in object.members_raw() {
        let name = member.name();
        let plain = name.strip_prefix('_').unwrap_or(&name);
        let Some((_, _, of_type)) = structure.member(plain.as_bytes()) else { continue };
        let items = each(member.value);
        match of_type.shape {
            // Extensions of a primitive element can hold all that others can.
            Shape::Primitive(_) if plain.len() < name.len() => {
                let Some(element) = definitions().structure("Element") else { continue };
                items.for_each(|item| in_object(item, element, &Targets::Any, visit));
            }
            Shape::Primitive(primitive) => {
                let texts = items.filter(|item| item.kind() == ValueKind::String);
                texts.for_each(|value| visit(Part::Text(value, primitive)));
            }
            Shape::Complex(index) => {
                let Some(structure) = definitions().structure_at(index) else { continue };
                items.for_each(|item| in_object(item, structure, &of_type.targets, visit));
            }
            Shape::Resource => items.for_each(|item| in_resource(item, visit)),
        }
    }
}

/// The items of an array, or the value itself.
fn each(value: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    let is_list = value.kind() == ValueKind::Array;
    value.items().chain((!is_list).then_some(value))
}

#[cfg(test)]
mod tests;
