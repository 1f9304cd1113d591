//! What each request pays to know who asks and what they may, in this process: the look at a token that was verified before, and
//! the decision.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use iris_access::{
    Caller, CareTeamPolicy, Create, Facts, Named, Origin, Permit, Read, RecordFacts, Role, RoleSet, TenantPolicy,
    Update, decide,
};
use iris_fhir::definitions::kind_of;
use iris_identity::{Identity, Keeping, Login, NewUser, UserChange};
use iris_kernel::{Clock as _, Kind, Secret, Tenant, Version};
use iris_store::{Expect, KeyOwner, Put};
use serde_json::{Value, json};

use crate::Outcome;
use crate::installation::Installation;
use crate::process::PASSWORD;
use crate::report::{Report, median};

/// In whose care team the physician is.
const PATIENTS: usize = 10_000;
/// Of these, who has denied them access: one of so many.
const DENIED_ONE_OF: usize = 10;
/// Records that are stored together.
const TOGETHER: usize = 1_000;
const PASSES: usize = 9;
const ROUNDS: u32 = 100_000;

pub(crate) fn measure(report: &mut Report) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    runtime.block_on(async {
        let (mut looked, mut decided) = (Vec::new(), Vec::new());
        for (role, rules) in [(Role::Nurse, Rules::None), (Role::Physician, Rules::Many)] {
            let clinic = Clinic::open()?;
            let token = clinic.signed_in(role, rules).await?;
            looked.push(format!("{:.2} µs", clinic.look(&token).await?));
            let caller = clinic.identity.authenticate(&token, Origin::default()).await?;
            decided.push(decisions(&caller, rules)?);
        }
        let both =
            "a nurse where there are no rules; a physician with a care team of 10,000 patients, of whom 1,000 deny it";
        let figure = format!("who is asking, from a token that was verified before: {both}");
        report.note(&figure, "5 µs", looked.join("; "));
        report.note(&format!("decide(), before and on a record: {both}"), "2 µs", decided.join("; "));
        Ok(())
    })
}

/// What decisions depend on beside roles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    None,
    Many,
}

/// An installation whose people sign in.
struct Clinic {
    identity: Identity,
    place: Installation,
}

fn on_accounts<A: iris_access::Action>(action: A) -> Outcome<Permit<A>> {
    let system = Arc::new(Caller::system(Tenant::DEFAULT, "figures", "figures"));
    Ok(decide(&system, action, &Facts::named(Named::Accounts))?)
}

impl Clinic {
    fn open() -> Outcome<Self> {
        let place = Installation::open()?;
        let Installation { store, audit, clock, entropy, .. } = &place;
        let identity = Identity::open(store.clone(), Arc::clone(audit), clock.clone(), Arc::clone(entropy))?;
        Ok(Self { identity, place })
    }

    /// Makes somebody and gives the token of their sign-in.
    async fn signed_in(&self, role: Role, rules: Rules) -> Outcome<String> {
        let (password, roles) = (Secret::new(PASSWORD.to_owned()), RoleSet::of(&[role]));
        let user = NewUser { name: "somebody".to_owned(), password, roles, patient: None };
        let made = self.identity.user_create(&on_accounts(Create)?, user).await?;
        if rules == Rules::Many {
            self.bound().await?;
            let practitioner = Some(Some("doctor".to_owned()));
            let change = UserChange { practitioner, ..UserChange::default() };
            self.identity.user_change(&on_accounts(Update)?, made.id, change).await?;
        }
        let password = Secret::new(PASSWORD.to_owned());
        let (tenant, origin) = (Tenant::DEFAULT, Origin::default());
        match self.identity.login(tenant, "somebody", &password, Keeping::Program, &origin).await? {
            Login::Done(tokens) => Ok(tokens.access.expose().clone()),
            Login::Challenge(_) => Err("a second factor was asked for".into()),
        }
    }

    /// Care teams count, and there are many of them and of consents.
    async fn bound(&self) -> Outcome<()> {
        let policy = TenantPolicy { care_team: CareTeamPolicy::Required, ..TenantPolicy::default() };
        let changed = self.identity.policies().policy_change(&on_accounts(Update)?, None, policy).await?;
        changed.ok_or("somebody else changed the policy")?;
        self.put(vec![json!({ "resourceType": "Practitioner", "id": "doctor" })]).await?;
        self.put((0..PATIENTS).map(team).collect()).await?;
        self.put((0..PATIENTS).step_by(DENIED_ONE_OF).map(denial).collect()).await
    }

    /// Stores records as they are, past the write path: what is measured reads them only.
    async fn put(&self, records: Vec<Value>) -> Outcome<()> {
        for part in records.chunks(TOGETHER) {
            let mut tx = self.place.store.begin(Tenant::DEFAULT);
            for record in part {
                tx.put(Put {
                    kind: kind(record["resourceType"].as_str().unwrap_or_default())?,
                    id: record["id"].as_str().unwrap_or_default(),
                    expect: Expect::Absent,
                    version: Version::FIRST,
                    born: None,
                    at: self.place.clock.now(),
                    head: &[],
                    body: record.to_string().as_bytes(),
                    owner: KeyOwner::Tenant,
                    deleted: false,
                    shadow: None,
                });
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Microseconds of a look.
    async fn look(&self, token: &str) -> Outcome<f64> {
        let mut passes = Vec::with_capacity(PASSES);
        for _ in 0..PASSES {
            let begun = Instant::now();
            for _ in 0..ROUNDS {
                black_box(self.identity.authenticate(token, Origin::default()).await?);
            }
            passes.push(begun.elapsed().as_secs_f64() / f64::from(ROUNDS) * 1e6);
        }
        Ok(median(passes))
    }
}

/// The physician is in it.
fn team(number: usize) -> Value {
    json!({ "resourceType": "CareTeam", "id": format!("team-{number}"), "status": "active",
        "subject": { "reference": format!("Patient/patient-{number}") },
        "participant": [{ "member": { "reference": "Practitioner/doctor" } }] })
}

/// A patient wants nobody to see anything.
fn denial(number: usize) -> Value {
    let scope = json!([{ "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy" }]);
    json!({ "resourceType": "Consent", "id": format!("consent-{number}"), "status": "active", "scope": { "coding": scope },
        "patient": { "reference": format!("Patient/patient-{number}") }, "provision": { "type": "deny" } })
}

fn kind(name: &str) -> Outcome<Kind> {
    Ok(kind_of(name).ok_or_else(|| format!("there is no type {name}"))?)
}

/// Microseconds of a decision before a record is at hand and of one on a record, in words.
fn decisions(caller: &Arc<Caller>, rules: Rules) -> Outcome<String> {
    let (observation, open, denied) = (kind("Observation")?, ["patient-777".to_owned()], ["patient-770".to_owned()]);
    let (before, on) = (Facts::kind(observation), Facts::record(observation, RecordFacts::of(&open)));
    decide(caller, Read, &on)?;
    let is_open = decide(caller, Read, &Facts::record(observation, RecordFacts::of(&denied))).is_ok();
    if is_open != (rules == Rules::None) {
        return Err("the rules are not those that were made".into());
    }
    let mut took = [Vec::with_capacity(PASSES), Vec::with_capacity(PASSES)];
    for _ in 0..PASSES {
        for (facts, passes) in [&before, &on].into_iter().zip(&mut took) {
            let begun = Instant::now();
            for _ in 0..ROUNDS {
                drop(black_box(decide(caller, Read, black_box(facts))));
            }
            passes.push(begun.elapsed().as_secs_f64() / f64::from(ROUNDS) * 1e6);
        }
    }
    let [before, on] = took.map(median);
    Ok(format!("{before:.2} and {on:.2} µs"))
}
