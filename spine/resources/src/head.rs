//! The sealed head of a record: who wrote this version and whose records it belongs to, readable without parsing the body.

/// Stands before the body inside the sealed row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// UUID of the user or client that wrote the version.
    pub author: [u8; 16],
    /// Logical ids of the patients in whose compartment the resource is.
    pub patients: Vec<String>,
}

const AUTHOR_BYTES: usize = 16;

impl Head {
    /// The author, then each patient id behind its length byte (FHIR ids have 64 characters at most).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(AUTHOR_BYTES + self.patients.len() * 37);
        out.extend_from_slice(&self.author);
        for patient in &self.patients {
            out.push(u8::try_from(patient.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(patient.as_bytes());
        }
        out
    }

    /// Reads what [`Head::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (author, mut rest) = bytes.split_first_chunk::<AUTHOR_BYTES>()?;
        let mut patients = Vec::new();
        while let Some((&length, tail)) = rest.split_first() {
            let (id, tail) = tail.split_at_checked(usize::from(length))?;
            patients.push(String::from_utf8(id.to_vec()).ok()?);
            rest = tail;
        }
        Some(Self { author: *author, patients })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded() {
        let heads = [Head::default(), Head { author: [7; 16], patients: vec!["a".into(), "x".repeat(64)] }];
        for head in heads {
            assert_eq!(Head::decode(&head.encode()), Some(head));
        }
    }

    #[test]
    fn a_cut_head_is_refused() {
        let bytes = Head { author: [7; 16], patients: vec!["abc".into()] }.encode();
        assert_eq!(Head::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Head::decode(&bytes[..3]), None);
    }
}
