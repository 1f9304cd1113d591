//! What is closed to somebody is closed to their writes as well, and to their consents, care teams, emergencies and slow bodies.
//! Each test is an attack, or what an honest caller needs in spite of it.

mod consents;
mod emergencies;
mod registering;
mod slow;
mod values;
mod writes;

use iris_access::Role;
use serde_json::{Value, json};

use super::{Reply, World};

const POLICY: &str = "/api/v1/admin/policy";

/// A clinic with one patient and people of several roles.
struct Ward {
    world: World,
    admin: String,
    registrar: String,
    physician: String,
    nurse: String,
    patient: String,
}

impl Ward {
    async fn new() -> Self {
        let world = World::new();
        let admin = world.admin().await;
        let registrar = world.user("rita", Role::Registrar, None).await;
        let physician = world.user("gray", Role::Physician, None).await;
        let nurse = world.user("joy", Role::Nurse, None).await;
        let patient = world.patient(&registrar, "Ann", "Abbott").await;
        Self { world, admin, registrar, physician, nurse, patient }
    }

    async fn policy(&self, policy: Value) {
        self.world.put(POLICY, &self.admin, policy).await.expect(200);
    }

    fn consents(&self) -> String {
        format!("/api/v1/patients/{}/consents", self.patient)
    }

    /// Records what the patient says; gives the consent's id.
    async fn consent(&self, body: Value) -> String {
        let made = self.world.post(&self.consents(), &self.registrar, body).await.expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    }

    async fn made(&self, token: &str, body: &Value) -> String {
        let path = format!("/fhir/{}", body["resourceType"].as_str().unwrap());
        self.world.post(&path, token, body.clone()).await.expect(201).json()["id"].as_str().unwrap().to_owned()
    }

    async fn account(&self, token: &str) -> String {
        let me = self.world.get("/api/v1/auth/me", token).await.expect(200).json();
        me["id"].as_str().unwrap().to_owned()
    }

    /// What the log has of an action, newest first.
    async fn logged(&self, action: &str) -> Vec<Value> {
        self.world.app.audit.settle();
        let path = format!("/api/v1/audit/logs?action={action}");
        let log = self.world.get(&path, &self.admin).await.expect(200).json();
        log["items"].as_array().unwrap().clone()
    }
}

fn about(kind: &str, patient: &str) -> Value {
    let mut body = json!({"resourceType": kind, "subject": {"reference": format!("Patient/{patient}")}});
    match kind {
        "Observation" => {
            body["status"] = json!("final");
            body["code"] = json!({"text": "canary"});
        }
        "Condition" => body["code"] = json!({"text": "canary"}),
        _ => {}
    }
    body
}

fn observation(patient: &str) -> Value {
    about("Observation", patient)
}

fn with_id(mut body: Value, id: &str) -> Value {
    body["id"] = json!(id);
    body
}

fn transaction(entries: &[Value]) -> Value {
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

fn glass(reply: &Reply) -> &str {
    reply.header("x-iris-break-glass")
}
