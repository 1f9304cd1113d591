//! What health tells of the parts that only a shared database has.

use super::World;

#[tokio::test]
async fn connections_are_counted_and_caches_are_parts() {
    let world = World::new();
    let mut detailed = world.get("/health/detailed", "").await.expect(200).json();
    // While the first connections are opened somebody may be waiting for one, and soon nobody is.
    for _ in 0..1_000 {
        if detailed["components"]["connections"]["waiting"].as_u64().is_none_or(|waiting| waiting == 0) {
            break;
        }
        detailed = world.get("/health/detailed", "").await.expect(200).json();
    }
    let (connections, cache) = (&detailed["components"]["connections"], &detailed["components"]["cache"]);
    let Some(counted) = world.app.store.connections() else {
        assert!(connections.is_null() && cache.is_null(), "a file needs neither");
        return;
    };
    assert_eq!((connections["status"].as_str(), connections["waiting"].as_u64()), (Some("healthy"), Some(0)));
    assert_eq!(connections["max"].as_u64(), u64::try_from(counted.max).ok());
    assert!(connections["in_use"].is_u64() && connections["idle"].is_u64(), "{connections}");
    assert_eq!(cache["status"], "healthy");
}
