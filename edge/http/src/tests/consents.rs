//! Consents, care teams and the tenant's policy, end to end: what they close is closed on every path, and looks as if it were not
//! there.

use iris_access::Role;
use serde_json::{Value, json};
use std::time::Duration;

use super::{Reply, World};

const POLICY: &str = "/api/v1/admin/policy";

/// A clinic with a patient who has an observation.
struct Clinic {
    world: World,
    admin: String,
    registrar: String,
    nurse: String,
    patient: String,
    observation: String,
}

fn observation(patient: &str, label: Option<&str>) -> Value {
    let mut resource = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": format!("Patient/{patient}")}});
    if let Some(code) = label {
        resource["meta"] =
            json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code}]});
    }
    resource
}

impl Clinic {
    async fn new() -> Self {
        Self::of(World::new()).await
    }

    async fn of(world: World) -> Self {
        let admin = world.admin().await;
        let registrar = world.user("rita", Role::Registrar, None).await;
        let nurse = world.user("joy", Role::Nurse, None).await;
        let patient = world.patient(&registrar, "Ann", "Abbott").await;
        let made = world.post("/fhir/Observation", &admin, observation(&patient, None)).await.expect(201);
        let observation = made.json()["id"].as_str().unwrap().to_owned();
        Self { world, admin, registrar, nurse, patient, observation }
    }

    fn consents(&self) -> String {
        format!("/api/v1/patients/{}/consents", self.patient)
    }

    async fn consent(&self, body: Value) -> Value {
        self.world.post(&self.consents(), &self.registrar, body).await.expect(201).json()
    }

    async fn revoke(&self, id: &Value) -> Reply {
        let path = format!("{}/{}/revoke", self.consents(), id.as_str().unwrap());
        self.world.post(&path, &self.registrar, json!({"reason": "changed her mind"})).await
    }

    /// Every way to the patient's record, with the status for somebody to whom it is open.
    fn ways(&self) -> Vec<(String, u16)> {
        let (p, o) = (&self.patient, &self.observation);
        let plain = |tail: &str| format!("/api/v1/patients/{p}{tail}");
        vec![
            (plain(""), 200),
            (plain("/summary"), 200),
            (plain("/timeline"), 200),
            (plain("/lab-results"), 200),
            (plain("/care-team"), 200),
            (format!("/fhir/Patient/{p}"), 200),
            (format!("/fhir/Patient/{p}/_history/1"), 200),
            (format!("/fhir/Observation/{o}"), 200),
            (format!("/fhir/Observation/{o}/_history/1"), 200),
        ]
    }

    async fn total(&self, path: &str, token: &str) -> u64 {
        self.world.get(path, token).await.expect(200).json()["total"].as_u64().unwrap()
    }

    #[track_caller]
    fn same(path: &str, hidden: &Reply, absent: &Reply) {
        assert_eq!(hidden.status.as_u16(), 404, "{path}");
        let names = |reply: &Reply| reply.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!((hidden.status, names(hidden)), (absent.status, names(absent)), "{path}");
        let plain = |reply: &Reply| {
            let mut body = reply.json();
            body["correlation_id"] = Value::Null;
            body
        };
        assert_eq!(plain(hidden), plain(absent), "{path}");
    }

    async fn expect_closed(&self, token: &str) {
        for (path, _) in self.ways() {
            let absent = path.replace(&self.patient, "absent").replace(&self.observation, "absent");
            Self::same(&path, &self.world.get(&path, token).await, &self.world.get(&absent, token).await);
        }
        for path in [
            "/fhir/Patient?_total=accurate",
            "/fhir/Observation?_total=accurate",
            "/fhir/Patient?family=Abbott&_total=accurate",
        ] {
            assert_eq!(self.total(path, token).await, 0, "{path}");
        }
        let by_patient = format!("/fhir/Observation?patient={}&_summary=count", self.patient);
        assert_eq!(self.total(&by_patient, token).await, 0, "{by_patient}");
        let included = "/fhir/Observation?_include=Observation:subject&_total=accurate";
        assert!(!String::from_utf8_lossy(&self.world.get(included, token).await.body).contains("Abbott"));
    }

    async fn expect_open(&self, token: &str) {
        for (path, status) in self.ways() {
            assert_eq!(self.world.get(&path, token).await.status.as_u16(), status, "{path}");
        }
        assert_eq!(self.total("/fhir/Observation?_total=accurate", token).await, 1);
    }
}

#[tokio::test]
async fn a_denial_closes_every_way_at_once_and_taking_it_back_opens_them() {
    let clinic = Clinic::new().await;
    clinic.expect_open(&clinic.nurse).await;
    let made = clinic.consent(json!({"decision": "deny", "policy_text": "Nobody."})).await;
    assert_eq!((made["counts"].as_bool(), made["warnings"].as_array().map(Vec::len)), (Some(true), Some(0)));
    clinic.expect_closed(&clinic.nurse).await;
    // Nor can anything be added to what is closed.
    let more = clinic.world.post("/fhir/Observation", &clinic.nurse, observation(&clinic.patient, None)).await;
    assert_eq!(more.status.as_u16(), 422);
    // Who keeps consents is not locked out by them.
    let list = clinic.world.get(&clinic.consents(), &clinic.registrar).await.expect(200).json();
    assert_eq!(list["items"][0]["decision"], "deny");
    let gone = clinic.revoke(&made["id"]).await.expect(200).json();
    assert_eq!((gone["status"].as_str(), gone["counts"].as_bool()), (Some("inactive"), Some(false)));
    assert_eq!(gone["revoke_reason"], "changed her mind");
    clinic.expect_open(&clinic.nurse).await;
    clinic.world.app.audit.settle();
    for action in ["consent.grant", "consent.revoke"] {
        let path = format!("/api/v1/audit/logs?action={action}");
        let log = clinic.world.get(&path, &clinic.admin).await.expect(200).json();
        assert_eq!(log["items"].as_array().unwrap().len(), 1, "{action}");
    }
}

#[tokio::test]
async fn exceptions_count_and_a_new_version_replaces_the_one_before() {
    let clinic = Clinic::new().await;
    let me = clinic.world.get("/api/v1/auth/me", &clinic.nurse).await.expect(200).json();
    let account = format!("Account/{}", me["id"].as_str().unwrap());
    let other = clinic.world.user("mary", Role::Nurse, None).await;
    let body = json!({"decision": "deny", "provisions": [{"decision": "permit", "actors": [account]}]});
    let made = clinic.consent(body).await;
    clinic.expect_open(&clinic.nurse).await;
    clinic.expect_closed(&other).await;
    let path = format!("{}/{}", clinic.consents(), made["id"].as_str().unwrap());
    let stale = clinic
        .world
        .call("PUT", &path, &clinic.registrar, &[("if-match", "W/\"9\"")], Some(json!({"provisions": []})))
        .await;
    assert_eq!((stale.status.as_u16(), stale.json()["current_version"].as_u64()), (412, Some(1)));
    let change = json!({"provisions": [{"decision": "permit", "classes": ["Observation"]}]});
    let next = clinic.world.put(&path, &clinic.registrar, change).await.expect(200).json();
    assert_eq!((next["version"].as_u64(), next["decision"].as_str()), (Some(2), Some("deny")));
    for token in [&clinic.nurse, &other] {
        clinic.world.get(&format!("/fhir/Observation/{}", clinic.observation), token).await.expect(200);
        clinic.world.get(&format!("/fhir/Patient/{}", clinic.patient), token).await.expect(404);
    }
    let versions =
        clinic.world.get(&format!("/fhir/Consent/{}/_history", made["id"].as_str().unwrap()), &clinic.admin).await;
    assert_eq!(
        versions.expect(200).json()["entry"].as_array().unwrap().len(),
        2,
        "what was agreed before stays readable"
    );
}

#[tokio::test]
async fn nobody_is_denied_their_own_record_by_their_consent() {
    let clinic = Clinic::new().await;
    let own = clinic.world.user("ann", Role::Patient, Some(&clinic.patient)).await;
    clinic.consent(json!({"decision": "deny"})).await;
    clinic.world.put(POLICY, &clinic.admin, json!({"consent": "opt_in", "care_team": "required"})).await.expect(200);
    for path in [format!("/fhir/Observation/{}", clinic.observation), format!("/api/v1/patients/{}", clinic.patient)] {
        clinic.world.get(&path, &own).await.expect(200);
    }
    clinic.world.get(&clinic.consents(), &own).await.expect(200);
    clinic.world.post(&clinic.consents(), &own, json!({"decision": "permit"})).await.expect(403);
}

#[tokio::test]
async fn a_consent_that_runs_out_stops_counting_at_its_moment_without_a_write() {
    let clinic = Clinic::new().await;
    let end = iris_kernel::Clock::now(&*clinic.world.clock).plus(Duration::from_secs(600));
    clinic.consent(json!({"decision": "deny", "period": {"end": end.rfc3339()}})).await;
    clinic.expect_closed(&clinic.nurse).await;
    let head = clinic.world.app.store.head();
    clinic.world.clock.advance(Duration::from_secs(599));
    clinic.world.get(&format!("/fhir/Observation/{}", clinic.observation), &clinic.nurse).await.expect(404);
    clinic.world.clock.advance(Duration::from_secs(2));
    clinic.world.get(&format!("/fhir/Observation/{}", clinic.observation), &clinic.nurse).await.expect(200);
    assert_eq!(clinic.world.app.store.head(), head, "nothing was written for it");
}

#[tokio::test]
async fn where_nothing_is_permitted_without_a_consent_one_opens_it() {
    let clinic = Clinic::new().await;
    let reply = clinic.world.put(POLICY, &clinic.admin, json!({"consent": "opt_in"})).await.expect(200);
    assert_eq!((reply.header("etag"), reply.json()["consent"].as_str()), ("W/\"1\"", Some("opt_in")));
    clinic.expect_closed(&clinic.nurse).await;
    let directory = json!({"resourceType": "Organization", "name": "Ward"});
    clinic.world.post("/fhir/Organization", &clinic.admin, directory).await.expect(201);
    assert_eq!(clinic.total("/fhir/Organization?_total=accurate", &clinic.nurse).await, 1, "no patient's record");
    let made = clinic.consent(json!({"decision": "permit"})).await;
    clinic.expect_open(&clinic.nurse).await;
    clinic.revoke(&made["id"]).await.expect(200);
    clinic.expect_closed(&clinic.nurse).await;
    clinic.world.put(POLICY, &clinic.admin, json!({"consent": "opt_out"})).await.expect(200);
    clinic.expect_open(&clinic.nurse).await;
}

#[tokio::test]
async fn a_denial_of_a_label_hides_what_carries_it() {
    let clinic = Clinic::new().await;
    let doctor = clinic.world.user("doc", Role::Physician, None).await;
    let labelled =
        clinic.world.post("/fhir/Observation", &clinic.admin, observation(&clinic.patient, Some("HIV"))).await;
    let labelled = format!("/fhir/Observation/{}", labelled.expect(201).json()["id"].as_str().unwrap());
    clinic.world.get(&labelled, &doctor).await.expect(200);
    clinic.consent(json!({"decision": "permit", "provisions": [{"decision": "deny", "labels": ["HIV"]}]})).await;
    clinic.world.get(&labelled, &doctor).await.expect(404);
    clinic.world.get(&format!("/fhir/Observation/{}", clinic.observation), &doctor).await.expect(200);
    assert_eq!(clinic.total("/fhir/Observation?_total=accurate", &doctor).await, 1);
}

#[tokio::test]
async fn where_care_teams_are_required_who_treats_sees() {
    let clinic = Clinic::new().await;
    let me = clinic.world.get("/api/v1/auth/me", &clinic.nurse).await.expect(200).json();
    let path = format!("/api/v1/patients/{}/care-team", clinic.patient);
    clinic.world.put(POLICY, &clinic.admin, json!({"care_team": "required"})).await.expect(200);
    clinic.expect_closed(&clinic.nurse).await;
    let none = clinic.world.get(&path, &clinic.admin).await.expect(200).json();
    assert_eq!((none["members"].as_array().map(Vec::len), none["version"].as_u64()), (Some(0), None));
    let members = json!({"members": [{"member": format!("Account/{}", me["id"].as_str().unwrap()), "role": "nurse"}]});
    let made = clinic.world.put(&path, &clinic.admin, members).await.expect(200);
    assert_eq!((made.header("etag"), made.json()["members"][0]["role"].as_str()), ("W/\"1\"", Some("nurse")));
    clinic.expect_open(&clinic.nurse).await;
    // Registration goes on: it reads nothing clinical.
    clinic.world.get(&format!("/api/v1/patients/{}", clinic.patient), &clinic.registrar).await.expect(200);
    clinic.world.put(&path, &clinic.admin, json!({"members": []})).await.expect(200);
    clinic.expect_closed(&clinic.nurse).await;
    let stale =
        clinic.world.call("PUT", &path, &clinic.admin, &[("if-match", "W/\"1\"")], Some(json!({"members": []}))).await;
    assert_eq!(stale.status.as_u16(), 412);
}

/// What was made for an idempotency key was once a record of the same number as the policy, and read as one that decides nothing.
#[tokio::test]
async fn what_is_sent_under_an_idempotency_key_changes_nothing_of_what_was_decided() {
    let clinic = Clinic::new().await;
    clinic.world.put(POLICY, &clinic.admin, json!({"care_team": "required"})).await.expect(200);
    clinic.expect_closed(&clinic.nurse).await;
    let (key, person) = (
        [("idempotency-key", "register-once")],
        json!({"first_name": "Ben", "last_name": "Other", "date_of_birth": "1980"}),
    );
    clinic.world.call("POST", "/api/v1/patients", &clinic.registrar, &key, Some(person)).await.expect(201);
    clinic.expect_closed(&clinic.nurse).await;
}

#[tokio::test]
async fn what_cannot_be_evaluated_is_said() {
    let clinic = Clinic::new().await;
    let body = json!({"decision": "permit", "provisions": [{"decision": "deny", "actors": ["PractitionerRole/r"]}]});
    let role = json!({"resourceType": "PractitionerRole", "id": "r"});
    clinic.world.call("PUT", "/fhir/PractitionerRole/r", &clinic.admin, &[], Some(role)).await.expect(201);
    let made = clinic.consent(body).await;
    assert_eq!(made["warnings"].as_array().map(Vec::len), Some(1), "{made}");
    clinic.expect_closed(&clinic.nurse).await;
}

#[tokio::test]
async fn every_fault_is_named_and_nothing_is_stored() {
    let clinic = Clinic::new().await;
    let wrong = json!({"decision": "maybe", "colour": 1, "provisions": [{"labels": ["?"]}]});
    let problem = clinic.world.post(&clinic.consents(), &clinic.registrar, wrong).await.expect(422).json();
    let mut places: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().filter_map(|fault| fault["pointer"].as_str()).collect();
    places.sort_unstable();
    assert_eq!(places, ["/colour", "/decision", "/provisions/0/decision", "/provisions/0/labels"]);
    let list = clinic.world.get(&clinic.consents(), &clinic.registrar).await.expect(200).json();
    assert_eq!(list["total"], 0);
    let wrong = json!({"consent": "maybe", "break_glass_minutes": 1, "mfa_roles": ["king"], "x": 1});
    let problem = clinic.world.put(POLICY, &clinic.admin, wrong).await.expect(422).json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 4);
    clinic.world.get(POLICY, &clinic.nurse).await.expect(403);
    clinic.world.put(POLICY, &clinic.nurse, json!({"consent": "opt_out"})).await.expect(403);
}

/// Attack: another patient's consent through one's own path, and consents of patients who are not there.
#[tokio::test]
async fn a_consent_is_found_under_its_patient_only() {
    let clinic = Clinic::new().await;
    let made = clinic.consent(json!({"decision": "deny"})).await;
    let id = made["id"].as_str().unwrap();
    let other = clinic.world.patient(&clinic.registrar, "Bea", "Bell").await;
    for path in [format!("/api/v1/patients/{other}/consents/{id}"), format!("{}/absent", clinic.consents())] {
        clinic.world.put(&path, &clinic.registrar, json!({"decision": "permit"})).await.expect(404);
        clinic.world.post(&format!("{path}/revoke"), &clinic.registrar, json!({})).await.expect(404);
    }
    clinic.world.get("/api/v1/patients/absent/consents", &clinic.registrar).await.expect(404);
    let path = format!("/fhir/Observation/{}", clinic.observation);
    clinic.world.get(&path, &clinic.nurse).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_is_told_counts_on_the_other_within_a_second() {
    let Some([first, second]) = World::two() else { return };
    let clinic = Clinic::of(first).await;
    let path = format!("/fhir/Observation/{}", clinic.observation);
    second.get(&path, &clinic.nurse).await.expect(200);
    let becomes = async |status: u16| {
        let there = async {
            while second.get(&path, &clinic.nurse).await.status.as_u16() != status {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(1), there)
            .await
            .unwrap_or_else(|_| panic!("{status} within a second"));
    };
    let made = clinic.consent(json!({"decision": "deny"})).await;
    becomes(404).await;
    clinic.revoke(&made["id"]).await.expect(200);
    becomes(200).await;
    clinic.world.put(POLICY, &clinic.admin, json!({"consent": "opt_in"})).await.expect(200);
    becomes(404).await;
    let glass = json!({"patient_id": clinic.patient, "reason": "unconscious"});
    clinic.world.post("/api/v1/break-glass", &clinic.nurse, glass).await.expect(201);
    becomes(200).await;
}
