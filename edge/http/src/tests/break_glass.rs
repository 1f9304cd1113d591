//! Emergencies: what is closed opens for one person, one patient and a while, and somebody else looks at it afterwards.

use std::time::Duration;

use iris_access::Role;
use serde_json::{Value, json};

use super::{Reply, World};

const PATH: &str = "/api/v1/break-glass";

struct Emergency {
    world: World,
    admin: String,
    nurse: String,
    patient: String,
}

impl Emergency {
    /// A patient who has denied everything to everybody.
    async fn new() -> Self {
        let world = World::new();
        let admin = world.admin().await;
        let nurse = world.user("joy", Role::Nurse, None).await;
        let patient = world.patient(&admin, "Ann", "Abbott").await;
        let path = format!("/api/v1/patients/{patient}/consents");
        world.post(&path, &admin, json!({"decision": "deny"})).await.expect(201);
        Self { world, admin, nurse, patient }
    }

    fn path(&self) -> String {
        format!("/api/v1/patients/{}", self.patient)
    }

    async fn opened(&self, body: Value) -> Reply {
        let mut body = body;
        body["patient_id"] = json!(self.patient);
        self.world.post(PATH, &self.nurse, body).await
    }
}

#[tokio::test]
async fn a_broken_glass_opens_one_record_for_one_person_and_a_while_and_every_answer_says_so() {
    let one = Emergency::new().await;
    one.world.get(&one.path(), &one.nurse).await.expect(404);
    let glass = one.opened(json!({"reason": "unconscious", "minutes": 10})).await.expect(201);
    let id = glass.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(glass.header("location"), format!("{PATH}/{id}"));
    for path in [one.path(), format!("/fhir/Patient/{}", one.patient), "/fhir/Patient?family=Abbott".to_owned()] {
        let reply = one.world.get(&path, &one.nurse).await.expect(200);
        assert_eq!(reply.header("x-iris-break-glass"), id, "{path}");
    }
    let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": format!("Patient/{}", one.patient)}});
    let written = one.world.post("/fhir/Observation", &one.nurse, observation).await.expect(201);
    assert_eq!(written.header("x-iris-break-glass"), id);
    // Nobody else, and nobody else's record.
    let other = one.world.user("mary", Role::Nurse, None).await;
    one.world.get(&one.path(), &other).await.expect(404);
    one.world.get(&one.path(), &one.admin).await.expect(404);
    let bell = one.world.patient(&one.admin, "Bea", "Bell").await;
    let reply = one.world.get(&format!("/api/v1/patients/{bell}"), &one.nurse).await.expect(200);
    assert_eq!(reply.header("x-iris-break-glass"), "");
    one.world.clock.advance(Duration::from_secs(601));
    one.world.get(&one.path(), &one.nurse).await.expect(404);
    assert_eq!(one.world.get(&format!("{PATH}/{id}"), &one.nurse).await.expect(200).json()["open"], false);
    one.world.app.audit.settle();
    let log = one.world.get("/api/v1/audit/logs?action=breakglass.start", &one.admin).await.expect(200).json();
    assert_eq!(log["items"][0]["detail"], "10 minutes: unconscious");
}

#[tokio::test]
async fn it_needs_a_reason_a_patient_a_time_and_the_permission() {
    let one = Emergency::new().await;
    let problem = one.world.post(PATH, &one.nurse, json!({"minutes": "ten", "x": 1})).await.expect(422).json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 4, "{problem}");
    one.opened(json!({"reason": "  "})).await.expect(422);
    for minutes in [0, 61] {
        one.opened(json!({"reason": "unconscious", "minutes": minutes})).await.expect(422);
    }
    one.opened(json!({"reason": "unconscious", "minutes": 60})).await.expect(201);
    let absent = json!({"patient_id": "absent", "reason": "unconscious"});
    one.world.post(PATH, &one.nurse, absent).await.expect(404);
    let registrar = one.world.user("rita", Role::Registrar, None).await;
    let body = json!({"patient_id": one.patient, "reason": "curious"});
    one.world.post(PATH, &registrar, body.clone()).await.expect(403);
    assert_eq!(one.world.get(PATH, &registrar).await.expect(200).json()["total"], 0, "none is theirs");
    let own = one.world.user("ann", Role::Patient, Some(&one.patient)).await;
    one.world.post(PATH, &own, body).await.expect(403);
}

#[tokio::test]
async fn somebody_else_reviews_it_once_and_one_without_an_emergency_ends() {
    let one = Emergency::new().await;
    let glass = one.opened(json!({"reason": "unconscious"})).await.expect(201).json();
    let path = format!("{PATH}/{}", glass["id"].as_str().unwrap());
    let auditor = one.world.user("ada", Role::Auditor, None).await;
    let verdict = json!({"verdict": "unjustified", "note": "She was awake."});
    one.world.post(&format!("{path}/review"), &one.nurse, verdict.clone()).await.expect(403);
    one.world.post(&format!("{path}/review"), &auditor, json!({"verdict": "justified"})).await.expect(422);
    let list = one.world.get(&format!("{PATH}?state=unreviewed"), &auditor).await.expect(200).json();
    assert_eq!((list["total"].as_u64(), list["items"][0]["reason"].as_str()), (Some(1), Some("unconscious")));
    let reviewed = one.world.post(&format!("{path}/review"), &auditor, verdict.clone()).await.expect(200).json();
    assert_eq!(
        (reviewed["open"].as_bool(), reviewed["review"]["note"].as_str()),
        (Some(false), Some("She was awake."))
    );
    one.world.get(&one.path(), &one.nurse).await.expect(404);
    one.world.post(&format!("{path}/review"), &auditor, verdict.clone()).await.expect(409);
    one.world.post(&format!("{PATH}/{}/review", uuid::Uuid::nil()), &auditor, verdict).await.expect(404);
    let list = one.world.get(&format!("{PATH}?state=unreviewed"), &auditor).await.expect(200).json();
    assert_eq!(list["total"], 0);
    one.world.get(&format!("{PATH}?state=some"), &auditor).await.expect(422);
}

/// Attack: whoever may do both breaks the glass and approves of it.
#[tokio::test]
async fn nobody_reviews_their_own() {
    let one = Emergency::new().await;
    let body = json!({"patient_id": one.patient, "reason": "unconscious"});
    let glass = one.world.post(PATH, &one.admin, body).await.expect(201).json();
    let path = format!("{PATH}/{}/review", glass["id"].as_str().unwrap());
    let verdict = json!({"verdict": "justified", "note": "I say so."});
    one.world.post(&path, &one.admin, verdict).await.expect(409);
    one.world.app.audit.settle();
    let log = one.world.get("/api/v1/audit/logs?action=breakglass.review", &one.admin).await.expect(200).json();
    assert_eq!(log["items"][0]["outcome"], "denied");
}

#[tokio::test]
async fn the_list_pages_and_shows_each_one_their_own() {
    let one = Emergency::new().await;
    let other = one.world.user("mary", Role::Nurse, None).await;
    for token in [&one.nurse, &other, &one.nurse, &one.nurse] {
        one.world.clock.advance(Duration::from_secs(1));
        let body = json!({"patient_id": one.patient, "reason": "unconscious"});
        one.world.post(PATH, token, body).await.expect(201);
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = one.world.get(&format!("{PATH}?limit=2{cursor}"), &one.admin).await.expect(200).json();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["opened_at"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let mut sorted = seen.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!((seen.len(), &seen), (4, &sorted));
    assert_eq!(one.world.get(PATH, &one.nurse).await.expect(200).json()["total"], 3);
    one.world.get(&format!("{PATH}?cursor=x"), &one.admin).await.expect(422);
}
