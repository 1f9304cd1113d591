//! Looking up vaccines, and what an immunization is told about its codes.

use iris_access::Role;
use iris_immunization::Vaccines;
use serde_json::{Value, json};

use super::World;
use super::shape::faults;

/// The codes that a look-up finds, best first.
async fn found(world: &World, token: &str, query: &str) -> Vec<String> {
    let reply = world.get(&format!("/api/v1/iris/vaccines?{query}"), token).await.expect(200).json();
    let items = reply["items"].as_array().unwrap().iter();
    items.map(|item| item["cvx"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_nurse_finds_a_vaccine_by_typing() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    for (typed, best) in [
        ("flu", "140"),
        ("mmr", "03"),
        ("covid%20pfizer", "309"),
        ("prevnar", "216"),
        ("140", "140"),
        ("hep%20b", "43"),
        ("h%C3%89p+B", "43"),
        ("sarampi%C3%B3n", "03"),
    ] {
        assert_eq!(found(&world, &token, &format!("q={typed}")).await[0], best, "{typed}");
    }
    assert!(found(&world, &token, "q=Grippe").await.is_empty());
    assert_eq!(found(&world, &token, "").await.len(), 20);
    assert_eq!(found(&world, &token, "limit=100").await.len(), 100);
    assert!(found(&world, &token, "q=45").await.contains(&"45".to_owned()));
    assert!(!found(&world, &token, "q=45&active=true").await.contains(&"45".to_owned()));

    let reply = world.get("/api/v1/iris/vaccines?q=prevnar%2020", &token).await.expect(200);
    assert_eq!(reply.header("cache-control"), "private, max-age=300");
    let list = reply.json();
    assert_eq!((&list["total"], &list["edition"]), (&json!(1), &json!("2025-11-19")));
    let item = &list["items"][0];
    assert_eq!((&item["status"], &item["groups"]), (&json!("active"), &json!(["PneumoPCV"])));
    let product = json!({"trade_name": "PREVNAR 20", "mvx": "PFR", "manufacturer": "Pfizer, Inc", "status": "active"});
    assert_eq!(item["products"], json!([product]));
    let old = world.get("/api/v1/iris/vaccines?q=hibtiter", &token).await.expect(200).json();
    assert_eq!(old["items"][0]["products"][0]["mvx"], Value::Null);
}

#[tokio::test]
async fn manufacturers_are_looked_up_as_well() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let list = world.get("/api/v1/iris/manufacturers?q=merck", &token).await.expect(200).json();
    assert_eq!(list["items"][0], json!({"mvx": "MSD", "name": "Merck and Co., Inc.", "status": "active"}));
    let all = world.get("/api/v1/iris/manufacturers", &token).await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 89);
    let few = world.get("/api/v1/iris/manufacturers?active=true&limit=3", &token).await.expect(200).json();
    assert_eq!((few["items"].as_array().unwrap().len(), &few["total"]), (3, &json!(36)));
}

#[tokio::test]
async fn answers_have_the_shapes_of_the_document() {
    let world = World::new();
    let token = world.admin().await;
    let document = world.get("/openapi.json", "").await.json();
    for (path, query) in [("vaccines", "limit=100"), ("vaccines", "q=hibtiter"), ("manufacturers", "")] {
        let path = format!("/api/v1/iris/{path}");
        let schema = &document["paths"][&path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let answer = world.get(&format!("{path}?{query}"), &token).await.expect(200).json();
        assert!(schema.is_object() && !answer["items"].as_array().unwrap().is_empty(), "{path}");
        assert_eq!(faults(&document, schema, &answer, ""), [""; 0], "{path}");
    }
}

#[tokio::test]
async fn a_look_up_that_is_wrong_or_not_allowed_is_refused() {
    let world = World::new();
    let token = world.admin().await;
    for path in ["vaccines", "manufacturers"] {
        let long = format!("q={}", "a".repeat(101));
        for query in ["limit=0", "limit=101", "limit=x", "active=yes", &long] {
            let problem = world.get(&format!("/api/v1/iris/{path}?{query}"), &token).await.expect(422).json();
            assert_eq!(problem["errors"][0]["pointer"], query.split('=').next().unwrap());
        }
        world.get(&format!("/api/v1/iris/{path}?q={}", "a".repeat(100)), &token).await.expect(200);
        world.get(&format!("/api/v1/iris/{path}?name=flu"), &token).await.expect(400);
        world.get(&format!("/api/v1/iris/{path}"), "").await.expect(401);
    }
    let patient = world.patient(&token, "Jane", "Doe").await;
    let own = world.user("jane", Role::Patient, Some(&patient)).await;
    world.get("/api/v1/iris/vaccines", &own).await.expect(403);
}

#[tokio::test]
async fn another_table_counts_from_the_next_request_on() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let table =
        "iris-vaccines|1\nedition|2030-01-01\nsource|a test\n[vaccines]\n900|active|1|FLU|Flu 2030|a new vaccine\n";
    world.app.vaccines.replace(Vaccines::parse(table).unwrap(), || Ok::<_, ()>(())).unwrap();
    assert_eq!(found(&world, &token, "q=flu").await, ["900"]);
    let patient = world.patient(&token, "Jane", "Doe").await;
    let path = format!("/patients/{patient}/immunizations");
    let dose = world.post(&path, &token, json!({"vaccine_name": "flu 2030"})).await.expect(201).json();
    assert_eq!((&dose["vaccine_code"], &dose["warnings"]), (&json!("900"), &json!([])));
    let old = world.post(&path, &token, json!({"vaccine_code": "140"})).await.expect(201).json();
    assert_eq!(old["warnings"], json!(["vaccine_code is in no known table; it is kept as text"]));
}

/// What is unlikely is told and never blocks: the dose was given.
#[tokio::test]
async fn what_is_unlikely_is_recorded_with_a_warning() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let patient = world.patient(&token, "Jane", "Doe").await;
    let path = format!("/patients/{patient}/immunizations");
    for (dose, warnings) in [
        (json!({"vaccine_code": "216", "manufacturer": "Pfizer", "expiration_date": "2026-01"}), &[][..]),
        (json!({"vaccine_code": "45"}), &["vaccine_code 45 is inactive"]),
        (json!({"vaccine_code": "510"}), &["vaccine_code 510 is of a vaccine that is not given"]),
        (json!({"vaccine_code": "61"}), &["vaccine_code 61 was never"]),
        (json!({"vaccine_name": "measles"}), &["vaccine_code 05 is inactive"]),
        (json!({"vaccine_code": "216", "manufacturer": "MSD"}), &["manufacturer MSD is not known to make CVX 216"]),
        (json!({"vaccine_code": "216", "manufacturer": "Nobody"}), &["manufacturer stands for no single MVX code"]),
        (json!({"vaccine_code": "133", "vaccine_name": "Prevnar 20"}), &["vaccine_name stands for CVX 216"]),
        (json!({"vaccine_code": "216", "expiration_date": "2025-12-31"}), &["expiration_date lies before"]),
        (
            json!({"vaccine_code": "216", "expiration_date": "2025-12-31", "administered_at": "2025-12-31T23:00:00Z"}),
            &[],
        ),
        (
            json!({"vaccine_code": "216", "expiration_date": "2025-11", "administered_at": "2025-12-01"}),
            &["expiration_date"],
        ),
        (json!({"vaccine_code": "216", "expiration_date": "2025-12-31", "status": "not-done"}), &[]),
        (
            json!({"vaccine_name": "Tetramune", "manufacturer": "Nobody", "expiration_date": "2001"}),
            &["vaccine_code 22 is inactive", "manufacturer stands", "expiration_date"],
        ),
    ] {
        let made = world.post(&path, &token, dose.clone()).await.expect(201).json();
        let told: Vec<&str> = made["warnings"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
        assert!(told.iter().zip(warnings).all(|(told, start)| told.starts_with(start)), "{dose}: {told:?}");
        assert_eq!(told.len(), warnings.len(), "{dose}: {told:?}");
    }
}

#[tokio::test]
async fn a_change_is_doubted_only_where_it_changes_something() {
    let world = World::new();
    let token = world.user("nora", Role::Nurse, None).await;
    let patient = world.patient(&token, "Jane", "Doe").await;
    let dose = json!({"vaccine_code": "216", "expiration_date": "2020-01-01"});
    let made = world.post(&format!("/patients/{patient}/immunizations"), &token, dose).await.expect(201).json();
    let path = format!("/api/v1/immunizations/{}", made["id"].as_str().unwrap());
    let told = async |change| world.put(&path, &token, change).await.expect(200).json()["warnings"].clone();
    assert_eq!(told(json!({"notes": "well"})).await, json!([]));
    assert_eq!(told(json!({"manufacturer": "Merck"})).await.as_array().unwrap().len(), 1);
    assert_eq!(told(json!({"expiration_date": "2030-01-01", "manufacturer": "Pfizer"})).await, json!([]));
    let problem = world.put(&path, &token, json!({"expiration_date": "soon"})).await.expect(422).json();
    assert_eq!(problem["errors"][0]["pointer"], "/expiration_date");
}
