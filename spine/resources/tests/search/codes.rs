//! What stored value sets and code systems say of codes, and who may ask for them.

use std::time::Duration;

use iris_access::{Create, Facts, Role, decide};
use iris_fhir::Resource;
use iris_resources::{CreateOptions, EntryInput, EntryOutcome, Outcome, Part, Request};
use iris_validation::Valid;
use serde_json::{Value, json};

use crate::world::{ONE, TWO, World, kind, observation, patient, worlds};

fn value_set(id: &str, compose: &Value) -> Value {
    json!({"resourceType": "ValueSet", "id": id, "url": format!("urn:sets:{id}"), "status": "active", "compose": compose})
}

async fn filled() -> Vec<World> {
    let worlds = worlds();
    for world in &worlds {
        let tree = json!({"resourceType": "CodeSystem", "id": "tree", "url": "urn:codes", "status": "active", "content": "complete",
            "hierarchyMeaning": "is-a", "concept": [{"code": "size", "concept": [{"code": "weight"}, {"code": "height"}]},
            {"code": "pulse"}]});
        world
            .put_all(&[
                tree,
                value_set("listed", &json!({"include": [{"system": "urn:codes", "concept": [{"code": "weight"}]}]})),
                value_set(
                    "sizes",
                    &json!({"include": [{"system": "urn:codes",
                    "filter": [{"property": "concept", "op": "is-a", "value": "size"}]}],
                    "exclude": [{"valueSet": ["urn:sets:listed"]}]}),
                ),
                value_set("itself", &json!({"include": [{"valueSet": ["urn:sets:itself"]}]})),
                value_set("elsewhere", &json!({"include": [{"system": "http://snomed.info/sct"}]})),
                patient("ann", "Abbott", "123-45-6789"),
                observation("o1", "ann", "weight", "2020-03-01"),
                observation("o2", "ann", "height", "2020-03-01"),
                observation("o3", "ann", "pulse", "2020-03-01"),
            ])
            .await;
    }
    worlds
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_value_sets_and_code_systems_are_searched_by() {
    for world in filled().await {
        let system = World::system(ONE);
        for (path, found) in [
            ("Observation?code:in=urn:sets:listed", &["o1"][..]),
            ("Observation?code:in=ValueSet/listed", &["o1"]),
            ("Observation?code:in=urn:sets:sizes", &["o2"]),
            ("Observation?code:not-in=urn:sets:sizes", &["o1", "o3"]),
            ("Observation?code:below=urn:codes|size", &["o1", "o2"]),
            ("Observation?code:above=urn:codes|weight", &["o1"]),
        ] {
            assert_eq!(world.ids(&system, path), found, "{path}");
        }
        for path in ["itself", "elsewhere", "absent"].map(|id| format!("Observation?code:in=urn:sets:{id}")) {
            assert!(world.query(&system, &path).is_err(), "{path}");
        }
        assert!(world.query(&World::system(TWO), "Observation?code:in=urn:sets:listed").is_err(), "another tenant's");
        assert!(world.query(&system, "Observation?code:below=urn:codes|nothing").is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_and_entries_of_bundles_know_stored_value_sets_as_searches_do() {
    for world in filled().await {
        let (system, kind) = (World::system(ONE), kind("Observation"));
        let made = Resource::parse(observation("o9", "ann", "weight", "2020-03-01").to_string()).unwrap();
        let made = Valid::check(made).map_err(|(_, faults)| faults).unwrap();
        for (name, outcome) in [("listed", Outcome::Existed), ("empty", Outcome::Created)] {
            let codes = json!({"include": [{"system": "urn:codes", "concept": [{"code": "none"}]}]});
            world.put(ONE, value_set("empty", &codes)).await;
            let criteria = world.records.criteria(&system, kind, &format!("code:in=urn:sets:{name}")).unwrap();
            let permit = decide(&system, Create, &Facts::kind(kind)).unwrap();
            let options = CreateOptions { if_none_exist: Some(criteria), ..CreateOptions::default() };
            assert_eq!(world.records.create(&permit, &made, &options).await.unwrap().outcome, outcome, "{name}");
        }
        assert!(world.records.criteria(&World::system(TWO), kind, "code:in=urn:sets:listed").is_err());
        let criteria = "code:in=urn:sets:listed".to_owned();
        let asked = Request::Search { kind, criteria, part: Part::Whole };
        let entries = vec![EntryInput { full_url: None, request: asked }];
        let mut batched = world.records.batch(system, entries).await.unwrap();
        match batched.outcomes.remove(0) {
            EntryOutcome::Found { page, .. } => assert_eq!(page.items.len(), 2),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_at_once_and_what_is_kept_is_for_those_who_may_see_it() {
    for world in filled().await {
        let (system, nurse) = (World::system(ONE), world.user(Role::Nurse));
        let path = "Observation?code:in=urn:sets:listed";
        assert_eq!((world.ids(&system, path), world.ids(&nurse, path)), (vec!["o1".to_owned()], vec!["o1".to_owned()]));
        let mut changed =
            value_set("listed", &json!({"include": [{"system": "urn:codes", "concept": [{"code": "pulse"}]}]}));
        world.put(ONE, changed.clone()).await;
        assert_eq!((world.ids(&system, path), world.ids(&nurse, path)), (vec!["o3".to_owned()], vec!["o3".to_owned()]));
        changed["meta"] =
            json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]});
        world.put(ONE, changed).await;
        assert_eq!(world.ids(&system, path), ["o3"]);
        assert!(world.query(&nurse, path).is_err(), "kept for others, but not for this one");
        world.remove("ValueSet", "listed").await;
        assert!(world.query(&system, path).is_err());
    }
}

/// Of two versions of one value set the newer one is hidden from a nurse: each asks by what they see, whoever asked first.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_one_who_sees_less_is_not_the_answer_for_all() {
    for world in filled().await {
        let (system, nurse) = (World::system(ONE), world.user(Role::Nurse));
        let version = |version: &str, code: &str| {
            let compose = json!({"include": [{"system": "urn:codes", "concept": [{"code": code}]}]});
            let mut made = value_set(&format!("u{version}"), &compose);
            made["url"] = json!("urn:sets:u");
            made["version"] = json!(version);
            made
        };
        world.put(ONE, version("1", "weight")).await;
        world.clock.advance(Duration::from_secs(1));
        let mut hidden = version("2", "pulse");
        hidden["meta"] =
            json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]});
        world.put(ONE, hidden).await;
        let path = "Observation?code:not-in=urn:sets:u";
        for _ in 0..2 {
            assert_eq!(world.ids(&nurse, path), ["o2", "o3"]);
            assert_eq!(world.ids(&system, path), ["o1", "o2"]);
        }
    }
}
