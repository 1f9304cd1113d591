//! Every sort of parameter against a reading of the resource's JSON that knows nothing of terms: what R4 says, word by word, over exact
//! numbers and plain texts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

mod naive;

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_kernel::Timestamp;
use iris_search::term::Mode;
use iris_search::{
    Criterion, Order, Query, QueryContext, SearchDocument, Sort, SortKey, extract, parameter, parse_query, served, term,
};
use naive::{Exact, holds};
use proptest::prelude::*;
use serde_json::{Value, json};

const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";
const UCUM: &str = "http://unitsofmeasure.org";

fn document(resource: &Value) -> SearchDocument {
    extract(&Resource::parse(resource.to_string()).unwrap(), Timestamp(0))
}

fn query(kind: &str, name: &str, value: &str) -> Query {
    let pairs = [(name.to_owned(), value.to_owned())];
    let context = QueryContext::new("http://here", Timestamp(0));
    parse_query(kind_of(kind).unwrap(), &pairs, &context).unwrap_or_else(|faults| panic!("{name}={value}: {faults:?}"))
}

fn finds(kind: &str, name: &str, value: &str, document: &SearchDocument) -> bool {
    query(kind, name, value).matches(document)
}

const OPS: [&str; 10] = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

/// Numbers near each other, as they are written: signs, zeros at the end, exponents.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        (-12_i32..=12).prop_map(|whole| whole.to_string()),
        (-120_i32..=120).prop_map(|tenths| format!(
            "{}{}.{}",
            if tenths < 0 { "-" } else { "" },
            tenths.abs() / 10,
            tenths.abs() % 10
        )),
        (0_i32..=1200).prop_map(|hundredths| format!("{}.{:02}", hundredths / 100, hundredths % 100)),
        (1_i32..=20, 0_u32..2).prop_map(|(whole, exponent)| format!("{whole}e{exponent}")),
    ]
}

fn raw(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A quantity's number, unit and comparator.
fn quantity() -> impl Strategy<Value = (String, usize, usize)> {
    (number(), 0..naive::UNITS.len(), 0_usize..8)
}

fn quantity_json((number, unit, comparator): &(String, usize, usize)) -> Value {
    let mut quantity = json!({"value": raw(number)});
    let unit = &naive::UNITS[*unit];
    for (name, value) in [("system", unit.system), ("code", unit.code), ("unit", unit.text)] {
        if !value.is_empty() {
            quantity[name] = json!(value);
        }
    }
    if let Some(comparator) = ["<", "<=", ">", ">="].get(*comparator) {
        quantity["comparator"] = json!(comparator);
    }
    quantity
}

/// What is asked after the number: everything, a code or text alone, a system and code.
fn asked_unit() -> impl Strategy<Value = (usize, usize)> {
    (0_usize..3, 0..naive::UNITS.len())
}

fn quantity_value(op: &str, number: &str, form: usize, unit: usize) -> Option<String> {
    let unit = &naive::UNITS[unit];
    let name = if unit.code.is_empty() { unit.text } else { unit.code };
    match form {
        0 => Some(format!("{op}{number}")),
        1 if name.is_empty() => None,
        1 => Some(format!("{op}{number}||{name}")),
        _ if unit.system.is_empty() => None,
        _ => Some(format!("{op}{number}|{}|{}", unit.system, unit.code)),
    }
}

proptest! {
    #[test]
    fn numbers(values in proptest::collection::vec(number(), 0..4), op in 0..OPS.len(), asked in number()) {
        let predictions: Vec<_> = values.iter().map(|value| json!({"probabilityDecimal": raw(value)})).collect();
        let document = document(&json!({"resourceType": "RiskAssessment", "id": "r", "prediction": predictions}));
        let expected = values.iter().any(|value| holds(OPS[op], Exact::of(&asked), Exact::point(value)));
        prop_assert_eq!(finds("RiskAssessment", "probability", &format!("{}{asked}", OPS[op]), &document), expected);
        prop_assert_eq!(finds("RiskAssessment", "probability:missing", "false", &document), !values.is_empty());
    }

    /// A number that is written in full has no room to round to it but itself.
    #[test]
    fn numbers_in_full(number in -1e6_f64..1e6, other in -1e6_f64..1e6) {
        // Read as a number it would no longer be the same to the last digit.
        let with = |resource: Value, number: f64| {
            let text = resource.to_string().replace(r#""here""#, &number.to_string());
            extract(&Resource::parse(text).unwrap(), Timestamp(0))
        };
        let observation = json!({"resourceType": "Observation", "id": "o", "code": {"coding": [{"code": "c"}]},
            "valueQuantity": {"value": "here", "system": UCUM, "code": "mg"}});
        let documents = [number, other].map(|number| with(observation.clone(), number));
        for (own, document) in [number, other].into_iter().zip(&documents) {
            for (name, start) in [("value-quantity", ""), ("code-value-quantity", "c$")] {
                for unit in ["".to_owned(), "||mg".to_owned(), format!("|{UCUM}|mg")] {
                    let holds = |op| finds("Observation", name, &format!("{start}{op}{number}{unit}"), document);
                    prop_assert_eq!((holds("eq"), holds("ne")), (own == number, own != number), "{} {} {}", own, number, unit);
                }
            }
            let filter = format!("value-quantity eq {number} and not(value-quantity ne {number})");
            prop_assert_eq!(finds("Observation", "_filter", &filter, document), own == number);
        }
        let risk = json!({"resourceType": "RiskAssessment", "id": "r", "prediction": [{"probabilityDecimal": "here"}]});
        let risk = with(risk, number);
        let finds = |op| finds("RiskAssessment", "probability", &format!("{op}{number}"), &risk);
        prop_assert_eq!((finds("eq"), finds("ne"), finds("ap")), (true, false, true));
    }

    #[test]
    fn ranges_of_numbers(low in number(), high in number(), op in 0..OPS.len(), asked in number()) {
        let range = json!({"low": {"value": raw(&low)}, "high": {"value": raw(&high)}});
        let document = document(&json!({"resourceType": "RiskAssessment", "id": "r", "prediction": [{"probabilityRange": range}]}));
        let (low, high) = (Exact::point(&low).0, Exact::point(&high).1);
        let expected = low <= high && holds(OPS[op], Exact::of(&asked), (low, high));
        prop_assert_eq!(finds("RiskAssessment", "probability", &format!("{}{asked}", OPS[op]), &document), expected);
    }

    #[test]
    fn quantities(had in quantity(), op in 0..OPS.len(), asked in number(), (form, unit) in asked_unit()) {
        let Some(value) = quantity_value(OPS[op], &asked, form, unit) else { return Ok(()) };
        let document = document(&json!({"resourceType": "Observation", "id": "o", "valueQuantity": quantity_json(&had)}));
        let expected = naive::quantity_holds(&had, OPS[op], &asked, form, unit);
        prop_assert_eq!(finds("Observation", "value-quantity", &value, &document), expected, "{:?} {}", had, value);
        // What an index looks at has all that holds.
        let query = query("Observation", "value-quantity", &value);
        let [Criterion::Scan(scan)] = &query.all[0][..] else { panic!("{query:?}") };
        let own = parameter(query.kind, "value-quantity").unwrap().index;
        let head = term::head(own, Mode::Quantity);
        for term in document.terms.iter().filter(|term| term.starts_with(&head) && scan.holds(&term[head.len()..])) {
            prop_assert!(scan.stretches().iter().any(|stretch| stretch.has(term)), "{}", value);
        }
    }

    #[test]
    fn composites_hold_within_one_element(
        parts in proptest::collection::vec((0_usize..3, quantity()), 1..4),
        code in 0_usize..3, op in 0..OPS.len(), asked in number(), (form, unit) in asked_unit(), systems in 0_usize..3,
    ) {
        let Some(value) = quantity_value(OPS[op], &asked, form, unit) else { return Ok(()) };
        let coding = |code: usize| json!({"coding": [{"system": format!("urn:s{}", code % 2), "code": format!("c{}", code / 2)}]});
        let component = |(code, had): &(usize, (String, usize, usize))| json!({"code": coding(*code), "valueQuantity": quantity_json(had)});
        let document = document(&json!({
            "resourceType": "Observation", "id": "o", "code": coding(0), "component": parts.iter().map(component).collect::<Vec<_>>(),
        }));
        let token = match systems {
            0 => format!("c{}", code / 2),
            1 => format!("urn:s{}|c{}", code % 2, code / 2),
            _ => format!("urn:s{}|", code % 2),
        };
        let fits = |own: usize| match systems {
            0 => own / 2 == code / 2,
            1 => own == code,
            _ => own % 2 == code % 2,
        };
        let expected = parts.iter().any(|(own, had)| fits(*own) && naive::quantity_holds(had, OPS[op], &asked, form, unit));
        let value = format!("{token}${value}");
        for (name, expected) in [
            ("component-code-value-quantity", expected), ("combo-code-value-quantity", expected), ("code-value-quantity", false),
        ] {
            prop_assert_eq!(finds("Observation", name, &value, &document), expected, "{} {}", name, value);
        }
    }

    #[test]
    fn tokens(
        codings in proptest::collection::vec((0_usize..3, 0_usize..4, "[A-Ca-c ]{0,4}"), 0..4), text in "[A-Ca-c]{0,3}",
        system in 0_usize..3, code in 0_usize..3, asked_text in "[a-c]{1,2}",
    ) {
        let coding = |(system, code, display): &(usize, usize, String)| {
            let mut coding = json!({"display": display});
            if *system > 0 { coding["system"] = json!(format!("urn:s{system}")); }
            if *code > 0 { coding["code"] = json!(format!("c{code}")); }
            coding
        };
        let concept = json!({"coding": codings.iter().map(coding).collect::<Vec<_>>(), "text": text});
        let document = document(&json!({"resourceType": "Observation", "id": "o", "code": concept}));
        let code = code + 1;
        let has = |fits: &dyn Fn(usize, usize) -> bool| codings.iter().any(|(system, code, _)| fits(*system, *code));
        let by_code = has(&|_, own| own == code);
        prop_assert_eq!(finds("Observation", "code", &format!("c{code}"), &document), by_code);
        prop_assert_eq!(finds("Observation", "code:not", &format!("c{code}"), &document), !by_code);
        let both = if system == 0 { format!("|c{code}") } else { format!("urn:s{system}|c{code}") };
        prop_assert_eq!(finds("Observation", "code", &both, &document), has(&|own, other| own == system && other == code));
        if system > 0 {
            prop_assert_eq!(finds("Observation", "code", &format!("urn:s{system}|"), &document), has(&|own, _| own == system));
        }
        let texts = codings.iter().map(|(_, _, display)| display).chain([&text]);
        let starts = |own: &String| own.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase().starts_with(&asked_text);
        prop_assert_eq!(finds("Observation", "code:text", &asked_text, &document), texts.into_iter().any(starts));
    }

    #[test]
    fn strings(values in proptest::collection::vec("[A-Ca-cÁá]{1,6}", 0..4), asked in "[A-Ca-cÁá]{1,3}") {
        let names: Vec<_> = values.iter().map(|value| json!({"family": value})).collect();
        let document = document(&json!({"resourceType": "Patient", "id": "p", "name": names}));
        let fold = |text: &str| text.to_lowercase().replace('á', "a");
        let any = |test: &dyn Fn(&str) -> bool| values.iter().any(|value| test(value));
        prop_assert_eq!(finds("Patient", "family", &asked, &document), any(&|own| fold(own).starts_with(&fold(&asked))));
        prop_assert_eq!(finds("Patient", "family:contains", &asked, &document), any(&|own| fold(own).contains(&fold(&asked))));
        prop_assert_eq!(finds("Patient", "family:exact", &asked, &document), any(&|own| own == asked));
        prop_assert_eq!(finds("Patient", "family:missing", "true", &document), values.is_empty());
        for (order, wanted) in [(Order::Ascending, values.iter().map(|v| fold(v)).min()), (Order::Descending, values.iter().map(|v| fold(v)).max())] {
            let param = parameter(kind_of("Patient").unwrap(), "family").unwrap().index;
            let sort = [Sort { key: SortKey::Term { param, mode: Mode::Folded }, order }];
            let values = document.sort_values(&sort);
            prop_assert_eq!(values[0].as_deref(), wanted.as_deref().map(str::as_bytes));
        }
    }

    #[test]
    fn references(kind in 0_usize..2, id in 0_usize..2, form in 0_usize..5, asked_kind in 0_usize..2, asked in 0_usize..2) {
        let kinds = ["Patient", "Device"];
        let local = format!("{}/{id}", kinds[kind]);
        let text = match form {
            0 => local.clone(),
            1 => format!("{local}/_history/3"),
            2 => format!("http://here/{local}"),
            3 => format!("http://there/{local}"),
            _ => format!("urn:uuid:{id}"),
        };
        let identifier = json!({"system": "urn:m", "value": id.to_string()});
        let document = document(&json!({
            "resourceType": "Observation", "id": "o", "subject": {"reference": text, "identifier": identifier},
        }));
        let here = form < 3;
        let wanted = format!("{}/{asked}", kinds[asked_kind]);
        let same = here && (kind, id) == (asked_kind, asked);
        prop_assert_eq!(finds("Observation", "subject", &wanted, &document), same);
        prop_assert_eq!(finds("Observation", "subject", &asked.to_string(), &document), here && id == asked);
        prop_assert_eq!(finds("Observation", &format!("subject:{}", kinds[asked_kind]), &asked.to_string(), &document), same);
        prop_assert_eq!(finds("Observation", "subject", &format!("http://here/{wanted}"), &document), same);
        prop_assert_eq!(finds("Observation", "subject", &format!("http://there/{wanted}"), &document), form == 3 && (kind, id) == (asked_kind, asked));
        prop_assert_eq!(finds("Observation", "subject", &format!("{wanted}/_history/3"), &document), form == 1 && same);
        prop_assert_eq!(finds("Observation", "subject:identifier", &asked.to_string(), &document), id == asked);
        prop_assert_eq!(finds("Observation", "subject:identifier", &format!("urn:m|{asked}"), &document), id == asked);
        prop_assert_eq!(finds("Observation", "subject:identifier", &format!("|{asked}"), &document), false);
        // `patient` is the subject where that is a Patient, which its text tells.
        prop_assert_eq!(finds("Observation", "patient:missing", "false", &document), kind == 0 && form < 4);
    }

    #[test]
    fn uris(path in proptest::collection::vec(0_usize..2, 0..4), asked in proptest::collection::vec(0_usize..2, 0..4)) {
        let url = |path: &[usize]| path.iter().fold("http://u.example".to_owned(), |url, part| format!("{url}/p{part}"));
        let document = document(&json!({"resourceType": "ValueSet", "id": "v", "status": "draft", "url": url(&path)}));
        prop_assert_eq!(finds("ValueSet", "url", &url(&asked), &document), path == asked);
        prop_assert_eq!(finds("ValueSet", "url:below", &url(&asked), &document), path.starts_with(&asked));
        prop_assert_eq!(finds("ValueSet", "url:above", &url(&asked), &document), asked.starts_with(&path));
    }

    #[test]
    fn periods(start in proptest::option::of(1_u32..28), end in proptest::option::of(1_u32..28), op in 0_usize..9, asked in 1_u32..28) {
        let day = |day: u32| format!("2013-03-{day:02}");
        let mut period = json!({});
        if let Some(start) = start { period["start"] = json!(day(start)); }
        if let Some(end) = end { period["end"] = json!(day(end)); }
        let document = document(&json!({"resourceType": "Encounter", "id": "e", "status": "planned", "period": period}));
        let is_range = (start.is_some() || end.is_some()) && start.zip(end).is_none_or(|(start, end)| start <= end);
        let (low, high) = (start.unwrap_or(0), end.unwrap_or(99));
        let within = low == asked && high == asked;
        let expected = is_range && match OPS[op] {
            "" | "eq" => within,
            "ne" => !within,
            "gt" => high > asked,
            "lt" => low < asked,
            "ge" => high > asked || within,
            "le" => low < asked || within,
            "sa" => low > asked,
            _ => high < asked,
        };
        prop_assert_eq!(finds("Encounter", "date", &format!("{}{}", OPS[op], day(asked)), &document), expected);
    }

    /// Whatever is asked in whatever way, whoever does not see every identifier is answered as if those were not there.
    #[test]
    fn guarded_identifiers_leave_no_trace(
        identifiers in proptest::collection::vec((0_usize..3, 0_usize..3, 0_usize..3), 0..5), asked in 0_usize..3, of in 0_usize..2,
    ) {
        let types = json!([
            {"text": "Social Security Number", "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SS"}]},
            {"text": "Medical Record Number", "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
        ]);
        let identifier = |(system, kind, value): &(usize, usize, usize)| {
            let system = [SSN, "urn:mrn", "urn:other"][*system];
            let value = format!("123-45-678{value}");
            let mut identifier = json!({"system": system, "value": value});
            if let Some(of) = types.get(kind) { identifier["type"] = of.clone(); }
            identifier
        };
        let is_guarded = |(system, kind, _): &&(usize, usize, usize)| *system == 0 || *kind == 0;
        let all: Vec<_> = identifiers.iter().map(identifier).collect();
        let open: Vec<_> = identifiers.iter().filter(|own| !is_guarded(own)).map(identifier).collect();
        for kind in ["Patient", "Practitioner"] {
            let of_both = [&all, &open].map(|own| {
                let mut resource = json!({"resourceType": kind, "id": "p"});
                if !own.is_empty() { resource["identifier"] = json!(own); }
                document(&resource)
            });
            let [whole, reduced] = &of_both;
            let seen: Vec<_> = whole.terms.iter().filter(|term| !term::is_guarded(term)).collect();
            prop_assert_eq!(seen, reduced.terms.iter().collect::<Vec<_>>());
            let value = format!("123-45-678{asked}");
            let of_type = format!("http://terminology.hl7.org/CodeSystem/v2-0203|{}|{value}", ["SS", "MR"][of]);
            let text = ["social", "medical"][of];
            let filter = format!("identifier eq \"{value}\" or not (identifier pr true)");
            for (name, value) in [
                ("identifier", &*value), ("identifier:not", &value), ("identifier:of-type", &of_type), ("identifier:text", text),
                ("identifier:missing", "true"), ("identifier:missing", "false"), ("_filter", &filter),
            ] {
                let query = query(kind, name, value);
                prop_assert_eq!(query.without_guarded().matches(whole), query.matches(reduced), "{}={}", name, value);
            }
            for param in served(kind_of(kind).unwrap()) {
                for mode in [Mode::Code, Mode::Text, Mode::OfType, Mode::Present, Mode::Plain] {
                    let sort = [Order::Ascending, Order::Descending].map(|order| Sort { key: SortKey::Term { param: param.index, mode }, order });
                    prop_assert_eq!(whole.sort_values(&sort), reduced.sort_values(&sort));
                }
            }
        }
        let found = |name: &str, value: &str| finds("Patient", name, value, &document(&json!({"resourceType": "Patient", "id": "p", "identifier": all})));
        let value = format!("123-45-678{asked}");
        let any = |fits: &dyn Fn(usize, usize, usize) -> bool| identifiers.iter().any(|(system, kind, value)| fits(*system, *kind, *value));
        prop_assert_eq!(found("identifier", &value), any(&|_, _, own| own == asked), "and who sees them finds them");
        prop_assert_eq!(found("identifier:text", "social"), any(&|_, kind, _| kind == 0));
        prop_assert_eq!(found("identifier:missing", "false"), !identifiers.is_empty());
    }
}

#[test]
fn temperatures_are_compared_although_their_zeros_differ() {
    let document = document(&json!({
        "resourceType": "Observation", "id": "o", "valueQuantity": {"value": 37.0, "unit": "°C", "system": UCUM, "code": "Cel"},
    }));
    for (value, found) in [("98.6|", true), ("gt98.5|", true), ("gt98.7|", false), ("lt99|", true)] {
        assert_eq!(
            finds("Observation", "value-quantity", &format!("{value}{UCUM}|[degF]"), &document),
            found,
            "{value}"
        );
    }
    assert!(finds("Observation", "value-quantity", "37.0||°C", &document));
    assert!(!finds("Observation", "value-quantity", "98.6", &document));
}

#[test]
fn the_bounds_of_sampled_data_count() {
    let sampled = json!({"origin": {"value": 10, "unit": "mV", "system": UCUM, "code": "mV"}, "period": 1, "factor": 2, "dimensions": 1,
        "lowerLimit": -3, "data": "1 E 5 L"});
    let document = document(&json!({"resourceType": "Observation", "id": "o", "valueSampledData": sampled}));
    for (value, found) in
        [("gt19", true), ("gt20", false), ("lt5", true), ("lt4", false), ("ap12", true), ("12", false)]
    {
        assert_eq!(finds("Observation", "value-quantity", value, &document), found, "{value}");
    }
}

#[test]
fn money_is_a_quantity_of_its_currency() {
    let document = document(
        &json!({"resourceType": "Invoice", "id": "i", "status": "issued", "totalNet": {"value": 40.22, "currency": "EUR"}}),
    );
    for (value, found) in [
        ("40.22|urn:iso:std:iso:4217|EUR", true),
        ("40.22||EUR", true),
        ("40.22||USD", false),
        ("gt40", true),
        ("40", true),
    ] {
        assert_eq!(finds("Invoice", "totalnet", value, &document), found, "{value}");
    }
}

#[test]
fn combinations_of_a_composite_have_a_limit() {
    let codings =
        |count: usize, prefix: &str| (0..count).map(|at| json!({"code": format!("{prefix}{at}")})).collect::<Vec<_>>();
    let with = |values: usize| {
        document(&json!({"resourceType": "Observation", "id": "o", "code": {"coding": codings(100, "c")},
            "valueCodeableConcept": {"coding": codings(values, "v")}}))
    };
    let count = |document: &SearchDocument| {
        let param = parameter(kind_of("Observation").unwrap(), "code-value-concept").unwrap().index;
        document.terms.iter().filter(|term| term.starts_with(&term::head(param, Mode::Composite))).count()
    };
    let full = iris_search::COMPOSITES_MAX / 100;
    assert_eq!(count(&with(full)), full * 100);
    assert!(finds("Observation", "code-value-concept", "c99$v49", &with(full)));
    // What would be found by some of them only is not stored.
    let whole = |values: usize| {
        let resource = json!({"resourceType": "Observation", "id": "o", "code": {"coding": codings(100, "c")},
            "valueCodeableConcept": {"coding": codings(values, "v")}});
        iris_search::extract_whole(&Resource::parse(resource.to_string()).unwrap(), Timestamp(0))
    };
    assert_eq!(whole(full).as_ref(), Ok(&with(full)));
    let crowded = whole(full + 1).unwrap_err();
    assert!(crowded.to_string().starts_with("has more than 10000 combinations of values"), "{crowded}");
    let beyond = with(iris_search::COMPOSITES_MAX);
    let all = beyond.terms.iter().filter(|term| term[2] == Mode::Composite as u8).count();
    assert_eq!(all, iris_search::COMPOSITES_MAX);
    assert!(finds("Observation", "value-concept", &format!("v{}", iris_search::COMPOSITES_MAX - 1), &beyond));
}
