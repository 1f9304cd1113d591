//! Scopes as machines write them, and as attackers do.

use iris_kernel::Kind;
use proptest::prelude::*;

use super::*;

fn kind(name: &str) -> Target {
    Target::Kind(crate::names::kind_of(name).unwrap())
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

#[test]
fn both_versions_of_smart_mean_the_same() {
    for (one, other) in [
        ("system/*.cruds", "system/*.*"),
        ("system/*.rs", "system/*.read"),
        ("system/*.cud", "system/*.write"),
        ("system/Patient.cruds", "system/Patient.read system/Patient.write"),
        ("system/*.rs", "system/Patient.r system/*.rs system/Observation.s"),
    ] {
        assert_eq!(scopes(one), scopes(other));
        assert_eq!(scopes(&scopes(one).to_string()), scopes(one));
    }
    assert_eq!(scopes("system/*.read  system/Patient.write").to_string(), "system/*.rs system/Patient.cud");
}

#[test]
fn letters_are_actions() {
    let read = scopes("system/Patient.r");
    for (action, admitted) in [
        (ActionKind::Read, true),
        (ActionKind::VersionRead, true),
        (ActionKind::History, true),
        (ActionKind::Search, false),
        (ActionKind::Create, false),
        (ActionKind::Update, false),
        (ActionKind::Delete, false),
        (ActionKind::Export, false),
        (ActionKind::Verify, false),
    ] {
        assert_eq!(read.admit(action, kind("Patient")), admitted, "{action}");
        assert!(!read.admit(action, kind("Observation")));
    }
    let every = scopes("system/*.cruds");
    assert!(every.admit(ActionKind::Delete, kind("AuditEvent")));
    assert!(!every.admit(ActionKind::Read, Target::Kind(Kind(Kind::INTERNAL + 1))), "no scope opens internal records");
}

#[test]
fn what_is_not_known_is_refused_by_its_text() {
    let bad = [
        "patient/*.rs",
        "user/Patient.rs",
        "openid",
        "launch",
        "system/Patiënt.rs",
        "system/patient.rs",
        "system/Patient",
        "system/Patient.",
        "system/.rs",
        "system/*.sr",
        "system/*.rr",
        "system/*.x",
        "system/*.CRUDS",
        "system/Observation.rs?category=laboratory",
        "System/*.rs",
        "system/*.read*",
    ];
    for one in bad {
        let faults = Scopes::parse(&format!("system/Patient.rs {one}")).unwrap_err();
        assert_eq!(faults.len(), 1, "{one}");
        assert!(faults[0].what.contains(&format!("{one:?}")), "{}", faults[0]);
    }
    assert_eq!(Scopes::parse(&bad.join(" ")).unwrap_err().len(), bad.len(), "all at once");
    assert!(Scopes::parse("").is_err() && Scopes::parse(" \t ").is_err());
    assert!(Scopes::parse(&"system/*.r ".repeat(SCOPES_MAX)).is_ok());
    assert!(Scopes::parse(&"system/*.r ".repeat(SCOPES_MAX + 1)).is_err());
    assert!(Scopes::parse(&"x".repeat(SCOPE_BYTES_MAX + 1)).is_err());
}

#[test]
fn widening_is_seen() {
    let have = scopes("system/Patient.rs system/Observation.r");
    assert!(have.cover(&scopes("system/Patient.r")));
    assert!(have.cover(&have));
    for wider in ["*.r", "Patient.rds", "Patient.cruds", "Observation.rs", "Encounter.r"] {
        assert!(!have.cover(&scopes(&format!("system/{wider}"))), "{wider}");
    }
    assert!(scopes("system/*.rs").cover(&have));
}

fn any_scopes() -> impl Strategy<Value = Scopes> {
    let one = ("(\\*|Patient|Observation|Encounter)", "c?r?u?d?s?")
        .prop_filter("not empty", |(_, letters)| !letters.is_empty())
        .prop_map(|(name, letters)| format!("system/{name}.{letters}"));
    prop::collection::vec(one, 1..5).prop_map(|parts| scopes(&parts.join(" ")))
}

proptest! {
    /// `cover` says exactly that nothing is admitted beyond.
    #[test]
    fn cover_is_inclusion(a in any_scopes(), b in any_scopes()) {
        let targets = ["Patient", "Observation", "Encounter", "Immunization"].map(kind);
        let beyond = targets.iter().any(|target| {
            ActionKind::ALL.iter().any(|action| b.admit(*action, *target) && !a.admit(*action, *target))
        });
        prop_assert_eq!(a.cover(&b), !beyond);
    }
}
