//! Looking entries up, newest first.

use iris_kernel::{Tenant, Timestamp};
use iris_store::{AuditRow, StoreError};

use crate::audit::Audit;
use crate::catalogue::{Action, DataClass, Outcome};
use crate::entry::{self, EntryFault, Header};
use crate::error::AuditError;
use crate::event::{Details, Event};
use crate::log;
use crate::sealed::Sealed;

/// Most positions that one call looks at. What is beyond it is reached by the page's `next`.
pub const QUERY_POSITIONS_MAX: u64 = 20_000;
/// Positions fetched at once.
const BLOCK: u64 = 512;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorFilter {
    /// The subject with this UUID.
    Id([u8; 16]),
    /// A subject with exactly this name.
    Name(String),
}

/// Which entries are wanted: those of one tenant that meet every condition given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Whose log.
    pub tenant: Tenant,
    /// Who did it.
    pub actor: Option<ActorFilter>,
    /// One of these actions; empty for any.
    pub actions: Vec<Action>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Concerning the patient with this id.
    pub patient: Option<String>,
    /// Concerning this resource, `Type/id` (then any version) or `Type/id/_history/version`.
    pub resource: Option<String>,
}

impl Filter {
    /// Every entry of a tenant.
    #[must_use]
    pub const fn tenant(tenant: Tenant) -> Self {
        Self {
            tenant,
            actor: None,
            actions: Vec::new(),
            outcome: None,
            from: None,
            until: None,
            patient: None,
            resource: None,
        }
    }
}

/// Which part of the matches is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Older than this position: the `next` of the page before. `None` for the newest.
    pub before: Option<u64>,
    /// Most entries.
    pub size: usize,
}

/// The sealed part of an entry, as far as it can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Opened.
    Open(Box<Details>),
    /// The key was destroyed or is missing.
    Shredded,
    /// Not what the header commits to; verification locates it.
    Damaged(EntryFault),
}

/// Whether the log vouches for an entry yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofState {
    /// It is under a signed checkpoint: nobody can change it unnoticed any more.
    Proven,
    /// It has a place in the log that no checkpoint signs yet.
    Pending,
}

impl ProofState {
    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Pending => "pending",
        }
    }

    const fn of(position: u64, signed: u64) -> Self {
        if position < signed { Self::Proven } else { Self::Pending }
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its log position, which is its public id.
    pub position: u64,
    /// The signed part.
    pub header: Header,
    /// The sealed part.
    pub content: Content,
    /// Whether the log vouches for it.
    pub proof: ProofState,
}

/// A page of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// Where to go on; `None` at the end. A page with few entries or none but a `next` only means that the limit of work
    /// for one call was reached.
    pub next: Option<u64>,
    /// Positions whose entry is gone or has no readable header; verification locates them.
    pub unreadable: u64,
    /// Entries that are durable, of any tenant, but have no place in the log yet, so that no page can hold them: those of the last
    /// moment, or all since the log has stopped ([`crate::LogStatus::fault`]).
    pub pending: u64,
}

impl Audit {
    /// Looks entries up. Blocks (it reads up to [`QUERY_POSITIONS_MAX`] rows); `event` is the access that this query is.
    ///
    /// # Errors
    /// The store's; [`AuditError::Unavailable`] if the follower is gone.
    pub fn query(&self, filter: &Filter, page: Page, event: Event) -> Result<Sealed<Entries>, AuditError> {
        let status = self.settled()?;
        let signed = self.signed(&status);
        let size = self.store.log_size()?;
        let start = page.before.map_or(size, |before| before.min(size));
        let stop = start.saturating_sub(QUERY_POSITIONS_MAX);
        let mut found = Entries { pending: self.waiting()?, ..Entries::default() };
        let mut at = start;
        while at > stop && found.next.is_none() {
            let from = at.saturating_sub(BLOCK).max(stop);
            let slots = log::slots(&self.store, from, at)?;
            found.unreadable += (at - from).saturating_sub(slots.len() as u64);
            for slot in slots.into_iter().rev() {
                let Some((header, row)) = slot.row.and_then(|row| Some((Header::decode(&row.header).ok()?, row)))
                else {
                    found.unreadable += 1;
                    continue;
                };
                let Some(content) = self.matching(filter, &header, &row)? else { continue };
                found.entries.push(Entry {
                    position: slot.position,
                    header,
                    content,
                    proof: ProofState::of(slot.position, signed),
                });
                if found.entries.len() >= page.size {
                    found.next = Some(slot.position);
                    break;
                }
            }
            at = from;
        }
        found.next = found.next.or(Some(at)).filter(|next| *next > 0);
        Ok(self.seal(found, vec![event]))
    }

    /// One entry of a tenant by its position; `None` if there is none, or if it is another tenant's.
    ///
    /// # Errors
    /// The store's.
    pub fn entry(&self, tenant: Tenant, position: u64, event: Event) -> Result<Sealed<Option<Entry>>, AuditError> {
        let slot = log::slots(&self.store, position, position.saturating_add(1))?.pop();
        let mut entry = None;
        if let Some(row) = slot.and_then(|slot| slot.row)
            && let Ok(header) = Header::decode(&row.header)
            && let Some(content) = self.matching(&Filter::tenant(tenant), &header, &row)?
        {
            let proof = ProofState::of(position, self.signed(&self.status()));
            entry = Some(Entry { position, header, content, proof });
        }
        Ok(self.seal(entry, vec![event]))
    }

    /// The content of an entry that matches; nothing is opened that the header already rules out.
    fn matching(&self, filter: &Filter, header: &Header, row: &AuditRow) -> Result<Option<Content>, AuditError> {
        let actor = match &filter.actor {
            Some(ActorFilter::Id(id)) => header.actor == self.actor_token(filter.tenant, id),
            Some(ActorFilter::Name(_)) | None => true,
        };
        let wanted = header.tenant == filter.tenant
            && actor
            && (filter.actions.is_empty() || filter.actions.contains(&header.action))
            && filter.outcome.is_none_or(|outcome| header.outcome == outcome)
            && filter.from.is_none_or(|from| header.at >= from)
            && filter.until.is_none_or(|until| header.at < until)
            // Details of another class name no patient, so they need not be opened.
            && (filter.patient.is_none() || header.action.class() == DataClass::Health);
        if !wanted {
            return Ok(None);
        }
        let content = self.content(header, &row.details)?;
        let matches = match &content {
            Content::Open(details) => details_match(filter, details),
            // Nobody can say any more whom a shredded entry concerned.
            Content::Shredded => {
                filter.patient.is_none()
                    && filter.resource.is_none()
                    && !matches!(filter.actor, Some(ActorFilter::Name(_)))
            }
            // Damage is shown rather than filtered away.
            Content::Damaged(_) => true,
        };
        Ok(matches.then_some(content))
    }

    /// Opens the details of an entry.
    pub(crate) fn content(&self, header: &Header, details: &[u8]) -> Result<Content, AuditError> {
        if entry::commitment(details) != header.commitment {
            return Ok(Content::Damaged(EntryFault::Details));
        }
        let key_id = match entry::key_id(details) {
            Ok(key_id) => key_id,
            Err(fault) => return Ok(Content::Damaged(fault)),
        };
        let key = match self.store.data_key_by_id(iris_store::KeyId(key_id)) {
            Ok(key) => key,
            Err(StoreError::Damaged { .. }) => return Ok(Content::Shredded),
            Err(error) => return Err(error.into()),
        };
        let opened = entry::open(header, details, &key)
            .and_then(|opened| serde_json::from_str(&opened.text).map_err(|_| EntryFault::Details));
        Ok(match opened {
            Ok(details) => Content::Open(Box::new(details)),
            Err(fault) => Content::Damaged(fault),
        })
    }
}

fn details_match(filter: &Filter, details: &Details) -> bool {
    let name = match &filter.actor {
        Some(ActorFilter::Name(name)) => details.name == *name,
        Some(ActorFilter::Id(_)) | None => true,
    };
    let patient = filter.patient.as_ref().is_none_or(|patient| details.patients.contains(patient));
    let resource = filter.resource.as_ref().is_none_or(|wanted| {
        details.resources.iter().any(|resource| {
            resource.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with("/_history/"))
        })
    });
    name && patient && resource
}
