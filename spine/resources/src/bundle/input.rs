//! A batch or transaction as it was sent, read into typed entries with every fault named by its entry.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_fhir::json::{Edits, Value, ValueKind};
use iris_fhir::subset::{Asked, Subset};
use iris_fhir::validate::primitive::is_id;
use iris_fhir::validate::validate;
use iris_kernel::limits::{BUNDLE_ENTRIES_MAX, FAULTS_MAX};
use iris_kernel::{ErrorKind, Fault, Kind, Version};
use iris_validation::{Valid, is_absolute};

use crate::patch::Patch;
use crate::refusal::Refusal;
use crate::write::Precondition;

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

/// Which record an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The one with this logical id.
    Id(String),
    /// The one that the criteria stand for.
    Criteria(String),
}

/// What an entry that reads is shown of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// What `_summary` or `_elements` ask for.
    Subset(Subset),
    /// Nothing but how it ended (`HEAD`).
    Head,
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
    /// `PUT Type/id` or `PUT Type?criteria`.
    Update {
        /// Which record.
        whose: Whose,
        /// The new content.
        resource: Valid,
        /// What must be true of the record before.
        precondition: Precondition,
    },
    /// `PATCH Type/id` or `PATCH Type?criteria`, with a patch.
    Patch {
        /// The resource type.
        kind: Kind,
        /// Which record.
        whose: Whose,
        /// What becomes of it.
        patch: Patch,
        /// The version that must be current.
        if_match: Option<Version>,
    },
    /// `DELETE Type/id` or `DELETE Type?criteria`.
    Delete {
        /// The resource type.
        kind: Kind,
        /// Which record, or which ones.
        whose: Whose,
        /// The version that must be current.
        if_match: Option<Version>,
    },
    /// `GET` or `HEAD` with `Type/id` or `Type/id/_history/version`.
    Read {
        /// The resource type.
        kind: Kind,
        /// The logical id.
        id: String,
        /// The version; the current one if none is named.
        version: Option<Version>,
        /// The version that the caller has already (`ifNoneMatch`).
        unless: Option<Version>,
        /// What is shown of it.
        part: Part,
    },
    /// What could not be read as any of these, only in a batch.
    Faulty(Refusal),
    /// `GET` or `HEAD` with `Type?criteria`.
    Search {
        /// The resource type.
        kind: Kind,
        /// The query string as sent.
        criteria: String,
        /// What is shown of each page; the criteria may ask for less.
        part: Part,
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
            match EntryInput::parse(entry) {
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
const REQUEST_MEMBERS: [&str; 5] = ["method", "url", "ifMatch", "ifNoneMatch", "ifNoneExist"];

impl EntryInput {
    fn parse(entry: Value<'_>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        refuse_unknown(entry, "", &ENTRY_MEMBERS, &mut faults);
        let full_url = entry.str_of("fullUrl").map(Cow::into_owned);
        // A relative one would be taken for a record of this server, and #id for a contained resource.
        if full_url.as_deref().is_some_and(|url| !is_absolute(url)) {
            faults.push(Fault::new("/fullUrl", "is an absolute URL"));
        }
        let Some(request) = entry.get("request") else {
            faults.push(Fault::new("/request", "required: method and url"));
            return Err(faults);
        };
        refuse_unknown(request, "/request", &REQUEST_MEMBERS, &mut faults);
        let resource = entry.get("resource").and_then(|value| entry_resource(value, &mut faults));
        match Request::parse(request, resource) {
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

fn fault(at: &str, what: &str) -> Vec<Fault> {
    vec![Fault::new(at, what)]
}

/// The conditions of a request, and that each goes with its method.
struct Conditions {
    if_match: Option<Version>,
    /// `ifNoneMatch` of a write: `*`.
    absent: bool,
    /// `ifNoneMatch` of a read.
    unless: Option<Version>,
}

impl Conditions {
    fn parse(request: Value<'_>, method: &str) -> Result<Self, Vec<Fault>> {
        let text = |name: &str| request.str_of(name).map(Cow::into_owned);
        let mut faults = Vec::new();
        let if_match = text("ifMatch").and_then(|tag| {
            let version = parse_etag(&tag);
            if version.is_none() {
                faults.push(Fault::new("/request/ifMatch", "expected W/\"version\""));
            }
            version
        });
        if request.get("ifNoneExist").is_some() && method != "POST" {
            faults.push(Fault::new("/request/ifNoneExist", "goes with POST only"));
        }
        if request.get("ifMatch").is_some() && !matches!(method, "PUT" | "PATCH" | "DELETE") {
            faults.push(Fault::new("/request/ifMatch", "goes with PUT, PATCH and DELETE only"));
        }
        let (mut absent, mut unless) = (false, None);
        match (method, text("ifNoneMatch").as_deref()) {
            (_, None) => {}
            ("PUT", Some("*")) if if_match.is_none() => absent = true,
            ("GET" | "HEAD", Some(tag)) if parse_etag(tag).is_some() => unless = parse_etag(tag),
            _ => {
                let what = "is W/\"version\" with GET and HEAD, and * with a PUT that has no ifMatch";
                faults.push(Fault::new("/request/ifNoneMatch", what));
            }
        }
        if faults.is_empty() { Ok(Self { if_match, absent, unless }) } else { Err(faults) }
    }
}

impl Request {
    fn parse(request: Value<'_>, resource: Option<Valid>) -> Result<Self, Vec<Fault>> {
        let text = |name: &str| request.str_of(name).map(Cow::into_owned);
        let method = text("method").ok_or_else(|| fault("/request/method", "required"))?;
        let url = text("url").ok_or_else(|| fault("/request/url", "required"))?;
        let (place, controls) = match url.split_once('?') {
            Some((place, controls)) if place.trim_start_matches('/').contains('/') => (place, controls),
            _ => (url.as_str(), ""),
        };
        let target = Target::parse(place).ok_or_else(|| {
            let what = "expected Type, Type/id, Type/id/_history/version or Type?criteria with a resource type of R4";
            fault("/request/url", what)
        })?;
        let Conditions { if_match, absent, unless } = Conditions::parse(request, &method)?;
        let form = |what: &str| Err(fault("/request/url", what));
        match (method.as_str(), target) {
            ("GET" | "HEAD", target) => Self::reading(target, controls, &method, unless),
            _ if !controls.is_empty() => form("parameters go with a type, or with GET and HEAD"),
            ("POST", Target::Type(kind)) => {
                let resource = of_kind(resource, kind).map_err(|what| fault("/resource", what))?;
                Ok(Self::Create { resource, if_none_exist: text("ifNoneExist") })
            }
            ("PUT", target) => {
                let Some((kind, whose)) = target.whose() else {
                    return form("PUT needs the form Type/id or Type?criteria");
                };
                let resource = of_kind(resource, kind).map_err(|what| fault("/resource", what))?;
                if matches!(&whose, Whose::Id(id) if resource.id().as_deref() != Some(id.as_str())) {
                    return Err(fault("/resource/id", "must be the id of the url"));
                }
                let precondition = if absent { Precondition::Absent } else { if_match.into() };
                Ok(Self::Update { whose, resource, precondition })
            }
            ("PATCH", target) => {
                let Some((kind, whose)) = target.whose() else {
                    return form("PATCH needs the form Type/id or Type?criteria");
                };
                let resource = resource.ok_or_else(|| fault("/resource", "required: Parameters, or Binary"))?;
                Ok(Self::Patch { kind, whose, patch: patch_of(resource)?, if_match })
            }
            ("DELETE", target) => match target.whose() {
                Some((kind, whose)) => Ok(Self::Delete { kind, whose, if_match }),
                None => form("DELETE needs the form Type/id or Type?criteria"),
            },
            ("POST", _) => form("POST needs the form Type"),
            _ => Err(fault("/request/method", "not supported here; POST, PUT, PATCH, DELETE, GET and HEAD are")),
        }
    }

    /// A `GET` or `HEAD`. What it asks beside a record or criteria is answered as it is at the top level, or refused by name.
    fn reading(target: Target, controls: &str, method: &str, unless: Option<Version>) -> Result<Self, Vec<Fault>> {
        let whole = if method == "HEAD" { Part::Head } else { Part::Whole };
        if unless.is_some() && matches!(target, Target::Type(_) | Target::Search(..)) {
            return Err(fault("/request/ifNoneMatch", "goes with a record: what a search finds has no version"));
        }
        let (kind, id, version) = match target {
            Target::Type(kind) => return Ok(Self::Search { kind, criteria: String::new(), part: whole }),
            Target::Search(kind, criteria) => {
                refuse_other(&pairs_of(&criteria), |name| !OF_THE_WHOLE.contains(&name))?;
                return Ok(Self::Search { kind, criteria, part: whole });
            }
            Target::Instance(kind, id) => (kind, id, None),
            Target::Version(kind, id, version) => (kind, id, Some(version)),
        };
        let pairs = pairs_of(controls);
        refuse_other(&pairs, |name| PARTS.contains(&name))?;
        let subset = Subset::asked(&pairs, Some(kind), Asked::Resources).map_err(|faults| {
            faults.iter().map(|found| Fault::new("/request/url", found.to_string())).collect::<Vec<_>>()
        })?;
        let part = subset.filter(|_| whole == Part::Whole).map_or(whole, Part::Subset);
        Ok(Self::Read { kind, id, version, unless, part })
    }
}

/// What asks for a part of a record.
const PARTS: [&str; 2] = ["_summary", "_elements"];
/// What is asked of the answer as a whole, beside the bundle: an entry of it has no form of its own.
const OF_THE_WHOLE: [&str; 2] = ["_format", "_pretty"];
/// Longest name of a parameter that a fault repeats, in characters.
const NAME_SHOWN_MAX: usize = 64;

fn pairs_of(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Refuses every parameter that an entry cannot have.
fn refuse_other(pairs: &[(String, String)], may: impl Fn(&str) -> bool) -> Result<(), Vec<Fault>> {
    let others = pairs.iter().map(|(name, _)| name.as_str()).filter(|name| !may(name));
    let faults: Vec<Fault> = others
        .take(FAULTS_MAX)
        .map(|name| {
            let shown: String = name.chars().take(NAME_SHOWN_MAX).collect();
            let why = if OF_THE_WHOLE.contains(&name) {
                "is asked of the bundle, not of an entry"
            } else {
                "not supported here"
            };
            Fault::new("/request/url", format!("{shown}: {why}"))
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// The patch of an entry: Parameters of a FHIRPath Patch, or a Binary with a JSON Patch (R4 http.html#transaction).
fn patch_of(resource: Valid) -> Result<Patch, Vec<Fault>> {
    let below = |refusal: Refusal| refusal.below("/resource").faults;
    if resource.kind_name() == "Parameters" {
        return Patch::fhirpath(resource.into_inner()).map_err(below);
    }
    let kind = resource.root().str_of("contentType");
    if resource.kind_name() != "Binary" || kind.as_deref() != Some("application/json-patch+json") {
        return Err(fault("/resource", "is Parameters, or a Binary of application/json-patch+json"));
    }
    let data = resource.root().str_of("data").unwrap_or_default();
    let text = STANDARD.decode(data.as_bytes()).map_err(|_| fault("/resource/data", "is not base64"))?;
    Patch::json(text).map_err(|refusal| refusal.below("/resource/data").faults)
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
    Version(Kind, String, Version),
    Search(Kind, String),
}

impl Target {
    fn parse(url: &str) -> Option<Self> {
        let url = url.strip_prefix('/').unwrap_or(url);
        let kind_of = |name: &str| definitions().kind_of(name);
        if let Some((name, criteria)) = url.split_once('?') {
            return kind_of(name).map(|kind| Self::Search(kind, criteria.to_owned()));
        }
        let mut parts = url.split('/');
        let kind = kind_of(parts.next()?)?;
        let Some(id) = parts.next() else { return Some(Self::Type(kind)) };
        let id = is_id(id).then(|| id.to_owned())?;
        let Some(history) = parts.next() else { return Some(Self::Instance(kind, id)) };
        let version = parts.next().filter(|_| history == "_history" && parts.next().is_none())?;
        parse_etag(version).map(|version| Self::Version(kind, id, version))
    }

    /// Which record it names for a change.
    fn whose(self) -> Option<(Kind, Whose)> {
        match self {
            Self::Instance(kind, id) => Some((kind, Whose::Id(id))),
            Self::Search(kind, criteria) => Some((kind, Whose::Criteria(criteria))),
            Self::Type(_) | Self::Version(..) => None,
        }
    }
}
