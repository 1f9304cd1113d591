//! A batch or transaction as it was sent, read into typed entries with every fault named by its entry.

use std::borrow::Cow;

use iris_fhir::definitions::definitions;
use iris_fhir::json::{Edits, Value, ValueKind};
use iris_fhir::validate::primitive::is_id;
use iris_fhir::validate::validate;
use iris_fhir::Resource;
use iris_kernel::limits::{BUNDLE_ENTRIES_MAX, FAULTS_MAX};
use iris_kernel::{ErrorKind, Fault, Kind, Version};
use iris_validation::Valid;

use crate::refusal::Refusal;

/// `Bundle.type` of what may be posted to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleKind {
    /// Each entry stands alone.
    Batch,
    /// All entries or none.
    Transaction,
}

/// A bundle whose entries are well formed; the resources have passed validation.
#[derive(Debug)]
pub struct BundleInput {
    /// Batch or transaction.
    pub kind: BundleKind,
    /// The entries in the order sent.
    pub entries: Vec<EntryInput>,
}

/// One entry of a bundle.
#[derive(Debug)]
pub struct EntryInput {
    /// `fullUrl`, by which other entries refer to this one.
    pub full_url: Option<String>,
    /// What is to be done.
    pub request: Request,
}

/// What one entry asks for.
#[derive(Debug)]
pub enum Request {
    /// `POST Type`, perhaps with `ifNoneExist` criteria.
    Create {
        /// The new resource.
        resource: Valid,
        /// Search criteria that must match nothing.
        if_none_exist: Option<String>,
    },
    /// `PUT Type/id`.
    Update {
        /// The logical id.
        id: String,
        /// The new content.
        resource: Valid,
        /// The version that must be current.
        if_match: Option<Version>,
    },
    /// `DELETE Type/id`.
    Delete {
        /// The resource type.
        kind: Kind,
        /// The logical id.
        id: String,
        /// The version that must be current.
        if_match: Option<Version>,
    },
    /// `GET Type/id`, only in a batch.
    Read {
        /// The resource type.
        kind: Kind,
        /// The logical id.
        id: String,
    },
    /// What could not be read as any of these, only in a batch.
    Faulty(Refusal),
    /// `GET Type?criteria`, only in a batch.
    Search {
        /// The resource type.
        kind: Kind,
        /// The query string as sent.
        criteria: String,
    },
}

impl BundleInput {
    /// Reads a posted Bundle.
    ///
    /// # Errors
    /// Every fault of every entry, up to [`FAULTS_MAX`], each with a JSON pointer into the bundle.
    pub fn parse(bundle: &Resource) -> Result<Self, Refusal> {
        let root = bundle.root();
        let mut faults = validate(&skeleton(bundle)?);
        if !faults.is_empty() {
            return Err(Refusal::with(ErrorKind::Invalid, faults));
        }
        let kind = match root.str_of("type").as_deref() {
            Some("batch") => BundleKind::Batch,
            Some("transaction") => BundleKind::Transaction,
            _ => {
                return Err(Refusal::new(ErrorKind::Invalid, "/type", "only batch and transaction can be posted here"));
            }
        };
        let entries = root.get("entry").map(Value::items).into_iter().flatten();
        let mut out = Vec::new();
        for (index, entry) in entries.enumerate() {
            if index == BUNDLE_ENTRIES_MAX {
                let what = format!("a bundle has at most {BUNDLE_ENTRIES_MAX} entries");
                return Err(Refusal::new(ErrorKind::TooLarge, "/entry", what));
            }
            match EntryInput::parse(entry, kind) {
                Ok(entry) => out.push(entry),
                // In a batch each entry stands alone, the faulty one too.
                Err(found) if kind == BundleKind::Batch => {
                    let refusal = Refusal::with(ErrorKind::Invalid, found);
                    out.push(EntryInput { full_url: None, request: Request::Faulty(refusal) });
                }
                Err(found) => {
                    faults.extend(found.into_iter().map(|fault| fault.below(&format!("/entry/{index}"))));
                }
            }
            if faults.len() >= FAULTS_MAX {
                break;
            }
        }
        if faults.is_empty() { Ok(Self { kind, entries: out }) } else { Err(Refusal::with(ErrorKind::Invalid, faults)) }
    }
}

/// The bundle without the resources of its entries, which are checked one by one: what is left must be a valid Bundle itself.
fn skeleton(bundle: &Resource) -> Result<Resource, Refusal> {
    let mut edits = Edits::new();
    for entry in bundle.root().get("entry").map(Value::items).into_iter().flatten() {
        edits.remove_member(entry, "resource");
        // An entry that was nothing but its resource would be an empty object now.
        if entry.get("resource").is_some() && entry.members().count() == 1 {
            edits.insert_first(entry, "fullUrl", "\"urn:uuid:00000000-0000-0000-0000-000000000000\"");
        }
    }
    Resource::parse(bundle.json().edited(edits))
        .map_err(|e| Refusal::caused(ErrorKind::Internal, "the bundle could not be taken apart", e))
}

const ENTRY_MEMBERS: [&str; 4] = ["fullUrl", "resource", "request", "link"];
const REQUEST_MEMBERS: [&str; 4] = ["method", "url", "ifMatch", "ifNoneExist"];

impl EntryInput {
    fn parse(entry: Value<'_>, bundle: BundleKind) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        refuse_unknown(entry, "", &ENTRY_MEMBERS, &mut faults);
        let full_url = entry.str_of("fullUrl").map(Cow::into_owned);
        let Some(request) = entry.get("request") else {
            faults.push(Fault::new("/request", "required: method and url"));
            return Err(faults);
        };
        refuse_unknown(request, "/request", &REQUEST_MEMBERS, &mut faults);
        let resource = entry.get("resource").and_then(|value| entry_resource(value, &mut faults));
        match Request::parse(request, resource, bundle) {
            Ok(request) if faults.is_empty() => Ok(Self { full_url, request }),
            Ok(_) => Err(faults),
            Err(found) => {
                // A resource that failed its own check is named above; that it is "missing" is no second fault.
                let known = !faults.is_empty();
                faults.extend(found.into_iter().filter(|f| !(known && f.at == "/resource")));
                Err(faults)
            }
        }
    }
}

fn refuse_unknown(object: Value<'_>, at: &str, known: &[&str], faults: &mut Vec<Fault>) {
    if object.kind() != ValueKind::Object {
        faults.push(Fault::new(at, "expected an object"));
    }
    for (name, _) in object.members() {
        if !known.contains(&&*name) {
            faults.push(Fault::new(format!("{at}/{name}"), "not supported here"));
        }
    }
}

fn entry_resource(value: Value<'_>, faults: &mut Vec<Fault>) -> Option<Valid> {
    let found = match Resource::from_value(value) {
        Ok(resource) => match Valid::check(resource) {
            Ok(valid) => return Some(valid),
            Err((_, found)) => found,
        },
        Err(error) => vec![Fault::new("", error.to_string())],
    };
    faults.extend(found.into_iter().map(|fault| fault.below("/resource")));
    None
}

impl Request {
    fn parse(request: Value<'_>, resource: Option<Valid>, bundle: BundleKind) -> Result<Self, Vec<Fault>> {
        let text = |name: &str| request.str_of(name).map(Cow::into_owned);
        let fault = |at: &str, what: &str| vec![Fault::new(at, what)];
        let method = text("method").ok_or_else(|| fault("/request/method", "required"))?;
        let url = text("url").ok_or_else(|| fault("/request/url", "required"))?;
        let target = Target::parse(&url).ok_or_else(|| {
            fault("/request/url", "expected Type, Type/id or Type?criteria with a resource type of R4")
        })?;
        let if_match = match text("ifMatch") {
            None => None,
            Some(tag) => Some(parse_etag(&tag).ok_or_else(|| fault("/request/ifMatch", "expected W/\"version\""))?),
        };
        let needed = || resource_needed(method.as_str());
        if method != "POST" && request.get("ifNoneExist").is_some() {
            return Err(fault("/request/ifNoneExist", "goes with POST only"));
        }
        if !matches!(method.as_str(), "PUT" | "DELETE") && if_match.is_some() {
            return Err(fault("/request/ifMatch", "goes with PUT and DELETE only"));
        }
        match (method.as_str(), target) {
            ("POST", Target::Type(kind)) => {
                let resource = of_kind(resource, kind).map_err(|what| fault("/resource", what))?;
                Ok(Self::Create { resource, if_none_exist: text("ifNoneExist") })
            }
            ("PUT", Target::Instance(kind, id)) => {
                let resource = of_kind(resource, kind).map_err(|what| fault("/resource", what))?;
                if resource.id().as_deref() != Some(id.as_str()) {
                    return Err(fault("/resource/id", "must be the id of the url"));
                }
                Ok(Self::Update { id, resource, if_match })
            }
            ("DELETE", Target::Instance(kind, id)) => Ok(Self::Delete { kind, id, if_match }),
            ("GET", _) if bundle == BundleKind::Transaction => {
                Err(fault("/request/method", "GET is not supported in a transaction; use a batch"))
            }
            ("GET", Target::Instance(kind, id)) => Ok(Self::Read { kind, id }),
            ("GET", Target::Type(kind)) => Ok(Self::Search { kind, criteria: String::new() }),
            ("GET", Target::Search(kind, criteria)) => Ok(Self::Search { kind, criteria }),
            ("POST" | "PUT" | "DELETE", _) => Err(fault("/request/url", needed())),
            _ => Err(fault("/request/method", "not supported here; POST, PUT, DELETE and, in a batch, GET are")),
        }
    }
}

fn resource_needed(method: &str) -> &'static str {
    match method {
        "POST" => "POST needs the form Type",
        "PUT" => "PUT needs the form Type/id; conditional update is not supported",
        _ => "DELETE needs the form Type/id; conditional delete is not supported",
    }
}

fn of_kind(resource: Option<Valid>, kind: Kind) -> Result<Valid, &'static str> {
    let resource = resource.ok_or("required")?;
    if resource.kind() == kind { Ok(resource) } else { Err("is not of the type that the url names") }
}

/// Reads `W/"3"`, `"3"` or `3` as a version.
#[must_use]
pub fn parse_etag(tag: &str) -> Option<Version> {
    let tag = tag.trim().trim_start_matches("W/").trim_matches('"');
    tag.parse().ok().filter(|version| *version > 0).map(Version)
}

enum Target {
    Type(Kind),
    Instance(Kind, String),
    Search(Kind, String),
}

impl Target {
    fn parse(url: &str) -> Option<Self> {
        let url = url.strip_prefix('/').unwrap_or(url);
        let kind_of = |name: &str| definitions().kind_of(name);
        if let Some((name, criteria)) = url.split_once('?') {
            return kind_of(name).map(|kind| Self::Search(kind, criteria.to_owned()));
        }
        match url.split_once('/') {
            None => kind_of(url).map(Self::Type),
            Some((name, id)) if is_id(id) => kind_of(name).map(|kind| Self::Instance(kind, id.to_owned())),
            Some(_) => None,
        }
    }
}
