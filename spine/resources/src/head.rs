//! The sealed head of a record: who wrote this version, whose records it belongs to and how it is labelled, readable without
//! parsing the body.

use iris_access::{Labels, RecordFacts};
use iris_fhir::classes::EDITION;

/// Stands before the body inside the sealed row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// UUID of the user or client that wrote the version.
    pub author: [u8; 16],
    /// Logical ids of the patients in whose compartment the resource is.
    pub patients: Vec<String>,
    /// Security labels of the resource.
    pub labels: Labels,
    /// Whether it has identifiers that are masked for some; not known of versions from before they were, or before the table of them
    /// was changed.
    pub(crate) sensitive: Option<bool>,
}

const AUTHOR_BYTES: usize = 16;
/// Stands where the length of a patient id would, and says that labels follow: no id is that long.
const LABELS_MARK: u8 = u8::MAX;
const LABELS_BYTES: usize = 4;

impl Head {
    /// The author, then each patient id behind its length byte (FHIR ids have 64 characters at most), then behind a byte that is no
    /// length the labels, and whether something is masked for some, with the edition of the table by which that was found.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(AUTHOR_BYTES + self.patients.len() * 37 + 1 + LABELS_BYTES);
        out.extend_from_slice(&self.author);
        for patient in &self.patients {
            out.push(u8::try_from(patient.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(patient.as_bytes());
        }
        out.push(LABELS_MARK);
        out.extend_from_slice(&self.labels.to_bytes());
        if let Some(sensitive) = self.sensitive {
            out.push(u8::from(sensitive));
            out.extend_from_slice(&EDITION);
        }
        out
    }

    /// Reads what [`Head::encode`] wrote; `None` for anything else. Heads from before labels were kept have none: `unmarked` then
    /// says what the body has.
    #[must_use]
    pub fn decode(bytes: &[u8], unmarked: impl FnOnce() -> Option<Labels>) -> Option<Self> {
        let (author, mut rest) = bytes.split_first_chunk::<AUTHOR_BYTES>()?;
        let mut patients = Vec::new();
        while let Some((&length, tail)) = rest.split_first() {
            if length == LABELS_MARK {
                let (labels, tail) = tail.split_first_chunk::<LABELS_BYTES>()?;
                let sensitive = match tail {
                    [] => None,
                    // What another edition of the table said is not known.
                    [flag @ (0 | 1), edition @ ..] if edition.len() == EDITION.len() => {
                        Some(*flag == 1).filter(|_| *edition == EDITION)
                    }
                    _ => return None,
                };
                return Some(Self { author: *author, patients, labels: Labels::from_bytes(*labels), sensitive });
            }
            let (id, tail) = tail.split_at_checked(usize::from(length))?;
            patients.push(String::from_utf8(id.to_vec()).ok()?);
            rest = tail;
        }
        Some(Self { author: *author, patients, labels: unmarked()?, sensitive: None })
    }

    /// What a decision knows of the record.
    #[must_use]
    pub fn facts(&self) -> RecordFacts<'_> {
        RecordFacts { patients: &self.patients, labels: self.labels }
    }
}

#[cfg(test)]
mod tests {
    use iris_access::Label;

    use super::*;

    fn marked(bytes: &[u8]) -> Option<Head> {
        Head::decode(bytes, || panic!("the labels are marked"))
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let patients = vec!["a".to_owned(), "x".repeat(64)];
        let labels = Labels::of(&[Label::Restricted, Label::Hiv]);
        for sensitive in [None, Some(false), Some(true)] {
            for head in [Head::default(), Head { author: [7; 16], patients: patients.clone(), labels, sensitive }] {
                assert_eq!(marked(&head.encode()), Some(head));
            }
        }
    }

    #[test]
    fn a_head_from_before_labels_were_kept_asks_the_body() {
        let (patients, labels) = (vec!["abc".into()], Labels::of(&[Label::Hiv]));
        let head = Head { author: [7; 16], patients, labels, sensitive: None };
        let bytes = head.encode();
        let old = &bytes[..bytes.len() - 1 - LABELS_BYTES];
        assert_eq!(Head::decode(old, || Some(Labels::of(&[Label::Hiv]))), Some(head.clone()));
        assert_eq!(Head::decode(old, || Some(Labels::NONE)).unwrap().labels, Labels::NONE);
        assert_eq!(Head::decode(old, || None), None, "the body cannot be read");
    }

    #[test]
    fn a_cut_head_is_refused() {
        let head = Head { author: [7; 16], patients: vec!["abc".into()], labels: Labels::NONE, sensitive: Some(true) };
        let bytes = head.encode();
        for length in [3, 18, bytes.len() - 8, bytes.len() - 5, bytes.len() - 1] {
            assert_eq!(marked(&bytes[..length]), None, "{length}");
        }
        assert_eq!(marked(&[bytes.as_slice(), &[0]].concat()), None);
        let (start, edition) = bytes.split_at(bytes.len() - EDITION.len());
        assert_eq!(marked(&[&start[..start.len() - 1], &[2], edition].concat()), None);
        let other = marked(&[start, &[!edition[0], edition[1], edition[2]]].concat()).unwrap();
        assert_eq!(other, Head { sensitive: None, ..head }, "what another table said does not count");
    }
}
