//! Finding patients as one types, and duplicates.

use std::sync::Arc;

use iris_access::{Caller, Create, Facts, Named, Role, RoleSet, decide};
use iris_identity::NewUser;
use iris_kernel::{Secret, Tenant};
use iris_records::find::GOOD_ENOUGH;
use serde_json::{Value, json};

use super::{PASSWORD, World};

const SEARCH: &str = "/api/v1/patients/search";
const DUPLICATES: &str = "/api/v1/patients/duplicates";

async fn register(world: &World, token: &str, body: Value) -> String {
    let made = world.post("/api/v1/patients", token, body).await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

/// Everybody of a small clinic.
async fn clinic(world: &World, token: &str) {
    for (first, last, born, phone) in [
        ("María José", "García", "1987-04-12", "+1 (555) 010-4477"),
        ("Ana", "Garciaparra", "1987-12-04", "555-010-0001"),
        ("Luis", "Garsia", "1960-01-30", "555-010-0002"),
        ("Zoe", "Garcia", "1999-09-09", "555-010-0003"),
        ("John", "O'Brien-Smith", "1955-03-02", "555-010-0004"),
        ("Rosa", "de la Cruz", "2015-06-07", "555-010-0005"),
    ] {
        let body = json!({"first_name": first, "last_name": last, "date_of_birth": born, "phone": phone});
        register(world, token, body).await;
    }
}

fn names(found: &Value) -> Vec<&str> {
    found["items"].as_array().unwrap().iter().map(|item| item["last_name"].as_str().unwrap()).collect()
}

fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn find(world: &World, token: &str, text: &str) -> Value {
    world.get(&format!("{SEARCH}?q={}", escaped(text)), token).await.expect(200).json()
}

#[tokio::test]
async fn patients_are_found_as_one_types_the_best_first() {
    let world = World::new();
    let token = world.user("rita", Role::Registrar, None).await;
    clinic(&world, &token).await;
    for (text, expected) in [
        ("garcia", &["García", "Garcia", "Garciaparra", "Garsia"][..]),
        ("jose maria", &["García"]),
        ("gar 1987", &["García", "Garciaparra"]),
        ("04/12/1987", &["García", "Garciaparra"]),
        ("12.04.1987 garc", &["García", "Garciaparra"]),
        ("1987-04-12", &["García"]),
        ("5550104477", &["García"]),
        ("4477", &["García"]),
        ("smith jo", &["O'Brien-Smith"]),
        ("obrien", &["O'Brien-Smith"]),
        ("cruz", &["de la Cruz"]),
        ("delacruz rosa", &["de la Cruz"]),
        ("nobody", &[]),
        ("garcia 555-010-0003", &["Garcia"]),
    ] {
        let found = find(&world, &token, text).await;
        assert_eq!(names(&found), expected, "{text}: {found}");
        assert_eq!((&found["next_cursor"], &found["more"]), (&Value::Null, &json!(false)), "{text}");
    }
    let found = find(&world, &token, "garcia").await;
    let why: Vec<_> = found["items"].as_array().unwrap().iter().map(|item| &item["matched"][0]).collect();
    assert_eq!(why, ["name", "name", "name", "name_spelling"]);
    let item = &find(&world, &token, "maria 1987-04-12").await["items"][0];
    assert_eq!(item["matched"], json!(["date_of_birth", "name"]));
    let mrn = item["medical_record_number"].as_str().unwrap();
    let by_number = find(&world, &token, &format!("{}-{}", &mrn[..4], &mrn[4..])).await;
    assert_eq!(by_number["items"][0]["matched"], json!(["medical_record_number"]));
    // What was changed is found under its new name at once, and no longer under the old one.
    let id = item["id"].as_str().unwrap();
    world.put(&format!("/api/v1/patients/{id}"), &token, json!({"last_name": "Quintana"})).await.expect(200);
    assert_eq!(names(&find(&world, &token, "maria quint").await), ["Quintana"]);
    assert_eq!(names(&find(&world, &token, "maria garcia").await), [""; 0]);
}

#[tokio::test]
async fn whoever_only_sounds_alike_is_shown_where_few_fit_as_typed() {
    let world = World::new();
    let token = world.user("rita", Role::Registrar, None).await;
    clinic(&world, &token).await;
    // García, Garcia and Garciaparra are there: four are not enough, five are.
    register(&world, &token, json!({"first_name": "Ivo", "last_name": "Garcia", "date_of_birth": "1990-01-01"})).await;
    let found = find(&world, &token, "garcia").await;
    assert_eq!(names(&found), ["Garcia", "García", "Garcia", "Garciaparra", "Garsia"]);
    register(&world, &token, json!({"first_name": "Eve", "last_name": "Garcia", "date_of_birth": "1990-01-01"})).await;
    let found = find(&world, &token, "garcia").await;
    assert_eq!((names(&found).len(), names(&found).contains(&"Garsia")), (GOOD_ENOUGH, false), "{found}");
    assert_eq!(found["more"], false);
    assert_eq!(names(&find(&world, &token, "garcia luis").await), ["Garsia"]);
    assert_eq!(names(&find(&world, &token, "garsia").await)[0], "Garsia");
}

#[tokio::test]
async fn filters_narrow_and_limits_hold() {
    let world = World::new();
    let token = world.admin().await;
    clinic(&world, &token).await;
    let narrowed = |filter: &str| format!("{SEARCH}?q=garcia&{filter}");
    let found = world.get(&narrowed("first_name=zoe"), &token).await.expect(200).json();
    assert_eq!(names(&found), ["Garcia"]);
    let found = world.get(&narrowed("phone=555-010-0002&active=true"), &token).await.expect(200).json();
    assert_eq!(names(&found), ["Garsia"]);
    let found = world.get(&narrowed("limit=1"), &token).await.expect(200).json();
    assert_eq!((names(&found), &found["more"]), (vec!["García"], &json!(true)));
    let found = world.get(&narrowed("limit=50"), &token).await.expect(200).json();
    assert_eq!((names(&found).len(), &found["more"]), (4, &json!(false)));
    for (wrong, name) in [
        ("limit=51", "limit"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
        ("total=true", "total"),
        ("gender=F", "gender"),
    ] {
        let problem = world.get(&narrowed(wrong), &token).await.expect(422).json();
        assert!(problem["errors"][0]["pointer"].as_str().unwrap().contains(name), "{problem}");
    }
    for text in ["", " ", "g", "g 7", "--", &"x".repeat(121), &"ab ".repeat(9)] {
        let problem = world.get(&format!("{SEARCH}?q={}", escaped(text)), &token).await.expect(422).json();
        assert!(problem["errors"][0]["pointer"].as_str().unwrap().contains('q'), "{text}: {problem}");
        assert!(!problem["errors"][0]["detail"].as_str().unwrap().is_empty());
    }
    // Every fault at once.
    let problem = world.get(&format!("{SEARCH}?q=g&gender=F&ssn=1"), &token).await.expect(422).json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3, "{problem}");
    world.get("/api/v1/patients?q=garcia", &token).await.expect(400);
    // What is hostile finds nobody and harms nothing.
    for text in ["\\,|$* garcia", "'; DROP TABLE patients;-- x", "\u{0}\u{0}ab", "%_% ab", "\u{202e}aicrag"] {
        find(&world, &token, text).await;
    }
}

#[tokio::test]
async fn everybody_finds_what_they_may_see_and_the_log_has_what_was_shown() {
    let world = World::new();
    let token = world.admin().await;
    clinic(&world, &token).await;
    let own = find(&world, &token, "zoe").await["items"][0]["id"].as_str().unwrap().to_owned();
    let zoe = world.user("zoe", Role::Patient, Some(&own)).await;
    assert_eq!(names(&find(&world, &zoe, "garcia").await), ["Garcia"]);
    assert_eq!(names(&find(&world, &zoe, "cruz").await), [""; 0]);
    let hers = world.post(DUPLICATES, &zoe, json!({"first_name": "Rosa", "last_name": "de la Cruz"})).await;
    assert_eq!(hers.expect(200).json()["items"], json!([]));
    let auditor = world.user("ada", Role::Auditor, None).await;
    world.get(&format!("{SEARCH}?q=garcia"), &auditor).await.expect(403);
    world.post(DUPLICATES, &auditor, json!({"last_name": "Garcia"})).await.expect(403);
    world.get(&format!("/api/v1/patients/{own}/duplicates"), &auditor).await.expect(403);
    world.get(&format!("{SEARCH}?q=garcia"), "").await.expect(401);

    world.get(&format!("{SEARCH}?q=gar&limit=1&access_purpose=TREAT"), &token).await.expect(200);
    let log = world.get("/api/v1/audit/logs?action=phi.search&limit=1", &auditor).await.expect(200).json();
    let entry = &log["items"][0];
    assert_eq!(entry["patient_ids"].as_array().unwrap().len(), 1, "looked at is not shown: {entry}");
    assert_eq!((&entry["access_purpose"], &entry["detail"]), (&json!("TREAT"), &json!("Patient?q=gar")));
    world.post(DUPLICATES, &token, json!({"first_name": "Zoe", "last_name": "Garcia"})).await.expect(200);
    let log = world.get("/api/v1/audit/logs?action=phi.search&limit=1", &auditor).await.expect(200).json();
    let entry = &log["items"][0];
    assert_eq!(entry["patient_ids"], json!([own]));
    assert_eq!(entry["detail"], "Patient?duplicates_by=first_name,last_name");
}

#[tokio::test]
async fn another_tenant_is_found_by_nothing() {
    let world = World::new();
    let token = world.admin().await;
    clinic(&world, &token).await;
    let system = |tenant| Arc::new(Caller::system(tenant, "test", "c-1"));
    let permit = decide(&system(Tenant::PLATFORM), Create, &Facts::named(Named::Accounts)).unwrap();
    let tenant = Tenant(world.identity.tenant_create(&permit, "elsewhere").await.unwrap().number);
    let permit = decide(&system(tenant), Create, &Facts::named(Named::Accounts)).unwrap();
    let roles = RoleSet::of(&[Role::Admin]);
    let user = NewUser { name: "there".into(), password: Secret::new(PASSWORD.into()), roles, patient: None };
    world.identity.user_create(&permit, user).await.unwrap();
    let body = json!({"username": "there", "password": PASSWORD, "tenant": "elsewhere"});
    let signed = world.post("/api/v1/auth/login", "", body).await.expect(200).json();
    let there = signed["access_token"].as_str().unwrap();
    assert_eq!(find(&world, there, "garcia").await["items"], json!([]));
    let same = json!({"first_name": "Zoe", "last_name": "Garcia", "date_of_birth": "1999-09-09"});
    assert_eq!(world.post(DUPLICATES, there, same).await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn duplicates_are_named_with_reasons_and_nothing_is_stored() {
    let world = World::new();
    let token = world.user("rita", Role::Registrar, None).await;
    clinic(&world, &token).await;
    let again = json!({"first_name": "Maria Jose", "last_name": "Garcia", "date_of_birth": "1987-04-12", "phone": "555 010 4477"});
    let found = world.post(DUPLICATES, &token, again.clone()).await.expect(200).json();
    let items = found["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{found}");
    assert_eq!((&items[0]["certainty"], &items[0]["patient"]["last_name"]), (&json!("certain"), &json!("García")));
    assert_eq!(items[0]["reasons"], json!(["same_birth_date", "same_name", "same_phone"]));
    assert_eq!(items[0]["against"], json!([]));
    assert!(items[0]["score"].as_i64().unwrap() > 70);
    let count = world.get("/api/v1/patients?total=true", &token).await.expect(200).json();
    assert_eq!(count["total"], 6);

    // Turned round, misspelt, and with too little to say.
    for (body, certainty) in [
        (json!({"first_name": "Garcia", "last_name": "Maria", "date_of_birth": "1987-04-12"}), json!("probable")),
        (json!({"first_name": "Maria", "last_name": "Garzia", "date_of_birth": "1987-12-04"}), json!("possible")),
        (json!({"first_name": "María", "last_name": "García"}), json!("possible")),
        (json!({"first_name": "Luisa", "last_name": "García", "date_of_birth": "1987-04-12"}), Value::Null),
        (json!({"last_name": "Garcia"}), Value::Null),
    ] {
        let found = world.post(DUPLICATES, &token, body.clone()).await.expect(200).json();
        let first = found["items"].as_array().unwrap().iter().find(|item| item["patient"]["last_name"] == "García");
        assert_eq!(first.map_or(Value::Null, |item| item["certainty"].clone()), certainty, "{body}: {found}");
    }

    // A record is no duplicate of itself; the second one is, and each names the other.
    let id = items[0]["patient"]["id"].as_str().unwrap();
    let path = format!("/api/v1/patients/{id}/duplicates");
    assert_eq!(world.get(&path, &token).await.expect(200).json()["items"], json!([]));
    let second = register(&world, &token, again).await;
    let of_first = world.get(&path, &token).await.expect(200).json();
    let of_second = world.get(&format!("/api/v1/patients/{second}/duplicates"), &token).await.expect(200).json();
    assert_eq!(of_first["items"][0]["patient"]["id"], json!(second));
    assert_eq!(of_second["items"][0]["patient"]["id"], json!(id));
    assert_eq!(of_first["items"][0]["score"], of_second["items"][0]["score"]);
    world.call("DELETE", &format!("/api/v1/patients/{second}"), &world.admin().await, &[], None).await.expect(204);
    assert_eq!(world.get(&path, &token).await.expect(200).json()["items"], json!([]));
    world.get(&format!("/api/v1/patients/{second}/duplicates"), &token).await.expect(410);
    world.get("/api/v1/patients/none/duplicates", &token).await.expect(404);
    // Making a record refuses a record number that is taken, as ever.
    let mrn = &items[0]["patient"]["medical_record_number"];
    let body =
        json!({"first_name": "X", "last_name": "Y", "date_of_birth": "2000-01-01", "medical_record_number": mrn});
    let found = world.post(DUPLICATES, &token, body.clone()).await.expect(200).json();
    assert_eq!(found["items"][0]["reasons"], json!(["same_medical_record_number"]));
    world.post("/api/v1/patients", &token, body).await.expect(409);
}

#[tokio::test]
async fn a_comparison_refuses_what_a_record_would_refuse() {
    let world = World::new();
    let token = world.admin().await;
    for body in [json!({}), json!({"date_of_birth": "1987-04-12", "phone": "1"}), json!({"first_name": null})] {
        let problem = world.post(DUPLICATES, &token, body).await.expect(422).json();
        assert_eq!(problem["errors"][0]["pointer"], "/last_name", "{problem}");
    }
    let wrong = json!({"first_name": "", "date_of_birth": "1987-13-01", "ssn": "1", "nickname": "x", "id": "y"});
    let problem = world.post(DUPLICATES, &token, wrong).await.expect(422).json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 5, "{problem}");
    world.post(DUPLICATES, &token, json!([])).await.expect(422);
    world.call("POST", DUPLICATES, &token, &[("content-type", "text/plain")], Some(json!({}))).await.expect(415);
    world.call("GET", DUPLICATES, &token, &[], None).await.expect(405);
    let large = json!({"last_name": "x".repeat(251)});
    world.post(DUPLICATES, &token, large).await.expect(422);
}
