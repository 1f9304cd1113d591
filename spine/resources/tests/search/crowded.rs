//! A resource that some searches would not find is not stored.

use iris_access::{Create, Facts, decide};
use iris_fhir::Resource;
use iris_kernel::ErrorKind;
use iris_resources::CreateOptions;
use iris_search::COMPOSITES_MAX;
use iris_validation::Valid;
use serde_json::{Value, json};

use crate::world::{ONE, World, kind, worlds};

/// An observation of so many codes, each with each of a hundred values.
fn observation(codes: usize) -> Value {
    let codings = |count: usize| (0..count).map(|at| json!({"code": format!("c{at}")})).collect::<Vec<_>>();
    json!({"resourceType": "Observation", "status": "final", "code": {"coding": codings(codes)},
        "valueCodeableConcept": {"coding": codings(100)}})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_more_combinations_than_are_searched_is_refused_and_not_stored() {
    for world in worlds() {
        let system = World::system(ONE);
        let most = COMPOSITES_MAX / 100;
        for (codes, is_stored) in [(most, true), (most + 1, false)] {
            let resource = Resource::parse(observation(codes).to_string()).unwrap();
            let valid = Valid::check(resource).map_err(|(_, faults)| faults).unwrap();
            let permit = decide(&system, Create, &Facts::kind(kind("Observation"))).unwrap();
            let made = world.records.create(&permit, &valid, &CreateOptions::default()).await;
            assert_eq!(made.as_ref().err().map(|refusal| refusal.kind), (!is_stored).then_some(ErrorKind::TooLarge));
        }
        let last = format!("Observation?code-value-concept=c{}$c99", most - 1);
        assert_eq!(world.ids(&system, &last).len(), 1);
        assert_eq!(world.ids(&system, "Observation?code=c0").len(), 1);
    }
}
