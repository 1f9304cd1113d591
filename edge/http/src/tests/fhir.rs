use axum::body::Body;
use axum::http::Request;
use iris_access::Role;
use serde_json::{Value, json};

use super::{BASE, World};

fn patient() -> Value {
    json!({"resourceType": "Patient", "active": true, "name": [{"family": "Smith", "given": ["Ann"]}], "birthDate": "1970-01-01"})
}

#[tokio::test]
async fn the_life_of_a_resource() {
    let world = World::new();
    let token = world.admin().await;
    let made = world.post("/fhir/Patient", &token, patient()).await.expect(201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("{BASE}/fhir/Patient/{id}/_history/1"));
    assert_eq!(made.header("etag"), "W/\"1\"");
    assert_eq!(made.header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
    assert_eq!(made.header("content-type"), "application/fhir+json; fhirVersion=4.0");

    let path = format!("/fhir/Patient/{id}");
    let mut changed = patient();
    changed["id"] = json!(id);
    changed["active"] = json!(false);
    world.call("PUT", &path, &token, &[("if-match", "W/\"7\"")], Some(changed.clone())).await.expect(412);
    let minimal = [("if-match", "W/\"1\""), ("prefer", "return=minimal")];
    let updated = world.call("PUT", &path, &token, &minimal, Some(changed.clone())).await.expect(200);
    assert_eq!((updated.body.len(), updated.header("etag")), (0, "W/\"2\""));
    let first = world.get(&format!("{path}/_history/1"), &token).await.expect(200).json();
    assert_eq!((&first["active"], &first["meta"]["versionId"]), (&json!(true), &json!("1")));
    world.get(&format!("{path}/_history/9"), &token).await.expect(404);
    world.get(&format!("{path}/_history/x"), &token).await.expect(404);
    world.call("DELETE", &path, &token, &[], None).await.expect(204);
    let gone = world.get(&path, &token).await.expect(410).json();
    assert_eq!(gone["issue"][0]["code"], "deleted");

    let history = world.get(&format!("{path}/_history?_count=2"), &token).await.expect(200).json();
    let methods: Vec<&Value> = history["entry"].as_array().unwrap().iter().map(|e| &e["request"]["method"]).collect();
    assert_eq!(methods, ["DELETE", "PUT"]);
    let next = history["link"][1]["url"].as_str().unwrap().strip_prefix(BASE).unwrap();
    let rest = world.get(next, &token).await.expect(200).json();
    assert_eq!((rest["entry"].as_array().unwrap().len(), &rest["entry"][0]["request"]["method"]), (1, &json!("POST")));
    world.get("/fhir/Patient/none/_history", &token).await.expect(404);

    changed["id"] = json!("my-own");
    world.put("/fhir/Patient/my-own", &token, changed.clone()).await.expect(201);
    world.put("/fhir/Patient/other", &token, changed).await.expect(400);
}

#[tokio::test]
async fn only_if_absent_means_just_that_or_is_refused() {
    let world = World::new();
    let token = world.admin().await;
    let mut mine = patient();
    mine["id"] = json!("mine");
    let absent = [("if-none-match", "*")];
    world.call("PUT", "/fhir/Patient/mine", &token, &absent, Some(mine.clone())).await.expect(201);
    world.call("PUT", "/fhir/Patient/mine", &token, &absent, Some(mine.clone())).await.expect(412);
    let unclear: [&[(&str, &str)]; 4] = [
        &[("if-none-match", "W/\"1\"")],
        &[("if-none-match", "\u{e9}")],
        &[("if-none-match", "*"), ("if-none-match", "*")],
        &[("if-none-match", "*"), ("if-match", "W/\"1\"")],
    ];
    for headers in unclear {
        world.call("PUT", "/fhir/Patient/mine", &token, headers, Some(mine.clone())).await.expect(400);
    }
    let twice = [("if-match", "W/\"1\""), ("if-match", "W/\"2\"")];
    world.call("PUT", "/fhir/Patient/mine", &token, &twice, Some(mine.clone())).await.expect(400);
    // Where nothing looks at it, a condition must not be passed over in silence.
    let plain = json!({"first_name": "Jane", "last_name": "Doe", "date_of_birth": "1985-05-15"});
    let writes = [
        ("POST", "/fhir/Patient", Some(patient())),
        ("DELETE", "/fhir/Patient/mine", None),
        ("POST", "/api/v1/patients", Some(plain.clone())),
        ("PUT", "/api/v1/patients/mine", Some(plain)),
        ("DELETE", "/api/v1/patients/mine", None),
    ];
    for (method, path, body) in writes {
        world.call(method, path, &token, &absent, body).await.expect(400);
    }
    world.call("DELETE", "/fhir/Patient/mine", &token, &[], None).await.expect(204);
    world.call("PUT", "/fhir/Patient/mine", &token, &absent, Some(mine)).await.expect(201);
}

#[tokio::test]
async fn wrong_resources_are_refused_with_every_fault() {
    let world = World::new();
    let token = world.admin().await;
    let wrong = json!({"resourceType": "Patient", "gender": "F", "birthDate": "1970-02-31", "colour": "red"});
    let outcome = world.post("/fhir/Patient", &token, wrong).await.expect(422).json();
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert!(outcome["issue"].as_array().unwrap().len() >= 3, "{outcome}");
    world.post("/fhir/Observation", &token, patient()).await.expect(400);
    world.post("/fhir/Nonsense", &token, json!({"resourceType": "Nonsense"})).await.expect(404);
    world.post("/fhir/Patient", &token, json!([])).await.expect(400);
    let csv = [("content-type", "text/csv")];
    world.call("POST", "/fhir/Patient", &token, &csv, Some(patient())).await.expect(415);
    world.get("/fhir/Nonsense/1", &token).await.expect(404);
    world.get("/fhir/Patient?_format=html", &token).await.expect(406);
    world.call("PATCH", "/fhir/Patient/1", &token, &[], None).await.expect(415);
    world.call("PUT", "/fhir/metadata", &token, &[], None).await.expect(405);
    let form = Request::post("/fhir/Patient/_search").header("authorization", format!("Bearer {token}"));
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    world.send(form.body(Body::from("family=Smith&_format=html")).unwrap()).await.expect(406);
    let dangling =
        json!({"resourceType": "Condition", "subject": {"reference": "Patient/nobody"}, "code": {"text": "x"}});
    world.post("/fhir/Condition", &token, dangling).await.expect(422);
}

#[tokio::test]
async fn searches_by_get_and_post_with_paging() {
    let world = World::new();
    let token = world.admin().await;
    for n in 1..=5 {
        let mut body = patient();
        body["name"][0]["given"] = json!([format!("Ann{n}")]);
        body["birthDate"] = json!(format!("1970-01-0{n}"));
        world.post("/fhir/Patient", &token, body).await.expect(201);
    }
    let found = world.get("/fhir/Patient?family=smith&birthdate=ge1970-01-03&_sort=birthdate&_count=2", &token).await;
    let bundle = found.expect(200).json();
    assert_eq!((&bundle["type"], &bundle["total"]), (&json!("searchset"), &json!(3)));
    assert_eq!(bundle["entry"][0]["resource"]["birthDate"], "1970-01-03");
    assert_eq!(bundle["entry"][0]["search"]["mode"], "match");
    assert!(bundle["link"][0]["url"].as_str().unwrap().contains("family=smith"));
    let next = bundle["link"][1]["url"].as_str().unwrap().strip_prefix(BASE).unwrap();
    let rest = world.get(next, &token).await.expect(200).json();
    assert_eq!(rest["entry"].as_array().unwrap().len(), 1);
    let form = Request::post("/fhir/Patient/_search?_count=1")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("given=Ann2"))
        .unwrap();
    let posted = world.send(form).await.expect(200).json();
    assert_eq!((&posted["total"], posted["entry"].as_array().unwrap().len()), (&json!(1), 1));
    let count = world.get("/fhir/Patient?_summary=count", &token).await.expect(200).json();
    assert_eq!((&count["total"], count.get("entry")), (&json!(5), None));
    let refused = world.get("/fhir/Patient?colour=red&_sort=hue", &token).await.expect(400).json();
    assert_eq!(refused["issue"].as_array().unwrap().len(), 2);
    let lenient = [("prefer", "handling=lenient")];
    let passed = world.call("GET", "/fhir/Patient?colour=red", &token, &lenient, None).await.expect(200).json();
    assert!(!passed["link"][0]["url"].as_str().unwrap().contains("colour"));
    let told = passed["entry"].as_array().unwrap().iter().find(|entry| entry["search"]["mode"] == "outcome").unwrap();
    let issue = &told["resource"]["issue"][0];
    assert!(issue["severity"] == "warning" && issue["diagnostics"].as_str().unwrap().contains("colour"), "{told}");
    let stolen = world.user("nora", Role::Nurse, None).await;
    world.get(next, &stolen).await.expect(400);
}

#[tokio::test]
async fn conditional_creates_and_bundles() {
    let world = World::new();
    let token = world.admin().await;
    let once = [("if-none-exist", "family=Smith")];
    let first = world.call("POST", "/fhir/Patient", &token, &once, Some(patient())).await.expect(201).json();
    let again = world.call("POST", "/fhir/Patient", &token, &once, Some(patient())).await.expect(200).json();
    assert_eq!(first["id"], again["id"]);

    let urn = "urn:uuid:6f6d2bd0-0b6c-4c8f-9d2b-3b1f4b9a1a01";
    let entry = |url: &str, resource: Value| json!({"resource": resource, "request": {"method": "POST", "url": url}});
    let mut made = entry("Patient", patient());
    made["fullUrl"] = json!(urn);
    let condition = json!({"resourceType": "Condition", "subject": {"reference": urn}, "code": {"text": "Asthma"}});
    let bundle =
        json!({"resourceType": "Bundle", "type": "transaction", "entry": [made, entry("Condition", condition)]});
    let answer = world.post("/fhir", &token, bundle.clone()).await.expect(200).json();
    assert_eq!(answer["type"], "transaction-response");
    assert_eq!(answer["entry"][1]["response"]["status"], "201 Created");
    let location = answer["entry"][1]["response"]["location"].as_str().unwrap().strip_prefix(BASE).unwrap();
    let stored = world.get(location, &token).await.expect(200).json();
    assert!(stored["subject"]["reference"].as_str().unwrap().starts_with("Patient/"));

    let mut broken = bundle;
    broken["entry"][1]["resource"]["colour"] = json!("red");
    let refused = world.post("/fhir/", &token, broken).await.expect(422).json();
    assert!(refused["issue"][0]["expression"][0].as_str().unwrap().starts_with("entry[1]"), "{refused}");
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": format!("Patient/{}", first["id"].as_str().unwrap())}},
        {"request": {"method": "GET", "url": "Patient/nobody"}},
        {"request": {"method": "GET", "url": "Patient?family=Smith"}},
        {"request": {"method": "GET", "url": "Patient?family=Smith&_count=1"}},
    ]});
    let answer = world.post("/fhir", &token, batch).await.expect(200).json();
    assert_eq!(answer["entry"][0]["resource"]["id"], first["id"]);
    assert_eq!(answer["entry"][1]["response"]["status"], "404 Not Found");
    assert_eq!(answer["entry"][2]["resource"]["total"], 2);
    let relations = |entry: usize| {
        let links = answer["entry"][entry]["resource"]["link"].as_array().unwrap();
        links.iter().map(|link| link["relation"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((relations(2), relations(3)), (vec!["self"], vec!["self", "next"]));
    let next = answer["entry"][3]["resource"]["link"][1]["url"].as_str().unwrap().strip_prefix(BASE).unwrap();
    assert_eq!(world.get(next, &token).await.expect(200).json()["entry"].as_array().unwrap().len(), 1);
    world.post("/fhir", &token, patient()).await.expect(400);
}

#[tokio::test]
async fn the_capability_statement_is_a_valid_one() {
    let world = World::new();
    let statement = world.get("/fhir/metadata", "").await.expect(200).json();
    let bytes = serde_json::to_vec(&statement).unwrap();
    let resource = iris_fhir::Resource::parse(bytes).unwrap();
    assert_eq!(iris_fhir::validate(&resource), []);
    let types = statement["rest"][0]["resource"].as_array().unwrap();
    assert_eq!(types.len(), iris_fhir::definitions().kinds().len());
    let codes: Vec<&str> =
        types[0]["interaction"].as_array().unwrap().iter().map(|i| i["code"].as_str().unwrap()).collect();
    for code in ["read", "vread", "update", "delete", "history-instance", "create", "search-type"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    world.get("/fhir/metadata?mode=full", "").await.expect(200);
    for mode in ["normative", "terminology", "other"] {
        let refused = world.get(&format!("/fhir/metadata?mode={mode}"), "").await.expect(400).json();
        assert!(refused["issue"][0]["diagnostics"].as_str().unwrap().contains("mode"), "{refused}");
    }
}

/// Whoever is told that a reference is wrong does not come back with it; whoever is told to come back does.
#[tokio::test]
async fn an_index_that_is_away_is_no_fault_of_a_reference() {
    let world = World::new();
    let admin = world.admin().await;
    let entry = |resource: Value| json!({"resource": resource, "request": {"method": "POST", "url": "Observation"}});
    let observation = |subject: &str| json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": subject}});
    let (wrong, conditional) = (observation("Patient/absent"), observation("Patient?identifier=urn:x|1"));
    let bundle = |kind: &str| {
        json!({"resourceType": "Bundle", "type": kind,
            "entry": [entry(wrong.clone()), entry(conditional.clone())]})
    };
    world.post("/fhir", &admin, bundle("transaction")).await.expect(422);
    world.app.index.close();
    let reply = world.post("/fhir", &admin, bundle("transaction")).await.expect(503);
    assert_eq!(reply.header("retry-after"), "2");
    assert_eq!(reply.json()["issue"][0]["code"], "transient");
    let batch = world.post("/fhir", &admin, bundle("batch")).await.expect(200).json();
    assert!(batch["entry"][0]["response"]["status"].as_str().unwrap().starts_with("422"), "{batch}");
    assert!(batch["entry"][1]["response"]["status"].as_str().unwrap().starts_with("503"), "{batch}");
}
