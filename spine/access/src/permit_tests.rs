//! The golden table, and laws of the decision.

use std::collections::BTreeMap;
use std::fmt::Write;

use iris_kernel::{Kind, Tenant};
use proptest::prelude::*;

use super::*;
use crate::action::{Delete, Read, Search};
use crate::names::{self, every_kind};
use crate::role::{Role, RoleSet};

fn user(roles: &[Role], patient: Option<&str>) -> Caller {
    Caller::pretend(Tenant::DEFAULT, "u", RoleSet::of(roles), patient)
}

/// One kind, or named thing, of every family.
fn samples() -> Vec<(Family, Target)> {
    let named =
        [Named::AuditLog, Named::Disclosures, Named::Accounts, Named::Operation, Named::Registry].map(Target::Named);
    let mut samples: BTreeMap<Family, Target> = named.map(|target| (target.family(), target)).into();
    for kind in every_kind() {
        samples.entry(family_of(kind)).or_insert(Target::Kind(kind));
    }
    assert_eq!(samples.len(), Family::ALL.len(), "every family has a kind or a name");
    samples.into_iter().collect()
}

/// `role × action × family`, as a reviewer reads it: `yes`, `own` (own record only) or the reason why not.
fn golden() -> String {
    let mut text = String::from(
        "Who may do what. `yes`: allowed. `own`: allowed on the own record only. `-`: the permission is missing.\n\
         `reach`: the permission is there, but not for this family. `never`: nobody may.\n",
    );
    for role in Role::ALL {
        writeln!(text, "\n{role}: {}", role.permissions().names().join(" ")).unwrap();
        write!(text, "  {:<14}", "").unwrap();
        ActionKind::ALL.iter().for_each(|action| write!(text, "{:<9}", action.name()).unwrap());
        text.truncate(text.trim_end().len());
        text.push('\n');
        let caller = user(&[role], role.own_record_only().then_some("me"));
        for (family, target) in samples() {
            write!(text, "  {:<14}", family.name()).unwrap();
            for action in ActionKind::ALL {
                let cell = match judge(&caller, action, &Facts { target, patients: None }) {
                    Ok(None) => "yes",
                    Ok(Some(_)) => "own",
                    Err(Denial::Permission { .. }) => "-",
                    Err(Denial::Reach { .. }) => "reach",
                    Err(Denial::Never { .. }) => "never",
                    Err(other) => panic!("{other}"),
                };
                write!(text, "{cell:<9}").unwrap();
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
    }
    text
}

/// Every resource type in its family, with the permissions that reading, writing and removing it ask for.
fn golden_families() -> String {
    let mut text = String::from("Every resource type: its family, and the permissions for read, write, delete.\n");
    let mut families: BTreeMap<Family, Vec<&str>> = BTreeMap::new();
    for kind in every_kind() {
        families.entry(family_of(kind)).or_default().push(names::name_of(kind));
    }
    for family in Family::ALL {
        let permission = |action| family.permission(action).map_or("never", Permission::name);
        let (read, write) = (permission(ActionKind::Read), permission(ActionKind::Create));
        writeln!(text, "\n{family}: {read}, {write}, {}", permission(ActionKind::Delete)).unwrap();
        for name in families.remove(&family).unwrap_or_default() {
            writeln!(text, "  {name}").unwrap();
        }
    }
    text
}

fn same_as_golden(file: &str, text: &str) {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if known != text {
        std::fs::write(format!("{path}.new"), text).unwrap();
        panic!("{path} is not what the code does; review {path}.new and rename it");
    }
}

#[test]
fn the_decision_is_the_golden_table() {
    same_as_golden("access.txt", &golden());
}

#[test]
fn every_type_is_in_its_golden_family() {
    same_as_golden("families.txt", &golden_families());
}

#[test]
fn every_name_in_the_family_table_is_a_resource_type() {
    for name in crate::family::table_names() {
        assert!(names::kind_of(name).is_some(), "{name}");
    }
}

#[test]
fn a_patient_sees_who_has_seen_their_record_and_nothing_else_of_the_log() {
    let caller = Arc::new(user(&[Role::Patient], Some("me")));
    let (own, other) = (["me".to_owned()], ["other".to_owned()]);
    let facts = |patients| Facts { target: Target::Named(Named::Disclosures), patients: Some(patients) };
    assert_eq!(decide(&caller, Search, &facts(&own)).unwrap().restriction(), Some("me"));
    assert_eq!(decide(&caller, Search, &facts(&other)).unwrap_err(), Denial::Hidden);
    let missing = Denial::Permission { missing: Permission::AuditRead, family: Family::AuditLog };
    assert_eq!(decide(&caller, Search, &Facts::named(Named::AuditLog)).unwrap_err(), missing);
    assert!(!caller.permissions.has(Permission::AuditRead), "no token says otherwise");
    let auditor = Arc::new(user(&[Role::Auditor], None));
    assert_eq!(decide(&auditor, Search, &facts(&other)).unwrap().restriction(), None);
    for role in [Role::Physician, Role::Nurse, Role::Registrar] {
        assert!(decide(&Arc::new(user(&[role], None)), Search, &facts(&own)).is_err(), "{role}");
    }
}

fn kind(name: &str) -> Kind {
    names::kind_of(name).unwrap()
}

#[test]
fn a_patient_reads_their_own_record_and_no_other() {
    let caller = Arc::new(user(&[Role::Patient], Some("me")));
    let own = decide(&caller, Search, &Facts::kind(kind("Observation"))).unwrap();
    assert_eq!(own.restriction(), Some("me"));
    assert!(own.admits(&["other".to_owned(), "me".to_owned()]));
    assert!(!own.admits(&["other".to_owned()]));
    assert!(!own.admits(&[]));
    let others = ["other".to_owned()];
    let hidden = decide(&caller, Read, &Facts::record(kind("Observation"), &others)).unwrap_err();
    assert_eq!(hidden, Denial::Hidden);
    assert_eq!(hidden.kind(), ErrorKind::NotFound, "hidden and absent look alike");
    let unlinked = user(&[Role::Patient], None);
    let denial = judge(&unlinked, ActionKind::Read, &Facts::kind(kind("Patient"))).unwrap_err();
    assert_eq!(denial, Denial::NoOwnRecord);
}

#[test]
fn a_nurse_who_is_a_patient_works_as_a_nurse_and_sees_no_more_for_it() {
    let both = user(&[Role::Nurse, Role::Patient], Some("me"));
    assert_eq!(judge(&both, ActionKind::Read, &Facts::kind(kind("Observation"))), Ok(None));
    let both = user(&[Role::Registrar, Role::Patient], Some("me"));
    assert_eq!(judge(&both, ActionKind::Read, &Facts::kind(kind("Observation"))), Ok(Some("me".into())));
    assert_eq!(judge(&both, ActionKind::Read, &Facts::kind(kind("Patient"))), Ok(None));
}

#[test]
fn a_refusal_names_what_is_missing() {
    let nurse = Arc::new(user(&[Role::Nurse], None));
    let denial = decide(&nurse, Delete, &Facts::kind(kind("Patient"))).unwrap_err();
    assert_eq!((denial.kind(), denial.missing()), (ErrorKind::Forbidden, Some("healthcare:admin")));
    let auditor = Arc::new(user(&[Role::Auditor], None));
    let denial = decide(&auditor, Read, &Facts::kind(kind("Patient"))).unwrap_err();
    assert_eq!(denial.missing(), Some("healthcare:read"));
    let client = Arc::new(Caller::pretend_client(Tenant::DEFAULT, "c", Scopes::parse("system/Patient.rs").unwrap()));
    let denial = decide(&client, Read, &Facts::kind(kind("Observation"))).unwrap_err();
    assert_eq!(denial.missing(), Some("system/Observation.r"));
    assert!(decide(&client, Search, &Facts::kind(kind("Patient"))).is_ok());
    assert!(decide(&client, Search, &Facts::named(Named::AuditLog)).is_err());
}

#[test]
fn a_client_without_scopes_may_nothing_and_the_system_everything_that_anybody_may() {
    let mut client = Caller::pretend_client(Tenant::DEFAULT, "c", Scopes::default());
    let system = Caller::system(Tenant::DEFAULT, "import", "1");
    for scopes in [None, Some(Arc::new(Scopes::default()))] {
        client.scopes = scopes;
        for (_, target) in samples() {
            for action in ActionKind::ALL {
                let facts = Facts { target, patients: None };
                assert!(judge(&client, action, &facts).is_err());
                assert_eq!(judge(&system, action, &facts).is_ok(), target.family().permission(action).is_some());
            }
        }
    }
}

fn any_caller() -> impl Strategy<Value = Caller> {
    let roles = prop::collection::vec(prop::sample::select(Role::ALL.to_vec()), 0..4);
    let patient = prop::option::of(prop::sample::select(vec!["p1", "p2", "p3"]));
    let scope = prop::option::of(prop::sample::select(vec!["system/*.cruds", "system/Patient.rs", "system/*.r"]));
    (roles, patient, scope, any::<bool>()).prop_map(|(roles, patient, scope, machine)| {
        let scopes = scope.map(|scope| Scopes::parse(scope).unwrap());
        if machine {
            return Caller::pretend_client(Tenant::DEFAULT, "c", scopes.unwrap_or_default());
        }
        Caller { scopes: scopes.map(Arc::new), ..user(&roles, patient) }
    })
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(every_kind())
}

fn any_patients() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(vec!["p1", "p2", "p3", "p4"]).prop_map(str::to_owned), 0..3)
}

proptest! {
    /// What a search shows under the restriction derived from the decision is exactly what the decision allows record by record.
    #[test]
    fn the_restriction_admits_what_the_decision_on_each_record_allows(
        caller in any_caller(),
        kind in any_kind(),
        action in prop::sample::select(ActionKind::ALL.to_vec()),
        patients in any_patients(),
    ) {
        let before = judge(&caller, action, &Facts::kind(kind));
        let on_record = judge(&caller, action, &Facts::record(kind, &patients));
        let admitted = match &before {
            Ok(restriction) => restriction.as_ref().is_none_or(|own| patients.iter().any(|patient| **patient == **own)),
            Err(_) => false,
        };
        prop_assert_eq!(admitted, on_record.is_ok());
    }

    /// Scopes narrow and never widen; taking a role away never gives anything.
    #[test]
    fn less_gives_less(
        caller in any_caller(),
        kind in any_kind(),
        action in prop::sample::select(ActionKind::ALL.to_vec()),
        patients in any_patients(),
    ) {
        let facts = Facts::record(kind, &patients);
        if judge(&caller, action, &facts).is_ok() && caller.subject.kind == SubjectKind::User {
            let unscoped = Caller { scopes: None, ..caller.clone() };
            prop_assert!(judge(&unscoped, action, &facts).is_ok());
            let more = Caller { roles: RoleSet::of(&Role::ALL), ..caller.clone() };
            prop_assert!(judge(&more, action, &facts).is_ok());
        }
        let none = Caller { roles: RoleSet::default(), ..caller.clone() };
        if none.subject.kind == SubjectKind::User {
            prop_assert!(judge(&none, action, &facts).is_err());
        }
    }
}
