//! National identifiers: in full for those who need them, under a mask for all others, and no way to find out what is under it.

use iris_access::Role;
use serde_json::{Value, json};

use super::{Reply, World};

const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";
/// Two numbers whose masks are the same.
const REAL: [&str; 2] = ["123-45-6789", "987-65-6789"];
const MASK: &str = "***-**-6789";

fn licence(number: &str) -> Value {
    json!({"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "DL"}]}, "value": number})
}

fn identifiers(ssn: &str) -> Value {
    let rendered = json!({"url": "http://hl7.org/fhir/StructureDefinition/rendered-value", "valueString": ssn});
    json!([{"system": SSN, "value": ssn, "_value": {"extension": [rendered]},
        "extension": [{"url": "https://example.org/in-other-words", "valueString": ssn}]}, licence(&format!("DL{ssn}")), {"system": "urn:house", "value": "H1"}])
}

/// Everything that can carry a number, and people who may be of one person.
fn records(ssn: &str, twin: &str) -> Vec<(&'static str, Value)> {
    let person = |kind: &str, id: &str, ssn: &str| {
        json!({"resourceType": kind, "id": id, "identifier": identifiers(ssn), "name": [{"family": "Garcia", "given": ["Maria"]}],
            "birthDate": "1987-04-12",
            "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{ssn}</div>")}})
    };
    let mut relative = person("RelatedPerson", "r1", ssn);
    relative["patient"] = json!({"reference": "Patient/p1"});
    let mut other = person("Patient", "p3", ssn);
    other["name"] = json!([{"family": "Okafor", "given": ["Chidi"]}]);
    other["birthDate"] = json!("1960-01-30");
    vec![
        ("Patient/p1", person("Patient", "p1", ssn)),
        ("Patient/p2", person("Patient", "p2", twin)),
        ("Patient/p3", other),
        ("Person/e1", person("Person", "e1", ssn)),
        ("Practitioner/d1", person("Practitioner", "d1", ssn)),
        ("RelatedPerson/r1", relative),
        (
            "Observation/o1",
            json!({"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "weight"},
                "subject": {"reference": "Patient/p1", "identifier": {"system": SSN, "value": ssn}},
                "contained": [{"resourceType": "Patient", "id": "c", "identifier": identifiers(ssn)}],
                "focus": [{"reference": "#c"}], "valueQuantity": {"value": 71.25}}),
        ),
    ]
}

async fn world(ssn: &str, twin: &str) -> (World, String) {
    let world = World::new();
    let admin = world.admin().await;
    for (path, record) in records(ssn, twin) {
        world.put(&format!("/fhir/{path}"), &admin, record).await.expect(201);
    }
    (world, admin)
}

#[tokio::test]
async fn who_needs_no_number_sees_a_mask_in_both_dialects_and_on_every_way_out() {
    let (world, admin) = world(REAL[0], REAL[0]).await;
    let nurse = world.user("nina", Role::Nurse, None).await;
    let registrar = world.user("rosa", Role::Registrar, None).await;
    let seen = world.get("/fhir/Patient/p1", &nurse).await.expect(200);
    let shown = seen.json();
    assert_eq!(shown["identifier"][0], json!({"system": SSN, "value": MASK}));
    assert_eq!(shown["identifier"][1]["value"], "***6789");
    assert_eq!(shown["identifier"][2]["value"], "H1");
    assert_eq!(shown["meta"]["security"][0]["code"], "MASKED");
    assert_eq!(shown["meta"]["tag"][0]["code"], "SUBSETTED");
    assert!(shown.get("text").is_none(), "a narrative may say the number once more");
    for token in [&admin, &registrar] {
        let whole = world.get("/fhir/Patient/p1", token).await.expect(200);
        assert_eq!(whole.json()["identifier"][0]["value"], REAL[0]);
        assert!(whole.json()["meta"].get("security").is_none() && whole.json().get("text").is_some());
        assert_eq!(whole.header("etag"), seen.header("etag"), "a mask makes no other version");
    }
    assert_eq!(world.get("/api/v1/patients/p1", &nurse).await.expect(200).json()["ssn"], MASK);
    assert_eq!(world.get("/api/v1/patients/p1", &registrar).await.expect(200).json()["ssn"], REAL[0]);
    let observation = world.get("/fhir/Observation/o1", &nurse).await.expect(200).json();
    assert_eq!(observation["subject"]["identifier"]["value"], MASK);
    assert_eq!(observation["valueQuantity"]["value"], 71.25, "all else stays");
    for path in [
        "/fhir/Patient/p1",
        "/fhir/Patient/p1/_history",
        "/fhir/Patient/p1/_history/1",
        "/fhir/Patient?name=garcia",
        "/fhir/Person/e1",
        "/fhir/Person?name=garcia",
        "/fhir/Practitioner/d1",
        "/fhir/Practitioner/d1/_history",
        "/fhir/RelatedPerson/r1",
        "/fhir/RelatedPerson?patient=p1",
        "/fhir/Observation/o1",
        "/fhir/Observation?subject=p1",
        "/api/v1/patients",
        "/api/v1/patients/p1",
        "/api/v1/patients/search?q=garcia",
        "/api/v1/patients/p1/summary",
        "/api/v1/patients/p1/timeline",
        "/api/v1/patients/p1/duplicates",
    ] {
        let reply = world.get(path, &nurse).await.expect(200);
        no_number(path, &reply);
    }
}

#[track_caller]
fn no_number(what: &str, reply: &Reply) {
    let text = String::from_utf8_lossy(&reply.body);
    for number in REAL.iter().flat_map(|number| [(*number).to_owned(), number.replace('-', "")]) {
        assert!(!text.contains(&number), "{what}: {text}");
    }
}

#[tokio::test]
async fn patients_see_their_own_number() {
    let (world, _) = world(REAL[0], REAL[0]).await;
    let own = world.user("maria", Role::Patient, Some("p1")).await;
    assert_eq!(world.get("/api/v1/patients/p1", &own).await.expect(200).json()["ssn"], REAL[0]);
    assert_eq!(world.get("/fhir/Patient/p1", &own).await.expect(200).json()["identifier"][0]["value"], REAL[0]);
    world.get("/fhir/Patient/p2", &own).await.expect(404);
}

#[tokio::test]
async fn what_a_write_answers_is_masked_too() {
    let (world, _) = world(REAL[0], REAL[0]).await;
    let nurse = world.user("nina", Role::Nurse, None).await;
    let made = json!({"first_name": "Ann", "last_name": "Lee", "date_of_birth": "1990-01-01", "ssn": REAL[1]});
    let made = world.post("/api/v1/patients", &nurse, made).await.expect(201).json();
    assert_eq!(made["ssn"], MASK);
    let path = format!("/api/v1/patients/{}", made["id"].as_str().unwrap());
    let changed = world.put(&path, &nurse, json!({"ssn": REAL[0]})).await.expect(200);
    no_number("a change", &changed);
    let patient = json!({"resourceType": "Patient", "identifier": identifiers(REAL[1])});
    let reply = world.post("/fhir/Patient", &nurse, patient.clone()).await.expect(201);
    no_number("a create", &reply);
    assert_eq!(reply.json()["meta"]["tag"][0]["code"], "SUBSETTED");
    for kind in ["batch", "transaction"] {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [
            {"resource": patient, "request": {"method": "POST", "url": "Patient"}}]});
        let headers = [("prefer", "return=representation")];
        let reply = world.call("POST", "/fhir", &nurse, &headers, Some(bundle)).await.expect(200);
        assert_eq!(reply.json()["entry"][0]["resource"]["identifier"][0]["value"], MASK, "{kind}");
        no_number(kind, &reply);
    }
    let headers = [("if-none-exist", "identifier=urn:house|H1&_id=p1")];
    let found = json!({"resourceType": "Patient", "name": [{"family": "X"}]});
    let reply = world.call("POST", "/fhir/Patient", &nurse, &headers, Some(found)).await.expect(200);
    assert_eq!(reply.json()["identifier"][0]["value"], MASK);
    no_number("a conditional create that found", &reply);
}

#[tokio::test]
async fn a_mask_never_takes_the_place_of_the_number() {
    let (world, admin) = world(REAL[0], REAL[0]).await;
    let nurse = world.user("nina", Role::Nurse, None).await;
    let faults = world.put("/api/v1/patients/p1", &nurse, json!({"ssn": MASK})).await.expect(422).json();
    assert!(faults["details"].to_string().contains("/ssn") || faults.to_string().contains("/ssn"), "{faults}");
    world
        .post(
            "/api/v1/patients",
            &nurse,
            json!({"first_name": "A", "last_name": "B", "date_of_birth": "1990", "ssn": MASK}),
        )
        .await
        .expect(422);
    let copy = world.get("/fhir/Patient/p1", &nurse).await.json();
    let refused = world.put("/fhir/Patient/p1", &nurse, copy.clone()).await.expect(422).json();
    assert!(refused.to_string().contains("meta.security[0]"), "{refused}");
    let mut unlabelled = copy.clone();
    unlabelled.as_object_mut().unwrap().remove("meta");
    for token in [&nurse, &admin] {
        let refused = world.put("/fhir/Patient/p1", token, unlabelled.clone()).await.expect(422).json();
        assert!(refused.to_string().contains("identifier") && refused.to_string().contains("masked"), "{refused}");
    }
    for kind in ["batch", "transaction"] {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [
            {"resource": unlabelled, "request": {"method": "PUT", "url": "Patient/p1"}}]});
        assert!(String::from_utf8_lossy(&world.post("/fhir", &nurse, bundle).await.body).contains("masked"), "{kind}");
    }
    let number = || async { world.get("/fhir/Patient/p1", &admin).await.json()["identifier"].to_string() };
    let before = number().await;
    assert!(before.contains(REAL[0]));
    // What the plain dialect does not name stays.
    world.put("/api/v1/patients/p1", &nurse, json!({"phone": "555 0100", "first_name": "Mary"})).await.expect(200);
    assert_eq!(number().await, before);
    // A copy without what is masked takes nothing away.
    let mut rest = unlabelled.clone();
    rest["identifier"] = json!([{"system": "urn:house", "value": "H2"}]);
    let reply = world.put("/fhir/Patient/p1", &nurse, rest.clone()).await.expect(200);
    no_number("a replacement", &reply);
    let after = number().await;
    assert!(after.contains(REAL[0]) && after.contains(&format!("DL{}", REAL[0])) && after.contains("H2"), "{after}");
    rest.as_object_mut().unwrap().remove("identifier");
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": rest, "request": {"method": "PUT", "url": "Patient/p1"}}]});
    world.post("/fhir", &nurse, bundle).await.expect(200);
    let after = number().await;
    assert!(after.contains(REAL[0]) && !after.contains("H2"), "{after}");
    // A new number is a new number, and who sees it may take it away.
    world.put("/api/v1/patients/p1", &nurse, json!({"ssn": REAL[1]})).await.expect(200);
    assert!(number().await.contains(REAL[1]));
    world.put("/fhir/Patient/p1", &admin, rest).await.expect(200);
    assert_eq!(number().await, "null");
}

#[tokio::test]
async fn a_search_by_name_of_a_system_is_refused_and_written_down() {
    let (world, admin) = world(REAL[0], REAL[0]).await;
    let nurse = world.user("nina", Role::Nurse, None).await;
    for path in [
        "/api/v1/patients?ssn=123-45-6789".to_owned(),
        "/api/v1/patients/search?ssn=123456789".to_owned(),
        "/api/v1/patients/search?q=garcia&ssn=123456789".to_owned(),
        format!("/fhir/Patient?identifier={SSN}%7C{}", REAL[0]),
        format!("/fhir/Patient?identifier={SSN}%7C"),
        format!("/fhir/Practitioner?identifier=urn:house%7CH1,{SSN}%7C1"),
    ] {
        let refused = world.get(&path, &nurse).await.expect(403);
        assert!(String::from_utf8_lossy(&refused.body).contains("healthcare:identifiers"), "{path}");
        let found = world.get(&path, &admin).await.expect(200).json();
        assert!(found.to_string().contains("p1") || found.to_string().contains("d1"), "{path}");
    }
    let denied = world.get("/api/v1/audit/logs?action=phi.denied", &admin).await.expect(200).json();
    assert!(denied.to_string().contains("healthcare:identifiers"), "{denied}");
}

#[tokio::test]
async fn the_log_tells_which_classes_of_data_were_shown() {
    let (world, admin) = world(REAL[0], REAL[0]).await;
    let nurse = world.user("nina", Role::Nurse, None).await;
    let registrar = world.user("rosa", Role::Registrar, None).await;
    for (token, fields) in [(&nurse, json!(["PII", "sensitive (masked)"])), (&registrar, json!(["PII", "sensitive"]))] {
        world.get("/fhir/Person/e1", token).await.expect(200);
        let log = world.get("/api/v1/audit/logs?action=phi.read&limit=1", &admin).await.expect(200).json();
        assert_eq!(log["items"][0]["fields"], fields, "{log}");
    }
}

/// A method, a path and a body.
type Question = (&'static str, String, Value);

fn get(path: String) -> Question {
    ("GET", path, Value::Null)
}

/// Everything that somebody may ask who wants to know whether a patient has this number.
fn questions(probe: &str) -> Vec<Question> {
    let mut asked = Vec::new();
    for number in [probe, &probe.replace('-', "")] {
        let plain = ["ssn", "q", "medical_record_number", "q=garcia&medical_record_number", "name=garcia&ssn", "phone"];
        asked.extend(plain.iter().map(|filter| get(format!("/api/v1/patients/search?{filter}={number}"))));
        asked.push(get(format!("/api/v1/patients/search?q=maria%20garcia%20{number}")));
        asked.push(get(format!("/api/v1/patients/search?q=DL{number}")));
        asked.push(get(format!("/api/v1/patients?ssn={number}&total=true")));
        asked.extend(searches(number));
        asked.extend(comparisons(probe, number));
        asked.extend(bundles(number));
    }
    for path in
        ["/fhir/Patient/p1", "/fhir/Patient/p1/_history", "/api/v1/patients/p1", "/api/v1/patients/p1/duplicates"]
    {
        asked.push(get(path.to_owned()));
    }
    asked.push(get("/api/v1/patients/p3/duplicates".to_owned()));
    asked
}

fn searches(number: &str) -> Vec<Question> {
    let of_persons = [
        format!("identifier={number}"),
        format!("identifier={SSN}%7C{number}"),
        format!("identifier=%7C{number}"),
        format!("identifier=DL{number}"),
        format!("identifier=%7CDL{number}"),
        format!("identifier=nobody,{number}&_summary=count"),
        format!("identifier={number}&_total=accurate&_count=1&_sort=_lastUpdated"),
        format!("identifier:not={number}"),
        format!("identifier:exact={number}"),
        format!("identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203%7CDL%7CDL{number}"),
        format!("_filter=identifier%20eq%20{number}"),
        format!("_content={number}"),
        format!("_text={number}"),
        format!("name={number}"),
        format!("_has:Observation:patient:identifier={number}"),
        "_sort=identifier".to_owned(),
    ];
    let of_observations = [
        format!("subject:identifier={SSN}%7C{number}"),
        format!("subject.identifier={number}"),
        format!("subject:Patient.identifier={number}"),
        format!("patient.identifier={number}"),
        format!("subject={number}"),
    ];
    let kinds = ["Patient", "Person", "Practitioner", "RelatedPerson"];
    let persons = kinds.iter().flat_map(|kind| of_persons.iter().map(move |asked| format!("/fhir/{kind}?{asked}")));
    persons.chain(of_observations.iter().map(|asked| format!("/fhir/Observation?{asked}"))).map(get).collect()
}

fn comparisons(probe: &str, number: &str) -> Vec<Question> {
    let path = || "/api/v1/patients/duplicates".to_owned();
    let whole = json!({"ssn": probe, "last_name": "Garcia", "first_name": "Maria", "date_of_birth": "1987-04-12"});
    vec![
        ("POST", path(), json!({"ssn": probe})),
        ("POST", path(), whole),
        ("POST", path(), json!({"medical_record_number": number, "last_name": "X"})),
    ]
}

/// Searches in a batch, and references by criteria, which are resolved or not.
fn bundles(number: &str) -> Vec<Question> {
    let criteria = [format!("Patient?identifier={number}"), format!("Patient?identifier={SSN}|{number}")];
    let entry = |url: &str| json!({"request": {"method": "GET", "url": url}});
    let entries = [entry(&criteria[0]), entry(&criteria[1]), entry("Patient/p1")];
    let mut asked =
        vec![("POST", "/fhir".to_owned(), json!({"resourceType": "Bundle", "type": "batch", "entry": entries}))];
    for criteria in criteria {
        let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": criteria}});
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
            {"resource": observation, "request": {"method": "POST", "url": "Observation"}}]});
        asked.push(("POST", "/fhir".to_owned(), bundle));
    }
    asked
}

/// Asks for a record to be made unless there is one with these criteria: it is made in either world, or refused in either.
async fn conditional(world: &World, token: &str, criteria: &str) -> (u16, Value) {
    let headers = [("if-none-exist", criteria), ("prefer", "return=representation")];
    let body = json!({"resourceType": "Patient", "name": [{"family": "New"}]});
    let reply = world.call("POST", "/fhir/Patient", token, &headers, Some(body)).await;
    (reply.status.as_u16(), reply.json()["name"].clone())
}

/// A reply without what no two worlds share: the ids of requests and of accounts.
fn told(reply: &Reply) -> (u16, String, String) {
    fn without(json: &mut Value) {
        match json {
            Value::Object(object) => {
                object.retain(|name, _| !["correlation_id", "created_by", "updated_by"].contains(&name.as_str()));
                object.values_mut().for_each(without);
            }
            Value::Array(items) => items.iter_mut().for_each(without),
            _ => {}
        }
    }
    let mut body = String::from_utf8_lossy(&reply.body).into_owned();
    if let Ok(mut json) = serde_json::from_str::<Value>(&body) {
        without(&mut json);
        body = json.to_string();
    }
    (reply.status.as_u16(), reply.header("etag").to_owned(), body)
}

/// Attack: somebody who sees masks tries numbers until an answer is another one. Two worlds that differ in nothing but numbers
/// under the same masks answer every question alike.
#[tokio::test]
async fn two_worlds_that_differ_in_numbers_only_cannot_be_told_apart() {
    let (one, one_admin) = world(REAL[0], REAL[0]).await;
    let (other, other_admin) = world(REAL[1], REAL[0]).await;
    let tokens = [one.user("nina", Role::Nurse, None).await, other.user("nina", Role::Nurse, None).await];
    let mut count = 0;
    for (method, path, body) in REAL.iter().flat_map(|probe| questions(probe)) {
        let body = Some(body).filter(|body| !body.is_null());
        let answers = [
            one.call(method, &path, &tokens[0], &[], body.clone()).await,
            other.call(method, &path, &tokens[1], &[], body.clone()).await,
        ];
        assert_eq!(told(&answers[0]), told(&answers[1]), "{method} {path} {body:?}");
        // What the caller has sent may come back; what it did not know may not.
        if !answers[0].status.is_client_error() && !path.contains("6789") && body.is_none() {
            no_number(&path, &answers[0]);
        }
        count += 1;
    }
    assert!(count > 300, "{count}");
    for probe in REAL {
        for criteria in [format!("identifier={probe}"), format!("identifier={SSN}|{probe}")] {
            let answers =
                [conditional(&one, &tokens[0], &criteria).await, conditional(&other, &tokens[1], &criteria).await];
            assert_eq!(answers[0], answers[1], "{criteria}");
        }
    }
    // The worlds do differ, for those who may see it.
    let path = format!("/fhir/Patient?identifier={}&_summary=count", REAL[1]);
    let totals = [
        one.get(&path, &one_admin).await.json()["total"].clone(),
        other.get(&path, &other_admin).await.json()["total"].clone(),
    ];
    assert_ne!(totals[0], totals[1]);
    let path = "/api/v1/patients/p1/duplicates";
    let reasons = |reply: Reply| reply.json()["items"][0]["reasons"].to_string();
    assert!(reasons(one.get(path, &one_admin).await).contains("same_ssn"));
    assert!(!reasons(other.get(path, &other_admin).await).contains("same_ssn"));
    assert!(!reasons(one.get(path, &tokens[0]).await).contains("ssn"));
}

#[tokio::test]
async fn who_may_not_search_by_a_number_is_told_that_it_was_not_compared() {
    let (world, admin) = world(REAL[0], REAL[0]).await;
    let nurse = world.user("nina", Role::Nurse, None).await;
    let fields = json!({"ssn": REAL[0], "last_name": "Okafor"});
    let told = world.post("/api/v1/patients/duplicates", &nurse, fields.clone()).await.expect(200).json();
    assert_eq!(told["not_compared"], json!(["ssn"]));
    let told = world.post("/api/v1/patients/duplicates", &admin, fields).await.expect(200).json();
    assert!(told.get("not_compared").is_none() && told.to_string().contains("same_ssn"), "{told}");
}
