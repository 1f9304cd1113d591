use std::time::Duration;

use iris_access::Role;
use iris_audit::verify_file;
use serde_json::{Value, json};

use super::World;
use crate::app::{EXPORTS_MAX, LOOKUPS_MAX};

fn items(reply: &Value) -> &Vec<Value> {
    reply["items"].as_array().unwrap()
}

#[tokio::test]
async fn a_patient_sees_who_has_seen_their_record_and_no_more() {
    let world = World::new();
    let admin = world.admin().await;
    let jane = world.patient(&admin, "Jane", "Doe").await;
    let john = world.patient(&admin, "John", "Doe").await;
    let nurse = world.user("nora", Role::Nurse, None).await;
    let own = world.user("jane", Role::Patient, Some(&jane)).await;
    world.get(&format!("/api/v1/patients/{jane}"), &nurse).await.expect(200);
    world.get(&format!("/api/v1/patients/{john}"), &nurse).await.expect(200);
    world.get("/api/v1/patients?last_name=Doe", &nurse).await.expect(200);

    let path = format!("/api/v1/audit/patients/{jane}/disclosures");
    let reply = world.get(&path, &own).await.expect(200);
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert!(!text.contains(&john), "another patient shows: {text}");
    let reply = reply.json();
    let actions: Vec<&str> = items(&reply).iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["phi.search", "phi.read", "phi.create"]);
    assert_eq!((&reply["next_cursor"], &reply["pending"]), (&json!(null), &json!(0)));
    for entry in items(&reply) {
        assert_eq!(entry["proof_state"], "proven");
        assert_eq!(entry["patient_ids"], json!([jane]));
        for hidden in ["address", "user_agent", "detail", "correlation_id"] {
            assert!(entry.get(hidden).is_none(), "{hidden}: {entry}");
        }
    }
    assert_eq!(items(&reply)[0]["user_name"], "nora");
    assert!(items(&reply)[1]["resources"][0].as_str().unwrap().starts_with(&format!("Patient/{jane}")));

    // The own look is in the list of the next.
    let again = world.get(&path, &own).await.expect(200).json();
    assert_eq!(items(&again)[0]["action"], "audit.disclosures");
    assert_eq!(items(&again)[0]["user_name"], "jane");
    // Others' records are not there for a patient, and the refusal is on the log.
    world.get(&format!("/api/v1/audit/patients/{john}/disclosures"), &own).await.expect(404);
    world.get("/api/v1/audit/patients/no..thing!/disclosures", &own).await.expect(404);
    for path in ["/api/v1/audit/logs", "/api/v1/audit/logs/1", "/api/v1/audit/checkpoints", "/api/v1/audit/export"] {
        world.get(path, &own).await.expect(403);
    }
    let denied = world.get("/api/v1/audit/logs?outcome=denied&user_name=jane", &admin).await.expect(200).json();
    assert!(items(&denied).iter().any(|e| e["detail"].as_str().unwrap().contains("disclosures")), "{denied}");
}

#[tokio::test]
async fn disclosures_are_for_auditors_too_and_for_no_clinician() {
    let world = World::new();
    let admin = world.admin().await;
    let jane = world.patient(&admin, "Jane", "Doe").await;
    let auditor = world.user("otto", Role::Auditor, None).await;
    for _ in 0..3 {
        world.get(&format!("/fhir/Patient/{jane}"), &admin).await.expect(200);
    }
    let path = format!("/api/v1/audit/patients/{jane}/disclosures");
    for role in [Role::Physician, Role::Nurse, Role::Registrar] {
        let token = world.user(&format!("u-{role}"), role, None).await;
        let refused = world.get(&path, &token).await.expect(403).json();
        assert!(refused["detail"].as_str().unwrap().contains("audit:read"), "{refused}");
    }
    let whole = world.get(&path, &auditor).await.expect(200).json();
    assert_eq!(items(&whole).len(), 4);
    assert!(items(&whole)[0]["correlation_id"].is_string(), "an auditor sees all of an entry");
    let mut paged = Vec::new();
    let mut next = String::new();
    loop {
        let page = world.get(&format!("{path}?limit=2&date_to=2999-01-01{next}"), &auditor).await.expect(200).json();
        paged.extend(items(&page).iter().filter(|entry| entry["action"] != "audit.disclosures").cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(&paged, items(&whole));
    let later = world.get(&format!("{path}?date_from=2999-01-01"), &auditor).await.expect(200).json();
    assert!(items(&later).is_empty());
    for (query, status) in
        [("date_from=soon", 422), ("limit=0", 422), ("limit=101", 422), ("cursor=x", 400), ("user_id=1", 400)]
    {
        world.get(&format!("{path}?{query}"), &auditor).await.expect(status);
    }
}

#[tokio::test]
async fn every_entry_says_whether_it_is_proven() {
    let world = World::new();
    let admin = world.admin().await;
    let list = world.get("/api/v1/audit/logs", &admin).await.expect(200).json();
    assert!(!items(&list).is_empty() && items(&list).iter().all(|entry| entry["proof_state"] == "proven"));
    let id = items(&list)[0]["id"].as_str().unwrap();
    let entry = world.get(&format!("/api/v1/audit/logs/{id}"), &admin).await.expect(200).json();
    assert_eq!(&entry, &items(&list)[0]);
}

#[tokio::test]
async fn checkpoints_are_listed_newest_first() {
    let world = World::new();
    let admin = world.admin().await;
    for _ in 0..3 {
        world.get("/api/v1/audit/logs?limit=1", &admin).await.expect(200);
    }
    let list = world.get("/api/v1/audit/checkpoints?limit=2", &admin).await.expect(200).json();
    let sizes: Vec<u64> = items(&list).iter().map(|item| item["size"].as_u64().unwrap()).collect();
    assert!(sizes.len() == 2 && sizes[0] > sizes[1], "{list}");
    for item in items(&list) {
        let note = item["note"].as_str().unwrap();
        let opened = world.app.audit.public_key().open(note).unwrap();
        assert_eq!(opened.size, item["size"].as_u64().unwrap());
        assert!(note.contains(item["root"].as_str().unwrap()) && item["timestamp"].is_string());
    }
    let cursor = list["next_cursor"].as_str().unwrap();
    let more = world.get(&format!("/api/v1/audit/checkpoints?cursor={cursor}"), &admin).await.expect(200).json();
    assert!(items(&more)[0]["size"].as_u64().unwrap() < sizes[1]);
    world.get("/api/v1/audit/checkpoints?cursor=!", &admin).await.expect(400);
    world.get("/api/v1/audit/checkpoints?limit=x", &admin).await.expect(422);
}

#[tokio::test]
async fn positions_beyond_every_log_are_answered_as_such() {
    let world = World::new();
    let admin = world.admin().await;
    let last = "__________8";
    for path in ["/api/v1/audit/checkpoints", "/api/v1/audit/logs", "/api/v1/audit/patients/x/disclosures"] {
        let list = world.get(&format!("{path}?cursor={last}"), &admin).await.expect(200).json();
        assert!(list["items"].is_array(), "{path}");
        let none = world.get(&format!("{path}?cursor=AAAAAAAAAAA"), &admin).await.expect(200).json();
        assert_eq!((&none["items"], &none["next_cursor"]), (&json!([]), &json!(null)), "{path}");
    }
    for id in [u64::MAX.to_string(), i64::MAX.to_string(), (1_u64 << 63).to_string(), "999".to_owned(), "-1".to_owned()]
    {
        for path in [format!("/api/v1/audit/logs/{id}"), format!("/api/v1/audit/logs/{id}/proof")] {
            world.get(&path, &admin).await.expect(404);
        }
    }
}

/// Failures are counted by address too: all people behind a proxy must not be locked out by one.
#[tokio::test]
async fn behind_a_proxy_an_entry_has_the_address_that_the_proxy_has_seen() {
    for (behind_proxy, expected) in [(true, json!("192.0.2.7")), (false, Value::Null)] {
        let world = World::made("https://iris.test", behind_proxy);
        let admin = world.admin().await;
        let headers = [("x-forwarded-for", "10.9.9.9, 192.0.2.7")];
        world.call("GET", "/api/v1/admin/users", &admin, &headers, None).await.expect(200);
        let list = world.get("/api/v1/audit/logs?action=user.read", &admin).await.expect(200).json();
        assert_eq!(items(&list)[0]["address"], expected, "{list}");
    }
}

/// Each look opens up to 20,000 entries, and patients may look as well: the rest of the server must not wait for them.
#[tokio::test]
async fn only_so_many_look_into_the_log_at_once() {
    let world = World::new();
    let admin = world.admin().await;
    let held = world.app.lookups.clone().acquire_many_owned(u32::try_from(LOOKUPS_MAX).unwrap()).await.unwrap();
    let waited = Duration::from_millis(200);
    let path = "/api/v1/audit/patients/x/disclosures";
    assert!(tokio::time::timeout(waited, world.get(path, &admin)).await.is_err(), "it waits for its turn");
    world.get("/api/v1/auth/me", &admin).await.expect(200);
    drop(held);
    world.get(path, &admin).await.expect(200);
    let held = world.app.exports.clone().acquire_many_owned(u32::try_from(EXPORTS_MAX).unwrap()).await.unwrap();
    world.post("/api/v1/audit/verify-integrity", &admin, json!({})).await.expect(429);
    drop(held);
    world.post("/api/v1/audit/verify-integrity", &admin, json!({})).await.expect(200);
}

#[tokio::test]
async fn an_export_is_what_the_offline_check_reads() {
    let world = World::new();
    let admin = world.admin().await;
    let jane = world.patient(&admin, "Jane", "Doe").await;
    let nurse = world.user("nora", Role::Nurse, None).await;
    let auditor = world.user("otto", Role::Auditor, None).await;
    world.get("/api/v1/audit/export", &nurse).await.expect(403);
    world.get("/api/v1/audit/export?from=1", &auditor).await.expect(400);
    let reply = world
        .call("GET", "/api/v1/audit/export", &auditor, &[("accept", "application/x-ndjson")], None)
        .await
        .expect(200);
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    assert_eq!(reply.header("content-disposition"), "attachment; filename=\"iris-audit.ndjson\"");
    assert_eq!(reply.header("cache-control"), "no-store");
    let report = verify_file(&mut reply.body.as_slice(), &world.app.audit.public_key()).unwrap();
    assert!(report.good() && report.size > 4, "{report:?}");
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.contains(&jane), "entries of the own tenant are opened");
    let log = world.get("/api/v1/audit/logs?action=audit.export", &admin).await.expect(200).json();
    assert_eq!((items(&log).len(), &items(&log)[0]["user_name"]), (1, &json!("otto")));

    // HEAD takes nothing away, so the log must not say that somebody has.
    let head = world.call("HEAD", "/api/v1/audit/export", &auditor, &[], None).await.expect(200);
    assert_eq!((head.header("content-type"), head.body.len()), ("application/x-ndjson", 0));
    world.call("HEAD", "/api/v1/audit/export", &nurse, &[], None).await.expect(403);
    let log = world.get("/api/v1/audit/logs?action=audit.export", &admin).await.expect(200).json();
    assert_eq!(items(&log).len(), 1, "{log}");

    let held = world.app.exports.clone().acquire_many_owned(u32::try_from(EXPORTS_MAX).unwrap()).await.unwrap();
    world.get("/api/v1/audit/export", &auditor).await.expect(429);
    drop(held);
    world.get("/api/v1/audit/export", &auditor).await.expect(200);
}

/// An answer that has begun can only be cut; one that cannot begin says so, and when to come back.
#[tokio::test]
async fn an_export_that_cannot_begin_is_refused_and_not_cut() {
    let world = World::new();
    let auditor = world.user("otto", Role::Auditor, None).await;
    world.app.audit.close();
    let reply = world.get("/api/v1/audit/export", &auditor).await.expect(503);
    assert_eq!((reply.header("content-type"), reply.header("retry-after")), ("application/problem+json", "2"));
    assert_eq!(reply.json()["error_type"], "unavailable");
}

#[tokio::test]
async fn every_action_of_the_catalogue_is_told_in_words() {
    let world = World::new();
    let nurse = world.user("nora", Role::Nurse, None).await;
    let list = world.get("/api/v1/audit/actions", &nurse).await.expect(200).json();
    assert_eq!(items(&list).len(), iris_audit::Action::ALL.len());
    assert_eq!(
        items(&list)[0],
        json!({"action": "login.success", "what": "A user proved who they are and got a session."})
    );
    world.get("/api/v1/audit/actions", "").await.expect(401);
}
