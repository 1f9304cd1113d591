//! A search that is refused for how much there is tells of records: the log has it as any other.

use iris_access::{Create, Facts, Role, decide};
use iris_audit::Action;
use iris_fhir::Resource;
use iris_kernel::ErrorKind;
use iris_kernel::limits::FHIR_PAGE_MAX;
use iris_resources::{CreateOptions, INCLUDED_MAX};
use iris_validation::Valid;
use serde_json::json;

use crate::filled;
use crate::world::{ONE, World, kind, observation, patient, worlds};

#[tokio::test(flavor = "multi_thread")]
async fn more_than_comes_along_is_in_the_log_with_the_patient_whose_it_is() {
    for world in worlds() {
        world.put(ONE, patient("ann", "Abbott", "123-45-6789")).await;
        for at in 0..=INCLUDED_MAX {
            world.put(ONE, observation(&format!("o{at}"), "ann", "weight", "2020-03-01")).await;
        }
        let nurse = world.user(Role::Nurse);
        let path = "Patient?_id=ann&_revinclude=Observation:subject";
        let refusal = world.try_search(&nurse, path).await.unwrap_err();
        assert_eq!((refusal.kind, refusal.concerns), (ErrorKind::TooLarge, vec!["ann".to_owned()]));
        let logged = world.logged(Action::PhiSearch);
        let (entry, _) = logged.first().unwrap();
        assert_eq!((entry.query.as_str(), &*entry.patients, logged.len()), (path, &["ann".to_owned()][..], 1));
        // One that is refused for what it says, and not for what there is, tells nothing.
        assert!(world.try_search(&nurse, "Patient?_id=ann&_cursor=rubbish").await.is_err());
        assert_eq!(world.logged(Action::PhiSearch).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_too_wide_is_in_the_log_for_searches_and_conditions_alike() {
    for world in worlds() {
        for at in 0..=FHIR_PAGE_MAX {
            let plan = json!({"resourceType": "PlanDefinition", "id": format!("d{at}"), "status": "active",
                "url": format!("urn:plans:{at}")});
            world.put(ONE, plan).await;
        }
        let (system, kind) = (World::system(ONE), kind("CarePlan"));
        let criteria = "instantiates-canonical:PlanDefinition.status=active";
        let path = format!("CarePlan?{criteria}");
        assert_eq!(world.try_search(&system, &path).await.unwrap_err().kind, ErrorKind::TooLarge);
        let made = json!({"resourceType": "CarePlan", "status": "active", "intent": "plan",
            "subject": {"reference": "Patient/ann"}});
        let made = Valid::check(Resource::parse(made.to_string()).unwrap()).map_err(|(_, faults)| faults).unwrap();
        let permit = decide(&system, Create, &Facts::kind(kind)).unwrap();
        let criteria = world.records.criteria(&system, kind, criteria).unwrap();
        let options = CreateOptions { if_none_exist: Some(criteria), ..CreateOptions::default() };
        assert_eq!(world.records.create(&permit, &made, &options).await.unwrap_err().kind, ErrorKind::TooLarge);
        let queries: Vec<_> = world.logged(Action::PhiSearch).into_iter().map(|(entry, _)| entry.query).collect();
        assert_eq!(queries, [path.clone(), path]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_record_that_is_refused_once_the_patient_was_found_is_in_the_log() {
    for world in filled().await {
        let clerk = world.user(Role::Registrar);
        for (text, kind, denials) in
            [("_cursor=rubbish", ErrorKind::Malformed, 0), ("_type=Observation", ErrorKind::Forbidden, 1)]
        {
            let before = world.logged(Action::PhiSearch).len();
            assert_eq!(world.everything(&clerk, "ann", text).await.unwrap_err().kind, kind, "{text}");
            let logged = world.logged(Action::PhiSearch);
            assert_eq!((logged.len(), &*logged[0].0.patients), (before + 1, &["ann".to_owned()][..]), "{text}");
            assert_eq!(world.logged(Action::PhiDenied).len(), denials, "{text}");
            assert_eq!(world.everything(&clerk, "nobody", text).await.unwrap_err().kind, ErrorKind::NotFound);
        }
    }
}
