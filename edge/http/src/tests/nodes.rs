//! Two nodes over one PostgreSQL database, from outside: what is made once is made once, and what one stores the other finds.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::place::Place;
use super::settings::lost;
use super::{BASE, Reply, World};

const CONFIG: &str = "/api/v1/config";
const STRONG: (&str, &str) = ("x-iris-consistency", "strong");

/// Asks both nodes in turn, all at once, each from a thread of its own.
fn at_once(nodes: &[World; 2], count: usize, ask: impl AsyncFn(&World, usize) -> Reply + Sync) -> Vec<Reply> {
    let one = |number: usize| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(ask(&nodes[number % 2], number))
    };
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn({
                    let one = &one;
                    move || one(number)
                })
            })
            .collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn statuses(replies: &[Reply]) -> Vec<u16> {
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses
}

fn patient(family: &str) -> Value {
    json!({"resourceType": "Patient", "name": [{"family": family}], "identifier": [{"system": "urn:x", "value": family}]})
}

fn total(reply: &Reply) -> u64 {
    reply.json()["total"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_stored_is_found_on_the_other() {
    let Some(nodes) = World::two() else { return };
    let token = nodes[0].admin().await;
    for round in 0..6 {
        let (writer, reader) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let family = format!("Abbott{round}");
        let made = writer.call("POST", "/fhir/Patient", &token, &[], Some(patient(&family))).await.expect(201);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        reader.get(&format!("/fhir/Patient/{id}"), &token).await.expect(200);
        let path = format!("/fhir/Patient?family={family}&_total=accurate");
        let found = reader.call("GET", &path, &token, &[STRONG], None).await.expect(200);
        assert_eq!(total(&found), 1, "at once, if asked for");
        // What refers to it is taken at once too.
        let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": format!("Patient/{id}")}});
        reader.call("POST", "/fhir/Observation", &token, &[], Some(observation)).await.expect(201);
        writer.call("DELETE", &format!("/fhir/Patient/{id}"), &token, &[], None).await.expect(204);
        let found = reader.call("GET", &path, &token, &[STRONG], None).await.expect(200);
        assert_eq!(total(&found), 0);
    }
    nodes[0].call("POST", "/fhir/Patient", &token, &[], Some(patient("Last"))).await.expect(201);
    let by_itself = async {
        while total(&nodes[1].get("/fhir/Patient?family=Last&_total=accurate", &token).await.expect(200)) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), by_itself).await.expect("within a second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_conditional_creates_make_one() {
    let Some(nodes) = World::two() else { return };
    let token = nodes[0].admin().await;
    let replies = at_once(&nodes, 50, async |node, _| {
        let header = [("if-none-exist", "identifier=urn:x|Abbott")];
        node.call("POST", "/fhir/Patient", &token, &header, Some(patient("Abbott"))).await
    });
    let statuses = statuses(&replies);
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 201)), "{statuses:?}");
    let ids: HashSet<String> = replies.iter().map(|reply| reply.json()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
    for node in &nodes {
        let found = node.call("GET", "/fhir/Patient?_total=accurate", &token, &[STRONG], None).await.expect(200);
        assert_eq!(total(&found), 1);
    }
    // In bundles, and with a reference to what is made.
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:11111111-1111-4111-8111-111111111111", "resource": patient("Bell"),
         "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:x|Bell"}},
        {"resource": {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": "urn:uuid:11111111-1111-4111-8111-111111111111"}},
         "request": {"method": "POST", "url": "Observation"}}]});
    let replies =
        at_once(&nodes, 8, async |node, _| node.call("POST", "/fhir", &token, &[], Some(bundle.clone())).await);
    for reply in replies {
        reply.expect(200);
    }
    let path = "/fhir/Patient?identifier=urn:x|Bell&_total=accurate";
    assert_eq!(total(&nodes[1].call("GET", path, &token, &[STRONG], None).await.expect(200)), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_one_number_one_version() {
    let Some(nodes) = World::two() else { return };
    let token = nodes[0].admin().await;
    let body = json!({"first_name": "Ann", "last_name": "Abbott", "date_of_birth": "1985-05-15"});
    let replies = at_once(&nodes, 12, async |node, _| {
        node.call("POST", "/api/v1/patients", &token, &[("idempotency-key", "k-1")], Some(body.clone())).await
    });
    let ids: HashSet<String> = replies.iter().map(|reply| reply.json()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((statuses(&replies), ids.len()), (vec![201; 12], 1), "one idempotency key");

    let mut body = body;
    body["medical_record_number"] = json!("MRN-77");
    let replies = at_once(&nodes, 8, async |node, _| node.post("/api/v1/patients", &token, body.clone()).await);
    let numbers = statuses(&replies);
    assert_eq!(numbers.iter().filter(|status| **status == 201).count(), 1, "one record number: {numbers:?}");
    assert!(numbers.iter().all(|status| matches!(status, 201 | 409)), "{numbers:?}");

    let named = |family: &str| {
        let mut resource = patient(family);
        resource["id"] = json!("chosen");
        resource
    };
    let replies = at_once(&nodes, 6, async |node, number| {
        let resource = Some(named(&format!("Bell{number}")));
        node.call("PUT", "/fhir/Patient/chosen", &token, &[("if-none-match", "*")], resource).await
    });
    assert_eq!(statuses(&replies), [vec![201], vec![412; 5]].concat(), "one maker");
    let replies = at_once(&nodes, 6, async |node, number| {
        let resource = Some(named(&format!("Carter{number}")));
        node.call("PUT", "/fhir/Patient/chosen", &token, &[("if-match", "W/\"1\"")], resource).await
    });
    assert_eq!(statuses(&replies), [vec![200], vec![412; 5]].concat(), "one change of a version");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_locked_out_on_one_node_is_out_on_the_other_within_a_second() {
    let Some(nodes) = World::two() else { return };
    let admin = nodes[0].admin().await;
    let nurse = nodes[0].user("joy", iris_access::Role::Nurse, None).await;
    nodes[1].get("/api/v1/patients", &nurse).await.expect(200);
    let users = nodes[0].get("/api/v1/admin/users", &admin).await.expect(200).json();
    let id = users["items"].as_array().unwrap().iter().find(|user| user["username"] == "joy").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    nodes[0].post(&format!("/api/v1/admin/users/{id}/lock"), &admin, json!({})).await.expect(200);
    let out = async {
        while nodes[1].get("/api/v1/patients", &nurse).await.status != 401 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), out).await.expect("within a second");
    let admin_there = nodes[1].get("/api/v1/auth/me", &admin).await.expect(200);
    assert_eq!(admin_there.json()["username"], "root");
}

/// Waits until `there` holds, a second at most.
async fn within_a_second(what: &str, there: impl AsyncFn() -> bool) {
    let by_itself = async {
        while !there().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), by_itself).await.unwrap_or_else(|_| panic!("within a second: {what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_setting_that_is_changed_on_one_node_counts_on_the_other_and_is_on_the_one_log() {
    let Some(nodes) = World::two() else { return };
    let following = nodes.each_ref().map(|node| tokio::spawn(node.app.follow_settings()));
    let admin = nodes[0].admin().await;
    let absent = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "Patient/absent"}});
    nodes[1].post("/fhir/Observation", &admin, absent.clone()).await.expect(422);
    let change = json!({"references": "recorded", "slow_request": "2s"});
    nodes[0].call("PATCH", CONFIG, &admin, &[], Some(change)).await.expect(200);
    // Nobody asks that node for its settings: it hears of them.
    within_a_second("references", async || {
        nodes[1].post("/fhir/Observation", &admin, absent.clone()).await.status == 201
    })
    .await;
    assert_eq!(nodes[1].app.settings.slow_request(), Duration::from_secs(2));
    nodes[1].put("/api/v1/config/flags/docs", &admin, json!({"enabled": false})).await.expect(200);
    within_a_second("flag", async || nodes[0].get("/docs", "").await.status == 404).await;
    for node in &nodes {
        let reply = node.get(CONFIG, &admin).await.expect(200);
        assert_eq!(reply.header("etag"), "W/\"2\"");
        node.app.audit.settle();
        let log = node.get("/api/v1/audit/logs?action=config.change", &admin).await.expect(200).json();
        let details: Vec<_> =
            log["items"].as_array().unwrap().iter().filter_map(|one| one["detail"].as_str()).collect();
        assert_eq!(details, ["flag_docs=off", "references=recorded, slow_request=2s"]);
    }
    // Changes of both at once are all there, and who read something older is told so, on whatever node.
    let bodies = [json!({"client_ids": "refused"}), json!({"log_level": "warn"})];
    let replies = at_once(&nodes, 8, async |node, number| {
        node.call("PATCH", CONFIG, &admin, &[], Some(bodies[number % 2].clone())).await
    });
    assert_eq!(statuses(&replies), vec![200; 8]);
    assert_eq!(nodes[1].get(CONFIG, &admin).await.header("etag"), "W/\"10\"");
    let late = json!({"log_level": "info"});
    nodes[1].call("PATCH", CONFIG, &admin, &[("if-match", "W/\"9\"")], Some(late)).await.expect(412);
    following.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_setting_that_a_failover_lost_does_not_go_on_counting() {
    let Some(nodes) = World::two() else { return };
    let admin = nodes[0].admin().await;
    let change = json!({"slow_request": "2s"});
    nodes[0].call("PATCH", CONFIG, &admin, &[], Some(change)).await.expect(200);
    let app = &nodes[1].app;
    let following = tokio::spawn(app.follow_settings());
    within_a_second("heard of", async || app.settings.slow_request() == Duration::from_secs(2)).await;
    app.settings.apply(app.settings.asking(), lost("9s"), &app.identity, &app.records);
    assert_eq!(app.settings.slow_request(), Duration::from_secs(9));
    // Nobody changes anything, so nobody is told of anything.
    let by_itself = async {
        while app.settings.slow_request() != Duration::from_secs(2) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), by_itself).await.expect("it is asked again");
    following.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_is_ended_on_one_node_is_over_on_the_other() {
    let Some(nodes) = World::two() else { return };
    let admin = nodes[0].admin().await;
    let nurse = nodes[0].user("joy", iris_access::Role::Nurse, None).await;
    for node in &nodes {
        node.get("/api/v1/auth/me", &nurse).await.expect(200);
    }
    nodes[0].post("/api/v1/auth/logout", &nurse, json!({})).await.expect(204);
    within_a_second("logout", async || nodes[1].get("/api/v1/auth/me", &nurse).await.status == 401).await;
    nodes[1].app.audit.settle();
    let log = nodes[1].get("/api/v1/audit/logs?action=logout", &admin).await.expect(200).json();
    assert_eq!(log["items"].as_array().unwrap().len(), 1);
}

/// The index in a node's folder is of a history that the database has lost, and others have written past the place.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_starts_again_after_its_writes_were_lost_finds_what_the_database_has() {
    let Some(place) = Place::shared().map(Arc::new) else { return };
    let node = |seed| World::node(Arc::clone(&place), (BASE, false), seed, Arc::default());
    let families = async |node: &World, token: &str| {
        let found = node.call("GET", "/fhir/Patient", token, &[STRONG], None).await.expect(200).json();
        let entries = found["entry"].as_array().cloned().unwrap_or_default();
        let family = |entry: &Value| entry["resource"]["name"][0]["family"].as_str().unwrap().to_owned();
        let mut families: Vec<String> = entries.iter().map(family).collect();
        families.sort_unstable();
        families
    };
    // The folder of a node that starts again. Chance starts with another seed, as it does in earnest.
    let moved = |old: u64, new: u64| {
        let folder = |seed| place.folder.path().join(format!("node{seed}"));
        std::fs::rename(folder(old), folder(new)).unwrap();
        node(new)
    };
    let lose = |after: u64| {
        place.sql(&format!(
            "set iris.tenant = '*'; delete from version where seq > {after}; delete from current where seq > {after}; \
             delete from claim where record not in (select record from current); update head set seq = {after} + 1"
        ));
    };
    let first = node(7);
    let token = first.admin().await;
    first.post("/fhir/Patient", &token, patient("Abbott")).await.expect(201);
    let kept = first.app.store.head().0;
    for family in ["Lost1", "Lost2"] {
        first.post("/fhir/Patient", &token, patient(family)).await.expect(201);
    }
    first.app.index.flush().unwrap();
    drop(first);
    lose(kept);
    let again = moved(7, 9);
    assert_eq!(families(&again, &token).await, ["Abbott"], "the index was ahead of the database");
    again.post("/fhir/Patient", &token, patient("Lost3")).await.expect(201);
    again.app.index.flush().unwrap();
    drop(again);
    lose(kept);
    let other = node(8);
    for family in ["Bell", "Carter", "Dunn"] {
        other.post("/fhir/Patient", &token, patient(family)).await.expect(201);
    }
    let again = moved(9, 10);
    for node in [&again, &other] {
        assert_eq!(families(node, &token).await, ["Abbott", "Bell", "Carter", "Dunn"]);
    }
    assert!(again.app.index.verify().unwrap().is_good());
}
