//! Searches over several types and within compartments, and a patient's whole record.

use axum::body::Body;
use axum::http::Request;
use iris_access::Role;
use serde_json::{Value, json};

use super::{BASE, Reply, World};
use crate::app::GATHERINGS_MAX;

/// A patient with two observations and a condition, and another patient with one of each.
async fn filled(world: &World, token: &str) -> String {
    let mut first = String::new();
    for family in ["Alpha", "Beta"] {
        let patient = json!({"resourceType": "Patient", "name": [{"family": family}]});
        let made = world.post("/fhir/Patient", token, patient).await.expect(201).json();
        let id = made["id"].as_str().unwrap().to_owned();
        let subject = json!({"reference": format!("Patient/{id}")});
        let observation =
            json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject});
        let condition = json!({"resourceType": "Condition", "code": {"text": "x"}, "subject": subject});
        world.post("/fhir/Observation", token, observation.clone()).await.expect(201);
        world.post("/fhir/Condition", token, condition).await.expect(201);
        if first.is_empty() {
            world.post("/fhir/Observation", token, observation).await.expect(201);
            first = id;
        }
    }
    first
}

fn types(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let mut types: Vec<String> =
        entries.iter().map(|entry| entry["resource"]["resourceType"].as_str().unwrap().to_owned()).collect();
    types.sort_unstable();
    types
}

async fn form(world: &World, path: &str, token: &str, body: &str) -> Reply {
    let request = Request::post(path).header("authorization", format!("Bearer {token}"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn several_types_are_searched_at_once_and_in_pages() {
    let world = World::new();
    let token = world.admin().await;
    filled(&world, &token).await;
    let all = world.get("/fhir?_type=Observation,Condition", &token).await.expect(200).json();
    assert_eq!(types(&all), ["Condition", "Condition", "Observation", "Observation", "Observation"]);
    assert_eq!(all["total"], 5);
    let posted = form(&world, "/fhir/_search", &token, "_type=Patient&_count=50").await.expect(200).json();
    assert_eq!(types(&posted), ["Patient", "Patient"]);
    let mut path = "/fhir?_type=Observation,Condition&_count=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = world.get(&path, &token).await.expect(200).json();
        seen.extend(types(&page));
        let next = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").cloned();
        let Some(next) = next else { break };
        path = next["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
    }
    assert_eq!(seen.len(), 5);
    world.get("/fhir?_type=Nonsense", &token).await.expect(400);
    world.get("/fhir?_type=Patient&subject=x", &token).await.expect(400);
    // Of what may not be searched by name, that is said; of everything, it is left out.
    let clerk = world.user("frank", Role::FinancialAdmin, None).await;
    world.get("/fhir?_type=Observation", &clerk).await.expect(403);
}

#[tokio::test]
async fn within_a_compartment_there_is_only_what_is_of_it() {
    let world = World::new();
    let token = world.admin().await;
    let id = filled(&world, &token).await;
    let path = format!("/fhir/Patient/{id}");
    let some = world.get(&format!("{path}/Observation"), &token).await.expect(200).json();
    assert_eq!(types(&some), ["Observation", "Observation"]);
    assert!(some["link"][0]["url"].as_str().unwrap().starts_with(&format!("{BASE}{path}/Observation")));
    let posted = form(&world, &format!("{path}/Observation/_search"), &token, "status=final&_count=1").await;
    assert_eq!((types(&posted.json()).len(), &posted.json()["total"]), (1, &json!(2)));
    let all = world.get(&format!("{path}/*?_count=50"), &token).await.expect(200).json();
    assert_eq!(types(&all), ["Condition", "Observation", "Observation", "Patient"]);
    let part = world.get(&format!("{path}/Observation?_elements=effective"), &token).await.expect(200).json();
    assert_eq!(part["entry"][0]["resource"]["meta"]["tag"][0]["code"], "SUBSETTED");
    world.get(&format!("{path}/Medication"), &token).await.expect(404);
    world.get(&format!("{path}/Nonsense"), &token).await.expect(404);
    world.get(&format!("/fhir/Medication/{id}/Observation"), &token).await.expect(404);
    let nobody = world.get("/fhir/Patient/nobody/Observation", &token).await.expect(200).json();
    assert_eq!(types(&nobody), [""; 0]);
}

#[tokio::test]
async fn what_is_included_is_told_apart_and_what_was_passed_over_is_told() {
    let world = World::new();
    let token = world.admin().await;
    let id = filled(&world, &token).await;
    let path = format!("/fhir/Observation?subject=Patient/{id}&_include=Observation:subject&_elements=status");
    let found = world.get(&path, &token).await.expect(200).json();
    let entries = found["entry"].as_array().unwrap();
    let modes: Vec<&str> = entries.iter().map(|entry| entry["search"]["mode"].as_str().unwrap()).collect();
    assert_eq!((modes, &found["total"]), (vec!["match", "match", "include"], &json!(2)));
    // What comes along stays whole, as the elements are those of the type that is searched.
    assert_eq!(entries[2]["resource"]["name"][0]["family"], "Alpha");
    assert_eq!(entries[0]["resource"]["meta"]["tag"][0]["code"], "SUBSETTED");
}

#[tokio::test]
async fn everything_of_a_patient_comes_in_pages_with_what_it_refers_to() {
    let world = World::new();
    let token = world.admin().await;
    let id = filled(&world, &token).await;
    let path = format!("/fhir/Patient/{id}/$everything");
    let all = world.get(&path, &token).await.expect(200).json();
    assert_eq!(types(&all), ["Condition", "Observation", "Observation", "Patient"]);
    let parameter = json!({"name": "_type", "valueString": "Condition"});
    let some = world.post(&path, &token, json!({"resourceType": "Parameters", "parameter": [parameter]})).await;
    assert_eq!(types(&some.expect(200).json()), ["Condition"]);
    let wrong = json!({"name": "colour", "valueString": "red"});
    world.post(&path, &token, json!({"resourceType": "Parameters", "parameter": [wrong]})).await.expect(400);
    let page = world.get(&format!("{path}?_count=2"), &token).await.expect(200).json();
    let next = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").unwrap();
    let rest = world.get(next["url"].as_str().unwrap().strip_prefix(BASE).unwrap(), &token).await.expect(200).json();
    assert_eq!(types(&page).len() + types(&rest).len(), 4);
    world.get("/fhir/Patient/nobody/$everything", &token).await.expect(404);
    world.get("/fhir/Observation/x/$everything", &token).await.expect(404);
    world.get(&format!("{path}?colour=red"), &token).await.expect(400);
}

/// Each page may walk through all of a record: the rest of the server must not wait for those who ask for many.
#[tokio::test]
async fn only_so_many_gather_whole_records_at_once() {
    let world = World::new();
    let token = world.admin().await;
    let id = filled(&world, &token).await;
    let path = format!("/fhir/Patient/{id}/$everything");
    let held = world.app.gatherings.clone().acquire_many_owned(u32::try_from(GATHERINGS_MAX).unwrap()).await.unwrap();
    let refused = world.get(&path, &token).await.expect(503);
    assert!(refused.headers.contains_key("retry-after"));
    world.get(&format!("/fhir/Patient/{id}"), &token).await.expect(200);
    drop(held);
    world.get(&path, &token).await.expect(200);
}

#[tokio::test]
async fn validate_says_what_is_wrong_and_stores_nothing() {
    let world = World::new();
    let token = world.admin().await;
    let id = filled(&world, &token).await;
    let severities = |outcome: &Value| -> Vec<String> {
        let issues = outcome["issue"].as_array().unwrap();
        issues.iter().map(|issue| issue["severity"].as_str().unwrap().to_owned()).collect()
    };
    let wrong = json!({"resourceType": "Patient", "gender": "F"});
    let told = world.post("/fhir/Patient/$validate", &token, wrong.clone()).await.expect(200).json();
    assert_eq!(told["issue"][0]["severity"], "error");
    assert_eq!(told["issue"][0]["expression"][0], "Patient.gender");
    let resource = json!({"name": "resource", "resource": wrong});
    let mode = json!({"name": "mode", "valueCode": "create"});
    let wrapped = json!({"resourceType": "Parameters", "parameter": [resource, mode]});
    let told = world.post("/fhir/Patient/$validate", &token, wrapped).await.expect(200).json();
    assert!(severities(&told).contains(&"error".to_owned()));
    let stored = world.get(&format!("/fhir/Patient/{id}/$validate"), &token).await.expect(200).json();
    assert!(!severities(&stored).contains(&"error".to_owned()), "{stored}");
    let other = json!({"resourceType": "Patient", "id": "other"});
    let told = world.post(&format!("/fhir/Patient/{id}/$validate?mode=update"), &token, other).await.expect(200).json();
    assert!(severities(&told).contains(&"error".to_owned()), "{told}");
    world.get("/fhir/Patient/nobody/$validate", &token).await.expect(404);
    world.post("/fhir/Patient/$validate?mode=profile", &token, wrong).await.expect(400);
    let count = world.get("/fhir/Patient?_summary=count", &token).await.expect(200).json();
    assert_eq!(count["total"], 2);
}
