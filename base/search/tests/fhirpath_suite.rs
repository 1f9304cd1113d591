//! The grammar against the official `FHIRPath` suite: every expression of it parses, and what it calls a syntax error does
//! not. Skipped where the test data are not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use iris_search::fhirpath::parse;

/// Expressions of the suite with whether they are marked as syntax errors.
fn expressions(suite: &str) -> Vec<(String, bool)> {
    let mut expressions = Vec::new();
    for piece in suite.split("<expression").skip(1) {
        let (attributes, rest) = piece.split_once('>').unwrap();
        let Some((text, _)) = rest.split_once("</expression>").filter(|_| !attributes.ends_with('/')) else { continue };
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
        expressions.push((text.replace("&amp;", "&"), attributes.contains("\"syntax\"")));
    }
    expressions
}

#[test]
fn every_expression_of_the_official_suite_parses_or_is_a_syntax_error() {
    let Some(folder) = iris_testkit::archive("fhirpath-and-patch-r4") else { return };
    let suite = std::fs::read_to_string(folder.path().join("r4/fhirpath/tests-fhir-r4.xml")).unwrap();
    let expressions = expressions(&suite);
    assert!(expressions.len() > 900, "{} expressions", expressions.len());
    let wrong: Vec<_> = expressions
        .iter()
        .filter(|(text, is_wrong)| parse(text).is_err() != *is_wrong)
        .map(|(text, _)| format!("{text}: {:?}", parse(text).map(|_| ())))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}
