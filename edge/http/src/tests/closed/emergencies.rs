//! Every answer that an emergency opens says so: those to reads, and those to writes, refusals and counts as well.

use iris_access::Role;
use serde_json::json;

use super::{Ward, glass, observation, transaction, with_id};

#[tokio::test]
async fn every_answer_under_an_emergency_says_so() {
    let ward = Ward::new().await;
    let lead = ward.world.user("lee", Role::ClinicalAdmin, None).await;
    let bell = ward.world.patient(&ward.registrar, "Bea", "Bell").await;
    let team = format!("/api/v1/patients/{}/care-team", ward.patient);
    ward.consent(json!({"decision": "deny"})).await;
    let body = json!({"patient_id": ward.patient, "reason": "unconscious"});
    let opened = ward.world.post("/api/v1/break-glass", &lead, body).await.expect(201).json();
    let id = opened["id"].as_str().unwrap();
    let made = ward.world.post("/fhir/Observation", &lead, observation(&ward.patient)).await.expect(201);
    assert_eq!(glass(&made), id);
    let record = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/fhir/Observation/{record}");
    let change = with_id(observation(&ward.patient), &record);
    let minimal = [("prefer", "return=minimal")];
    let stale = [("if-match", "W/\"9\"")];
    let exist = [("if-none-exist", format!("patient={}", ward.patient))];
    let exist: Vec<(&str, &str)> = exist.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let delete = json!({"request": {"method": "DELETE", "url": format!("Observation/{record}")}});
    let put = json!({"resource": change, "request": {"method": "PUT", "url": format!("Observation/{record}")}});
    let get = json!({"request": {"method": "GET", "url": format!("Observation/{record}")}});
    let search = json!({"request": {"method": "GET", "url": format!("Observation?patient={}", ward.patient)}});
    let count =
        json!({"request": {"method": "GET", "url": format!("Observation?patient={}&_summary=count", ward.patient)}});
    let mut late = put.clone();
    late["request"]["ifMatch"] = json!("W/\"9\"");
    let batch = |entry: &serde_json::Value| json!({"resourceType": "Bundle", "type": "batch", "entry": [entry]});
    let ways = vec![
        ("GET", format!("/fhir/Observation?patient={}&_summary=count", ward.patient), vec![], None, 200),
        ("GET", "/fhir/Observation?_summary=count".to_owned(), vec![], None, 200),
        ("GET", team.clone(), vec![], None, 200),
        ("PUT", path.clone(), minimal.to_vec(), Some(change.clone()), 200),
        ("PUT", path.clone(), stale.to_vec(), Some(change.clone()), 412),
        ("POST", "/fhir/Observation".to_owned(), exist, Some(observation(&ward.patient)), 200),
        ("POST", "/fhir".to_owned(), vec![], Some(batch(&put)), 200),
        ("POST", "/fhir".to_owned(), vec![], Some(batch(&late)), 200),
        ("POST", "/fhir".to_owned(), vec![], Some(batch(&get)), 200),
        ("POST", "/fhir".to_owned(), vec![], Some(batch(&search)), 200),
        ("POST", "/fhir".to_owned(), vec![], Some(batch(&count)), 200),
        ("POST", "/fhir".to_owned(), vec![], Some(transaction(std::slice::from_ref(&put))), 200),
        ("PUT", team, vec![], Some(json!({"members": []})), 200),
        ("DELETE", path.clone(), stale.to_vec(), None, 412),
        ("DELETE", path.clone(), vec![], None, 204),
        ("GET", path.clone(), vec![], None, 410),
        ("DELETE", path.clone(), vec![], None, 204),
        ("POST", "/fhir".to_owned(), vec![], Some(transaction(&[delete])), 200),
    ];
    for (method, path, headers, body, status) in ways {
        let reply = ward.world.call(method, &path, &lead, &headers, body.clone()).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {path} {body:?} {}", String::from_utf8_lossy(&reply.body));
        assert_eq!(glass(&reply), id, "{method} {path} {body:?}");
    }
    // What the emergency has nothing to do with says nothing of it.
    for path in [format!("/fhir/Patient/{bell}"), format!("/fhir/Observation?patient={bell}&_summary=count")] {
        assert_eq!(glass(&ward.world.get(&path, &lead).await.expect(200)), "", "{path}");
    }
    let other = ward.world.post("/fhir/Observation", &lead, observation(&bell)).await.expect(201);
    assert_eq!(glass(&other), "");
    assert_eq!(glass(&ward.world.get("/fhir/Observation/absent", &lead).await.expect(404)), "");
}
