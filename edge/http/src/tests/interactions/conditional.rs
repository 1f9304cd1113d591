use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_conditional_update_makes_replaces_or_refuses() {
    let world = World::new();
    let token = world.admin().await;
    let path = "/fhir/Patient?identifier=urn:x|1";
    let made = world.put(path, &token, patient("1")).await.expect(201).json();
    let mut changed = patient("1");
    changed["active"] = json!(false);
    let again = world.put(path, &token, changed.clone()).await.expect(200).json();
    assert_eq!(
        (&again["id"], &again["active"], &again["meta"]["versionId"]),
        (&made["id"], &json!(false), &json!("2"))
    );
    changed["id"] = made["id"].clone();
    world.put(path, &token, changed.clone()).await.expect(200);
    changed["id"] = json!("another");
    world.put(path, &token, changed).await.expect(400);
    // Without a match, under the id that the caller gives, if that is free.
    let mut named = patient("2");
    named["id"] = json!("named");
    let second = world.put("/fhir/Patient?identifier=urn:x|2", &token, named.clone()).await.expect(201).json();
    assert_eq!(second["id"], "named");
    named["identifier"][0]["value"] = json!("3");
    world.put("/fhir/Patient?identifier=urn:x|3", &token, named).await.expect(409);
    let stale = [("if-match", "W/\"1\"")];
    world.call("PUT", path, &token, &stale, Some(patient("1"))).await.expect(412);
    world.call("PUT", "/fhir/Patient?identifier=urn:x|9", &token, &stale, Some(patient("9"))).await.expect(412);
    world.post("/fhir/Patient", &token, patient("1")).await.expect(201);
    let several = world.put(path, &token, patient("1")).await.expect(412).json();
    assert_eq!(several["issue"][0]["code"], "multiple-matches");
}

#[tokio::test]
async fn criteria_that_say_nothing_or_are_not_known_are_refused_by_name() {
    let world = World::new();
    let token = world.admin().await;
    world.known(&token, "1").await;
    let patch = json!([{"op": "replace", "path": "/active", "value": false}]);
    for (query, status) in [("", 422), ("?colour=red", 400), ("?_count=1", 400), ("?identifier=urn:x|1&_sort=_id", 400)]
    {
        let path = format!("/fhir/Patient{query}");
        world.put(&path, &token, patient("1")).await.expect(status);
        world.json_patch(&path, &token, patch.clone()).await.expect(status);
        world.call("DELETE", &path, &token, &[], None).await.expect(status);
        let criteria = query.trim_start_matches('?');
        let once = [("if-none-exist", criteria)];
        world.call("POST", "/fhir/Patient", &token, &once, Some(patient("1"))).await.expect(status);
    }
    assert_eq!(world.count(&token, "Patient?active=true").await, 1);
}

#[tokio::test]
async fn a_conditional_patch_changes_the_one_that_is_meant() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let patch = json!([{"op": "replace", "path": "/active", "value": false}]);
    world.json_patch("/fhir/Patient?identifier=urn:x|1", &token, patch.clone()).await.expect(200);
    assert_eq!(world.get(&path, &token).await.expect(200).json()["active"], false);
    world.json_patch("/fhir/Patient?identifier=urn:x|2", &token, patch.clone()).await.expect(404);
    world.known(&token, "1").await;
    world.json_patch("/fhir/Patient?identifier=urn:x|1", &token, patch).await.expect(412);
}

#[tokio::test]
async fn a_conditional_delete_takes_one_and_several_only_where_that_is_allowed() {
    let world = World::new();
    let token = world.admin().await;
    let delete = async |query: &str| world.call("DELETE", &format!("/fhir/Patient?{query}"), &token, &[], None).await;
    let path = world.known(&token, "1").await;
    delete("identifier=urn:x|1").await.expect(204);
    world.get(&path, &token).await.expect(410);
    delete("identifier=urn:x|1").await.expect(204);
    for _ in 0..3 {
        world.known(&token, "2").await;
    }
    delete("identifier=urn:x|2").await.expect(412);
    assert_eq!(world.count(&token, "Patient?identifier=urn:x|2").await, 3);
    let several = json!({"conditional_delete": "multiple"});
    world.call("PATCH", "/api/v1/config", &token, &[], Some(several)).await.expect(200);
    let told = [("prefer", "return=OperationOutcome")];
    let path = "/fhir/Patient?identifier=urn:x|2";
    let gone = world.call("DELETE", path, &token, &told, None).await.expect(200).json();
    assert_eq!(gone["issue"][0]["diagnostics"], "deleted: 3");
    assert_eq!(world.count(&token, "Patient?identifier=urn:x|2").await, 0);
}

#[tokio::test]
async fn a_read_tells_only_what_its_caller_does_not_have() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let date = world.get(&path, &token).await.expect(200).header("last-modified").to_owned();
    let read = async |name: &str, value: &str| world.call("GET", &path, &token, &[(name, value)], None).await;
    assert!(read("if-none-match", "W/\"1\"").await.expect(304).body.is_empty());
    read("if-none-match", "W/\"2\"").await.expect(200);
    read("if-modified-since", &date).await.expect(304);
    read("if-modified-since", "Mon, 01 Jan 2018 00:00:00 GMT").await.expect(200);
    read("if-modified-since", "yesterday").await.expect(200);
    let both = [("if-none-match", "W/\"2\""), ("if-modified-since", date.as_str())];
    world.call("GET", &path, &token, &both, None).await.expect(200);
    world.clock.advance(Duration::from_secs(5));
    world.json_patch(&path, &token, json!([{"op": "replace", "path": "/active", "value": false}])).await.expect(200);
    read("if-modified-since", &date).await.expect(200);
    // Whoever was told that nothing has changed has looked.
    let log = world.get("/api/v1/audit/logs?action=phi.read", &token).await.expect(200).json();
    assert!(log["items"].as_array().is_some_and(|items| items.len() >= 7), "{log}");
}

#[tokio::test]
async fn what_a_caller_prefers_is_done_and_what_nobody_knows_is_passed_over() {
    let world = World::new();
    let token = world.admin().await;
    let make = async |prefer: &str| {
        world.call("POST", "/fhir/Patient", &token, &[("prefer", prefer)], Some(patient("1"))).await.expect(201)
    };
    let minimal = make("return=minimal").await;
    assert!(minimal.body.is_empty());
    assert_eq!(minimal.header("preference-applied"), "return=minimal");
    assert!(make("wait=10, return=minimal").await.body.is_empty());
    assert_eq!(make("return=representation").await.json()["resourceType"], "Patient");
    assert_eq!(make("return=OperationOutcome").await.json()["resourceType"], "OperationOutcome");
    let unknown = make("return=everything; x=y, colour=red").await;
    assert_eq!((&unknown.json()["resourceType"], unknown.header("preference-applied")), (&json!("Patient"), ""));
}
