//! Searching: the index says which, the store says what, and the cursor goes on where the page ended.

use std::borrow::Cow;
use std::mem::discriminant;

use iris_access::{Permit, Search};
use iris_audit::{Action as AuditAction, Event, Outcome, Sealed};
use iris_fhir::definitions::definitions;
use iris_index::{Page as Window, Position, Restriction};
use iris_kernel::limits::PAGE_DEFAULT;
use iris_kernel::{ErrorKind, Kind, Seq, Tenant};
use iris_search::{Contained, Query, Sort};

use crate::Records;
use crate::compartment::Compartment;
use crate::contained::{Cuts, Inside};
use crate::everything::describe;
use crate::include::Asked;
use crate::permits::Permits;
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;

/// Why a record is on a page (R4 Bundle.entry.search.mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It was searched for.
    Match,
    /// Another one refers to it, or it to another one.
    Include,
}

impl Mode {
    /// The code of R4.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Include => "include",
        }
    }
}

/// One page of a search.
#[derive(Debug)]
pub struct Page {
    /// The matches in order.
    pub items: Vec<Stored>,
    /// What comes along with them (`_include`, `_revinclude`), each once and none of it a match of this page.
    pub included: Vec<Stored>,
    /// The sealed cursor of the next page, where there is one.
    pub next: Option<String>,
    /// How many match in all, where it was asked for.
    pub total: Option<u64>,
    /// Whether that counts records, or was found through records, which only an emergency opens.
    pub lifted: bool,
}

impl Page {
    /// Whether more was found than is on the page, as far as it was counted.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.total.is_some_and(|total| total > self.items.len() as u64)
    }

    /// Everything on the page, the matches first, with the reason why it is there.
    pub fn entries(&self) -> impl Iterator<Item = (&Stored, Mode)> {
        let matches = self.items.iter().map(|stored| (stored, Mode::Match));
        matches.chain(self.included.iter().map(|stored| (stored, Mode::Include)))
    }
}

/// A row that the index named, and for what.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) seq: Seq,
    pub(crate) permit: &'a Permit<Search>,
    pub(crate) kind: Kind,
}

/// One search with the permit for the type that it looks through.
pub(crate) type One<'a> = (&'a Permit<Search>, &'a Query);

/// A place in an answer: a position, and for what was found within a record, which of that.
type Place = (Position, u32);

/// One match, before it is read.
enum Hit {
    /// By which search, which row.
    Record(usize, Seq),
    /// Which of what was found within records.
    Inside(usize),
}

/// What several searches found together.
struct Found {
    /// In the order of the answer.
    rows: Vec<(Place, Hit)>,
    /// What was found within records, on all pages.
    inside: Vec<Inside>,
    more: bool,
    total: Option<u64>,
}

impl Records {
    /// Runs a search. What the caller may not see is left out before anything is matched, counted or paged.
    ///
    /// # Errors
    /// A cursor of another search, an index that is being rebuilt, a damaged record, a chain that is too wide, too much that would
    /// come along. What is refused for how much there is tells of records, and is in the log before it is refused.
    pub fn search(&self, permit: &Permit<Search>, query: &Query) -> Result<Sealed<Page>, Refusal> {
        self.answer(&[(permit, query)], None)
    }

    /// Runs a search over several types, in one order and with one cursor (R4 http.html#search, the whole system): the searches are
    /// the same parameters read for each type. Page size, cursor and what comes along are those of the first.
    ///
    /// # Errors
    /// As [`Records::search`]; searches of different orders.
    pub fn search_several(&self, searches: &[(Permit<Search>, Query)]) -> Result<Sealed<Page>, Refusal> {
        let searches: Vec<One<'_>> = searches.iter().map(|(permit, query)| (permit, query)).collect();
        self.answer(&searches, None)
    }

    /// Runs searches within one compartment (R4 http.html#vsearch): `Patient/1/Observation`, or with a search for each of
    /// [`Compartment::kinds`] `Patient/1/*`.
    ///
    /// # Errors
    /// As [`Records::search_several`]; a type that is never in such a compartment.
    pub fn search_within(
        &self,
        compartment: &Compartment,
        searches: &[(Permit<Search>, Query)],
    ) -> Result<Sealed<Page>, Refusal> {
        let searches: Vec<One<'_>> = searches.iter().map(|(permit, query)| (permit, query)).collect();
        self.answer(&searches, Some(compartment))
    }

    fn answer(&self, searches: &[One<'_>], compartment: Option<&Compartment>) -> Result<Sealed<Page>, Refusal> {
        let Some(&(first, query)) = searches.first() else {
            let page = Page { items: Vec::new(), included: Vec::new(), next: None, total: Some(0), lifted: false };
            return Ok(self.audit.seal(page, Vec::new()));
        };
        let (who, tenant) = (Who::caller(first.caller()), first.tenant());
        let differs = |(permit, other): &One<'_>| permit.tenant() != tenant || !are_sorted_alike(query, other);
        if searches.iter().any(differs) {
            return Err(Refusal::new(ErrorKind::Internal, "", "the searches of one answer differ in tenant or order"));
        }
        let mut bound: Vec<u8> =
            searches.iter().flat_map(|(permit, query)| cursor_binding(&who, query, permit)).collect();
        bound.extend(compartment.map(Compartment::reference).unwrap_or_default().into_bytes());
        let after = query.cursor.as_deref().map(|text| self.opened(query, text, &bound)).transpose()?;
        let size = if query.summary_count { 0 } else { query.count.unwrap_or(PAGE_DEFAULT) };
        let mut permits = Permits::of(first.caller());
        let mut event = self.event(&who, if size == 0 { AuditAction::PhiCount } else { AuditAction::PhiSearch });
        event.query = text_of(searches, compartment);
        let (page, next) = match self.page(&mut permits, searches, compartment, (size, after), &mut event) {
            Err(refusal) if refusal.kind == ErrorKind::TooLarge => {
                event.outcome = Outcome::Failure;
                let refusal = refusal.about(&event.patients);
                for event in [Some(event), permits.denied(self, &who)].iter().flatten() {
                    let _receipt = self.audit.record_blocking(event)?;
                }
                return Err(refusal);
            }
            found => found?,
        };
        let next = next.map(|place| self.sealed(query, &place, &bound));
        let events = [Some(event), permits.denied(self, &who)].into_iter().flatten().collect();
        Ok(self.audit.seal(Page { next, ..page }, events))
    }

    /// The page behind a place, and where the next one begins; the event has what of it was read, also where it is refused.
    fn page(
        &self,
        permits: &mut Permits,
        searches: &[One<'_>],
        compartment: Option<&Compartment>,
        window: (usize, Option<Place>),
        event: &mut Event,
    ) -> Result<(Page, Option<Place>), Refusal> {
        let asked = self.asked(permits, searches, compartment)?;
        let found = self.find(permits, searches, &asked, window)?;
        let items = self.read_found(permits.caller.tenant, searches, &found)?;
        let along = Asked::of(searches.iter().map(|(_, query)| *query));
        let included = self.included(permits, &along, &items).inspect_err(|_| describe(event, items.iter()))?;
        describe(event, items.iter().chain(&included));
        let Found { rows, more, total, .. } = found;
        let lifted = self.is_lifted(permits, searches, compartment, (&asked, total))?;
        let next = rows.into_iter().last().filter(|_| more).map(|(place, _)| place);
        Ok((Page { items, included, next: None, total, lifted }, next))
    }

    /// The searches as the index can answer them.
    fn asked<'q>(
        &self,
        permits: &mut Permits,
        searches: &[One<'q>],
        compartment: Option<&Compartment>,
    ) -> Result<Vec<Cow<'q, Query>>, Refusal> {
        let mut asked = Vec::with_capacity(searches.len());
        for (_, query) in searches {
            let mut resolved = self.answerable(permits, query)?;
            if let Some(compartment) = compartment {
                if query.contained != Contained::No {
                    let what = "is not supported within a compartment; search the type itself";
                    return Err(Refusal::new(ErrorKind::NotSupported, "_contained", what));
                }
                let never = || {
                    let name = definitions().name_of(query.kind);
                    Refusal::new(ErrorKind::NotSupported, "", format!("{name} is never in such a compartment"))
                };
                resolved.to_mut().all.push(compartment.criteria(query.kind).ok_or_else(never)?);
            }
            asked.push(resolved);
        }
        Ok(asked)
    }

    /// Lays what the searches find over each other. A position means the same in each of them, so one is where all go on.
    fn find(
        &self,
        permits: &mut Permits,
        searches: &[One<'_>],
        asked: &[Cow<'_, Query>],
        (size, after): (usize, Option<Place>),
    ) -> Result<Found, Refusal> {
        let inside = self.inside(permits, asked)?;
        let total = asked.iter().all(|query| query.total.is_wanted() || query.summary_count);
        let total = total.then_some(inside.len() as u64);
        let mut found = Found { rows: Vec::new(), inside, more: false, total };
        let is_behind = |inside: &Inside| {
            after.as_ref().is_none_or(|(position, nth)| (&inside.position, inside.nth) > (position, *nth))
        };
        let hits = found.inside.iter().enumerate().filter(|(_, inside)| is_behind(inside));
        let hits = hits.map(|(at, inside)| ((inside.position.clone(), inside.nth), Hit::Inside(at)));
        found.rows = hits.take(size.saturating_add(1)).collect();
        for (place, ((permit, _), query)) in
            searches.iter().zip(asked).enumerate().filter(|(_, (_, query))| finds_records(query))
        {
            let window = Window { size, after: after.as_ref().map(|(position, _)| position.clone()) };
            let hits = self.index.search(permit.tenant(), query, &permits.within(permit), window)?;
            found.more |= hits.next.is_some();
            found.total = found.total.and_then(|sum| Some(sum + hits.total?));
            let rows = hits.positions.into_iter().zip(hits.seqs);
            found.rows.extend(rows.map(|(position, seq)| ((position, 0), Hit::Record(place, seq))));
        }
        if searches.len() > 1 || !found.inside.is_empty() {
            found.rows.sort_by(|a, b| a.0.cmp(&b.0));
            found.more |= found.rows.len() > size;
            found.rows.truncate(size);
        }
        Ok(found)
    }

    /// Reads the matches of a page.
    fn read_found(&self, tenant: Tenant, searches: &[One<'_>], found: &Found) -> Result<Vec<Stored>, Refusal> {
        let (mut whole, mut cuts) = (Vec::new(), Cuts::new());
        for (at, (_, hit)) in found.rows.iter().enumerate() {
            match hit {
                Hit::Record(place, seq) => {
                    let search = searches.get(*place);
                    whole.extend(search.map(|(permit, query)| (at, Named { seq: *seq, permit, kind: query.kind })));
                }
                Hit::Inside(place) => {
                    let Some(inside) = found.inside.get(*place) else { continue };
                    match inside.part {
                        None => whole.push((at, inside.named())),
                        Some(part) => {
                            cuts.entry(inside.seq).or_insert_with(|| (inside.named(), Vec::new())).1.push((at, part));
                        }
                    }
                }
            }
        }
        let (places, named): (Vec<usize>, Vec<Named<'_>>) = whole.into_iter().unzip();
        let mut items: Vec<(usize, Stored)> = places.into_iter().zip(self.fetch_each(tenant, &named)?).collect();
        items.append(&mut self.cut(tenant, &cuts)?);
        items.sort_by_key(|(at, _)| *at);
        Ok(items.into_iter().map(|(_, stored)| stored).collect())
    }

    /// The place that a cursor stands for.
    fn opened(&self, query: &Query, cursor: &str, bound: &[u8]) -> Result<Place, Refusal> {
        let clear = self.cursors.open_bytes(cursor, bound)?;
        if query.contained == Contained::No {
            return Ok((Position::from_bytes(&clear), 0));
        }
        let (position, nth) = clear.split_last_chunk::<4>().ok_or_else(crate::cursor::refused)?;
        Ok((Position::from_bytes(position), u32::from_be_bytes(*nth)))
    }

    /// The cursor of what comes after a place.
    fn sealed(&self, query: &Query, (position, nth): &Place, bound: &[u8]) -> String {
        let mut clear = position.as_bytes().to_vec();
        if query.contained != Contained::No {
            clear.extend(nth.to_be_bytes());
        }
        self.cursors.seal_bytes(&clear, bound, self.entropy.as_ref())
    }

    /// Whether the answer would be another one without the emergencies of the caller: a total tells of records though it shows none,
    /// and a chain of those that it leads through.
    fn is_lifted(
        &self,
        permits: &Permits,
        searches: &[One<'_>],
        compartment: Option<&Compartment>,
        (asked, total): (&[Cow<'_, Query>], Option<u64>),
    ) -> Result<bool, Refusal> {
        if permits.caller.view.glass().is_empty() {
            return Ok(false);
        }
        let mut permits = Permits::unlifted(&permits.caller);
        let unlifted = self.asked(&mut permits, searches, compartment)?;
        if *unlifted != *asked {
            return Ok(true);
        }
        let Some(total) = total else { return Ok(false) };
        let mut count = self.inside(&mut permits, &unlifted)?.len() as u64;
        for ((permit, _), query) in searches.iter().zip(&unlifted).filter(|(_, query)| finds_records(query)) {
            count += self.index.count(permit.tenant(), query, &permits.within(permit))?;
        }
        Ok(count != total)
    }

    /// The rows that the index named for one search.
    pub(crate) fn fetch(&self, permit: &Permit<Search>, kind: Kind, seqs: &[Seq]) -> Result<Vec<Stored>, Refusal> {
        let named: Vec<Named<'_>> = seqs.iter().map(|&seq| Named { seq, permit, kind }).collect();
        self.fetch_each(permit.tenant(), &named)
    }

    /// The rows that the index named. Rows are never removed or changed, so one that is not there, or is not what was searched for,
    /// is of another history than the one that the index followed: nothing is shown, and the index looks for itself.
    pub(crate) fn fetch_each(&self, tenant: Tenant, named: &[Named<'_>]) -> Result<Vec<Stored>, Refusal> {
        let seqs: Vec<Seq> = named.iter().map(|named| named.seq).collect();
        let rows = self.store.rows(tenant, &seqs)?;
        let mut found = Vec::with_capacity(named.len());
        for (row, Named { permit, kind, .. }) in rows.into_iter().zip(named) {
            let Some(row) = row.filter(|row| row.kind == *kind && !row.deleted) else { return Err(self.doubted()) };
            let stored = Stored::from_found(row)?;
            if !permit.admits(&stored.head.facts()) {
                return Err(self.doubted());
            }
            found.push(stored.seen_by(permit.caller())?);
        }
        Ok(found)
    }

    fn doubted(&self) -> Refusal {
        if self.store.is_shared() {
            self.index.doubt();
            return Refusal::new(ErrorKind::Unavailable, "", "the search index does not fit the store now; try again");
        }
        Refusal::new(ErrorKind::Damaged, "", "the index names a record that is not stored")
    }

    /// The live records that match and that the caller may see, at most `limit`, for conditional references and creates. Something
    /// is decided by them, so what other nodes have written until now is looked through as well.
    pub(crate) fn matching(
        &self,
        permits: &mut Permits,
        permit: &Permit<Search>,
        query: &Query,
        limit: usize,
    ) -> Result<Vec<Stored>, Refusal> {
        self.caught_up()?;
        let query = self.answerable(permits, query)?;
        let window = Window { size: limit, after: None };
        let hits = self.index.search(permit.tenant(), &query, &within(permit), window)?;
        self.fetch(permit, query.kind, &hits.seqs)
    }
}

/// Whether positions of one search mean the same in another: the values sorted by are of the same sort and compare alike.
pub(crate) fn are_sorted_alike(one: &Query, other: &Query) -> bool {
    let alike = |(a, b): (&Sort, &Sort)| a.order == b.order && discriminant(&a.key) == discriminant(&b.key);
    one.sort.len() == other.sort.len() && one.sort.iter().zip(&other.sort).all(alike)
}

/// What a permit lets a search find, in the index's terms.
pub(crate) fn within(permit: &Permit<Search>) -> Restriction {
    Restriction { clauses: permit.restriction().clauses() }
}

/// The search as the log keeps it, sealed there: `Type?parameters`.
pub(crate) fn query_text(query: &Query) -> String {
    let mut text = format!("{}?", definitions().name_of(query.kind));
    append_parameters(&mut text, query);
    text
}

fn append_parameters(text: &mut String, query: &Query) {
    for (i, (name, value)) in query.applied.iter().enumerate() {
        text.push_str(if i == 0 { "" } else { "&" });
        text.extend([name, "=", value]);
    }
}

/// Whether records are matches by themselves, and not only what they contain.
fn finds_records(query: &Query) -> bool {
    query.contained != Contained::Only
}

/// Most types of one search that the log names one by one; more are `*`.
const NAMED_TYPES_MAX: usize = 20;

/// Searches for one answer as the log keeps them: `Patient/1/Observation,Condition?parameters`.
fn text_of(searches: &[One<'_>], compartment: Option<&Compartment>) -> String {
    let mut text = compartment.map(|compartment| compartment.reference() + "/").unwrap_or_default();
    if searches.len() > NAMED_TYPES_MAX {
        text.push('*');
    } else {
        let names: Vec<_> = searches.iter().map(|(_, query)| definitions().name_of(query.kind)).collect();
        text.push_str(&names.join(","));
    }
    text.push('?');
    if let Some((_, query)) = searches.first() {
        append_parameters(&mut text, query);
    }
    text
}

/// What a cursor is bound to: it cannot be used by somebody else, for another search or under another restriction.
pub(crate) fn cursor_binding(who: &Who, query: &Query, permit: &Permit<Search>) -> Vec<u8> {
    let mut bound = Vec::new();
    bound.extend_from_slice(&who.tenant.0.to_be_bytes());
    bound.extend_from_slice(&who.actor.id);
    let pairs = query.applied.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    // Each text with its length, and their number: a value may look like a parameter.
    bound.extend_from_slice(&(query.applied.len() as u64).to_be_bytes());
    for text in std::iter::once(definitions().name_of(query.kind)).chain(pairs) {
        bound.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bound.extend_from_slice(text.as_bytes());
    }
    bound.extend_from_slice(&permit.restriction().digest());
    bound
}
