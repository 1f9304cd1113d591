//! A batch: every entry by itself, in the order sent.

use std::sync::Arc;

use bytes::Bytes;
use iris_access::{Caller, Create, Delete, Permit, Read, Search, Update, VersionRead};
use iris_audit::Sealed;
use iris_fhir::Subset;
use iris_kernel::limits::{BODY_BYTES_MAX, BUNDLE_ENTRIES_MAX};
use iris_kernel::{ErrorKind, Kind, Timestamp, Version};
use iris_search::{Query, Summary};
use iris_validation::Valid;

use crate::Records;
use crate::bundle::input::{EntryInput, Part, Request, Whose};
use crate::bundle::resolve::Resolution;
use crate::change::{Content, Which};
use crate::lookups::Trail;
use crate::read::{Instance, kind_of};
use crate::refusal::Refusal;
use crate::search::Page;
use crate::stored::Stored;
use crate::trail::Who;
use crate::write::{CreateOptions, Precondition, Written};

/// Most records that the entries of one bundle read together: as many as it may have entries that read one each.
pub const BUNDLE_READ_MAX: usize = BUNDLE_ENTRIES_MAX;
/// Most bytes of what they read: as many as may be sent.
pub const BUNDLE_READ_BYTES_MAX: usize = BODY_BYTES_MAX;

/// What became of one entry.
#[derive(Debug)]
pub enum EntryOutcome {
    /// It was written, or found to be there.
    Written(Written),
    /// What its criteria matched was deleted: nothing, one record or several.
    Deleted(Vec<Written>),
    /// It was read, and this part of it is shown.
    Read(Instance, Part),
    /// It was read, and is what the caller has already.
    Unchanged(Version, Timestamp),
    /// It was searched for.
    Found {
        /// The page.
        page: Page,
        /// What was asked, for the page's links.
        query: Box<Query>,
        /// What of the page is shown.
        part: Part,
    },
    /// It was refused; the others were carried out all the same.
    Refused(Refusal),
}

/// What became of a batch or transaction.
#[derive(Debug, Default)]
pub struct Batched {
    /// One outcome for each entry, in the order sent.
    pub outcomes: Vec<EntryOutcome>,
    /// The patients of whom what was read tells something, for the emergencies of the caller.
    pub concerns: Vec<String>,
}

impl Batched {
    /// Adds what became of an entry that was read.
    pub(crate) fn take(&mut self, outcome: Result<EntryOutcome, Refusal>, trail: &mut Trail) {
        self.outcomes.push(outcome.unwrap_or_else(EntryOutcome::Refused));
        self.concerns.append(&mut trail.concerns);
    }
}

/// What the entries of a bundle may still read: all of it is held until the answer to the last of them is known.
pub(crate) struct Room {
    records: usize,
    bytes: usize,
    /// Whether there was something that did not fit. Nothing more is read then, however small: that is only work.
    is_full: bool,
}

impl Room {
    pub(crate) const fn new() -> Self {
        Self { records: BUNDLE_READ_MAX, bytes: BUNDLE_READ_BYTES_MAX, is_full: false }
    }

    /// Makes room for what was read.
    ///
    /// # Errors
    /// Too large: it does not fit.
    fn take<'a>(&mut self, read: impl IntoIterator<Item = &'a Stored>) -> Result<(), Refusal> {
        for stored in read {
            let bytes = stored.body.len() + stored.whole.as_ref().map_or(0, |whole| whole.len());
            match (self.records.checked_sub(1), self.bytes.checked_sub(bytes)) {
                (Some(records), Some(bytes)) => (self.records, self.bytes) = (records, bytes),
                _ => self.is_full = true,
            }
        }
        self.open()
    }

    /// # Errors
    /// Too large: something did not fit already.
    fn open(&self) -> Result<(), Refusal> {
        if !self.is_full {
            return Ok(());
        }
        let what = format!(
            "the entries of one bundle read at most {BUNDLE_READ_MAX} records of {BUNDLE_READ_BYTES_MAX} bytes together; ask in \
             another bundle, or for shorter pages (_count)"
        );
        Err(Refusal::new(ErrorKind::TooLarge, "/request/url", what))
    }
}

impl Records {
    /// Carries out a batch.
    ///
    /// # Errors
    /// Only when the audit log is away; what an entry is refused for stands in its outcome.
    pub async fn batch(&self, caller: Arc<Caller>, entries: Vec<EntryInput>) -> Result<Batched, Refusal> {
        let mut batched = Batched::default();
        let who = Who::caller(&caller);
        let mut room = Room::new();
        for entry in entries {
            let mut trail = Trail::default();
            let outcome = self.batch_entry(&caller, entry, &mut room, &mut trail).await;
            self.write_down(&who, &trail).await?;
            batched.take(outcome, &mut trail);
        }
        Ok(batched)
    }

    async fn batch_entry(
        &self,
        caller: &Arc<Caller>,
        entry: EntryInput,
        room: &mut Room,
        trail: &mut Trail,
    ) -> Result<EntryOutcome, Refusal> {
        let written = match entry.request {
            Request::Faulty(refusal) => return Err(refusal),
            Request::Create { resource, if_none_exist } => {
                let permit = trail.permit(caller, Create, resource.kind())?;
                let resource = self.resolved(caller, resource, trail)?;
                let if_none_exist =
                    if_none_exist.map(|text| self.criteria(caller, resource.kind(), &text)).transpose()?;
                let options = CreateOptions { if_none_exist, ..CreateOptions::default() };
                self.create(&permit, &resource, &options).await?
            }
            Request::Update { whose, resource, precondition } => {
                let permit = trail.permit(caller, Update, resource.kind())?;
                let resource = self.resolved(caller, resource, trail)?;
                let content = Content::Sent(&resource);
                self.replaced(&permit, &whose, content, precondition).await?
            }
            Request::Patch { kind, whose, patch, if_match } => {
                let permit = trail.permit(caller, Update, kind)?;
                self.replaced(&permit, &whose, Content::Changed(&patch), if_match.into()).await?
            }
            Request::Delete { kind, whose: Whose::Id(id), if_match } => {
                let permit = trail.permit(caller, Delete, kind)?;
                self.delete(&permit, &id, if_match).await?
            }
            Request::Delete { kind, whose: Whose::Criteria(text), if_match } => {
                let permit = trail.permit(caller, Delete, kind)?;
                unconditional(if_match)?;
                return self
                    .delete_where(&permit, &self.criteria(caller, kind, &text)?)
                    .await
                    .map(EntryOutcome::Deleted);
            }
            request @ (Request::Read { .. } | Request::Search { .. }) => {
                return self.look(caller, &request, room, trail).await;
            }
        };
        Ok(EntryOutcome::Written(written))
    }

    async fn replaced(
        &self,
        permit: &Permit<Update>,
        whose: &Whose,
        content: Content<'_>,
        precondition: Precondition,
    ) -> Result<Written, Refusal> {
        match whose {
            Whose::Id(id) => self.update(permit, Which::Id(id), content, precondition, None).await,
            Whose::Criteria(text) => {
                let criteria = self.criteria(permit.caller(), kind_of(permit)?, text)?;
                self.update(permit, Which::Criteria(&criteria), content, precondition, None).await
            }
        }
    }

    /// Carries out an entry that reads or searches. Of what is not shown only what stands beside it is kept.
    pub(crate) async fn look(
        &self,
        caller: &Arc<Caller>,
        request: &Request,
        room: &mut Room,
        trail: &mut Trail,
    ) -> Result<EntryOutcome, Refusal> {
        room.open()?;
        match request {
            Request::Read { kind, id, version, unless, part } => {
                let sealed = match version {
                    None => self.read(&trail.permit(caller, Read, *kind)?, id)?,
                    Some(version) => self.version_read(&trail.permit(caller, VersionRead, *kind)?, id, *version)?,
                };
                Ok(match self.shown(sealed, trail).await? {
                    Instance::Found(stored) if *unless == Some(stored.version) => {
                        EntryOutcome::Unchanged(stored.version, stored.at)
                    }
                    Instance::Found(mut stored) => {
                        if *part == Part::Head {
                            (stored.body, stored.whole) = (Bytes::new(), None);
                        }
                        room.take([&*stored])?;
                        EntryOutcome::Read(Instance::Found(stored), part.clone())
                    }
                    instance => EntryOutcome::Read(instance, part.clone()),
                })
            }
            Request::Search { kind, criteria, part } => {
                let query = self.search_of(caller, *kind, criteria, trail)?;
                let permit = trail.permit(caller, Search, *kind)?;
                let mut page = self.shown(self.search(&permit, &query)?, trail).await?;
                let part = if *part == Part::Head { Part::Head } else { part_of(&query) };
                if part == Part::Head {
                    (page.items, page.included) = (Vec::new(), Vec::new());
                }
                room.take(page.items.iter().chain(&page.included))?;
                Ok(EntryOutcome::Found { page, query: Box::new(query), part })
            }
            _ => Err(Refusal::new(ErrorKind::Internal, "", "the entry is none that reads")),
        }
    }

    /// What an entry searches for, if the caller may.
    pub(crate) fn search_of(
        &self,
        caller: &Arc<Caller>,
        kind: Kind,
        criteria: &str,
        trail: &mut Trail,
    ) -> Result<Query, Refusal> {
        trail.permit(caller, Search, kind)?;
        let pairs: Vec<_> = form_urlencoded::parse(criteria.as_bytes()).into_owned().collect();
        let query = self.query_of(caller, kind, &pairs);
        let query = query.map_err(|faults| Refusal::with(ErrorKind::NotSupported, faults))?;
        trail.searchable(caller, &query)?;
        Ok(query)
    }

    async fn shown<T>(&self, sealed: Sealed<T>, trail: &mut Trail) -> Result<T, Refusal> {
        trail.concerns = sealed.concerns();
        self.audit.release(sealed).await.map_err(Refusal::from)
    }

    /// The resource with its conditional references resolved; everything else of it is left as sent.
    fn resolved(&self, caller: &Arc<Caller>, resource: Valid, trail: &mut Trail) -> Result<Valid, Refusal> {
        let mut resolution = Resolution::new(self.policy().references);
        resolution.trail = std::mem::take(trail);
        let resolved = self.resolve(caller, &resource, (None, None), &mut resolution);
        *trail = resolution.trail;
        match resolved? {
            None => Ok(resource),
            Some(rewritten) => {
                Valid::check(rewritten).map_err(|(_, faults)| Refusal::with(ErrorKind::Internal, faults))
            }
        }
    }
}

/// What of each match a search asks for.
fn part_of(query: &Query) -> Part {
    match query.summary {
        Summary::True => Part::Subset(Subset::Summary),
        Summary::Text => Part::Subset(Subset::Text),
        Summary::Data => Part::Subset(Subset::Data),
        Summary::False if query.elements.is_empty() => Part::Whole,
        Summary::False => Part::Subset(Subset::Elements(query.elements.clone())),
    }
}

/// A version is one record's: criteria that may match several have none.
pub(crate) fn unconditional(if_match: Option<Version>) -> Result<(), Refusal> {
    match if_match {
        None => Ok(()),
        Some(_) => Err(Refusal::new(ErrorKind::Invalid, "/request/ifMatch", "goes with Type/id only")),
    }
}
