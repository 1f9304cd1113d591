//! The functions of the language and of R4: their names, their arguments, and what they work on.

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    Abs,
    Aggregate,
    All,
    AllFalse,
    AllTrue,
    AnyFalse,
    AnyTrue,
    Ceiling,
    Children,
    Combine,
    Comparable,
    ConformsTo,
    Contains,
    ConvertsTo(Target),
    Count,
    Decode,
    Descendants,
    Distinct,
    Empty,
    Encode,
    EndsWith,
    Escape,
    Exclude,
    Exists,
    Exp,
    Extension,
    First,
    Floor,
    GetValue,
    HasValue,
    HighBoundary,
    HtmlChecks,
    Iif,
    IndexOf,
    Intersect,
    IsDistinct,
    Join,
    Last,
    LastIndexOf,
    Length,
    Ln,
    Log,
    LowBoundary,
    Lower,
    Matches,
    MatchesFull,
    MemberOf,
    Not,
    Now,
    Power,
    Precision,
    Repeat,
    Replace,
    ReplaceMatches,
    Resolve,
    Round,
    Select,
    Single,
    Skip,
    Sort,
    Split,
    Sqrt,
    StartsWith,
    SubsetOf,
    Substring,
    SupersetOf,
    Tail,
    Take,
    TimeOfDay,
    To(Target),
    ToChars,
    Today,
    Trace,
    Trim,
    Truncate,
    Type,
    Unescape,
    Union,
    Upper,
    Where,
}

/// What the conversion functions convert to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Boolean,
    Date,
    DateTime,
    Decimal,
    Integer,
    Quantity,
    String,
    Time,
}

/// What a function may be called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Anything.
    Any,
    /// One `String`.
    Text,
    /// One number.
    Number,
    /// One number or quantity.
    NumberOrQuantity,
    /// `Boolean`s.
    Booleans,
}

/// What a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// `Boolean`
    Boolean,
    /// `Integer`
    Integer,
    /// `Decimal`
    Decimal,
    /// One `String`.
    Text,
    /// Several `String`s.
    Texts,
    /// Items out of what it is called on.
    Input,
    /// Items out of what it is called on and of its argument.
    InputAndArgument,
    /// The type that its name says.
    Target(Target),
    /// Nothing that could be known before.
    Unknown,
}

/// A row of the table: name, function, fewest and most arguments, input, result.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) function: Function,
    pub(crate) least: usize,
    pub(crate) most: usize,
    pub(crate) input: Input,
    pub(crate) gives: Gives,
}

const fn row(name: &'static str, function: Function, arguments: (usize, usize), input: Input, gives: Gives) -> Row {
    Row { name, function, least: arguments.0, most: arguments.1, input, gives }
}

use Function as F;
use Gives as G;
use Input as I;
use Target as T;

/// Most keys of a `sort()`.
const SORT_KEYS_MAX: usize = 8;

/// The functions by name.
const TABLE: [Row; 94] = [
    row("abs", F::Abs, (0, 0), I::NumberOrQuantity, G::Input),
    row("aggregate", F::Aggregate, (1, 2), I::Any, G::Unknown),
    row("all", F::All, (1, 1), I::Any, G::Boolean),
    row("allFalse", F::AllFalse, (0, 0), I::Booleans, G::Boolean),
    row("allTrue", F::AllTrue, (0, 0), I::Booleans, G::Boolean),
    row("anyFalse", F::AnyFalse, (0, 0), I::Booleans, G::Boolean),
    row("anyTrue", F::AnyTrue, (0, 0), I::Booleans, G::Boolean),
    row("ceiling", F::Ceiling, (0, 0), I::Number, G::Integer),
    row("children", F::Children, (0, 0), I::Any, G::Unknown),
    row("combine", F::Combine, (1, 1), I::Any, G::InputAndArgument),
    row("comparable", F::Comparable, (1, 1), I::NumberOrQuantity, G::Boolean),
    row("conformsTo", F::ConformsTo, (1, 1), I::Any, G::Boolean),
    row("contains", F::Contains, (1, 1), I::Text, G::Boolean),
    row("convertsToBoolean", F::ConvertsTo(T::Boolean), (0, 0), I::Any, G::Boolean),
    row("convertsToDate", F::ConvertsTo(T::Date), (0, 0), I::Any, G::Boolean),
    row("convertsToDateTime", F::ConvertsTo(T::DateTime), (0, 0), I::Any, G::Boolean),
    row("convertsToDecimal", F::ConvertsTo(T::Decimal), (0, 0), I::Any, G::Boolean),
    row("convertsToInteger", F::ConvertsTo(T::Integer), (0, 0), I::Any, G::Boolean),
    row("convertsToQuantity", F::ConvertsTo(T::Quantity), (0, 1), I::Any, G::Boolean),
    row("convertsToString", F::ConvertsTo(T::String), (0, 0), I::Any, G::Boolean),
    row("convertsToTime", F::ConvertsTo(T::Time), (0, 0), I::Any, G::Boolean),
    row("count", F::Count, (0, 0), I::Any, G::Integer),
    row("decode", F::Decode, (1, 1), I::Text, G::Text),
    row("descendants", F::Descendants, (0, 0), I::Any, G::Unknown),
    row("distinct", F::Distinct, (0, 0), I::Any, G::Input),
    row("empty", F::Empty, (0, 0), I::Any, G::Boolean),
    row("encode", F::Encode, (1, 1), I::Text, G::Text),
    row("endsWith", F::EndsWith, (1, 1), I::Text, G::Boolean),
    row("escape", F::Escape, (1, 1), I::Text, G::Text),
    row("exclude", F::Exclude, (1, 1), I::Any, G::Input),
    row("exists", F::Exists, (0, 1), I::Any, G::Boolean),
    row("exp", F::Exp, (0, 0), I::Number, G::Decimal),
    row("extension", F::Extension, (1, 1), I::Any, G::Unknown),
    row("first", F::First, (0, 0), I::Any, G::Input),
    row("floor", F::Floor, (0, 0), I::Number, G::Integer),
    row("getValue", F::GetValue, (0, 0), I::Any, G::Unknown),
    row("hasValue", F::HasValue, (0, 0), I::Any, G::Boolean),
    row("highBoundary", F::HighBoundary, (0, 1), I::Any, G::Input),
    row("htmlChecks", F::HtmlChecks, (0, 0), I::Any, G::Boolean),
    row("iif", F::Iif, (2, 3), I::Any, G::Unknown),
    row("indexOf", F::IndexOf, (1, 1), I::Text, G::Integer),
    row("intersect", F::Intersect, (1, 1), I::Any, G::Input),
    row("isDistinct", F::IsDistinct, (0, 0), I::Any, G::Boolean),
    row("join", F::Join, (0, 1), I::Any, G::Text),
    row("last", F::Last, (0, 0), I::Any, G::Input),
    row("lastIndexOf", F::LastIndexOf, (1, 1), I::Text, G::Integer),
    row("length", F::Length, (0, 0), I::Text, G::Integer),
    row("ln", F::Ln, (0, 0), I::Number, G::Decimal),
    row("log", F::Log, (1, 1), I::Number, G::Decimal),
    row("lowBoundary", F::LowBoundary, (0, 1), I::Any, G::Input),
    row("lower", F::Lower, (0, 0), I::Text, G::Text),
    row("matches", F::Matches, (1, 1), I::Text, G::Boolean),
    row("matchesFull", F::MatchesFull, (1, 1), I::Text, G::Boolean),
    row("memberOf", F::MemberOf, (1, 1), I::Any, G::Boolean),
    row("not", F::Not, (0, 0), I::Any, G::Boolean),
    row("now", F::Now, (0, 0), I::Any, G::Target(T::DateTime)),
    row("power", F::Power, (1, 1), I::Number, G::Unknown),
    row("precision", F::Precision, (0, 0), I::Any, G::Integer),
    row("repeat", F::Repeat, (1, 1), I::Any, G::Unknown),
    row("replace", F::Replace, (2, 2), I::Text, G::Text),
    row("replaceMatches", F::ReplaceMatches, (2, 2), I::Text, G::Text),
    row("resolve", F::Resolve, (0, 0), I::Any, G::Unknown),
    row("round", F::Round, (0, 1), I::Number, G::Decimal),
    row("select", F::Select, (1, 1), I::Any, G::Unknown),
    row("single", F::Single, (0, 0), I::Any, G::Input),
    row("skip", F::Skip, (1, 1), I::Any, G::Input),
    row("sort", F::Sort, (0, SORT_KEYS_MAX), I::Any, G::Input),
    row("split", F::Split, (1, 1), I::Text, G::Texts),
    row("sqrt", F::Sqrt, (0, 0), I::Number, G::Decimal),
    row("startsWith", F::StartsWith, (1, 1), I::Text, G::Boolean),
    row("subsetOf", F::SubsetOf, (1, 1), I::Any, G::Boolean),
    row("substring", F::Substring, (1, 2), I::Text, G::Text),
    row("supersetOf", F::SupersetOf, (1, 1), I::Any, G::Boolean),
    row("tail", F::Tail, (0, 0), I::Any, G::Input),
    row("take", F::Take, (1, 1), I::Any, G::Input),
    row("timeOfDay", F::TimeOfDay, (0, 0), I::Any, G::Target(T::Time)),
    row("toBoolean", F::To(T::Boolean), (0, 0), I::Any, G::Target(T::Boolean)),
    row("toChars", F::ToChars, (0, 0), I::Text, G::Texts),
    row("toDate", F::To(T::Date), (0, 0), I::Any, G::Target(T::Date)),
    row("toDateTime", F::To(T::DateTime), (0, 0), I::Any, G::Target(T::DateTime)),
    row("toDecimal", F::To(T::Decimal), (0, 0), I::Any, G::Target(T::Decimal)),
    row("toInteger", F::To(T::Integer), (0, 0), I::Any, G::Target(T::Integer)),
    row("toQuantity", F::To(T::Quantity), (0, 1), I::Any, G::Target(T::Quantity)),
    row("toString", F::To(T::String), (0, 0), I::Any, G::Target(T::String)),
    row("toTime", F::To(T::Time), (0, 0), I::Any, G::Target(T::Time)),
    row("today", F::Today, (0, 0), I::Any, G::Target(T::Date)),
    row("trace", F::Trace, (1, 2), I::Any, G::Input),
    row("trim", F::Trim, (0, 0), I::Text, G::Text),
    row("truncate", F::Truncate, (0, 0), I::Number, G::Integer),
    row("type", F::Type, (0, 0), I::Any, G::Unknown),
    row("unescape", F::Unescape, (1, 1), I::Text, G::Text),
    row("union", F::Union, (1, 1), I::Any, G::InputAndArgument),
    row("upper", F::Upper, (0, 0), I::Text, G::Text),
    row("where", F::Where, (1, 1), I::Any, G::Input),
];

/// The function with this name. `is`, `as` and `ofType`, whose argument is a type, are not among them.
pub(crate) fn named(name: &str) -> Option<&'static Row> {
    let at = TABLE.binary_search_by(|row| row.name.cmp(name)).ok()?;
    TABLE.get(at)
}

impl Function {
    /// Whether its arguments are evaluated for each item it is called on, with that as `$this`.
    pub(crate) const fn is_per_item(self) -> bool {
        matches!(
            self,
            Self::Where
                | Self::Select
                | Self::All
                | Self::Exists
                | Self::Repeat
                | Self::Aggregate
                | Self::Sort
                | Self::Trace
                | Self::Iif
        )
    }

    /// Whether it depends on the order of the items.
    pub(crate) const fn needs_order(self) -> bool {
        matches!(self, Self::First | Self::Last | Self::Tail | Self::Skip | Self::Take)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(TABLE.is_sorted_by_key(|row| row.name));
        assert!(TABLE.windows(2).all(|pair| pair[0].name != pair[1].name));
    }
}
