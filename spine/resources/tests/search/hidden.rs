//! What is hidden from a caller is absent on every way that leads through other records.

use iris_access::Role;
use iris_audit::Action;
use serde_json::{Value, json};

use crate::world::{ONE, SSN, TWO, World, names, observation, patient, worlds};

const LABEL: (&str, &str) = ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R");

fn labelled(mut body: Value) -> Value {
    body["meta"] = json!({"security": [{"system": LABEL.0, "code": LABEL.1}]});
    body
}

/// Ann is open to everybody. Bob has denied everything. One observation of Ann is labelled; another one looks at Bob.
async fn filled() -> Vec<World> {
    let worlds = worlds();
    for world in &worlds {
        let mut about_bob = observation("o2", "ann", "weight", "2020-03-02");
        about_bob["focus"] = json!([{"reference": "Patient/bob"}]);
        world
            .put_all(&[
                json!({"resourceType": "Organization", "id": "clinic", "name": "Clinic"}),
                json!({"resourceType": "Practitioner", "id": "gray", "name": [{"family": "Gray"}]}),
                patient("ann", "Abbott", "123-45-6789"),
                patient("bob", "Baker", "987-65-4321"),
                labelled(observation("o1", "ann", "secret", "2020-03-01")),
                about_bob,
                observation("o3", "bob", "height", "2020-03-03"),
                json!({"resourceType": "List", "id": "all", "status": "current", "mode": "working", "entry": [
                    {"item": {"reference": "Patient/ann"}}, {"item": {"reference": "Patient/bob"}}]}),
                json!({"resourceType": "Consent", "id": "no", "status": "active", "category": [{"text": "privacy"}],
                    "scope": {"coding": [{"code": "patient-privacy"}]}, "patient": {"reference": "Patient/bob"},
                    "policyRule": {"text": "opt out"}, "provision": {"type": "deny"}}),
            ])
            .await;
        world.put(TWO, json!({"resourceType": "Practitioner", "id": "gray", "name": [{"family": "Other"}]})).await;
    }
    worlds
}

/// Ways that find something only through what is hidden from a nurse, each with what the system itself finds on it.
const WAYS: [(&str, &[&str]); 9] = [
    ("Observation?patient.family=baker", &["o3"]),
    ("Observation?focus:Patient.family=baker", &["o2"]),
    ("Patient?_has:Observation:patient:code=secret", &["ann"]),
    ("Patient?_has:Observation:patient:code=height", &["bob"]),
    ("Practitioner?_has:Observation:performer:code=secret", &["gray"]),
    ("Practitioner?_has:Observation:performer:patient.family=baker", &["gray"]),
    ("Organization?_has:Patient:organization:family=baker", &["clinic"]),
    ("Organization?_has:Patient:organization:_has:Observation:patient:code=secret", &["clinic"]),
    ("Patient?_list=all&family=baker", &["bob"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_through_what_is_hidden() {
    for world in filled().await {
        let (system, nurse, stranger) = (World::system(ONE), world.user(Role::Nurse), World::system(TWO));
        for (path, found) in WAYS {
            assert_eq!(world.ids(&system, path), found, "{path}");
            assert_eq!(world.ids(&nurse, path), [""; 0], "{path}");
            assert_eq!(world.ids(&stranger, path), [""; 0], "{path}");
            let page = world.search_blocking(&nurse, &format!("{path}&_summary=count"));
            assert_eq!((page.total, page.lifted), (Some(0), false), "{path}");
        }
        // What is left out does not hold either: with its opposite nothing more is told.
        assert_eq!(world.ids(&nurse, "Patient?_list=all"), ["ann"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_hidden_comes_along() {
    for world in filled().await {
        let (system, nurse) = (World::system(ONE), world.user(Role::Nurse));
        for (path, all, seen) in [
            ("Observation?_id=o2&_include=Observation:focus", &["Patient/bob"][..], &[][..]),
            (
                "Observation?_id=o2&_include=Observation:*",
                &["Patient/ann", "Patient/bob", "Practitioner/gray"],
                &["Patient/ann", "Practitioner/gray"],
            ),
            (
                "Practitioner?_revinclude=Observation:performer",
                &["Observation/o1", "Observation/o2", "Observation/o3"],
                &["Observation/o2"],
            ),
            (
                "Patient?_id=ann&_revinclude=Observation:patient",
                &["Observation/o1", "Observation/o2"],
                &["Observation/o2"],
            ),
            (
                "Patient?_id=ann&_revinclude=*",
                &["List/all", "Observation/o1", "Observation/o2"],
                &["List/all", "Observation/o2"],
            ),
            ("List?_include=List:item", &["Patient/ann", "Patient/bob"], &["Patient/ann"]),
        ] {
            assert_eq!(world.along(&system, path), all, "{path}");
            assert_eq!(world.along(&nurse, path), seen, "{path}");
        }
        let page = world.everything(&nurse, "ann", "").await.unwrap();
        assert_eq!((names(&page.items), page.total), (vec!["Patient/ann".into(), "Observation/o2".into()], Some(2)));
        assert!(world.everything(&nurse, "bob", "").await.unwrap_err().to_string().contains("no such record"));
        assert!(world.everything(&nurse, "nobody", "").await.unwrap_err().to_string().contains("no such record"));
        assert!(world.everything(&World::system(TWO), "ann", "").await.is_err());
        // What comes along is masked as anything else.
        let shown = world.search_blocking(&nurse, "Observation?_id=o2&_include=Observation:patient").included.remove(0);
        assert!(!String::from_utf8_lossy(&shown.body).contains("123-45-6789"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_opens_these_ways_and_the_answer_says_so() {
    for world in filled().await {
        let nurse = world.user(Role::Nurse);
        world.break_glass(&nurse, "bob").await;
        let nurse = world.user(Role::Nurse);
        for path in [WAYS[0].0, WAYS[1].0, WAYS[3].0, WAYS[5].0, WAYS[6].0] {
            let page = world.search_blocking(&nurse, &format!("{path}&_summary=count"));
            assert_eq!((page.total, page.lifted), (Some(1), true), "{path}");
        }
        // The organization is nobody's record; it was found through one that only the emergency opens.
        assert!(world.search_blocking(&nurse, &format!("{}&_total=none", WAYS[6].0)).lifted);
        assert!(!world.search_blocking(&nurse, "Observation?patient.family=abbott&_summary=count").lifted);
        assert_eq!(world.along(&nurse, "Observation?_id=o2&_include=Observation:focus"), ["Patient/bob"]);
        assert!(world.everything(&nurse, "bob", "").await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_by_a_number_that_they_see_masked() {
    for world in filled().await {
        let (system, nurse) = (World::system(ONE), world.user(Role::Nurse));
        for (path, found) in [
            (format!("Patient?identifier={SSN}|123-45-6789"), &["ann"][..]),
            ("Patient?identifier=123-45-6789".to_owned(), &["ann"]),
            (format!("Observation?patient.identifier={SSN}|123-45-6789&code=weight"), &["o2"]),
            ("Observation?patient.identifier=123-45-6789&code=weight".to_owned(), &["o2"]),
            ("Organization?_has:Patient:organization:identifier=123-45-6789".to_owned(), &["clinic"]),
            ("Patient?_filter=identifier eq \"123-45-6789\"".to_owned(), &["ann"]),
        ] {
            assert_eq!(world.ids(&system, &path), found, "{path}");
            assert_eq!(world.ids(&nurse, &path), [""; 0], "{path}");
        }
        assert_eq!(world.ids(&nurse, "Observation?patient.identifier=H-ann&code=weight"), ["o2"]);
        // By name it is refused, so that nobody takes nothing for the truth.
        for path in [format!("Patient?identifier={SSN}|1"), format!("Observation?patient.identifier={SSN}|1")] {
            let query = world.query(&nurse, &path).unwrap();
            assert!(iris_resources::searchable(&nurse, &query).is_err(), "{path}");
            assert!(iris_resources::searchable(&system, &query).is_ok(), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_may_not_be_searched_is_not_there_and_the_log_knows_who_asked() {
    for world in filled().await {
        let clerk = world.user(Role::Registrar);
        assert_eq!(world.ids(&clerk, "Patient?_has:Observation:patient:code=weight"), [""; 0]);
        assert_eq!(world.along(&clerk, "Patient?_id=ann&_revinclude=Observation:patient"), [""; 0]);
        // Of all types, those that may not be searched are left out without a word.
        assert_eq!(world.along(&clerk, "Patient?_id=bob&_revinclude=*"), [""; 0]);
        assert_eq!(world.logged(Action::PhiDenied).len(), 2);
        // One entry names the search and all that it showed.
        world.along(&World::system(ONE), "Observation?_id=o2&_include=Observation:focus");
        let (entry, _) = world.logged(Action::PhiSearch).remove(0);
        assert_eq!(entry.query, "Observation?_id=o2&_include=Observation:focus");
        assert_eq!(entry.resources, ["Observation/o2/_history/1", "Patient/bob/_history/1"]);
        assert_eq!(entry.patients, ["ann", "bob"]);
    }
}
