//! The chart endpoints: shapes as `/openapi.json` has them, paging, roles, audit.

use iris_access::Role;
use serde_json::{Value, json};

use super::World;

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

impl World {
    pub(super) async fn store(&self, token: &str, resource: Value) -> String {
        let kind = resource["resourceType"].as_str().unwrap().to_owned();
        let made = self.post(&format!("/fhir/{kind}"), token, resource).await.expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    }
}

pub(super) fn observation(patient: &str, category: &str, code: &str, value: f64, day: &str) -> Value {
    json!({
        "resourceType": "Observation", "status": "final", "subject": {"reference": format!("Patient/{patient}")},
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": format!("test {code}")}]},
        "valueQuantity": {"value": value, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
        "referenceRange": [{"low": {"value": 70, "unit": "mg/dL"}, "high": {"value": 99.5, "unit": "mg/dL"}}],
        "interpretation": [{"coding": [{"code": "H"}]}], "effectiveDateTime": day
    })
}

fn pressure(patient: &str, day: &str) -> Value {
    let part = |code: &str, name: &str, value: f64| {
        json!({"code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": name},
            "valueQuantity": {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}})
    };
    json!({
        "resourceType": "Observation", "status": "final", "subject": {"reference": format!("Patient/{patient}")},
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "Blood pressure"},
        "component": [part("8480-6", "Systolic", 121.0), part("8462-4", "Diastolic", 79.0)], "effectiveDateTime": day
    })
}

/// A patient with one record of every kind, on the days 1 to 11 of January 2025.
async fn chart(world: &World, token: &str) -> String {
    let id = world.patient(token, "Jane", "Doe").await;
    let subject = json!({"reference": format!("Patient/{id}")});
    let day = |day: u8| format!("2025-01-{day:02}");
    let active =
        json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]});
    let allergy = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]});
    for resource in [
        json!({"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "subject": subject,
            "type": [{"text": "Check-up"}], "period": {"start": format!("{}T09:00:00Z", day(1)), "end": format!("{}T09:30:00Z", day(1))},
            "participant": [{"individual": {"display": "Dr. Who"}}], "serviceProvider": {"display": "Clinic"}}),
        json!({"resourceType": "Immunization", "status": "completed", "patient": subject, "lotNumber": "L1",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "115"}]}, "occurrenceDateTime": day(2)}),
        observation(&id, "laboratory", "2345-7", 105.50, &day(3)),
        pressure(&id, &day(4)),
        json!({"resourceType": "Condition", "subject": subject, "code": {"text": "Asthma"}, "clinicalStatus": active, "onsetDateTime": day(5)}),
        json!({"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": subject,
            "medicationCodeableConcept": {"text": "Salbutamol"}, "authoredOn": day(6), "dosageInstruction": [{"text": "2 puffs"}]}),
        json!({"resourceType": "MedicationStatement", "status": "active", "subject": subject,
            "medicationCodeableConcept": {"text": "Aspirin"}, "effectiveDateTime": day(7)}),
        json!({"resourceType": "AllergyIntolerance", "patient": subject, "code": {"text": "Peanut"}, "clinicalStatus": allergy,
            "recordedDate": day(8), "reaction": [{"manifestation": [{"text": "Hives"}], "severity": "mild"}]}),
        json!({"resourceType": "DiagnosticReport", "status": "final", "subject": subject, "code": {"text": "Panel"}, "effectiveDateTime": day(9)}),
        json!({"resourceType": "Procedure", "status": "completed", "subject": subject, "code": {"text": "Spirometry"}, "performedDateTime": day(10)}),
        json!({"resourceType": "DocumentReference", "status": "current", "subject": subject, "description": "Letter",
            "date": format!("{}T10:00:00Z", day(11)), "content": [{"attachment": {"contentType": "text/plain"}}]}),
        json!({"resourceType": "Flag", "status": "active", "subject": subject, "code": {"text": "Fall risk"}, "category": [{"text": "Safety"}]}),
        json!({"resourceType": "Flag", "status": "inactive", "subject": subject, "code": {"text": "Was once"}}),
    ] {
        world.store(token, resource).await;
    }
    id
}

const LISTS: [&str; 6] = ["conditions", "allergies", "medications", "encounters", "lab-results", "vital-signs"];

#[tokio::test]
async fn every_answer_of_the_chart_has_the_shape_that_the_document_tells() {
    let world = World::new();
    let token = world.admin().await;
    let id = chart(&world, &token).await;
    let ask = async |path: &str| {
        let template = format!("/api/v1/patients/{{id}}/{path}");
        world.shaped(&template, &format!("/api/v1/patients/{id}/{path}"), &token).await
    };
    let summary = ask("summary").await;
    assert_eq!(summary["alerts"][0]["title"], "Fall risk");
    assert_eq!(summary["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(summary["encounters"][0]["encounter_type"], "Check-up");
    assert_eq!(summary["lab_results"][0]["high"], 99.5);
    assert_eq!(summary["vital_signs"][0]["components"][0]["value"], 121.0);
    assert_eq!(
        summary["counts"],
        json!({"alerts": 1, "problems": 1, "allergies": 1, "medications": 2, "immunizations": 1, "encounters": 1})
    );
    let conditions = ask("conditions").await;
    assert_eq!((&conditions["items"][0]["condition"], &conditions["total"]), (&json!("Asthma"), &json!(1)));
    assert_eq!(ask("allergies").await["items"][0]["reaction"], "Hives");
    let medications = ask("medications").await;
    assert_eq!(medications["items"][0]["medication_name"], "Aspirin");
    assert_eq!(medications["items"][1]["resource"].as_str().unwrap().split('/').next(), Some("MedicationRequest"));
    assert_eq!(medications["total"], 2);
    assert_eq!(ask("encounters").await["items"][0]["end"], "2025-01-01T09:30:00Z");
    assert_eq!(ask("lab-results").await["items"][0]["code"], "2345-7");
    assert_eq!(ask("vital-signs").await["items"][0]["name"], "Blood pressure");
    let labs = ask("lab-results/trends").await;
    assert_eq!(labs["series"][0]["points"][0]["value"], 105.5);
    let vitals = ask("vital-signs/trends").await;
    assert_eq!(vitals["series"].as_array().unwrap().len(), 2);
    assert_eq!((&vitals["series"][1]["name"], &vitals["series"][1]["unit"]), (&json!("Diastolic"), &json!("mm[Hg]")));
    let timeline = ask("timeline").await;
    assert_eq!((timeline["items"].as_array().unwrap().len(), &timeline["withheld"]), (11, &json!([])));
    let patient = world.shaped("/api/v1/patients/{id}", &format!("/api/v1/patients/{id}"), &token).await;
    assert_eq!(patient["medical_history"]["allergies"], json!(["Peanut"]));
    let doses = ask("immunizations").await;
    let dose = format!("/api/v1/immunizations/{}", doses["items"][0]["id"].as_str().unwrap());
    world.shaped("/api/v1/immunizations/{id}", &dose, &token).await;
    world.shaped("/api/v1/patients", "/api/v1/patients?total=true", &token).await;
    world.shaped("/api/v1/immunizations", "/api/v1/immunizations?skip=0", &token).await;
}

#[tokio::test]
async fn decimals_come_back_as_they_are_spelt() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let text = observation(&id, "laboratory", "2345-7", 1.0, "2025-01-01").to_string().replace(":1.0}", ":5.40}");
    let request = axum::http::Request::post("/fhir/Observation")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/fhir+json");
    world.send(request.body(axum::body::Body::from(text)).unwrap()).await.expect(201);
    for path in ["summary", "lab-results", "lab-results/trends"] {
        let body = world.get(&format!("/api/v1/patients/{id}/{path}"), &token).await.expect(200).body;
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(r#""value":5.40"#), "{path}: {body}");
    }
}

#[tokio::test]
async fn the_timeline_pages_over_every_kind_and_nothing_moves_under_it() {
    let world = World::new();
    let token = world.admin().await;
    let id = chart(&world, &token).await;
    let path = format!("/api/v1/patients/{id}/timeline");
    let whole = world.get(&path, &token).await.expect(200).json();
    let items = whole["items"].as_array().unwrap();
    let days: Vec<&str> = items.iter().map(|item| &item["at"].as_str().unwrap()[..10]).collect();
    assert!(days.windows(2).all(|pair| pair[0] > pair[1]), "{days:?}");
    let kinds: Vec<&str> = items.iter().map(|item| item["kind"].as_str().unwrap()).collect();
    let expected = [
        "document",
        "procedure",
        "report",
        "allergy",
        "medication",
        "medication",
        "condition",
        "observation",
        "observation",
        "immunization",
        "encounter",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(items[7]["detail"], "121.0/79.0 mm[Hg]");

    let mut seen = Vec::new();
    let mut next = format!("{path}?limit=3");
    loop {
        let page = world.get(&next, &token).await.expect(200).json();
        seen.extend(page["items"].as_array().unwrap().clone());
        // What is written meanwhile, newer and older, shifts nothing.
        world.store(&token, observation(&id, "laboratory", "1-1", 1.0, "2026-01-01")).await;
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(&seen, items);

    let some = world.get(&format!("{path}?kinds=allergy&kinds=condition"), &token).await.expect(200).json();
    let kinds: Vec<&Value> = some["items"].as_array().unwrap().iter().map(|item| &item["kind"]).collect();
    assert_eq!(kinds, ["allergy", "condition"]);
    let first = world.get(&format!("{path}?limit=1&kinds=observation"), &token).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    // A cursor goes on in its own list only.
    world.get(&format!("{path}?limit=1&cursor={cursor}"), &token).await.expect(400);
    world.get(&format!("{path}?cursor=abc"), &token).await.expect(400);
    let wrong = world.get(&format!("{path}?kinds=allergy,x"), &token).await.expect(422).json();
    assert_eq!(wrong["errors"][0]["pointer"], "kinds");
    world.get(&format!("{path}?limit=0"), &token).await.expect(422);
    world.get(&format!("{path}?limit=101"), &token).await.expect(422);
    let unknown = world.get(&format!("{path}?sort=at&limit=1&limit=2"), &token).await.expect(400).json();
    assert_eq!(unknown["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn records_of_one_day_are_each_on_one_page() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    for n in 0..5 {
        world.store(&token, observation(&id, "laboratory", &format!("{n}-1"), 1.0, "2025-01-01")).await;
        world
            .store(
                &token,
                json!({"resourceType": "Procedure", "status": "completed", "code": {"text": "x"},
            "subject": {"reference": format!("Patient/{id}")}, "performedDateTime": "2025-01-01"}),
            )
            .await;
        // Without a date: last.
        world.store(&token, json!({"resourceType": "Condition", "code": {"text": "x"}, "subject": {"reference": format!("Patient/{id}")}})).await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page =
            world.get(&format!("/api/v1/patients/{id}/timeline?limit=2{cursor}"), &token).await.expect(200).json();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let ids: std::collections::BTreeSet<String> = seen.iter().map(|item| item["resource"].to_string()).collect();
    assert_eq!((seen.len(), ids.len()), (15, 15));
    assert!(seen[..10].iter().all(|item| item["at"] == "2025-01-01"));
    assert!(seen[10..].iter().all(|item| item["at"].is_null()));
}

#[tokio::test]
async fn lists_page_and_count() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    for day in 1..=5 {
        world.store(&token, observation(&id, "laboratory", "2345-7", f64::from(day), &format!("2025-01-0{day}"))).await;
    }
    let path = format!("/api/v1/patients/{id}/lab-results");
    let first = world.get(&format!("{path}?limit=2"), &token).await.expect(200).json();
    assert_eq!((&first["items"][0]["at"], &first["total"]), (&json!("2025-01-05"), &json!(5)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world.get(&format!("{path}?limit=2&total=false&cursor={cursor}"), &token).await.expect(200).json();
    assert_eq!((&second["items"][0]["at"], second.get("total")), (&json!("2025-01-03"), None));
    world.get(&format!("{path}?total=perhaps"), &token).await.expect(422);
    world.get(&format!("/api/v1/patients/{id}/vital-signs?cursor={cursor}"), &token).await.expect(400);
    let summary = world.get(&format!("/api/v1/patients/{id}/summary"), &token).await.json();
    let labs = summary["lab_results"].as_array().unwrap();
    assert_eq!((labs.len(), &labs[0]["value"]), (1, &json!(5.0)));
}

#[tokio::test]
async fn trends_are_exact_and_narrowed_by_code() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    for (code, value, day) in [("2345-7", 110.0, "02"), ("2345-7", 95.0, "01"), ("4548-4", 6.1, "03")] {
        world.store(&token, observation(&id, "laboratory", code, value, &format!("2025-01-{day}"))).await;
    }
    world.store(&token, pressure(&id, "2025-01-01")).await;
    let trends =
        async |path: &str| world.get(&format!("/api/v1/patients/{id}/{path}"), &token).await.expect(200).json();
    let labs = trends("lab-results/trends").await;
    assert_eq!(labs["truncated"], false);
    let series = labs["series"].as_array().unwrap();
    assert_eq!(series.iter().map(|one| one["code"].as_str().unwrap()).collect::<Vec<_>>(), ["4548-4", "2345-7"]);
    let days: Vec<&str> = series[1]["points"].as_array().unwrap().iter().map(|p| p["at"].as_str().unwrap()).collect();
    assert_eq!(days, ["2025-01-01", "2025-01-02"]);
    assert_eq!((&series[1]["low"], &series[1]["high"]), (&json!(70), &json!(99.5)));
    assert_eq!(series[1]["points"][0]["interpretation"], "H");
    let one = trends("lab-results/trends?code=4548-4").await;
    assert_eq!(one["series"].as_array().unwrap().len(), 1);
    assert_eq!(trends("lab-results/trends?code=4548-4&code=2345-7").await, labs);
    for (code, count) in [("85354-9", 2), ("8480-6", 1), ("none", 0), ("a%2Cb%7C", 0)] {
        let found = trends(&format!("vital-signs/trends?code={code}")).await;
        assert_eq!(found["series"].as_array().unwrap().len(), count, "{code}");
    }
    world.get(&format!("/api/v1/patients/{id}/lab-results/trends?code="), &token).await.expect(422);
    world.get(&format!("/api/v1/patients/{id}/lab-results/trends?limit=1"), &token).await.expect(400);
}

#[tokio::test]
async fn what_was_entered_in_error_is_not_in_the_summary() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let subject = json!({"reference": format!("Patient/{id}")});
    let void = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "entered-in-error"}]});
    let wrong = json!({"resourceType": "AllergyIntolerance", "patient": subject, "code": {"text": "Peanut"}, "verificationStatus": void});
    world.store(&token, wrong).await;
    let mut value = observation(&id, "laboratory", "2345-7", 1.0, "2025-01-02");
    value["status"] = json!("entered-in-error");
    world.store(&token, value).await;
    world.store(&token, observation(&id, "laboratory", "2345-7", 2.0, "2025-01-01")).await;
    let summary = world.get(&format!("/api/v1/patients/{id}/summary"), &token).await.expect(200).json();
    assert_eq!((&summary["allergies"], &summary["counts"]["allergies"]), (&json!([]), &json!(0)));
    assert_eq!(summary["lab_results"][0]["value"], 2.0);
    let allergies = world.get(&format!("/api/v1/patients/{id}/allergies"), &token).await.expect(200).json();
    assert_eq!(allergies["items"][0]["verification"], "entered-in-error");
}

#[tokio::test]
async fn each_role_gets_what_the_decision_table_gives() {
    let world = World::new();
    let admin = world.admin().await;
    let (own, other) = (chart(&world, &admin).await, chart(&world, &admin).await);
    let path = |of: &str, what: &str| format!("/api/v1/patients/{of}/{what}");
    for role in [Role::Physician, Role::Nurse] {
        let token = world.user(role.name(), role, None).await;
        for list in LISTS {
            world.get(&path(&own, list), &token).await.expect(200);
        }
        let timeline = world.get(&path(&own, "timeline"), &token).await.expect(200).json();
        assert_eq!((timeline["items"].as_array().unwrap().len(), &timeline["withheld"]), (11, &json!([])), "{role}");
    }
    let registrar = world.user("reg", Role::Registrar, None).await;
    for what in LISTS.into_iter().chain(["lab-results/trends", "vital-signs/trends"]) {
        let problem = world.get(&path(&own, what), &registrar).await.expect(403).json();
        assert!(problem["detail"].as_str().unwrap().contains("healthcare:read"), "{what}: {problem}");
    }
    let timeline = world.get(&path(&own, "timeline"), &registrar).await.expect(200).json();
    let kinds: Vec<&Value> = timeline["items"].as_array().unwrap().iter().map(|item| &item["kind"]).collect();
    assert_eq!(kinds, ["immunization"]);
    let withheld =
        json!(["encounter", "observation", "condition", "medication", "allergy", "report", "procedure", "document"]);
    assert_eq!(timeline["withheld"], withheld);
    world.get(&path(&own, "timeline?kinds=immunization"), &registrar).await.expect(200);
    // Asked for by name, what may not be seen is refused, and the refusal is on the log.
    world.get(&path(&own, "timeline?kinds=allergy"), &registrar).await.expect(403);

    let auditor = world.user("ada", Role::Auditor, None).await;
    for what in LISTS.into_iter().chain(["summary", "timeline", "lab-results/trends"]) {
        world.get(&path(&own, what), &auditor).await.expect(403);
    }
    let patient = world.user("own", Role::Patient, Some(&own)).await;
    for what in LISTS.into_iter().chain(["summary", "timeline", "lab-results/trends", "vital-signs/trends"]) {
        world.get(&path(&own, what), &patient).await.expect(200);
        let hidden = world.get(&path(&other, what), &patient).await.expect(404).json();
        let absent = world.get(&path("nobody", what), &patient).await.expect(404).json();
        assert_eq!(hidden["detail"], absent["detail"], "{what}");
    }
    let summary = world.get(&path(&own, "summary"), &patient).await.json();
    assert_eq!((&summary["withheld"], &summary["counts"]["medications"]), (&json!([]), &json!(2)));
    let timeline = world.get(&path(&own, "timeline"), &patient).await.json();
    assert_eq!((timeline["items"].as_array().unwrap().len(), &timeline["withheld"]), (11, &json!([])));
    let denied = world.get("/api/v1/audit/logs?outcome=denied&action=phi.denied", &auditor).await.expect(200).json();
    assert!(!denied["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn every_answer_of_the_chart_is_on_the_log_of_the_patient() {
    let world = World::new();
    let token = world.admin().await;
    let id = chart(&world, &token).await;
    let before = world.get(&format!("/audit/logs?patient_id={id}&action=phi.search&limit=100"), &token).await.json();
    let before = before["items"].as_array().unwrap().len();
    let all = LISTS.into_iter().chain(["timeline", "lab-results/trends", "vital-signs/trends"]);
    for (asked, what) in all.enumerate() {
        world.get(&format!("/api/v1/patients/{id}/{what}?access_purpose=TREAT"), &token).await.expect(200);
        let log = world.get(&format!("/audit/logs?patient_id={id}&action=phi.search&limit=100"), &token).await.json();
        let entries = log["items"].as_array().unwrap();
        assert_eq!(entries.len(), before + asked + 1, "{what}");
        assert_eq!(entries[0]["access_purpose"], "TREAT");
        assert_eq!(entries[0]["patient_ids"], json!([id]), "{what}");
        assert!(!entries[0]["resources"].as_array().unwrap().is_empty());
    }
    let one = world.get(&format!("/audit/logs?patient_id={id}&action=phi.search&limit=1"), &token).await.json();
    assert!(one["items"][0]["detail"].as_str().unwrap().contains("Observation?patient=Patient/"));
    world.get(&format!("/api/v1/patients/{id}/summary"), &token).await.expect(200);
    let summary = world.get(&format!("/audit/logs?patient_id={id}&action=phi.summary"), &token).await.json();
    assert_eq!(summary["items"].as_array().unwrap().len(), 1);
    assert!(summary["items"][0]["resources"].as_array().unwrap().len() > 8, "{summary}");

    // Nothing found is told of the patient as well.
    let bare = world.patient(&token, "Bare", "Doe").await;
    for what in LISTS.into_iter().chain(["timeline", "lab-results/trends", "summary"]) {
        world.get(&format!("/api/v1/patients/{bare}/{what}"), &token).await.expect(200);
    }
    let path = format!("/audit/logs?patient_id={bare}&action=phi.search,phi.summary");
    let log = world.get(&path, &token).await.json();
    assert_eq!(log["items"].as_array().unwrap().len(), 9);
}
