//! Resources that stand within others (`_contained`, R4 search.html#contained).
//!
//! The index knows of each record only which types it contains. So a search for contained resources reads the records that contain
//! the type, each as the caller may see it, and asks what they contain: `Query::matches`, the one meaning of a search. A contained
//! resource is for whom its container is, with the container's masks and labels; types that the caller may not search are as if
//! nothing of them were there. It was changed when its container was, and no reference from elsewhere leads to it.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use iris_access::Caller;
use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_index::{Page as Window, Position};
use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_kernel::{ErrorKind, Kind, Seq};
use iris_search::{
    Contained, ContainedAs, Criterion, Query, SearchDocument, Total, contained, contains_term, extract_as,
};

use crate::permits::{Granted, Permits};
use crate::refusal::Refusal;
use crate::search::Named;
use crate::stored::Stored;
use crate::{Records, mask};

/// Most records that one search looks into for what they contain.
pub const CONTAINERS_MAX: usize = 2_000;
/// How many of them are held in memory at once.
const HELD_MAX: usize = 100;

/// Something that was found within a record.
pub(crate) struct Inside {
    /// Where it stands in the order of the answer.
    pub(crate) position: Position,
    /// Among what has the same position, counted from 1: a record itself comes before what it contains.
    pub(crate) nth: u32,
    /// The record that contains it.
    pub(crate) seq: Seq,
    pub(crate) kind: Kind,
    pub(crate) granted: Arc<Granted>,
    /// What of the record is answered: what it contains in this place, or the whole.
    pub(crate) part: Option<usize>,
}

impl Inside {
    /// The record that contains it, to be read.
    pub(crate) fn named(&self) -> Named<'_> {
        Named { seq: self.seq, permit: &self.granted.permit, kind: self.kind }
    }
}

impl Records {
    /// What the searches find within records, in the order of the answer; nothing where they do not ask for it. They are as
    /// [`Records::answerable`] made them, and ask for it alike.
    ///
    /// # Errors
    /// More than [`CONTAINERS_MAX`] records contain what is searched.
    pub(crate) fn inside(&self, permits: &mut Permits, asked: &[Cow<'_, Query>]) -> Result<Vec<Inside>, Refusal> {
        let mut found = Vec::new();
        if asked.first().is_none_or(|query| query.contained == Contained::No) {
            return Ok(found);
        }
        let contains: Vec<Criterion> = asked.iter().map(|query| Criterion::Term(contains_term(query.kind))).collect();
        let mut room = CONTAINERS_MAX;
        for kind in definitions().kinds() {
            let Some(granted) = permits.get_unasked(kind) else { continue };
            let seqs = self.containers(permits, &granted, kind, &contains, &mut room)?;
            let asked: Vec<Cow<'_, Query>> =
                asked.iter().map(|query| mask::asked_as_of(&permits.caller, kind, query)).collect();
            for seqs in seqs.chunks(HELD_MAX) {
                for container in self.fetch(&granted.permit, kind, seqs)? {
                    look_into(&container, &asked, &granted, &mut found)?;
                }
            }
        }
        found.sort_by(|a, b| (&a.position, a.nth).cmp(&(&b.position, b.nth)));
        Ok(found)
    }

    /// The records of one type that contain something of what is searched.
    fn containers(
        &self,
        permits: &Permits,
        granted: &Granted,
        kind: Kind,
        contains: &[Criterion],
        room: &mut usize,
    ) -> Result<Vec<Seq>, Refusal> {
        let query = Query { all: vec![contains.to_vec()], total: Total::None, ..Query::everything(kind) };
        let (mut seqs, mut after) = (Vec::new(), None);
        loop {
            let window = Window { size: FHIR_PAGE_MAX, after };
            let hits = self.index.search(permits.caller.tenant, &query, &granted.restriction, window)?;
            *room = room.checked_sub(hits.seqs.len()).ok_or_else(too_wide)?;
            seqs.extend(hits.seqs);
            match hits.next {
                None => return Ok(seqs),
                next => after = next,
            }
        }
    }
}

/// Adds what the searches find within a record.
fn look_into(
    container: &Stored,
    asked: &[Cow<'_, Query>],
    granted: &Arc<Granted>,
    found: &mut Vec<Inside>,
) -> Result<(), Refusal> {
    let whole = container.whole()?;
    let mut here = Vec::new();
    for (place, inner) in (0..).zip(contained(&whole)) {
        let resource = Resource::parse(Bytes::copy_from_slice(inner.raw())).map_err(damaged)?;
        let mut document = None;
        for query in asked.iter().filter(|query| query.kind == resource.kind()) {
            let document = document.get_or_insert_with(|| within(&resource, container));
            if query.matches(document) {
                here.push(Inside {
                    position: Position::of_document(&query.sort, document, container.born),
                    nth: u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1),
                    seq: container.seq,
                    kind: container.kind,
                    granted: Arc::clone(granted),
                    part: Some(place),
                });
            }
        }
    }
    let Some(first) = asked.first().filter(|_| !here.is_empty()) else { return Ok(()) };
    if first.contained_as == ContainedAs::Itself {
        found.append(&mut here);
    } else if !is_found_itself(container, &whole, asked) {
        // Once, where the first of what it contains would stand.
        let best = here.into_iter().min_by(|a, b| (&a.position, a.nth).cmp(&(&b.position, b.nth)));
        found.extend(best.map(|best| Inside { part: None, ..best }));
    }
    Ok(())
}

/// What a contained resource is found by.
fn within(resource: &Resource, container: &Stored) -> SearchDocument {
    let id = resource.id().unwrap_or_default();
    // Its id is one within its container: it is not the record that has the same one.
    SearchDocument { own: 0, ..extract_as(resource, &id, container.at) }
}

/// Whether the same answer has the record as a match.
fn is_found_itself(container: &Stored, whole: &Resource, asked: &[Cow<'_, Query>]) -> bool {
    let of_kind = |query: &&Cow<'_, Query>| query.contained == Contained::Both && query.kind == container.kind;
    asked.iter().find(of_kind).is_some_and(|query| query.matches(&extract_as(whole, &container.id, container.at)))
}

impl Stored {
    /// What the record contains in a place, as this caller sees it, in the place of the whole.
    ///
    /// # Errors
    /// When what is stored does not parse or contains nothing there, which only damage can cause.
    pub(crate) fn part(self, place: usize, caller: &Caller) -> Result<Self, Refusal> {
        let whole = self.whole()?;
        let nothing =
            || Refusal::new(ErrorKind::Damaged, "", "the stored record does not contain what was found in it");
        let inner = contained(&whole).nth(place).ok_or_else(nothing)?;
        let body = Bytes::copy_from_slice(inner.raw());
        let part = Some(inner.str_of("id").unwrap_or_default().into_owned());
        let mut head = self.head;
        // What is masked may stand elsewhere in the record.
        head.sensitive = head.sensitive.filter(|has| !has);
        Self { body, part, head, whole: None, sensitive: mask::Sensitive::Absent, ..self }.seen_by(caller)
    }
}

fn damaged(cause: impl std::error::Error + Send + Sync + 'static) -> Refusal {
    Refusal::caused(ErrorKind::Damaged, "the stored record does not parse", cause)
}

fn too_wide() -> Refusal {
    let what = format!(
        "is too wide: more than {CONTAINERS_MAX} records contain a resource of what is searched; ask for one type with _type, or \
         search for what contains it"
    );
    Refusal::new(ErrorKind::TooLarge, "_contained", what)
}
