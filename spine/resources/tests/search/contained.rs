//! Resources that stand within others: found as looking at everything finds them, for those who see what contains them.

use std::collections::BTreeSet;

use iris_access::Role;
use iris_audit::Action;
use iris_fhir::Resource;
use iris_kernel::Timestamp;
use iris_resources::{CONTAINERS_MAX, Compartment, Page, WITHIN_MAX};
use iris_search::{Contained, ContainedAs, Order, contained, extract_as};
use iris_testkit::{Expect, search_worlds};
use serde_json::{Value, json};

use crate::world::{ONE, SSN, TWO, World, kind, patient, worlds};

const RESTRICTED: (&str, &str) = ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R");

/// The ids of what is shown: those of contained resources within their containers.
fn shown(page: &Page) -> Vec<String> {
    page.items.iter().map(|item| item.address().rsplit(['/', '#']).next().unwrap().to_owned()).collect()
}

/// Everything that is found, over all pages.
async fn paged(world: &World, path: &str) -> Result<Vec<String>, Vec<String>> {
    let system = World::system(ONE);
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = match world.try_search(&system, &format!("{path}{cursor}")).await {
            Ok(page) => page,
            Err(refusal) => return Err(refusal.faults.into_iter().map(|fault| fault.at).collect()),
        };
        found.extend(shown(&page));
        match page.next {
            Some(next) => cursor = format!("&_cursor={next}"),
            None => {
                assert!(page.total.is_none_or(|total| total == found.len() as u64), "{path}: {:?}", page.total);
                return Ok(found);
            }
        }
    }
    panic!("{path}: a hundred pages");
}

fn encoded(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_contained_resources_holds_over_both_stores() {
    let table = search_worlds().into_iter().find(|world| world.name == "contained").unwrap();
    let mut count = 0;
    for world in worlds() {
        for one in &table.resources {
            world.put(ONE, serde_json::from_str(&one.json).unwrap()).await;
        }
        // Out of memory first, then out of a segment.
        for _ in 0..2 {
            for case in &table.cases {
                let Some(name) = &case.kind else { continue };
                let found = paged(&world, &format!("{name}?{}", encoded(&case.pairs))).await;
                let sorted = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
                let is_right = match (&case.expect, &found) {
                    (Expect::Ordered(ids), Ok(found)) => ids == found,
                    (Expect::Found(ids), Ok(found)) => ids.len() == found.len() && sorted(ids) == sorted(found),
                    (Expect::Refused(names), Err(told)) => names == told,
                    _ => false,
                };
                assert!(is_right, "{}: {} came to {found:?}", case.at, case.text);
                count += 1;
            }
            world.index.flush().unwrap();
        }
    }
    println!("{count} searches for contained resources");
}

/// Observations, of which most contain one or two others, with values that come again.
fn nested(number: u32) -> Value {
    let observation = |id: String, seed: u32| {
        let mut made = json!({"resourceType": "Observation", "id": id, "status": if seed.is_multiple_of(3) { "final" } else { "amended" },
            "code": {"coding": [{"code": format!("c{}", seed % 4)}]}});
        if !seed.is_multiple_of(5) {
            made["effectiveDateTime"] = json!(format!("2020-0{}-1{}", 1 + seed % 7, seed % 3));
        }
        if seed.is_multiple_of(2) {
            made["valueQuantity"] =
                json!({"value": seed % 6, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"});
        }
        made
    };
    let mut outer = observation(format!("n{number}"), number * 7 + 1);
    let inner: Vec<Value> = (0..number % 3).map(|at| observation(format!("n{number}-{at}"), number * 5 + at)).collect();
    if !inner.is_empty() {
        let members: Vec<Value> =
            inner.iter().map(|one| json!({"reference": format!("#{}", one["id"].as_str().unwrap())})).collect();
        outer["hasMember"] = json!(members);
        outer["contained"] = json!(inner);
    }
    outer
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_find_what_looking_at_everything_finds_and_pages_join() {
    let asked =
        ["", "code=c1", "code:not=c1", "status=final&date=ge2020-03", "value-quantity=gt2", "date:missing=true"];
    let mut count = 0;
    for world in worlds() {
        let bodies: Vec<Value> = (0..30).map(nested).collect();
        world.put_all(&bodies).await;
        let system = World::system(ONE);
        for (asked, sort) in
            asked.iter().flat_map(|asked| ["_lastUpdated", "-date", "value-quantity"].map(|sort| (asked, sort)))
        {
            for (how, by) in
                [("true", "container"), ("true", "contained"), ("both", "container"), ("both", "contained")]
            {
                let path = format!("Observation?{asked}&_sort={sort}&_contained={how}&_containedType={by}");
                let query = world.query(&system, &path).unwrap();
                let all = paged(&world, &format!("{path}&_count=1000")).await.unwrap();
                let mut wanted = BTreeSet::new();
                for body in &bodies {
                    let outer = Resource::parse(body.to_string()).unwrap();
                    let matches = |one: &Resource| query.matches(&extract_as(one, "", Timestamp(0)));
                    let id = |one: &Resource| one.id().unwrap().into_owned();
                    let inner: Vec<Resource> =
                        contained(&outer).map(|inner| Resource::parse(inner.raw().to_vec()).unwrap()).collect();
                    let found: Vec<&Resource> = inner.iter().filter(|one| matches(one)).collect();
                    if query.contained == Contained::Both && matches(&outer) {
                        wanted.insert(id(&outer));
                    }
                    match query.contained_as {
                        ContainedAs::Itself => wanted.extend(found.into_iter().map(id)),
                        ContainedAs::Container if !found.is_empty() => drop(wanted.insert(id(&outer))),
                        ContainedAs::Container => {}
                    }
                }
                assert_eq!(all.len(), wanted.len(), "{path}: once each");
                assert_eq!(all.iter().cloned().collect::<BTreeSet<_>>(), wanted, "{path}");
                for size in [1, 2, 7] {
                    assert_eq!(paged(&world, &format!("{path}&_count={size}")).await.unwrap(), all, "{path} by {size}");
                }
                let counted = world.search_blocking(&system, &format!("{path}&_summary=count"));
                assert_eq!((counted.total, counted.items.len()), (Some(all.len() as u64), 0), "{path}");
                assert!(query.sort.len() == 1 && [Order::Ascending, Order::Descending].contains(&query.sort[0].order));
                count += 1;
            }
        }
    }
    println!("{count} searches compared with looking at everything");
}

/// An observation about a contained person. It is in nobody's compartment but that of whom it has as focus.
fn about(id: &str, family: &str, of: Option<&str>, label: Option<(&str, &str)>) -> Value {
    let mut inner = patient("p", family, "123-45-6789");
    inner.as_object_mut().unwrap().remove("managingOrganization");
    let mut made = json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"},
        "contained": [inner], "subject": {"reference": "#p"}});
    if let Some(of) = of {
        made["performer"] = json!([{"reference": format!("Patient/{of}")}]);
    }
    if let Some((system, code)) = label {
        made["meta"] = json!({"security": [{"system": system, "code": code}]});
    }
    made
}

/// Ann is open to everybody, Bob has denied everything. Of four observations about contained people a nurse sees two.
async fn filled() -> Vec<World> {
    let worlds = worlds();
    for world in &worlds {
        world
            .put_all(&[
                patient("ann", "Abbott", "123-45-6789"),
                patient("bob", "Baker", "987-65-4321"),
                about("open", "Green", None, None),
                about("anns", "Green", Some("ann"), None),
                about("bobs", "Green", Some("bob"), None),
                about("closed", "Green", None, Some(RESTRICTED)),
                json!({"resourceType": "Consent", "id": "no", "status": "active", "category": [{"text": "privacy"}],
                    "scope": {"coding": [{"code": "patient-privacy"}]}, "patient": {"reference": "Patient/bob"},
                    "policyRule": {"text": "opt out"}, "provision": {"type": "deny"}}),
            ])
            .await;
        world.put(TWO, about("theirs", "Green", None, None)).await;
    }
    worlds
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contained_resource_is_for_whom_its_container_is() {
    for world in filled().await {
        let (system, nurse) = (World::system(ONE), world.user(Role::Nurse));
        for by in ["container", "contained"] {
            for how in ["true", "both"] {
                let path = format!("Patient?family=green&_contained={how}&_containedType={by}");
                assert_eq!(world.ids(&system, &path), ["anns", "bobs", "closed", "open"], "{path}");
                assert_eq!(world.ids(&nurse, &path), ["anns", "open"], "{path}");
                assert_eq!(world.ids(&World::system(TWO), &path), ["theirs"], "{path}");
                let counted = world.search_blocking(&nurse, &format!("{path}&_summary=count"));
                assert_eq!((counted.total, counted.lifted), (Some(2), false), "{path}");
                let first = world.search_blocking(&nurse, &format!("{path}&_count=1&_sort=family"));
                let next = first.next.unwrap();
                let last = world.search_blocking(&nurse, &format!("{path}&_count=1&_sort=family&_cursor={next}"));
                assert_eq!((first.total, last.next.is_none(), last.items.len()), (Some(2), true, 1), "{path}");
            }
        }
        // Who may not search a type does not find what is in it, and has asked for nothing that was denied.
        let clerk = world.user(Role::Registrar);
        let denied = world.logged(Action::PhiDenied).len();
        assert_eq!(world.ids(&clerk, "Patient?family=green&_contained=true"), [""; 0]);
        assert_eq!(world.ids(&clerk, "Patient?family=green&_contained=both"), [""; 0]);
        assert_eq!(world.logged(Action::PhiDenied).len(), denied);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_that_a_count_tells_of_is_said() {
    for world in filled().await {
        let nurse = world.user(Role::Nurse);
        world.break_glass(&nurse, "bob").await;
        let nurse = world.user(Role::Nurse);
        let counted = world.search_blocking(&nurse, "Patient?family=green&_contained=true&_summary=count");
        assert_eq!((counted.total, counted.lifted), (Some(3), true));
        let counted = world.search_blocking(&nurse, "Patient?family=nobody&_contained=true&_summary=count");
        assert_eq!((counted.total, counted.lifted), (Some(0), false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_masked_is_masked_within_others_as_well() {
    for world in filled().await {
        let (system, nurse) = (World::system(ONE), world.user(Role::Nurse));
        for (asked, all) in [
            ("identifier=123-45-6789", 4),
            ("identifier:missing=false", 4),
            ("_filter=identifier%20eq%20%22123-45-6789%22", 4),
        ] {
            let path = format!("Patient?{asked}&_contained=true");
            assert_eq!(world.ids(&system, &path).len(), all, "{path}");
            let seen = if asked.contains("missing") { 2 } else { 0 };
            assert_eq!(world.ids(&nurse, &path).len(), seen, "{path}");
        }
        let by_name = world.query(&nurse, &format!("Patient?identifier={SSN}|1&_contained=true")).unwrap();
        assert!(iris_resources::searchable(&nurse, &by_name).is_err());
        for by in ["container", "contained"] {
            let path = format!("Patient?family=green&_contained=true&_containedType={by}");
            let text = |page: Page| String::from_utf8_lossy(&page.items[0].body).into_owned();
            assert!(text(world.search_blocking(&system, &path)).contains("123-45-6789"), "{by}");
            let masked = text(world.search_blocking(&nurse, &path));
            assert!(!masked.contains("123-45-6789") && masked.contains("H-p") && masked.contains("MASKED"), "{masked}");
        }
    }
}

/// The narrative of what is contained may tell a number of the record around it.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_a_masked_record_is_as_masked_when_it_is_shown_alone() {
    for world in worlds() {
        let mut john = patient("john", "Doe", "123-45-6789");
        let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\">daughter of John, SSN 123-45-6789</div>";
        let daughter = |id: &str| {
            json!({"resourceType": "RelatedPerson", "id": id, "name": [{"family": "Doe"}],
                "text": {"status": "generated", "div": div}, "patient": {"reference": "Patient/john"}})
        };
        john["contained"] = json!([daughter("d1"), daughter("d2")]);
        let link = |id: &str| json!({"other": {"reference": format!("#{id}")}, "type": "seealso"});
        john["link"] = json!([link("d1"), link("d2")]);
        world.put(ONE, john).await;
        let (system, nurse) = (World::system(ONE), world.user(Role::Nurse));
        for path in
            ["_containedType=contained", "_containedType=contained&_count=1", "_containedType=container&_count=1"]
        {
            let path = format!("RelatedPerson?name=doe&_contained=true&{path}");
            let seen = |caller| {
                let page = world.search_blocking(caller, &path);
                let bodies: Vec<Value> =
                    page.items.iter().map(|item| serde_json::from_slice(&item.body).unwrap()).collect();
                (bodies, world.logged(Action::PhiSearch).remove(0).0.fields)
            };
            let (whole, fields) = seen(&system);
            assert!(json!(whole).to_string().contains("123-45-6789"), "{path}: {whole:?}");
            assert!(!fields.contains(&"sensitive (masked)".to_owned()), "{path}: {fields:?}");
            let (masked, fields) = seen(&nurse);
            assert_eq!(masked.len(), whole.len(), "{path}");
            for one in &masked {
                assert!(!one.to_string().contains("123-45-6789"), "{path}: {one}");
                assert_eq!(one["meta"]["security"][0]["code"], "MASKED", "{path}: {one}");
                assert_eq!(one["meta"]["tag"][0]["code"], "SUBSETTED", "{path}: {one}");
            }
            assert_eq!(fields, ["PII", "sensitive (masked)"], "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_shows_where_it_is_from_and_the_log_names_the_container() {
    for world in filled().await {
        let page = world.search_blocking(
            &World::system(ONE),
            "Patient?family=green&_contained=both&_containedType=contained&_sort=_lastUpdated&_count=2",
        );
        let addresses: Vec<String> = page.items.iter().map(iris_resources::Stored::address).collect();
        assert_eq!(addresses, ["Observation/open#p", "Observation/anns#p"]);
        let shown: Value = serde_json::from_slice(&page.items[0].body).unwrap();
        assert_eq!((&shown["resourceType"], &shown["id"]), (&json!("Patient"), &json!("p")));
        let (entry, _) = world.logged(Action::PhiSearch).remove(0);
        assert!(entry.query.starts_with("Patient?family=green&_contained=both"), "{}", entry.query);
        assert_eq!(entry.resources, ["Observation/open/_history/1", "Observation/anns/_history/1"]);
        assert_eq!(entry.patients, ["ann"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_looks_into_so_many_records_and_is_refused_beyond() {
    let world = worlds().swap_remove(0);
    let system = World::system(ONE);
    for number in 0..=CONTAINERS_MAX {
        world.put(ONE, about(&format!("n{number}"), "Green", None, None)).await;
        if number == CONTAINERS_MAX - 1 {
            let counted = world.search_blocking(&system, "Patient?family=green&_contained=true&_summary=count");
            assert_eq!(counted.total, Some(CONTAINERS_MAX as u64));
        }
    }
    let refusal = world.try_search(&system, "Patient?family=green&_contained=true").await.unwrap_err();
    assert!(refusal.to_string().contains("more than 2000 records"), "{refusal}");
    assert_eq!(refusal.faults[0].at, "_contained");
    assert!(world.try_search(&system, "Practitioner?_contained=true").await.unwrap().items.is_empty());
}

/// A list of so many observations, which it contains.
fn list(id: &str, count: usize) -> Value {
    let contained: Vec<Value> = (0..count)
        .map(|at| json!({"resourceType": "Observation", "id": format!("c{at}"), "status": "final", "code": {"text": "x"}}))
        .collect();
    let entries: Vec<Value> = (0..count).map(|at| json!({"item": {"reference": format!("#c{at}")}})).collect();
    json!({"resourceType": "List", "id": id, "status": "current", "mode": "working", "contained": contained,
        "entry": entries})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_so_much_within_records_and_is_refused_beyond() {
    let world = worlds().swap_remove(0);
    let system = World::system(ONE);
    let asked = "Observation?status=final&_contained=true&_summary=count&_containedType";
    for number in 0..10 {
        world.put(ONE, list(&format!("l{number}"), WITHIN_MAX / 10)).await;
    }
    let counted = world.search_blocking(&system, &format!("{asked}=contained"));
    assert_eq!(counted.total, Some(WITHIN_MAX as u64));
    let page = world.search_blocking(&system, "Observation?_contained=true&_containedType=contained&_count=1000");
    assert_eq!(page.items.iter().map(iris_resources::Stored::address).collect::<BTreeSet<_>>().len(), 1_000);
    world.put(ONE, list("more", 1)).await;
    let refusal = world.try_search(&system, &format!("{asked}=contained")).await.unwrap_err();
    assert!(refusal.to_string().contains("more than 20000 matches"), "{refusal}");
    assert_eq!(refusal.faults[0].at, "_contained");
    let counted = world.search_blocking(&system, &format!("{asked}=container"));
    assert_eq!(counted.total, Some(11), "a container is answered once");
}

#[tokio::test(flavor = "multi_thread")]
async fn within_a_compartment_it_is_refused() {
    let world = worlds().swap_remove(0);
    let compartment = Compartment { owner: kind("Patient"), id: "ann".to_owned() };
    let searches = world.searches(&World::system(ONE), &["Observation"], "_contained=true");
    let refusal = world.records.search_within(&compartment, &searches).unwrap_err();
    assert_eq!(refusal.faults[0].at, "_contained", "{refusal}");
}
