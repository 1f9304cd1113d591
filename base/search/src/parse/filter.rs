//! `_filter`: comparisons joined by `and`, `or` and `not`, with parentheses (R4 search_filter.html).
//!
//! `and` and `or` are read from left to right, neither before the other, as R4 has it. A comparison is about the parameter's values:
//! `ne` holds where some value is another, not where none is equal; that is `not(… eq …)`. Conditions in brackets, which tie several
//! comparisons to one element, are refused.

use iris_fhir::definitions::ParamKind;
use iris_fhir::json::Json;
use iris_kernel::limits::{SEARCH_FILTER_BYTES_MAX, SEARCH_FILTER_DEPTH_MAX, SEARCH_VALUE_BYTES_MAX};

use super::{Asked, Leaf, Reader, Trouble, missing, word};
use crate::abilities::Modifier;
use crate::criteria::{Ask, Refusal, criteria, overlaps, text_test};
use crate::plan::Planned;
use crate::{Criterion, term};

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
    Re,
}

impl Operator {
    const ALL: [(&'static str, Self); 18] = [
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
        ("re", Self::Re),
    ];

    fn read(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(own, _)| *own == code).map(|(_, operator)| operator)
    }

    fn code(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, operator)| *operator == self).map_or("", |(code, _)| code)
    }

    /// Those that a sort of parameter takes.
    fn of(sort: ParamKind) -> &'static [Self] {
        use Operator::{Ap, Co, Eb, Eq, Ew, Ge, Gt, In, Le, Lt, Ne, Po, Pr, Re, Sa, Sb, Ss, Sw};
        match sort {
            ParamKind::Date => &[Eq, Ne, Gt, Lt, Ge, Le, Sa, Eb, Ap, Po, Pr],
            ParamKind::Number | ParamKind::Quantity => &[Eq, Ne, Gt, Lt, Ge, Le, Sa, Eb, Ap, Pr],
            ParamKind::String => &[Eq, Co, Sw, Ew, Pr],
            ParamKind::Token => &[Eq, In, Ss, Sb, Pr],
            ParamKind::Reference => &[Eq, Re, Pr],
            ParamKind::Uri => &[Eq, Sw, Pr],
            ParamKind::Composite => &[Eq],
            ParamKind::Special => &[],
        }
    }
}

/// How two filters are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

/// What is still to be read.
struct Rest<'a> {
    whole: &'a str,
    text: &'a str,
}

impl<'a> Rest<'a> {
    fn skip_blanks(&mut self) {
        self.text = self.text.trim_start();
    }

    fn take(&mut self, sign: char) -> bool {
        self.skip_blanks();
        match self.text.strip_prefix(sign) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    /// The signs up to a blank or one of `ends`.
    fn run(&mut self, ends: &[char]) -> &'a str {
        self.skip_blanks();
        let end = self.text.find(|sign: char| sign.is_whitespace() || ends.contains(&sign)).unwrap_or(self.text.len());
        let (run, rest) = self.text.split_at(end);
        self.text = rest;
        run
    }

    /// Takes a word if it comes next and ends there.
    fn word(&mut self, wanted: &str) -> bool {
        let before = self.text;
        if self.run(&['(', ')']) == wanted {
            return true;
        }
        self.text = before;
        false
    }

    /// What is wrong, with the place: no part of the text is repeated, because it has values.
    fn fault(&self, what: &str) -> Trouble {
        let at = self.whole[..self.whole.len() - self.text.len()].chars().count() + 1;
        Trouble::Wrong(format!("is no filter: at sign {at} {what}").into())
    }
}

impl Reader<'_> {
    /// The filter as one criterion.
    pub(super) fn filter(&mut self, text: &str) -> Result<Asked, Trouble> {
        if text.len() > SEARCH_FILTER_BYTES_MAX {
            return Err(Trouble::Wrong(format!("is longer than {SEARCH_FILTER_BYTES_MAX} bytes").into()));
        }
        let mut rest = Rest { whole: text, text };
        let tree = self.joined(&mut rest, 0)?;
        rest.skip_blanks();
        if !rest.text.is_empty() {
            return Err(rest.fault("there is neither and nor or"));
        }
        Ok(Asked::group(vec![tree]))
    }

    fn joined(&mut self, rest: &mut Rest<'_>, depth: usize) -> Result<Criterion, Trouble> {
        let mut tree = self.one(rest, depth)?;
        loop {
            let joint = if rest.word("and") {
                Joint::And
            } else if rest.word("or") {
                Joint::Or
            } else {
                return Ok(tree);
            };
            let next = self.one(rest, depth)?;
            tree = match (joint, tree) {
                (Joint::And, Criterion::All(all)) => Criterion::All(all.into_iter().chain([next]).collect()),
                (Joint::Or, Criterion::Any(any)) => Criterion::Any(any.into_iter().chain([next]).collect()),
                (Joint::And, before) => Criterion::All(vec![before, next]),
                (Joint::Or, before) => Criterion::Any(vec![before, next]),
            };
        }
    }

    fn one(&mut self, rest: &mut Rest<'_>, depth: usize) -> Result<Criterion, Trouble> {
        if depth >= SEARCH_FILTER_DEPTH_MAX {
            return Err(rest.fault(&format!("it nests deeper than {SEARCH_FILTER_DEPTH_MAX}")));
        }
        let before = rest.text;
        let is_turned = rest.word("not") && {
            rest.skip_blanks();
            rest.text.starts_with('(')
        };
        if !is_turned {
            rest.text = before;
        }
        if !rest.take('(') {
            return self.comparison(rest);
        }
        let inner = self.joined(rest, depth + 1)?;
        if !rest.take(')') {
            return Err(rest.fault("a closing parenthesis is missing"));
        }
        Ok(if is_turned { Criterion::Not(Box::new(inner)) } else { inner })
    }

    fn comparison(&mut self, rest: &mut Rest<'_>) -> Result<Criterion, Trouble> {
        let path = rest.run(&['(', ')', '[', ']', '"']);
        if path.is_empty() {
            return Err(rest.fault("a comparison is missing"));
        }
        if rest.text.starts_with('[') {
            return Err(rest.fault("conditions in brackets are not supported"));
        }
        let before = rest.text;
        let Some(operator) = Operator::read(rest.run(&['(', ')', '"'])) else {
            rest.text = before;
            let known: Vec<_> = Operator::ALL.iter().map(|(code, _)| *code).collect();
            return Err(rest.fault(&format!("none of the operators {} stands", known.join(", "))));
        };
        let value = operand(rest)?;
        let kind = self.query.kind;
        let asked = self.asked(kind, path, Leaf::Test(operator, &value), 0).map_err(|trouble| trouble.within(path))?;
        Ok(asked.tree())
    }

    /// One comparison with the values of a parameter.
    pub(super) fn test(&mut self, planned: &Planned, operator: Operator, value: &str) -> Result<Asked, Refusal> {
        let (sort, index) = (planned.param.kind, planned.param.index);
        if !Operator::of(sort).contains(&operator) {
            let known: Vec<_> = Operator::of(sort).iter().map(|operator| operator.code()).collect();
            let (known, sort, operator) = (known.join(", "), sort.code(), operator.code());
            return Err(
                format!("is a {sort} parameter, which {operator} does not compare; its operators are {known}").into()
            );
        }
        if operator == Operator::Pr {
            return missing(
                planned,
                if value == "true" {
                    "false"
                } else if value == "false" {
                    "true"
                } else {
                    value
                },
            );
        }
        let modifier = match operator {
            Operator::In => Some(Modifier::In),
            Operator::Ss => Some(Modifier::Above),
            Operator::Sb => Some(Modifier::Below),
            _ => None,
        };
        if let Some(modifier) = modifier {
            Modifier::read(planned, modifier.code())?;
        }
        let ask = Ask { planned, modifier, context: self.context };
        let mut group = Vec::new();
        match sort {
            ParamKind::Date if operator == Operator::Po => group.push(overlaps(planned, value)?),
            ParamKind::Date | ParamKind::Number | ParamKind::Quantity => {
                criteria(&ask, &format!("{}{value}", operator.code()), &mut group)?;
            }
            ParamKind::String => group.push(text_test(planned, operator.text(), value)?),
            ParamKind::Uri if operator == Operator::Sw => group.push(Criterion::Prefix(term::uri(index, value))),
            _ => criteria(&ask, value, &mut group)?,
        }
        self.spend(group.len())?;
        self.criteria += group.len();
        Ok(Asked::group(group))
    }
}

/// How a text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextTest {
    /// The whole of it.
    Whole,
    /// Its beginning.
    Starts,
    /// Its end.
    Ends,
    /// Some part of it.
    Contains,
}

impl Operator {
    const fn text(self) -> TextTest {
        match self {
            Self::Sw => TextTest::Starts,
            Self::Ew => TextTest::Ends,
            Self::Co => TextTest::Contains,
            _ => TextTest::Whole,
        }
    }
}

/// A value: a JSON string, or the signs up to a blank, `)` or `]`.
fn operand(rest: &mut Rest<'_>) -> Result<String, Trouble> {
    rest.skip_blanks();
    let value = if rest.text.starts_with('"') { quoted(rest)? } else { rest.run(&[')', ']']).to_owned() };
    if value.is_empty() {
        return Err(rest.fault("a value is missing"));
    }
    if value.len() > SEARCH_VALUE_BYTES_MAX {
        return Err(rest.fault(&format!("a value ends that has more than {SEARCH_VALUE_BYTES_MAX} bytes")));
    }
    Ok(value)
}

/// A JSON string, by the reader of JSON.
fn quoted(rest: &mut Rest<'_>) -> Result<String, Trouble> {
    let mut escaped = false;
    let closing = rest.text.char_indices().skip(1).find(|(_, sign)| {
        let closes = *sign == '"' && !escaped;
        escaped = *sign == '\\' && !escaped;
        closes
    });
    let Some((closing, _)) = closing else { return Err(rest.fault("a text begins that does not end")) };
    let (text, after) = rest.text.split_at(closing + 1);
    let read = Json::parse(text.to_owned()).ok();
    let value = read.as_ref().and_then(|json| json.root().as_str());
    let Some(value) = value else { return Err(rest.fault("a text is no JSON string")) };
    rest.text = after;
    Ok(value.into_owned())
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
    /// The same about a parameter within a filter: lenient handling does not pass over a part of one.
    fn within(self, path: &str) -> Self {
        let (Self::Unknown(what) | Self::Wrong(what)) = self;
        // A path may end in a name that is none.
        let path = path.split(['.', ':']).map(word).collect::<Vec<_>>().join(".");
        Self::Wrong(format!("asks by {path}, which {what}").into())
    }
}
