//! Parts of a resource, as R4's `_summary` and `_elements` ask for them (search.html#summary).
//!
//! What is left out is only ever left out: a subset never shows what the whole does not. Elements that must be there, and those that
//! change the meaning of the others, stay in, so that a subset is still a resource; it carries the tag `SUBSETTED`, and nobody may
//! store it, because what it lacks would be lost.

use iris_kernel::{Fault, Kind};

use crate::definitions::{Element, Shape, Structure, definitions, is_in_summary};
use crate::json::{Value, ValueKind, Writer};

/// The code system of [`SUBSETTED`].
pub const TAG_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
/// The tag of a resource of which not everything is there.
pub const SUBSETTED: &str = "SUBSETTED";
/// Elements that say how all the others are to be understood.
const ALWAYS: [&str; 4] = ["id", "meta", "implicitRules", "modifierExtension"];

/// Which part of a resource is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subset {
    /// The elements that the definitions have in a summary (`_summary=true`).
    Summary,
    /// The narrative and what must be there (`_summary=text`).
    Text,
    /// Everything but the narrative (`_summary=data`).
    Data,
    /// These elements and what must be there (`_elements`).
    Elements(Vec<String>),
}

/// What a request asks a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// One resource, or versions of some.
    Resources,
    /// A search, whose own business it is what it counts (`_summary=count`).
    Search,
}

impl Subset {
    /// The part that `_summary` or `_elements` among the parameters of a request ask for, of resources of this type (`None`: of any).
    ///
    /// # Errors
    /// A value that they cannot have, one that stands twice, both of them, elements that the type does not have.
    pub fn asked(pairs: &[(String, String)], kind: Option<Kind>, of: Asked) -> Result<Option<Self>, Vec<Fault>> {
        let once = |name: &str| {
            let mut values = pairs.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
            match (values.next(), values.next()) {
                (value, None) => Ok(value),
                (_, Some(_)) => Err(vec![Fault::new(name, "may stand only once")]),
            }
        };
        let summary = match once("_summary")? {
            None | Some("false") => None,
            Some("count") if of == Asked::Search => None,
            Some("true") => Some(Self::Summary),
            Some("text") => Some(Self::Text),
            Some("data") => Some(Self::Data),
            Some("count") => return Err(vec![Fault::new("_summary", "count belongs to a search")]),
            Some(_) => return Err(vec![Fault::new("_summary", "must be true, text, data, count or false")]),
        };
        let Some(names) = once("_elements")? else { return Ok(summary) };
        if summary.is_some() {
            return Err(vec![Fault::new("_elements", "cannot stand beside _summary")]);
        }
        Self::elements(names.split(','), kind).map(Some)
    }

    /// The elements named by an `_elements` parameter, for resources of this type (`None`: of any).
    ///
    /// # Errors
    /// Each name that no element of the type has.
    pub fn elements<'a>(names: impl Iterator<Item = &'a str>, kind: Option<Kind>) -> Result<Self, Vec<Fault>> {
        let definitions = definitions();
        let known = |name: &str| {
            let has = |kind| definitions.structure_of(kind).is_some_and(|structure| structure.element(name).is_some());
            kind.map_or_else(|| definitions.kinds().any(has), has)
        };
        let (good, wrong): (Vec<&str>, Vec<&str>) = names.map(str::trim).partition(|name| known(name));
        let of = kind.map_or("a resource", |kind| definitions.name_of(kind));
        let fault = |name: &&str| {
            let shown: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).take(64).collect();
            Fault::new("_elements", format!("{shown} is no element of {of}"))
        };
        if wrong.is_empty() {
            Ok(Self::Elements(good.into_iter().map(str::to_owned).collect()))
        } else {
            Err(wrong.iter().map(fault).collect())
        }
    }

    fn keeps(&self, structure: &Structure, element: &Element, top: bool) -> bool {
        if element.min > 0 || ALWAYS.contains(&element.name) {
            return true;
        }
        match self {
            Self::Summary => is_in_summary(structure, element.name),
            Self::Text => !top || element.name == "text",
            Self::Data => !top || element.name != "text",
            Self::Elements(names) => !top || names.iter().any(|name| name == element.name),
        }
    }

    /// The part of a resource. What is no resource of R4 is given as it is.
    #[must_use]
    pub fn of(&self, resource: Value<'_>) -> Vec<u8> {
        let name = resource.str_of("resourceType").unwrap_or_default();
        let Some(structure) = definitions().structure(&name) else { return resource.raw().to_vec() };
        let mut w = Writer::with_capacity(resource.raw().len() + 160);
        w.object().member("resourceType", &name);
        if let Some(id) = resource.get("id") {
            w.key("id").value(id);
        }
        w.key("meta").raw(&tagged(resource.get("meta")));
        self.members(resource, structure, &["resourceType", "id", "meta"], &mut w);
        w.end();
        w.finish()
    }

    fn members(&self, object: Value<'_>, structure: &Structure, done: &[&str], w: &mut Writer) {
        let top = !done.is_empty();
        for (name, value) in object.members().filter(|(name, _)| !done.contains(&&**name)) {
            // What a primitive carries beside its value goes with it.
            let (own, beside) = name.strip_prefix('_').map_or((&*name, false), |own| (own, true));
            let Some((_, element, of_type)) = structure.member(own.as_bytes()) else { continue };
            if !self.keeps(structure, element, top) {
                continue;
            }
            w.key(&name);
            match of_type.shape {
                // Below the top, only the summary leaves something out.
                Shape::Complex(at) if !beside && *self == Self::Summary => self.part(value, at, w),
                Shape::Complex(_) | Shape::Primitive(_) | Shape::Resource => {
                    w.value(value);
                }
            }
        }
    }

    fn part(&self, value: Value<'_>, structure: u16, w: &mut Writer) {
        match value.kind() {
            ValueKind::Array => {
                w.array();
                value.items().for_each(|item| self.part(item, structure, w));
                w.end();
            }
            ValueKind::Object => {
                let mut inner = Writer::new();
                inner.object();
                if let Some(structure) = definitions().structure_at(structure) {
                    self.members(value, structure, &[], &mut inner);
                }
                inner.end();
                let inner = inner.finish();
                // An element without anything in it would be none: what has no summary stays whole.
                if inner == b"{}" {
                    w.value(value)
                } else {
                    w.raw(&inner)
                };
            }
            _ => {
                w.value(value);
            }
        }
    }
}

/// The metadata with the tag that says that something is missing.
fn tagged(meta: Option<Value<'_>>) -> Vec<u8> {
    let mut w = Writer::new();
    w.object();
    for (name, value) in meta.into_iter().flat_map(Value::members).filter(|(name, _)| name != "tag") {
        w.key(&name).value(value);
    }
    let tags = meta.and_then(|meta| meta.get("tag"));
    w.key("tag").array();
    for tag in tags.into_iter().flat_map(Value::items).filter(|tag| !is_tag(*tag)) {
        w.value(tag);
    }
    w.object().member("system", TAG_SYSTEM).member("code", SUBSETTED).end();
    w.end().end();
    w.finish()
}

fn is_tag(tag: Value<'_>) -> bool {
    tag.str_of("code").is_some_and(|code| code == SUBSETTED)
        && tag.str_of("system").is_some_and(|own| own == TAG_SYSTEM)
}

/// Whether a resource says of itself that not everything of it is there.
#[must_use]
pub fn is_subsetted(resource: Value<'_>) -> bool {
    let tags = resource.get("meta").and_then(|meta| meta.get("tag"));
    tags.into_iter().flat_map(Value::items).any(is_tag)
}

#[cfg(test)]
mod tests;
