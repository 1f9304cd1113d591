//! What is refused, and what lenient handling passes over.

use super::*;

#[test]
fn filters_nest_as_deep_and_run_as_long_as_the_limits() {
    let nested = |depth: usize| format!("{}family eq x{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse("Patient", &[("_filter", &nested(SEARCH_FILTER_DEPTH_MAX - 1))]).is_ok());
    assert!(refusal("Patient", "_filter", &nested(SEARCH_FILTER_DEPTH_MAX)).contains("deeper than 16"));
    let long = |length: usize| format!("family eq x{}", " ".repeat(length - 11));
    assert!(parse("Patient", &[("_filter", &long(SEARCH_FILTER_BYTES_MAX))]).is_ok());
    assert!(refusal("Patient", "_filter", &long(SEARCH_FILTER_BYTES_MAX + 1)).contains("8192 bytes"));
}

#[test]
fn a_filter_that_is_none_is_told_where_and_no_value_is_repeated() {
    assert_eq!(
        refusal("Patient", "_filter", "family eq Smith) and"),
        "is no filter: at sign 16 there is neither and nor or"
    );
    assert_eq!(
        refusal("Patient", "_filter", "(family eq Smith"),
        "is no filter: at sign 17 a closing parenthesis is missing"
    );
    let told = refusal("Patient", "_filter", "Smith.x eq Jones");
    assert!(told.starts_with("asks by Smith.x, which is no search parameter of Patient"), "{told}");
    assert!(!refusal("Patient", "_filter", "birthdate ge Smith").contains("Smith"));
}

#[test]
fn everything_else_is_refused_by_name_with_what_there_is_instead() {
    for (kind, name, value, says) in [
        ("Patient", "nonsense", "1", "is no search parameter of Patient; supported are _id, _lastUpdated,"),
        ("Patient", "Family", "1", "is no search parameter of Patient"),
        ("Patient", "family:near", "x", "only the modifiers :exact, :contains, :missing"),
        ("Patient", "gender:text", "male", "only the modifiers :not, :in, :not-in, :above, :below, :missing"),
        ("Patient", "birthdate:not", "true", "only the modifiers :missing"),
        ("Patient", "_id:exact", "1", "only the modifiers :not, :missing"),
        ("Observation", "subject:Organization", "1", ":identifier, :missing, :Device, :Group, :Location, :Patient"),
        ("Observation", "subject:Patient", "Group/1", "one type in the modifier"),
        ("Observation", "subject", "Horse/1", "needs an id, Type/id"),
        ("Observation", "subject", "Patient/1/_history/", "needs a version"),
        ("Observation", "subject", "#p", "needs an id"),
        ("Observation", "subject:identifier", "s|", "value of an identifier"),
        ("Observation", "code.name", "x", "code is no reference and leads nowhere"),
        (
            "Questionnaire",
            "_has:QuestionnaireResponse:questionnaire:status",
            "x",
            "address, which _has does not follow",
        ),
        ("Observation", "subject.colour", "x", "leads to no type of which colour is a search parameter"),
        ("Observation", "subject:Patient.birthdate", "80", "leads to Patient, of which birthdate needs a date"),
        ("Patient", "_has:Observation:patient:colour", "x", "asks Observation by colour, which is no search parameter"),
        ("Patient", "_has:Observation:code:status", "x", "code is no reference"),
        ("Patient", "_has:Observation:encounter:status", "x", "asks by encounter, which leads to no Patient"),
        ("Patient", "_has:Observation", "x", "needs the form _has:Type:reference:parameter"),
        ("Patient", "_include", "Patient", "needs the form Type:reference"),
        ("Patient", "_include:recurse", "Patient:link", ":recurse is of FHIR STU3"),
        ("Patient", "_include:each", "Patient:link", "only the modifier :iterate"),
        ("Patient", "_revinclude", "Observation:encounter", "leads to no type that is searched"),
        ("Patient", "_elements", "name,colour", "colour is no element of Patient"),
        ("Patient", "_text", "x", "searching narratives is not supported"),
        ("Patient", "_content", "x", "not supported"),
        ("Patient", "_query", "x", "not supported"),
        ("Patient", "_list", "$problems", "lists with a $ are not supported"),
        ("Patient", "_list", "a b", "needs the id of a List"),
        ("Patient", "_count:exact", "1", "no modifier"),
        ("Patient", "_count", "-1", "whole number"),
        ("Patient", "_count", "ten", "whole number"),
        ("Patient", "_summary", "yes", "true, text, data, count and false"),
        ("Patient", "_total", "about", "none, estimate and accurate"),
        ("Patient", "_contained", "some", "only the values false, true and both"),
        ("Patient", "_format", "turtle", "only json and xml"),
        ("Patient", "_sort", "colour,family", "cannot sort Patient by colour; keys are _id, _lastUpdated,"),
        ("Patient", "_sort", "birthdate,-birthdate", "names a key twice"),
        ("Patient", "_sort", "", "cannot sort Patient by (no name)"),
        ("Patient", "birthdate", "xx2013", "prefixes eq, ne, gt, lt, ge, le, sa, eb, ap"),
        ("Patient", "birthdate", "14.01.2013", "needs a date"),
        ("Patient", "birthdate", "2013-02-30", "needs a date"),
        ("Patient", "birthdate", "ge", "needs a date"),
        ("Patient", "active", "yes", "true and false"),
        ("Patient", "deceased", "1", "true and false"),
        ("Patient", "gender:missing", "perhaps", "needs true or false"),
        ("Patient", "gender:in", "http://x.org/ValueSet/y", "value set that is not known"),
        ("Patient", "gender", "", "empty value"),
        ("Patient", "gender", "male,", "empty value"),
        ("Patient", "gender", "|", "neither a system"),
        ("Patient", "family", r"a\q", "backslash"),
        ("Patient", "family", "\u{301}", "without letters"),
        ("ValueSet", "url:below", "urn:oid:1", "needs an address with a path"),
        ("ValueSet", "url:below", &format!("http://x.org/{}", "y".repeat(118)), "at most 118 bytes"),
    ] {
        let what = refusal(kind, name, value);
        assert!(what.contains(says), "{kind}?{name}={value}: {what}");
    }
}

#[test]
fn all_faults_are_told_at_once_and_repeat_no_value() {
    let faults = parse(
        "Patient",
        &[
            ("nonsense", "Smith"),
            ("birthdate", "Smith"),
            ("_count", "Smith"),
            ("_count", "1"),
            ("gender", "male"),
            ("_sort", "Sm ith"),
        ],
    )
    .unwrap_err();
    let at: Vec<_> = faults.iter().map(|fault| fault.at.as_str()).collect();
    assert_eq!(at, ["nonsense", "birthdate", "_count", "_count", "_sort"]);
    assert!(faults.iter().all(|fault| !fault.what.contains("Sm")));
    assert_eq!(faults[3].what, "may stand only once");
    let long = "n".repeat(1_000);
    assert_eq!(parse("Patient", &[(&long, "1")]).unwrap_err()[0].at, format!("{}…", &long[..NAME_CHARS_MAX]));
}

#[test]
fn lenient_handling_leaves_unknown_names_out_and_says_so() {
    let query =
        parse_with("Patient", &[("nonsense", "1"), ("gender", "male"), ("_text", "x"), ("link.colour", "x")], false)
            .unwrap();
    assert_eq!(query.applied, [("gender".to_owned(), "male".to_owned())]);
    assert_eq!(query.all.len(), 1);
    let ignored: Vec<_> = query.ignored.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(ignored, ["nonsense", "_text", "link.colour"]);
    for (name, value) in [
        ("_include", "*:x"),
        ("birthdate", "x"),
        ("_sort", ""),
        ("_sort", "family,"),
        ("_sort", "family,-family"),
        ("_filter", "colour eq blue"),
        ("_count", "many"),
        ("gender:in", "http://nowhere.org/ValueSet/x"),
        ("_has:Patient", "x"),
    ] {
        assert!(parse_with("Patient", &[(name, value)], false).is_err(), "{name}");
    }
}

#[test]
fn lenient_handling_passes_over_unknown_modifiers_and_sort_keys_whole() {
    let pairs = [
        ("family:near", "x"),
        ("gender", "male"),
        ("_sort", "family,colour"),
        ("_count:exact", "5"),
        ("general-practitioner:Horse.name", "x"),
        ("general-practitioner:Practitioner.family:near", "x"),
        ("_has:Observation:patient:code:near", "x"),
        ("_include:each", "Patient:link"),
        ("_list:not", "a"),
    ];
    let query = parse_with("Patient", &pairs, false).unwrap();
    let ignored: Vec<_> = query.ignored.iter().map(|(name, _)| name.as_str()).collect();
    let unknown: Vec<_> = pairs.iter().map(|(name, _)| *name).filter(|name| *name != "gender").collect();
    assert_eq!(ignored, unknown);
    assert!(query.ignored.iter().all(|(_, what)| !what.is_empty()));
    assert_eq!(query.applied, [("gender".to_owned(), "male".to_owned())], "what is passed over is in no link");
    let plain = parse("Patient", &[("gender", "male")]).unwrap();
    assert_eq!(Query { ignored: Vec::new(), ..query }, plain, "and is asked in no part");
    for (name, value) in pairs.into_iter().filter(|(name, _)| *name != "gender") {
        assert!(!refusal("Patient", name, value).is_empty(), "who is strict refuses it");
    }
    // A type that has the parameter and not the modifier is not left out of a chain as if it had none.
    assert!(parse("Observation", &[("subject.identifier:of-type", "a|b|c")]).is_ok());
    assert!(refusal("Observation", "subject.type:text", "x").contains("leads to Group, of which type:text supports"));
}

#[test]
fn what_one_type_passes_over_all_do() {
    let pairs: Vec<(String, String)> = [("_type", "Patient,Observation"), ("_sort", "status"), ("_id", "a")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let context = QueryContext { strict: false, ..QueryContext::new(BASE, now()) };
    let queries = parse_system_query(&pairs, &context).unwrap();
    assert_eq!(queries.len(), 2);
    for query in &queries {
        assert_eq!(query.sort, [Sort::default()]);
        assert_eq!(query.applied, [pairs[0].clone(), pairs[2].clone()]);
        let ignored: Vec<_> = query.ignored.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(ignored, ["_sort"]);
    }
}

#[test]
fn filters_and_places_that_are_none_are_refused_in_words() {
    for (kind, name, value, says) in [
        ("Location", "near", "1", "needs latitude|longitude"),
        ("Location", "near", "91|1", "a latitude from -90 to 90"),
        ("Location", "near", "1|1|-1|km", "not negative"),
        ("Location", "near", "1|1|1|kg", "units of length"),
        ("Location", "_sort", "near", "cannot sort Location by near"),
        ("Patient", "_filter", "birthdate sw 19", "which sw does not compare; its operators are eq, ne, co, gt,"),
        ("Patient", "_filter", "family[given eq a].given eq b", "family is no reference"),
        ("Patient", "_filter", "identifier ne a|b", "identifiers by ne without their system"),
        (
            "Observation",
            "_filter",
            "subject:Patient[colour eq a].family eq b",
            "which asks by colour, which is no search",
        ),
        ("Observation", "_filter", "subject[gender eq a] eq b", "is no filter: at sign 21 no point and name follow"),
        (
            "Group",
            "_filter",
            "characteristic[code ne a].value eq b",
            "supports the form characteristic[code eq code].value",
        ),
    ] {
        let what = refusal(kind, name, value);
        assert!(what.contains(says), "{kind}?{name}={value}: {what}");
    }
}
