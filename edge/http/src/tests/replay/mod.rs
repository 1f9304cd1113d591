//! IDOR: a session of people who may is recorded, over every route that takes or gives something of a patient, and asked again, to
//! the letter, by people who may not. Nothing of the patient's is in any answer, nothing is changed, and what is hidden is
//! answered as what never was.

mod attack;
mod canary;
mod chart;
mod day;
mod further;
mod routes;
mod session;
mod story;

use std::sync::Arc;

use iris_access::{Caller, Create, Facts, Named, Role, RoleSet, decide};
use iris_identity::NewUser;
use iris_kernel::{Secret, Tenant};
use serde_json::json;

use super::{PASSWORD, World};
use canary::Canaries;

/// How many patients are registered; the last one is deleted.
const PATIENTS: u32 = 3;

/// A clinic where only who treats somebody sees their clinical record.
struct Clinic {
    world: World,
    admin: String,
    clinician: String,
    /// Treats the same patients in the same role.
    colleague: String,
    registrar: String,
    /// A nurse who treats nobody here.
    emergency: String,
    auditor: String,
    /// The accounts of who treats.
    team: Vec<String>,
}

impl Clinic {
    async fn new() -> Self {
        let world = World::new();
        let admin = world.admin().await;
        let required = json!({"care_team": "required"});
        world.put("/api/v1/admin/policy", &admin, required).await.expect(200);
        let clinician = world.user("gray", Role::Physician, None).await;
        let colleague = world.user("shepherd", Role::Physician, None).await;
        let mut team = Vec::new();
        for token in [&clinician, &colleague] {
            let me = world.get("/api/v1/auth/me", token).await.expect(200).json();
            team.push(me["id"].as_str().unwrap().to_owned());
        }
        Self {
            admin,
            clinician,
            colleague,
            registrar: world.user("rita", Role::Registrar, None).await,
            emergency: world.user("joy", Role::Nurse, None).await,
            auditor: world.user("ada", Role::Auditor, None).await,
            team,
            world,
        }
    }

    /// The patient's own account.
    async fn own(&self, patient: &str) -> String {
        self.world.user("own", Role::Patient, Some(patient)).await
    }
}

/// A tenant of somebody else's.
struct Elsewhere<'a> {
    world: &'a World,
    number: u32,
}

impl<'a> Elsewhere<'a> {
    async fn new(world: &'a World) -> Self {
        let system = Arc::new(Caller::system(Tenant::PLATFORM, "test", "c-1"));
        let permit = decide(&system, Create, &Facts::named(Named::Accounts)).unwrap();
        Self { world, number: world.identity.tenant_create(&permit, "elsewhere").await.unwrap().number }
    }

    fn system(&self) -> Arc<Caller> {
        Arc::new(Caller::system(Tenant(self.number), "test", "c-1"))
    }

    async fn user(&self, name: &str, role: Role) -> String {
        let permit = decide(&self.system(), Create, &Facts::named(Named::Accounts)).unwrap();
        let roles = RoleSet::of(&[role]);
        let user = NewUser { name: name.into(), password: Secret::new(PASSWORD.into()), roles, patient: None };
        self.world.identity.user_create(&permit, user).await.unwrap();
        let login = json!({"username": name, "password": PASSWORD, "tenant": "elsewhere"});
        let signed = self.world.post("/api/v1/auth/login", "", login).await.expect(200).json();
        signed["access_token"].as_str().unwrap().to_owned()
    }

    /// A machine that may do everything there.
    async fn machine(&self) -> String {
        let permit = decide(&self.system(), Create, &Facts::named(Named::Accounts)).unwrap();
        let made = self.world.identity.client_create(&permit, "lab", "system/*.cruds").await.unwrap();
        let (id, secret) = (made.client.client_id, made.secret.expose().clone());
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let given = super::access::token(self.world, &form, None).await.expect(200).json();
        given["access_token"].as_str().unwrap().to_owned()
    }
}

/// Attack: IDOR, and BOLA, by replaying what others asked for.
#[tokio::test]
async fn attack_idor_replay_of_a_recorded_session_gives_nothing_and_changes_nothing() {
    let clinic = Clinic::new().await;
    let canaries = Canaries::default();
    let recorded = story::record(&clinic, &canaries).await;
    routes::check(recorded.asked.iter().map(|asked| (asked.method, asked.path.as_str())));
    attack::replay(&clinic, &canaries, &recorded).await;
}

/// Attack: the cursor of somebody else, who sees the very same records.
#[tokio::test]
async fn attack_cursors_of_a_colleague_are_refused() {
    let clinic = Clinic::new().await;
    let canaries = Canaries::default();
    let recorded = story::record(&clinic, &canaries).await;
    attack::borrow_cursors(&clinic, &recorded).await;
}

/// Attack: the time that an answer takes tells whether there is something that must not be seen.
#[tokio::test]
async fn attack_timing_hidden_and_absent_are_answered_in_one_band() {
    let clinic = Clinic::new().await;
    let patient = clinic.world.patient(&clinic.registrar, "Ann", "Abbott").await;
    attack::compare_times(&clinic, &patient).await;
}
