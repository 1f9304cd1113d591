//! Values that only one record may have.

use serde_json::json;

use super::Ward;

/// Attack: somebody asks whether a number is that of a patient who is hidden from them. Two patients must not have one number, so the
/// answer is what it is for every number that is taken; but that it was asked is on the log of the patient whom it is about.
#[tokio::test]
async fn attack_a_taken_number_of_a_hidden_patient_is_refused_alike_and_on_that_patients_log() {
    let ward = Ward::new().await;
    let read = ward.world.get(&format!("/api/v1/patients/{}", ward.patient), &ward.registrar).await.expect(200).json();
    let number = read["medical_record_number"].as_str().unwrap().to_owned();
    let body = json!({"first_name": "Eve", "last_name": "Eaves", "date_of_birth": "1985-05-15", "medical_record_number": number});
    let open = ward.world.post("/api/v1/patients", &ward.nurse, body.clone()).await.expect(409);
    assert!(ward.logged("phi.denied").await.is_empty(), "who sees the patient learns nothing from it");
    ward.consent(json!({"decision": "deny"})).await;
    let hidden = ward.world.post("/api/v1/patients", &ward.nurse, body.clone()).await.expect(409);
    let told = |reply: &super::Reply| {
        let mut body = reply.json();
        body["correlation_id"] = json!(null);
        body
    };
    assert_eq!(told(&open), told(&hidden));
    assert!(!String::from_utf8_lossy(&hidden.body).contains(&ward.patient));
    let system = iris_records::patient::mrn_system(iris_kernel::Tenant::DEFAULT);
    let patient = json!({"resourceType": "Patient", "identifier": [{"system": system, "value": number}]});
    let entry = json!({"resource": patient, "request": {"method": "POST", "url": "Patient"}});
    let bundle = super::transaction(&[entry]);
    let refused = ward.world.post("/fhir", &ward.nurse, bundle).await;
    let tried = ward.logged("phi.denied").await;
    let of_patient = tried.iter().filter(|entry| entry.to_string().contains(&ward.patient)).count();
    assert_eq!((refused.status.as_u16(), of_patient), (409, 2), "{tried:?}");
}

#[test]
fn the_documents_name_every_purpose_that_may_be_stated() {
    let text = crate::plain::PURPOSE.what;
    for purpose in &iris_access::purpose::PURPOSES {
        assert!(text.contains(&format!(" {}", purpose.code)), "{}", purpose.code);
    }
}
