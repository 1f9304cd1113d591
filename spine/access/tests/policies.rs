//! What is remembered of a tenant follows its store, and costs a look while nothing changes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::sync::Arc;
use std::time::Duration;

use iris_access::{ActionKind, Policies, Proven, Role, RoleSet, Subject, SubjectKind, View};
use iris_audit::Audit;
use iris_fhir::definitions::kind_of;
use iris_kernel::{Clock, Kind, Seq, Tenant, Version};
use iris_store::{Expect, KeyOwner, Put, Store, StoreConfig, keyfile};
use iris_testkit::{ManualClock, SeededEntropy, wait};
use uuid::Uuid;

const ONE: Tenant = Tenant(1);
const TWO: Tenant = Tenant(2);

struct Place {
    store: Store,
    policies: Policies,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

fn kind(name: &str) -> Kind {
    kind_of(name).unwrap()
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(1)));
        let key = keyfile::open_or_create(&folder.path().join("key"), None, entropy.clone(), true).unwrap();
        let config = StoreConfig::new(folder.path().join("store"));
        let store = Store::open(config, Arc::new(key), clock.clone(), entropy.clone()).unwrap();
        let audit = Arc::new(Audit::open(store.clone(), clock.clone(), entropy.clone()).unwrap());
        let policies = Policies::new(store.clone(), audit, clock.clone(), entropy);
        Self { store, policies, clock, _folder: folder }
    }

    fn put(&self, tenant: Tenant, kind: Kind, id: &str, body: &str) -> Seq {
        let before = self.store.current(tenant, kind, id).unwrap();
        let mut tx = self.store.begin(tenant);
        tx.put(Put {
            kind,
            id,
            expect: before.as_ref().map_or(Expect::Absent, |row| Expect::Current(row.seq)),
            version: before.as_ref().map_or(Version::FIRST, |row| row.version.next()),
            born: before.as_ref().map(|row| row.born),
            at: self.clock.now(),
            head: &[0; 16],
            body: body.as_bytes(),
            owner: KeyOwner::Tenant,
            deleted: body.is_empty(),
            shadow: None,
        });
        tx.commit_blocking().unwrap().first
    }

    fn consent(&self, tenant: Tenant, id: &str, patient: &str, provision: &str) {
        let body = format!(
            r#"{{"resourceType":"Consent","id":"{id}","status":"active","scope":{{"coding":[{{"code":"patient-privacy"}}]}},
            "patient":{{"reference":"Patient/{patient}"}},"provision":{{{provision}}}}}"#
        );
        self.put(tenant, kind("Consent"), id, &body);
    }

    fn view(&self, who: &Proven) -> Arc<View> {
        self.policies.view(who, self.clock.now()).unwrap()
    }

    fn denied(&self, who: &Proven) -> Vec<String> {
        let rules = self.view(who).consent(kind("Observation"), ActionKind::Read, None);
        rules.outside().iter().map(|denied| denied.patient.to_string()).collect()
    }
}

fn nurse(tenant: Tenant, id: u128, practitioner: Option<&str>) -> Proven {
    let roles = RoleSet::of(&[Role::Nurse]);
    Proven {
        subject: Subject { id: Uuid::from_u128(id), name: "joy".into(), kind: SubjectKind::User },
        tenant,
        roles,
        rules: roles.rules(),
        scopes: None,
        patient: None,
        practitioner: practitioner.map(Into::into),
        departments: Arc::default(),
        authenticated_at: None,
        factor: None,
        limited: None,
        session: None,
        token: Uuid::nil(),
    }
}

#[test]
fn what_was_there_before_and_what_comes_after_both_count_and_tenants_are_apart() {
    let place = Place::new();
    place.consent(ONE, "c1", "p1", r#""type":"deny""#);
    place.consent(TWO, "c1", "p2", r#""type":"deny""#);
    let (one, two) = (nurse(ONE, 1, None), nurse(TWO, 1, None));
    assert_eq!((place.denied(&one), place.denied(&two)), (vec!["p1".to_owned()], vec!["p2".to_owned()]));
    place.consent(ONE, "c2", "p3", r#""type":"deny""#);
    assert_eq!(place.denied(&one), ["p1", "p3"]);
    place.consent(ONE, "c1", "p1", r#""type":"permit""#);
    assert_eq!(place.denied(&one), ["p3"]);
    place.put(ONE, kind("Consent"), "c2", "");
    assert_eq!(place.denied(&one), [""; 0]);
    assert_eq!(place.denied(&two), ["p2"]);
}

#[test]
fn a_view_stays_the_same_until_something_changes_or_a_moment_comes() {
    let place = Place::new();
    let who = nurse(ONE, 1, None);
    let first = place.view(&who);
    assert!(Arc::ptr_eq(&first, &place.view(&who)));
    place.put(ONE, kind("Patient"), "p1", r#"{"resourceType":"Patient","id":"p1"}"#);
    assert!(Arc::ptr_eq(&first, &place.view(&who)), "a record that decides nothing changes nothing");
    place.consent(TWO, "c1", "p1", r#""type":"deny""#);
    assert!(Arc::ptr_eq(&first, &place.view(&who)), "nor does another tenant's consent");
    let end = place.clock.now().plus(Duration::from_secs(60)).rfc3339();
    place.consent(ONE, "c1", "p1", &format!(r#""type":"deny","period":{{"end":"{end}"}}"#));
    let second = place.view(&who);
    assert!(!Arc::ptr_eq(&first, &second) && place.denied(&who) == ["p1"]);
    place.clock.advance(Duration::from_secs(59));
    assert!(Arc::ptr_eq(&second, &place.view(&who)));
    place.clock.advance(Duration::from_secs(2));
    assert_eq!(place.denied(&who), [""; 0]);
    // Whoever becomes somebody else is looked at anew.
    let ann = nurse(ONE, 1, Some("ann"));
    assert!(!Arc::ptr_eq(&place.view(&who), &place.view(&ann)));
}

#[test]
fn care_teams_count_where_they_are_required() {
    let place = Place::new();
    let who = nurse(ONE, 1, Some("ann"));
    let team = |status: &str| {
        format!(
            r#"{{"resourceType":"CareTeam","id":"t","status":"{status}","subject":{{"reference":"Patient/p1"}},
            "participant":[{{"member":{{"reference":"Practitioner/ann"}}}}]}}"#
        )
    };
    place.put(ONE, kind("CareTeam"), "t", &team("active"));
    assert_eq!(place.view(&who).team(), None, "nobody asks");
    place.put(ONE, iris_kernel::kinds::POLICY, "policy", r#"{"care_team":"required"}"#);
    assert!(place.view(&who).team().unwrap().has("p1"));
    assert!(place.view(&nurse(ONE, 2, None)).team().unwrap().is_empty());
    place.put(ONE, kind("CareTeam"), "t", &team("inactive"));
    assert!(place.view(&who).team().unwrap().is_empty());
    let admin =
        Proven { roles: RoleSet::of(&[Role::Admin]), rules: RoleSet::of(&[Role::Admin]).rules(), ..who.clone() };
    let registrar =
        Proven { roles: RoleSet::of(&[Role::Registrar]), rules: RoleSet::of(&[Role::Registrar]).rules(), ..who };
    assert!(place.view(&admin).team().is_none() && place.view(&registrar).team().is_none());
}

#[test]
fn what_cannot_be_read_decides_nothing_and_is_tried_again() {
    let place = Place::new();
    let who = nurse(ONE, 1, None);
    place.consent(ONE, "c1", "p1", r#""type":"deny""#);
    assert_eq!(place.denied(&who), ["p1"]);
    place.put(ONE, iris_kernel::kinds::POLICY, "policy", "no JSON");
    for _ in 0..2 {
        assert!(place.policies.view(&who, place.clock.now()).is_err());
    }
    place.put(ONE, iris_kernel::kinds::POLICY, "policy", r#"{"consent":"opt_in"}"#);
    assert!(place.view(&who).consent(kind("Observation"), ActionKind::Read, None).within().unwrap().is_empty());
}

/// Figures for the reader of the output; the bounds are far above them, so that a busy machine does not fail.
#[test]
fn a_look_is_cheap_whatever_the_tenant_has() {
    let place = Place::new();
    let who = nurse(ONE, 1, None);
    for patient in 0..2_000 {
        place.consent(ONE, &format!("c{patient}"), &format!("p{patient}"), r#""type":"deny""#);
    }
    let start = wait::Clock::start();
    assert_eq!(place.denied(&who).len(), 2_000);
    println!("opening 2,000 consents and asking them once: {:?}", start.now());
    let (now, start, rounds) = (place.clock.now(), wait::Clock::start(), 100_000);
    for _ in 0..rounds {
        std::hint::black_box(place.policies.view(std::hint::black_box(&who), now).unwrap());
    }
    let look = start.now() / rounds;
    println!("a view that still holds: {look:?}");
    assert!(look < Duration::from_micros(50), "{look:?}");
}
