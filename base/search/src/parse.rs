//! From the parameters of a request to a [`Query`], or to everything that is wrong with them.

use iris_kernel::limits::{FAULTS_MAX, FHIR_PAGE_MAX, SEARCH_ALTERNATIVES_MAX, SEARCH_VALUE_BYTES_MAX};
use iris_kernel::{Fault, Kind};

use super::criteria::{Refusal, criteria};
use super::plan::{date_slot, planned, served};
use super::{Criterion, Order, Query, Sort, SortKey, Total, value};
use iris_fhir::definitions::{ParamKind, definitions};

/// The parameters about the answer rather than about what is searched.
const CONTROLS: [&str; 6] = ["_count", "_sort", "_summary", "_total", "_format", "_cursor"];
/// Most parameters of one search.
const PARAMETERS_MAX: usize = 100;
/// Longest name of a parameter that a message repeats whole.
const NAME_CHARS_MAX: usize = 64;

/// What a query is read against.
#[derive(Clone, Copy, Debug)]
pub struct QueryContext<'a> {
    /// The address of this server's FHIR API, without a slash at the end: references to it are local ones.
    pub base_url: &'a str,
    /// Whether an unknown parameter is refused. `false` only if the caller asked for it (`Prefer: handling=lenient`): then
    /// unknown parameters are left out of the query and of [`Query::applied`], so that the `self` link tells.
    pub strict: bool,
}

/// Reads the decoded name and value pairs of a search on one kind.
///
/// # Errors
/// Every fault at once (at most `FAULTS_MAX`), each at the name of its parameter: unknown parameters, modifiers and
/// prefixes, values that are none, and whatever R4 has but this server does not serve.
pub fn parse_query(kind: Kind, pairs: &[(String, String)], context: &QueryContext<'_>) -> Result<Query, Vec<Fault>> {
    if pairs.len() > PARAMETERS_MAX {
        return Err(vec![Fault::new("", format!("A search has at most {PARAMETERS_MAX} parameters"))]);
    }
    let mut reader = Reader { context, query: Query::everything(kind), seen: Vec::new() };
    let mut faults = Vec::new();
    for (name, value) in pairs {
        match reader.pair(name, value) {
            Ok(Taken::Applied) if name != "_cursor" => reader.query.applied.push((name.clone(), value.clone())),
            Ok(Taken::Applied | Taken::Ignored) => {}
            Err(what) => faults.push(Fault::new(shown(name), what)),
        }
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(reader.query) } else { Err(faults) }
}

/// What became of a parameter.
enum Taken {
    Applied,
    Ignored,
}

struct Reader<'a> {
    context: &'a QueryContext<'a>,
    query: Query,
    /// The controls that have been read: each may stand once.
    seen: Vec<&'static str>,
}

impl Reader<'_> {
    fn pair(&mut self, name: &str, value: &str) -> Result<Taken, Refusal> {
        if let Some(control) = CONTROLS.into_iter().find(|control| *control == name) {
            if self.seen.contains(&control) {
                return Err("may stand only once".into());
            }
            self.seen.push(control);
            return self.control(control, value).map(|()| Taken::Applied);
        }
        if let Some(what) = not_served(name) {
            return Err(what);
        }
        let (code, modifier) = name.split_once(':').map_or((name, None), |(code, modifier)| (code, Some(modifier)));
        let Some(planned) = planned(self.query.kind, code) else {
            return if self.is_known(code) || self.context.strict {
                Err(self.unknown(code))
            } else {
                Ok(Taken::Ignored)
            };
        };
        let pieces = value::alternatives(value);
        if pieces.len() > SEARCH_ALTERNATIVES_MAX {
            return Err(format!("has more than {SEARCH_ALTERNATIVES_MAX} alternatives").into());
        }
        let mut group: Vec<Criterion> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            if piece.is_empty() {
                return Err("has an empty value; a comma that is part of a value is written \\,".into());
            }
            if piece.len() > SEARCH_VALUE_BYTES_MAX {
                return Err(format!("has a value of more than {SEARCH_VALUE_BYTES_MAX} bytes").into());
            }
            criteria(planned, modifier, piece, self.context.base_url, &mut group)?;
        }
        self.query.all.push(group);
        Ok(Taken::Applied)
    }

    fn control(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let query = &mut self.query;
        match name {
            "_count" => match value.parse::<usize>() {
                Ok(0) => query.summary_count = true,
                Ok(count) if count <= FHIR_PAGE_MAX => query.count = Some(count),
                _ => return Err(format!("must be a whole number from 0 to {FHIR_PAGE_MAX}").into()),
            },
            "_sort" => query.sort = vec![sort(query.kind, value)?],
            "_summary" => match value {
                "count" => query.summary_count = true,
                "false" => {}
                _ => return Err("supports only the values count and false".into()),
            },
            "_total" => match value {
                "accurate" => query.total = Total::Accurate,
                "none" => query.total = Total::None,
                _ => return Err("supports only the values accurate and none".into()),
            },
            "_format" => {
                // A form-decoded + is a blank.
                let known = ["json", "application/json", "application/fhir+json", "application/fhir json", "text/json"];
                let (media_type, _) = value.split_once(';').unwrap_or((value, ""));
                if !known.contains(&media_type.trim()) {
                    return Err("supports only json".into());
                }
            }
            _ => query.cursor = Some(value.to_owned()),
        }
        Ok(())
    }

    /// Whether R4 has the parameter, served or not.
    fn is_known(&self, code: &str) -> bool {
        definitions().params_of(self.query.kind).iter().any(|param| param.code == code)
    }

    fn unknown(&self, code: &str) -> Refusal {
        let definitions = definitions();
        let name = definitions.name_of(self.query.kind);
        let known = definitions.params_of(self.query.kind).iter().find(|param| param.code == code);
        let supported: Vec<_> = served(self.query.kind).map(|param| param.code).collect();
        let supported = supported.join(", ");
        match known {
            Some(param) => {
                let sort = param.kind.code();
                format!("is a {sort} parameter of {name} that is not supported; supported are {supported}").into()
            }
            None => format!("is no search parameter of {name}; supported are {supported}").into(),
        }
    }
}

/// One key: a date parameter of the kind or `_lastUpdated`, with `-` before it for descending.
fn sort(kind: Kind, value: &str) -> Result<Sort, Refusal> {
    let (code, order) = match value.strip_prefix('-') {
        Some(code) => (code, Order::Descending),
        None => (value, Order::Ascending),
    };
    if let Some(slot) = date_slot(kind, code) {
        return Ok(Sort { key: SortKey::Date { slot }, order });
    }
    let keys: Vec<_> = served(kind).filter(|param| param.kind == ParamKind::Date).map(|param| param.code).collect();
    Err(format!("supports one key out of {}, with - before it for descending", keys.join(", ")).into())
}

/// The refusal of what R4 has, but not here.
fn not_served(name: &str) -> Option<Refusal> {
    let base = name.split(':').next().unwrap_or(name);
    let what = match base {
        "_include" | "_revinclude" => {
            "including other resources is not supported; search for them by their own parameters"
        }
        "_has" => "reverse chaining is not supported; search the referring type and use its references",
        "_elements" | "_contained" | "_containedType" | "_pretty" => {
            "is not supported; resources are answered whole and compact"
        }
        "_list" | "_filter" | "_query" | "_text" | "_content" | "_type" => {
            "is not supported; use the type's own token, string, reference and date parameters"
        }
        _ if CONTROLS.contains(&base) => "takes no modifier",
        _ if name.contains('.') => {
            "chained parameters are not supported; search the referenced type first, then by its id"
        }
        _ => return None,
    };
    Some(what.into())
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
