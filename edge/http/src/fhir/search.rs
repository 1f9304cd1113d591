//! Searches: `GET /fhir/{type}`, `POST /fhir/{type}/_search`, the same over several types (`/fhir`) and within a compartment
//! (`/fhir/{type}/{id}/{inner}`).

use axum::http::{Method, StatusCode};
use iris_access::{Facts, Permit, Search, Target, decide};
use iris_fhir::definitions;
use iris_fhir::json::Writer;
use iris_kernel::{ErrorKind, Fault, Kind};
use iris_resources::{Compartment, Page, Refusal};
use iris_search::{Contained, Query, QueryContext, parse_query, parse_system_query};

use super::{ID, Interaction, Routed, TYPE, kind};
use crate::answer::Answer;
use crate::blocking::blocking;
use crate::call::{Call, Pairs, QUERY_BYTES_MAX, QUERY_PARAMETERS_MAX, kind_named};
use crate::endpoint::{Endpoint, Outcome, Param, header, path, query};
use crate::problem::{Problem, issue};

const ANY: Param = query("*", "The search parameters of the type, as /fhir/metadata lists them.");
const ANY_COMMON: Param = query("*", "_type, and the search parameters that all of its types have.");
const INNER: Param = path("inner", "Resource type of R4, or * for all that the compartment has.");
const HANDLING: Param = header(
    "Prefer",
    "handling=lenient passes over unknown parameters, modifiers and sort keys, and says so in an entry with the mode \
    outcome.",
);
const FORM: &str = "application/x-www-form-urlencoded";
/// Parameters about how the answer is shown.
const SHOWING: [&str; 2] = ["_pretty", "_format"];
/// `{inner}` for every type of a compartment.
const EVERY: &str = "*";

pub(super) fn routed() -> Vec<Routed> {
    let gives: &[(u16, Option<&str>)] = &[(200, Some("Bundle"))];
    let of = |method: Method, path, summary, params: &[Param]| {
        let is_post = method == Method::POST;
        let endpoint = if is_post {
            Endpoint::new(method, path, summary, posted).takes("SearchForm")
        } else {
            Endpoint::new(method, path, summary, asked)
        };
        endpoint.params(params).gives(gives).fails(&[ErrorKind::NotSupported])
    };
    let one: &[Param] = &[TYPE, ANY, HANDLING];
    let several: &[Param] = &[ANY_COMMON, HANDLING];
    let within: &[Param] = &[TYPE, ID, INNER, ANY, HANDLING];
    let system = |endpoint| Routed { interaction: Interaction::System("search-system"), endpoint };
    let unlisted = |endpoint| Routed { interaction: Interaction::Unlisted, endpoint };
    vec![
        Routed {
            interaction: Interaction::Type("search-type"),
            endpoint: of(Method::GET, "/fhir/{type}", "Search resources of a type", one),
        },
        unlisted(of(Method::POST, "/fhir/{type}/_search", "Search with the parameters in the body", one)),
        system(of(Method::GET, "/fhir", "Search resources of several types", several)),
        system(of(Method::GET, "/fhir/", "Search resources of several types", several)),
        unlisted(of(Method::POST, "/fhir/_search", "Search several types with the parameters in the body", several)),
        unlisted(of(Method::GET, "/fhir/{type}/{id}/{inner}", "Search within a compartment", within)),
        unlisted(of(
            Method::POST,
            "/fhir/{type}/{id}/{inner}/_search",
            "Search within a compartment with the parameters in the body",
            within,
        )),
    ]
}

async fn asked(call: Call) -> Outcome {
    let pairs = call.query().clone();
    run(&call, pairs).await
}

async fn posted(mut call: Call) -> Outcome {
    let held = call.body(&[FORM]).await?;
    let mut pairs = call.query().clone();
    // One more than a query may have is enough to refuse it.
    let room = (QUERY_PARAMETERS_MAX + 1).saturating_sub(pairs.len());
    pairs.extend(form_urlencoded::parse(&held.bytes).into_owned().take(room));
    if pairs.len() > QUERY_PARAMETERS_MAX {
        let what = format!("a search has at most {QUERY_PARAMETERS_MAX} parameters");
        return Err(Problem::new(ErrorKind::TooLarge, what));
    }
    call.show_as(&pairs)?;
    run(&call, pairs).await
}

async fn run(call: &Call, pairs: Pairs) -> Outcome {
    let (showing, pairs): (Pairs, Pairs) = pairs.into_iter().partition(|(name, _)| SHOWING.contains(&name.as_str()));
    let (path, compartment, queries) = read(call, &pairs)?;
    let searches = permitted(call, queries, &pairs).await?;
    let reaches_far = searches.len() > 1 || searches.iter().any(|(_, query)| reaches_far(query));
    let records = call.app.records.clone();
    let search = move || {
        let sealed = match &compartment {
            Some(compartment) => records.search_within(compartment, &searches),
            None => records.search_several(&searches),
        };
        (sealed, searches)
    };
    // Most searches are done before another thread would have begun.
    let (sealed, searches) = if reaches_far {
        let lost = |cause| Problem::caused(ErrorKind::Internal, "the search was not finished", cause);
        blocking(search).await.map_err(lost)?
    } else {
        search()
    };
    let page = call.release(sealed?).await?;
    call.counted(&page);
    let Some((_, query)) = searches.first() else {
        return Err(Problem::new(ErrorKind::Forbidden, "there is no type that you may search"));
    };
    let link = Link { path: &path, applied: &query.applied, showing: &showing, cursor: query.cursor.as_deref() };
    link.followable(&page)?;
    Ok(Answer::fhir(StatusCode::OK, link.searchset(&call.app.fhir_base(), &page, &query.ignored)))
}

/// Whether a search asks for more than one look into the index and the records of one page: for what stands within records, for what
/// comes along, or for what other records lead to.
fn reaches_far(query: &Query) -> bool {
    let brings_along = !query.includes.is_empty() || !query.rev_includes.is_empty();
    query.contained != Contained::No || brings_along || !query.is_resolved()
}

/// What is asked: where, within which compartment, and the search of each type.
fn read(call: &Call, pairs: &Pairs) -> Result<(String, Option<Compartment>, Vec<Query>), Problem> {
    let records = &call.app.records;
    let codes = records.terminology(call.caller()?);
    let context = QueryContext { strict: !call.is_lenient(), terminology: &codes, ..records.query_context() };
    let refused = |faults| Problem::with(ErrorKind::NotSupported, faults);
    let base = call.app.fhir_base();
    match (call.path("type"), call.path("inner")) {
        ("", _) => Ok((base, None, parse_system_query(pairs, &context).map_err(refused)?)),
        (name, "") => {
            let query = parse_query(kind(call)?, pairs, &context).map_err(refused)?;
            Ok((format!("{base}/{name}"), None, vec![query]))
        }
        (name, inner) => {
            let compartment = compartment(call)?;
            let queries = match inner {
                EVERY => parse_system_query(pairs, &context).and_then(|queries| within(&compartment, queries, pairs)),
                inner => parse_query(member(&compartment, inner)?, pairs, &context).map(|query| vec![query]),
            };
            let path = format!("{base}/{name}/{}/{inner}", compartment.id);
            Ok((path, Some(compartment), queries.map_err(refused)?))
        }
    }
}

/// The permit for each type. A type that was asked for by name must be allowed; of all types, those that are not are left out, as if
/// there were nothing of them.
async fn permitted(call: &Call, queries: Vec<Query>, pairs: &Pairs) -> Result<Vec<(Permit<Search>, Query)>, Problem> {
    let named = queries.len() == 1 || pairs.iter().any(|(name, _)| name == "_type");
    let first = queries.first().map(|query| query.kind);
    let mut searches = Vec::with_capacity(queries.len());
    for query in queries {
        let permit = if named {
            call.permit(Search, query.kind).await?
        } else {
            match decide(call.caller()?, Search, &Facts::of(Target::Kind(query.kind))) {
                Ok(permit) => permit,
                Err(_) => continue,
            }
        };
        call.searchable(&query).await?;
        searches.push((permit, query));
    }
    if let (true, Some(kind)) = (searches.is_empty(), first) {
        // Nothing at all may be searched: that is said, and written down.
        drop(call.permit(Search, kind).await?);
    }
    Ok(searches)
}

/// The compartment that the path names. Whether there is such a record is not told: there is nothing of it to be found.
fn compartment(call: &Call) -> Result<Compartment, Problem> {
    let (owner, id) = (kind(call)?, call.id()?.to_owned());
    if Compartment::owners().contains(&owner) {
        return Ok(Compartment { owner, id });
    }
    let what =
        format!("{} has no compartment; /fhir/metadata lists those that there are", definitions().name_of(owner));
    Err(Problem::new(ErrorKind::NotFound, what))
}

/// A type that the compartment can have.
fn member(compartment: &Compartment, name: &str) -> Result<Kind, Problem> {
    let kind = kind_named(name)?;
    if Compartment::has(compartment.owner, kind) {
        return Ok(kind);
    }
    let what = format!("{name} is never in a compartment of {}", definitions().name_of(compartment.owner));
    Err(Problem::new(ErrorKind::NotFound, what))
}

/// The searches of those types that the compartment can have; one that was asked for by name must be such a type.
fn within(compartment: &Compartment, queries: Vec<Query>, pairs: &Pairs) -> Result<Vec<Query>, Vec<Fault>> {
    let named = pairs.iter().any(|(name, _)| name == "_type");
    let (inside, outside): (Vec<Query>, Vec<Query>) =
        queries.into_iter().partition(|query| Compartment::has(compartment.owner, query.kind));
    if named && !outside.is_empty() {
        let owner = definitions().name_of(compartment.owner);
        let what =
            |query: &Query| format!("{} is never in a compartment of {owner}", definitions().name_of(query.kind));
        return Err(outside.iter().map(|query| Fault::new("_type", what(query))).collect());
    }
    Ok(inside)
}

/// Where a page of a bundle is to be had.
pub(super) struct Link<'a> {
    /// The whole address, without parameters.
    pub(super) path: &'a str,
    /// The parameters that were understood.
    pub(super) applied: &'a [(String, String)],
    /// Those about how the answer is shown.
    pub(super) showing: &'a [(String, String)],
    /// Behind what this page starts.
    pub(super) cursor: Option<&'a str>,
}

impl Link<'_> {
    fn to(&self, cursor: Option<&str>) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.applied.iter().chain(self.showing) {
            form.append_pair(name, value);
        }
        if let Some(cursor) = cursor {
            form.append_pair("_cursor", cursor);
        }
        let pairs = form.finish();
        if pairs.is_empty() { self.path.to_owned() } else { format!("{}?{pairs}", self.path) }
    }

    /// Refuses a page whose next one has no address: a form may be longer than a query, and a link that leads to a refusal would lose
    /// matches.
    ///
    /// # Errors
    /// Too large: with how it can be asked instead.
    fn followable(&self, page: &Page) -> Result<(), Refusal> {
        let Some(next) = &page.next else { return Ok(()) };
        if self.to(Some(next)).len() - self.path.len() <= QUERY_BYTES_MAX + 1 {
            return Ok(());
        }
        let what = format!(
            "more matches than one page has, and the address of the next page would have more than {QUERY_BYTES_MAX} bytes of \
             parameters; ask for a longer page (_count), or for less at once"
        );
        Err(Refusal::new(ErrorKind::TooLarge, "", what))
    }

    /// A searchset: the matches, what comes along, and what of the request was passed over.
    pub(super) fn searchset(&self, base: &str, page: &Page, ignored: &[(String, String)]) -> Vec<u8> {
        let size: usize = page.entries().map(|(stored, _)| stored.body.len() + 160).sum();
        let mut w = Writer::with_capacity(size + 1_024);
        w.object().member("resourceType", "Bundle").member("type", "searchset");
        if let Some(total) = page.total {
            w.key("total").integer(i64::try_from(total).unwrap_or(i64::MAX));
        }
        w.key("link").array();
        w.object().member("relation", "self").member("url", &self.to(self.cursor)).end();
        if let Some(next) = &page.next {
            w.object().member("relation", "next").member("url", &self.to(Some(next))).end();
        }
        if self.cursor.is_some() {
            w.object().member("relation", "first").member("url", &self.to(None)).end();
        }
        w.end();
        if page.entries().next().is_some() || !ignored.is_empty() {
            w.key("entry").array();
            for (stored, mode) in page.entries() {
                w.object().member("fullUrl", &format!("{base}/{}", stored.address()));
                w.key("resource").raw(&stored.body);
                w.key("search").object().member("mode", mode.code()).end().end();
            }
            if !ignored.is_empty() {
                passed_over(ignored, &mut w);
            }
            w.end();
        }
        w.end();
        w.finish()
    }
}

/// An entry that tells what was passed over because the caller wanted it so.
fn passed_over(ignored: &[(String, String)], w: &mut Writer) {
    w.object().key("resource").object().member("resourceType", "OperationOutcome").key("issue").array();
    for (name, what) in ignored {
        issue("warning", "not-supported", &format!("{name}: {what}; it was passed over"), &format!("http.{name}"), w);
    }
    w.end().end();
    w.key("search").object().member("mode", "outcome").end().end();
}

/// The searchset of a search for one type.
///
/// # Errors
/// As of [`Link::followable`].
pub(super) fn bundle(base: &str, kind: Kind, query: &Query, page: &Page) -> Result<Vec<u8>, Refusal> {
    let path = format!("{base}/{}", definitions().name_of(kind));
    let link = Link { path: &path, applied: &query.applied, showing: &[], cursor: query.cursor.as_deref() };
    link.followable(page)?;
    Ok(link.searchset(base, page, &query.ignored))
}

#[cfg(test)]
mod tests {
    use iris_fhir::definitions::kind_of;
    use iris_kernel::Timestamp;

    use super::*;

    #[test]
    fn what_reaches_far_is_told_from_what_is_found_at_once() {
        let context = QueryContext::new("https://iris.test/fhir", Timestamp(0));
        let reaches_far = |text: &str| {
            let pairs: Pairs = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
            reaches_far(&parse_query(kind_of("Observation").unwrap(), &pairs, &context).unwrap())
        };
        for text in ["", "code=x,y&date=ge2020&_sort=-date&_count=1000", "patient=Patient/1", "subject:missing=true"] {
            assert!(!reaches_far(text), "{text}");
        }
        for text in [
            "_contained=true",
            "_contained=both&_containedType=contained",
            "_include=Observation:patient",
            "_revinclude:iterate=*",
            "patient.family=a",
            "_has:Provenance:target:agent=Practitioner/1",
            "_list=a",
        ] {
            assert!(reaches_far(text), "{text}");
        }
    }
}
