use iris_access::Role;
use serde_json::json;

use super::World;

#[tokio::test]
async fn the_documented_workflow_of_a_dose() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let me = world.get("/auth/me", &token).await.json()["id"].as_str().unwrap().to_owned();
    let body = json!({
        "patient_id": id, "vaccine_code": "08", "vaccine_name": "Hepatitis B vaccine", "manufacturer": "Merck",
        "lot_number": "ABC123", "administration_date": "2025-01-15T10:30:00", "administered_by": me, "site": "left_deltoid",
        "route": "intramuscular", "dose_volume": "0.5ml", "notes": "Patient tolerated well"
    });
    let made = world.post("/api/v1/healthcare-records/immunizations", &token, body).await.expect(201);
    let dose = made.json();
    let dose_id = dose["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/api/v1/immunizations/{dose_id}"));
    assert_eq!((&dose["vaccine_code"], &dose["vaccine_name"]), (&json!("08"), &json!("Hepatitis B vaccine")));
    assert_eq!((&dose["provider_id"], &dose["dose_volume"]), (&json!(me), &json!(0.5)));
    assert_eq!((&dose["administered_at"], &dose["warnings"]), (&json!("2025-01-15T10:30:00Z"), &json!([])));
    assert_eq!(dose["fhir_id"], format!("Immunization/{dose_id}"));

    let read = world.get(&format!("/api/v1/healthcare-records/immunizations/{dose_id}"), &token).await.expect(200);
    assert_eq!(read.json()["vaccine_code"], "08");
    let list =
        world.get(&format!("/api/v1/immunizations?patient_id={id}&skip=0&limit=20"), &token).await.expect(200).json();
    assert_eq!((&list["total"], &list["has_more"]), (&json!(1), &json!(false)));
    assert_eq!(list["immunizations"][0]["id"], dose_id);
    let change = json!({"notes": "Updated: Patient reported mild soreness at injection site"});
    let changed = world.put(&format!("/api/v1/immunizations/{dose_id}"), &token, change).await.expect(200).json();
    assert!(changed["notes"].as_str().unwrap().starts_with("Updated"));
    assert_eq!((&changed["lot_number"], &changed["version"]), (&json!("ABC123"), &json!(2)));
    assert_eq!(changed["created_at"], dose["created_at"]);

    let fhir = world.get(&format!("/fhir/Immunization/{dose_id}"), &token).await.expect(200).json();
    assert_eq!(fhir["vaccineCode"]["coding"][0]["system"], "http://hl7.org/fhir/sid/cvx");
    assert_eq!(fhir["patient"]["reference"], format!("Patient/{id}"));
    world.call("DELETE", &format!("/api/v1/immunizations/{dose_id}"), &token, &[], None).await.expect(204);
    world.get(&format!("/api/v1/immunizations/{dose_id}"), &token).await.expect(410);
}

#[tokio::test]
async fn an_unknown_code_is_kept_with_a_warning_and_time_defaults_to_now() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let body = json!({"vaccine_name": "Influenza", "vaccine_code": "FLU2025", "iris_reportable": true});
    let dose = world.post(&format!("/patients/{id}/immunizations"), &token, body).await.expect(201).json();
    assert_eq!(dose["warnings"].as_array().unwrap().len(), 1);
    assert_eq!(dose["administered_at"], "2026-01-01T00:00:00.000Z");
    let found = world.get("/api/v1/immunizations?vaccine_code=FLU2025", &token).await.json();
    assert_eq!((&found["total"], &found["items"][0]["iris_reportable"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_referred_to() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let body = json!({"patient_id": "nobody", "vaccine_name": "Tdap", "provider_id": "nobody"});
    let problem = world.post("/api/v1/immunizations", &token, body).await.expect(422).json();
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/patient_id", "/provider_id"]);
    world.post("/patients/nobody/immunizations", &token, json!({"vaccine_name": "Tdap"})).await.expect(404);
    let body = json!({"patient_id": "other", "vaccine_name": "Tdap"});
    world.post(&format!("/patients/{id}/immunizations"), &token, body).await.expect(422);
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let world = World::new();
    let token = world.admin().await;
    let (one, two) = (world.patient(&token, "A", "B").await, world.patient(&token, "C", "D").await);
    for (patient, day, status) in [
        (&one, "2025-01-01", "completed"),
        (&one, "2025-03-01", "not-done"),
        (&one, "2025-02-01", "completed"),
        (&two, "2025-04-01", "completed"),
    ] {
        let body = json!({"patient_id": patient, "vaccine_code": "115", "administered_at": day, "status": status});
        world.post("/api/v1/immunizations", &token, body).await.expect(201);
    }
    let days = |list: serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().or(list["immunizations"].as_array()).unwrap().clone();
        items.iter().map(|item| item["administered_at"].as_str().unwrap().to_owned()).collect()
    };
    let cases = [
        (String::new(), vec!["2025-04-01", "2025-03-01", "2025-02-01", "2025-01-01"]),
        (format!("patient_id={one}"), vec!["2025-03-01", "2025-02-01", "2025-01-01"]),
        (format!("patient_id={one}&status=completed"), vec!["2025-02-01", "2025-01-01"]),
        ("date_from=2025-02-01&date_to=2025-03-01".to_owned(), vec!["2025-03-01", "2025-02-01"]),
        ("date=2025-04-01".to_owned(), vec!["2025-04-01"]),
        ("date=today".to_owned(), vec![]),
        ("vaccine_code=115&skip=1&limit=2".to_owned(), vec!["2025-03-01", "2025-02-01"]),
    ];
    for (filter, expected) in cases {
        let list = world.get(&format!("/api/v1/immunizations?{filter}"), &token).await.expect(200).json();
        assert_eq!(days(list), expected, "{filter}");
    }
    let of_one = world.get(&format!("/patients/{one}/immunizations?limit=2"), &token).await.expect(200).json();
    assert_eq!(of_one["total"], 3);
    let cursor = of_one["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("/patients/{one}/immunizations?limit=2&cursor={cursor}"), &token).await.json();
    assert_eq!(days(rest), ["2025-01-01"]);
    let more = world.get("/api/v1/immunizations?skip=0&limit=2", &token).await.json();
    assert_eq!((&more["has_more"], &more["skip"], &more["limit"]), (&json!(true), &json!(0), &json!(2)));
    world.get("/api/v1/immunizations?skip=1000", &token).await.expect(422);
    world.get("/api/v1/immunizations?status=done", &token).await.expect(422);
}

#[tokio::test]
async fn a_dose_is_voided_with_a_reason_and_its_history_stays() {
    let world = World::new();
    let admin = world.admin().await;
    let nurse = world.user("nora", Role::Nurse, None).await;
    let id = world.patient(&admin, "Jane", "Doe").await;
    let body = json!({"vaccine_code": "115", "administered_at": "2025-01-01", "lot_number": "L1"});
    let made = world.post(&format!("/patients/{id}/immunizations"), &nurse, body).await.expect(201);
    let path = format!("/api/v1/immunizations/{}", made.json()["id"].as_str().unwrap());
    let tag = made.header("etag").to_owned();
    let void = json!({"status": "entered-in-error", "status_reason": "Recorded for the wrong patient"});
    let void = world.call("PUT", &path, &nurse, &[("if-match", &tag)], Some(void)).await.expect(200).json();
    assert_eq!((&void["status"], &void["lot_number"]), (&json!("entered-in-error"), &json!("L1")));
    let shown = world.get(&path, &nurse).await.expect(200).json();
    assert_eq!(shown["status_reason"], "Recorded for the wrong patient");

    let fhir = format!("/fhir/{}", void["fhir_id"].as_str().unwrap());
    let fhir_now = world.get(&fhir, &nurse).await.expect(200).json();
    assert_eq!(fhir_now["statusReason"]["text"], "Recorded for the wrong patient");
    let history = world.get(&format!("{fhir}/_history"), &nurse).await.expect(200).json();
    let statuses: Vec<_> = history["entry"].as_array().unwrap().iter().map(|e| &e["resource"]["status"]).collect();
    assert_eq!(statuses, ["entered-in-error", "completed"]);
    let list = async |filter: &str| {
        let list = world.get(&format!("/patients/{id}/immunizations{filter}"), &nurse).await.expect(200).json();
        list["items"].as_array().unwrap().len()
    };
    assert_eq!((list("").await, list("?status=entered-in-error").await), (1, 1));
    assert_eq!((list("?status=completed,not-done").await, list("?vaccine_code=115&date=2025-01-01").await), (0, 1));
    world.get(&format!("/patients/{id}/immunizations?status=completed,x"), &nurse).await.expect(422);
    world.get(&format!("/patients/{id}/immunizations?patient_id={id}"), &nurse).await.expect(400);
    let summary = world.get(&format!("/api/v1/patients/{id}/summary"), &nurse).await.expect(200).json();
    assert_eq!((&summary["immunizations"], &summary["counts"]["immunizations"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn a_lost_update_tells_the_version_that_is_there() {
    let world = World::new();
    let token = world.admin().await;
    let id = world.patient(&token, "Jane", "Doe").await;
    let patient = format!("/api/v1/patients/{id}");
    let made =
        world.post(&format!("{patient}/immunizations"), &token, json!({"vaccine_code": "115"})).await.expect(201);
    let dose = format!("/api/v1/immunizations/{}", made.json()["id"].as_str().unwrap());
    for (path, change) in [(&dose, json!({"notes": "x"})), (&patient, json!({"phone": "1"}))] {
        assert_eq!(world.get(path, &token).await.expect(200).header("etag"), "W/\"1\"");
        world.put(path, &token, change.clone()).await.expect(200);
        for (method, body) in [("PUT", Some(change.clone())), ("DELETE", None), ("PUT", Some(json!({"nonsense": 1})))] {
            let lost = world.call(method, path, &token, &[("if-match", "W/\"1\"")], body).await.expect(412);
            assert_eq!(lost.header("etag"), "W/\"2\"", "{method} {path}");
            let problem = lost.json();
            assert_eq!((&problem["error_type"], &problem["current_version"]), (&json!("lost_update"), &json!(2)));
        }
        world.call("PUT", path, &token, &[("if-match", "W/\"2\"")], Some(change)).await.expect(200);
        world.call("DELETE", path, &token, &[("if-match", "W/\"3\"")], None).await.expect(204);
        world.call("PUT", path, &token, &[("if-match", "W/\"3\"")], Some(json!({}))).await.expect(410);
    }
}
