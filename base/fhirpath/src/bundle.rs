//! References within a bundle.

use std::collections::HashMap;

use iris_fhir::json::Value;
use smallvec::SmallVec;

use crate::context::{Host, Resolved};
use crate::item::Node;

/// A bundle as what lies outside each of its resources: references lead to its entries (R4 bundle.html#references). An absolute one is
/// a full URL; a relative one is completed by the full URL of the entry that it stands in, or, where that is no address of a server,
/// leads to the one entry with that type and id. A reference with a version leads to that version only.
#[derive(Debug)]
pub struct InBundle<'a> {
    /// By full URL and by `Type/id`: several where a history has several versions, or servers have the same ids.
    by_name: HashMap<String, SmallVec<[Value<'a>; 1]>>,
    /// The entries in the order of the document: where each begins, and the address of the server that it is on, if it says so.
    entries: Vec<(u32, Option<String>)>,
}

impl<'a> InBundle<'a> {
    /// Looks at every entry once.
    #[must_use]
    pub fn new(bundle: Value<'a>) -> Self {
        let mut found = Self { by_name: HashMap::new(), entries: Vec::new() };
        for entry in bundle.get("entry").into_iter().flat_map(Value::items) {
            let full_url = entry.str_of("fullUrl");
            let resource = entry.get("resource");
            let named = |resource: Value<'_>| {
                let (of, id) = (resource.str_of("resourceType")?, resource.str_of("id")?);
                Some(format!("{of}/{id}"))
            };
            let relative = resource.and_then(named);
            let server = full_url.as_deref().zip(relative.as_deref()).and_then(|(url, relative)| server(url, relative));
            found.entries.push((entry.index(), server.map(str::to_owned)));
            let Some(resource) = resource else { continue };
            for name in full_url.map(std::borrow::Cow::into_owned).into_iter().chain(relative) {
                found.by_name.entry(name).or_default().push(resource);
            }
        }
        found
    }

    /// The one entry of this name and version.
    fn named(&self, name: &str, version: Option<&str>) -> Resolved<'a> {
        let is_version = |resource: &Value<'a>| {
            let own = || resource.get("meta").and_then(|meta| meta.str_of("versionId"));
            version.is_none_or(|version| own().is_some_and(|own| own == version))
        };
        let mut found = self.by_name.get(name).into_iter().flatten().copied().filter(is_version);
        match (found.next(), found.next()) {
            (Some(resource), None) => Resolved::Resource(resource),
            _ => Resolved::Nowhere,
        }
    }
}

impl<'a> Host<'a> for InBundle<'a> {
    fn resolve(&self, reference: &str) -> Resolved<'a> {
        let (name, version) = parts(reference);
        self.named(name, version)
    }

    fn resolve_element(&self, element: Node<'a>, reference: Option<&str>) -> Resolved<'a> {
        let Some(reference) = reference else { return Resolved::Nowhere };
        let at = element.value().map_or(0, Value::index);
        let entry = self.entries.partition_point(|(begins, _)| *begins <= at).checked_sub(1);
        let server = entry.and_then(|entry| self.entries.get(entry)).and_then(|(_, server)| server.as_deref());
        match server.filter(|_| !reference.contains(':')) {
            None => self.resolve(reference),
            Some(server) => {
                let (name, version) = parts(reference);
                self.named(&format!("{server}{name}"), version)
            }
        }
    }
}

/// What a reference names, and which version of it.
fn parts(reference: &str) -> (&str, Option<&str>) {
    match reference.split_once("/_history/") {
        Some((name, version)) => (name, Some(version)),
        None => (reference, None),
    }
}

/// `http://x/` of `http://x/Patient/1`.
fn server<'u>(full_url: &'u str, relative: &str) -> Option<&'u str> {
    let is_address = full_url.starts_with("http://") || full_url.starts_with("https://");
    full_url.strip_suffix(relative).filter(|server| is_address && server.ends_with('/'))
}
