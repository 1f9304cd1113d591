//! Identifiers that are sensitive wherever they stand, and how each looks to those who need not know it.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::load;
use crate::json::{Value, ValueKind};

/// The systems under which HL7 v2 table 0203 goes.
const TYPE_SYSTEMS: [&str; 3] = [
    "http://terminology.hl7.org/CodeSystem/v2-0203",
    "http://hl7.org/fhir/v2/0203",
    "urn:oid:2.16.840.1.113883.18.108",
];
/// What stands in every text that holds one of the identifiers: a piece of its system or of its type's. A text may also write any of
/// it with escapes.
const MARKS: [&str; 8] =
    ["us-ssn", "us-medicare", "passport", "113883.4.", "v2-0203", "v2/0203", "v2\\/0203", "113883.18.108"];
/// Fewest letters and digits of a number of which the last four may be shown.
const SHOWN_CHARS_MIN: usize = 8;
/// How many last letters and digits a mask shows.
const SHOWN_CHARS: usize = 4;
/// Digits of a social security number.
const SSN_DIGITS: usize = 9;

/// How an identifier looks under its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// `***-**-1234`
    Ssn,
    /// `***1234`
    Short,
    /// `***`
    None,
}

impl Form {
    pub(super) fn named(name: &str) -> Option<Self> {
        [("ssn", Self::Ssn), ("short", Self::Short), ("none", Self::None)]
            .into_iter()
            .find_map(|(own, form)| (own == name).then_some(form))
    }

    /// What is shown instead of a value. It tells the last four letters or digits of a number that has eight or more, and neither the
    /// spelling nor the length of any.
    #[must_use]
    pub fn mask(self, value: &str) -> String {
        let plain: Vec<char> = value.chars().filter(|sign| sign.is_alphanumeric()).collect();
        let last: String = plain[plain.len().saturating_sub(SHOWN_CHARS)..].iter().collect();
        match self {
            Self::Ssn if plain.len() == SSN_DIGITS && plain.iter().all(char::is_ascii_digit) => {
                format!("***-**-{last}")
            }
            Self::Short if plain.len() >= SHOWN_CHARS_MIN => format!("***{last}"),
            Self::Ssn | Self::Short | Self::None => "***".to_owned(),
        }
    }

    /// Whether a value is a mask and no number: ours, or one that another system has put there. Only a social security number has
    /// no letters that may look like one: the driver's licences of Washington have asterisks in them, though never in front.
    #[must_use]
    pub fn is_mask(self, value: &str) -> bool {
        let is_ours = value.trim_start().starts_with("***") || !value.chars().any(char::is_alphanumeric);
        let is_foreign = || value.contains(['*', '•', '●']) || value.to_ascii_lowercase().contains("xxx");
        is_ours || (self == Self::Ssn && is_foreign())
    }
}

/// A row: a name that may end in `*`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) says: &'static str,
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(start) => text.get(..start.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(start)),
            None => text.eq_ignore_ascii_case(self.name),
        }
    }
}

/// The rows of the table.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) systems: Vec<Pattern>,
    pub(super) types: Vec<Pattern>,
}

/// A test reads every line; should one be unreadable all the same, every identifier is hidden.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    load::identifiers().unwrap_or_else(|_| {
        let all = vec![Pattern { name: "*", form: Form::None, says: "" }];
        Table { systems: all.clone(), types: all }
    })
});

static FINDERS: LazyLock<Vec<Finder<'static>>> =
    LazyLock::new(|| MARKS.into_iter().chain(["\\u"]).map(Finder::new).collect());

/// Whether a document, as compact JSON, may hold one of the identifiers. Looks at its bytes only: a yes is no proof, a no is one.
#[must_use]
pub fn may_hold_identifiers(text: &[u8]) -> bool {
    FINDERS.iter().any(|finder| finder.find(text).is_some())
}

/// A sensitive identifier in a document.
#[derive(Clone, Copy)]
pub struct Identified<'a> {
    /// The Identifier.
    pub object: Value<'a>,
    /// Its value.
    pub value: Value<'a>,
    /// How it is masked.
    pub form: Form,
}

impl Identified<'_> {
    /// The value as a text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        self.value.as_str().unwrap_or_default()
    }

    /// Whether the value is a mask already.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.form.is_mask(&self.text())
    }
}

impl std::fmt::Debug for Identified<'_> {
    /// Without the value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identified").field("at", &self.value.pointer()).field("form", &self.form).finish()
    }
}

/// Calls `visit` with every sensitive identifier of a value, however deep: also in contained resources, in extensions and in
/// references by identifier. What looks like an Identifier is taken for one.
pub fn identified<'a>(value: Value<'a>, visit: &mut impl FnMut(Identified<'a>)) {
    match value.kind() {
        ValueKind::Array => value.items().for_each(|item| identified(item, visit)),
        ValueKind::Object => {
            if let Some(found) = of(value) {
                visit(found);
            }
            for member in value.members_raw() {
                identified(member.value, visit);
            }
        }
        ValueKind::Null | ValueKind::Bool | ValueKind::Number | ValueKind::String => {}
    }
}

fn of(object: Value<'_>) -> Option<Identified<'_>> {
    let value = object.get("value").filter(|value| value.kind() == ValueKind::String)?;
    form_of(object).map(|form| Identified { object, value, form })
}

/// How an Identifier is masked; `None` for one that everybody may see.
#[must_use]
pub fn form_of(identifier: Value<'_>) -> Option<Form> {
    by_system(identifier).or_else(|| by_type(identifier))
}

fn by_system(identifier: Value<'_>) -> Option<Form> {
    let system = identifier.str_of("system")?;
    form_of_system(&system)
}

fn form_of_system(system: &str) -> Option<Form> {
    let system = normal(system);
    TABLE.systems.iter().find(|row| row.fits(&system)).map(|row| row.form)
}

/// Whether identifiers of this system are sensitive, whatever their type.
#[must_use]
pub fn is_known_system(system: &str) -> bool {
    form_of_system(system).is_some()
}

fn by_type(identifier: Value<'_>) -> Option<Form> {
    let codings = identifier.get("type")?.get("coding")?.items();
    let codes = codings.filter(|coding| {
        coding
            .str_of("system")
            .is_some_and(|system| TYPE_SYSTEMS.iter().any(|own| own.eq_ignore_ascii_case(&normal(&system))))
    });
    codes
        .filter_map(|coding| coding.str_of("code"))
        .find_map(|code| TABLE.types.iter().find(|row| row.fits(code.trim())).map(|row| row.form))
}

/// A system as the table writes it: `http`, and no slash at the end.
fn normal(system: &str) -> Cow<'_, str> {
    let system = system.trim().trim_end_matches('/');
    match system.get(..8) {
        Some(scheme) if scheme.eq_ignore_ascii_case("https://") => Cow::Owned(format!("http://{}", &system[8..])),
        _ => Cow::Borrowed(system),
    }
}

/// One row of the table of sensitive identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensitiveIdentifier {
    /// What they are known by: `system` or `type`.
    pub by: &'static str,
    /// The system, or the code of HL7 v2 table 0203; may end in `*`.
    pub name: &'static str,
    /// How they are masked.
    pub form: Form,
    /// What they are.
    pub what: &'static str,
}

/// Which identifiers are sensitive, for documents.
pub fn sensitive_identifiers() -> impl Iterator<Item = SensitiveIdentifier> {
    let rows = |by, rows: &'static [Pattern]| {
        rows.iter().map(move |row| SensitiveIdentifier { by, name: row.name, form: row.form, what: row.says })
    };
    rows("system", &TABLE.systems).chain(rows("type", &TABLE.types))
}
