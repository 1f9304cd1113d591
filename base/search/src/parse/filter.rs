//! `_filter`: comparisons joined by `and`, `or` and `not`, with parentheses and with conditions in brackets (R4 search_filter.html).
//!
//! - `and` and `or` are read from left to right, neither before the other, as R4 has it.
//! - A comparison is about the set of values that its path leads to, and holds where one of them passes: `ne` holds where some value is
//!   another, not where none is equal; that is `not(… eq …)`. `ni` alone is about all of them.
//! - A path goes through references as a chain does. A condition in brackets behind a reference is about the same record as what
//!   follows: `subject[gender eq male].birthdate ge 2000`. The two further names of R4 that are tied elements, `characteristic` of a
//!   Group and `relatesTo` of a DocumentReference, take brackets too.
//! - Texts are compared without case and accents, `gt`, `lt`, `ge` and `le` sign by sign from the first; tokens and addresses as their
//!   parameters compare them, with case. `ss` holds where the value of the filter subsumes one of the record, `sb` where it is subsumed.
//! - A value is escaped as that of any search parameter, `\|` for a bar that is part of it; a JSON string may be around that.
//! - `loinc`, `snomed`, `rxnorm` and `ucum` stand for their systems.
//!
//! What R4 calls "n/a" for a sort of parameter is refused by name, as are `co` of numbers, for which the index would have to know how
//! precisely each was written, and `ne` of an identifier with its system, which would need each pair of the two.

mod grammar;
mod tied;

use std::borrow::Cow;

use iris_fhir::definitions::ParamKind;

use super::{Asked, Reader, Trouble, missing, word};
use crate::Criterion;
use crate::abilities::Modifier;
use crate::criteria::{Ask, Refusal, contains_date, criteria, other_than, overlaps, plain, text_test, uri_part};
use crate::plan::{Planned, is_phonetic};
use crate::value::split;
use grammar::Tree;
use iris_kernel::Kind;
pub(super) use tied::Tied;

/// Most levels of a `_filter`: each change between `and` and `or`, each `not` and each bracket is one, and so is a comparison. Criteria
/// stand as deep in each other, a comparison's own at most four deeper.
pub const FILTER_LEVELS_MAX: usize = 56;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Lt,
    Ge,
    Le,
    Ap,
    Sa,
    Eb,
    Pr,
    Po,
    Ss,
    Sb,
    In,
    Ni,
    Re,
}

impl Operator {
    const ALL: [(&'static str, Self); 19] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("co", Self::Co),
        ("sw", Self::Sw),
        ("ew", Self::Ew),
        ("gt", Self::Gt),
        ("lt", Self::Lt),
        ("ge", Self::Ge),
        ("le", Self::Le),
        ("ap", Self::Ap),
        ("sa", Self::Sa),
        ("eb", Self::Eb),
        ("pr", Self::Pr),
        ("po", Self::Po),
        ("ss", Self::Ss),
        ("sb", Self::Sb),
        ("in", Self::In),
        ("ni", Self::Ni),
        ("re", Self::Re),
    ];

    fn read(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(own, _)| *own == code).map(|(_, operator)| operator)
    }

    fn code(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, operator)| *operator == self).map_or("", |(code, _)| code)
    }

    /// Those that a parameter takes.
    fn of(planned: &Planned) -> &'static [Self] {
        use Operator::{Ap, Co, Eb, Eq, Ew, Ge, Gt, In, Le, Lt, Ne, Ni, Po, Pr, Re, Sa, Sb, Ss, Sw};
        match planned.param.kind {
            ParamKind::Date => &[Eq, Ne, Co, Gt, Lt, Ge, Le, Sa, Eb, Ap, Po, Pr],
            ParamKind::Number | ParamKind::Quantity => &[Eq, Ne, Gt, Lt, Ge, Le, Sa, Eb, Ap, Pr],
            ParamKind::String if is_phonetic(planned.param) => &[Eq, Pr],
            ParamKind::String => &[Eq, Ne, Co, Sw, Ew, Gt, Lt, Ge, Le, Pr],
            ParamKind::Token => &[Eq, Ne, In, Ni, Ss, Sb, Pr],
            ParamKind::Reference => &[Eq, Re, Pr],
            ParamKind::Uri => &[Eq, Ne, Co, Sw, Ew, Pr],
            ParamKind::Composite => &[Eq],
            ParamKind::Special => &[Pr],
        }
    }
}

/// Names that stand for systems in a filter (R4 search_filter.html).
const SYSTEMS: [(&str, &str); 4] = [
    ("loinc", "http://loinc.org"),
    ("snomed", "http://snomed.info/sct"),
    ("rxnorm", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    ("ucum", "http://unitsofmeasure.org"),
];

impl Reader<'_> {
    /// The filter as one criterion.
    pub(super) fn filter(&mut self, text: &str) -> Result<Asked, Trouble> {
        let tree = grammar::read(text)?;
        // Lenient handling does not pass over a part of a filter.
        let tree = self.tree(self.query.kind, &tree, 0).map_err(|trouble| Trouble::Wrong(trouble.what()))?;
        Ok(Asked::group(vec![tree]))
    }

    /// What a filter asks of records of a kind, `depth` references away from what is searched.
    fn tree(&mut self, kind: Kind, tree: &Tree, depth: usize) -> Result<Criterion, Trouble> {
        Ok(match tree {
            Tree::One(one) => {
                let test = Tied { tied: &one.tied, last: &one.last, operator: one.operator, value: &one.value };
                self.path(kind, test, depth).map_err(|trouble| trouble.within(&one.shown()))?.tree()
            }
            Tree::All(all) => Criterion::All(self.trees(kind, all, depth)?),
            Tree::Any(any) => Criterion::Any(self.trees(kind, any, depth)?),
            Tree::Not(inner) => Criterion::Not(Box::new(self.tree(kind, inner, depth)?)),
        })
    }

    fn trees(&mut self, kind: Kind, trees: &[Tree], depth: usize) -> Result<Vec<Criterion>, Trouble> {
        trees.iter().map(|tree| self.tree(kind, tree, depth)).collect()
    }

    /// One comparison with the values of a parameter.
    pub(super) fn test(&mut self, planned: &Planned, operator: Operator, value: &str) -> Result<Asked, Refusal> {
        let sort = planned.param.kind;
        if !Operator::of(planned).contains(&operator) {
            let known: Vec<_> = Operator::of(planned).iter().map(|operator| operator.code()).collect();
            let (known, sort, operator) = (known.join(", "), sort.code(), operator.code());
            return Err(
                format!("is a {sort} parameter, which {operator} does not compare; its operators are {known}").into()
            );
        }
        if operator == Operator::Pr {
            return missing(
                planned,
                match value {
                    "true" => "false",
                    "false" => "true",
                    value => value,
                },
            );
        }
        let modifier = match operator {
            Operator::In | Operator::Ni => Some(Modifier::In),
            Operator::Ss => Some(Modifier::Below),
            Operator::Sb => Some(Modifier::Above),
            _ => None,
        };
        if let Some(modifier) = modifier {
            Modifier::read(planned, modifier.code())?;
        }
        let ask = Ask { planned, modifier, context: self.context };
        let value = &*with_systems(sort, value);
        let mut group = Vec::new();
        match (sort, operator) {
            (ParamKind::Date, Operator::Po) => group.push(overlaps(planned, value)?),
            (ParamKind::Date, Operator::Co) => group.push(contains_date(planned, value)?),
            (ParamKind::Date | ParamKind::Number | ParamKind::Quantity, _) => {
                criteria(&ask, &format!("{}{value}", operator.code()), &mut group)?;
            }
            (ParamKind::String, _) => group.push(text_test(planned, operator.text(), &plain(value)?)?),
            (ParamKind::Token | ParamKind::Uri, Operator::Ne) => group.extend(other_than(planned, value)?),
            (ParamKind::Uri, Operator::Co | Operator::Sw | Operator::Ew) => {
                group.push(uri_part(planned, operator.text(), &plain(value)?));
            }
            _ => criteria(&ask, value, &mut group)?,
        }
        self.spend(group.len())?;
        self.criteria += group.len();
        Ok(if operator == Operator::Ni { Asked::neither(group) } else { Asked::group(group) })
    }
}

/// How a text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextTest {
    /// The whole of it.
    Whole,
    /// Another one.
    Other,
    /// Its beginning.
    Starts,
    /// Its end.
    Ends,
    /// Some part of it.
    Contains,
    /// Its place in the order of texts.
    Order(crate::TextOrder),
}

impl Operator {
    const fn text(self) -> TextTest {
        use crate::TextOrder::{After, Before, From, UpTo};
        match self {
            Self::Ne => TextTest::Other,
            Self::Sw => TextTest::Starts,
            Self::Ew => TextTest::Ends,
            Self::Co => TextTest::Contains,
            Self::Gt => TextTest::Order(After),
            Self::Ge => TextTest::Order(From),
            Self::Lt => TextTest::Order(Before),
            Self::Le => TextTest::Order(UpTo),
            _ => TextTest::Whole,
        }
    }
}

/// A value with the systems in the place of the names that stand for them: before the first `|` of a token and between the two of a
/// quantity, in each component of a composite.
fn with_systems(sort: ParamKind, value: &str) -> Cow<'_, str> {
    let is_coded = matches!(sort, ParamKind::Token | ParamKind::Quantity | ParamKind::Composite);
    if !is_coded || !value.contains('|') {
        return Cow::Borrowed(value);
    }
    let part = |part: &str| {
        let pieces = split(part, b'|');
        let place = pieces.len().saturating_sub(2);
        let system = |(at, piece): (usize, &&str)| {
            let known = SYSTEMS.iter().find(|(name, _)| at == place && name == piece);
            known.map_or((*piece).to_owned(), |(_, system)| (*system).to_owned())
        };
        pieces.iter().enumerate().map(system).collect::<Vec<_>>().join("|")
    };
    Cow::Owned(split(value, b'$').into_iter().map(part).collect::<Vec<_>>().join("$"))
}

impl Asked {
    /// The same as one criterion.
    fn tree(self) -> Criterion {
        let mut all: Vec<Criterion> = self.all.into_iter().map(|group| single(group, Criterion::Any)).collect();
        all.extend(self.none.into_iter().map(|group| Criterion::Not(Box::new(single(group, Criterion::All)))));
        single(all, Criterion::All)
    }
}

fn single(mut group: Vec<Criterion>, several: fn(Vec<Criterion>) -> Criterion) -> Criterion {
    match group.pop() {
        Some(only) if group.is_empty() => only,
        Some(last) => {
            group.push(last);
            several(group)
        }
        None => several(group),
    }
}

impl Trouble {
    /// The same about a parameter within a filter.
    fn within(self, path: &str) -> Self {
        // A path may end in a name that is none.
        let path = path.split(['.', ':']).map(word).collect::<Vec<_>>().join(".");
        self.told(|what| format!("asks by {path}, which {what}").into())
    }
}
