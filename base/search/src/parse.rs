//! From the parameters of a request to a [`Query`], or to everything that is wrong with them.

mod chains;
mod controls;
mod filter;
mod includes;
mod sorting;
mod system;

use std::borrow::Cow;
use std::fmt;

use iris_kernel::limits::{
    FAULTS_MAX, SEARCH_ALTERNATIVES_MAX, SEARCH_CRITERIA_MAX, SEARCH_PARAMETERS_MAX, SEARCH_VALUE_BYTES_MAX,
};
use iris_kernel::{Fault, Kind, Timestamp};

use super::abilities::Modifier;
use super::criteria::{Ask, Refusal, criteria};
use super::plan::{Planned, Reading, planned, served};
use super::terminology::{Defined, Terminology};
use super::{Criterion, Query, term, value};
use iris_fhir::definitions::definitions;

pub use filter::FILTER_LEVELS_MAX;
pub(super) use filter::TextTest;
pub use sorting::sortable;
pub use system::parse_system_query;

/// Longest name that a message repeats whole.
const NAME_CHARS_MAX: usize = 64;
/// Parameters that R4 has and this server has not, with what to use instead.
const NOT_SERVED: [(&str, &str); 4] = [
    ("_text", "searching narratives is not supported; search by the type's own parameters"),
    ("_content", "searching whole contents is not supported; search by the type's own parameters"),
    ("_query", "named queries are not supported; search by the type's own parameters"),
    ("_type", "names the types of a search over several types, which has none in its address"),
];

/// What a query is read against.
#[derive(Clone, Copy)]
pub struct QueryContext<'a> {
    /// The address of this server's FHIR API, without a slash at the end: references to it are local ones.
    pub base_url: &'a str,
    /// Whether an unknown parameter is refused. `false` only if the caller asked for it (`Prefer: handling=lenient`): then parameters
    /// that are unknown, have an unknown modifier or sort by an unknown key are left out of the query and of [`Query::applied`], and
    /// stand with the reason in [`Query::ignored`]. What is malformed is refused either way.
    pub strict: bool,
    /// The time of the request: how near a date is to another (`ap`) depends on how long ago it was.
    pub now: Timestamp,
    /// What is known about codes.
    pub terminology: &'a dyn Terminology,
}

impl<'a> QueryContext<'a> {
    /// A strict reading, by the definitions' own codes.
    #[must_use]
    pub const fn new(base_url: &'a str, now: Timestamp) -> Self {
        Self { base_url, strict: true, now, terminology: &Defined }
    }
}

impl fmt::Debug for QueryContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryContext")
            .field("base_url", &self.base_url)
            .field("strict", &self.strict)
            .finish_non_exhaustive()
    }
}

/// Reads the decoded name and value pairs of a search on one kind.
///
/// # Errors
/// Every fault at once (at most `FAULTS_MAX`), each at the name of its parameter: unknown parameters, modifiers, prefixes and sort
/// keys, values that are none, and whatever R4 has but this server does not serve.
pub fn parse_query(kind: Kind, pairs: &[(String, String)], context: &QueryContext<'_>) -> Result<Query, Vec<Fault>> {
    parse_of(kind, &[kind], pairs, context)
}

/// The share of one kind in a search over several.
fn parse_of(
    kind: Kind,
    kinds: &[Kind],
    pairs: &[(String, String)],
    context: &QueryContext<'_>,
) -> Result<Query, Vec<Fault>> {
    if pairs.len() > SEARCH_PARAMETERS_MAX {
        return Err(vec![Fault::new("", format!("A search has at most {SEARCH_PARAMETERS_MAX} parameters"))]);
    }
    let mut reader = Reader {
        context,
        kinds,
        query: Query::everything(kind),
        seen: Vec::new(),
        criteria: 0,
        chains: 0,
        includes: 0,
    };
    let mut faults = Vec::new();
    for (name, value) in pairs {
        // What is no UTF-8 is decoded to this sign; it would be a search for something else.
        if name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER) {
            faults.push(Fault::new(shown(name), "is not UTF-8 in percent-encoding"));
            continue;
        }
        match reader.pair(name, value) {
            Ok(()) if name != "_cursor" => reader.query.applied.push((name.clone(), value.clone())),
            Ok(()) => {}
            Err(Trouble::Unknown(what) | Trouble::Unserved(what)) if !context.strict => {
                reader.query.ignored.push((shown(name), what.into_owned()));
            }
            Err(trouble) => faults.push(Fault::new(shown(name), trouble.what())),
        }
    }
    faults.extend(reader.contradictions());
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(reader.query) } else { Err(faults) }
}

/// What is wrong with a parameter.
enum Trouble {
    /// There is no such parameter, or it is not served: lenient handling passes over it, and so does a chain that leads to several
    /// types.
    Unknown(Refusal),
    /// The parameter has no such modifier, or no such key is sorted by: lenient handling passes over it.
    Unserved(Refusal),
    /// What is asked cannot be answered: passing over it would answer another question.
    Wrong(Refusal),
}

impl Trouble {
    /// The same about a parameter of another type.
    fn of(self, name: &str, rest: &str) -> Self {
        self.told(|what| format!("asks {name} by {}, which {what}", shown(rest)).into())
    }

    /// The same in other words.
    fn told(self, words: impl FnOnce(Refusal) -> Refusal) -> Self {
        match self {
            Self::Unknown(what) => Self::Unknown(words(what)),
            Self::Unserved(what) => Self::Unserved(words(what)),
            Self::Wrong(what) => Self::Wrong(words(what)),
        }
    }

    /// What is wrong, in words.
    fn what(self) -> Refusal {
        let (Self::Unknown(what) | Self::Unserved(what) | Self::Wrong(what)) = self;
        what
    }
}

impl From<Refusal> for Trouble {
    fn from(what: Refusal) -> Self {
        Self::Wrong(what)
    }
}

impl From<String> for Trouble {
    fn from(what: String) -> Self {
        Self::Wrong(what.into())
    }
}

impl From<&'static str> for Trouble {
    fn from(what: &'static str) -> Self {
        Self::Wrong(what.into())
    }
}

/// What one parameter asks for.
#[derive(Debug, Default)]
struct Asked {
    /// As in [`Query::all`].
    all: Vec<Vec<Criterion>>,
    /// As in [`Query::none`].
    none: Vec<Vec<Criterion>>,
}

impl Asked {
    /// One of these must hold.
    fn group(group: Vec<Criterion>) -> Self {
        Self { all: vec![group], none: Vec::new() }
    }

    /// None of these may hold.
    fn neither(group: Vec<Criterion>) -> Self {
        Self { all: Vec::new(), none: group.into_iter().map(|criterion| vec![criterion]).collect() }
    }
}

/// What stands at the end of a path of parameters.
#[derive(Clone, Copy, Debug)]
enum Leaf<'a> {
    /// The value of a parameter: alternatives with commas between them.
    Value(&'a str),
    /// A comparison of a `_filter`.
    Test(filter::Operator, &'a str),
    /// A condition of a `_filter` on the record that the path leads to, and what follows it.
    Tied(filter::Tied<'a>),
}

struct Reader<'a> {
    context: &'a QueryContext<'a>,
    /// All kinds that are searched at once; [`Query::kind`] is one of them.
    kinds: &'a [Kind],
    query: Query,
    /// The controls that have been read: each may stand once.
    seen: Vec<&'static str>,
    /// Criteria so far.
    criteria: usize,
    /// Chains so far.
    chains: usize,
    /// Parameters that include, so far.
    includes: usize,
}

impl Reader<'_> {
    fn pair(&mut self, name: &str, value: &str) -> Result<(), Trouble> {
        let base = name.split(':').next().unwrap_or(name);
        if let Some(control) = controls::named(base) {
            return self.control(control, name, value);
        }
        if let Some((along, modifier)) = includes::along(name) {
            return self.include(along, modifier, value);
        }
        let asked = match name {
            "_filter" => self.filter(value)?,
            _ => self.asked(self.query.kind, name, Leaf::Value(value), 0)?,
        };
        self.query.all.extend(asked.all);
        self.query.none.extend(asked.none);
        Ok(())
    }

    /// What a path of parameters asks of records of a kind, `depth` references away from what is searched.
    fn asked(&mut self, kind: Kind, name: &str, leaf: Leaf<'_>, depth: usize) -> Result<Asked, Trouble> {
        if let (true, Leaf::Tied(test)) = (name.is_empty(), leaf) {
            return self.tied(kind, test, depth);
        }
        if let Some(path) = name.strip_prefix("_has:") {
            return self.has(kind, path, leaf, depth);
        }
        if let Some(link) = name.split_once('.') {
            return self.chain(kind, link, leaf, depth);
        }
        let (code, modifier) = name.split_once(':').map_or((name, None), |(code, modifier)| (code, Some(modifier)));
        if code == "_list" {
            return self.listed(modifier, leaf);
        }
        let Some(planned) = planned(kind, code) else { return Err(self.unknown(kind, code)) };
        match leaf {
            Leaf::Test(operator, value) => {
                without(modifier, "a filter compares by its operators and")
                    .map_err(|trouble| Trouble::Wrong(trouble.what()))?;
                self.test(planned, operator, value).map_err(Trouble::Wrong)
            }
            Leaf::Tied(_) => Err("is followed by a condition and leads nowhere".into()),
            Leaf::Value(value) => {
                let modifier =
                    modifier.map(|name| Modifier::read(planned, name)).transpose().map_err(Trouble::Unserved)?;
                if modifier == Some(Modifier::Missing) {
                    return missing(planned, value).map_err(Trouble::Wrong);
                }
                let mut group = Vec::new();
                let ask = Ask { planned, modifier, context: self.context };
                for piece in alternatives(value)? {
                    criteria(&ask, piece, &mut group)?;
                    self.spend(group.len())?;
                }
                self.criteria += group.len();
                let is_turned = matches!(modifier, Some(Modifier::Not | Modifier::NotIn));
                Ok(if is_turned { Asked::neither(group) } else { Asked::group(group) })
            }
        }
    }

    /// `_list`: the records that a List names.
    fn listed(&self, modifier: Option<&str>, leaf: Leaf<'_>) -> Result<Asked, Trouble> {
        without(modifier, "_list")?;
        let Leaf::Value(value) = leaf else { return Err("is asked outside of a filter".into()) };
        let mut group = Vec::new();
        for piece in alternatives(value)? {
            let text = value::unescape(piece).unwrap_or(Cow::Borrowed(piece));
            let id = text.strip_prefix("List/").unwrap_or(&text);
            if text.starts_with('$') {
                return Err("supports the id of a List; lists with a $ are not supported".into());
            }
            if !iris_fhir::validate::primitive::is_id(id) {
                return Err("needs the id of a List".into());
            }
            group.push(Criterion::Listed(id.to_owned()));
        }
        Ok(Asked::group(group))
    }

    /// Refuses more criteria than a search may have, `more` of them not yet counted.
    fn spend(&self, more: usize) -> Result<(), Refusal> {
        if self.criteria + more <= SEARCH_CRITERIA_MAX {
            return Ok(());
        }
        Err(format!("makes the search stand for more than {SEARCH_CRITERIA_MAX} values").into())
    }

    /// That a type has no such parameter here.
    fn unknown(&self, kind: Kind, code: &str) -> Trouble {
        let what: Refusal = match code {
            "_has" => "needs the form _has:Type:reference:parameter, such as _has:Observation:patient:code".into(),
            "_filter" => "stands alone, not after a reference".into(),
            _ => match NOT_SERVED.iter().find(|(name, _)| *name == code) {
                Some((_, what)) => return Trouble::Unknown((*what).into()),
                None => return Trouble::Unknown(no_parameter(kind, code)),
            },
        };
        Trouble::Wrong(what)
    }
}

fn no_parameter(kind: Kind, code: &str) -> Refusal {
    let definitions = definitions();
    let name = definitions.name_of(kind);
    let known = definitions.params_of(kind).iter().find(|param| param.code == code);
    let supported: Vec<_> = served(kind).map(|param| param.code).collect();
    let supported = supported.join(", ");
    match known {
        Some(param) => {
            let sort = param.kind.code();
            format!("is a {sort} parameter of {name} that is not supported; supported are {supported}").into()
        }
        None => format!("is no search parameter of {name}; supported are {supported}").into(),
    }
}

/// `:missing`
fn missing(planned: &Planned, value: &str) -> Result<Asked, Refusal> {
    let term = term::present(planned.param.index);
    // Where not everybody sees the identifier it is there for those who do.
    let may_be_guarded = planned.reads_identifiers() || planned.reads(Reading::Reference);
    let guarded = may_be_guarded.then(|| Criterion::Term(term::guarded(&term)));
    let present = guarded.into_iter().chain([Criterion::Term(term)]).collect();
    match value {
        "true" => Ok(Asked::neither(present)),
        "false" => Ok(Asked::group(present)),
        _ => Err("needs true or false".into()),
    }
}

/// The alternatives of a value, each still escaped and within the limits.
fn alternatives(value: &str) -> Result<Vec<&str>, Refusal> {
    let pieces = value::alternatives(value);
    if pieces.len() > SEARCH_ALTERNATIVES_MAX {
        return Err(format!("has more than {SEARCH_ALTERNATIVES_MAX} alternatives").into());
    }
    for piece in &pieces {
        if piece.is_empty() {
            return Err("has an empty value; a comma that is part of a value is written \\,".into());
        }
        if piece.len() > SEARCH_VALUE_BYTES_MAX {
            return Err(format!("has a value of more than {SEARCH_VALUE_BYTES_MAX} bytes").into());
        }
    }
    Ok(pieces)
}

fn without(modifier: Option<&str>, who: &str) -> Result<(), Trouble> {
    match modifier {
        None => Ok(()),
        Some(_) => Err(Trouble::Unserved(format!("{who} takes no modifier").into())),
    }
}

/// A word out of a value as a message repeats it: what cannot be the name of anything is not repeated.
fn word(text: &str) -> Cow<'_, str> {
    let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_name && text.len() <= NAME_CHARS_MAX { Cow::Borrowed(text) } else { Cow::Borrowed("(no name)") }
}

/// The name as a message repeats it.
fn shown(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
