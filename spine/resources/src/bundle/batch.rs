//! A batch: every entry by itself, in the order sent.

use std::sync::Arc;

use iris_access::{Caller, Create, Delete, Read, Search, Update};
use iris_audit::Sealed;
use iris_kernel::ErrorKind;
use iris_search::{Query, parse_query};
use iris_validation::Valid;

use crate::Records;
use crate::bundle::input::{EntryInput, Request};
use crate::bundle::resolve::Resolution;
use crate::lookups::Trail;
use crate::read::Instance;
use crate::refusal::Refusal;
use crate::search::Page;
use crate::trail::Who;
use crate::write::{CreateOptions, Written};

/// What became of one entry.
#[derive(Debug)]
pub enum EntryOutcome {
    /// It was written, or found to be there.
    Written(Written),
    /// It was read.
    Read(Instance),
    /// It was searched for.
    Found {
        /// The page.
        page: Page,
        /// What was asked, for the page's links.
        query: Box<Query>,
    },
    /// It was refused; the others were carried out all the same.
    Refused(Refusal),
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Batched {
    /// One outcome for each entry, in the order sent.
    pub outcomes: Vec<EntryOutcome>,
    /// The patients of whom what was read tells something, for the emergencies of the caller.
    pub concerns: Vec<String>,
}

impl Records {
    /// Carries out a batch.
    ///
    /// # Errors
    /// Only when the audit log is away; what an entry is refused for stands in its outcome.
    pub async fn batch(&self, caller: Arc<Caller>, entries: Vec<EntryInput>) -> Result<Batched, Refusal> {
        let mut batched = Batched::default();
        let who = Who::caller(&caller);
        for entry in entries {
            let mut trail = Trail::default();
            let outcome = self.batch_entry(&caller, entry, &mut trail).await;
            self.write_down(&who, &trail).await?;
            batched.outcomes.push(outcome.unwrap_or_else(EntryOutcome::Refused));
            batched.concerns.append(&mut trail.concerns);
        }
        Ok(batched)
    }

    async fn batch_entry(
        &self,
        caller: &Arc<Caller>,
        entry: EntryInput,
        trail: &mut Trail,
    ) -> Result<EntryOutcome, Refusal> {
        match entry.request {
            Request::Faulty(refusal) => Err(refusal),
            Request::Create { resource, if_none_exist } => {
                let permit = trail.permit(caller, Create, resource.kind())?;
                let resource = self.resolved(caller, resource, trail)?;
                let if_none_exist = if_none_exist
                    .map(|text| self.criteria(resource.kind(), &text).map(|query| (query, text)))
                    .transpose()
                    .map_err(|faults| Refusal::with(ErrorKind::NotSupported, faults))?;
                let options = CreateOptions { if_none_exist, ..CreateOptions::default() };
                self.create(&permit, &resource, &options).await.map(EntryOutcome::Written)
            }
            Request::Update { id, resource, if_match } => {
                let permit = trail.permit(caller, Update, resource.kind())?;
                let resource = self.resolved(caller, resource, trail)?;
                self.update(&permit, &id, &resource, if_match.into(), None).await.map(EntryOutcome::Written)
            }
            Request::Delete { kind, id, if_match } => {
                let permit = trail.permit(caller, Delete, kind)?;
                self.delete(&permit, &id, if_match).await.map(EntryOutcome::Written)
            }
            Request::Read { kind, id } => {
                let permit = trail.permit(caller, Read, kind)?;
                self.shown(self.read(&permit, &id)?, trail).await.map(EntryOutcome::Read)
            }
            Request::Search { kind, criteria } => {
                let permit = trail.permit(caller, Search, kind)?;
                let pairs: Vec<_> = form_urlencoded::parse(criteria.as_bytes()).into_owned().collect();
                let query = parse_query(kind, &pairs, &self.query_context())
                    .map_err(|faults| Refusal::with(ErrorKind::NotSupported, faults))?;
                trail.searchable(caller, &query)?;
                let page = self.shown(self.search(&permit, &query)?, trail).await?;
                Ok(EntryOutcome::Found { page, query: Box::new(query) })
            }
        }
    }

    async fn shown<T>(&self, sealed: Sealed<T>, trail: &mut Trail) -> Result<T, Refusal> {
        trail.concerns = sealed.concerns();
        self.audit.release(sealed).await.map_err(Refusal::from)
    }

    /// The resource with its conditional references resolved; everything else of it is left as sent.
    fn resolved(&self, caller: &Arc<Caller>, resource: Valid, trail: &mut Trail) -> Result<Valid, Refusal> {
        let mut resolution = Resolution::new(self.policy().references);
        resolution.trail = std::mem::take(trail);
        let resolved = self.resolve(caller, &resource, None, &mut resolution);
        *trail = resolution.trail;
        match resolved? {
            None => Ok(resource),
            Some(rewritten) => {
                Valid::check(rewritten).map_err(|(_, faults)| Refusal::with(ErrorKind::Internal, faults))
            }
        }
    }
}
