//! `$everything`: a patient's whole record, each part of it once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::filled;
use crate::world::{ONE, World, names, observation, patient, worlds};

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_patient_comes_once_over_all_pages() {
    for world in filled().await {
        let system = World::system(ONE);
        let page = world.everything(&system, "ann", "").await.unwrap();
        assert_eq!(names(&page.items), ["Patient/ann", "Encounter/visit", "Observation/o1", "Observation/o2"]);
        let along: BTreeSet<_> = names(&page.included).into_iter().collect();
        let referred = ["Organization/clinic", "Organization/holding", "Practitioner/gray"].map(str::to_owned);
        assert_eq!(along, BTreeSet::from(referred));
        assert_eq!((page.total, page.next.is_none()), (Some(4), true));
        for count in 1..=4 {
            let (mut items, mut included, mut cursor) = (Vec::new(), Vec::new(), String::new());
            for _ in 0..10 {
                let page = world.everything(&system, "ann", &format!("_count={count}{cursor}")).await.unwrap();
                assert!(page.items.len() <= count && page.total == Some(4));
                items.extend(names(&page.items));
                included.extend(names(&page.included));
                let Some(next) = page.next else { break };
                cursor = format!("&_cursor={next}");
            }
            assert_eq!(items, ["Patient/ann", "Encounter/visit", "Observation/o1", "Observation/o2"], "{count}");
            assert_eq!((included.len(), included.into_iter().collect::<BTreeSet<_>>()), (3, along.clone()), "{count}");
        }
        for (text, items) in [
            ("_type=Observation", &["Observation/o1", "Observation/o2"][..]),
            ("_type=Patient,Practitioner", &["Patient/ann"]),
            ("start=2020-03-02&end=2020-12-31", &["Patient/ann", "Encounter/visit"]),
            ("end=2020-03-01", &["Patient/ann", "Encounter/visit", "Observation/o1"]),
            ("_since=2999-01-01T00:00:00Z", &["Patient/ann"]),
        ] {
            assert_eq!(names(&world.everything(&system, "ann", text).await.unwrap().items), items, "{text}");
        }
        let only = world.everything(&system, "ann", "_type=Patient,Practitioner").await.unwrap();
        assert_eq!((names(&only.included), only.total), (vec!["Practitioner/gray".to_owned()], Some(1)));
        let cursor = world.everything(&system, "ann", "_count=2").await.unwrap().next.unwrap();
        assert!(world.everything(&system, "bob", &format!("_count=2&_cursor={cursor}")).await.is_err());
        let refusal = world.everything(&system, "ann", "_elements=name&start=soon&_type=Horse").await.unwrap_err();
        assert_eq!(refusal.faults.len(), 3, "{refusal}");
    }
}

/// Practitioners and organizations that 200 observations of Ann refer to, ten each, and those beyond: 2,000 in all.
async fn widely_referring(world: &World) -> (Vec<String>, BTreeSet<String>) {
    world.put(ONE, patient("ann", "Abbott", "123-45-6789")).await;
    let mut outside = BTreeSet::from(["Organization/clinic".to_owned()]);
    world.put(ONE, json!({"resourceType": "Organization", "id": "clinic", "name": "Clinic"})).await;
    for number in 0..1_499 {
        world.put(ONE, json!({"resourceType": "Practitioner", "id": format!("p{number}")})).await;
        outside.insert(format!("Practitioner/p{number}"));
    }
    // Each leads to the one before it; to every third nothing else does.
    for number in 0..500_u32 {
        let mut made = json!({"resourceType": "Organization", "id": format!("g{number}"), "name": "x"});
        if let Some(before) = number.checked_sub(1) {
            made["partOf"] = json!({"reference": format!("Organization/g{before}")});
        }
        world.put(ONE, made).await;
        outside.insert(format!("Organization/g{number}"));
    }
    let mut inside = vec!["Patient/ann".to_owned()];
    for number in 0..200 {
        let mut made = observation(&format!("o{number}"), "ann", "weight", "2020-03-01");
        let practitioners = (0..8).map(|at| format!("Practitioner/p{}", (number * 8 + at) % 1_499));
        let organizations = [(number * 3 + 1) % 500, (number * 3 + 2) % 500].map(|at| format!("Organization/g{at}"));
        let performers: Vec<Value> =
            practitioners.chain(organizations).map(|name| json!({"reference": name})).collect();
        made["performer"] = json!(performers);
        world.put(ONE, made).await;
        inside.push(format!("Observation/o{number}"));
    }
    (inside, outside)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_thousand_references_lead_to_comes_once_over_all_pages() {
    for world in worlds() {
        let (inside, outside) = widely_referring(&world).await;
        assert_eq!(outside.len(), 2_000);
        let system = World::system(ONE);
        for text in ["_count=50", "_count=200", ""] {
            let (mut items, mut included, mut cursor, mut pages) = (Vec::new(), Vec::new(), String::new(), 0);
            loop {
                let page = world.everything(&system, "ann", &format!("{text}{cursor}")).await.unwrap();
                assert_eq!(page.total, Some(201), "{text}");
                items.extend(names(&page.items));
                included.extend(names(&page.included));
                pages += 1;
                // What is changed meanwhile keeps its place.
                world.put(ONE, json!({"resourceType": "Practitioner", "id": "p7", "active": pages % 2 == 0})).await;
                let Some(next) = page.next else { break };
                cursor = if text.is_empty() { format!("_cursor={next}") } else { format!("&_cursor={next}") };
                assert!(cursor.len() < 400, "a cursor that remembers what was shown");
            }
            assert_eq!(items, inside, "{text}");
            assert_eq!(included.len(), 2_000, "{text}: once each");
            assert_eq!(included.into_iter().collect::<BTreeSet<_>>(), outside, "{text}");
            println!("pages under {text:?}: {pages}");
        }
        let only = world.everything(&system, "ann", "_type=Organization&_count=50").await.unwrap();
        assert_eq!((only.items.len(), only.total), (0, Some(0)));
    }
}
