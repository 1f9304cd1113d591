//! The golden table, and laws of the decision.

use std::collections::BTreeMap;
use std::fmt::Write;

use iris_kernel::{Kind, Tenant};

use super::*;
use crate::action::{Delete, Read, Search};
use crate::labels::Label;
use crate::names::{self, every_kind};
use crate::permission::PermissionSet;
use crate::role::{Role, RoleSet, invitable, permissions_of};
use crate::rule::Rule;

fn user(roles: &[Role], patient: Option<&str>) -> Caller {
    Caller::pretend(Tenant::DEFAULT, "u", RoleSet::of(roles), patient)
}

/// One kind, or named thing, of every family.
fn samples() -> Vec<(Family, Target)> {
    const NAMED: [Named; 8] = [
        Named::AuditLog,
        Named::Disclosures,
        Named::BreakGlass,
        Named::Reviews,
        Named::Accounts,
        Named::Tenants,
        Named::Operation,
        Named::Registry,
    ];
    let named = NAMED.map(Target::Named);
    let mut samples: BTreeMap<Family, Target> = named.map(|target| (target.family(), target)).into();
    for kind in every_kind() {
        samples.entry(family_of(kind)).or_insert(Target::Kind(kind));
    }
    assert_eq!(samples.len(), Family::ALL.len(), "every family has a kind or a name");
    samples.into_iter().collect()
}

/// Every role, that of machines last.
fn every_role() -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().chain([Role::System])
}

/// Somebody with this role alone.
fn holder(role: Role) -> Caller {
    if role == Role::System {
        return Caller::system(Tenant::DEFAULT, "job", "1");
    }
    user(&[role], role.own_record_only().then_some("me"))
}

/// `role × action × family`, as a reviewer reads it: `yes`, `own` (own record only) or the reason why not.
fn golden() -> String {
    let mut text = String::from(
        "Who may do what. `yes`: allowed. `own`: allowed on the own record only. `-`: the permission is missing.\n\
         `reach`: the permission is there, but not for this family. `never`: nobody may.\n\
         Which single records are left out beyond this (care teams, consents, security labels) stands in seeing.txt.\n",
    );
    for role in every_role() {
        writeln!(text, "\n{role}: {}", role.permissions().names().join(" ")).unwrap();
        write!(text, "  {:<14}", "").unwrap();
        ActionKind::ALL.iter().for_each(|action| write!(text, "{:<9}", action.name()).unwrap());
        text.truncate(text.trim_end().len());
        text.push('\n');
        let caller = holder(role);
        for (family, target) in samples() {
            write!(text, "  {:<14}", family.name()).unwrap();
            for action in ActionKind::ALL {
                let cell = match judge(&caller, action, &Facts::of(target)) {
                    Ok(restriction) if restriction.only().is_some() => "own",
                    Ok(_) => "yes",
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

/// A row of a table with a column for each role.
fn row(text: &mut String, what: &str, cell: impl Fn(Role) -> &'static str) {
    write!(text, "  {what:<20}").unwrap();
    every_role().for_each(|role| write!(text, "{:<20}", cell(role)).unwrap());
    text.truncate(text.trim_end().len());
    text.push('\n');
}

/// Which records each role sees among those that access.txt says yes to, and which purposes of use it may state.
fn golden_seeing() -> String {
    let mut text = String::from(
        "Which records a role sees of those that access.txt says yes to. `own`: of the own record only.\n\n\
         Security labels of a record (meta.security). Who does not see a label does not see the record.\n",
    );
    row(&mut text, "", Role::name);
    let (none, mine) = ([], ["me".to_owned()]);
    let observation = |patients, labels| Facts::record(kind("Observation"), RecordFacts { patients, labels });
    let read = |role, facts: &Facts<'_>| judge(&holder(role), ActionKind::Read, facts).is_ok();
    for label in Label::ALL {
        let labels = Labels::of(&[label]);
        row(&mut text, label.name(), |role| {
            match (read(role, &observation(&none, labels)), read(role, &observation(&mine, labels))) {
                (true, _) => "yes",
                (false, true) => "own",
                (false, false) => "-",
            }
        });
    }
    text.push_str("\nWhat counts on a record beside its labels.\n");
    row(&mut text, "", Role::name);
    let extra = [
        (Permission::HealthcareIdentifiers, "identifiers"),
        (Permission::HealthcareBreakGlass, "break glass"),
        (Permission::AccessReview, "review it"),
    ];
    for (permission, name) in extra {
        let families = [Family::Demographics, Family::BreakGlass, Family::Reviews];
        let holds = |role, patients: &[String]| families.iter().any(|f| holder(role).holds(permission, *f, patients));
        row(&mut text, name, |role| match (holds(role, &none), holds(role, &mine)) {
            (true, _) => "yes",
            (false, true) => "own",
            (false, false) => "-",
        });
    }
    text.push_str("\nPurposes of use (HL7 v3 PurposeOfUse) that may be stated; any other is refused by name.\n");
    row(&mut text, "", Role::name);
    for purpose in &purpose::PURPOSES {
        row(&mut text, purpose.code, |role| if purpose.may_be_stated_by(&holder(role)) { "yes" } else { "-" });
    }
    text
}

fn same_as_golden(file: &str, text: &str) {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("IRIS_GOLDEN_WRITE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(known == text, "{path} is not what the code does; look at the difference after IRIS_GOLDEN_WRITE=1");
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
fn what_roles_see_of_single_records_is_the_golden_table() {
    same_as_golden("seeing.txt", &golden_seeing());
}

#[test]
fn every_name_in_the_family_table_is_a_resource_type() {
    for name in crate::family::table_names() {
        assert!(names::kind_of(name).is_some(), "{name}");
    }
}

#[test]
fn who_stands_higher_may_all_that_stands_below_but_for_the_own_record() {
    for pair in Role::HIERARCHY.windows(2) {
        let (higher, lower) = (holder(pair[0]), holder(pair[1]));
        for (family, target) in samples().into_iter().filter(|(family, _)| *family != Family::Disclosures) {
            for action in ActionKind::ALL {
                for labels in
                    [Labels::NONE, Labels::ALL].into_iter().chain(Label::ALL.map(|label| Labels::of(&[label])))
                {
                    let record = Some(RecordFacts { patients: &[], labels });
                    let facts = Facts { target, record: record.filter(|_| pair[1] != Role::Patient) };
                    if judge(&lower, action, &facts).is_ok() {
                        let may = judge(&higher, action, &facts);
                        assert!(may.is_ok_and(|may| may.only().is_none()), "{} {} {family} {action}", pair[0], pair[1]);
                    }
                }
            }
        }
    }
}

#[test]
fn no_person_is_given_the_role_of_machines() {
    assert!("system".parse::<Role>().is_err());
    assert!(Role::ALL.iter().all(|role| *role != Role::System && role.name().parse() == Ok(*role)));
    assert!(RoleSet::of(&[Role::System]).rules().is_empty());
}

#[test]
fn the_roles_without_health_data_have_none() {
    for role in [Role::Administrator, Role::Auditor, Role::User] {
        for kind in every_kind().into_iter().filter(|kind| family_of(*kind) != Family::AuditEvent) {
            for action in ActionKind::ALL {
                assert!(judge(&holder(role), action, &Facts::kind(kind)).is_err(), "{role} {}", names::name_of(kind));
            }
        }
    }
}

#[test]
fn a_direct_grant_counts_where_its_permission_is_asked_for_and_nowhere_else() {
    let granted = |permission| {
        let rules: Arc<[Rule]> = [Rule::granted(PermissionSet::of(&[permission]))].into();
        Caller { permissions: permissions_of(&rules), rules, ..user(&[], None) }
    };
    for permission in Permission::ALL {
        let caller = granted(permission);
        for (family, target) in samples() {
            for action in ActionKind::ALL {
                let asked = family.permission(action) == Some(permission);
                assert_eq!(judge(&caller, action, &Facts::of(target)).is_ok(), asked, "{permission} {family} {action}");
            }
        }
    }
    let v = Labels::of(&[Label::VeryRestricted]);
    let facts = Facts::record(kind("Observation"), RecordFacts { patients: &[], labels: v });
    assert_eq!(judge(&user(&[Role::Physician], None), ActionKind::Read, &facts), Err(Denial::Hidden));
    let mut physician = user(&[Role::Physician], None);
    physician.rules = physician
        .rules
        .iter()
        .copied()
        .chain(granted(Permission::HealthcareVeryRestricted).rules.iter().copied())
        .collect();
    assert!(judge(&physician, ActionKind::Read, &facts).is_ok());
}

#[test]
fn a_patient_sees_who_has_seen_their_record_and_nothing_else_of_the_log() {
    let caller = Arc::new(user(&[Role::Patient], Some("me")));
    let (own, other) = (["me".to_owned()], ["other".to_owned()]);
    let facts = |patients| Facts::about(Target::Named(Named::Disclosures), patients);
    assert_eq!(decide(&caller, Search, &facts(&own)).unwrap().own(), Some("me"));
    assert_eq!(decide(&caller, Search, &facts(&other)).unwrap_err(), Denial::Hidden);
    let missing = Denial::Permission { missing: Permission::AuditRead, family: Family::AuditLog };
    assert_eq!(decide(&caller, Search, &Facts::named(Named::AuditLog)).unwrap_err(), missing);
    assert!(!caller.permissions.has(Permission::AuditRead), "no token says otherwise");
    let auditor = Arc::new(user(&[Role::Auditor], None));
    assert_eq!(decide(&auditor, Search, &facts(&other)).unwrap().own(), None);
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
    assert_eq!(own.own(), Some("me"));
    assert!(own.admits(&RecordFacts::of(&["other".to_owned(), "me".to_owned()])));
    assert!(!own.admits(&RecordFacts::of(&["other".to_owned()])));
    assert!(!own.admits(&RecordFacts::of(&[])));
    let others = ["other".to_owned()];
    let hidden = decide(&caller, Read, &Facts::record(kind("Observation"), RecordFacts::of(&others))).unwrap_err();
    assert_eq!(hidden, Denial::Hidden);
    assert_eq!(hidden.kind(), ErrorKind::NotFound, "hidden and absent look alike");
    let unlinked = user(&[Role::Patient], None);
    let denial = judge(&unlinked, ActionKind::Read, &Facts::kind(kind("Patient"))).unwrap_err();
    assert_eq!(denial, Denial::NoOwnRecord);
}

#[test]
fn a_nurse_who_is_a_patient_works_as_a_nurse_and_sees_of_their_own_record_what_a_patient_sees() {
    let both = user(&[Role::Nurse, Role::Patient], Some("me"));
    let of_all = judge(&both, ActionKind::Read, &Facts::kind(kind("Observation"))).unwrap();
    assert_eq!(of_all.only(), None);
    let (mine, others) = (["me".to_owned()], ["other".to_owned()]);
    let restricted = Labels::of(&[Label::Hiv]);
    assert!(of_all.admits(&RecordFacts { patients: &mine, labels: restricted }));
    assert!(!of_all.admits(&RecordFacts { patients: &others, labels: restricted }));
    let both = user(&[Role::Registrar, Role::Patient], Some("me"));
    assert_eq!(judge(&both, ActionKind::Read, &Facts::kind(kind("Observation"))).unwrap().only(), Some("me"));
    assert_eq!(judge(&both, ActionKind::Read, &Facts::kind(kind("Patient"))).unwrap().only(), None);
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
    let labels = RecordFacts { patients: &[], labels: Labels::of(&[Label::VeryRestricted]) };
    let writes = decide(&nurse, crate::Create, &Facts::kind(kind("Observation"))).unwrap();
    let denial = writes.may_write(&labels).unwrap_err();
    assert_eq!((denial.kind(), denial.missing()), (ErrorKind::Forbidden, Some("healthcare:very_restricted")));
}

#[test]
fn a_purpose_that_is_not_ones_own_to_state_is_refused_by_its_name() {
    let facts = Facts::kind(kind("Patient"));
    let stating = |role, purpose: &str| Caller { purpose: Some(purpose.into()), ..user(&[role], Some("me")) };
    for (role, purpose, may) in [
        (Role::Nurse, "TREAT", true),
        (Role::Nurse, "clinical_review", true),
        (Role::Nurse, "HPAYMT", true),
        (Role::FinancialAdmin, "HPAYMT", true),
        (Role::FinancialAdmin, "TREAT", false),
        (Role::Registrar, "ETREAT", false),
        (Role::Patient, "PATRQT", true),
        (Role::Patient, "TREAT", false),
        (Role::Physician, "HRESCH", false),
        (Role::Physician, "HMARKT", false),
        (Role::Physician, "treat", false),
    ] {
        let judged = judge(&stating(role, purpose), ActionKind::Read, &facts);
        assert_eq!(judged.is_ok(), may, "{role} {purpose}");
        if !may {
            assert_eq!(judged, Err(Denial::Purpose(purpose.into())));
        }
    }
}

#[test]
fn nothing_is_decided_with_a_yes_in_a_session_that_is_limited() {
    for limit in [Limit::MfaSetup, Limit::PasswordChange] {
        let caller = Caller { limited: Some(limit), ..user(&[Role::Admin], None) };
        for (family, target) in samples() {
            for action in ActionKind::ALL.into_iter().filter(|action| family.permission(*action).is_some()) {
                assert_eq!(judge(&caller, action, &Facts::of(target)), Err(Denial::Limited(limit)));
            }
        }
    }
}

#[test]
fn a_client_without_scopes_may_nothing_and_the_system_everything_that_anybody_may() {
    let mut client = Caller::pretend_client(Tenant::DEFAULT, "c", Scopes::default());
    let system = Caller::system(Tenant::DEFAULT, "import", "1");
    for scopes in [None, Some(Arc::new(Scopes::default()))] {
        client.scopes = scopes;
        for (_, target) in samples() {
            for action in ActionKind::ALL {
                let facts = Facts::of(target);
                assert!(judge(&client, action, &facts).is_err());
                assert_eq!(judge(&system, action, &facts).is_ok(), target.family().permission(action).is_some());
            }
        }
    }
}

#[test]
fn machines_see_whatever_is_labelled_as_before() {
    let client = Caller::pretend_client(Tenant::DEFAULT, "c", Scopes::parse("system/*.cruds").unwrap());
    for caller in [client, Caller::system(Tenant::DEFAULT, "import", "1")] {
        let restriction = judge(&caller, ActionKind::Search, &Facts::kind(kind("Observation"))).unwrap();
        assert!(restriction.is_none() && restriction.clauses().is_empty());
    }
}

#[test]
fn whoever_runs_accounts_invites_those_who_treat_and_none_who_lead_oversee_or_run() {
    for role in Role::ALL {
        let invites = invitable(role.rules());
        let runs = [Role::Admin, Role::Administrator].contains(&role);
        assert_eq!(invites, RoleSet::of(if runs { &Role::INVITABLE } else { &[] }), "{role}");
    }
    for role in Role::INVITABLE {
        for power in [Permission::SystemAdmin, Permission::AccessReview, Permission::AuditRead] {
            assert!(!role.permissions().has(power), "{role} {power}");
        }
        let deletes = |rule: &Rule| rule.gives(Permission::HealthcareAdmin, Family::Clinical);
        assert!(!role.rules().iter().any(deletes), "{role}");
    }
    let own = [Rule::new(&[Permission::SystemAdmin], &[Family::Accounts]).own()];
    assert!(invitable(&own).is_empty());
    let some = RoleSet::of(&[Role::Nurse, Role::Registrar]);
    assert!(RoleSet::of(&Role::INVITABLE).has_all(some) && !some.has_all(RoleSet::of(&[Role::Nurse, Role::Admin])));
    assert!(some.has_all(RoleSet::default()));
}

#[test]
fn a_grant_of_what_a_role_gives_already_unties_nobody_from_the_care_team() {
    for permission in
        [Permission::HealthcareRead, Permission::HealthcareWrite, Permission::DocumentRead, Permission::DocumentWrite]
    {
        assert!(Rule::granted(PermissionSet::of(&[permission])).is_of_care(), "{permission}");
    }
    // Images, appointments and tasks are worked on for everybody.
    for permission in [Permission::DicomRead, Permission::ClinicalRead] {
        assert!(!Rule::granted(PermissionSet::of(&[permission])).is_of_care(), "{permission}");
    }
    for role in Role::ALL {
        let is_of_care = role.rules().iter().any(Rule::is_of_care);
        let treats = role.rules().iter().any(|rule| !rule.own_record_only && rule.reach.has(Family::Clinical));
        assert_eq!(is_of_care, treats, "{role}: no role is bound for its documents alone");
    }
}

#[test]
fn nothing_is_added_to_what_is_closed_and_somebody_new_is_closed_to_nobody_who_registers() {
    let own = decide(&Arc::new(user(&[Role::Patient], Some("me"))), Read, &Facts::kind(kind("Observation"))).unwrap();
    let (mine, others) = (["me".to_owned()], ["other".to_owned()]);
    assert!(own.may_hold(&RecordFacts::of(&mine)).is_ok());
    for patients in [&others[..], &[]] {
        assert_eq!(own.may_hold(&RecordFacts::of(patients)), Err(Denial::Closed));
    }
    assert_eq!(own.may_begin(), Err(Denial::Closed));
    assert!(!own.asks_care_relation());
    let nurse = decide(&Arc::new(user(&[Role::Nurse], None)), crate::Create, &Facts::kind(kind("Patient"))).unwrap();
    assert!(nurse.may_begin().is_ok() && nurse.may_hold(&RecordFacts::of(&others)).is_ok());
    assert_eq!(Denial::Closed.kind(), ErrorKind::Forbidden);
    assert_eq!(Denial::OwnDenial.missing(), Some("healthcare:consents"));
}
