use std::collections::BTreeMap;
use std::time::Duration;

use iris_access::{Caller, Create, Facts, Named, Role, RoleSet, decide};
use iris_identity::{ChangedSetting, ChangedSettings, NewUser};
use iris_kernel::{Secret, Tenant, Timestamp, Version};
use serde_json::{Value, json};

use super::{PASSWORD, World};
use crate::settings::SETTINGS;

const PATH: &str = "/api/v1/config";

fn named<'a>(body: &'a Value, name: &str) -> &'a Value {
    body["settings"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()
}

impl World {
    async fn patch(&self, token: &str, headers: &[(&str, &str)], body: Value) -> super::Reply {
        self.call("PATCH", PATH, token, headers, Some(body)).await
    }
}

#[tokio::test]
async fn every_setting_is_told_with_where_it_comes_from() {
    let world = World::new();
    let admin = world.admin().await;
    let reply = world.get(PATH, &admin).await.expect(200);
    assert_eq!(reply.header("etag"), "");
    let body = reply.json();
    assert_eq!(body["settings"].as_array().unwrap().len(), SETTINGS.len());
    let references = named(&body, "references");
    assert_eq!(
        (references["value"].as_str(), references["default"].as_str(), references["origin"].as_str()),
        (Some("checked"), Some("recorded"), Some("environment"))
    );
    assert_eq!(named(&body, "log_level")["origin"], "default");
}

#[tokio::test]
async fn a_change_counts_at_once_says_who_made_it_and_is_on_the_log() {
    let world = World::new();
    let admin = world.admin().await;
    let reference = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "Patient/absent"}});
    world.post("/fhir/Observation", &admin, reference.clone()).await.expect(422);
    let reply = world.patch(&admin, &[], json!({"references": "recorded", "slow_request": "0250ms"})).await.expect(200);
    assert_eq!(reply.header("etag"), "W/\"1\"");
    let body = reply.json();
    let changed = named(&body, "references");
    assert_eq!((changed["value"].as_str(), changed["origin"].as_str()), (Some("recorded"), Some("api")));
    assert_eq!((changed["start"].as_str(), changed["changed_by_name"].as_str()), (Some("checked"), Some("root")));
    assert!(changed["changed_at"].is_string() && changed["changed_by"].is_string());
    assert_eq!(named(&body, "slow_request")["value"], "250ms");
    assert_eq!(world.app.settings.slow_request(), Duration::from_millis(250));
    world.post("/fhir/Observation", &admin, reference.clone()).await.expect(201);
    // Back to what counted at the start; what is not named stays.
    let body = world.patch(&admin, &[], json!({"references": null})).await.expect(200).json();
    assert_eq!(named(&body, "references")["origin"], "environment");
    assert_eq!(named(&body, "slow_request")["origin"], "api");
    world.post("/fhir/Observation", &admin, reference).await.expect(422);
    world.app.audit.settle();
    let log = world.get("/api/v1/audit/logs?action=config.change", &admin).await.expect(200).json();
    let details: Vec<&str> = log["items"].as_array().unwrap().iter().filter_map(|one| one["detail"].as_str()).collect();
    assert_eq!(details, ["references as at the start", "references=recorded, slow_request=250ms"]);
}

#[tokio::test]
async fn wrong_names_and_values_come_all_at_once_and_change_nothing() {
    let world = World::new();
    let admin = world.admin().await;
    let wrong = json!({"log_level": "loud", "session_idle": "1m", "colour": "red", "flag_docs": true});
    let problem = world.patch(&admin, &[], wrong).await.expect(422).json();
    let mut places: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().filter_map(|fault| fault["pointer"].as_str()).collect();
    places.sort_unstable();
    assert_eq!(places, ["/colour", "/flag_docs", "/log_level", "/session_idle"]);
    // Each is a value; together they are none.
    let problem = world.patch(&admin, &[], json!({"session_idle": "13h"})).await.expect(422).json();
    assert_eq!(problem["errors"][0]["pointer"], "/session_idle");
    let body = world.get(PATH, &admin).await.json();
    assert!(body["settings"].as_array().unwrap().iter().all(|one| one["origin"] != "api"));
}

#[tokio::test]
async fn who_read_something_older_is_told() {
    let world = World::new();
    let admin = world.admin().await;
    // Before the first change there is no version that could be meant.
    world.patch(&admin, &[("if-match", "W/\"1\"")], json!({"log_level": "warn"})).await.expect(412);
    world.patch(&admin, &[], json!({"log_level": "warn"})).await.expect(200);
    let reply = world.patch(&admin, &[("if-match", "W/\"1\"")], json!({"log_level": "error"})).await.expect(200);
    assert_eq!(reply.header("etag"), "W/\"2\"");
    let late = world.patch(&admin, &[("if-match", "W/\"1\"")], json!({"log_level": "debug"})).await.expect(412);
    assert_eq!(late.json()["current_version"], 2);
    assert_eq!(named(&world.get(PATH, &admin).await.json(), "log_level")["value"], "error");
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_there_afterwards() {
    let world = World::new();
    let admin = world.admin().await;
    let names = ["client_ids", "references", "flag_docs", "flag_audit_export"];
    let bodies = ["refused", "recorded", "off", "off"].iter().zip(names).map(|(value, name)| json!({name: value}));
    let replies = futures_util::future::join_all(bodies.map(|body| world.patch(&admin, &[], body))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let body = world.get(PATH, &admin).await.json();
    assert!(names.iter().all(|name| named(&body, name)["origin"] == "api"));
}

#[tokio::test]
async fn a_feature_is_switched_off_and_on() {
    let world = World::new();
    let admin = world.admin().await;
    let flag = "/api/v1/config/flags/docs";
    assert_eq!(world.get(flag, &admin).await.expect(200).json()["enabled"], true);
    world.get("/openapi.json", "").await.expect(200);
    let reply = world.put(flag, &admin, json!({"enabled": false})).await.expect(200);
    assert_eq!((reply.json()["enabled"].as_bool(), reply.json()["name"].as_str()), (Some(false), Some("docs")));
    world.get("/openapi.json", "").await.expect(404);
    world.get("/docs", "").await.expect(404);
    world.put(flag, &admin, json!({"enabled": true})).await.expect(200);
    world.get("/docs", "").await.expect(200);
    world.put("/api/v1/config/flags/audit_export", &admin, json!({"enabled": false})).await.expect(200);
    world.get("/api/v1/audit/export", &admin).await.expect(403);
    world.get("/api/v1/config/flags/log_level", &admin).await.expect(404);
    world.put(flag, &admin, json!({"enabled": "yes", "x": 1})).await.expect(422);
}

#[tokio::test]
async fn the_administrator_of_another_tenant_decides_for_nobody() {
    let world = World::new();
    let platform = std::sync::Arc::new(Caller::system(Tenant::PLATFORM, "test", "c-1"));
    let permit = decide(&platform, Create, &Facts::named(Named::Accounts)).unwrap();
    let tenant = Tenant(world.identity.tenant_create(&permit, "north").await.unwrap().number);
    let system = std::sync::Arc::new(Caller::system(tenant, "test", "c-1"));
    let permit = decide(&system, Create, &Facts::named(Named::Accounts)).unwrap();
    let user = NewUser {
        name: "boss".to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
        roles: RoleSet::of(&[Role::Admin]),
        patient: None,
    };
    world.identity.user_create(&permit, user).await.unwrap();
    let body = json!({"username": "boss", "password": PASSWORD, "tenant": "north"});
    let reply = world.post("/api/v1/auth/login", "", body).await.expect(200);
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    world.get(PATH, &token).await.expect(403);
    world.patch(&token, &[], json!({"log_level": "debug"})).await.expect(403);
    world.get("/api/v1/config/flags/docs", &token).await.expect(403);
}

#[tokio::test]
async fn sessions_that_begin_after_a_change_last_as_it_says() {
    let world = World::new();
    let admin = world.admin().await;
    world.patch(&admin, &[], json!({"session_idle": "5m", "session_life": "1h"})).await.expect(200);
    let body = json!({"username": "root", "password": PASSWORD, "session": "cookie"});
    let headers = [("sec-fetch-site", "same-origin")];
    let reply = world.call("POST", "/api/v1/auth/login", "", &headers, Some(body)).await.expect(200);
    assert_eq!(reply.json()["session"]["idle_seconds"], 300);
}

/// What a restart finds, and what a change on another node is: the record changed in the store, and nobody told the settings.
#[tokio::test]
async fn a_change_made_elsewhere_counts_within_a_second() {
    let world = World::new();
    let admin = world.admin().await;
    let other = crate::settings::Settings::defaults();
    let following = crate::settings::follow(
        other.clone(),
        world.identity.clone(),
        world.app.records.clone(),
        world.app.store.clone(),
    );
    let following = tokio::spawn(following);
    let waited = async |wanted: Duration| {
        for _ in 0..100 {
            if other.slow_request() == wanted {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    };
    world.patch(&admin, &[], json!({"slow_request": "2s"})).await.expect(200);
    assert!(waited(Duration::from_secs(2)).await);
    world.patch(&admin, &[], json!({"slow_request": "3s"})).await.expect(200);
    assert!(waited(Duration::from_secs(3)).await);
    following.abort();
}

/// Settings as a database had them that a failover has set back since.
pub(super) fn lost(slow_request: &str) -> ChangedSettings {
    let one = json!({"value": slow_request, "by": uuid::Uuid::nil(), "by_name": "root", "at": 1});
    let one: ChangedSetting = serde_json::from_value(one).unwrap();
    let settings = BTreeMap::from([("slow_request".to_owned(), one)]);
    ChangedSettings { version: Some(Version(9)), at: Timestamp(1), settings }
}

#[tokio::test]
async fn what_a_failover_lost_counts_only_until_the_database_is_asked() {
    let world = World::new();
    let admin = world.admin().await;
    world.patch(&admin, &[], json!({"slow_request": "2s"})).await.expect(200);
    let (settings, access, records) = (&world.app.settings, &world.identity, &world.app.records);
    let before = settings.asking();
    settings.apply(before, lost("9s"), access, records);
    assert_eq!(settings.slow_request(), Duration::from_secs(9));
    // What was read before that, and comes late, is no reason to go back.
    let read = access.settings().unwrap();
    settings.apply(before, read, access, records);
    assert_eq!(settings.slow_request(), Duration::from_secs(9));
    let body = world.get(PATH, &admin).await.expect(200);
    assert_eq!((body.header("etag"), named(&body.json(), "slow_request")["value"].as_str()), ("W/\"1\"", Some("2s")));
    assert_eq!(settings.slow_request(), Duration::from_secs(2));
    world.patch(&admin, &[("if-match", "W/\"1\"")], json!({"slow_request": "3s"})).await.expect(200);
    assert_eq!(settings.slow_request(), Duration::from_secs(3));
}

#[tokio::test]
async fn a_node_that_starts_goes_by_what_was_changed_before_it_serves() {
    let world = World::new();
    let admin = world.admin().await;
    world.patch(&admin, &[], json!({"slow_request": "2s", "flag_docs": "off"})).await.expect(200);
    let start = crate::settings::Settings::defaults();
    assert!(start.docs());
    crate::settings::take_over(&start, &world.identity, &world.app.records).await;
    assert!(!start.docs() && start.slow_request() == Duration::from_secs(2));
}
