//! What a search leads to: the records that match, or those that the matches refer to, to be joined with another search.

use std::sync::Arc;

use iris_kernel::{Kind, Tenant};
use iris_search::term::Mode;
use iris_search::{Query, SearchDocument, Targets};
use tantivy::COLLECT_BLOCK_BUFFER_LEN;

use crate::error::IndexError;
use crate::order::terms_under;
use crate::ordinals::OrdinalsCache;
use crate::schema::reference_of_term;
use crate::search::{Sink, Walk};
use crate::tail::Entry;

/// Most records that one search may lead to: a chain over more is refused, whatever else is asked beside it.
pub const CHAIN_TARGETS_MAX: usize = 100_000;

/// Which records a search leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The matches themselves, for those that refer to them (a chain).
    Own,
    /// What the matches refer to, for those that are referred to (`_has`).
    Referred {
        /// The reference parameter of the kind that is searched, by its index.
        param: u16,
        /// The kind that it must lead to.
        kind: Kind,
    },
}

/// Gathers keys.
pub(crate) struct Gather<'a> {
    wanted: Wanted,
    tenant: Tenant,
    query: &'a Query,
    ordinals: &'a OrdinalsCache,
    keys: Vec<u64>,
    limit: usize,
}

impl<'a> Gather<'a> {
    pub(crate) fn new(
        tenant: Tenant,
        query: &'a Query,
        ordinals: &'a OrdinalsCache,
        wanted: Wanted,
        limit: usize,
    ) -> Self {
        Self { wanted, tenant, query, ordinals, keys: Vec::new(), limit }
    }

    /// The records.
    ///
    /// # Errors
    /// [`IndexError::TooManyTargets`].
    pub(crate) fn targets(mut self) -> Result<Arc<Targets>, IndexError> {
        self.keep_within()?;
        let kind = match self.wanted {
            Wanted::Own => self.query.kind,
            Wanted::Referred { kind, .. } => kind,
        };
        Ok(Arc::new(Targets::of(kind, self.keys)))
    }

    /// Sorts out keys that were found twice; no more than the limit may be left.
    fn keep_within(&mut self) -> Result<(), IndexError> {
        if self.keys.len() > self.limit {
            self.keys.sort_unstable();
            self.keys.dedup();
        }
        if self.keys.len() > self.limit { Err(IndexError::TooManyTargets) } else { Ok(()) }
    }

    fn own(&mut self, walk: Walk<'_>) -> Result<(), IndexError> {
        let column = walk.body().own()?;
        let (keys, limit) = (&mut self.keys, self.limit);
        walk.each(|block| {
            // Each record has one key, so that more than the limit of them are too many.
            if keys.len() <= limit {
                let mut own = [0; COLLECT_BLOCK_BUFFER_LEN];
                column.values.get_vals(block, &mut own[..block.len()]);
                keys.extend_from_slice(&own[..block.len()]);
            }
        });
        Ok(())
    }

    fn referred(&mut self, walk: Walk<'_>, param: u16, kind: Kind) -> Result<(), IndexError> {
        let body = walk.body();
        let ordinals = self.ordinals.get(body, self.tenant, self.query.kind, param, Mode::Local)?;
        let mut is_found = vec![false; ordinals.leads_to.len()];
        walk.each(|block| ordinals.each(block, |place| is_found[place as usize] = true));
        let found =
            ordinals.leads_to.iter().zip(is_found).filter(|(lead, is_found)| *is_found && lead.kind == Some(kind));
        // They are all different, so that more than the limit of them are too many.
        self.keys.extend(found.map(|(lead, _)| lead.key).take(self.limit.saturating_add(1)));
        Ok(())
    }
}

impl Sink for Gather<'_> {
    fn entry(&mut self, _: &Entry, document: &SearchDocument) {
        match self.wanted {
            Wanted::Own => self.keys.push(document.own),
            Wanted::Referred { param, kind } => {
                let references = terms_under(document, param, Mode::Local).filter_map(|term| reference_of_term(term));
                self.keys.extend(references.filter(|(of, _)| *of == kind).map(|(_, key)| key));
            }
        }
    }

    fn known(&mut self, _: u64) -> bool {
        false
    }

    fn segment(&mut self, walk: Walk<'_>) -> Result<(), IndexError> {
        match self.wanted {
            Wanted::Own => self.own(walk)?,
            Wanted::Referred { param, kind } => self.referred(walk, param, kind)?,
        }
        self.keep_within()
    }
}
