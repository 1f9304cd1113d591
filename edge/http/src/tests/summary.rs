//! The summary: what it tells of much, what it leaves out, and that it says so.

use std::sync::Arc;

use iris_access::{Caller, Create, Facts, Named, decide};
use iris_kernel::Tenant;
use iris_records::digest::{LAB_RESULTS_MAX, LATEST_ROUNDS_MAX, VITAL_SIGNS_MAX};
use serde_json::{Value, json};

use super::World;
use super::access::token;
use super::chart::observation;

#[tokio::test]
async fn a_summary_opens_no_more_rows_than_its_bounds() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    for category in ["laboratory", "vital-signs"] {
        let entries: Vec<Value> = (0..150)
            .map(|n| {
                let (month, day) = (1 + n / 28, 1 + n % 28);
                let resource =
                    observation(&id, category, &format!("{}-0", n % 12), 1.0, &format!("2025-{month:02}-{day:02}"));
                json!({"resource": resource, "request": {"method": "POST", "url": "Observation"}})
            })
            .collect();
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        world.post("/fhir", &token, bundle).await.expect(200);
    }
    let summary = world.get(&format!("/api/v1/patients/{id}/summary"), &token).await.expect(200).json();
    for list in ["vital_signs", "lab_results"] {
        assert_eq!(summary[list].as_array().unwrap().len(), 12, "{list}");
    }
    let log = world.get(&format!("/audit/logs?patient_id={id}&action=phi.summary"), &token).await.json();
    let opened = log["items"][0]["resources"].as_array().unwrap().len();
    assert_eq!(opened, VITAL_SIGNS_MAX + LAB_RESULTS_MAX);
}

#[tokio::test]
async fn what_is_current_is_in_the_summary_however_much_is_over() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let subject = json!({"reference": format!("Patient/{id}")});
    let medication = json!({"resourceType": "Medication", "code": {"text": "Etoposide"}});
    let medication = format!("Medication/{}", world.store(&token, medication).await);
    let taken = |status: &str, day: &str| {
        json!({"resourceType": "MedicationRequest", "status": status, "intent": "order",
        "subject": subject, "medicationReference": {"reference": medication}, "authoredOn": day})
    };
    world.store(&token, taken("active", "1999-01-01")).await;
    let status = |code: &str| json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": code}]});
    let ill = |code: &str, day: &str| {
        json!({"resourceType": "Condition", "subject": subject, "code": {"text": code},
        "clinicalStatus": status(code), "onsetDateTime": day})
    };
    world.store(&token, ill("active", "1999-01-01")).await;
    let over = |n: usize| [taken("completed", &format!("20{n:02}-01-01")), ill("resolved", &format!("20{n:02}-01-01"))];
    let entries: Vec<Value> = (0..60)
        .flat_map(over)
        .map(|resource| json!({"request": {"method": "POST", "url": resource["resourceType"]}, "resource": resource}))
        .collect();
    world.post("/fhir", &token, json!({"resourceType": "Bundle", "type": "batch", "entry": entries})).await.expect(200);
    let summary = world.get(&format!("/api/v1/patients/{id}/summary"), &token).await.expect(200).json();
    assert_eq!((&summary["counts"]["problems"], &summary["counts"]["medications"]), (&json!(61), &json!(61)));
    for (list, name, value) in [("problems", "condition", "active"), ("medications", "medication_name", "Etoposide")] {
        let items = summary[list].as_array().unwrap();
        assert_eq!(
            (items.len(), &items[0]["status"], &items[0][name]),
            (51, &json!("active"), &json!(value)),
            "{list}"
        );
    }
    let timeline =
        world.get(&format!("/api/v1/patients/{id}/timeline?kinds=medication"), &token).await.expect(200).json();
    assert!(timeline["items"].as_array().unwrap().iter().all(|item| item["title"] == "Etoposide"), "{timeline}");
}

impl World {
    async fn store_all(&self, token: &str, resources: Vec<Value>) {
        let entry = |resource: Value| json!({"request": {"method": "POST", "url": resource["resourceType"]}, "resource": resource});
        let entries: Vec<Value> = resources.into_iter().map(entry).collect();
        self.post("/fhir", token, json!({"resourceType": "Bundle", "type": "batch", "entry": entries}))
            .await
            .expect(200);
    }
}

fn codes(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_value_taken_daily_hides_none_that_is_taken_yearly() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let vital = |code: &str, day: String| observation(&id, "vital-signs", code, 1.0, &day);
    let day = |n: usize| format!("2025-{:02}-{:02}", 1 + n / 28, 1 + n % 28);
    let mut all = vec![vital("29463-7", "2001-01-01".to_owned()), vital("8302-2", "2000-01-01".to_owned())];
    all.extend((0..VITAL_SIGNS_MAX + 5).map(|n| vital("8867-4", day(n))));
    // What was void, cancelled or not there yet takes no place and hides nothing.
    for (n, status) in ["entered-in-error", "cancelled", "registered"].into_iter().cycle().take(90).enumerate() {
        let mut void = observation(&id, "laboratory", "2345-7", 9.0, &day(n));
        void["status"] = json!(status);
        all.push(void);
    }
    all.push(observation(&id, "laboratory", "2345-7", 5.5, "1999-01-01"));
    world.store_all(&token, all).await;
    let path = format!("/api/v1/patients/{id}/summary");
    let summary = world.get(&path, &token).await.expect(200).json();
    assert_eq!(codes(&summary["vital_signs"]), ["8867-4", "29463-7", "8302-2"]);
    assert_eq!(summary["vital_signs"][0]["at"], json!(day(VITAL_SIGNS_MAX + 4)));
    assert_eq!((codes(&summary["lab_results"]), &summary["lab_results"][0]["value"]), (vec!["2345-7"], &json!(5.5)));
    assert_eq!(summary["truncated"], json!([]));
    let log = world.get(&format!("/audit/logs?patient_id={id}&action=phi.summary"), &token).await.json();
    assert_eq!(log["items"].as_array().unwrap().len(), 1, "one answer is one entry");
    assert_eq!(log["items"][0]["resources"].as_array().unwrap().len(), VITAL_SIGNS_MAX + 2 + 1);
}

#[tokio::test]
async fn what_a_summary_leaves_out_it_says() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    // No search tells the names of observations without a code apart, so these are looked through only so far.
    let named = |n: usize| {
        let mut named = observation(&id, "vital-signs", "x", 1.0, "2025-01-01");
        named["code"] = json!({"text": format!("sign {n}")});
        named
    };
    let signs = VITAL_SIGNS_MAX * LATEST_ROUNDS_MAX;
    for part in 0..LATEST_ROUNDS_MAX {
        world.store_all(&token, (0..VITAL_SIGNS_MAX).map(|n| named(part * VITAL_SIGNS_MAX + n)).collect()).await;
    }
    let path = format!("/api/v1/patients/{id}/summary");
    world.get(&path, &token).await.expect(200);
    world.store_all(&token, vec![named(signs)]).await;
    assert_eq!(world.get(&path, &token).await.expect(200).json()["truncated"], json!(["vital_signs"]));
}

#[tokio::test]
async fn what_has_no_status_is_current_and_what_is_untrue_is_no_history() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let subject = json!({"reference": format!("Patient/{id}")});
    let coded = |system: &str, code: &str| json!({"coding": [{"system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code}]});
    let ill = |text: String, clinical: Option<&str>, verification: Option<&str>, day: &str| {
        let mut ill =
            json!({"resourceType": "Condition", "subject": subject, "code": {"text": text}, "onsetDateTime": day});
        if let Some(clinical) = clinical {
            ill["clinicalStatus"] = coded("condition-clinical", clinical);
        }
        if let Some(verification) = verification {
            ill["verificationStatus"] = coded("condition-ver-status", verification);
        }
        ill
    };
    let allergic = |text: &str, clinical: &str, verification: &str| {
        json!({"resourceType": "AllergyIntolerance", "patient": subject, "code": {"text": text},
            "clinicalStatus": coded("allergyintolerance-clinical", clinical),
            "verificationStatus": coded("allergyintolerance-verification", verification)})
    };
    let mut all = vec![
        ill("Haemophilia".to_owned(), None, None, "1990-01-01"),
        ill("Void".to_owned(), None, Some("entered-in-error"), "2026-01-01"),
        ill("Refuted".to_owned(), Some("inactive"), Some("refuted"), "2026-01-02"),
        allergic("Latex", "active", "confirmed"),
        allergic("Penicillin", "inactive", "refuted"),
    ];
    all.extend((0..60).map(|n| ill(format!("Cold {n}"), Some("resolved"), None, &format!("20{n:02}-01-01"))));
    world.store_all(&token, all).await;
    let summary = world.get(&format!("/api/v1/patients/{id}/summary"), &token).await.expect(200).json();
    assert_eq!(summary["problems"][0]["condition"], "Haemophilia");
    assert!(!summary["problems"].to_string().contains("Void"));
    assert_eq!((&summary["counts"]["problems"], &summary["truncated"]), (&json!(62), &json!([])));
    let allergies: Vec<_> = summary["allergies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["substance"], &item["verification"]))
        .collect();
    assert_eq!(allergies, [(&json!("Latex"), &json!("confirmed")), (&json!("Penicillin"), &json!("refuted"))]);
    let history =
        world.get(&format!("/api/v1/patients/{id}"), &token).await.expect(200).json()["medical_history"].clone();
    assert_eq!(history["allergies"], json!(["Latex"]));
    let conditions = history["conditions"].to_string();
    assert!(conditions.contains("Haemophilia") && !conditions.contains("Refuted") && !conditions.contains("Void"));
}

#[tokio::test]
async fn a_list_of_which_a_client_may_see_a_part_is_not_called_whole() {
    let world = World::new();
    let id = world.patient(&world.admin().await, "Jane", "Doe").await;
    let system = Arc::new(Caller::system(Tenant::DEFAULT, "test", "c-1"));
    let permit = decide(&system, Create, &Facts::named(Named::Accounts)).unwrap();
    let scope = "system/Patient.rs system/MedicationRequest.rs system/Condition.rs";
    let made = world.identity.client_create(&permit, "pharmacy", scope).await.unwrap();
    let (client, secret) = (made.client.client_id, made.secret.expose().clone());
    let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    let given = token(&world, &form, None).await.expect(200).json();
    let bearer = given["access_token"].as_str().unwrap();
    let summary = world.get(&format!("/api/v1/patients/{id}/summary"), bearer).await.expect(200).json();
    assert_eq!(summary["truncated"], json!(["medications"]), "statements are missing");
    assert!(summary["problems"].is_array() && summary["allergies"].is_null());
    let withheld = ["alerts", "allergies", "immunizations", "vital_signs", "lab_results", "encounters"];
    assert_eq!(summary["withheld"], json!(withheld));
}

#[tokio::test]
async fn what_is_wrong_is_told_by_the_name_that_was_sent() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let long = "x".repeat(1_100);
    for (path, name) in [
        (format!("lab-results/trends?code={long}"), "code"),
        ("lab-results/trends?code=".to_owned(), "code"),
        ("conditions?cursor=x".to_owned(), "cursor"),
        ("timeline?cursor=x".to_owned(), "cursor"),
        ("timeline?kinds=x".to_owned(), "kinds"),
        ("allergies?limit=0".to_owned(), "limit"),
        ("allergies?total=maybe".to_owned(), "total"),
    ] {
        let reply = world.get(&format!("/api/v1/patients/{id}/{path}"), &token).await;
        let problem = reply.json();
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
        assert_eq!(pointer.trim_start_matches('/'), name, "{problem}");
    }
}
