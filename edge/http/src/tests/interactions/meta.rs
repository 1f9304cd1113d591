use iris_access::Role;

use super::*;

fn sent(meta: &Value) -> Value {
    json!({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]})
}

#[tokio::test]
async fn labels_are_added_and_taken_away_without_the_record() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let tags =
        json!({"tag": [{"system": "urn:t", "code": "a"}, {"system": "urn:t", "code": "b"}], "profile": ["urn:p"]});
    let made = world.with("POST", &format!("{path}/$meta-add"), &token, sent(&tags)).await.expect(200);
    assert_eq!(made.header("etag"), "W/\"2\"");
    let meta = &made.json()["parameter"][0]["valueMeta"];
    assert_eq!((&meta["tag"], &meta["versionId"]), (&tags["tag"], &json!("2")));
    assert_eq!(world.count(&token, "Patient?_tag=urn:t|a").await, 1);
    let gone = json!({"tag": [{"system": "urn:t", "code": "a"}], "security": [{"system": "urn:none", "code": "x"}]});
    world.with("POST", &format!("{path}/$meta-delete"), &token, sent(&gone)).await.expect(200);
    let left = world.get(&format!("{path}/$meta"), &token).await.expect(200).json();
    assert_eq!(left["resourceType"], "Parameters");
    assert_eq!(left["parameter"][0]["valueMeta"]["tag"], json!([{"system": "urn:t", "code": "b"}]));
    let record = world.get(&path, &token).await.expect(200).json();
    assert_eq!((&record["active"], &record["meta"]["profile"]), (&json!(true), &json!(["urn:p"])));
    let wrong = sent(&json!({"versionId": "1"}));
    world.with("POST", &format!("{path}/$meta-add"), &token, wrong).await.expect(422);
    world.with("POST", &format!("{path}/$meta-add"), &token, patient("2")).await.expect(400);
    let stale = [("if-match", "W/\"1\"")];
    world.call("POST", &format!("{path}/$meta-add"), &token, &stale, Some(sent(&tags))).await.expect(412);
}

#[tokio::test]
async fn who_may_not_see_a_label_neither_sets_nor_removes_it() {
    let world = World::new();
    let admin = world.admin().await;
    let nurse = world.user("nina", Role::Nurse, None).await;
    let path = world.known(&admin, "1").await;
    let subject = path.strip_prefix("/fhir/").unwrap();
    let made = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": subject}});
    let made = world.post("/fhir/Observation", &admin, made).await.expect(201).json();
    let path = format!("/fhir/Observation/{}", made["id"].as_str().unwrap());
    let label =
        json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]});
    world.with("POST", &format!("{path}/$meta-add"), &nurse, sent(&label)).await.expect(403);
    world.with("POST", &format!("{path}/$meta-add"), &admin, sent(&label)).await.expect(200);
    world.with("POST", &format!("{path}/$meta-delete"), &nurse, sent(&label)).await.expect(404);
    world.get(&format!("{path}/$meta"), &nurse).await.expect(404);
    world.with("POST", &format!("{path}/$meta-delete"), &admin, sent(&label)).await.expect(200);
    world.get(&format!("{path}/$meta"), &nurse).await.expect(200);
}
