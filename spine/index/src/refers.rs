//! Following references: from records to those that refer to them.

use std::sync::Arc;

use iris_kernel::Kind;
use iris_search::Targets;
use iris_search::term::Mode;
use tantivy::postings::TermInfo;
use tantivy_fst::Automaton;

use crate::docs::Docs;
use crate::error::IndexError;
use crate::schema::{DIGEST_LEN, reference_of, stretch};
use crate::set::{Found, Scope, range_from};
use crate::values::Values;

/// Bytes of a digest that a key is made of.
const KEY_BYTES: usize = 8;
/// From how many targets on the references of a parameter are kept: finding so many in the dictionary takes a millisecond. In tests
/// few are enough, so that both ways are tried.
const KEPT_MIN: usize = if cfg!(test) { 2 } else { 1_000 };

/// Walks the dictionary: first down to the references of a parameter, then along those digests alone that are asked for.
struct Walk<'a> {
    start: &'a [u8],
    /// The digests, in order.
    digests: &'a [u64],
    /// The bytes of the type after the digest.
    kind: [u8; 2],
    /// Bytes between what is compared of the digest and the type.
    rest: usize,
}

/// Where in a term the walk is.
#[derive(Clone, Copy)]
enum At {
    /// So many bytes of the start agree.
    Start(usize),
    /// So many bytes of the digests from one to before another agree.
    Digest { bytes: usize, from: u32, to: u32 },
    /// So many bytes after the compared part of a digest that is asked for.
    Rest(usize),
    /// Where nothing can match.
    Out,
}

impl Walk<'_> {
    /// The digests of a run whose next byte is this.
    fn narrowed(&self, bytes: usize, from: u32, to: u32, byte: u8) -> At {
        let run = &self.digests[from as usize..to as usize];
        let next = |digest: &u64| digest.to_be_bytes()[bytes];
        let first = run.partition_point(|digest| next(digest) < byte);
        let count = run[first..].partition_point(|digest| next(digest) == byte);
        match (count, bytes + 1) {
            (0, _) => At::Out,
            (_, KEY_BYTES) => At::Rest(0),
            (count, bytes) => {
                let from = from + first as u32;
                At::Digest { bytes, from, to: from + count as u32 }
            }
        }
    }
}

impl Automaton for Walk<'_> {
    type State = At;

    fn start(&self) -> At {
        At::Start(0)
    }

    fn is_match(&self, at: &At) -> bool {
        matches!(at, At::Rest(bytes) if *bytes == self.rest + self.kind.len())
    }

    fn can_match(&self, at: &At) -> bool {
        !matches!(at, At::Out)
    }

    fn accept(&self, at: &At, byte: u8) -> At {
        match *at {
            At::Start(agreed) if self.start.get(agreed) != Some(&byte) => At::Out,
            At::Start(agreed) if agreed + 1 == self.start.len() => {
                At::Digest { bytes: 0, from: 0, to: u32::try_from(self.digests.len()).unwrap_or(u32::MAX) }
            }
            At::Start(agreed) => At::Start(agreed + 1),
            At::Digest { bytes, from, to } => self.narrowed(bytes, from, to, byte),
            At::Rest(bytes) => {
                let fits = match bytes.checked_sub(self.rest) {
                    None => true,
                    Some(place) => self.kind.get(place) == Some(&byte),
                };
                if fits { At::Rest(bytes + 1) } else { At::Out }
            }
            At::Out => At::Out,
        }
    }
}

/// The records that refer by a parameter to one of these.
///
/// # Errors
/// [`IndexError::TooWide`] past the limits of the search.
pub(crate) fn referring(scope: Scope<'_>, param: u16, to: &Arc<Targets>) -> Result<Found, IndexError> {
    let start = stretch(scope.tenant, scope.kind, param, Mode::Local)?;
    let mut found = Found::default();
    match to.kind() {
        Some(kind) if to.len() >= KEPT_MIN => match scope.values.get(scope.body, &start, scope.effort)? {
            Some(values) => kept(scope, &values, kind, to, &mut found.docs)?,
            None => of_one_kind(scope, &start, kind, to, &mut found.lists)?,
        },
        Some(kind) => of_one_kind(scope, &start, kind, to, &mut found.lists)?,
        None => of_any_kind(scope, &start, to, &mut found.lists)?,
    }
    Ok(found)
}

/// Among the references that are kept.
fn kept(scope: Scope<'_>, values: &Values, kind: Kind, to: &Arc<Targets>, docs: &mut Docs) -> Result<(), IndexError> {
    let digests = scope.effort.digests(to, kind);
    let starts = digests.numbers().iter().map(|digest| digest.to_be_bytes());
    values.each_under(starts, |value, of_value| {
        if reference_of(value).is_some_and(|(of, _)| of == kind) {
            scope.effort.followed()?;
            docs.extend(of_value, scope.body.documents);
        }
        Ok(())
    })
}

fn of_one_kind(
    scope: Scope<'_>,
    start: &[u8],
    kind: Kind,
    to: &Arc<Targets>,
    lists: &mut Vec<TermInfo>,
) -> Result<(), IndexError> {
    let digests = scope.effort.digests(to, kind);
    let walk = Walk { start, digests: digests.numbers(), kind: kind.0.to_be_bytes(), rest: DIGEST_LEN - KEY_BYTES };
    let mut stream = scope.body.terms.terms().search(walk).into_stream()?;
    while stream.advance() {
        scope.effort.followed()?;
        lists.push(stream.value().clone());
    }
    Ok(())
}

/// Without a type no digest is known: every reference is looked at.
fn of_any_kind(scope: Scope<'_>, start: &[u8], to: &Arc<Targets>, lists: &mut Vec<TermInfo>) -> Result<(), IndexError> {
    let keys = scope.effort.keys(to);
    let mut stream = range_from(scope.body, start, start)?;
    while stream.advance() {
        scope.effort.entry()?;
        let value = stream.key().get(start.len()..).unwrap_or_default();
        if reference_of(value).is_some_and(|(_, key)| keys.has(key)) {
            scope.effort.followed()?;
            lists.push(stream.value().clone());
        }
    }
    Ok(())
}
