//! `Patient/{id}/$everything`: the patient, all that is in their compartment, and what that refers to, such as practitioners,
//! organizations, locations and medications (R4 patient-operation-everything.html).
//!
//! The compartment comes in pages, in the order in which its records were first stored, the patient first; with the last of these pages,
//! and on as many more as it takes, come the records that it refers to over [`REFERENCE_STEPS`] references, as long as they are in
//! nobody's compartment, each once. Each record is there by the caller's own permit for its type.

mod outside;

use std::collections::BTreeSet;
use std::sync::Arc;

use iris_access::{Permit, Read};
use iris_audit::{Action as AuditAction, Event, Outcome, Sealed};
use iris_fhir::definitions::{ParamKind, definitions};
use iris_index::{Page as Window, Position};
use iris_kernel::limits::{FAULTS_MAX, FHIR_PAGE_MAX, SEARCH_ALTERNATIVES_MAX};
use iris_kernel::{ErrorKind, Fault, Kind, Seq};
use iris_search::{
    Criterion, DateOp, Order, Query, Sort, SortKey, date, date_slot, may_be_of_patients, parameter, term,
};

use crate::compartment::Compartment;
use crate::permits::{Granted, Permits};
use crate::refusal::Refusal;
use crate::search::{Named, Page};
use crate::stored::Stored;
use crate::trail::Who;
use crate::{PATIENT, Records, mask};
use outside::{Inside, Outside, too_large};

/// How many references are followed from a record of the compartment.
pub const REFERENCE_STEPS: usize = 3;
/// Most records outside of the compartment that one record leads to.
pub const REFERRED_MAX: usize = 20_000;
/// Most records of the compartment: what they refer to is gathered from all of them.
pub const WALKED_MAX: usize = 100_000;
/// The parameters that say when care was given, the first that a type has counts; what has none of them is there whenever it was. No
/// type is named: the same code means the same in each.
const CARE_DATES: [&str; 22] = [
    "date",
    "onset-date",
    "occurrence",
    "authoredon",
    "authored-on",
    "effective",
    "effective-time",
    "whenhandedover",
    "started",
    "collected",
    "identified",
    "start-date",
    "datewritten",
    "datetime",
    "sent",
    "authored",
    "event-date",
    "period",
    "created",
    "recorded",
    "recorded-date",
    "issued",
];

/// A stretch of time, in microseconds since 1970: `[low, high)`.
type Stretch = (i64, i64);

/// What of a patient's record is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Everything {
    /// Only what was written at this time or later; the patient, and what others refer to, is there all the same.
    since: Option<Stretch>,
    /// Only care from this time on.
    start: Option<Stretch>,
    /// Only care until this time.
    end: Option<Stretch>,
    /// Only these types; none: all.
    kinds: Vec<Kind>,
    /// Most records of the compartment on a page.
    count: Option<usize>,
    cursor: Option<String>,
    /// What was asked, without the cursor: for the links and the log.
    applied: Vec<(String, String)>,
}

impl Everything {
    /// Reads the operation's parameters: `_since`, `start`, `end`, `_type`, `_count`, `_cursor`.
    ///
    /// # Errors
    /// Every fault at once, by the name of its parameter.
    pub fn parse(pairs: &[(String, String)]) -> Result<Self, Refusal> {
        let (mut asked, mut faults) = (Self::default(), Vec::new());
        for (at, (name, value)) in pairs.iter().enumerate() {
            let again = name != "_type" && pairs[..at].iter().any(|(other, _)| other == name);
            let taken = if again { Err("may stand only once".to_owned()) } else { asked.take(name, value) };
            match taken {
                Err(what) => faults.push(Fault::new(name.clone(), what)),
                Ok(()) if name != "_cursor" => asked.applied.push((name.clone(), value.clone())),
                Ok(()) => {}
            }
        }
        faults.truncate(FAULTS_MAX);
        if faults.is_empty() { Ok(asked) } else { Err(Refusal::with(ErrorKind::NotSupported, faults)) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let moment =
            || date::range(value).map(Some).ok_or_else(|| "needs a date or time such as 2013-01-14".to_owned());
        match name {
            "_since" => self.since = moment()?,
            "start" => self.start = moment()?,
            "end" => self.end = moment()?,
            "_type" => {
                for name in value.split(',') {
                    let kind =
                        definitions().kind_of(name).ok_or("needs names of resource types, with commas between")?;
                    self.kinds.push(kind);
                }
                self.kinds.truncate(SEARCH_ALTERNATIVES_MAX);
            }
            "_count" => match value.parse::<usize>() {
                Ok(count) if (1..=FHIR_PAGE_MAX).contains(&count) => self.count = Some(count),
                _ => return Err(format!("must be a whole number from 1 to {FHIR_PAGE_MAX}")),
            },
            "_cursor" => self.cursor = Some(value.to_owned()),
            _ => {
                return Err("is no parameter of $everything; there are _since, start, end, _type and _count".to_owned());
            }
        }
        Ok(())
    }

    /// The parameters that were understood, as sent and in order, without the cursor: what the links show.
    #[must_use]
    pub fn applied(&self) -> &[(String, String)] {
        &self.applied
    }

    /// The opaque position after which the page starts, as the caller sent it.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn shows(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// The types to look through: those that are shown, or all where something is shown that only they lead to.
    fn walked(&self) -> Vec<Kind> {
        let leads = self.kinds.iter().any(|kind| !may_be_of_patients(*kind));
        Compartment::kinds(*PATIENT).into_iter().filter(|kind| leads || self.shows(*kind)).collect()
    }

    /// The search for what of one type is wanted, without the patient's own record, which is there by itself.
    fn query(&self, kind: Kind, compartment: &Compartment) -> Option<Query> {
        let mut query = Query::everything(kind);
        query.sort = vec![Sort { key: SortKey::Recent, order: Order::Ascending }];
        query.all.push(compartment.criteria(kind)?);
        if let Some((low, high)) = self.since {
            let slot = date_slot(kind, "_lastUpdated")?;
            query.all.push(vec![Criterion::Date { slot, op: DateOp::Ge, low, high }]);
        }
        // What is no day of care is not left out: a date that is before or after is, and not a date that is missing.
        let dated = CARE_DATES.into_iter().filter(|_| kind != *PATIENT).find_map(|code| date_slot(kind, code));
        if let Some(slot) = dated {
            let outside = [(self.start, DateOp::Eb), (self.end, DateOp::Sa)];
            let outside = outside.into_iter().filter_map(|(moment, op)| Some((moment?, op)));
            query.none.extend(outside.map(|((low, high), op)| vec![Criterion::Date { slot, op, low, high }]));
        }
        if kind == *PATIENT {
            let id = parameter(kind, "_id").filter(|param| param.kind == ParamKind::Token)?;
            query.none.push(vec![Criterion::Term(term::code(id.index, &compartment.id))]);
        }
        Some(query)
    }
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// In the compartment; `None` where nothing but the patient was shown.
    Compartment(Option<Position>),
    /// Outside of it, behind the record that was first stored then.
    Outside(Seq),
}

/// Stands before a place in the compartment, and before one outside of it.
const IN_COMPARTMENT: u8 = 0;
const OUTSIDE: u8 = 1;

impl Place {
    fn encode(&self) -> Vec<u8> {
        let (sort, rest) = match self {
            Self::Compartment(after) => {
                (IN_COMPARTMENT, after.as_ref().map(|after| after.as_bytes().to_vec()).unwrap_or_default())
            }
            Self::Outside(after) => (OUTSIDE, after.0.to_be_bytes().to_vec()),
        };
        [vec![sort], rest].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&IN_COMPARTMENT, []) => Some(Self::Compartment(None)),
            (&IN_COMPARTMENT, after) => Some(Self::Compartment(Some(Position::from_bytes(after)))),
            (&OUTSIDE, after) => Some(Self::Outside(Seq(u64::from_be_bytes(after.try_into().ok()?)))),
            _ => None,
        }
    }
}

/// One type that is looked through.
struct Part {
    query: Query,
    granted: Arc<Granted>,
}

/// What was found of the compartment.
struct Found {
    items: Vec<Stored>,
    /// Behind what the next page goes on, if there is one.
    next: Option<Place>,
    /// How much of the compartment is shown on all pages.
    total: u64,
    /// How much of it is looked through for what it refers to.
    walked: u64,
}

impl Records {
    /// One page of a patient's whole record: [`Page::items`] are of their compartment, [`Page::included`] is what those refer to. What
    /// is refused is refused under the seal, as the log must know of it first: a patient who is not there, or not for this caller, and,
    /// once the patient was found, a type that was asked for by name and may not be searched, a cursor of something else, more than
    /// [`WALKED_MAX`] records in the compartment or [`REFERRED_MAX`] that they lead to, an index that is being rebuilt, a damaged record.
    ///
    /// # Errors
    /// The patient's own record cannot be read, or is damaged.
    pub fn everything(
        &self,
        permit: &Permit<Read>,
        id: &str,
        asked: &Everything,
    ) -> Result<Sealed<Result<Page, Refusal>>, Refusal> {
        let who = Who::caller(permit.caller());
        let mut event = self.event(&who, AuditAction::PhiSearch);
        event.query = everything_text(id, asked);
        let patient = match self.whole_record(permit, id, &mut event)? {
            Ok(patient) => patient,
            Err(refusal) => return Ok(self.audit.seal(Err(refusal), vec![event])),
        };
        let mut permits = Permits::of(permit.caller());
        let page = self.gathered(&mut permits, &patient, &bound(&who, permit, id, asked), asked);
        let mut denied = None;
        match &page {
            Ok(page) => describe(&mut event, page.entries().map(|(stored, _)| stored)),
            // Whatever it is, it tells that the patient is there.
            Err(_) => {
                event.outcome = Outcome::Failure;
                denied = permits.denied(self, &who);
            }
        }
        Ok(self.audit.seal(page, [Some(event), denied].into_iter().flatten().collect()))
    }

    /// One page of the whole record of a patient whom the caller sees.
    fn gathered(
        &self,
        permits: &mut Permits,
        patient: &Stored,
        bound: &[u8],
        asked: &Everything,
    ) -> Result<Page, Refusal> {
        let parts = self.parts(permits, &patient.id, asked)?;
        let place = match &asked.cursor {
            None => None,
            Some(cursor) => {
                let opened = self.cursors.open_bytes(cursor, bound)?;
                Some(Place::decode(&opened).ok_or_else(crate::cursor::refused)?)
            }
        };
        let Found { mut items, next, total, walked } = self.page_of(&parts, patient, place.as_ref(), asked)?;
        if walked > WALKED_MAX as u64 {
            return Err(too_large());
        }
        let mut referred = Outside::default();
        if next.is_none() {
            let after = if let Some(Place::Outside(after)) = place { after } else { Seq(0) };
            let inside = if place.is_none() { Inside::Held(&items) } else { Inside::Walked(patient, &parts) };
            referred = self.outside(permits, &inside, after, asked)?;
        }
        items.retain(|stored| asked.shows(stored.kind));
        let next = next.or(referred.next.map(Place::Outside));
        let next = next.map(|place| self.cursors.seal_bytes(&place.encode(), bound, self.entropy.as_ref()));
        Ok(Page { items, included: referred.items, next, total: Some(total), lifted: false })
    }

    /// The patient's own record, or why there is none; the entry of the log says which.
    fn whole_record(
        &self,
        permit: &Permit<Read>,
        id: &str,
        event: &mut Event,
    ) -> Result<Result<Stored, Refusal>, Refusal> {
        if permit.kind() != Some(*PATIENT) {
            return Err(Refusal::new(ErrorKind::Internal, "", "the permit is not for patients"));
        }
        event.resources.push(format!("{}/{id}", definitions().name_of(*PATIENT)));
        let row = self.store.current(permit.tenant(), *PATIENT, id)?;
        let Some(stored) = row.map(|row| Stored::from_row(row, id.to_owned())).transpose()? else {
            event.outcome = Outcome::Failure;
            return Ok(Err(Refusal::not_found()));
        };
        event.patients.clone_from(&stored.head.patients);
        if !permit.admits(&stored.head.facts()) {
            event.action = AuditAction::PhiDenied;
            event.outcome = Outcome::Denied;
            return Ok(Err(Refusal::not_found()));
        }
        if stored.deleted {
            event.outcome = Outcome::Failure;
            return Ok(Err(Refusal::new(ErrorKind::Gone, "", "the record was deleted")));
        }
        Ok(Ok(stored.seen_by(permit.caller())?))
    }

    /// The types that are looked through, each with its own permit. One that was asked for by name must be allowed, the others are
    /// left out where they are not.
    fn parts(&self, permits: &mut Permits, id: &str, asked: &Everything) -> Result<Vec<Part>, Refusal> {
        let compartment = Compartment { owner: *PATIENT, id: id.to_owned() };
        for kind in &asked.kinds {
            if permits.get(*kind).is_none() {
                let name = definitions().name_of(*kind);
                return Err(Refusal::new(ErrorKind::Forbidden, "_type", format!("you may not search {name}")));
            }
        }
        let parts = asked.walked().into_iter().filter_map(|kind| {
            let granted = permits.get_unasked(kind)?;
            Some(Part { query: asked.query(kind, &compartment)?, granted })
        });
        Ok(parts.collect())
    }

    /// The next records of the compartment; the patient stands before all others, on the first page.
    fn page_of(
        &self,
        parts: &[Part],
        patient: &Stored,
        place: Option<&Place>,
        asked: &Everything,
    ) -> Result<Found, Refusal> {
        let is_own = place.is_none() && (asked.shows(patient.kind) || !parts.is_empty());
        let size = match place {
            Some(Place::Outside(_)) => 0,
            _ => asked.count.unwrap_or(FHIR_PAGE_MAX).saturating_sub(usize::from(is_own)),
        };
        let after = if let Some(Place::Compartment(after)) = place { after.clone() } else { None };
        let mut found: Vec<(Position, &Part, Seq)> = Vec::new();
        let (mut total, mut walked) = (u64::from(asked.shows(*PATIENT)), 0);
        let mut more = false;
        for part in parts {
            let window = Window { size, after: after.clone() };
            let (tenant, restriction) = (part.granted.permit.tenant(), &part.granted.restriction);
            let hits = self.index.search(tenant, &part.query, restriction, window)?;
            let count = hits.total.unwrap_or_default();
            more |= hits.next.is_some() || (size == 0 && count > 0);
            total += if asked.shows(part.query.kind) { count } else { 0 };
            walked += count;
            found.extend(hits.positions.into_iter().zip(hits.seqs).map(|(position, seq)| (position, part, seq)));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        more |= found.len() > size;
        found.truncate(size);
        let is_behind = matches!(place, Some(Place::Outside(_)));
        let next =
            (more && !is_behind).then(|| Place::Compartment(found.last().map(|(position, ..)| position.clone())));
        let named: Vec<Named<'_>> = found
            .iter()
            .map(|(_, part, seq)| Named { seq: *seq, permit: &part.granted.permit, kind: part.query.kind })
            .collect();
        let mut items: Vec<Stored> = is_own.then(|| patient.clone()).into_iter().collect();
        if let Some(part) = parts.first() {
            items.extend(self.fetch_each(part.granted.permit.tenant(), &named)?);
        }
        Ok(Found { items, next, total, walked })
    }
}

/// The operation as the log keeps it.
fn everything_text(id: &str, asked: &Everything) -> String {
    let mut text = format!("{}/{id}/$everything?", definitions().name_of(*PATIENT));
    for (at, (name, value)) in asked.applied.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "&" });
        text.extend([name, "=", value]);
    }
    text
}

/// What a cursor is bound to.
fn bound(who: &Who, permit: &Permit<Read>, id: &str, asked: &Everything) -> Vec<u8> {
    let text = everything_text(id, asked);
    let length = (text.len() as u64).to_be_bytes();
    let parts: [&[u8]; 5] =
        [&who.tenant.0.to_be_bytes(), &who.actor.id, &length, text.as_bytes(), &permit.restriction().digest()];
    parts.concat()
}

/// Names the records of an answer in its entry of the log.
pub(crate) fn describe<'a>(event: &mut Event, shown: impl Iterator<Item = &'a Stored>) {
    let mut patients: BTreeSet<String> = event.patients.drain(..).collect();
    let mut classes = Vec::new();
    let mut resources = Vec::new();
    for stored in shown {
        classes.push((stored.kind, stored.sensitive));
        patients.extend(stored.head.patients.iter().cloned());
        resources.push(stored.versioned_reference());
    }
    event.resources = resources;
    event.patients = patients.into_iter().collect();
    event.fields = mask::classes_of(classes.into_iter());
}
