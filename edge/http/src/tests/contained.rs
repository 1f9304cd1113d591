//! `_contained` over HTTP: as what a contained resource is answered, and that what is hidden with its container is absent.

use iris_access::Role;
use serde_json::{Value, json};

use super::{BASE, World};

/// A request for a formula of its own, which it contains.
fn request(code: &str, label: Option<&str>) -> Value {
    let medication =
        json!({"resourceType": "Medication", "id": "m1", "code": {"coding": [{"system": "urn:m", "code": code}]}});
    let mut made = json!({"resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "contained": [medication], "medicationReference": {"reference": "#m1"}, "subject": {"display": "somebody"}});
    if let Some(label) = label {
        let system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
        made["meta"] = json!({"security": [{"system": system, "code": label}]});
    }
    made
}

fn full_urls(bundle: &Value) -> Vec<&str> {
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(entries.iter().all(|entry| entry["search"]["mode"] == "match"), "{bundle}");
    entries.iter().map(|entry| entry["fullUrl"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_contained_is_found_where_it_is_asked_for_and_shown_as_asked() {
    let world = World::new();
    let token = world.admin().await;
    let mut urls = Vec::new();
    for (code, label) in [("salve", None), ("salve", Some("R")), ("balm", None)] {
        let made = world.post("/fhir/MedicationRequest", &token, request(code, label)).await.expect(201).json();
        urls.push(format!("{BASE}/fhir/MedicationRequest/{}", made["id"].as_str().unwrap()));
    }
    let loose = json!({"resourceType": "Medication", "code": {"coding": [{"system": "urn:m", "code": "salve"}]}});
    let loose = world.post("/fhir/Medication", &token, loose).await.expect(201).json();
    let loose = format!("{BASE}/fhir/Medication/{}", loose["id"].as_str().unwrap());

    let found = world.get("/fhir/Medication?code=salve", &token).await.expect(200).json();
    assert_eq!(full_urls(&found), [loose.as_str()]);
    let path = "/fhir/Medication?code=salve&_contained=true&_sort=_lastUpdated";
    let found = world.get(path, &token).await.expect(200).json();
    assert_eq!((full_urls(&found), &found["total"]), (vec![urls[0].as_str(), &urls[1]], &json!(2)));
    assert_eq!(found["entry"][0]["resource"]["resourceType"], "MedicationRequest");
    let found = world.get(&format!("{path}&_containedType=contained"), &token).await.expect(200).json();
    assert_eq!(full_urls(&found), [format!("{}#m1", urls[0]), format!("{}#m1", urls[1])]);
    let shown = &found["entry"][0]["resource"];
    assert_eq!((&shown["resourceType"], &shown["id"]), (&json!("Medication"), &json!("m1")));

    // Page by page, both sorts in one order.
    let mut path = "/fhir/Medication?code=salve&_contained=both&_containedType=contained&_count=1".to_owned();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = world.get(&path, &token).await.expect(200).json();
        seen.extend(full_urls(&page).into_iter().map(str::to_owned));
        assert_eq!(page["total"], 3);
        let next = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").cloned();
        let Some(next) = next else { break };
        path = next["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
    }
    assert_eq!(seen, [loose, format!("{}#m1", urls[1]), format!("{}#m1", urls[0])]);

    // Who does not see a container finds nothing in it and is told no number of it.
    let nurse = world.user("nina", Role::Nurse, None).await;
    let found = world.get("/fhir/Medication?code=salve&_contained=true", &nurse).await.expect(200).json();
    assert_eq!((full_urls(&found), &found["total"]), (vec![urls[0].as_str()], &json!(1)));
    let refused = world.get("/fhir/Medication?_contained=true&_include=*&_containedType=x", &token).await.expect(400);
    assert!(String::from_utf8_lossy(&refused.body).contains("container and contained"));
}
