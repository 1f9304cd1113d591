use std::collections::BTreeSet;

use iris_fhir::json::Json;
use iris_plain::{Field, Form, Presence};

use super::*;

fn told(resources: &[&str], show: impl Fn(&[Value<'_>], &mut Writer)) -> String {
    let parsed: Vec<Json> = resources.iter().map(|text| Json::parse((*text).to_owned()).unwrap()).collect();
    let roots: Vec<Value<'_>> = parsed.iter().map(Json::root).collect();
    let mut w = Writer::new();
    show(&roots, &mut w);
    String::from_utf8(w.finish()).unwrap()
}

#[test]
fn the_latest_vital_sign_of_each_code_is_told_exactly() {
    let new = r#"{"resourceType":"Observation","id":"2","status":"final",
        "code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},
        "valueQuantity":{"value":72.50,"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"},
        "referenceRange":[{"low":{"value":60.0,"unit":"/min"},"high":{"value":100,"unit":"/min"}}],
        "interpretation":[{"coding":[{"code":"N"}]}],"effectiveDateTime":"2025-01-02T10:00:00+02:00"}"#;
    let old = new.replace("72.50", "60").replace("\"2\"", "\"1\"");
    let void = new.replace("\"final\"", "\"entered-in-error\"").replace("\"2\"", "\"3\"");
    let text = told(&[&void, new, &old], |resources, w| List::VitalSigns.summary(resources, &Names::default(), w));
    let expected = r#"[{"id":"2","resource":"Observation/2","name":"Heart rate","code":"8867-4","system":"http://loinc.org","value":72.50,"unit":"/min","low":60.0,"high":100,"interpretation":"N","status":"final","at":"2025-01-02T08:00:00Z"}]"#;
    assert_eq!(text, expected);
}

#[test]
fn one_shared_code_makes_no_two_observations_one() {
    let of = |id: &str, codes: &[(&str, &str)]| {
        let codings: Vec<String> =
            codes.iter().map(|(system, code)| format!(r#"{{"system":"{system}","code":"{code}"}}"#)).collect();
        format!(r#"{{"resourceType":"Observation","id":"{id}","code":{{"coding":[{}]}}}}"#, codings.join(","))
    };
    let all = [
        of("pulse", &[("l", "general"), ("l", "pulse")]),
        of("warmth", &[("l", "general"), ("l", "warmth")]),
        of("pulse, the codes turned round", &[("l", "pulse"), ("l", "general")]),
        of("pulse, one code more", &[("l", "pulse"), ("l", "general"), ("own", "7")]),
        of("7 of one system", &[("own", "7")]),
        of("7 of another", &[("other", "7")]),
        of("7 once more", &[("own", "7")]),
        r#"{"resourceType":"Observation","id":"by name","code":{"text":"Mood"}}"#.to_owned(),
        r#"{"resourceType":"Observation","id":"by another name","code":{"text":"Gait"}}"#.to_owned(),
        r#"{"resourceType":"Observation","id":"by name, older","code":{"text":"Mood"}}"#.to_owned(),
    ];
    let parsed: Vec<Json> = all.iter().map(|text| Json::parse(text.clone()).unwrap()).collect();
    let roots: Vec<Value<'_>> = parsed.iter().map(Json::root).collect();
    let told: Vec<_> = latest::latest(&roots).iter().map(|root| root.str_of("id").unwrap().into_owned()).collect();
    assert_eq!(told, ["pulse", "warmth", "7 of one system", "7 of another", "by name", "by another name"]);
    // Every group of codes; the names are left to whoever looks.
    assert_eq!(latest::seen(iris_fhir::definitions::kind_of("Observation").unwrap(), &roots).len(), 4);
}

#[test]
fn an_allergy_is_told_at_its_worst() {
    let allergy = r#"{"resourceType":"AllergyIntolerance","id":"1","code":{"text":"Peanut"},"reaction":[
        {"manifestation":[{"text":"Itching"}]},
        {"manifestation":[{"text":"Rash"}],"severity":"mild"},
        {"manifestation":[{"text":"Anaphylaxis"}],"severity":"severe"}]}"#;
    let text = told(&[allergy], |r, w| List::Allergies.item(r[0], &Names::default(), w));
    assert!(text.contains(r#""reaction":"Anaphylaxis","severity":"severe""#), "{text}");
}

#[test]
fn what_was_refuted_is_not_told_as_active() {
    let status = |word: &str| format!(r#"{{"coding":[{{"code":"{word}"}}]}}"#);
    let condition = |verification: &str| {
        format!(
            r#"{{"resourceType":"Condition","id":"1","clinicalStatus":{},"verificationStatus":{}}}"#,
            status("active"),
            status(verification)
        )
    };
    let event = EVENTS.iter().find(|event| event.resource == "Condition").unwrap();
    for (verification, told_as) in [("refuted", "refuted"), ("confirmed", "active"), ("provisional", "active")] {
        let text = told(&[&condition(verification)], |r, w| event.item(r[0], &Names::default(), w));
        assert!(text.ends_with(&format!(r#""status":"{told_as}"}}"#)), "{text}");
    }
}

#[test]
fn a_bound_is_a_text_and_a_range_in_another_unit_is_not_told() {
    let text = told(
        &[
            r#"{"resourceType":"Observation","id":"1","code":{"text":"CRP"},"valueQuantity":{"comparator":"<","value":5,"unit":"mg/L"},
            "referenceRange":[{"high":{"value":0.5,"unit":"mg/dL"}}]}"#,
        ],
        |resources, w| List::LabResults.item(resources[0], &Names::default(), w),
    );
    assert_eq!(text, r#"{"id":"1","resource":"Observation/1","name":"CRP","value":"<5","unit":"mg/L"}"#);
}

#[test]
fn the_history_tells_each_text_once() {
    let condition = r#"{"code":{"text":"Asthma"}}"#;
    assert_eq!(
        told(&[condition, condition], |r, w| History::Conditions.show(r, &Names::default(), w)),
        r#"["Asthma"]"#
    );
    let family = r#"{"relationship":{"text":"father"},"condition":[{"code":{"text":"Heart disease"}}]}"#;
    assert_eq!(told(&[family], |r, w| History::Family.show(r, &Names::default(), w)), r#"["father: Heart disease"]"#);
    let smoking = r#"{"code":{"text":"smoking"},"valueCodeableConcept":{"text":"Never"}}"#;
    assert_eq!(told(&[smoking], |r, w| History::Social.show(r, &Names::default(), w)), r#"{"smoking":"Never"}"#);
}

const PRESSURE: &str = r#"{"resourceType":"Observation","id":"bp","status":"final","code":{"coding":[{"code":"85354-9"}],"text":"Blood pressure"},
    "effectiveDateTime":"2025-01-02","component":[
    {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}],"text":"Systolic"},"valueQuantity":{"value":120,"unit":"mm[Hg]"}},
    {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}],"text":"Diastolic"},"valueQuantity":{"value":80.0,"unit":"mm[Hg]"}}]}"#;

#[test]
fn trends_are_oldest_first_and_parts_are_series_of_their_own() {
    let older = PRESSURE.replace("\"bp\"", "\"old\"").replace("2025", "2024").replace("120", "131");
    let void = PRESSURE.replace("final", "entered-in-error");
    let parsed: Vec<Json> =
        [void.as_str(), PRESSURE, &older].iter().map(|text| Json::parse((*text).to_owned()).unwrap()).collect();
    let roots: Vec<Value<'_>> = parsed.iter().map(Json::root).collect();
    let found = trends(&roots, &[]);
    let values = |trend: &Trend| trend.points.iter().map(|p| format!("{} {}", p.id, p.value)).collect::<Vec<_>>();
    assert_eq!(found.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["Systolic", "Diastolic"]);
    assert_eq!(values(&found[0]), ["old 131", "bp 120"]);
    assert_eq!(values(&found[1]), ["old 80.0", "bp 80.0"]);
    assert_eq!(trends(&roots, &["85354-9"]), found);
    assert_eq!(trends(&roots, &["8462-4"]), found[1..]);
    assert_eq!(trends(&roots, &["1"]), []);
}

#[test]
fn many_parts_cost_no_more_than_they_are() {
    let parts: Vec<String> = (0..20_000)
        .map(|n| format!(r#"{{"code":{{"coding":[{{"system":"s","code":"{n}"}}]}},"valueQuantity":{{"value":{n}}}}}"#))
        .collect();
    let text = format!(
        r#"{{"resourceType":"Observation","id":"1","effectiveDateTime":"2025","component":[{}]}}"#,
        parts.join(",")
    );
    let parsed = Json::parse(text).unwrap();
    let many = [parsed.root(); 20];
    let found = trends(&many, &[]);
    assert_eq!((found.len(), found[19_999].points.len()), (20_000, 20));
}

#[test]
fn the_timeline_tells_what_happened() {
    let of = |kind: &str| EVENTS.iter().find(|event| event.resource == kind).unwrap();
    let text = told(&[PRESSURE], |r, w| of("Observation").item(r[0], &Names::default(), w));
    let expected = r#"{"id":"bp","resource":"Observation/bp","kind":"observation","at":"2025-01-02","title":"Blood pressure","detail":"120/80.0 mm[Hg]","status":"final"}"#;
    assert_eq!(text, expected);
    let bare = r#"{"resourceType":"Condition","id":"c","recordedDate":"2025-01-01","clinicalStatus":{"coding":[{"code":"active"}]}}"#;
    let text = told(&[bare], |r, w| of("Condition").item(r[0], &Names::default(), w));
    let expected = r#"{"id":"c","resource":"Condition/c","kind":"condition","at":null,"title":null,"detail":null,"status":"active"}"#;
    assert_eq!(text, expected);
}

#[test]
fn every_kind_of_the_timeline_is_told_and_sorts_by_a_parameter_that_is_served() {
    for event in EVENTS {
        assert!(fields::KINDS.contains(&event.kind), "{event:?}");
        let kind = iris_fhir::definitions::kind_of(event.resource).unwrap();
        let name = event.sort.strip_prefix('-').unwrap();
        assert!(iris_search::parameter(kind, name).is_some(), "{event:?}");
    }
    for kind in fields::KINDS {
        assert!(EVENTS.iter().any(|event| event.kind == *kind), "{kind}");
    }
}

/// A resource of each list with every element that an item tells.
const FULL: [(List, &[Field], &str); 8] = [
    (
        List::Alerts,
        fields::ALERT,
        r#""resourceType":"Flag","status":"active","category":[{"text":"Safety"}],"period":{"start":"2025","end":"2026"}"#,
    ),
    (
        List::Problems,
        fields::CONDITION,
        r#""resourceType":"Condition","category":[{"text":"x"}],"severity":{"text":"x"},"clinicalStatus":{"coding":[{"code":"active"}]},
        "verificationStatus":{"coding":[{"code":"confirmed"}]},"onsetDateTime":"2025","abatementDateTime":"2026","recordedDate":"2025""#,
    ),
    (
        List::Allergies,
        fields::ALLERGY,
        r#""resourceType":"AllergyIntolerance","category":["food"],"criticality":"high","reaction":[{"severity":"mild","manifestation":[{"text":"x"}]}],
        "clinicalStatus":{"coding":[{"code":"active"}]},"verificationStatus":{"coding":[{"code":"confirmed"}]},"onsetDateTime":"2025","recordedDate":"2025""#,
    ),
    (
        List::Medications,
        fields::MEDICATION,
        r#""resourceType":"MedicationRequest","medicationCodeableConcept":{"coding":[{"system":"s","code":"c"}]},"dosageInstruction":[{"text":"x"}],
        "reasonCode":[{"text":"x"}],"intent":"order","status":"active","authoredOn":"2025""#,
    ),
    (
        List::Immunizations,
        fields::IMMUNIZATION,
        r#""resourceType":"Immunization","vaccineCode":{"coding":[{"code":"115"}]},"status":"completed","occurrenceDateTime":"2025""#,
    ),
    (
        List::Encounters,
        fields::ENCOUNTER,
        r#""resourceType":"Encounter","type":[{"coding":[{"system":"s","code":"c"}]}],"class":{"code":"AMB"},"status":"finished","reasonCode":[{"text":"x"}],
        "participant":[{"individual":{"display":"Dr X"}}],"serviceProvider":{"display":"Clinic"},"period":{"start":"2025","end":"2026"}"#,
    ),
    (
        List::VitalSigns,
        fields::OBSERVATION,
        r#""resourceType":"Observation","status":"final","valueQuantity":{"value":1,"unit":"g"},"referenceRange":[{"low":{"value":1},"high":{"value":2}}],
        "interpretation":[{"text":"N"}],"effectiveDateTime":"2025","component":[{"code":{"text":"x"}}]"#,
    ),
    (
        List::LabResults,
        fields::OBSERVATION,
        r#""resourceType":"Observation","status":"final","valueQuantity":{"value":1,"unit":"g"},"referenceRange":[{"low":{"value":1},"high":{"value":2}}],
        "interpretation":[{"text":"N"}],"effectiveDateTime":"2025","component":[{"code":{"text":"x"}}]"#,
    ),
];

#[test]
fn items_have_the_fields_of_their_tables_and_no_others() {
    for (list, table, elements) in FULL {
        let resource =
            format!(r#"{{"id":"1",{elements},"code":{{"coding":[{{"system":"s","code":"c","display":"x"}}]}}}}"#);
        let item = Json::parse(told(&[&resource], |r, w| list.item(r[0], &Names::default(), w))).unwrap();
        let told: BTreeSet<String> = item.root().members().map(|(name, _)| name.into_owned()).collect();
        let known: BTreeSet<String> = table.iter().map(|field| field.name.to_owned()).collect();
        assert_eq!(told, known, "{list:?}");
        let bare = Json::parse(self::told(&[r#"{"resourceType":"Basic","id":"1"}"#], |r, w| {
            list.item(r[0], &Names::default(), w);
        }))
        .unwrap();
        for field in table.iter().filter(|field| field.presence != Presence::Sometimes) {
            assert!(bare.root().get(field.name).is_some(), "{list:?} {}", field.name);
        }
    }
    assert!(matches!(fields::TREND_SERIES.last().map(|field| field.form), Some(Form::ListOf("TrendPoint"))));
}

#[test]
fn the_name_of_a_medication_is_found_wherever_it_stands() {
    let record = |rest: &str| format!(r#"{{"resourceType":"MedicationRequest","id":"1",{rest}}}"#);
    let referred = record(r#""medicationReference":{"reference":"Medication/m"}"#);
    let contained =
        record(r##""contained":[{"id":"m","code":{"text":"Inside"}}],"medicationReference":{"reference":"#m"}"##);
    let beside = record(r#""medicationReference":{"reference":"Medication/m","display":"Beside"}"#);
    let medication =
        Json::parse(r#"{"resourceType":"Medication","id":"m","code":{"coding":[{"code":"1","display":"Etoposide"}]}}"#)
            .unwrap();
    let mut names = Names::default();
    names.add(medication.root());
    for (resource, wanted, name) in
        [(&referred, Some("m"), "Etoposide"), (&contained, None, "Inside"), (&beside, None, "Beside")]
    {
        let json = Json::parse(resource.clone()).unwrap();
        assert_eq!(Names::wanted(json.root()).as_deref(), wanted, "{resource}");
        assert_eq!(names.medication(json.root()).as_deref(), Some(name), "{resource}");
        assert_eq!(told(&[resource], |r, w| History::Medications.show(r, &names, w)), format!("[\"{name}\"]"));
    }
}
