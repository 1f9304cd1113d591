//! A batch: every entry by itself, in the order sent.

use std::sync::Arc;

use iris_access::{Caller, Create, Delete, Facts, Read, Search, Update, decide};
use iris_audit::Sealed;
use iris_fhir::Valid;
use iris_fhir::search::parse_query;
use iris_kernel::ErrorKind;

use crate::Records;
use crate::bundle::input::{EntryInput, Request};
use crate::bundle::resolve::Resolution;
use crate::read::Instance;
use crate::refusal::Refusal;
use crate::search::Page;
use crate::write::{CreateOptions, Written};

/// What became of one entry.
#[derive(Debug)]
pub enum EntryOutcome {
    /// It was written, or found to be there.
    Written(Written),
    /// It was read.
    Read(Instance),
    /// It was searched for; the criteria as sent come along for the page's own link.
    Found(Page),
    /// It was refused; the others were carried out all the same.
    Refused(Refusal),
}

impl Records {
    /// Carries out a batch.
    ///
    /// # Errors
    /// Only when the audit log is away; what an entry is refused for stands in its outcome.
    pub async fn batch(&self, caller: Arc<Caller>, entries: Vec<EntryInput>) -> Result<Vec<EntryOutcome>, Refusal> {
        let mut outcomes = Vec::with_capacity(entries.len());
        for entry in entries {
            outcomes.push(self.batch_entry(&caller, entry).await.unwrap_or_else(EntryOutcome::Refused));
        }
        Ok(outcomes)
    }

    async fn batch_entry(&self, caller: &Arc<Caller>, entry: EntryInput) -> Result<EntryOutcome, Refusal> {
        match entry.request {
            Request::Create { resource, if_none_exist } => {
                let permit = decide(caller, Create, &Facts::kind(resource.kind()))?;
                let resource = self.resolved(caller, resource)?;
                let if_none_exist = if_none_exist
                    .map(|text| self.criteria(resource.kind(), &text).map(|query| (query, text)))
                    .transpose()
                    .map_err(|faults| Refusal::with(ErrorKind::NotSupported, faults))?;
                let options = CreateOptions { if_none_exist, ..CreateOptions::default() };
                self.create(&permit, &resource, &options).await.map(EntryOutcome::Written)
            }
            Request::Update { id, resource, if_match } => {
                let permit = decide(caller, Update, &Facts::kind(resource.kind()))?;
                let resource = self.resolved(caller, resource)?;
                self.update(&permit, &id, &resource, if_match, None).await.map(EntryOutcome::Written)
            }
            Request::Delete { kind, id, if_match } => {
                let permit = decide(caller, Delete, &Facts::kind(kind))?;
                self.delete(&permit, &id, if_match).await.map(EntryOutcome::Written)
            }
            Request::Read { kind, id } => {
                let permit = decide(caller, Read, &Facts::kind(kind))?;
                self.shown(self.read(&permit, &id)?).await.map(EntryOutcome::Read)
            }
            Request::Search { kind, criteria } => {
                let permit = decide(caller, Search, &Facts::kind(kind))?;
                let pairs: Vec<_> = form_urlencoded::parse(criteria.as_bytes()).into_owned().collect();
                let query = parse_query(kind, &pairs, &self.query_context())
                    .map_err(|faults| Refusal::with(ErrorKind::NotSupported, faults))?;
                self.shown(self.search(&permit, &query)?).await.map(EntryOutcome::Found)
            }
        }
    }

    async fn shown<T>(&self, sealed: Sealed<T>) -> Result<T, Refusal> {
        self.audit.release(sealed).await.map_err(Refusal::from)
    }

    /// The resource with its conditional references resolved; everything else of it is left as sent.
    fn resolved(&self, caller: &Arc<Caller>, resource: Valid) -> Result<Valid, Refusal> {
        match self.resolve(caller.tenant, &resource, &mut Resolution::new(self.policy.references))? {
            None => Ok(resource),
            Some(rewritten) => {
                Valid::check(rewritten).map_err(|(_, faults)| Refusal::with(ErrorKind::Internal, faults))
            }
        }
    }
}
