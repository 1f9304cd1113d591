use iris_access::Role;
use serde_json::{Value, json};

use super::World;

fn john() -> Value {
    json!({
        "first_name": "John", "last_name": "Doe", "date_of_birth": "1985-05-15", "ssn": "123-45-6789",
        "phone": "+1-555-0123", "email": "john.doe@email.com",
        "address": {"street": "123 Main St", "city": "Healthcare City", "state": "HC", "zip_code": "12345"},
        "emergency_contact": {"name": "Jane Doe", "relationship": "Spouse", "phone": "+1-555-0124"}
    })
}

#[tokio::test]
async fn a_patient_is_the_same_in_both_dialects() {
    let world = World::new();
    let token = world.admin().await;
    let made = world.post("/api/v1/patients", &token, john()).await.expect(201);
    let patient = made.json();
    let id = patient["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/api/v1/patients/{id}"));
    assert_eq!(made.header("etag"), "W/\"1\"");
    for (name, value) in john().as_object().unwrap() {
        assert_eq!(patient[name], *value, "{name}");
    }
    assert_eq!((&patient["version"], &patient["patient_status"]), (&json!(1), &json!("active")));
    assert!(iris_records::mrn::is_drawn(patient["medical_record_number"].as_str().unwrap()));

    let read = world.get(&format!("/patients/{id}"), &token).await.expect(200);
    let mut shown = read.json();
    let history = shown.as_object_mut().unwrap().remove("medical_history").unwrap();
    assert_eq!(history["conditions"], json!([]));
    assert_eq!(shown, patient);
    let fhir = world.get(&format!("/fhir/Patient/{id}"), &token).await.expect(200).json();
    assert_eq!(fhir["name"][0]["family"], "Doe");
    assert_eq!(fhir["meta"]["versionId"], "1");

    let tag = read.header("etag").to_owned();
    let same = world.call("GET", &format!("/api/v1/patients/{id}"), &token, &[("if-none-match", &tag)], None).await;
    same.expect(304);
    world.call("DELETE", &format!("/api/v1/patients/{id}"), &token, &[], None).await.expect(204);
    world.get(&format!("/api/v1/patients/{id}"), &token).await.expect(410);
    world.get("/api/v1/patients/none", &token).await.expect(404);
    world.get("/api/v1/patients/a%20b", &token).await.expect(404);
}

#[tokio::test]
async fn an_update_changes_what_is_named_and_keeps_the_rest() {
    let world = World::new();
    let token = world.admin().await;
    let made = world.post("/api/v1/patients", &token, john()).await.expect(201).json();
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/v1/patients/{id}");
    let mut fhir = world.get(&format!("/fhir/Patient/{id}"), &token).await.json();
    fhir["maritalStatus"] = json!({"text": "married"});
    world.put(&format!("/fhir/Patient/{id}"), &token, fhir).await.expect(200);

    let stale = world.call("PUT", &path, &token, &[("if-match", "W/\"1\"")], Some(json!({"phone": "1"}))).await;
    assert_eq!(stale.expect(412).json()["error_type"], "lost_update");
    world.call("PUT", &path, &token, &[("if-match", "nonsense")], Some(json!({}))).await.expect(400);
    let changed = json!({"phone": "+1-555-9999", "email": null, "address": {"city": "Elsewhere"}});
    let changed = world.call("PUT", &path, &token, &[("if-match", "W/\"2\"")], Some(changed)).await.expect(200);
    assert_eq!(changed.header("etag"), "W/\"3\"");
    let patient = changed.json();
    assert_eq!((&patient["phone"], &patient["email"]), (&json!("+1-555-9999"), &Value::Null));
    assert_eq!(
        patient["address"],
        json!({"street": "123 Main St", "city": "Elsewhere", "state": "HC", "zip_code": "12345"})
    );
    let fhir = world.get(&format!("/fhir/Patient/{id}"), &token).await.json();
    assert_eq!(fhir["maritalStatus"]["text"], "married");
    // What was shown may come back as it is.
    let shown = world.get(&path, &token).await.json();
    world.put(&path, &token, shown).await.expect(200);
    let set =
        world.put(&path, &token, json!({"version": 9, "created_at": "2020-01-01T00:00:00Z"})).await.expect(422).json();
    assert_eq!(set["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_stored() {
    let world = World::new();
    let token = world.admin().await;
    let wrong = json!({"first_name": "", "date_of_birth": "1985-13-01", "ssn": "***-**-1234", "nickname": "J"});
    let problem = world.post("/api/v1/patients", &token, wrong).await.expect(422).json();
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    for pointer in ["/first_name", "/last_name", "/date_of_birth", "/ssn", "/nickname"] {
        assert!(pointers.contains(&pointer), "{pointer} in {pointers:?}");
    }
    let request = |body: &'static str| {
        let request = axum::http::Request::post("/api/v1/patients").header("authorization", format!("Bearer {token}"));
        request.body(axum::body::Body::from(body)).unwrap()
    };
    let twice = world.send(request(r#"{"first_name":"a","first_name":"b"}"#)).await.expect(400);
    assert_eq!(twice.json()["error_type"], "malformed");
    world.send(request(r#"{"first_name":"a""#)).await.expect(400);
    world.send(request("[]")).await.expect(422);
    let deep = Box::leak("[".repeat(100_000).into_boxed_str());
    world.send(request(deep)).await.expect(400);
    let list = world.get("/api/v1/patients?total=true", &token).await.expect(200).json();
    assert_eq!((&list["items"], &list["total"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn script_and_sql_come_back_unchanged() {
    let world = World::new();
    let token = world.admin().await;
    let nasty = "Robert'); DROP TABLE patients;--<script>alert(\"x\")</script>\\u0000 \u{1f600}";
    let mut body = john();
    for name in ["first_name", "last_name", "phone"] {
        body[name] = json!(nasty);
    }
    body["address"]["street"] = json!(nasty);
    let made = world.post("/api/v1/patients", &token, body.clone()).await.expect(201).json();
    let shown = world.get(&format!("/api/v1/patients/{}", made["id"].as_str().unwrap()), &token).await.json();
    for name in ["first_name", "last_name", "phone", "address"] {
        assert_eq!(shown[name], body[name], "{name}");
    }
}

#[tokio::test]
async fn patients_are_found_by_every_filter_and_paged() {
    let world = World::new();
    let token = world.admin().await;
    let made = world.post("/api/v1/patients", &token, john()).await.expect(201).json();
    let mrn = made["medical_record_number"].as_str().unwrap();
    for n in 0..4 {
        world.patient(&token, &format!("Ann{n}"), "Other").await;
    }
    let filters = [
        "name=doe",
        "name=joh",
        "first_name=John",
        "last_name=DOE",
        "phone=%2B1-555-0123",
        "email=john.doe@email.com",
        "ssn=123-45-6789",
        "ssn=123456789",
        &format!("medical_record_number={mrn}"),
        "last_name=doe&date_of_birth=1985-05-15",
        "last_name=doe&date_of_birth_from=1985-01-01&date_of_birth_to=1985-12-31",
        "last_name=doe&patient_status=active",
        "last_name=doe&active=true",
    ];
    for filter in filters {
        for path in ["/api/v1/patients", "/patients/search"] {
            let found = world.get(&format!("{path}?{filter}"), &token).await.expect(200).json();
            assert_eq!(found["items"].as_array().unwrap().len(), 1, "{path}?{filter}: {found}");
            assert_eq!(found["items"][0]["id"], made["id"]);
        }
    }
    let none = world.get("/api/v1/patients?ssn=999-99-9999", &token).await.json();
    assert_eq!(none["items"], json!([]));
    let mut seen = Vec::new();
    let mut path = "/api/v1/patients?limit=2&total=true".to_owned();
    loop {
        let page = world.get(&path, &token).await.expect(200).json();
        assert_eq!(page["total"], 5);
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/patients?limit=2&total=true&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    let wrong = world.get("/api/v1/patients?gender=x&limit=0&ssn=1", &token).await.expect(422).json();
    assert!(!wrong["errors"].as_array().unwrap().is_empty());
    let unknown = world.get("/api/v1/patients?colour=red&sort=name", &token).await.expect(400).json();
    assert_eq!(unknown["errors"].as_array().unwrap().len(), 2);
    world.get("/api/v1/patients?cursor=abc", &token).await.expect(400);
}

#[tokio::test]
async fn a_record_number_is_unique_and_a_repeated_request_makes_nothing_twice() {
    let world = World::new();
    let token = world.admin().await;
    let mut body = john();
    body["medical_record_number"] = json!("A-1");
    world.post("/api/v1/patients", &token, body.clone()).await.expect(201);
    let taken = world.post("/api/v1/patients", &token, body).await.expect(409).json();
    assert_eq!(taken["errors"][0]["pointer"], "/medical_record_number");

    let key = [("idempotency-key", "k-1")];
    let first = world.call("POST", "/api/v1/patients", &token, &key, Some(john())).await.expect(201).json();
    let again = world.call("POST", "/api/v1/patients", &token, &key, Some(john())).await.expect(201).json();
    assert_eq!(first["id"], again["id"]);
    let mut other = john();
    other["first_name"] = json!("Jack");
    world.call("POST", "/api/v1/patients", &token, &key, Some(other)).await.expect(422);
    world.call("POST", "/api/v1/patients", &token, &[("idempotency-key", "")], Some(john())).await.expect(400);
}

#[tokio::test]
async fn the_summary_shows_what_is_stored_and_withholds_what_the_caller_may_not_see() {
    let world = World::new();
    let token = world.admin().await;
    let registrar = world.user("reg", Role::Registrar, None).await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let subject = json!({"reference": format!("Patient/{id}")});
    let condition = json!({"resourceType": "Condition", "subject": subject, "code": {"text": "Asthma"}});
    world.post("/fhir/Condition", &token, condition).await.expect(201);
    let pulse = json!({
        "resourceType": "Observation", "status": "final", "subject": subject, "effectiveDateTime": "2025-01-01",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]},
        "valueQuantity": {"value": 72.5, "unit": "/min"}
    });
    world.post("/fhir/Observation", &token, pulse).await.expect(201);
    let dose =
        json!({"vaccine_name": "Tdap", "lot_number": "TD123456", "site": "Left deltoid", "route": "Intramuscular"});
    world.post(&format!("/patients/{id}/immunizations"), &token, dose).await.expect(201);

    let summary = world.get(&format!("/api/v1/patients/{id}/summary"), &token).await.expect(200).json();
    assert_eq!(summary["problems"][0]["condition"], "Asthma");
    assert_eq!(summary["vital_signs"][0]["value"], 72.5);
    assert_eq!(summary["immunizations"][0]["vaccine_code"], "115");
    assert_eq!(
        summary["counts"],
        json!({"alerts": 0, "problems": 1, "allergies": 0, "medications": 0, "immunizations": 1, "encounters": 0})
    );
    assert_eq!(summary["withheld"], json!([]));
    let detail = world.get(&format!("/api/v1/patients/{id}"), &token).await.json();
    assert_eq!(detail["medical_history"]["conditions"], json!(["Asthma"]));

    let less = world.get(&format!("/api/v1/patients/{id}/summary"), &registrar).await.expect(200).json();
    assert_eq!(
        less["withheld"],
        json!(["alerts", "problems", "allergies", "medications", "vital_signs", "lab_results", "encounters"])
    );
    assert_eq!((less.get("problems"), &less["immunizations"][0]["lot_number"]), (None, &Value::Null));
}

#[tokio::test]
async fn a_patient_sees_the_own_record_only() {
    let world = World::new();
    let token = world.admin().await;
    let (own, other) = (world.patient(&token, "Own", "Doe").await, world.patient(&token, "Other", "Doe").await);
    let patient = world.user("own", Role::Patient, Some(&own)).await;
    world.get(&format!("/api/v1/patients/{own}"), &patient).await.expect(200);
    let hidden = world.get(&format!("/api/v1/patients/{other}"), &patient).await.expect(404).json();
    let absent = world.get("/api/v1/patients/nobody", &patient).await.expect(404).json();
    assert_eq!(hidden["detail"], absent["detail"]);
    let list = world.get("/api/v1/patients?last_name=Doe&total=true", &patient).await.expect(200).json();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["total"]), (1, &json!(1)));
    world.put(&format!("/api/v1/patients/{own}"), &patient, json!({"phone": "1"})).await.expect(403);
}
