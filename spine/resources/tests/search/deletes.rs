//! Conditional deletes match what their caller may delete, wherever it stands among what they only see.

use iris_access::{Delete, Facts, Role, decide};
use iris_kernel::ErrorKind;
use serde_json::json;

use crate::world::{ONE, World, kind, observation, patient, worlds};

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_deleted_is_found_behind_what_may_only_be_seen() {
    for world in worlds() {
        world.put_all(&[patient("ann", "Abbott", "123-45-6789"), patient("bob", "Baker", "987-65-4321")]).await;
        // Bob lets nobody change his records. His stand before and behind that of Ann.
        for (id, of) in
            [("o1", "bob"), ("o2", "bob"), ("o3", "bob"), ("o4", "ann"), ("o5", "bob"), ("o6", "bob"), ("o7", "bob")]
        {
            world.put(ONE, observation(id, of, "weight", "2020-03-01")).await;
        }
        world
            .put(
                ONE,
                json!({"resourceType": "Consent", "id": "no", "status": "active", "category": [{"text": "privacy"}],
                    "scope": {"coding": [{"code": "patient-privacy"}]}, "patient": {"reference": "Patient/bob"},
                    "policyRule": {"coding": [{"code": "OPTIN"}]}, "provision": {"type": "permit", "provision": [
                        {"type": "deny", "action": [{"coding": [{"code": "correct"}]}]}]}}),
            )
            .await;
        let admin = world.user(Role::Admin);
        assert_eq!(world.ids(&admin, "Observation?code=weight").len(), 7, "all are seen");
        let permit = decide(&admin, Delete, &Facts::kind(kind("Observation"))).unwrap();
        let criteria = world.records.criteria(&admin, kind("Observation"), "code=weight").unwrap();
        let gone = world.records.delete_where(&permit, &criteria).await.unwrap();
        assert_eq!(gone.iter().map(|gone| gone.id.as_str()).collect::<Vec<_>>(), ["o4"]);
        assert!(world.records.delete_where(&permit, &criteria).await.unwrap().is_empty());
        let everybody = World::system(ONE);
        let permit = decide(&everybody, Delete, &Facts::kind(kind("Observation"))).unwrap();
        let refused = world.records.delete_where(&permit, &criteria).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::MultipleMatches);
    }
}
