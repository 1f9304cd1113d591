use iris_fhir::Resource;
use iris_fhir::json::{Json, Writer};
use iris_kernel::{Timestamp, Version};
use iris_plain::Record;
use iris_validation::Valid;

use super::{Consent, ConsentInput, Purpose, create, edit, revoke, show_meaning};

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

const WHOLE: &str = r#"{"decision":"permit","policy_text":"I agree.","category":"Sharing","period":{"end":"2027-01-31"},
    "verified_by":"Patient/p1","verified_at":"2026-11-01T10:00:00Z","given_at":"2026-11-01",
    "provisions":[{"decision":"deny","actors":["Practitioner/ann","Account/0a","Organization/ward","Client/c1"],
        "purposes":["HRESCH"],"classes":["Observation"],"labels":["R","HIV"],"actions":["access"],
        "period":{"start":"2026-01-01T00:00:00Z","end":"2026-12-31T00:00:00Z"}}]}"#;

fn read(text: &str) -> Result<ConsentInput, Vec<String>> {
    let json = Json::parse(text.to_owned()).unwrap();
    ConsentInput::read(json.root(), Purpose::Create, NOW)
        .map_err(|faults| faults.iter().map(|fault| fault.at.clone()).collect())
}

fn resource(body: Vec<u8>) -> Resource {
    let resource = Resource::parse(body).unwrap();
    Valid::check(resource.clone()).map_err(|(_, faults)| faults).unwrap();
    resource
}

fn record() -> Record {
    let (at, by) = (NOW, "u1".to_owned());
    let id = "c1".to_owned();
    Record { id, version: Version(1), created_at: at, created_by: by.clone(), updated_at: at, updated_by: by }
}

#[test]
fn what_goes_in_comes_back_and_is_valid_fhir() {
    let given = read(WHOLE).unwrap().over(&Consent::default());
    let made = resource(create(&given, "p1"));
    let seen = Consent::of(made.root());
    assert_eq!(seen.provisions, given.provisions);
    assert_eq!((seen.decision.as_deref(), seen.status.as_deref()), (Some("permit"), Some("active")));
    assert_eq!((seen.scope.as_deref(), seen.patient_id.as_deref()), (Some("patient-privacy"), Some("p1")));
    assert_eq!((seen.policy_text.as_deref(), seen.category.as_deref()), (Some("I agree."), Some("Sharing")));
    assert_eq!((seen.verified_by.as_deref(), seen.period), (Some("Patient/p1"), given.period.clone()));
    assert!(made.root().get("provision").unwrap().get("type").is_none(), "R4: the root has no type");
}

#[test]
fn a_new_version_changes_what_is_named_and_keeps_the_rest() {
    let made = resource(create(&read(WHOLE).unwrap().over(&Consent::default()), "p1"));
    let before = Consent::of(made.root());
    let mut w = Writer::new();
    before.show(&record(), &mut w);
    let shown = Json::parse(w.finish()).unwrap();
    let change = |text: &str| {
        let json = Json::parse(text.to_owned()).unwrap();
        ConsentInput::read(json.root(), Purpose::Update { shown: shown.root() }, NOW)
    };
    let after = change(r#"{"decision":"deny","policy_text":null,"id":"c1"}"#).unwrap().over(&before);
    let changed = Consent::of(resource(edit(made.root(), &after)).root());
    assert_eq!((changed.decision.as_deref(), changed.policy_text.as_deref()), (Some("deny"), None));
    assert_eq!((changed.provisions, changed.period), (before.provisions.clone(), before.period.clone()));
    let refused = change(r#"{"decision":null,"status":null,"version":7}"#).unwrap_err();
    assert_eq!(refused.len(), 3);
    let gone = Consent::of(resource(revoke(made.root(), Some("She changed her mind."))).root());
    assert_eq!(
        (gone.status.as_deref(), gone.revoke_reason.as_deref()),
        (Some("inactive"), Some("She changed her mind."))
    );
}

#[test]
fn all_faults_come_at_once() {
    let wrong = r#"{"decision":"perhaps","status":"on","colour":1,"verified_by":"Practitioner/x",
        "period":{"start":"2026-02-01","end":"2026-01-01"},
        "provisions":[{"actors":["Nurse/1"],"purposes":["FUN"],"classes":["Thing"],"labels":["X"],"actions":["sell"]}]}"#;
    let mut places = read(wrong).unwrap_err();
    places.sort_unstable();
    let expected = [
        "/colour",
        "/decision",
        "/period/end",
        "/provisions/0/actions",
        "/provisions/0/actors",
        "/provisions/0/classes",
        "/provisions/0/decision",
        "/provisions/0/labels",
        "/provisions/0/purposes",
        "/status",
        "/verified_by",
    ];
    assert_eq!(places, expected);
    assert_eq!(read("{}").unwrap_err(), ["/decision"]);
}

#[test]
fn what_is_not_shown_here_is_neither_lost_nor_changed() {
    let text = r#"{"resourceType":"Consent","id":"c1","status":"active","patient":{"reference":"Patient/p1"},
        "scope":{"coding":[{"code":"patient-privacy"}]},"category":[{"text":"x"}],
        "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
        "provision":{"provision":[{"type":"deny","code":[{"text":"x"}]}]}}"#;
    let stored = Resource::parse(text).unwrap();
    let before = Consent::of(stored.root());
    assert!(before.provisions[0].further);
    let mut w = Writer::new();
    before.show(&record(), &mut w);
    show_meaning(stored.root(), NOW, &mut w);
    let shown = Json::parse(w.finish()).unwrap();
    assert_eq!(shown.root().get("counts").and_then(iris_fhir::json::Value::as_bool), Some(true));
    assert_eq!(shown.root().get("warnings").unwrap().len(), 1, "the code cannot be looked at");
    let change = |text: &str| {
        let json = Json::parse(text.to_owned()).unwrap();
        ConsentInput::read(json.root(), Purpose::Update { shown: shown.root() }, NOW)
    };
    assert!(change(r#"{"provisions":[]}"#).is_err());
    let after =
        change(r#"{"policy_text":"y","provisions":[{"decision":"deny","further":true}]}"#).unwrap().over(&before);
    let edited = Resource::parse(edit(stored.root(), &after)).unwrap();
    assert!(edited.root().get("provision").unwrap().same_as(stored.root().get("provision").unwrap()));
}
