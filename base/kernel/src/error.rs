//! The closed set of error kinds, and the fault: one thing wrong with what somebody sent.

use std::fmt;

/// Every way in which a request can fail. One table in `edge/http` turns a kind into a status code, a problem type and an
/// OperationOutcome code; it matches without `_`, so a new kind does not compile until it has its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The bytes are not what their media type says (400).
    Malformed,
    /// Well-formed, but breaks a rule of the definitions or of this API (422).
    Invalid,
    /// A search parameter, modifier, interaction or feature that this server does not have (400 or 501 by the table).
    NotSupported,
    /// No, or no valid, proof of who is asking (401).
    Unauthenticated,
    /// Known, but not allowed (403).
    Forbidden,
    /// Allowed, but only after a fresh proof of who is asking (403).
    StepUpRequired,
    /// Known, but has to set up a second factor before anything else (403).
    MfaSetupRequired,
    /// Known, but has to set a new password before anything else (403).
    PasswordChangeRequired,
    /// Not there, or hidden from this caller (404).
    NotFound,
    /// Was there and has been deleted (410).
    Gone,
    /// Contradicts what is already stored (409).
    Conflict,
    /// The version named in `If-Match` is not the current one (412).
    LostUpdate,
    /// Conditional criteria match more than one record (412).
    MultipleMatches,
    /// More than a named limit allows (413).
    TooLarge,
    /// A media type that is not spoken here (415).
    MediaType,
    /// None of the wanted media types can be made (406).
    NotAcceptable,
    /// The method does not exist on this path (405).
    Method,
    /// Too many requests; try later (429).
    TooMany,
    /// The disk is full: nothing was stored (507).
    StorageFull,
    /// A part that is needed is away: nothing was stored or shown (503).
    Unavailable,
    /// It rests on a mail, and no mail server is set: nothing was stored (503).
    MailNotConfigured,
    /// Stored data fail their integrity check; nothing of them is shown (500).
    Damaged,
    /// A defect of ours (500).
    Internal,
}

/// One thing that is wrong with what was sent; a refusal lists all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON pointer for bodies (`/name/0/family`), the name of a parameter or header otherwise. Empty for the whole.
    pub at: String,
    /// What is wrong, in a sentence that repeats no value that could be PHI.
    pub what: String,
    /// The code of R4's value set issue-type that says which sort of fault it is; empty where the kind of the error says enough.
    pub code: &'static str,
    /// The element as FHIRPath (`Patient.name[0].family`), where the definitions have been looked at; empty otherwise.
    pub expression: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self { at: at.into(), what: what.into(), code: "", expression: String::new() }
    }

    /// The same fault of a part that stands at `pointer` in something larger, such as a bundle's entry: `Patient.name[0]` below
    /// `/entry/3/resource` is `entry[3].resource.name[0]`.
    #[must_use]
    pub fn below(mut self, pointer: &str) -> Self {
        self.at.insert_str(0, pointer);
        if self.expression.is_empty() {
            return self;
        }
        let mut expression = String::with_capacity(pointer.len() + self.expression.len());
        for part in pointer.split('/').filter(|part| !part.is_empty()) {
            if part.bytes().all(|byte| byte.is_ascii_digit()) {
                expression.push('[');
                expression.push_str(part);
                expression.push(']');
            } else {
                expression.push_str(if expression.is_empty() { "" } else { "." });
                expression.push_str(part);
            }
        }
        // A type stands only at the start of an expression; what is below something already begins with an element.
        let of_type = self.expression.starts_with(|first: char| first.is_ascii_uppercase());
        match self.expression.split_once('.') {
            Some((_, rest)) if of_type => expression.extend([".", rest]),
            None if of_type => {}
            _ => expression.extend([".", &self.expression]),
        }
        self.expression = expression;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() { f.write_str(&self.what) } else { write!(f, "{}: {}", self.at, self.what) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_part_of_something_larger_is_placed_there() {
        let fault = |expression: &str| Fault { expression: expression.to_owned(), ..Fault::new("/name/0", "x") };
        let below = fault("Patient.name[0]").below("/resource").below("/entry/3");
        assert_eq!(
            (below.at.as_str(), below.expression.as_str()),
            ("/entry/3/resource/name/0", "entry[3].resource.name[0]")
        );
        assert_eq!(fault("Patient").below("/entry/3/resource").expression, "entry[3].resource");
        assert_eq!(fault("").below("/entry/3").expression, "");
    }
}
