//! Random worlds: callers of any rules, with care teams, consents and broken glasses; records of any patients and labels.

use iris_fhir::json::Json;
use iris_kernel::{Kind, Tenant, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::consent::compile;
use crate::family::FamilySet;
use crate::labels::Label;
use crate::names::every_kind;
use crate::permission::PermissionSet;
use crate::policy::ConsentPolicy;
use crate::restriction::PatientSet;
use crate::role::{Role, RoleSet};
use crate::rule::Rule;
use crate::view::{ConsentBook, Consents, OpenGlass, View};

const NOW: Timestamp = Timestamp(1_000_000_000_000_000);
const PATIENTS: [&str; 4] = ["p1", "p2", "p3", "p4"];

fn patient() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PATIENTS.to_vec())
}

fn labels() -> impl Strategy<Value = Labels> {
    let label = prop::sample::select(Label::ALL.to_vec());
    prop_oneof![Just(Labels::NONE), prop::collection::vec(label, 0..3).prop_map(|labels| Labels::of(&labels))]
}

/// A consent of a patient: denies or permits everything, the HIV-labelled, some types, some actions or purposes.
fn consent() -> impl Strategy<Value = (&'static str, String)> {
    const PARTS: [&str; 5] = [
        "",
        r#","securityLabel":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]"#,
        r#","class":[{"system":"http://hl7.org/fhir/resource-types","code":"Observation"}]"#,
        r#","action":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentaction","code":"access"}]}]"#,
        r#","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HRESCH"}]"#,
    ];
    (patient(), any::<bool>(), prop::sample::select(PARTS.to_vec())).prop_map(|(patient, permits, part)| {
        let (way, other) = if permits { ("permit", "deny") } else { ("deny", "permit") };
        let text = format!(
            r#"{{"resourceType":"Consent","status":"active","scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},"patient":{{"reference":"Patient/{patient}"}},"provision":{{"type":"{other}","provision":[{{"type":"{way}"{part}}}]}}}}"#
        );
        (patient, text)
    })
}

fn view() -> impl Strategy<Value = Arc<View>> {
    let patients = || prop::collection::vec(patient(), 0..4);
    let policy = prop_oneof![Just(ConsentPolicy::OptOut), Just(ConsentPolicy::OptIn)];
    let consents = (prop::collection::vec(consent(), 0..5), policy, any::<bool>(), any::<bool>());
    (prop::option::weighted(0.4, patients()), patients(), consents).prop_map(
        |(team, glasses, (consents, policy, is_neutral, keeps))| {
            let mut book = ConsentBook::new();
            for (patient, text) in consents {
                let json = Json::parse(text.into_bytes()).unwrap();
                book.entry(patient.into()).or_default().extend(compile(json.root()).map(Arc::new));
            }
            let consents = Consents::new(&Arc::new(book), policy, Vec::new(), (true, None));
            let glass = |patient: &'static str| OpenGlass { patient: patient.into(), id: Uuid::nil() };
            let glasses = glasses.into_iter().map(glass).collect();
            let until = Timestamp(i64::MAX);
            let consents = Some(consents).filter(|_| !is_neutral);
            Arc::new(View::new((NOW, until), team.map(PatientSet::of), glasses, consents).keeping(keeps))
        },
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    let permissions = prop::collection::vec(prop::sample::select(Permission::ALL.to_vec()), 1..6);
    let families = prop::collection::vec(prop::sample::select(Family::ALL.to_vec()), 1..8);
    prop_oneof![
        permissions.clone().prop_map(|permissions| Rule::granted(PermissionSet::of(&permissions))),
        (permissions, families, any::<bool>()).prop_map(|(permissions, families, own_record_only)| Rule {
            permissions: PermissionSet::of(&permissions),
            reach: FamilySet::of(&families),
            own_record_only,
        }),
    ]
}

/// Built-in roles and rules of every other sort.
fn caller() -> impl Strategy<Value = Caller> {
    let roles = prop::collection::vec(prop::sample::select(Role::ALL.to_vec()), 0..3);
    let own = prop::option::of(patient());
    let scope = prop::option::weighted(0.2, prop::sample::select(vec!["system/*.cruds", "system/Patient.rs"]));
    let purpose = prop::option::of(prop::sample::select(vec!["TREAT", "HRESCH", "clinical_review", "PATRQT"]));
    let who = (roles, prop::collection::vec(rule(), 0..3), own);
    (who, scope, purpose, view(), prop::bool::weighted(0.1)).prop_map(
        |((roles, rules, own), scope, purpose, view, is_machine)| {
            let scopes = scope.map(|scope| Arc::new(Scopes::parse(scope).unwrap()));
            let purpose = purpose.map(Into::into);
            if is_machine {
                let client = Caller::pretend_client(Tenant::DEFAULT, "c", Scopes::default());
                return Caller { scopes, purpose, view, ..client };
            }
            let user = Caller::pretend(Tenant::DEFAULT, "u", RoleSet::of(&roles), own);
            let rules = user.rules.iter().copied().chain(rules).collect();
            Caller { rules, scopes, purpose, view, ..user }
        },
    )
}

/// The common types more often than the others.
fn any_kind() -> impl Strategy<Value = Kind> {
    let common = ["Patient", "Observation", "Consent", "Appointment", "Practitioner"];
    let common: Vec<Kind> = common.iter().filter_map(|name| crate::names::kind_of(name)).collect();
    prop_oneof![prop::sample::select(common), prop::sample::select(every_kind())]
}

fn patients() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(patient().prop_map(str::to_owned), 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// What a search shows under the restriction derived from the decision is exactly what the decision allows record by record.
    #[test]
    fn the_restriction_admits_what_the_decision_on_each_record_allows(
        caller in caller(),
        kind in any_kind(),
        action in prop::sample::select(ActionKind::ALL.to_vec()),
        patients in patients(),
        labels in labels(),
    ) {
        let record = RecordFacts { patients: &patients, labels };
        let on_record = judge(&caller, action, &Facts::record(kind, record));
        let admitted = judge(&caller, action, &Facts::kind(kind)).is_ok_and(|restriction| restriction.admits(&record));
        prop_assert_eq!(admitted, on_record.is_ok());
    }

    /// Scopes narrow and never widen; taking a role, a custom role or a grant away never gives anything.
    #[test]
    fn removing_a_grant_never_adds_access(
        caller in caller(),
        kind in any_kind(),
        action in prop::sample::select(ActionKind::ALL.to_vec()),
        patients in patients(),
        labels in labels(),
        taken in any::<prop::sample::Index>(),
    ) {
        let facts = Facts::record(kind, RecordFacts { patients: &patients, labels });
        if judge(&caller, action, &facts).is_err() && !caller.rules.is_empty() {
            let mut rules = caller.rules.to_vec();
            rules.remove(taken.index(rules.len()));
            let fewer = Caller { rules: rules.into(), ..caller.clone() };
            prop_assert!(judge(&fewer, action, &facts).is_err());
        }
        if judge(&caller, action, &facts).is_ok() {
            let unscoped = Caller { scopes: None, ..caller.clone() };
            prop_assert!(caller.subject.kind != SubjectKind::User || judge(&unscoped, action, &facts).is_ok());
            let powerless = Caller { rules: Arc::default(), ..caller.clone() };
            prop_assert!(caller.subject.kind != SubjectKind::User || judge(&powerless, action, &facts).is_err());
        }
    }

    /// A patient's own consent, care team and ordinary labels never keep their own record from them.
    #[test]
    fn nobody_is_locked_out_of_their_own_record(view in view(), kind in any_kind(), own in patient()) {
        let caller = Caller { view, ..Caller::pretend(Tenant::DEFAULT, "u", RoleSet::of(&[Role::Patient]), Some(own)) };
        let mine = [own.to_owned()];
        let before = judge(&caller, ActionKind::Read, &Facts::kind(kind));
        if before.is_ok() {
            let labels = Labels::of(&[Label::Restricted, Label::Psychiatry]);
            let facts = Facts::record(kind, RecordFacts { patients: &mine, labels });
            prop_assert!(judge(&caller, ActionKind::Read, &facts).is_ok());
        }
    }
}
