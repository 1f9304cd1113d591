//! Elements: what may stand in an object, how often, and of which type.

use iris_kernel::Kind;

/// The primitive types of FHIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Primitive {
    /// `true` or `false`
    Boolean,
    /// A signed 32-bit whole number.
    Integer,
    /// A number with exact spelling.
    Decimal,
    /// Bytes, in base 64.
    Base64Binary,
    /// A moment, to the second or finer, with offset.
    Instant,
    /// Text.
    String,
    /// A URI.
    Uri,
    /// A year, month or day.
    Date,
    /// A date, or a moment with offset.
    DateTime,
    /// A time of day.
    Time,
    /// A code.
    Code,
    /// `urn:oid:…`
    Oid,
    /// A logical id.
    Id,
    /// Markdown text.
    Markdown,
    /// 0 or more.
    UnsignedInt,
    /// 1 or more.
    PositiveInt,
    /// A URL.
    Url,
    /// A URI, maybe with a version.
    Canonical,
    /// `urn:uuid:…`
    Uuid,
    /// Narrative.
    Xhtml,
}

impl Primitive {
    /// Every primitive type, with its name.
    pub const ALL: [(&'static str, Self); 20] = [
        ("boolean", Self::Boolean),
        ("integer", Self::Integer),
        ("decimal", Self::Decimal),
        ("base64Binary", Self::Base64Binary),
        ("instant", Self::Instant),
        ("string", Self::String),
        ("uri", Self::Uri),
        ("date", Self::Date),
        ("dateTime", Self::DateTime),
        ("time", Self::Time),
        ("code", Self::Code),
        ("oid", Self::Oid),
        ("id", Self::Id),
        ("markdown", Self::Markdown),
        ("unsignedInt", Self::UnsignedInt),
        ("positiveInt", Self::PositiveInt),
        ("url", Self::Url),
        ("canonical", Self::Canonical),
        ("uuid", Self::Uuid),
        ("xhtml", Self::Xhtml),
    ];

    /// The primitive type with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(own, _)| *own == name).map(|(_, primitive)| *primitive)
    }

    /// The name of this type.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, own)| *own == self).map_or("", |(name, _)| name)
    }
}

/// What a value of a type looks like in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A JSON string, number or boolean.
    Primitive(Primitive),
    /// An object with the elements of this structure ([`super::Definitions::structure_at`]).
    Complex(u16),
    /// A whole resource.
    Resource,
}

/// What a reference or canonical may lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Any type (also for types that are no references).
    Any,
    /// One of these types.
    Only(Vec<Kind>),
}

/// One of the types that an element may have.
#[derive(Clone, Debug)]
pub struct ElementType {
    /// Name of the type: `code`, `Reference`, or the path of a part (`Patient.contact`).
    pub name: &'static str,
    /// What it looks like.
    pub shape: Shape,
    /// What it may refer to.
    pub targets: Targets,
    /// The codes that a required binding allows ([`super::Definitions::code_list`]).
    pub codes: Option<u16>,
    /// The codes that an extensible binding names: another one is only for what none of these says.
    pub suggested: Option<u16>,
}

/// One element of a structure.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its name, without `[x]`.
    pub name: &'static str,
    /// Fewest.
    pub min: u16,
    /// Most; `None` for no limit.
    pub max: Option<u16>,
    /// Whether its JSON name carries the type (`valueString`).
    pub choice: bool,
    /// The types it may have; several only if it is a choice.
    pub types: Vec<ElementType>,
}

impl Element {
    /// Whether it is an array in JSON.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.max != Some(1) && self.max != Some(0)
    }
}

/// A type, or a part of one, that has elements.
#[derive(Debug)]
pub struct Structure {
    /// Its number ([`super::Definitions::structure_at`]).
    pub index: u16,
    /// `Patient`, `HumanName`, `Patient.contact`.
    pub name: &'static str,
    /// What it specialises: `DomainResource`, `BackboneElement`; empty for the roots.
    pub base: &'static str,
    /// Its elements in the order of the specification, inherited ones first.
    pub elements: Vec<Element>,
    /// JSON member name → element and type.
    pub(super) members: Vec<Member>,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Box<str>,
    pub(super) element: u16,
    pub(super) of_type: u16,
}

impl Structure {
    /// The element with this name (without `[x]` or type).
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// What a JSON member of this name is: the position of the element, the element and its type. For `valueString` that
    /// is the element `value` and its type `string`.
    #[must_use]
    pub fn member(&self, name: &[u8]) -> Option<(usize, &Element, &ElementType)> {
        let at = self.members.binary_search_by(|member| member.name.as_bytes().cmp(name)).ok()?;
        let member = self.members.get(at)?;
        let element = self.elements.get(usize::from(member.element))?;
        Some((usize::from(member.element), element, element.types.get(usize::from(member.of_type))?))
    }
}

/// The codes of a value set that some required binding names.
#[derive(Debug)]
pub struct CodeList {
    /// Last part of the value set's URL.
    pub name: &'static str,
    /// The code systems and their codes, sorted.
    pub systems: Vec<(&'static str, Vec<&'static str>)>,
}

impl CodeList {
    /// Whether any system has this code.
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.systems.iter().any(|(_, codes)| codes.binary_search(&code).is_ok())
    }

    /// Whether this system has this code.
    #[must_use]
    pub fn has_in(&self, system: &str, code: &str) -> bool {
        self.systems.iter().any(|(own, codes)| *own == system && codes.binary_search(&code).is_ok())
    }
}
