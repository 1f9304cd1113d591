//! Bundles: names of entries, and references from one to another (R4 bundle.html, documents.html, messaging.html).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use iris_fhir::definitions::{definitions, name_of};
use iris_fhir::json::Value;
use iris_fhir::resource::kind_of;
use iris_fhir::validate::primitive::is_id;
use iris_fhir::validate::{Faults, IssueCode, Severity};
use iris_fhir::{Reference, definitions::Targets};
use iris_kernel::Kind;

/// Relations of links that say where a page is; each at most once.
const PAGING: [&str; 6] = ["self", "first", "previous", "prev", "next", "last"];

/// The entries of one bundle, by name.
pub(crate) struct Entries<'a> {
    of: Cow<'a, str>,
    list: Vec<Entry<'a>>,
    by_url: HashMap<Cow<'a, str>, Vec<usize>>,
}

struct Entry<'a> {
    value: Value<'a>,
    resource: Option<Value<'a>>,
    kind: Option<Kind>,
    id: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    full_url: Option<Cow<'a, str>>,
}

impl<'a> Entries<'a> {
    /// Looks at every entry once.
    pub(crate) fn new(bundle: Value<'a>) -> Self {
        let mut entries =
            Self { of: bundle.str_of("type").unwrap_or_default(), list: Vec::new(), by_url: HashMap::new() };
        for (value, number) in bundle.get("entry").into_iter().flat_map(Value::items).zip(0..) {
            let resource = value.get("resource");
            let entry = Entry {
                value,
                resource,
                kind: resource.and_then(|resource| kind_of(resource).ok()),
                id: resource.and_then(|resource| resource.str_of("id")),
                version: resource.and_then(|resource| resource.get("meta")?.str_of("versionId")),
                full_url: value.str_of("fullUrl"),
            };
            if let Some(url) = &entry.full_url {
                entries.by_url.entry(url.clone()).or_default().push(number);
            }
            entries.list.push(entry);
        }
        entries
    }

    /// The number of the entry whose resource this is.
    pub(crate) fn number_of(&self, resource: Value<'a>) -> Option<usize> {
        let at = self.list.partition_point(|entry| entry.value.index() < resource.index()).checked_sub(1)?;
        self.list.get(at)?.resource.filter(|own| own.index() == resource.index()).map(|_| at)
    }

    /// What can be said of the bundle as a whole and of its entries, each by itself and among the others.
    pub(crate) fn judge(&self, bundle: Value<'a>, faults: &mut Faults) {
        links(bundle, faults);
        let mut names = HashSet::new();
        for entry in &self.list {
            self.name(entry, faults);
            if self.of == "searchset" {
                found(entry, faults);
            }
            if self.of == "history" {
                continue;
            }
            if let Some(url) = &entry.full_url
                && !names.insert((url, &entry.version))
            {
                let what = "Two entries have the same fullUrl, and the same version or none (bdl-7)";
                faults.at(entry.value, IssueCode::Duplicate, what);
            }
        }
    }

    /// A full URL is absolute, and if it is that of a RESTful server, it is that of the resource.
    fn name(&self, entry: &Entry<'_>, faults: &mut Faults) {
        let Some(url) = &entry.full_url else { return };
        let Some(value) = entry.value.get("fullUrl") else { return };
        if !is_absolute(url) {
            return faults.at(value, IssueCode::Value, "A fullUrl is an absolute URL");
        }
        let (Some((_, kind, id)), Some(own)) = (restful(url), entry.kind) else { return };
        if kind != own {
            let what = format!("The fullUrl is that of a {}, the resource is a {}", name_of(kind), name_of(own));
            return faults.at(value, IssueCode::Invalid, what);
        }
        let is_new = entry.value.get("request").and_then(|request| request.str_of("method")).as_deref() == Some("POST");
        match &entry.id {
            Some(own) if own == id => {}
            Some(_) => {
                // R4's own message-response-link.json has one: ids of a sender's system in a message.
                let severity = if self.of == "message" { Severity::Warning } else { Severity::Error };
                let what = "The fullUrl ends with another id than that of the resource";
                faults.add(severity, IssueCode::Invalid, value, "", what);
            }
            // What is about to be made gets its id by that.
            None if is_new => {}
            None => faults.at(value, IssueCode::Invalid, "The fullUrl ends with an id, and the resource has none"),
        }
    }

    /// The entries that a reference in one of them means (bundle.html#references), with the type that it must have.
    fn resolve(&self, from: usize, text: &str) -> (Vec<&Entry<'a>>, Option<Kind>) {
        let own = self.list.get(from);
        let own_url = own.and_then(|entry| entry.full_url.as_deref());
        let (url, kind, version) = match Reference::parse(text) {
            Reference::Local { kind, id, version } => {
                // Only the full URL of a resource on a RESTful server has a base to which the reference can be relative.
                let is_own = |(_, kind, id): &(&str, Kind, &str)| {
                    own.is_some_and(|own| own.kind == Some(*kind) && own.id.as_deref() == Some(*id))
                };
                let url = match own_url.map(|url| (url, restful(url).filter(is_own))) {
                    Some((_, Some((base, ..)))) => format!("{base}/{}/{id}", name_of(kind)),
                    Some((url, None)) if url.starts_with("urn:uuid:") => format!("urn:uuid:{id}"),
                    Some((url, None)) if url.starts_with("urn:oid:") => format!("urn:oid:{id}"),
                    _ => format!("{}/{id}", name_of(kind)),
                };
                (url, Some(kind), version)
            }
            Reference::Absolute(url) => match url.split_once("/_history/") {
                Some((url, version)) => (url.to_owned(), None, Some(version.to_owned())),
                None => (url, None, None),
            },
            Reference::Urn(url) => (url, None, None),
            Reference::Contained(_) | Reference::Conditional { .. } | Reference::Other => return (Vec::new(), None),
        };
        let numbers = self.by_url.get(url.as_str()).map_or(&[][..], Vec::as_slice);
        // More than two change nothing.
        let found = numbers.iter().filter_map(|number| self.list.get(*number));
        let found = found.filter(|entry| version.is_none() || entry.version.as_deref() == version.as_deref());
        (found.take(2).collect(), kind)
    }

    /// A reference of an entry: what it leads to in this bundle is of the right type, and is there if it must be.
    pub(crate) fn reference(&self, from: usize, at: &Place<'a, '_>, faults: &mut Faults) {
        let Some(text) = at.value.as_str() else { return };
        let (found, kind) = self.resolve(from, &text);
        if let [entry] = found.as_slice()
            && let Some(own) = entry.kind
        {
            if kind.is_some_and(|kind| kind != own) {
                let what = format!("The entry that this reference leads to is a {}", name_of(own));
                faults.at(at.value, IssueCode::Invalid, what);
            } else if let Targets::Only(kinds) = at.targets
                && kind.is_none()
                && !kinds.contains(&own)
            {
                let names: Vec<&str> = kinds.iter().map(|kind| definitions().name_of(*kind)).collect();
                let what = format!(
                    "This element may refer to {} only, and the entry that it leads to is a {}",
                    names.join(", "),
                    name_of(own)
                );
                faults.at(at.value, IssueCode::Structure, what);
            }
        }
        let first = from == 0 && at.is_of_first;
        let (must, in_what) = match &*self.of {
            "document" if first && at.parent.starts_with("Composition") && at.parent != "Composition.relatesTo" => {
                (true, "document")
            }
            "message" if first && at.parent == "MessageHeader" && at.element == "focus" => (true, "message"),
            _ => (false, ""),
        };
        // A URL elsewhere may be what is meant; whether it is, nobody here knows.
        if !must || text.starts_with('#') || matches!(Reference::parse(&text), Reference::Absolute(_)) {
            return;
        }
        match found.len() {
            0 => faults.at(
                at.value,
                IssueCode::NotFound,
                format!("This {in_what} has no entry that the reference leads to"),
            ),
            1 => {}
            _ => faults.at(
                at.value,
                IssueCode::Duplicate,
                format!("This {in_what} has several entries that the reference can mean"),
            ),
        }
    }
}

/// Where a reference stands.
pub(crate) struct Place<'a, 't> {
    /// The string.
    pub(crate) value: Value<'a>,
    /// The structure that has the element.
    pub(crate) parent: &'static str,
    /// The element.
    pub(crate) element: &'static str,
    /// What it may lead to.
    pub(crate) targets: &'t Targets,
    /// Whether it is in the resource of the entry itself, not in one that that contains.
    pub(crate) is_of_first: bool,
}

fn links(bundle: Value<'_>, faults: &mut Faults) {
    let mut seen = [false; PAGING.len()];
    for link in bundle.get("link").into_iter().flat_map(Value::items) {
        let Some(relation) = link.str_of("relation") else { continue };
        let Some(at) = PAGING.iter().position(|own| *own == relation) else { continue };
        if let Some(seen) = seen.get_mut(at)
            && std::mem::replace(seen, true)
        {
            faults.at(link, IssueCode::Duplicate, "There is another link with this relation");
        }
    }
}

/// A match has an id, by which it can be read.
fn found(entry: &Entry<'_>, faults: &mut Faults) {
    let Some(resource) = entry.resource.filter(|_| entry.id.is_none()) else { return };
    let mode = entry.value.get("search").and_then(|search| search.str_of("mode"));
    if mode.as_deref() != Some("outcome") && entry.kind.is_some_and(|kind| name_of(kind) != "OperationOutcome") {
        faults.at(resource, IssueCode::Required, "A resource that a search has found has an id");
    }
}

/// Whether a URL has a scheme.
#[must_use]
pub fn is_absolute(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Base, type and id of the URL of a resource on a RESTful server.
fn restful(url: &str) -> Option<(&str, Kind, &str)> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return None;
    }
    let (rest, id) = url.rsplit_once('/')?;
    let (base, name) = rest.rsplit_once('/')?;
    is_id(id).then_some(())?;
    Some((base, definitions().kind_of(name)?, id))
}
