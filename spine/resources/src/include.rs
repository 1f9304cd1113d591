//! What comes along with the matches of a search: the records that they refer to (`_include`), those that refer to them
//! (`_revinclude`), and with `:iterate` what these lead to in turn (R4 search.html#revinclude).
//!
//! Every record is there by the caller's own permit for its type, once, and in its current version, also where a reference names an
//! earlier one. One question to the index and one reading of the store fetch all records of a step.

use std::collections::{BTreeSet, HashSet};

use iris_fhir::definitions::{ParamKind, definitions};
use iris_index::Page as Window;
use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_kernel::{ErrorKind, Kind};
use iris_search::term::{HEAD_BYTES, Mode};
use iris_search::{Criterion, Include, Query, SearchDocument, Targets, Total, extract_as, join_key};

use crate::Records;
use crate::permits::{Ids, Permits, Whose};
use crate::refusal::Refusal;
use crate::search::Named;
use crate::stored::Stored;

/// Most records that come along with one page.
pub const INCLUDED_MAX: usize = 1_000;
/// Most references that are followed one after the other with `:iterate`.
pub const INCLUDE_STEPS_MAX: usize = 16;

/// What is asked for beside the matches.
#[derive(Default)]
pub(crate) struct Asked<'a> {
    includes: Vec<&'a Include>,
    rev_includes: Vec<&'a Include>,
}

impl<'a> Asked<'a> {
    /// Of searches for one answer, each of which has its own share.
    pub(crate) fn of(queries: impl Iterator<Item = &'a Query>) -> Self {
        let mut asked = Self::default();
        for query in queries {
            for (all, own) in [(&mut asked.includes, &query.includes), (&mut asked.rev_includes, &query.rev_includes)] {
                for include in own {
                    if !all.contains(&include) {
                        all.push(include);
                    }
                }
            }
        }
        asked
    }

    fn is_nothing(&self) -> bool {
        self.includes.is_empty() && self.rev_includes.is_empty()
    }
}

/// Records by type and id.
type Known = HashSet<(Kind, String)>;

impl Records {
    /// The records that come along with these.
    ///
    /// # Errors
    /// More than [`INCLUDED_MAX`] records or [`INCLUDE_STEPS_MAX`] steps: a part of them is never answered for the whole.
    pub(crate) fn included(
        &self,
        permits: &mut Permits,
        asked: &Asked<'_>,
        matches: &[Stored],
    ) -> Result<Vec<Stored>, Refusal> {
        let mut included: Vec<Stored> = Vec::new();
        if asked.is_nothing() || matches.is_empty() {
            return Ok(included);
        }
        let mut known: Known = matches.iter().map(key).collect();
        let mut step = self.led_step(permits, asked, matches, &known, Only::All)?;
        for _ in 0..INCLUDE_STEPS_MAX {
            known.extend(step.iter().map(key));
            if included.len() + step.len() > INCLUDED_MAX {
                return Err(too_many());
            }
            let next = self.led_step(permits, asked, &step, &known, Only::Iterated)?;
            included.append(&mut step);
            if next.is_empty() {
                return Ok(included);
            }
            step = next;
        }
        let what = format!("leads on over more than {INCLUDE_STEPS_MAX} references; ask without :iterate");
        Err(Refusal::new(ErrorKind::TooLarge, "_include", what))
    }

    /// What these records lead to, without what is known already.
    fn led_step(
        &self,
        permits: &mut Permits,
        asked: &Asked<'_>,
        from: &[Stored],
        known: &Known,
        only: Only,
    ) -> Result<Vec<Stored>, Refusal> {
        if from.is_empty() {
            return Ok(Vec::new());
        }
        let counts = |include: &&&Include| only == Only::All || include.iterate;
        let mut wanted = Ids::new();
        for stored in from {
            let begins = |include: &&&Include| include.source.is_none_or(|source| source == stored.kind);
            let mut includes = asked.includes.iter().filter(counts).filter(begins).peekable();
            if includes.peek().is_none() {
                continue;
            }
            let document = extract_as(&stored.whole()?, &stored.id, stored.at);
            for include in includes {
                for (kind, id) in led_to(&document, include.param) {
                    let wants = include.target.is_none_or(|target| target == kind);
                    if wants && !known.contains(&(kind, id.to_owned())) {
                        wanted.entry(kind).or_default().insert(id.to_owned());
                    }
                }
            }
        }
        if wanted.values().map(BTreeSet::len).sum::<usize>() > INCLUDED_MAX {
            return Err(too_many());
        }
        let mut found = self.fetch_ids(permits, &wanted, Whose::All)?;
        let mut here: Known = found.iter().map(key).collect();
        for include in asked.rev_includes.iter().filter(counts) {
            let sources = match include.source {
                Some(source) => vec![source],
                None => definitions().kinds().collect(),
            };
            for source in sources {
                let referring = self.referring(permits, include, source, from)?;
                found.extend(
                    referring.into_iter().filter(|stored| !known.contains(&key(stored)) && here.insert(key(stored))),
                );
                if found.len() > INCLUDED_MAX {
                    return Err(too_many());
                }
            }
        }
        Ok(found)
    }

    /// The records of a type that refer to one of these.
    fn referring(
        &self,
        permits: &mut Permits,
        include: &Include,
        source: Kind,
        to: &[Stored],
    ) -> Result<Vec<Stored>, Refusal> {
        let wants = |stored: &&Stored| include.target.is_none_or(|target| target == stored.kind);
        let to: Vec<&Stored> = to.iter().filter(wants).collect();
        let params = definitions().params_of(source).iter().filter(|param| {
            let leads = |stored: &&Stored| param.targets.is_empty() || param.targets.contains(&stored.kind);
            let asked = include.param.is_none_or(|index| index == param.index);
            param.kind == ParamKind::Reference && asked && to.iter().any(leads)
        });
        let targets = Targets::shared(to.iter().map(|stored| join_key(stored.kind, &stored.id)).collect());
        let refers: Vec<Criterion> =
            params.map(|param| Criterion::Refers { param: param.index, to: targets.clone() }).collect();
        if refers.is_empty() {
            return Ok(Vec::new());
        }
        let granted = if include.source.is_some() { permits.get(source) } else { permits.get_unasked(source) };
        let Some(granted) = granted else { return Ok(Vec::new()) };
        let query = Query { all: vec![refers], total: Total::None, ..Query::everything(source) };
        let window = Window { size: FHIR_PAGE_MAX, after: None };
        let hits = self.index.search(permits.caller.tenant, &query, &granted.restriction, window)?;
        if hits.next.is_some() {
            return Err(too_many());
        }
        let named = hits.seqs.iter().map(|&seq| Named { seq, permit: &granted.permit, kind: source });
        self.fetch_each(permits.caller.tenant, &named.collect::<Vec<_>>())
    }
}

/// Which of the includes count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    All,
    Iterated,
}

fn key(stored: &Stored) -> (Kind, String) {
    (stored.kind, stored.id.clone())
}

/// The records of this server to which a resource refers under a parameter, or under any.
fn led_to(document: &SearchDocument, param: Option<u16>) -> impl Iterator<Item = (Kind, &str)> {
    document.terms.iter().filter_map(move |term| {
        let (head, value) = term.split_first_chunk::<HEAD_BYTES>()?;
        let [high, low, mode] = *head;
        let counts = param.is_none_or(|param| param.to_be_bytes() == [high, low]);
        let (name, id) =
            std::str::from_utf8(value).ok().filter(|_| counts && mode == Mode::Local as u8)?.split_once('/')?;
        Some((definitions().kind_of(name)?, id))
    })
}

fn too_many() -> Refusal {
    let what = format!("brings along more than {INCLUDED_MAX} records; ask for smaller pages with _count, or for less");
    Refusal::new(ErrorKind::TooLarge, "_include", what)
}
