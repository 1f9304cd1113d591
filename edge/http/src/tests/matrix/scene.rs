//! A world for each relation: twelve accounts, one for each role, and what they ask for.

use std::sync::Arc;
use std::time::Duration;

use iris_access::{
    Action, Caller, CareTeamPolicy, Create, Facts, Named, Permit, Role, RoleSet, TenantPolicy, Update, decide,
};
use iris_fhir::{Resource, definitions};
use iris_identity::{FirstPassword, GrantWords, NewAccount, NewGrant, NewRole, ReviewScope};
use iris_kernel::{Clock, Secret, Tenant};
use iris_resources::{Content, Precondition, Which};
use iris_validation::Valid;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{BASE, PASSWORD, Reply, World};
use super::bodies::{SORTS, type_of, whole};
use super::model::has_emergency;
use super::promised::{Relation, label_above};

/// A colleague, who has a session, a passkey and no rights.
pub(super) const LARKSPUR: &str = "larkspur";
/// As whom the installation itself makes what is in the first tenant.
pub(super) const NIGHTINGALE: &str = "nightingale";
/// A role of the tenant.
pub(super) const NURSERY: &str = "nursery";
pub(super) const NEW_PASSWORD: &str = "a lamp under the willow tree";
const ELSEWHERE: &str = "elsewhere";
/// For how long a grant is given that is over when the questions begin.
const GRANTED: Duration = Duration::from_secs(60);

/// A patient with records, by the ids that these have.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) tag: String,
    label: Option<&'static str>,
    /// Whether what is nobody's has the label too.
    labels_all: bool,
}

impl Target {
    pub(super) fn of(tag: &str) -> Self {
        Self { tag: tag.to_owned(), label: None, labels_all: false }
    }

    pub(super) fn id(&self, sort: &str) -> String {
        format!("{}-{sort}", self.tag)
    }

    /// The family name, of letters alone, since people type it.
    pub(super) fn last_name(&self) -> String {
        let letters =
            self.tag.bytes().map(|b| if b.is_ascii_digit() { char::from(b - b'0' + b'a') } else { char::from(b) });
        format!("Canary{}", letters.collect::<String>())
    }

    /// The label of a record of this sort.
    pub(super) fn label_of(&self, sort: &str) -> Option<&'static str> {
        let of_nobody = matches!(sort, "Practitioner" | "ValueSet" | "Subscription");
        self.label.filter(|_| self.labels_all || !of_nobody)
    }

    /// The same without labels: whoever may not see one may not set it either.
    pub(super) fn unlabelled(&self) -> Self {
        Self { label: None, ..self.clone() }
    }
}

/// Somebody who asks.
pub(super) struct Who {
    pub(super) role: Role,
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) tenant_name: &'static str,
    pub(super) id: String,
    pub(super) token: String,
    pub(super) refresh: String,
    pub(super) target: Target,
    /// The emergency that they opened.
    pub(super) emergency: Option<String>,
}

/// What is there beside patients, by its id.
#[derive(Clone)]
pub(super) struct Things {
    pub(super) account: String,
    /// An account that is locked and unlocked.
    pub(super) locked: String,
    pub(super) session: String,
    pub(super) passkey: String,
    pub(super) role: String,
    pub(super) review: String,
    pub(super) emergency: String,
    pub(super) entry: String,
    pub(super) tenant: String,
}

pub(super) struct Scene {
    pub(super) world: World,
    pub(super) relation: Relation,
    pub(super) things: Things,
    pub(super) team: Value,
    pub(super) client: (String, String),
    /// The administrator of the first tenant.
    root: String,
    /// The tenant of those who ask.
    tenant: Tenant,
}

fn system(tenant: Tenant) -> Arc<Caller> {
    let name = if tenant == Tenant::DEFAULT { NIGHTINGALE } else { "installer" };
    Arc::new(Caller::system(tenant, name, "matrix"))
}

/// A permit of the installation itself.
pub(super) fn permit<A: Action>(tenant: Tenant, action: A, named: Named) -> Permit<A> {
    decide(&system(tenant), action, &Facts::named(named)).unwrap()
}

/// Where somebody calls from: each from somewhere else, since what sources may is counted.
pub(super) fn address(number: usize) -> String {
    format!("198.51.100.{}", number + 1)
}

fn roles_of(role: Role, relation: Relation) -> Vec<String> {
    let names: Vec<Role> = match relation {
        Relation::Own if role != Role::Patient => vec![role, Role::Patient],
        Relation::ExpiredGrant if role != Role::Patient => vec![Role::User],
        _ => vec![role],
    };
    names.into_iter().map(|role| role.name().to_owned()).collect()
}

impl Scene {
    /// The world, and everybody who asks in it.
    pub(super) async fn new(relation: Relation) -> (Self, Vec<Who>) {
        let world = World::made(BASE, true);
        let root = world.admin().await;
        let tenant = match relation {
            Relation::OtherTenant => {
                let operator = permit(Tenant::PLATFORM, Create, Named::Accounts);
                Tenant(world.identity.tenant_create(&operator, ELSEWHERE).await.unwrap().number)
            }
            _ => Tenant::DEFAULT,
        };
        let (things, client) = (things(&world, &root).await, client(&world).await);
        let mut scene = Self { world, relation, things, team: json!([]), client, root, tenant };
        scene.policy().await;
        let mut all = Vec::new();
        for (number, role) in Role::ALL.into_iter().enumerate() {
            all.push(scene.who(number, role).await);
        }
        scene.relate(&mut all).await;
        (scene, all)
    }

    async fn policy(&self) {
        let care_team =
            if self.relation.asks_for_care_teams() { CareTeamPolicy::Required } else { CareTeamPolicy::Open };
        let policy = TenantPolicy { care_team, self_registration: true, ..TenantPolicy::default() };
        let policies = self.world.identity.policies();
        policies.policy_change(&permit(Tenant::DEFAULT, Update, Named::Accounts), None, policy).await.unwrap().unwrap();
    }

    /// Stores a record as it was at the beginning.
    pub(super) async fn put(&self, tenant: Tenant, sort: &str, target: &Target) {
        let kind = definitions().kind_of(type_of(sort)).unwrap();
        let resource = Resource::parse(whole(sort, target).to_string().into_bytes()).unwrap();
        let valid = Valid::check(resource).unwrap_or_else(|(_, faults)| panic!("{sort}: {faults:?}"));
        let permit = decide(&system(tenant), Update, &Facts::kind(kind)).unwrap();
        let id = target.id(sort);
        let (which, content) = (Which::Id(&id), Content::Sent(&valid));
        let put = self.world.app.records.update(&permit, which, content, Precondition::None, None);
        put.await.unwrap_or_else(|refusal| panic!("{sort}: {refusal:?}"));
    }

    async fn made(&self, tag: &str, label: Option<&'static str>) -> Target {
        let labels_all = self.relation == Relation::LabelDenied;
        let target = Target { label, labels_all, ..Target::of(tag) };
        for sort in SORTS {
            self.put(Tenant::DEFAULT, sort, &target).await;
        }
        target
    }

    /// The patient whose records somebody asks for.
    async fn target(&self, number: usize, role: Role) -> Target {
        match self.relation {
            Relation::Own => self.made(&format!("own{number}"), None).await,
            Relation::LabelDenied if role == Role::Patient => self.made("ownv", Some("V")).await,
            // One for all who see the same labels; the first of them makes it.
            Relation::LabelDenied => {
                let label = label_above(role);
                let tag = format!("label{}", label.to_ascii_lowercase());
                let first = Role::ALL.into_iter().position(|other| label_above(other) == label);
                match first == Some(number) {
                    true => self.made(&tag, Some(label)).await,
                    false => Target { label: Some(label), labels_all: true, ..Target::of(&tag) },
                }
            }
            relation => {
                let label = (relation == Relation::BreakGlass).then_some("V");
                if number == 0 { self.made("other", label).await } else { Target { label, ..Target::of("other") } }
            }
        }
    }

    async fn who(&self, number: usize, role: Role) -> Who {
        let target = self.target(number, role).await;
        let own = match self.relation {
            Relation::Own => Some(target.id("Patient")),
            Relation::LabelDenied if role == Role::Patient => Some(target.id("Patient")),
            _ if role == Role::Patient => {
                let mine = Target::of("mine");
                self.put(self.tenant, "Patient", &mine).await;
                Some(mine.id("Patient"))
            }
            _ => None,
        };
        let doctor = Target::of(&format!("doctor{number}"));
        if self.relation == Relation::CareTeam {
            self.put(self.tenant, "Practitioner", &doctor).await;
        }
        let name = format!("who-{number}");
        let account = NewAccount {
            name: name.clone(),
            password: FirstPassword::Chosen(Secret::new(PASSWORD.to_owned())),
            roles: roles_of(role, self.relation),
            patient: own,
            practitioner: (self.relation == Relation::CareTeam).then(|| doctor.id("Practitioner")),
            ..NewAccount::default()
        };
        let creating = permit(self.tenant, Create, Named::Accounts);
        let made = self.world.identity.account_create(&creating, account).await.unwrap();
        if self.relation == Relation::ExpiredGrant {
            self.granted(made.id, role).await;
        }
        let tenant_name = if self.tenant == Tenant::DEFAULT { "default" } else { ELSEWHERE };
        let mut who = Who {
            role,
            number,
            name,
            tenant_name,
            id: made.id.to_string(),
            token: String::new(),
            refresh: "never-given".to_owned(),
            target,
            emergency: None,
        };
        if self.relation != Relation::NoToken {
            (who.token, who.refresh) = self.sign_in(&who).await;
        }
        who
    }

    async fn granted(&self, id: Uuid, role: Role) {
        let identity = &self.world.identity;
        let updating = permit(self.tenant, Update, Named::Accounts);
        if role == Role::Patient {
            // It comes with a record and cannot be granted for a time.
            identity.user_roles(&updating, id, RoleSet::of(&[Role::User]), None).await.unwrap();
            return;
        }
        let until = Some(self.world.clock.now().plus(GRANTED));
        let what = GrantWords { role: Some(role.name().to_owned()), permission: None };
        let grant = NewGrant { what, from: None, until, reason: "for a minute".to_owned() };
        identity.grant(&updating, id, grant).await.unwrap();
    }

    /// A session of somebody: its tokens.
    pub(super) async fn sign_in(&self, who: &Who) -> (String, String) {
        let body = json!({"username": who.name, "password": PASSWORD, "tenant": who.tenant_name});
        let given = self.call(who, "POST", "/api/v1/auth/login", "", Some(body)).await.expect(200).json();
        let text = |name: &str| given[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    /// A request from where somebody is.
    pub(super) async fn call(&self, who: &Who, method: &str, path: &str, token: &str, body: Option<Value>) -> Reply {
        let from = address(who.number);
        self.world.call(method, path, token, &[("x-forwarded-for", &from)], body).await
    }

    /// Brings the relation about that the scene is for.
    async fn relate(&mut self, all: &mut [Who]) {
        let of = |tail: &str| format!("/api/v1/patients/{}/{tail}", Target::of("other").id("Patient"));
        match self.relation {
            Relation::Own => self.open_glasses(all).await,
            Relation::CareTeam => {
                let member = |who: &Who| json!({"member": format!("Practitioner/doctor{}-Practitioner", who.number)});
                self.team = all.iter().map(member).collect();
                let body = json!({"members": self.team});
                self.world.put(&of("care-team"), &self.root, body).await.expect(200);
            }
            Relation::ConsentDenied => {
                let actors: Vec<String> = all.iter().map(|who| format!("Account/{}", who.id)).collect();
                let body = json!({"decision": "permit", "provisions": [{"decision": "deny", "actors": actors}]});
                self.world.post(&of("consents"), &self.root, body).await.expect(201);
            }
            Relation::ExpiredGrant => {
                for who in all.iter() {
                    let me = self.call(who, "GET", "/api/v1/auth/me", &who.token, None).await.expect(200).json();
                    let holds = me["roles"].as_array().unwrap().contains(&json!(who.role.name()));
                    assert!(holds || who.role == Role::Patient, "the grant counts before it is over: {me}");
                }
                self.world.clock.advance(GRANTED);
            }
            Relation::BreakGlass => {
                self.world.post(&of("consents"), &self.root, json!({"decision": "deny"})).await.expect(201);
                self.open_glasses(all).await;
            }
            Relation::RevokedToken => {
                for who in all.iter() {
                    self.call(who, "POST", "/api/v1/auth/logout", &who.token, None).await.expect(204);
                }
            }
            Relation::Stranger | Relation::OtherTenant | Relation::LabelDenied | Relation::NoToken => {}
        }
    }

    /// Everybody who may opens a record in an emergency: the target's, or, of those whose own is meant, that of somebody else.
    async fn open_glasses(&self, all: &mut [Who]) {
        let patient = if self.relation == Relation::Own { "decoy-Patient" } else { "other-Patient" };
        for who in all.iter_mut().filter(|who| has_emergency(self.relation, who.role)) {
            let body = json!({"patient_id": patient, "reason": format!("{LARKSPUR} called")});
            let opened = self.call(who, "POST", "/api/v1/break-glass", &who.token, Some(body)).await.expect(201).json();
            who.emergency = Some(opened["id"].as_str().unwrap().to_owned());
        }
    }

    /// What somebody asks for, by its id.
    pub(super) fn things_of(&self, who: &Who) -> Things {
        let mut things = self.things.clone();
        if self.relation == Relation::Own {
            (things.account, things.locked) = (who.id.clone(), who.id.clone());
        }
        if let Some(emergency) = &who.emergency {
            things.emergency.clone_from(emergency);
        }
        things
    }

    pub(super) async fn new_role(&self) -> String {
        let new = NewRole {
            name: "short-lived".to_owned(),
            permissions: vec!["access:review".to_owned()],
            ..NewRole::default()
        };
        let creating = permit(Tenant::DEFAULT, Create, Named::Accounts);
        self.world.identity.role_create(&creating, new).await.unwrap().id.to_string()
    }

    pub(super) async fn new_grant(&self, account: &str) {
        let what = GrantWords { role: None, permission: Some("access:review".to_owned()) };
        let grant = NewGrant { what, from: None, until: None, reason: "to be taken".to_owned() };
        let updating = permit(Tenant::DEFAULT, Update, Named::Accounts);
        self.world.identity.grant(&updating, account.parse().unwrap(), grant).await.unwrap();
    }

    pub(super) async fn new_review(&self) -> String {
        review(&self.world).await
    }

    pub(super) async fn new_emergency(&self) -> String {
        emergency(&self.world).await
    }

    /// The id of a session that a token is of.
    pub(super) async fn session_of(&self, who: &Who, token: &str) -> String {
        session_of(self.call(who, "GET", "/api/v1/auth/me", token, None).await)
    }
}

fn session_of(me: Reply) -> String {
    me.expect(200).json()["session_id"].as_str().unwrap().to_owned()
}

async fn review(world: &World) -> String {
    let creating = permit(Tenant::DEFAULT, Create, Named::Reviews);
    let due = world.clock.now().plus(Duration::from_secs(86_400));
    world.identity.review_start(&creating, ReviewScope::All, due).await.unwrap().id.to_string()
}

async fn emergency(world: &World) -> String {
    let creating = permit(Tenant::DEFAULT, Create, Named::BreakGlass);
    let reason = format!("{LARKSPUR} asked for it");
    let policies = world.identity.policies();
    policies.glass_break(&creating, ("decoy-Patient", &reason), None).await.unwrap().id.to_string()
}

async fn account(world: &World, name: &str) -> String {
    let account = NewAccount {
        name: name.to_owned(),
        password: FirstPassword::Chosen(Secret::new(PASSWORD.to_owned())),
        roles: vec![Role::User.name().to_owned()],
        ..NewAccount::default()
    };
    let creating = permit(Tenant::DEFAULT, Create, Named::Accounts);
    world.identity.account_create(&creating, account).await.unwrap().id.to_string()
}

/// What belongs to the first tenant beside patients.
async fn things(world: &World, root: &str) -> Things {
    let identity = &world.identity;
    let creating = || permit(Tenant::DEFAULT, Create, Named::Accounts);
    let (lark, locked) = (account(world, LARKSPUR).await, account(world, "to-be-locked").await);
    let body = json!({"username": LARKSPUR, "password": PASSWORD});
    let signed = world.post("/api/v1/auth/login", "", body).await.expect(200).json();
    let token = signed["access_token"].as_str().unwrap();
    let (_, passkey) = super::super::second_factor::passkey(world, token, "key").await;
    let session = session_of(world.get("/api/v1/auth/me", token).await);
    let new = NewRole { name: NURSERY.to_owned(), permissions: vec!["access:review".to_owned()], ..NewRole::default() };
    let role = identity.role_create(&creating(), new).await.unwrap().id.to_string();
    let third = identity.tenant_create(&permit(Tenant::PLATFORM, Create, Named::Accounts), "third").await.unwrap();
    let decoy = json!({"resourceType": "Patient", "id": "decoy-Patient", "name": [{"family": "Decoy"}]});
    world.put("/fhir/Patient/decoy-Patient", root, decoy).await.expect(201);
    world.app.audit.settle();
    let log = world.get(&format!("/api/v1/audit/logs?user_name={LARKSPUR}"), root).await.expect(200).json();
    Things {
        account: lark,
        locked,
        session,
        passkey: passkey["id"].as_str().unwrap().to_owned(),
        role,
        review: review(world).await,
        emergency: emergency(world).await,
        entry: log["items"][0]["id"].as_str().unwrap().to_owned(),
        tenant: third.number.to_string(),
    }
}

async fn client(world: &World) -> (String, String) {
    let creating = permit(Tenant::DEFAULT, Create, Named::Accounts);
    let made = world.identity.client_create(&creating, "lab", "system/Patient.rs").await.unwrap();
    (made.client.client_id.to_string(), made.secret.expose().clone())
}
