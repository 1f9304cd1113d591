//! The lists about a patient that are made of other records: the summary's and the medical history's.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use iris_access::{Facts, Permit, Search, decide};
use iris_audit::Action;
use iris_fhir::Resource;
use iris_fhir::json::{Value, Writer};
use iris_kernel::limits::{FHIR_PAGE_MAX, SEARCH_ALTERNATIVES_MAX};
use iris_kernel::{ErrorKind, Kind};
use iris_records::digest::{History, Names, Searched};
use iris_resources::{Concern, Merged, Stored};
use iris_search::{Criterion, Query};

use super::parse;
use crate::call::{Call, Pairs, kind_named};
use crate::problem::Problem;

/// Ids of one search.
const IDS_MAX: usize = if SEARCH_ALTERNATIVES_MAX < FHIR_PAGE_MAX { SEARCH_ALTERNATIVES_MAX } else { FHIR_PAGE_MAX };

/// What one list came to.
#[derive(Default)]
pub(super) struct Gathered {
    resources: Vec<Resource>,
    /// How many there are, beyond what is listed too.
    pub(super) total: u64,
    /// Whether something is not listed that was meant to be.
    pub(super) truncated: bool,
}

impl Gathered {
    pub(super) fn roots(&self) -> Vec<Value<'_>> {
        self.resources.iter().map(Resource::root).collect()
    }
}

/// The search of one part of a list about a patient, as FHIR parameters.
pub(super) fn of_patient(patient: &str, parameters: &[(&str, &str)]) -> Pairs {
    let mut pairs = vec![("patient".to_owned(), format!("Patient/{patient}"))];
    pairs.extend(parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    pairs
}

/// One search of a list, and what it is for.
struct Part {
    /// The place of its list.
    place: usize,
    searched: &'static Searched,
    query: Query,
}

/// What else to look for in the list of a place, after what was found: the same without these.
type Further = fn(usize, &Searched, Kind, &[Value<'_>]) -> Option<Vec<Vec<Criterion>>>;

/// Makes the searches of these lists, under one entry of the access log. A list of which the caller may see nothing is none.
pub(super) async fn gather(
    call: &Call,
    patient: &str,
    concern: Concern<'_>,
    lists: &[&'static [Searched]],
    further: Further,
) -> Result<Vec<Option<Gathered>>, Problem> {
    let mut gathered: Vec<Option<Gathered>> = lists.iter().map(|_| None).collect();
    let mut searches: Vec<(Permit<Search>, Query)> = Vec::new();
    let mut parts = Vec::new();
    let mut denied = BTreeSet::new();
    for (place, searched) in lists.iter().enumerate().flat_map(|(at, list)| list.iter().map(move |one| (at, one))) {
        // Not a refusal to be audited: nobody asked for this type by name.
        if let Ok(permit) = decide(call.caller()?, Search, &Facts::kind(kind_named(searched.kind)?)) {
            let query = query(call, patient, searched)?;
            parts.push(Part { place, searched, query: query.clone() });
            searches.push((permit, query));
        } else {
            denied.insert(place);
        }
    }
    if searches.is_empty() {
        // Nothing is looked at beyond the patient, whose read is on the log by itself.
        return Ok(gathered);
    }
    let more = |at: usize, found: &[Stored]| {
        let Some(Part { place, searched, query }) = parts.get(at) else { return Ok(None) };
        let resources = found.iter().map(Stored::resource).collect::<Result<Vec<_>, _>>()?;
        let roots: Vec<Value<'_>> = resources.iter().map(Resource::root).collect();
        let without = further(*place, searched, query.kind, &roots);
        Ok(without.map(|without| Query { none: [query.none.clone(), without].concat(), ..query.clone() }))
    };
    let pages = call.app.records.search_each(&searches, concern, &more)?;
    let pages = call.release(pages).await?;
    for (Part { place, searched, .. }, page) in parts.iter().zip(pages) {
        let Some(slot) = gathered.get_mut(*place) else { continue };
        let list = slot.get_or_insert_default();
        list.total += page.total.unwrap_or(page.items.len() as u64);
        // A part that the caller may not see is missing from what is shown of the others.
        list.truncated |= (searched.whole && page.is_part()) || denied.contains(place);
        for stored in &page.items {
            list.resources.push(stored.resource()?);
        }
    }
    Ok(gathered)
}

fn query(call: &Call, patient: &str, searched: &Searched) -> Result<Query, Problem> {
    let kind = kind_named(searched.kind)?;
    let mut pairs = of_patient(patient, searched.parameters);
    pairs.push(("_count".to_owned(), searched.records_max.to_string()));
    let mut query = parse(call, kind, &pairs)?;
    for (name, value) in searched.without {
        let left_out = parse(call, kind, &[((*name).to_owned(), (*value).to_owned())])?;
        query.none.extend(left_out.all.into_iter().flatten().map(|criterion| vec![criterion]));
        query.applied.push((format!("{name}:not"), (*value).to_owned()));
    }
    Ok(query)
}

/// One page of several searches about a patient, in one order.
pub(super) struct Laid {
    pub(super) page: Merged,
    /// The records of the page.
    pub(super) records: Vec<Resource>,
    /// What these only refer to.
    pub(super) names: Names,
}

/// Makes searches about a patient, and lays what they find in one order; the page that the caller asks for.
pub(super) async fn lay(
    call: &Call,
    patient: &str,
    searches: &[(Permit<Search>, Query)],
    size: usize,
) -> Result<Laid, Problem> {
    if searches.is_empty() {
        let page = Merged { items: Vec::new(), next: None, total: Some(0) };
        return Ok(Laid { page, records: Vec::new(), names: Names::default() });
    }
    let concern = Concern { action: Action::PhiSearch, patient: Some(patient) };
    let page = call.app.records.search_merged(searches, concern, size, call.query_value("cursor"))?;
    let page = call.release(page).await?;
    let records = page.items.iter().map(|(_, stored)| stored.resource()).collect::<Result<Vec<_>, _>>()?;
    let names = names(call, records.iter().map(Resource::root)).await?;
    Ok(Laid { page, records, names })
}

/// The names of the medications that these records only refer to. One that the caller may not see has none.
pub(super) async fn names(call: &Call, records: impl Iterator<Item = Value<'_>>) -> Result<Names, Problem> {
    let wanted: Vec<String> = records.filter_map(Names::wanted).collect::<BTreeSet<_>>().into_iter().collect();
    let kind = kind_named("Medication")?;
    let Ok(permit) = decide(call.caller()?, Search, &Facts::kind(kind)) else { return Ok(Names::default()) };
    let mut searches = Vec::new();
    for ids in wanted.chunks(IDS_MAX) {
        let count = ("_count".to_owned(), IDS_MAX.to_string());
        let query = parse(call, kind, &[("_id".to_owned(), ids.join(",")), count])?;
        searches.push(call.release(call.app.records.search(&permit, &query)?));
    }
    let mut names = Names::default();
    for page in try_join_all(searches).await? {
        for stored in &page.items {
            names.add(stored.resource()?.root());
        }
    }
    Ok(names)
}

/// Writes `medical_history` into the open object. Lists of types that the caller may not see are left out. It is null while the
/// search is away: reading a record by its id must not depend on that.
pub(super) async fn show(call: &Call, patient: &str, w: &mut Writer) -> Result<(), Problem> {
    // The read beside it concerns the patient already.
    let concern = Concern { action: Action::PhiSearch, patient: None };
    let gathered = match gather(call, patient, concern, &History::ALL.map(History::searches), |_, _, _, _| None).await {
        Err(problem) if problem.kind == ErrorKind::Unavailable => {
            w.key("medical_history").null();
            return Ok(());
        }
        gathered => gathered?,
    };
    let names = names(call, gathered.iter().flatten().flat_map(Gathered::roots)).await?;
    w.key("medical_history").object();
    for (list, found) in History::ALL.into_iter().zip(gathered) {
        if let Some(found) = found {
            w.key(list.name());
            list.show(&found.roots(), &names, w);
        }
    }
    w.end();
    Ok(())
}
