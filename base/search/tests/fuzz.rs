//! Searches, mutated: they are read or refused, within bounds, and what was understood is understood again.
#![allow(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use iris_fhir::definitions::kind_of;
use iris_kernel::Timestamp;
use iris_search::{QueryContext, parse_query, parse_system_query};
use iris_testkit::{Fuzz, search_worlds};

#[test]
fn hostile_searches_are_read_or_refused() {
    let texts: Vec<String> = search_worlds().into_iter().flat_map(|world| world.cases).map(|case| case.text).collect();
    let samples: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let tokens: [&[u8]; 20] = [
        b"&",
        b"=",
        b".",
        b":",
        b",",
        b"|",
        b"$",
        b"\\",
        b"(",
        b"not(",
        b" and ",
        b"\"",
        b"_has:Observation:patient:",
        b"subject:Patient.",
        b"subject.",
        b":missing=",
        b"_filter=",
        b"99999999999999999999e99",
        b"Observation?",
        b"Patient?",
    ];
    let context = QueryContext::new("http://here/fhir", Timestamp::parse("2026-11-22T12:00:00Z").unwrap());
    Fuzz { name: "search", samples: &samples, tokens: &tokens, megabytes_max: 256 }.run(|input| {
        let text = String::from_utf8_lossy(input);
        let (kind, query) = text.split_once('?').unwrap_or(("Patient", &text));
        let pairs: Vec<(String, String)> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let Some(kind) = kind_of(kind) else { return parse_system_query(&pairs, &context).is_ok() };
        let Ok(query) = parse_query(kind, &pairs, &context) else { return false };
        assert_eq!(parse_query(kind, &query.applied, &context).as_ref().map(|again| &again.all), Ok(&query.all));
        true
    });
}
