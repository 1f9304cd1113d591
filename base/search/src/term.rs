//! The layout of terms: `[parameter index, u16 big-endian][mode][value]`.
//!
//! A value longer than `TEXT_BYTES_MAX` is cut there and marked with a byte that no text contains: nobody can ask
//! for it whole (a request's values have a lower limit), so nothing is lost, and the cut form never equals a value
//! that can be asked for.

use std::borrow::Cow;

use iris_kernel::Kind;
use iris_kernel::limits::SEARCH_VALUE_BYTES_MAX;

use super::Label;
use super::fold::fold;

/// One exact thing that a resource is found by. Unique within a kind and tenant.
pub type Term = Box<[u8]>;

/// In which way the value of a term is to be read. The numbers stand in index files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mode {
    /// A token's code, whatever its system.
    Code = 1,
    /// A token's system and code: `[length of system, u32 big-endian][system][code]`.
    SystemCode = 2,
    /// A token's system, whatever its code.
    System = 3,
    /// The code of a token that has no system.
    NoSystem = 4,
    /// A folded string; asked for by prefix.
    Folded = 5,
    /// A string as sent (`:exact`).
    Exact = 6,
    /// A reference to a resource here: `Type/id`.
    Local = 7,
    /// The id of a referenced resource, whatever its type.
    LocalId = 8,
    /// A reference or URI by its whole text.
    Uri = 9,
    /// A contact point in normal form, see [`normalised_term`].
    Contact = 10,
    /// How a word sounds, see [`super::sound`].
    Sound = 12,
    /// The id of a patient in whose compartment the resource is.
    Compartment = 11,
    /// One word of a name, see [`super::words`]; asked for whole, by prefix and by likeness.
    Word = 13,
    /// The first letters of a word of a name.
    WordStart = 14,
    /// An identifier by its letters and digits alone.
    Plain = 15,
    /// The last digits of a telephone number.
    ContactEnd = 16,
    /// A day of birth.
    Day = 17,
    /// A class of security labels.
    Label = 18,
    /// A term of an identifier that not everybody sees in full, see [`guarded`].
    Guarded = 19,
    /// Says that the parameter has a value (`:missing`).
    Present = 20,
    /// A number, see [`super::number`].
    Number = 21,
    /// A number with a unit, see [`super::quantity`].
    Quantity = 22,
    /// Values of one element, see [`super::composite`].
    Composite = 23,
    /// The text that people read beside a token's code, folded (`:text`).
    Text = 24,
    /// An identifier by its type and value (`:of-type`).
    OfType = 25,
    /// The identifier by which a reference names its target (`:identifier`).
    RefIdentifier = 26,
    /// The type of a resource that the resource contains.
    Contains = 27,
    /// A place on the globe, see [`super::position`].
    Position = 28,
    /// What a reference by canonical address leads to, see [`canonical`].
    Canonical = 29,
}

impl Mode {
    /// Whether values of this mode are asked for by their order: they must stand in an index as they are, whatever their length. A
    /// guarded term is as the one that it stands for.
    #[must_use]
    pub const fn keeps_order(self) -> bool {
        matches!(
            self,
            Self::Folded
                | Self::Word
                | Self::Number
                | Self::Quantity
                | Self::Composite
                | Self::Position
                | Self::Text
                | Self::Uri
                | Self::Code
        )
    }
}

/// Bytes of a term before its mode.
const PARAM_BYTES: usize = 2;
/// Bytes of a term before its value: parameter and mode.
pub const HEAD_BYTES: usize = 3;
/// The parameter number of terms that no search parameter names.
const INTERNAL: u16 = u16::MAX;
/// Longest value of a term: the longest that can be asked for, with the length that stands before a system.
/// Of a text that is longer once it is folded, only so much is looked at: its end is not known, nor what stands only after that.
pub const TEXT_BYTES_MAX: usize = SEARCH_VALUE_BYTES_MAX + 4;
/// Ends a value that was cut; never part of UTF-8.
const CUT: u8 = 0xff;

/// What the terms of a parameter and mode start with.
#[must_use]
pub const fn head(param: u16, mode: Mode) -> [u8; HEAD_BYTES] {
    let [high, low] = param.to_be_bytes();
    [high, low, mode as u8]
}

/// Puts a term together from the pieces of its value.
fn build(param: u16, mode: Mode, pieces: &[&[u8]]) -> Term {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    // Exactly what it will have: a box of another capacity is moved.
    let mut term = Vec::with_capacity(HEAD_BYTES + length.min(TEXT_BYTES_MAX + 1));
    term.extend_from_slice(&param.to_be_bytes());
    term.push(mode as u8);
    for piece in pieces {
        term.extend_from_slice(piece);
    }
    if length > TEXT_BYTES_MAX {
        term.truncate(HEAD_BYTES + TEXT_BYTES_MAX);
        term.push(CUT);
    }
    term.into_boxed_slice()
}

/// A value whose bytes are made elsewhere: a number, quantity or composite.
pub(crate) fn of_value(param: u16, mode: Mode, value: &[u8]) -> Term {
    build(param, mode, &[value])
}

/// A token by its code, in any system or none. A UUID as people write it, `0b8f…-…` in lower case, stands as its bytes: so it is short
/// and comes before all other codes in their order.
#[must_use]
pub fn code(param: u16, code: &str) -> Term {
    match uuid(code.as_bytes()) {
        Some(bytes) => build(param, Mode::Code, &[&[PACKED], &bytes]),
        None if code.as_bytes().first() == Some(&PACKED) => build(param, Mode::Code, &[&[CUT], code.as_bytes()]),
        None => build(param, Mode::Code, &[code.as_bytes()]),
    }
}

/// Begins the bytes of a UUID; a text that begins so is marked.
const PACKED: u8 = 0;
/// The bytes of a UUID, and where in its text a dash stands.
const UUID_BYTES: usize = 16;
const UUID_TEXT: usize = 36;
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// The bytes of a UUID that is written in lower case with dashes.
fn uuid(text: &[u8]) -> Option<[u8; UUID_BYTES]> {
    if text.len() != UUID_TEXT {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; UUID_BYTES];
    let mut at = 0;
    for (place, byte) in text.iter().enumerate() {
        if DASHES.contains(&place) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        bytes[at / 2] = bytes[at / 2] << 4 | digit(*byte)?;
        at += 1;
    }
    Some(bytes)
}

/// A token by system and code.
#[must_use]
pub fn system_code(param: u16, system: &str, code: &str) -> Term {
    let length = u32::try_from(system.len()).unwrap_or(u32::MAX).to_be_bytes();
    build(param, Mode::SystemCode, &[&length, system.as_bytes(), code.as_bytes()])
}

/// A token by its system alone.
#[must_use]
pub fn system(param: u16, system: &str) -> Term {
    build(param, Mode::System, &[system.as_bytes()])
}

/// A token that has a code and no system.
#[must_use]
pub fn no_system(param: u16, code: &str) -> Term {
    build(param, Mode::NoSystem, &[code.as_bytes()])
}

/// A string, folded. Cut without a mark, because it is asked for by prefix.
#[must_use]
pub fn folded(param: u16, text: &str) -> Term {
    let folded = fold(text);
    let whole = folded.as_bytes();
    build(param, Mode::Folded, &[&whole[..whole.len().min(TEXT_BYTES_MAX)]])
}

/// Whether a term says nothing beyond its parameter and mode.
pub(super) fn is_without_value(term: &Term) -> bool {
    term.len() <= 3
}

/// Whether a folded term may have been cut.
pub(super) fn is_full(term: &Term) -> bool {
    term.len() >= 3 + TEXT_BYTES_MAX
}

/// A string as sent.
#[must_use]
pub fn exact(param: u16, text: &str) -> Term {
    build(param, Mode::Exact, &[text.as_bytes()])
}

/// A word by its sound, as [`super::sound::keys`] writes it.
#[must_use]
pub fn sound(param: u16, key: &str) -> Term {
    build(param, Mode::Sound, &[key.as_bytes()])
}

/// A reference to a resource of this server.
#[must_use]
pub fn local(param: u16, kind: &str, id: &str) -> Term {
    build(param, Mode::Local, &[kind.as_bytes(), b"/", id.as_bytes()])
}

/// A reference by the id of its target alone.
#[must_use]
pub fn local_id(param: u16, id: &str) -> Term {
    build(param, Mode::LocalId, &[id.as_bytes()])
}

/// A URI or absolute reference.
#[must_use]
pub fn uri(param: u16, text: &str) -> Term {
    build(param, Mode::Uri, &[text.as_bytes()])
}

/// A canonical address with the version that it names, nothing for one that names none: what is followed. What is asked for is [`uri`].
#[must_use]
pub fn canonical(param: u16, url: &str, version: &str) -> Term {
    build(param, Mode::Canonical, &[url.as_bytes(), b"|", version.as_bytes()])
}

/// What the terms of the words that a parameter reads start with.
pub(super) const fn word_head(param: u16) -> [u8; HEAD_BYTES] {
    head(param, Mode::Word)
}

/// One word of a name, as [`super::words::words`] writes it.
#[must_use]
pub fn word(param: u16, word: &str) -> Term {
    build(param, Mode::Word, &[word.as_bytes()])
}

/// The first letters of a word of a name, at most [`super::words::START_LETTERS_MAX`].
#[must_use]
pub fn word_start(param: u16, start: &str) -> Term {
    build(param, Mode::WordStart, &[start.as_bytes()])
}

/// An identifier by its letters and digits alone, in lower case, whatever its system: `123-45-6789` as `123456789`.
#[must_use]
pub fn plain_identifier(param: u16, text: &str) -> Term {
    build(param, Mode::Plain, &[plain(text).as_bytes()])
}

/// The term that stands instead of this one in the document of a resource whose identifier is sensitive
/// ([`iris_fhir::classes::form_of`]): whoever may not see it in full asks without it, and finds nothing by it.
#[must_use]
pub fn guarded(term: &Term) -> Term {
    let (param, rest) = term.split_at(PARAM_BYTES.min(term.len()));
    [param, &[Mode::Guarded as u8], rest].concat().into_boxed_slice()
}

/// Whether a term is one that [`guarded`] made.
#[must_use]
pub fn is_guarded(term: &[u8]) -> bool {
    term.get(PARAM_BYTES) == Some(&(Mode::Guarded as u8))
}

/// The system that a guarded token is asked for by, if it is asked for by one.
#[must_use]
pub fn guarded_system(term: &Term) -> Option<&str> {
    let rest = term.get(PARAM_BYTES..)?.strip_prefix(&[Mode::Guarded as u8])?;
    let (mode, value) = rest.split_first()?;
    let system = if *mode == Mode::System as u8 {
        value
    } else if *mode == Mode::SystemCode as u8 {
        let (length, value) = value.split_first_chunk::<4>()?;
        value.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?
    } else {
        return None;
    };
    std::str::from_utf8(system).ok()
}

/// Stands in the document of each resource for which the parameter has a value.
#[must_use]
pub fn present(param: u16) -> Term {
    build(param, Mode::Present, &[])
}

/// An identifier by the system and code of its type and its value (`:of-type`).
#[must_use]
pub fn of_type(param: u16, system: &str, code: &str, value: &str) -> Term {
    let lengths = [system, code].map(|part| u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    let [first, second] = &lengths;
    build(param, Mode::OfType, &[first, second, system.as_bytes(), code.as_bytes(), value.as_bytes()])
}

/// The identifier by which a reference names its target; `system` is empty for an identifier without one, and `None` for whatever
/// system it has.
#[must_use]
pub fn ref_identifier(param: u16, system: Option<&str>, value: &str) -> Term {
    match system {
        None => build(param, Mode::RefIdentifier, &[&[0], value.as_bytes()]),
        Some(system) => {
            let length = u32::try_from(system.len()).unwrap_or(u32::MAX).to_be_bytes();
            build(param, Mode::RefIdentifier, &[&[1], &length, system.as_bytes(), value.as_bytes()])
        }
    }
}

/// The text beside a token's code, folded; cut without a mark, as [`folded`].
#[must_use]
pub fn text(param: u16, text: &str) -> Term {
    let folded = fold(text);
    let whole = folded.as_bytes();
    build(param, Mode::Text, &[&whole[..whole.len().min(TEXT_BYTES_MAX)]])
}

/// The letters and digits of a text, in lower case.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many last digits of a telephone number it is found by: the extension that people tell apart in a room, the number
/// without area code, and the number without country code.
pub const CONTACT_ENDS: [usize; 3] = [4, 7, 10];

/// The last digits of a telephone number, as many as one of [`CONTACT_ENDS`].
#[must_use]
pub fn contact_end(param: u16, digits: &str) -> Term {
    build(param, Mode::ContactEnd, &[digits.as_bytes()])
}

/// The ends that a telephone number is found by; none for what is no number.
pub(super) fn contact_ends(param: u16, text: &str) -> impl Iterator<Item = Term> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = !text.contains('@');
    let ends = CONTACT_ENDS.into_iter().filter(move |_| is_number);
    ends.filter_map(move |count| digits.len().checked_sub(count).map(|from| contact_end(param, &digits[from..])))
}

/// A day of birth, `YYYY-MM-DD`.
#[must_use]
pub fn day(param: u16, day: &str) -> Term {
    build(param, Mode::Day, &[day.as_bytes()])
}

/// A telephone number or e-mail address by its normal form, so that `(555) 123-4567` finds `555.123.4567` and
/// `Ann@Example.org` finds `ann@example.org`: a text with an `@` in lower case without blanks, otherwise the digits alone,
/// otherwise (no digit at all) in lower case.
///
/// R4 leaves such handling of contact points to the server; the FHIR search itself compares the value as it stands. `param`
/// is the index of a token parameter on contact points (`phone`, `email`, `telecom`).
#[must_use]
pub fn normalised_term(param: u16, text: &str) -> Term {
    build(param, Mode::Contact, &[normal_contact(text).as_bytes()])
}

/// The compartment of one patient. Stands in the document of each resource in it, the Patient itself included.
#[must_use]
pub fn compartment_term(patient_id: &str) -> Term {
    build(INTERNAL, Mode::Compartment, &[patient_id.as_bytes()])
}

/// Stands in the document of each resource that is in the compartment of some patient: no patient's id is empty.
#[must_use]
pub fn compartments_term() -> Term {
    build(INTERNAL, Mode::Compartment, &[])
}

/// A class of security labels that the resource has.
#[must_use]
pub fn label_term(label: Label) -> Term {
    build(INTERNAL, Mode::Label, &[&[label as u8]])
}

/// Stands in the document of each resource that contains one of this type.
#[must_use]
pub fn contains_term(kind: Kind) -> Term {
    build(INTERNAL, Mode::Contains, &[&kind.0.to_be_bytes()])
}

fn normal_contact(text: &str) -> Cow<'_, str> {
    let is_number = !text.contains('@') && text.bytes().any(|byte| byte.is_ascii_digit());
    if is_number {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Cow::Borrowed(text);
        }
        return Cow::Owned(text.chars().filter(char::is_ascii_digit).collect());
    }
    Cow::Owned(text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn contacts_are_compared_by_their_normal_form() {
        for (text, normal) in [
            ("(555) 123-4567", "5551234567"),
            ("+1 555.123.4567", "15551234567"),
            ("5551234567", "5551234567"),
            ("Ann.Lee@Example.ORG", "ann.lee@example.org"),
            (" ann@example.org ", "ann@example.org"),
            ("Pager Desk", "pagerdesk"),
        ] {
            assert_eq!(normal_contact(text), normal, "{text:?}");
        }
    }

    #[test]
    fn a_value_at_the_limit_is_whole_and_one_past_it_is_marked() {
        let whole = "x".repeat(TEXT_BYTES_MAX);
        let longer = format!("{whole}y");
        assert_eq!(code(7, &whole).len(), 3 + TEXT_BYTES_MAX);
        assert_eq!(code(7, &longer).len(), 4 + TEXT_BYTES_MAX);
        assert_ne!(code(7, &whole), code(7, &longer));
        assert_eq!(folded(7, &whole), folded(7, &longer));
    }

    #[test]
    fn a_guarded_term_is_another_one_and_knows_its_system() {
        let terms = [
            code(7, "x"),
            system_code(7, "http://s", "x"),
            system(7, "http://s"),
            no_system(7, "x"),
            plain_identifier(7, "x"),
        ];
        for term in &terms {
            assert!(!is_guarded(term) && is_guarded(&guarded(term)));
            assert!(!terms.contains(&guarded(term)));
        }
        let systems: Vec<_> = terms.iter().map(guarded).map(|term| guarded_system(&term).map(str::to_owned)).collect();
        let known = || Some("http://s".to_owned());
        assert_eq!(systems, [None, known(), known(), None, None]);
        assert_eq!(guarded_system(&terms[1]), None, "only what is left out for some is told by its system");
    }

    proptest! {
        #[test]
        fn system_and_code_do_not_run_into_each_other(a in ".{0,9}", b in ".{0,9}", c in ".{0,9}", d in ".{0,9}") {
            prop_assert_eq!(system_code(1, &a, &b) == system_code(1, &c, &d), (a, b) == (c, d));
        }
    }
}
