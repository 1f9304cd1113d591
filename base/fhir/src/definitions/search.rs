//! Search parameters.

use iris_kernel::Kind;

/// How a search parameter's values are compared (R4 search.html#ptypes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// Codes, identifiers, booleans.
    Token,
    /// Text, by its start.
    String,
    /// A reference to another resource.
    Reference,
    /// A date, time or period.
    Date,
    /// A plain number.
    Number,
    /// A number with a unit.
    Quantity,
    /// A URI, compared whole.
    Uri,
    /// Several parameters about the same element.
    Composite,
    /// A parameter with rules of its own.
    Special,
}

impl ParamKind {
    /// The spelling in the definitions and in a capability statement.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::String => "string",
            Self::Reference => "reference",
            Self::Date => "date",
            Self::Number => "number",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
            Self::Composite => "composite",
            Self::Special => "special",
        }
    }

    pub(super) fn read(code: &str) -> Option<Self> {
        Some(match code {
            "token" => Self::Token,
            "string" => Self::String,
            "reference" => Self::Reference,
            "date" => Self::Date,
            "number" => Self::Number,
            "quantity" => Self::Quantity,
            "uri" => Self::Uri,
            "composite" => Self::Composite,
            "special" => Self::Special,
            _ => return None,
        })
    }
}

/// A search parameter of one resource type.
#[derive(Clone, Debug)]
pub struct SearchParam {
    /// A number for this code, the same for every type that has the code; fixed by the committed table.
    pub index: u16,
    /// The name in a query.
    pub code: &'static str,
    /// How values are compared.
    pub kind: ParamKind,
    /// `FHIRPath` from a resource of this type to the values. Of a parameter that several types share, only the parts
    /// for this type.
    pub expression: &'static str,
    /// Types that a reference may lead to; empty for other sorts, and where every type is allowed.
    pub targets: &'static [Kind],
    /// Canonical URL of the definition.
    pub url: &'static str,
}
