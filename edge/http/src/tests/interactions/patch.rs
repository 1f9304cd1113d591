use iris_access::Role;

use super::*;

#[tokio::test]
async fn both_patches_change_a_record_whole_or_not_at_all() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let replaced = json!([{"op": "replace", "path": "/active", "value": false},
        {"op": "add", "path": "/name/0/given", "value": ["Ann"]}]);
    let made = world.json_patch(&path, &token, replaced).await.expect(200);
    assert_eq!((made.header("etag"), &made.json()["active"]), ("W/\"2\"", &json!(false)));
    let added = operation("replace", "Patient.name[0].family", Some(("valueString", json!("Jones"))));
    let made = world.call("PATCH", &path, &token, &[FHIR_JSON], Some(added)).await.expect(200).json();
    assert_eq!(made["name"], json!([{"family": "Jones", "given": ["Ann"]}]));
    // What a patch cannot do, it does not half.
    let failing = json!([{"op": "remove", "path": "/name"}, {"op": "test", "path": "/active", "value": true}]);
    world.json_patch(&path, &token, failing).await.expect(422);
    world.json_patch(&path, &token, json!([{"op": "remove", "path": "/nothing"}])).await.expect(422);
    world.json_patch(&path, &token, json!([{"op": "replace", "path": "/id", "value": "other"}])).await.expect(422);
    world.json_patch(&path, &token, json!({"op": "remove"})).await.expect(400);
    let invalid = json!([{"op": "add", "path": "/gender", "value": "F"}]);
    assert_eq!(world.json_patch(&path, &token, invalid).await.expect(422).json()["resourceType"], "OperationOutcome");
    world.call("PATCH", &path, &token, &[], Some(json!([]))).await.expect(415);
    let now = world.get(&path, &token).await.expect(200).json();
    assert_eq!((&now["meta"]["versionId"], &now["active"]), (&json!("3"), &json!(false)));
}

#[tokio::test]
async fn a_patch_asks_for_the_version_that_its_caller_read() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let patch = json!([{"op": "replace", "path": "/active", "value": false}]);
    let stale = [JSON_PATCH, ("if-match", "W/\"7\"")];
    world.call("PATCH", &path, &token, &stale, Some(patch.clone())).await.expect(412);
    let fresh = [JSON_PATCH, ("if-match", "W/\"1\""), ("prefer", "return=OperationOutcome")];
    let done = world.call("PATCH", &path, &token, &fresh, Some(patch.clone())).await.expect(200);
    assert_eq!(done.json()["resourceType"], "OperationOutcome");
    world.json_patch("/fhir/Patient/nobody", &token, patch.clone()).await.expect(404);
    world.call("DELETE", &path, &token, &[], None).await.expect(204);
    world.json_patch(&path, &token, patch).await.expect(410);
    // The log knows it as a change of the record.
    let log = world.get("/api/v1/audit/logs?action=phi.update", &token).await.expect(200).json();
    assert!(!log["items"].as_array().unwrap().is_empty(), "{log}");
}

const SSN: &str = "123-45-6789";

fn masked() -> Value {
    json!({"resourceType": "Patient", "id": "p1", "active": true,
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": SSN}, {"system": "urn:house", "value": "H1"}],
        "name": [{"family": "Garcia"}],
        "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{SSN}</div>")}})
}

#[tokio::test]
async fn what_is_masked_is_neither_seen_by_a_patch_nor_lost() {
    let world = World::new();
    let admin = world.admin().await;
    let nurse = world.user("nina", Role::Nurse, None).await;
    let path = "/fhir/Patient/p1";
    world.put(path, &admin, masked()).await.expect(201);
    let patch = json!([{"op": "replace", "path": "/active", "value": false},
        {"op": "add", "path": "/identifier/0", "value": {"system": "urn:new", "value": "N1"}},
        {"op": "test", "path": "/identifier/2/value", "value": "H1"}]);
    let shown = world.json_patch(path, &nurse, patch).await.expect(200);
    let text = String::from_utf8_lossy(&shown.body).into_owned();
    assert!(!text.contains(SSN) && !text.contains("veil-") && text.contains("***-**-6789"), "{text}");
    let whole = world.get(path, &admin).await.expect(200).json();
    assert_eq!(whole["identifier"][1]["value"], SSN, "it stays, in the place to which it was moved");
    assert_eq!((&whole["active"], &whole["text"]), (&json!(false), &masked()["text"]));
    // No question is answered and no way leads out.
    let guesses = [
        json!([{"op": "test", "path": "/identifier/1/value", "value": SSN}]),
        json!([{"op": "copy", "from": "/identifier/1/value", "path": "/name/0/family"}]),
        json!([{"op": "move", "from": "/identifier/1/value", "path": "/name/0/text"}]),
        json!([{"op": "copy", "from": "/identifier/1", "path": "/identifier/-"}]),
        json!([{"op": "replace", "path": "/identifier/1/system", "value": "urn:open"}]),
        json!([{"op": "copy", "from": "/text/div", "path": "/name/0/text"}]),
        json!([{"op": "remove", "path": "/identifier/1"}]),
    ];
    for guess in guesses {
        let refused = world.json_patch(path, &nurse, guess.clone()).await.expect(422);
        assert!(!String::from_utf8_lossy(&refused.body).contains("6789"), "{guess}");
    }
    let asked = operation("delete", &format!("Patient.where(identifier.where(value='{SSN}').exists()).active"), None);
    let refused = world.call("PATCH", path, &nurse, &[FHIR_JSON], Some(asked)).await;
    let after = world.get(path, &admin).await.expect(200).json();
    assert_eq!(after["active"], json!(false), "nothing matched: {}", refused.status);
    assert_eq!(after["identifier"], whole["identifier"]);
    // Who sees the number may do all of it.
    world
        .json_patch(path, &admin, json!([{"op": "test", "path": "/identifier/1/value", "value": SSN}]))
        .await
        .expect(200);
    world.json_patch(path, &admin, json!([{"op": "remove", "path": "/identifier/1"}])).await.expect(200);
}
