//! Consents that close something, and those who would like to have it otherwise.

use iris_access::Role;
use serde_json::json;

use super::{Ward, transaction, with_id};

/// Attack: a clinician whom a patient has kept out looks for the patient among the consents, which tell that there is somebody.
#[tokio::test]
async fn attack_consents_of_a_closed_patient_are_seen_by_those_alone_who_keep_them() {
    let ward = Ward::new().await;
    let id = ward.consent(json!({"decision": "deny"})).await;
    let lead = ward.world.user("lee", Role::ClinicalAdmin, None).await;
    let biller = ward.world.user("bill", Role::FinancialAdmin, None).await;
    let radiologist = ward.world.user("ray", Role::Radiologist, None).await;
    let all = "/fhir/Consent?_total=accurate";
    let of_patient = format!("{all}&patient={}", ward.patient);
    for token in [&ward.nurse, &ward.physician, &biller, &radiologist] {
        for way in [ward.consents(), format!("/fhir/Consent/{id}"), format!("/fhir/Consent/{id}/_history")] {
            ward.world.get(&way, token).await.expect(404);
        }
        for path in [all, &of_patient] {
            assert_eq!(ward.world.get(path, token).await.expect(200).json()["total"], 0, "{path}");
        }
    }
    for token in [&ward.registrar, &lead, &ward.admin] {
        ward.world.get(&ward.consents(), token).await.expect(200);
        ward.world.get(&format!("/fhir/Consent/{id}"), token).await.expect(200);
        assert_eq!(ward.world.get(&of_patient, token).await.expect(200).json()["total"], 1);
    }
    let own = ward.world.user("ann", Role::Patient, Some(&ward.patient)).await;
    assert_eq!(ward.world.get(&of_patient, &own).await.expect(200).json()["total"], 1);
}

/// Attack: a clinician takes back, changes, replaces, moves or deletes the consent that keeps them out, in both dialects.
#[tokio::test]
async fn attack_nobody_takes_back_what_is_denied_to_themselves() {
    let ward = Ward::new().await;
    let other = ward.world.patient(&ward.registrar, "Bea", "Bell").await;
    let denial = json!({"decision": "permit", "provisions": [{"decision": "deny", "classes": ["Observation"]}]});
    let id = ward.consent(denial).await;
    let path = format!("{}/{id}", ward.consents());
    let fhir = format!("/fhir/Consent/{id}");
    let stored = ward.world.get(&fhir, &ward.physician).await.expect(200).json();
    ward.world.post(&format!("{path}/revoke"), &ward.physician, json!({})).await.expect(403);
    ward.world.put(&path, &ward.physician, json!({"provisions": []})).await.expect(403);
    ward.world.put(&path, &ward.physician, json!({"status": "inactive"})).await.expect(403);
    ward.world.put(&path, &ward.physician, json!({"period": {"end": "2001-01-01"}})).await.expect(403);
    let mut inactive = stored.clone();
    inactive["status"] = json!("inactive");
    let mut moved = stored.clone();
    moved["patient"]["reference"] = json!(format!("Patient/{other}"));
    for body in [inactive, moved] {
        ward.world.put(&fhir, &ward.physician, with_id(body.clone(), &id)).await.expect(403);
        let put = json!({"resource": body, "request": {"method": "PUT", "url": format!("Consent/{id}")}});
        ward.world.post("/fhir", &ward.physician, transaction(&[put])).await.expect(403);
    }
    // Whoever may delete and keeps no consents: a role of the tenant, say.
    let me = ward.account(&ward.physician).await;
    let grant = json!({"permission": "healthcare:admin", "reason": "leads for a week"});
    ward.world.post(&format!("/api/v1/auth/users/{me}/roles"), &ward.admin, grant).await.expect(200);
    ward.world.call("DELETE", &fhir, &ward.physician, &[], None).await.expect(403);
    let delete = json!({"request": {"method": "DELETE", "url": format!("Consent/{id}")}});
    ward.world.post("/fhir", &ward.physician, transaction(&[delete])).await.expect(403);
    assert!(ward.logged("phi.denied").await.iter().any(|entry| entry.to_string().contains("healthcare:consents")));
    // What denies more is no way in, and who keeps consents takes it back.
    ward.world.put(&path, &ward.physician, json!({"decision": "deny", "provisions": []})).await.expect(200);
    ward.world.get(&fhir, &ward.physician).await.expect(404);
    ward.world.post(&format!("{path}/revoke"), &ward.registrar, json!({})).await.expect(200);
    ward.world.get(&fhir, &ward.physician).await.expect(200);
}

/// What a clinician may record: anything that keeps nobody from them.
#[tokio::test]
async fn clinicians_record_and_change_what_does_not_concern_them() {
    let ward = Ward::new().await;
    let nurse = format!("Account/{}", ward.account(&ward.nurse).await);
    let denial = json!({"decision": "permit", "provisions": [{"decision": "deny", "actors": [nurse]}]});
    let made = ward.world.post(&ward.consents(), &ward.physician, denial).await.expect(201).json();
    let path = format!("{}/{}", ward.consents(), made["id"].as_str().unwrap());
    ward.world.post(&format!("{path}/revoke"), &ward.nurse, json!({})).await.expect(404);
    ward.world.post(&format!("{path}/revoke"), &ward.physician, json!({"reason": "a mistake"})).await.expect(200);
    ward.world.get(&format!("/fhir/Patient/{}", ward.patient), &ward.nurse).await.expect(200);
    // What is denied for a purpose that the physician may not state is not denied to the physician.
    let denial = json!({"decision": "permit", "provisions": [{"decision": "deny", "purposes": ["HRESCH"]}]});
    let made = ward.world.post(&ward.consents(), &ward.physician, denial).await.expect(201).json();
    let path = format!("{}/{}", ward.consents(), made["id"].as_str().unwrap());
    ward.world.post(&format!("{path}/revoke"), &ward.physician, json!({})).await.expect(200);
}
