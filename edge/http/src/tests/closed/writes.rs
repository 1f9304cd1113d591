//! Writing where one may not see.

use iris_access::Role;
use serde_json::json;

use super::{Ward, about, observation, transaction, with_id};

/// Attack: overwrite or delete, unseen, a record that a consent closes to being seen, but not to being changed; or learn by `If-Match`
/// whether it is there.
#[tokio::test]
async fn attack_what_one_may_not_see_one_may_not_replace_or_delete() {
    let ward = Ward::new().await;
    let id = ward.made(&ward.physician, &observation(&ward.patient)).await;
    let path = format!("/fhir/Observation/{id}");
    let lead = ward.world.user("lee", Role::ClinicalAdmin, None).await;
    ward.consent(json!({"decision": "permit",
        "provisions": [{"decision": "deny", "classes": ["Observation"], "actions": ["access"]}]}))
        .await;
    let absent = "/fhir/Observation/00000000-0000-4000-8000-000000000000";
    for token in [&ward.physician, &lead, &ward.admin] {
        ward.world.get(&path, token).await.expect(404);
        for (tag, path, own) in [(None, path.as_str(), id.as_str()), (None, absent, &absent[18..])]
            .into_iter()
            .chain([(Some("W/\"1\""), path.as_str(), id.as_str()), (Some("W/\"1\""), absent, &absent[18..])])
        {
            let headers: Vec<(&str, &str)> = tag.map(|tag| ("if-match", tag)).into_iter().collect();
            let body = with_id(observation(&ward.patient), own);
            let put = ward.world.call("PUT", path, token, &headers, Some(body)).await;
            assert_eq!(put.status.as_u16(), if tag.is_some() { 412 } else { 405 }, "{path}");
        }
    }
    for (path, tag) in [(path.as_str(), "W/\"1\""), (path.as_str(), "W/\"7\""), (absent, "W/\"1\"")] {
        ward.world.call("DELETE", path, &lead, &[("if-match", tag)], None).await.expect(404);
        ward.world.call("DELETE", path, &lead, &[], None).await.expect(404);
    }
}

/// Attack: what a patient has denied is recorded all the same.
#[tokio::test]
async fn attack_nothing_is_added_that_the_patient_denied() {
    let ward = Ward::new().await;
    ward.consent(json!({"decision": "permit",
        "provisions": [{"decision": "deny", "classes": ["Observation"]}]}))
        .await;
    let put = json!({"resource": observation(&ward.patient), "request": {"method": "POST", "url": "Observation"}});
    for token in [&ward.physician, &ward.nurse] {
        ward.world.post("/fhir/Observation", token, observation(&ward.patient)).await.expect(403);
        ward.world.post("/fhir", token, transaction(std::slice::from_ref(&put))).await.expect(403);
        ward.world.post("/fhir/Condition", token, about("Condition", &ward.patient)).await.expect(201);
    }
    let denials = ward.logged("phi.denied").await;
    assert_eq!(denials.len(), 4, "{denials:?}");
    // Nor by moving what is about somebody else there.
    let other = ward.world.patient(&ward.registrar, "Bea", "Bell").await;
    let id = ward.made(&ward.physician, &observation(&other)).await;
    let moved = with_id(observation(&ward.patient), &id);
    ward.world.put(&format!("/fhir/Observation/{id}"), &ward.physician, moved).await.expect(403);
    assert_eq!(
        ward.world.get(&format!("/fhir/Observation/{id}"), &ward.physician).await.expect(200).header("etag"),
        "W/\"1\""
    );
}

/// Attack: somebody who finds a patient by registering them makes themselves one of those who treat them.
#[tokio::test]
async fn attack_a_care_team_is_not_joined_by_writing_oneself_into_it() {
    let ward = Ward::new().await;
    ward.policy(json!({"care_team": "required"})).await;
    let me = ward.account(&ward.nurse).await;
    let team = json!({"resourceType": "CareTeam", "status": "active",
        "subject": {"reference": format!("Patient/{}", ward.patient)},
        "participant": [{"member": {"identifier": {"system": "urn:iris:account", "value": me}}}]});
    ward.world.post("/fhir/CareTeam", &ward.nurse, team.clone()).await.expect(422);
    // A registrar who is a nurse as well sees the patient, and writes nothing clinical about them.
    ward.world
        .post(
            &format!("/api/v1/auth/users/{me}/roles"),
            &ward.admin,
            json!({"role": "registrar", "reason": "helps out"}),
        )
        .await
        .expect(200);
    ward.world.get(&format!("/fhir/Patient/{}", ward.patient), &ward.nurse).await.expect(200);
    ward.world.post("/fhir/CareTeam", &ward.nurse, team.clone()).await.expect(403);
    let path = format!("/api/v1/patients/{}/care-team", ward.patient);
    let members = json!({"members": [{"member": format!("Account/{me}")}]});
    ward.world.put(&path, &ward.nurse, members).await.expect(403);
    ward.world.post("/fhir/Observation", &ward.nurse, observation(&ward.patient)).await.expect(403);
    // Nor by making a team of a patient whom one treats that of another one.
    let own = ward.world.post(
        "/api/v1/patients",
        &ward.nurse,
        json!({"first_name": "Bea", "last_name": "Bell", "date_of_birth": "1985-05-15"}),
    );
    let own = own.await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let mut mine = team;
    mine["subject"]["reference"] = json!(format!("Patient/{own}"));
    ward.world.post("/fhir/CareTeam", &ward.admin, mine.clone()).await.expect(201);
    let id = ward.made(&ward.nurse, &mine).await;
    mine["subject"]["reference"] = json!(format!("Patient/{}", ward.patient));
    ward.world.put(&format!("/fhir/CareTeam/{id}"), &ward.nurse, with_id(mine, &id)).await.expect(403);
}

/// Attack: what is about a patient, in types that R4's compartment leaves out.
#[tokio::test]
async fn attack_devices_contracts_and_binaries_of_a_closed_patient_are_closed() {
    let ward = Ward::new().await;
    let patient = json!({"reference": format!("Patient/{}", ward.patient)});
    let records = [
        json!({"resourceType": "Device", "patient": patient}),
        json!({"resourceType": "Contract", "subject": [patient]}),
        json!({"resourceType": "GuidanceResponse", "moduleUri": "http://example.org", "status": "success", "subject": patient}),
        json!({"resourceType": "Binary", "contentType": "text/plain", "securityContext": patient, "data": "Y2FuYXJ5"}),
        json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": observation(&ward.patient)}]}),
    ];
    let mut paths = Vec::new();
    for record in &records {
        let kind = record["resourceType"].as_str().unwrap();
        let id = ward.made(&ward.admin, record).await;
        paths.push((kind, format!("/fhir/{kind}/{id}")));
    }
    for (kind, path) in &paths {
        ward.world.get(path, &ward.physician).await.expect(200);
        let found = ward.world.get(&format!("/fhir/{kind}?_total=accurate"), &ward.physician).await.expect(200).json();
        assert_eq!(found["total"], 1, "{kind}");
    }
    ward.consent(json!({"decision": "deny"})).await;
    for (kind, path) in &paths {
        for way in ["", "/_history/1", "/_history"] {
            ward.world.get(&format!("{path}{way}"), &ward.physician).await.expect(404);
        }
        let found = ward.world.get(&format!("/fhir/{kind}?_total=accurate"), &ward.physician).await.expect(200).json();
        assert_eq!((found["total"].as_u64(), found.get("entry")), (Some(0), None), "{kind}");
    }
}

/// Attack: an earlier version, from before its content was labelled, read by somebody whom only a consent keeps from the label.
#[tokio::test]
async fn attack_a_denied_label_closes_the_versions_before_it_too() {
    let ward = Ward::new().await;
    let id = ward.made(&ward.physician, &observation(&ward.patient)).await;
    let path = format!("/fhir/Observation/{id}");
    let mut labelled = with_id(observation(&ward.patient), &id);
    labelled["meta"] =
        json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HIV"}]});
    ward.world.put(&path, &ward.physician, labelled).await.expect(200);
    ward.consent(json!({"decision": "permit", "provisions": [{"decision": "deny", "labels": ["HIV"]}]})).await;
    for token in [&ward.physician, &ward.admin] {
        for way in ["", "/_history/1", "/_history/2", "/_history"] {
            ward.world.get(&format!("{path}{way}"), token).await.expect(404);
        }
    }
}
