//! What the entries of a bundle will be called, and what their references to each other become.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use iris_access::Caller;
use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_fhir::json::{Edits, write_string};
use iris_fhir::reference::{Placed, Reference, placed_references};
use iris_kernel::{ErrorKind, Fault, Kind, RecordId, Version};
use iris_search::SearchDocument;
use iris_validation::Valid;

use crate::bundle::names::{Names, Site};
use crate::conditional::{Criteria, Gone};
use crate::lookups::Trail;
use crate::permits::Permits;
use crate::plan::Condition;
use crate::references::{Known, absent};
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::{Records, ReferencePolicy};

/// Where the id of a posted entry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ids {
    /// The server draws one, as HTTP demands of a POST.
    Fresh,
    /// The resource keeps its own, so that an import that is run again finds what it stored before.
    Kept,
}

/// What is known about the names in one bundle.
#[derive(Debug)]
pub(crate) struct Resolution {
    /// What a reference to an absent local resource means.
    absent: ReferencePolicy,
    /// What the entries are called on this server.
    names: Names,
    /// Conditional references that were looked up.
    conditional: HashMap<String, Result<(Kind, String), Vec<Fault>>>,
    /// Conditional creates of this bundle: the same criteria stand for the same record.
    pub(crate) created: HashMap<(Kind, String), String>,
    pub(crate) known: Known,
    pub(crate) trail: Trail,
    /// Records that an entry deletes.
    pub(crate) gone: Gone,
    /// Records that an entry makes, replaces or deletes: what the index says of them is not true any more.
    pub(crate) touched: HashSet<RecordId>,
    /// What is made or replaced, by type, as far as a conditional reference may mean it.
    pub(crate) pending: HashMap<Kind, Vec<(String, SearchDocument)>>,
    /// How many of these may still be compared with criteria.
    comparisons: usize,
}

/// Most comparisons of what a bundle writes with its own criteria.
const COMPARISONS_MAX: usize = 4_000_000;

/// What a reference becomes: itself (`None`), or another text that leads to this type; or what is wrong with it.
type Target = Result<Option<(Kind, String)>, Vec<Fault>>;

/// What a posted entry comes to.
pub(crate) enum Naming {
    /// A record to be made under this id.
    New(String),
    /// The same with criteria, and the claim on them.
    Claimed(String, Option<Condition>, Box<Criteria>),
    /// The record that its criteria stand for.
    Found(Box<Stored>),
    /// An earlier entry of the bundle with the same criteria makes it.
    Twin(String),
}

impl Resolution {
    pub(crate) fn new(absent: ReferencePolicy) -> Self {
        Self {
            absent,
            names: Names::default(),
            conditional: HashMap::new(),
            created: HashMap::new(),
            known: Known::default(),
            trail: Trail::default(),
            gone: Gone::new(),
            touched: HashSet::new(),
            pending: HashMap::new(),
            comparisons: COMPARISONS_MAX,
        }
    }

    /// Notes that the resource of an entry will be, or is, the record with this id, in this version.
    pub(crate) fn name(&mut self, full_url: Option<&str>, resource: &Resource, id: &str, version: Version) {
        if let Some(url) = full_url {
            self.names.add(url, resource, id, version);
        }
        self.known.add(resource.kind(), id.to_owned());
    }

    /// Notes that criteria are compared with what the bundle writes itself.
    ///
    /// # Errors
    /// That was done too often.
    pub(crate) fn compare(&mut self, times: usize) -> Result<(), Refusal> {
        let Some(left) = self.comparisons.checked_sub(times) else {
            let what = "the bundle has too many criteria to be compared with what it writes itself";
            return Err(Refusal::new(ErrorKind::TooLarge, "", what));
        };
        self.comparisons = left;
        Ok(())
    }

    /// Whether a `fullUrl` stands at two entries.
    pub(crate) fn has_name(&self, full_url: &str) -> bool {
        self.names.has(full_url)
    }
}

/// `Type/id`, or `Type/id/_history/version`.
pub(crate) fn address(kind: Kind, id: &str, version: Option<&str>) -> String {
    let name = definitions().name_of(kind);
    match version {
        Some(version) => format!("{name}/{id}/_history/{version}"),
        None => format!("{name}/{id}"),
    }
}

impl Records {
    /// Decides what a posted entry is called.
    pub(crate) fn name_entry(
        &self,
        caller: &Arc<Caller>,
        resource: &Valid,
        if_none_exist: Option<&str>,
        own: String,
        resolution: &mut Resolution,
    ) -> Result<Naming, Refusal> {
        let kind = resource.kind();
        let Some(criteria) = if_none_exist else { return Ok(Naming::New(own)) };
        let criteria =
            self.criteria(caller, kind, criteria).map_err(|refusal| refusal.below("/request/ifNoneExist"))?;
        let key = (kind, criteria.text.clone());
        if let Some(id) = resolution.created.get(&key) {
            return Ok(Naming::Twin(id.clone()));
        }
        match self.conditional(caller, &criteria, (&own, &resolution.gone), &mut resolution.trail)? {
            Ok(found) => Ok(Naming::Found(Box::new(found))),
            Err(condition) => {
                resolution.created.insert(key, own.clone());
                Ok(Naming::Claimed(own, condition, Box::new(criteria)))
            }
        }
    }

    /// The resource with every link to another entry, and every conditional reference, replaced by what it stands for. `None` where
    /// nothing had to be replaced. What stood in the record before a patch is left as it stands: it names nothing of this bundle.
    pub(crate) fn resolve(
        &self,
        caller: &Arc<Caller>,
        resource: &Resource,
        (full_url, standing): (Option<&str>, Option<&Resource>),
        resolution: &mut Resolution,
    ) -> Result<Option<Resource>, Refusal> {
        let site = Site::of(resource, full_url, standing);
        let mut edits = Edits::new();
        let mut faults = Vec::new();
        let mut changed = false;
        for placed in placed_references(resource) {
            match self.target(caller, &site, &placed, resolution)? {
                Ok(None) => {}
                Ok(Some((kind, text))) => {
                    faults.extend(placed.misleads_to(kind).map(|what| Fault::new(placed.value.pointer(), what)));
                    let mut json = Vec::new();
                    write_string(&text, &mut json);
                    edits.replace(placed.value, json);
                    changed = true;
                }
                Err(found) => faults.extend(found),
            }
        }
        changed |= resolution.names.relink(resource, &site, &mut edits, &mut faults);
        if !faults.is_empty() {
            return Err(Refusal::with(ErrorKind::Invalid, faults));
        }
        if !changed {
            return Ok(None);
        }
        Resource::parse(resource.json().edited(edits))
            .map(Some)
            .map_err(|e| Refusal::caused(ErrorKind::Internal, "the references could not be rewritten", e))
    }

    /// What one reference becomes.
    fn target(
        &self,
        caller: &Arc<Caller>,
        site: &Site<'_>,
        placed: &Placed<'_>,
        resolution: &mut Resolution,
    ) -> Result<Target, Refusal> {
        let text = placed.value.as_str().unwrap_or_default();
        let stands = site.stands(placed.value);
        if site.is_inner(&text) {
            return Ok(Ok(None));
        }
        if !stands && let Some(named) = resolution.names.target(site, &text) {
            return Ok(Ok(Some(named)));
        }
        let fault = |what: &str| Err(vec![Fault::new(placed.value.pointer(), what)]);
        Ok(match &placed.reference {
            Reference::Local { kind, id, .. } => {
                if self.refers_well(caller, resolution.absent, (*kind, id), &mut resolution.known)? {
                    Ok(None)
                } else if stands {
                    self.may_stand(caller, (*kind, id), &mut resolution.known)?;
                    Ok(None)
                } else {
                    Err(vec![absent(placed.value.pointer(), *kind)])
                }
            }
            _ if stands => Ok(None),
            Reference::Urn(_) => fault("refers to an entry that is not in this bundle: no fullUrl is equal to it"),
            Reference::Conditional { kind, query } => {
                if !resolution.conditional.contains_key(&*text) {
                    let found = self.referred(caller, *kind, query, resolution)?;
                    resolution.conditional.insert(text.clone().into_owned(), found);
                }
                match resolution.conditional.get(&*text).map_or(&Err(Vec::new()), |found| found) {
                    Ok((kind, id)) => Ok(Some((*kind, address(*kind, id, None)))),
                    Err(faults) => {
                        Err(faults.iter().map(|fault| Fault::new(placed.value.pointer(), fault.to_string())).collect())
                    }
                }
            }
            Reference::Absolute(url) => match self.own(url) {
                None => Ok(None),
                Some((kind, id, version)) if self.present(caller, kind, &id, &mut resolution.known)? => {
                    Ok(Some((kind, address(kind, &id, version.as_deref()))))
                }
                Some((kind, ..)) => Err(vec![absent(placed.value.pointer(), kind)]),
            },
            Reference::Contained(_) | Reference::Other => Ok(None),
        })
    }

    /// The one record that a conditional reference stands for, when the bundle is carried out, or what is wrong with the reference.
    ///
    /// # Errors
    /// A part that is needed is away or damaged, for which the reference can do nothing.
    fn referred(
        &self,
        caller: &Arc<Caller>,
        kind: Kind,
        criteria: &str,
        resolution: &mut Resolution,
    ) -> Result<Result<(Kind, String), Vec<Fault>>, Refusal> {
        let limit = 2 + resolution.touched.len();
        let looked = self.criteria(caller, kind, criteria).and_then(|criteria| {
            let found = self.lookup(caller, &criteria.query, limit, &mut resolution.trail)?;
            Ok((criteria, found))
        });
        let (criteria, found) = match looked {
            Ok(looked) => looked,
            Err(refusal) if refusal.is_ours() => return Err(refusal),
            Err(refusal) => return Ok(Err(refusal.faults)),
        };
        let own = |stored: &Stored| self.store.record_id(caller.tenant, stored.kind, &stored.id);
        let found = found.into_iter().filter(|stored| !resolution.touched.contains(&own(stored)));
        let mut meant: Vec<String> = found.map(|stored| stored.id).collect();
        let pending = resolution.pending.get(&kind).map_or(&[][..], Vec::as_slice);
        let asked = self.answerable(&mut Permits::of(caller), &criteria.query)?;
        meant.extend(pending.iter().filter(|(_, document)| asked.matches(document)).map(|(id, _)| id.clone()));
        let compared = pending.len();
        resolution.compare(compared)?;
        let fault = |what: &str| Err(vec![Fault::new("", what)]);
        Ok(match (meant.pop(), meant.pop()) {
            (Some(one), None) => Ok((kind, one)),
            (None, _) => fault("the conditional reference matches nothing"),
            (Some(_), Some(_)) => fault("the conditional reference matches more than one record"),
        })
    }
}
