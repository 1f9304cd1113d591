//! What the entries of a bundle are called on this server, and what links to them become (R4 http.html#3.1.0.11.2): references,
//! elements of type uri, url, oid and uuid, and the links and images of narrative. Canonicals are names and no links: they stay.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use iris_fhir::Resource;
use iris_fhir::json::{Edits, Value, write_string};
use iris_fhir::reference::{LinkForm, Reference, links, references};
use iris_kernel::{Fault, Kind, Version};
use iris_xml::narrative_relinked;

use crate::bundle::resolve::address;

/// The entries that have a name.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, Named>);

/// What one entry is called.
#[derive(Debug)]
struct Named {
    kind: Kind,
    id: String,
    /// The version that it has when the bundle is carried out.
    version: Version,
    /// Its `fullUrl` is the canonical URL by which the definition calls itself. Canonicals stay as they are, so what else is called by
    /// that name does too: the definition itself, systems of codes, URLs of extensions. All of them are uris.
    is_canonical: bool,
}

/// The place of the links of one entry.
pub(crate) struct Site<'a> {
    /// What relative references are relative to.
    base: Option<&'a str>,
    /// What a bundle that is the resource calls its own entries: who reads it finds them there.
    inner: HashSet<Cow<'a, str>>,
    /// As JSON, the references that stood in the record before it was patched, and its other links.
    standing: [HashSet<&'a [u8]>; 2],
}

impl<'a> Site<'a> {
    pub(crate) fn of(resource: &'a Resource, full_url: Option<&'a str>, standing: Option<&'a Resource>) -> Self {
        let linked = |resource: &'a Resource| {
            let others = links(resource).into_iter().map(|link| link.value.raw()).collect();
            [references(resource).into_iter().map(|(value, _)| value.raw()).collect(), others]
        };
        let entries = resource.root().get("entry").filter(|_| resource.kind_name() == "Bundle");
        Self {
            base: full_url.and_then(base_of),
            inner: entries.into_iter().flat_map(Value::items).filter_map(|entry| entry.str_of("fullUrl")).collect(),
            standing: standing.map(linked).unwrap_or_default(),
        }
    }

    /// Whether a reference stood in the record before.
    pub(crate) fn stands(&self, reference: Value<'_>) -> bool {
        self.standing[0].contains(reference.raw())
    }

    /// Whether it leads to an entry of the bundle that the resource is.
    pub(crate) fn is_inner(&self, link: &str) -> bool {
        !self.inner.is_empty() && self.inner.contains(link)
    }
}

/// `http://elsewhere/fhir/` of `http://elsewhere/fhir/Patient/1`: what the entry's relative references are relative to
/// (R4 bundle.html#references).
fn base_of(full_url: &str) -> Option<&str> {
    let authority = full_url.find("://")? + 3;
    let slash = full_url[authority..].rmatch_indices('/').nth(1)?.0;
    Some(&full_url[..=authority + slash])
}

impl Names {
    /// Notes what the entry with this `fullUrl` is called.
    pub(crate) fn add(&mut self, full_url: &str, resource: &Resource, id: &str, version: Version) {
        let is_canonical = resource.root().str_of("url").as_deref() == Some(full_url);
        let named = Named { kind: resource.kind(), id: id.to_owned(), version, is_canonical };
        self.0.insert(full_url.to_owned(), named);
    }

    pub(crate) fn has(&self, full_url: &str) -> bool {
        self.0.contains_key(full_url)
    }

    /// The entry that a link means, and what the link becomes. One to a version leads to the version that is written, whichever it
    /// named: its sender cannot know that.
    fn find(&self, site: &Site<'_>, link: &str) -> Option<(&Named, String)> {
        let (plain, is_versioned) = match link.split_once("/_history/") {
            Some((plain, _)) => (plain, true),
            None => (link, false),
        };
        let is_relative = || matches!(Reference::parse(plain), Reference::Local { .. });
        let joined = site.base.filter(|_| is_relative()).map(|base| format!("{base}{plain}"));
        let named = self.0.get(joined.as_deref().unwrap_or(plain))?;
        let version = is_versioned.then(|| named.version.to_string());
        Some((named, address(named.kind, &named.id, version.as_deref())))
    }

    /// The type of the entry that a reference means, and what the reference becomes.
    pub(crate) fn target(&self, site: &Site<'_>, reference: &str) -> Option<(Kind, String)> {
        self.find(site, reference).map(|(named, address)| (named.kind, address))
    }

    /// The entry that another link means, and what the link becomes. What stands behind a `#` is a place in it, and stays.
    fn link(&self, site: &Site<'_>, link: &str) -> Option<(&Named, String)> {
        let (whole, place) = match link.split_once('#') {
            Some((whole, place)) if !whole.is_empty() => (whole, Some(place)),
            _ => (link, None),
        };
        let (named, address) = self.find(site, whole).filter(|_| !site.is_inner(whole))?;
        let linked = match place {
            Some(place) => format!("{address}#{place}"),
            None => address,
        };
        Some((named, linked))
    }

    /// Replaces the links of a resource that are no references; whether there were any.
    pub(crate) fn relink(
        &self,
        resource: &Resource,
        site: &Site<'_>,
        edits: &mut Edits,
        faults: &mut Vec<Fault>,
    ) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let mut changed = false;
        for link in links(resource) {
            let Some(text) = link.value.as_str().filter(|_| !site.standing[1].contains(link.value.raw())) else {
                continue;
            };
            let new = match link.form {
                LinkForm::Uri => match self.link(site, &text) {
                    Some((named, address)) if !named.is_canonical => Some(address),
                    _ => None,
                },
                LinkForm::Name if self.link(site, &text).is_some() => {
                    let what =
                        "is the name of an entry of this bundle: the address that takes its place is of another type";
                    faults.push(Fault::new(link.value.pointer(), what));
                    None
                }
                LinkForm::Name => None,
                LinkForm::Narrative => self.narrative(site, &text),
            };
            if let Some(new) = new {
                let mut json = Vec::new();
                write_string(&new, &mut json);
                edits.replace(link.value, json);
                changed = true;
            }
        }
        changed
    }

    /// A narrative with other links. One that is not well-formed has none that could be told, and no record has such a one.
    fn narrative(&self, site: &Site<'_>, div: &str) -> Option<String> {
        if !div.contains("href") && !div.contains("src") {
            return None;
        }
        let new = |link: &str| self.link(site, link.trim_ascii()).map(|(_, address)| address);
        narrative_relinked(div, new).ok().flatten()
    }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
