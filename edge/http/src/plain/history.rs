//! The lists about a patient that are made of other records: the summary's and the medical history's.

use futures_util::future::try_join_all;
use iris_access::{Facts, Search, decide};
use iris_fhir::Resource;
use iris_fhir::json::{Value, Writer};
use iris_kernel::ErrorKind;
use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_records::digest::{History, SOURCES, Source};
use iris_resources::Page;

use super::parse;
use crate::call::{Call, kind_named};
use crate::problem::Problem;

/// Records of one source that a list looks at; more are counted but not listed.
const LISTED_MAX: usize = 200;

/// What one source of the lists came to.
pub(super) struct Gathered {
    pub(super) source: &'static Source,
    /// The resources, or none if the caller may not see records of this type.
    pub(super) resources: Option<Vec<Resource>>,
    pub(super) total: u64,
}

/// Searches the sources that are wanted. A type that the caller may not see is left out, and the lists say so.
pub(super) async fn gather(call: &Call, patient: &str, wanted: fn(&Source) -> bool) -> Result<Vec<Gathered>, Problem> {
    let mut gathered = Vec::new();
    let mut searches = Vec::new();
    let mut places = Vec::new();
    for source in SOURCES.iter().filter(|source| wanted(source)) {
        let kind = kind_named(source.kind)?;
        // Not a refusal to be audited: nobody asked for this type by name.
        if let Ok(permit) = decide(call.caller()?, Search, &Facts::kind(kind)) {
            let mut pairs = vec![
                ("patient".to_owned(), format!("Patient/{patient}")),
                ("_count".to_owned(), LISTED_MAX.min(FHIR_PAGE_MAX).to_string()),
            ];
            pairs.extend(source.parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            let query = parse(call, kind, &pairs)?;
            places.push(gathered.len());
            // All are released together, so that they share one flush of the access log.
            searches.push(call.release(call.app.records.search(&permit, &query)?));
        }
        gathered.push(Gathered { source, resources: None, total: 0 });
    }
    let pages: Vec<Page> = try_join_all(searches).await?;
    for (place, page) in places.into_iter().zip(pages) {
        if let Some(slot) = gathered.get_mut(place) {
            slot.total = page.total.unwrap_or(page.items.len() as u64);
            slot.resources = Some(page.items.iter().map(|stored| stored.resource()).collect::<Result<_, _>>()?);
        }
    }
    Ok(gathered)
}

/// The resources of all sources that satisfy a condition, in order; none if every one of them was withheld.
pub(super) fn roots<'a>(gathered: &'a [Gathered], of: impl Fn(&Source) -> bool) -> Option<Vec<Value<'a>>> {
    let mut seen = false;
    let mut roots = Vec::new();
    for part in gathered.iter().filter(|part| of(part.source)) {
        if let Some(resources) = &part.resources {
            seen = true;
            roots.extend(resources.iter().map(Resource::root));
        }
    }
    seen.then_some(roots)
}

/// Writes `medical_history` into the open object. Lists of types that the caller may not see are left out. It is null while the
/// search is away: reading a record by its id must not depend on that.
pub(super) async fn show(call: &Call, patient: &str, w: &mut Writer) -> Result<(), Problem> {
    let gathered = match gather(call, patient, |source| source.history.is_some()).await {
        Err(problem) if problem.kind == ErrorKind::Unavailable => {
            w.key("medical_history").null();
            return Ok(());
        }
        gathered => gathered?,
    };
    w.key("medical_history").object();
    for list in History::ALL {
        if let Some(resources) = roots(&gathered, |source| source.history == Some(list)) {
            w.key(list.name());
            list.show(&resources, w);
        }
    }
    w.end();
    Ok(())
}
