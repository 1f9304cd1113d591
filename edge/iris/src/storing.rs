//! Where an import's documents go: the one write path.

use std::sync::Arc;

use iris_access::Caller;
use iris_crypto::digest::sha256;
use iris_fhir::definitions::definitions;
use iris_kernel::{ErrorKind, Fault};
use iris_resources::{ImportBatch, ImportItem, ImportOutcome, Records, Refusal};

use crate::import::{NotStored, Place, Shape, Sink, Stored};

/// Stores documents on behalf of a caller.
pub(crate) struct Storing {
    /// The write path.
    pub(crate) records: Records,
    /// Who imports.
    pub(crate) caller: Arc<Caller>,
}

impl Sink for Storing {
    type Item = ImportItem;

    fn parse(&self, text: Vec<u8>, place: &Place) -> Result<ImportItem, Vec<Fault>> {
        ImportItem::parse(text, place_number(place)).map_err(|refusal| refusal.faults)
    }

    fn shape(&self, item: &ImportItem) -> Shape {
        match item {
            ImportItem::Single(_) => Shape::Single,
            ImportItem::Together(_) => Shape::Bundle,
        }
    }

    fn store(&self, items: Vec<ImportItem>) -> Vec<Result<Stored, NotStored>> {
        let mut singles = Vec::new();
        let mut outcomes = Vec::new();
        for item in items {
            match item {
                ImportItem::Single(resource) => singles.push(resource),
                ImportItem::Together(bundle) => outcomes.push(self.commit(&ImportBatch::Bundle(bundle))),
            }
        }
        if !singles.is_empty() {
            outcomes.extend(self.store_singles(ImportBatch::Singles(singles)));
        }
        outcomes
    }
}

impl Storing {
    /// Stores many in one commit; where that is refused, each in its own, so that one that is at fault does not keep the
    /// others out.
    fn store_singles(&self, batch: ImportBatch) -> Vec<Result<Stored, NotStored>> {
        let first = self.commit(&batch);
        let ImportBatch::Singles(resources) = batch else { return vec![first] };
        match first {
            Ok(stored) => {
                let rest = resources.len().saturating_sub(1);
                std::iter::once(Ok(stored)).chain(std::iter::repeat_n(Ok(Stored::default()), rest)).collect()
            }
            Err(NotStored::Rejected(faults)) if resources.len() == 1 => vec![Err(NotStored::Rejected(faults))],
            Err(NotStored::Rejected(_)) => {
                resources.into_iter().map(|resource| self.commit(&ImportBatch::Singles(vec![resource]))).collect()
            }
            Err(ended) => vec![Err(ended)],
        }
    }

    fn commit(&self, batch: &ImportBatch) -> Result<Stored, NotStored> {
        self.records.import(&self.caller, batch).map(|outcome| counted(&outcome)).map_err(not_stored)
    }
}

fn counted(outcome: &ImportOutcome) -> Stored {
    let by_type = outcome.stored.iter().map(|(kind, count)| (definitions().name_of(*kind), *count)).collect();
    Stored { by_type, present: outcome.present }
}

/// Tells what is wrong with a document from what is wrong here; only the former lets an import go on.
fn not_stored(refusal: Refusal) -> NotStored {
    match refusal.kind {
        ErrorKind::StorageFull => NotStored::Ended("the disk is full".to_owned()),
        ErrorKind::Unavailable | ErrorKind::Damaged | ErrorKind::Internal | ErrorKind::TooMany => {
            if let Some(cause) = &refusal.cause {
                tracing::error!(%cause, "an import cannot go on");
            }
            NotStored::Ended(format!("the store cannot take it: {refusal}"))
        }
        ErrorKind::Malformed
        | ErrorKind::Invalid
        | ErrorKind::NotSupported
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::StepUpRequired
        | ErrorKind::MfaSetupRequired
        | ErrorKind::MailNotConfigured
        | ErrorKind::PasswordChangeRequired
        | ErrorKind::NotFound
        | ErrorKind::Gone
        | ErrorKind::Conflict
        | ErrorKind::LostUpdate
        | ErrorKind::MultipleMatches
        | ErrorKind::TooLarge
        | ErrorKind::MediaType
        | ErrorKind::NotAcceptable
        | ErrorKind::Method => NotStored::Rejected(refusal.faults),
    }
}

/// The same for the same line of a file of the same name, wherever the file lies: a record without an id gets the same one
/// when the import is run again.
fn place_number(place: &Place) -> u64 {
    let name = place.file.file_name().unwrap_or_default().as_encoded_bytes();
    let digest = sha256(&[name, &[0], &place.line.unwrap_or(0).to_be_bytes()]);
    u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_its_file_name_and_line() {
        let number = |file: &str, line| place_number(&Place { file: file.into(), line });
        assert_eq!(number("a/x.ndjson", Some(1)), number("b/x.ndjson", Some(1)));
        assert_ne!(number("x.ndjson", Some(1)), number("x.ndjson", Some(2)));
        assert_ne!(number("x.ndjson", Some(1)), number("y.ndjson", Some(1)));
        assert_ne!(number("x.json", None), number("x.json", Some(1)));
    }
}
