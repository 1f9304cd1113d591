//! Criteria that call an entry of their own bundle by its `fullUrl`. References that do become the record's address; criteria are asked
//! of what is stored, where nothing is called so: they would match nothing, and a conditional create would make its record each time.

use std::collections::HashSet;

use iris_fhir::definitions::{ParamKind, definitions};
use iris_kernel::limits::FAULTS_MAX;
use iris_kernel::{ErrorKind, Fault, Kind};
use iris_search::parameter;

use crate::bundle::input::{EntryInput, Request, Whose};
use crate::refusal::Refusal;

/// Names by which the entries of a bundle may refer to each other.
pub(crate) struct Called<'a>(HashSet<&'a str>);

impl<'a> Called<'a> {
    pub(crate) fn of(entries: &'a [EntryInput]) -> Self {
        Self(entries.iter().filter_map(|entry| entry.full_url.as_deref()).collect())
    }

    /// Checks the criteria of an entry.
    ///
    /// # Errors
    /// Every parameter that calls an entry of the bundle by its name.
    pub(crate) fn by_none(&self, request: &Request) -> Result<(), Refusal> {
        let Some((kind, criteria, at)) = criteria_of(request).filter(|_| !self.0.is_empty()) else { return Ok(()) };
        let pairs = form_urlencoded::parse(criteria.as_bytes());
        let faults: Vec<Fault> = pairs
            .filter(|(name, value)| refers(kind, name) && value.split(',').any(|one| self.0.contains(one)))
            .map(|(name, _)| {
                Fault::new(at, format!("{name}: is the name of an entry of this bundle, by which nothing is stored"))
            })
            .take(FAULTS_MAX)
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(Refusal::with(ErrorKind::Invalid, faults)) }
    }
}

/// The criteria of an entry, and where they stand in it.
fn criteria_of(request: &Request) -> Option<(Kind, &str, &'static str)> {
    const URL: &str = "/request/url";
    match request {
        Request::Create { resource, if_none_exist: Some(text) } => {
            Some((resource.kind(), text, "/request/ifNoneExist"))
        }
        Request::Update { resource, whose: Whose::Criteria(text), .. } => Some((resource.kind(), text, URL)),
        Request::Patch { kind, whose: Whose::Criteria(text), .. }
        | Request::Delete { kind, whose: Whose::Criteria(text), .. } => Some((*kind, text, URL)),
        Request::Search { kind, criteria, .. } => Some((*kind, criteria, URL)),
        Request::Create { .. }
        | Request::Update { .. }
        | Request::Patch { .. }
        | Request::Delete { .. }
        | Request::Read { .. }
        | Request::Faulty(_) => None,
    }
}

/// Whether the values of a parameter are references: by itself, or narrowed to a type (`subject:Patient`). What looks like the name of an
/// entry elsewhere may well be an identifier or a canonical.
fn refers(kind: Kind, name: &str) -> bool {
    let (code, narrowed) = name.split_once(':').map_or((name, None), |(code, to)| (code, Some(to)));
    parameter(kind, code).is_some_and(|it| it.kind == ParamKind::Reference)
        && narrowed.is_none_or(|to| definitions().kind_of(to).is_some())
}
