use std::time::Duration;

use iris_access::Role;

use super::*;

fn versions(bundle: &Value) -> Vec<(String, String)> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let of = |entry: &Value| {
        let path = entry["fullUrl"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
        (path, entry["request"]["method"].as_str().unwrap().to_owned())
    };
    entries.iter().map(of).collect()
}

fn next(bundle: &Value) -> Option<String> {
    let links = bundle["link"].as_array().unwrap();
    let next = links.iter().find(|link| link["relation"] == "next")?;
    Some(next["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned())
}

/// Reads a history to its end, page by page.
async fn whole(world: &World, token: &str, first: &str) -> Vec<(String, String)> {
    let (mut all, mut path) = (Vec::new(), Some(first.to_owned()));
    while let Some(here) = path {
        let page = world.get(&here, token).await.expect(200).json();
        all.extend(versions(&page));
        path = next(&page);
        assert!(all.len() < 1_000, "it has no end");
    }
    all
}

#[tokio::test]
async fn a_type_and_the_system_tell_every_version_newest_first() {
    let world = World::new();
    let token = world.admin().await;
    let one = world.known(&token, "1").await;
    world.clock.advance(Duration::from_secs(60));
    let two = world.known(&token, "2").await;
    let organization = json!({"resourceType": "Organization", "name": "Clinic"});
    let third = world.post("/fhir/Organization", &token, organization).await.expect(201).json();
    let third = format!("/fhir/Organization/{}", third["id"].as_str().unwrap());
    world.json_patch(&one, &token, json!([{"op": "replace", "path": "/active", "value": false}])).await.expect(200);
    world.call("DELETE", &two, &token, &[], None).await.expect(204);
    let of = |path: &str, method: &str| (path.to_owned(), method.to_owned());
    let patients = [of(&two, "DELETE"), of(&one, "PUT"), of(&two, "POST"), of(&one, "POST")];
    let all = world.get("/fhir/Patient/_history", &token).await.expect(200).json();
    assert_eq!((versions(&all), &all["total"], &all["type"]), (patients.to_vec(), &json!(4), &json!("history")));
    let deleted = &all["entry"][0];
    assert_eq!((&deleted["response"]["status"], deleted.get("resource")), (&json!("204 No Content"), None));
    assert_eq!(whole(&world, &token, "/fhir/Patient/_history?_count=1").await, patients);
    let mut system = patients.to_vec();
    system.insert(2, of(&third, "POST"));
    assert_eq!(whole(&world, &token, "/fhir/_history?_count=2").await, system);
    let resource = iris_fhir::Resource::parse(serde_json::to_vec(&all).unwrap()).unwrap();
    assert_eq!(iris_fhir::validate(&resource), []);
    // What is written while somebody reads stands before their first page.
    let first = world.get("/fhir/Patient/_history?_count=2", &token).await.expect(200).json();
    world.known(&token, "3").await;
    let rest = whole(&world, &token, &next(&first).unwrap()).await;
    assert_eq!([versions(&first), rest].concat(), patients);
    world.get("/fhir/Patient/_history?_cursor=made-up", &token).await.expect(400);
    let other = world.user("gray", Role::Physician, None).await;
    world.get(&next(&first).unwrap(), &other).await.expect(400);
}

#[tokio::test]
async fn a_history_is_cut_by_since_and_at() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    for (name, active) in [("one", false), ("two", true)] {
        world.clock.advance(Duration::from_secs(3_600));
        let token = world.user(name, Role::Admin, None).await;
        let patch = json!([{"op": "replace", "path": "/active", "value": active}]);
        world.json_patch(&path, &token, patch).await.expect(200);
    }
    // Whoever signed in at midnight is not signed in any more.
    let token = world.user("late", Role::Admin, None).await;
    // Made at midnight of 2026, at one and at two o'clock.
    let cases = [
        ("_since=2026-01-01T01:00:00Z", vec!["3", "2"]),
        ("_since=2026-01-01T01:00:01Z", vec!["3"]),
        ("_since=2027-01-01T00:00:00Z", vec![]),
        ("_at=2026-01-01T00:30:00Z", vec!["1"]),
        ("_at=2026-01-01T01:30:00Z", vec!["2"]),
        ("_at=2026", vec!["3", "2", "1"]),
        ("_at=2026-06", vec!["3"]),
        ("_at=2025", vec![]),
    ];
    for base in [path.clone(), "/fhir/Patient".to_owned(), "/fhir".to_owned()] {
        for (query, wanted) in &cases {
            let page = world.get(&format!("{base}/_history?{query}"), &token).await.expect(200).json();
            let entries = page["entry"].as_array().cloned().unwrap_or_default();
            let found: Vec<_> =
                entries.iter().map(|it| it["resource"]["meta"]["versionId"].as_str().unwrap()).collect();
            assert_eq!(&found, wanted, "{base} {query}");
        }
        for wrong in ["_since=2026", "_since=noon", "_at=ge2026", "_count=0", "_since=2026-01-01T00:00:00"] {
            world.get(&format!("{base}/_history?{wrong}"), &token).await.expect(400);
        }
    }
}

#[tokio::test]
async fn a_history_leaves_out_what_its_caller_does_not_see() {
    let world = World::new();
    let admin = world.admin().await;
    let nurse = world.user("nina", Role::Nurse, None).await;
    let path = world.known(&admin, "1").await;
    let own = world.user("pat", Role::Patient, Some(path.strip_prefix("/fhir/Patient/").unwrap())).await;
    let other = world.known(&admin, "2").await;
    let observation = |subject: &str| {
        json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": subject.strip_prefix("/fhir/").unwrap()}})
    };
    let made = world.post("/fhir/Observation", &admin, observation(&path)).await.expect(201).json();
    world.post("/fhir/Observation", &admin, observation(&other)).await.expect(201);
    let secret = format!("/fhir/Observation/{}", made["id"].as_str().unwrap());
    assert_eq!(whole(&world, &nurse, "/fhir/Observation/_history").await.len(), 2);
    let label = json!([{"op": "add", "path": "/meta/security", "value":
        [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]}]);
    world.json_patch(&secret, &admin, label).await.expect(200);
    // The label holds for the earlier versions too, which say much the same.
    let seen = whole(&world, &nurse, "/fhir/Observation/_history").await;
    assert!(seen.len() == 1 && seen.iter().all(|(path, _)| *path != secret), "{seen:?}");
    let seen = world.get("/fhir/Observation/_history", &nurse).await.expect(200).json();
    assert_eq!(seen["total"], 1);
    assert_eq!(whole(&world, &admin, "/fhir/Observation/_history").await.len(), 3);
    let mine = whole(&world, &own, "/fhir/_history").await;
    assert!(mine.iter().all(|(seen, _)| *seen != other), "{mine:?}");
    let nobody = world.user("fin", Role::User, None).await;
    world.get("/fhir/Patient/_history", &nobody).await.expect(403);
    world.get("/fhir/_history", &nobody).await.expect(403);
    let log = world.get("/api/v1/audit/logs?action=phi.history", &admin).await.expect(200).json();
    assert!(!log["items"].as_array().unwrap().is_empty(), "{log}");
}
