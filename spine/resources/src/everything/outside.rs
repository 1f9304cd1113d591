//! What the compartment refers to outside of every compartment: each record once over all pages, without remembering any.
//!
//! These records have an order of their own, that in which they were first stored, and come behind the compartment. For each page of
//! them the compartment is walked through again and what it leads to is gathered; the page has the first of it behind the last one that
//! was shown. What is written meanwhile can add to what is behind that place and never brings anything back from before it.

use std::collections::{BTreeMap, HashSet};

use iris_fhir::reference::{Reference, references};
use iris_index::Page as Window;
use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_kernel::{ErrorKind, Kind, Seq};
use iris_search::{Query, Total};

use super::{Everything, Part, REFERENCE_STEPS, REFERRED_MAX, WALKED_MAX};
use crate::permits::{Ids, Permits, Whose};
use crate::refusal::Refusal;
use crate::search::Named;
use crate::stored::Stored;
use crate::{PATIENT, Records};

/// Most records outside of the compartment on one page.
pub(super) const OUTSIDE_PAGE: usize = FHIR_PAGE_MAX;

/// One page of what is outside.
#[derive(Default)]
pub(super) struct Outside {
    pub(super) items: Vec<Stored>,
    /// Behind what the next page begins, if there is one.
    pub(super) next: Option<Seq>,
}

/// What the compartment consists of.
pub(super) enum Inside<'a> {
    /// All of it is here.
    Held(&'a [Stored]),
    /// The patient, and what these searches find.
    Walked(&'a Stored, &'a [Part]),
}

/// Records by type and id.
type Names = HashSet<(Kind, String)>;

/// What is referred to.
#[derive(Default)]
struct Referred {
    /// Everything that was ever asked for.
    known: Names,
    /// What is to be asked for next.
    wanted: Ids,
}

impl Referred {
    /// Adds what a record refers to.
    ///
    /// # Errors
    /// More than [`REFERRED_MAX`] records beside those of the compartment.
    fn follow(&mut self, stored: &Stored) -> Result<(), Refusal> {
        for (_, reference) in references(&stored.resource()?) {
            let Reference::Local { kind, id, .. } = reference else { continue };
            if kind != *PATIENT && self.known.insert((kind, id.clone())) {
                self.wanted.entry(kind).or_default().insert(id);
            }
        }
        if self.known.len() > WALKED_MAX + REFERRED_MAX { Err(too_many()) } else { Ok(()) }
    }

    /// Takes out what is to be asked for, in portions that one search takes.
    fn take_wanted(&mut self) -> Vec<Ids> {
        let mut portions = Vec::new();
        for (kind, ids) in std::mem::take(&mut self.wanted) {
            let ids: Vec<String> = ids.into_iter().collect();
            portions.extend(ids.chunks(FHIR_PAGE_MAX).map(|ids| Ids::from([(kind, ids.iter().cloned().collect())])));
        }
        portions
    }
}

impl Records {
    /// The first records behind `after` that the compartment leads to over [`REFERENCE_STEPS`] references and that are in nobody's
    /// compartment, in the order in which they were first stored.
    ///
    /// # Errors
    /// More than [`WALKED_MAX`] records in the compartment, more than [`REFERRED_MAX`] outside of it.
    pub(super) fn outside(
        &self,
        permits: &mut Permits,
        inside: &Inside<'_>,
        after: Seq,
        asked: &Everything,
    ) -> Result<Outside, Refusal> {
        let mut referred = self.referred_from(inside)?;
        let mut first: BTreeMap<Seq, Stored> = BTreeMap::new();
        let mut count = 0;
        for _ in 0..REFERENCE_STEPS {
            for ids in referred.take_wanted() {
                for stored in self.fetch_ids(permits, &ids, Whose::Nobodys)? {
                    count += 1;
                    referred.follow(&stored)?;
                    if stored.born > after && asked.shows(stored.kind) {
                        first.insert(stored.born, stored);
                    }
                    if first.len() > OUTSIDE_PAGE + 1 {
                        first.pop_last();
                    }
                }
                if count > REFERRED_MAX {
                    return Err(too_many());
                }
            }
        }
        let more = first.len() > OUTSIDE_PAGE;
        if more {
            first.pop_last();
        }
        let next = first.last_key_value().filter(|_| more).map(|(born, _)| *born);
        Ok(Outside { items: first.into_values().collect(), next })
    }

    /// What the records of the compartment refer to, but for each other.
    fn referred_from(&self, inside: &Inside<'_>) -> Result<Referred, Refusal> {
        let (mut referred, mut here) = (Referred::default(), Names::new());
        let mut take = |stored: &Stored| {
            here.insert((stored.kind, stored.id.clone()));
            referred.follow(stored)
        };
        match inside {
            Inside::Held(items) => items.iter().try_for_each(take)?,
            Inside::Walked(patient, parts) => {
                take(patient)?;
                self.walk(parts, take)?;
            }
        }
        for (kind, ids) in &mut referred.wanted {
            ids.retain(|id| !here.contains(&(*kind, id.clone())));
        }
        referred.known.extend(here);
        Ok(referred)
    }

    /// Looks at every record that these searches find.
    fn walk(&self, parts: &[Part], mut take: impl FnMut(&Stored) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut room = WALKED_MAX;
        for Part { query, granted } in parts {
            let tenant = granted.permit.tenant();
            let query = Query { total: Total::None, ..query.clone() };
            let mut after = None;
            loop {
                let window = Window { size: FHIR_PAGE_MAX, after };
                let hits = self.index.search(tenant, &query, &granted.restriction, window)?;
                room = room.checked_sub(hits.seqs.len()).ok_or_else(too_large)?;
                let named: Vec<Named<'_>> =
                    hits.seqs.iter().map(|&seq| Named { seq, permit: &granted.permit, kind: query.kind }).collect();
                self.fetch_each(tenant, &named)?.iter().try_for_each(&mut take)?;
                match hits.next {
                    None => break,
                    next => after = next,
                }
            }
        }
        Ok(())
    }
}

/// The refusal of a record that cannot be told whole.
pub(super) fn too_large() -> Refusal {
    let what = format!("the record has more than {WALKED_MAX} parts; ask for less with _type, _since, start and end");
    Refusal::new(ErrorKind::TooLarge, "", what)
}

fn too_many() -> Refusal {
    let what =
        format!("leads to more than {REFERRED_MAX} other records; ask for less with _type, _since, start and end");
    Refusal::new(ErrorKind::TooLarge, "", what)
}

#[cfg(test)]
mod tests {
    use iris_fhir::definitions::kind_of;
    use iris_kernel::{Timestamp, Version};

    use super::*;
    use crate::head::Head;
    use crate::mask::Sensitive;

    /// A list that refers to so many others.
    fn referring(count: usize) -> Stored {
        let entries: Vec<String> =
            (0..count).map(|number| format!(r#"{{"item":{{"reference":"Practitioner/p{number}"}}}}"#)).collect();
        let body = format!(
            r#"{{"resourceType":"List","id":"l","status":"current","mode":"working","entry":[{}]}}"#,
            entries.join(",")
        );
        Stored {
            seq: Seq(1),
            born: Seq(1),
            kind: kind_of("List").unwrap(),
            id: "l".to_owned(),
            version: Version::FIRST,
            at: Timestamp(0),
            deleted: false,
            body: body.into(),
            head: Head::default(),
            whole: None,
            sensitive: Sensitive::Absent,
            part: None,
        }
    }

    #[test]
    fn so_many_references_are_kept_and_one_more_is_refused() {
        let mut referred = Referred::default();
        referred.follow(&referring(WALKED_MAX + REFERRED_MAX)).unwrap();
        assert!(referred.take_wanted().iter().all(|ids| ids.values().all(|ids| ids.len() <= FHIR_PAGE_MAX)));
        // What is known already costs nothing again.
        referred.follow(&referring(WALKED_MAX)).unwrap();
        assert!(referred.take_wanted().is_empty());
        let refusal = referred.follow(&referring(WALKED_MAX + REFERRED_MAX + 1)).unwrap_err();
        assert_eq!(refusal.kind, ErrorKind::TooLarge);
    }
}
