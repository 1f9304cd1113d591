//! Records with security labels: who may not see one learns on no path that it is there.

use iris_access::Role;
use iris_resources::{Policy, ReferencePolicy};
use serde_json::{Value, json};

use super::{Reply, World};

const FHIR: (&str, &str) = ("content-type", "application/fhir+json");
const ABSENT: &str = "00000000-0000-4000-8000-000000000000";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

fn observation(patient: &str, label: Option<(&str, &str)>) -> Value {
    let mut body = json!({"resourceType": "Observation", "status": "final", "code": {"text": "canary"},
        "subject": {"reference": format!("Patient/{patient}")}});
    if let Some((system, code)) = label {
        body["meta"] = json!({"security": [{"system": system, "code": code}]});
    }
    body
}

async fn made(world: &World, token: &str, body: Value) -> String {
    let path = format!("/fhir/{}", body["resourceType"].as_str().unwrap());
    world.post(&path, token, body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
}

/// What an answer tells, with the id that was asked for left out.
fn told(reply: &Reply, id: &str) -> (u16, Vec<(String, String)>, String) {
    let own = ["x-correlation-id", "x-request-id", "date", "retry-after"];
    let headers = reply.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().replace(id, "ID"))).collect();
    let body = match serde_json::from_slice::<Value>(&reply.body) {
        Ok(mut body) => {
            body.as_object_mut().map(|body| body.remove("correlation_id"));
            body.to_string()
        }
        Err(_) => String::from_utf8_lossy(&reply.body).into_owned(),
    };
    (reply.status.as_u16(), headers, body.replace(id, "ID"))
}

#[tokio::test]
async fn each_role_sees_the_labels_that_its_permissions_open_and_totals_count_no_others() {
    let world = World::new();
    let admin = world.admin().await;
    let patient = world.patient(&admin, "Ann", "Abbott").await;
    let labels = [None, Some((CONFIDENTIALITY, "N")), Some((CONFIDENTIALITY, "R")), Some((ACT_CODE, "HIV"))];
    for label in labels.into_iter().chain([Some((ACT_CODE, "CELEBRITY")), Some((CONFIDENTIALITY, "V"))]) {
        made(&world, &admin, observation(&patient, label)).await;
    }
    let nurse = world.user("joy", Role::Nurse, None).await;
    let physician = world.user("gray", Role::Physician, None).await;
    let own = world.user("ann", Role::Patient, Some(&patient)).await;
    for (token, seen) in [(&admin, 6), (&physician, 5), (&nurse, 2), (&own, 5)] {
        for path in ["/fhir/Observation?_summary=count", "/fhir/Observation?_total=accurate&_count=1"] {
            assert_eq!(world.get(path, token).await.expect(200).json()["total"], seen, "{path}");
        }
        let page = world.get("/fhir/Observation", token).await.expect(200).json();
        assert_eq!(page["entry"].as_array().unwrap().len(), seen);
    }
    let hiv = format!("/fhir/Observation?_security={ACT_CODE}|HIV&_total=accurate");
    for (token, seen) in [(&physician, 1), (&nurse, 0)] {
        assert_eq!(
            world.get(&hiv, token).await.expect(200).json()["total"],
            seen,
            "nobody searches by what they do not see"
        );
    }
}

/// The matrix asks for hidden records by themselves; here a bundle puts one, and refers to one.
#[tokio::test]
async fn a_hidden_record_is_answered_like_an_absent_one_in_bundles() {
    let world = World::new();
    let admin = world.admin().await;
    let patient = world.patient(&admin, "Ann", "Abbott").await;
    let hidden = made(&world, &admin, observation(&patient, Some((CONFIDENTIALITY, "R")))).await;
    let nurse = world.user("joy", Role::Nurse, None).await;
    let with_id = |id: &str| {
        let mut body = observation(&patient, None);
        body["id"] = json!(id);
        body
    };
    let report = |id: &str| {
        json!({"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"},
            "subject": {"reference": format!("Patient/{patient}")}, "result": [{"reference": format!("Observation/{id}")}]})
    };
    let put =
        |id: &str| json!({"resource": with_id(id), "request": {"method": "PUT", "url": format!("Observation/{id}")}});
    let post = |id: &str| json!({"resource": report(id), "request": {"method": "POST", "url": "DiagnosticReport"}});
    let bundle = |entry: Value| json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
    let ways: [&dyn Fn(&str) -> Value; 2] = [&put, &post];
    for way in ways {
        let mut both = Vec::new();
        for id in [hidden.as_str(), ABSENT] {
            let reply = world.post("/fhir", &nurse, bundle(way(id))).await;
            assert!(!String::from_utf8_lossy(&reply.body).contains("canary"), "{}", way("ID"));
            both.push(told(&reply, id));
        }
        assert_eq!(both[0], both[1], "{}", way("ID"));
    }
    world.get(&format!("/fhir/Observation/{hidden}"), &admin).await.expect(200);
}

/// A reference that nobody checked, to a guessed id; then a patch of what holds it: would it fail only where something is hidden?
#[tokio::test]
async fn a_patch_does_not_tell_whether_what_the_record_refers_to_is_hidden_or_absent() {
    let world = World::new();
    let admin = world.admin().await;
    let patient = world.patient(&admin, "Ann", "Abbott").await;
    let hidden = made(&world, &admin, observation(&patient, Some((CONFIDENTIALITY, "R")))).await;
    let deleted = made(&world, &admin, observation(&patient, None)).await;
    let nurse = world.user("joy", Role::Nurse, None).await;
    let references = |references| world.app.records.policy_set(Policy { references, ..world.app.records.policy() });
    references(ReferencePolicy::Recorded);
    let mut records = Vec::new();
    for id in [hidden.as_str(), deleted.as_str(), ABSENT] {
        let mut body = observation(&patient, None);
        body["hasMember"] = json!([{"reference": format!("Observation/{id}")}]);
        records.push(made(&world, &nurse, body).await);
    }
    world.call("DELETE", &format!("/fhir/Observation/{deleted}"), &admin, &[], None).await.expect(204);
    let patch = |path: &str, value: &str| {
        json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
            {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": path},
            {"name": "value", "valueCode": value}]}]})
    };
    for policy in [ReferencePolicy::Recorded, ReferencePolicy::Checked] {
        references(policy);
        for id in &records {
            let path = format!("Observation/{id}");
            let entry = json!({"resource": patch("Observation.status", "amended"), "request": {"method": "PATCH", "url": path}});
            let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
            world.post("/fhir", &nurse, bundle).await.expect(200);
            let body = Some(patch("Observation.status", "final"));
            world.call("PATCH", &format!("/fhir/{path}"), &nurse, &[FHIR], body).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_label_that_is_set_later_closes_the_earlier_versions_too() {
    let world = World::new();
    let admin = world.admin().await;
    let physician = world.user("gray", Role::Physician, None).await;
    let nurse = world.user("joy", Role::Nurse, None).await;
    let patient = world.patient(&admin, "Ann", "Abbott").await;
    let id = made(&world, &admin, observation(&patient, None)).await;
    let path = format!("/fhir/Observation/{id}");
    world.get(&path, &nurse).await.expect(200);
    let mut labelled = observation(&patient, Some((ACT_CODE, "PSY")));
    labelled["id"] = json!(id);
    world.put(&path, &physician, labelled.clone()).await.expect(200);
    for way in ["", "/_history/1", "/_history/2"] {
        world.get(&format!("{path}{way}"), &physician).await.expect(200);
        world.get(&format!("{path}{way}"), &nurse).await.expect(404);
    }
    let history = |token: String| {
        let (world, path) = (&world, format!("{path}/_history"));
        async move { world.get(&path, &token).await }
    };
    assert_eq!(history(physician.clone()).await.expect(200).json()["entry"].as_array().unwrap().len(), 2);
    let closed = history(nurse.clone()).await;
    assert!(!String::from_utf8_lossy(&closed.body).contains("canary"));
    // Nobody puts away what they could not take out again, nor takes away a label that they may not see.
    let denied = world.post("/fhir/Observation", &nurse, observation(&patient, Some((CONFIDENTIALITY, "R")))).await;
    assert!(String::from_utf8_lossy(&denied.expect(403).body).contains("healthcare:restricted"));
    let denied = world.post("/fhir/Observation", &physician, observation(&patient, Some((CONFIDENTIALITY, "V")))).await;
    assert!(String::from_utf8_lossy(&denied.expect(403).body).contains("healthcare:very_restricted"));
    labelled["meta"] = json!({});
    assert_ne!(world.put(&path, &nurse, labelled).await.status.as_u16(), 200);
    world.get(&path, &nurse).await.expect(404);
}

#[tokio::test]
async fn a_conditional_create_neither_finds_nor_disturbs_what_is_hidden() {
    let world = World::new();
    let admin = world.admin().await;
    let nurse = world.user("joy", Role::Nurse, None).await;
    let patient = world.patient(&admin, "Ann", "Abbott").await;
    let with_number = |label| {
        let mut body = observation(&patient, label);
        body["identifier"] = json!([{"system": "urn:x", "value": "1"}]);
        body
    };
    let if_none_exist = [("if-none-exist", "identifier=urn:x|1")];
    let create = |token: String, body: Value| {
        let world = &world;
        async move { world.call("POST", "/fhir/Observation", &token, &if_none_exist, Some(body)).await }
    };
    let first = create(admin.clone(), with_number(Some((CONFIDENTIALITY, "R")))).await.expect(201).json();
    let second = create(nurse.clone(), with_number(None)).await.expect(201).json();
    assert_ne!(first["id"], second["id"]);
    let again = create(nurse, with_number(None)).await.expect(200);
    assert!(again.header("location").contains(second["id"].as_str().unwrap()), "{}", again.header("location"));
}

#[tokio::test]
async fn a_cursor_is_of_no_use_once_something_else_is_hidden() {
    let world = World::new();
    let admin = world.admin().await;
    let patient = world.patient(&admin, "Ann", "Abbott").await;
    for _ in 0..3 {
        made(&world, &admin, observation(&patient, None)).await;
    }
    let nurse = world.user("joy", Role::Nurse, None).await;
    let page = world.get("/fhir/Observation?_count=2", &nurse).await.expect(200).json();
    let links = page["link"].as_array().unwrap();
    let next = links.iter().find(|link| link["relation"] == "next").unwrap()["url"].as_str().unwrap();
    let next = &next[next.find("/fhir/").unwrap()..];
    assert_eq!(world.get(next, &nurse).await.expect(200).json()["entry"].as_array().unwrap().len(), 1);
    let body = json!({"decision": "deny", "policy_text": "Nobody."});
    world.post(&format!("/api/v1/patients/{patient}/consents"), &admin, body).await.expect(201);
    world.get(next, &nurse).await.expect(400);
}

#[tokio::test]
async fn a_purpose_that_a_role_may_not_state_is_refused_by_its_name_and_logged() {
    let world = World::new();
    let admin = world.admin().await;
    let patient = world.patient(&admin, "Ann", "Abbott").await;
    let nurse = world.user("joy", Role::Nurse, None).await;
    let asked = |purpose: &str| format!("/api/v1/patients/{patient}?access_purpose={purpose}");
    world.get(&asked("TREAT"), &nurse).await.expect(200);
    for purpose in ["HRESCH", "HMARKT", "curiosity"] {
        let refused = world.get(&asked(purpose), &nurse).await.expect(403);
        assert!(String::from_utf8_lossy(&refused.body).contains(purpose));
    }
    world.app.audit.settle();
    let log = world.get("/api/v1/audit/logs?outcome=denied&action=phi.denied", &admin).await.expect(200).json();
    assert_eq!(log["items"].as_array().unwrap().len(), 3);
}
