//! Resources that stand within others (`_contained`, R4 search.html#contained).
//!
//! The index knows of each record only which types it contains. So a search for contained resources reads the records that contain
//! the type, each as the caller may see it, and asks what they contain: `Query::matches`, the one meaning of a search. A contained
//! resource is for whom its container is, with the container's masks and labels; types that the caller may not search are as if
//! nothing of them were there. It was changed when its container was, and no reference from elsewhere leads to it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use iris_access::Caller;
use iris_fhir::Resource;
use iris_fhir::definitions::definitions;
use iris_fhir::json::Value;
use iris_index::{Page as Window, Position};
use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_kernel::{ErrorKind, Kind, Seq, Tenant};
use iris_search::{
    Contained, ContainedAs, Criterion, Query, SearchDocument, Total, contained, contains_term, extract_as,
};

use crate::mask::{Seen, Sensitive};
use crate::permits::{Granted, Permits};
use crate::refusal::Refusal;
use crate::search::Named;
use crate::stored::Stored;
use crate::{Records, mask};

/// Most records that one search looks into for what they contain.
pub const CONTAINERS_MAX: usize = 2_000;
/// Most that one search finds within them.
pub const WITHIN_MAX: usize = 20_000;
/// How many of them are held in memory at once: each may be as long as a body may be.
const HELD_MAX: usize = 4;

/// What is answered of records: of each, which places of the answer have what it contains in which place.
pub(crate) type Cuts<'a> = BTreeMap<Seq, (Named<'a>, Vec<(usize, usize)>)>;

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

    /// Its place in the order of the answer.
    fn place(&self) -> (&Position, u32) {
        (&self.position, self.nth)
    }
}

impl Records {
    /// What the searches find within records, in the order of the answer; nothing where they do not ask for it. They are as
    /// [`Records::answerable`] made them, and ask for it alike.
    ///
    /// # Errors
    /// More than [`CONTAINERS_MAX`] records contain what is searched, or more than [`WITHIN_MAX`] matches stand in them.
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
        found.sort_by(|a, b| a.place().cmp(&b.place()));
        Ok(found)
    }

    /// Cuts out what is answered of records, each with its place in the answer. A record is read and parsed once, however much of it
    /// is answered.
    pub(crate) fn cut(&self, tenant: Tenant, cuts: &Cuts<'_>) -> Result<Vec<(usize, Stored)>, Refusal> {
        let cuts: Vec<_> = cuts.values().collect();
        let mut items = Vec::new();
        for cuts in cuts.chunks(HELD_MAX) {
            let named: Vec<Named<'_>> = cuts.iter().map(|(named, _)| *named).collect();
            for (container, (named, places)) in self.fetch_each(tenant, &named)?.into_iter().zip(cuts) {
                container.cut(places, named.permit.caller(), &mut items)?;
            }
        }
        Ok(items)
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
    let Some(first) = asked.first() else { return Ok(()) };
    let whole = container.whole()?;
    let mut best: Option<Inside> = None;
    for (place, inner) in (0..).zip(contained(&whole)) {
        let resource = Resource::parse(Bytes::copy_from_slice(inner.raw())).map_err(damaged)?;
        let mut document = None;
        for query in asked.iter().filter(|query| query.kind == resource.kind()) {
            let document = document.get_or_insert_with(|| within(&resource, container));
            if !query.matches(document) {
                continue;
            }
            let inside = Inside {
                position: Position::of_document(&query.sort, document, container.born),
                nth: u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1),
                seq: container.seq,
                kind: container.kind,
                granted: Arc::clone(granted),
                part: Some(place),
            };
            match first.contained_as {
                ContainedAs::Itself if found.len() < WITHIN_MAX => found.push(inside),
                ContainedAs::Itself => return Err(too_much()),
                ContainedAs::Container if best.as_ref().is_some_and(|best| best.place() <= inside.place()) => {}
                ContainedAs::Container => best = Some(inside),
            }
        }
    }
    // Once, where the first of what it contains would stand.
    if let Some(best) = best.filter(|_| !is_found_itself(container, &whole, asked)) {
        found.push(Inside { part: None, ..best });
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
    /// What the record contains in some places, as this caller sees it, each with the place of the answer that it is for.
    ///
    /// # Errors
    /// When what is stored does not parse or contains nothing there, which only damage can cause.
    fn cut(&self, places: &[(usize, usize)], caller: &Caller, items: &mut Vec<(usize, Self)>) -> Result<(), Refusal> {
        let whole = self.whole()?;
        let inner: Vec<Value<'_>> = contained(&whole).collect();
        for (at, place) in places {
            let nothing =
                || Refusal::new(ErrorKind::Damaged, "", "the stored record does not contain what was found in it");
            items.push((*at, self.part(*inner.get(*place).ok_or_else(nothing)?, caller)?));
        }
        Ok(())
    }

    /// Something that the record contains, as this caller sees it, in the place of the whole.
    fn part(&self, inner: Value<'_>, caller: &Caller) -> Result<Self, Refusal> {
        let body = Bytes::copy_from_slice(inner.raw());
        let part = Some(inner.str_of("id").unwrap_or_default().into_owned());
        if self.sensitive == Sensitive::Masked {
            let Seen { body, whole, sensitive } = mask::seen_of_masked(body)?;
            return Ok(Self { body, whole, sensitive, part, ..self.clone() });
        }
        let mut alone = Self { body, whole: None, sensitive: Sensitive::Absent, part, ..self.clone() };
        // What the head knows of may stand elsewhere in the record.
        alone.head.sensitive = alone.head.sensitive.filter(|has| !has);
        alone.seen_by(caller)
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

fn too_much() -> Refusal {
    let what = format!(
        "is too wide: more than {WITHIN_MAX} matches stand within other records; narrow the search, or ask for the records that contain \
         them (_containedType=container)"
    );
    Refusal::new(ErrorKind::TooLarge, "_contained", what)
}
