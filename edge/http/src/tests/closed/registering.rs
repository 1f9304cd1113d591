//! Who registers a patient, where only who treats a patient sees them.

use iris_access::Role;
use serde_json::{Value, json};

use super::{Ward, observation, transaction};

fn person(name: &str) -> Value {
    json!({"first_name": name, "last_name": "Bell", "date_of_birth": "1985-05-15"})
}

fn fhir_person() -> Value {
    json!({"resourceType": "Patient", "name": [{"family": "Bell"}]})
}

#[tokio::test]
async fn whoever_registers_a_patient_is_of_their_care_team_from_the_same_commit_on() {
    let ward = Ward::new().await;
    ward.policy(json!({"care_team": "required"})).await;
    let me = format!("Account/{}", ward.account(&ward.nurse).await);
    let plain = ward.world.post("/api/v1/patients", &ward.nurse, person("Bea")).await.expect(201).json();
    let plain = plain["id"].as_str().unwrap().to_owned();
    let fhir = ward.made(&ward.nurse, &fhir_person()).await;
    let about_new = json!({"resource": observation("new"), "request": {"method": "POST", "url": "Observation"}});
    let mut about_new = about_new;
    about_new["resource"]["subject"]["reference"] = json!("urn:uuid:5d1cbf4e-7f5b-4c3c-9d4e-000000000001");
    let entries = [
        about_new,
        json!({"fullUrl": "urn:uuid:5d1cbf4e-7f5b-4c3c-9d4e-000000000001", "resource": fhir_person(),
            "request": {"method": "POST", "url": "Patient"}}),
    ];
    let done = ward.world.post("/fhir", &ward.nurse, transaction(&entries)).await.expect(200).json();
    let entries = done["entry"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "the care team is nothing that was asked for: {done}");
    let location = entries[1]["response"]["location"].as_str().unwrap();
    let in_bundle = location.split("/Patient/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    for id in [&plain, &fhir, &in_bundle] {
        ward.world.get(&format!("/api/v1/patients/{id}"), &ward.nurse).await.expect(200);
        let team = ward.world.get(&format!("/api/v1/patients/{id}/care-team"), &ward.nurse).await.expect(200).json();
        assert_eq!(team["members"], json!([{"member": me, "role": "registered the patient"}]), "{team}");
        ward.world.post("/fhir/Observation", &ward.nurse, observation(id)).await.expect(201);
        // Nobody else sees them for it.
        ward.world.get(&format!("/api/v1/patients/{id}"), &ward.physician).await.expect(404);
    }
    assert_eq!(ward.world.get("/fhir/Patient?_total=accurate", &ward.nurse).await.expect(200).json()["total"], 3);
    // Somebody hands over: the team is an ordinary one.
    let other = format!("Account/{}", ward.account(&ward.physician).await);
    let path = format!("/api/v1/patients/{plain}/care-team");
    let members = json!({"members": [{"member": other}]});
    assert_eq!(ward.world.put(&path, &ward.nurse, members).await.expect(200).json()["version"], 2);
    ward.world.get(&format!("/api/v1/patients/{plain}"), &ward.physician).await.expect(200);
    ward.world.get(&format!("/api/v1/patients/{plain}"), &ward.nurse).await.expect(404);
    // One commit, one entry on the log.
    let entries = ward.logged("phi.create").await;
    let both = entries.iter().filter(|entry| entry.to_string().contains("CareTeam/")).count();
    assert_eq!(both, 2, "{entries:?}");
}

#[tokio::test]
async fn who_needs_no_care_relation_makes_none() {
    let ward = Ward::new().await;
    let teams = async |token: &str| {
        ward.world.get("/fhir/CareTeam?_total=accurate", token).await.expect(200).json()["total"].clone()
    };
    ward.world.post("/api/v1/patients", &ward.nurse, person("Bea")).await.expect(201);
    assert_eq!(teams(&ward.admin).await, 0, "nobody asks for it");
    ward.policy(json!({"care_team": "required"})).await;
    for token in [&ward.registrar, &ward.admin] {
        ward.world.post("/api/v1/patients", token, person("Cy")).await.expect(201);
    }
    assert_eq!(teams(&ward.admin).await, 0);
    // Repeated under its key, it is made once.
    let key = [("idempotency-key", "k-1")];
    for _ in 0..2 {
        ward.world.call("POST", "/api/v1/patients", &ward.nurse, &key, Some(person("Di"))).await.expect(201);
    }
    assert_eq!(teams(&ward.admin).await, 1);
}

/// Attack: a patient, whose role reaches nothing beyond the own record, is given a permission and begins other people's records.
#[tokio::test]
async fn attack_nobody_begins_a_record_from_within_their_own() {
    let ward = Ward::new().await;
    let own = ward.world.user("ann", Role::Patient, Some(&ward.patient)).await;
    ward.world.post("/api/v1/patients", &own, person("Bea")).await.expect(403);
    ward.world.post("/fhir/Patient", &own, fhir_person()).await.expect(403);
}
