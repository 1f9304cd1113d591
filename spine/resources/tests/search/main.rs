//! Searches that lead through other records, bring them along or go through a whole compartment: what they find, and that what is
//! hidden is absent on every one of these ways. Over SQLite, and over PostgreSQL where it is installed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod codes;
mod contained;
mod crowded;
mod deletes;
mod everything;
mod hidden;
mod refused;
mod world;

use std::collections::BTreeSet;

use iris_resources::Compartment;
use serde_json::json;
use world::{ONE, World, kind, names, observation, patient, worlds};

/// Two patients of one clinic with observations, and what those lead to.
async fn filled() -> Vec<World> {
    let worlds = worlds();
    for world in &worlds {
        world
            .put_all(&[
                json!({"resourceType": "Organization", "id": "holding", "name": "Holding"}),
                json!({"resourceType": "Organization", "id": "clinic", "name": "Clinic", "partOf": {"reference": "Organization/holding"}}),
                json!({"resourceType": "Practitioner", "id": "gray", "name": [{"family": "Gray"}]}),
                patient("ann", "Abbott", "123-45-6789"),
                patient("bob", "Baker", "987-65-4321"),
                json!({"resourceType": "Encounter", "id": "visit", "status": "finished", "class": {"code": "AMB"},
                    "subject": {"reference": "Patient/ann"}, "period": {"start": "2020-03-01", "end": "2020-03-02"},
                    "serviceProvider": {"reference": "Organization/clinic"}}),
                observation("o1", "ann", "weight", "2020-03-01"),
                observation("o2", "ann", "height", "2021-03-01"),
                observation("o3", "bob", "weight", "2022-03-01"),
                json!({"resourceType": "List", "id": "mine", "status": "current", "mode": "changes", "entry": [
                    {"item": {"reference": "Observation/o1"}}, {"item": {"reference": "Patient/bob"}},
                    {"item": {"reference": "Observation/o3"}, "deleted": true}]}),
            ])
            .await;
    }
    worlds
}

#[tokio::test(flavor = "multi_thread")]
async fn chains_lead_forward_backward_and_on() {
    for world in filled().await {
        let system = World::system(ONE);
        for (path, found) in [
            ("Observation?subject:Patient.family=abbott", &["o1", "o2"][..]),
            ("Observation?patient.family=baker", &["o3"]),
            ("Observation?patient.organization.name=clinic", &["o1", "o2", "o3"]),
            ("Observation?patient.organization.partof.name=holding&code=weight", &["o1", "o3"]),
            ("Observation?patient.family=nobody", &[]),
            ("Patient?_has:Observation:patient:code=height", &["ann"]),
            ("Patient?_has:Observation:patient:code=weight", &["ann", "bob"]),
            ("Organization?_has:Patient:organization:_has:Observation:patient:code=height", &["clinic"]),
            ("Practitioner?_has:Observation:performer:patient.family=baker", &["gray"]),
            ("Patient?_filter=family eq \"Abbott\"", &["ann"]),
            ("Observation?_list=mine", &["o1"]),
            ("Patient?_list=mine", &["bob"]),
            ("Observation?_list=absent", &[]),
        ] {
            assert_eq!(world.ids(&system, path), found, "{path}");
        }
        world.index.flush().unwrap();
        assert_eq!(
            world.ids(&system, "Observation?patient.organization.partof.name=holding&code=weight"),
            ["o1", "o3"]
        );
        assert_eq!(world.ids(&system, "Patient?_has:Observation:patient:code=height"), ["ann"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_along_is_there_once_and_iterates_where_it_is_asked_to() {
    for world in filled().await {
        let system = World::system(ONE);
        let along = |path: &str| world.along(&system, path);
        assert_eq!(along("Observation?_include=Observation:patient"), ["Patient/ann", "Patient/bob"]);
        assert_eq!(along("Observation?_id=o1&_include=Observation:subject:Group"), [""; 0]);
        assert_eq!(along("Observation?_id=o1&_include=Observation:*"), ["Patient/ann", "Practitioner/gray"]);
        let iterated = "Observation?_id=o1&_include=Observation:patient&_include:iterate=Patient:organization&\
            _include:iterate=Organization:partof";
        assert_eq!(along(iterated), ["Organization/clinic", "Organization/holding", "Patient/ann"]);
        assert_eq!(along("Patient?_id=ann&_revinclude=Observation:patient"), ["Observation/o1", "Observation/o2"]);
        let both = "Patient?_id=ann&_revinclude=Observation:patient&_include:iterate=Observation:performer&\
            _include:iterate=Observation:patient";
        assert_eq!(along(both), ["Observation/o1", "Observation/o2", "Practitioner/gray"]);
        assert_eq!(along("Observation?_id=o1&_include=*"), ["Patient/ann", "Practitioner/gray"]);
        assert_eq!(
            along("Observation?_id=o1&_include:iterate=*"),
            ["Organization/clinic", "Organization/holding", "Patient/ann", "Practitioner/gray"]
        );
        assert_eq!(along("Patient?_id=ann&_revinclude=*"), ["Encounter/visit", "Observation/o1", "Observation/o2"]);
        assert_eq!(along("Patient?_id=bob&_revinclude=*"), ["List/mine", "Observation/o3"]);
        let all = [
            "Encounter/visit",
            "List/mine",
            "Observation/o1",
            "Observation/o2",
            "Observation/o3",
            "Organization/clinic",
            "Patient/ann",
            "Patient/bob",
        ];
        assert_eq!(along("Organization?_id=holding&_revinclude:iterate=*"), all);
        // A page brings along what its own matches refer to.
        let page = world.search_blocking(&system, "Observation?_count=1&_sort=date&_include=Observation:patient");
        assert_eq!(
            (names(&page.items), names(&page.included)),
            (vec!["Observation/o1".into()], vec!["Patient/ann".into()])
        );
        assert_eq!(page.entries().map(|(_, mode)| mode.code()).collect::<Vec<_>>(), ["match", "include"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_bring_along_too_much_is_refused() {
    let world = worlds().swap_remove(0);
    world.put(ONE, patient("ann", "Abbott", "123-45-6789")).await;
    for number in 0..=iris_resources::INCLUDED_MAX {
        world.put(ONE, observation(&format!("n{number}"), "ann", "weight", "2020-03-01")).await;
        if number == iris_resources::INCLUDED_MAX - 1 {
            let along = world.along(&World::system(ONE), "Patient?_revinclude=Observation:patient");
            assert_eq!(along.len(), iris_resources::INCLUDED_MAX);
        }
    }
    let refusal = world.try_search(&World::system(ONE), "Patient?_revinclude=Observation:patient").await.unwrap_err();
    assert!(refusal.to_string().contains("more than 1000 records"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_types_are_one_list_with_one_cursor() {
    for world in filled().await {
        let system = World::system(ONE);
        for (sort, reversed) in [("_lastUpdated", false), ("-_lastUpdated", true)] {
            let (mut found, mut cursor) = (Vec::new(), None);
            for _ in 0..10 {
                let mut searches = world.searches(
                    &system,
                    &["Patient", "Observation", "Encounter"],
                    &format!("_count=2&_sort={sort}"),
                );
                searches[0].1.cursor = cursor.take();
                let sealed = world.records.search_several(&searches).unwrap();
                let page = world.audit.release(sealed).await.unwrap();
                assert_eq!(page.total, Some(6));
                found.extend(names(&page.items));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let mut order =
                ["Patient/ann", "Patient/bob", "Encounter/visit", "Observation/o1", "Observation/o2", "Observation/o3"];
            if reversed {
                order.reverse();
            }
            assert_eq!(found, order);
        }
        let mut searches = world.searches(&system, &["Patient", "Observation"], "_count=2");
        searches[0].1.cursor = world.search_blocking(&system, "Observation?_count=2").next;
        assert!(world.records.search_several(&searches).is_err(), "the cursor of another search");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_types_each_brings_along_what_it_is_asked_to() {
    for world in filled().await {
        let system = World::system(ONE);
        for (asked, along) in [
            ("_include=Patient:organization", &["Organization/clinic"][..]),
            ("_include=Encounter:service-provider&_include=Patient:organization", &["Organization/clinic"]),
            ("_revinclude=List:item", &["List/mine"]),
            ("_revinclude=Observation:patient", &["Observation/o1", "Observation/o2", "Observation/o3"]),
            ("_include=*", &["Organization/clinic"]),
            ("_revinclude=*", &["List/mine", "Observation/o1", "Observation/o2", "Observation/o3"]),
        ] {
            let pairs = world::pairs(&format!("_type=Encounter,Patient&{asked}"));
            let queries = iris_search::parse_system_query(&pairs, &world.records.query_context()).unwrap();
            let searches: Vec<_> =
                queries.into_iter().map(|query| (World::permit(&system, query.kind), query)).collect();
            let page = world.audit.release(world.records.search_several(&searches).unwrap()).await.unwrap();
            assert_eq!(names(&page.items).len(), 3, "{asked}");
            assert_eq!(
                names(&page.included).into_iter().collect::<BTreeSet<_>>(),
                along.iter().map(|&name| name.to_owned()).collect(),
                "{asked}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compartments_hold_what_the_definitions_say() {
    for world in filled().await {
        let system = World::system(ONE);
        let within = |owner: &str, id: &str, kinds: &[&str], text: &str| {
            let compartment = Compartment { owner: kind(owner), id: id.to_owned() };
            let sealed = world.records.search_within(&compartment, &world.searches(&system, kinds, text));
            let sealed = sealed.map_err(|refusal| refusal.to_string())?;
            let released = world.audit.release(sealed);
            let page = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(released)).unwrap();
            Ok::<_, String>(names(&page.items).into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>())
        };
        assert_eq!(within("Patient", "ann", &["Observation"], "").unwrap(), ["Observation/o1", "Observation/o2"]);
        assert_eq!(within("Patient", "ann", &["Observation"], "code=height").unwrap(), ["Observation/o2"]);
        assert_eq!(within("Practitioner", "gray", &["Observation", "Practitioner"], "").unwrap().len(), 4);
        assert_eq!(within("Encounter", "visit", &["Encounter"], "").unwrap(), ["Encounter/visit"]);
        assert_eq!(within("Patient", "nobody", &["Observation"], "").unwrap(), [""; 0]);
        assert!(within("Encounter", "visit", &["Coverage"], "").unwrap_err().contains("never in such a compartment"));
    }
}

/// A record that goes, or changes, between the index and the store: an answer has it as it was or does not have it.
#[test]
fn records_that_go_meanwhile_break_no_answer() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let here = runtime();
    for world in here.block_on(filled()) {
        let system = World::system(ONE);
        let world = &world;
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let runtime = runtime();
                for round in 0..60 {
                    runtime.block_on(world.put(ONE, patient("ann", &format!("Abbott{round}"), "123-45-6789")));
                    runtime.block_on(world.remove("Observation", "o2"));
                    runtime.block_on(world.put(ONE, observation("o2", "ann", "height", "2021-03-01")));
                }
            });
            let mut searches = 0;
            while !writer.is_finished() {
                here.block_on(async {
                    let path = "Observation?patient.family=abbott&_include=Observation:patient";
                    let page = world.try_search(&system, path).await.unwrap();
                    assert!(page.items.iter().any(|item| item.id == "o1"));
                    assert_eq!(names(&page.included), ["Patient/ann"]);
                    let page = world.everything(&system, "ann", "").await.unwrap();
                    assert!((3..=4).contains(&page.items.len()), "{:?}", names(&page.items));
                });
                searches += 1;
            }
            println!("searches beside a writer: {searches}");
        });
    }
}
