use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use iris_testkit::wait::Clock;

use super::*;

/// Method, path, headers and body of a request.
type Request = (String, String, Vec<(String, String)>, Value);

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Request {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    (method.to_owned(), path.to_owned(), headers, body)
}

/// Makes so many requests at once, and gives the replies.
async fn at_once(world: &Arc<World>, times: usize, ask: impl Fn(usize) -> Request, token: &str) -> Vec<Reply> {
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..times {
        let (world, token, (method, path, headers, body)) = (Arc::clone(world), token.to_owned(), ask(at));
        tasks.spawn(async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            world.call(&method, &path, &token, &headers, Some(body)).await
        });
    }
    tasks.join_all().await
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

fn statuses_of(replies: &[Reply]) -> Vec<u16> {
    replies.iter().map(|reply| reply.status.as_u16()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_parallel_conditional_creates_or_updates_of_one_thing_make_one() {
    let world = Arc::new(World::new());
    let token = world.admin().await;
    let once = [("if-none-exist", "identifier=urn:x|c")];
    let create = |_: usize| request("POST", "/fhir/Patient", &once, patient("c"));
    let replies = at_once(&world, 50, create, &token).await;
    assert_eq!((count(&replies, 201), count(&replies, 200)), (1, 49));
    let update = |_: usize| request("PUT", "/fhir/Patient?identifier=urn:x|u", &[], patient("u"));
    let replies = at_once(&world, 50, update, &token).await;
    assert_eq!((count(&replies, 201), count(&replies, 200)), (1, 49), "{:?}", statuses_of(&replies));
    let ids: HashSet<String> = replies.iter().map(|reply| reply.json()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
    for number in ["c", "u"] {
        assert_eq!(world.count(&token, &format!("Patient?identifier=urn:x|{number}")).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn fifty_parallel_updates_of_one_version_have_one_winner() {
    let world = Arc::new(World::new());
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let id = path.strip_prefix("/fhir/Patient/").unwrap().to_owned();
    let update = |at: usize| {
        let mut body = patient("1");
        body["id"] = json!(id);
        body["name"][0]["family"] = json!(format!("Winner{at}"));
        request("PUT", &path, &[("if-match", "W/\"1\"")], body)
    };
    let replies = at_once(&world, 50, update, &token).await;
    assert_eq!((count(&replies, 200), count(&replies, 412)), (1, 49));
    let patch = |at: usize| {
        let change = json!([{"op": "replace", "path": "/name/0/family", "value": format!("P{at}")}]);
        request("PATCH", &path, &[JSON_PATCH, ("if-match", "W/\"2\"")], change)
    };
    let replies = at_once(&world, 50, patch, &token).await;
    assert_eq!((count(&replies, 200), count(&replies, 412)), (1, 49));
    assert_eq!(world.get(&path, &token).await.expect(200).header("etag"), "W/\"3\"");
    // Without a version each is carried out, one after the other, and none is lost.
    let patch = |at: usize| {
        let given =
            json!([{"op": "add", "path": "/identifier/-", "value": {"system": "urn:y", "value": format!("{at}")}}]);
        request("PATCH", &path, &[JSON_PATCH], given)
    };
    let replies = at_once(&world, 20, patch, &token).await;
    assert_eq!(count(&replies, 200), 20);
    let now = world.get(&path, &token).await.expect(200).json();
    assert_eq!(now["identifier"].as_array().unwrap().len(), 21);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn transactions_that_meet_are_carried_out_whole_or_refused_whole() {
    let world = Arc::new(World::new());
    let token = world.admin().await;
    let shared = world.known(&token, "shared").await;
    let shared = shared.strip_prefix("/fhir/").unwrap().to_owned();
    let ask = |at: usize| {
        let mut same = entry("POST", "Patient", Some(patient("same")));
        same["request"]["ifNoneExist"] = json!("identifier=urn:x|same");
        let patch = operation("replace", "Patient.active", Some(("valueBoolean", json!(at.is_multiple_of(2)))));
        let entries = [
            entry("POST", "Patient", Some(patient(&format!("t{at}")))),
            entry("PATCH", &shared, Some(patch)),
            same,
            entry("POST", "Patient", Some(patient(&format!("t{at}")))),
        ];
        request("POST", "/fhir", &[], bundle("transaction", &entries))
    };
    let replies = at_once(&world, 24, ask, &token).await;
    let (good, refused) = (count(&replies, 200), count(&replies, 409));
    assert!(good > 0 && good + refused == 24, "{:?}", statuses_of(&replies));
    let mut whole = 0;
    for at in 0..24 {
        let found = world.count(&token, &format!("Patient?identifier=urn:x|t{at}")).await;
        assert!(found == 0 || found == 2, "half a transaction: {found}");
        whole += usize::from(found == 2);
    }
    assert_eq!(whole, good);
    assert_eq!(world.count(&token, "Patient?identifier=urn:x|same").await, 1);
    let versions = world.get(&format!("/fhir/{shared}/_history?_count=100"), &token).await.expect(200).json();
    assert_eq!(versions["total"], good + 1, "each that was carried out is a version");
}

/// The value below which this many hundredths of the sorted values are.
fn percentile(sorted: &[Duration], hundredths: usize) -> Duration {
    sorted.get((sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// How long others wait while a transaction of five thousand entries is carried out. The figure is printed; the bound is a wide one,
/// since tests run beside each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transaction_of_five_thousand_entries_does_not_stall_others() {
    let world = Arc::new(World::new());
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let entries: Vec<Value> =
        (0..5_000).map(|at| entry("POST", "Patient", Some(patient(&format!("big{at}"))))).collect();
    let (there, bearer, large) = (Arc::clone(&world), token.clone(), bundle("transaction", &entries));
    let began = Clock::start();
    let running = tokio::spawn(async move {
        there.post("/fhir", &bearer, large).await.expect(200);
        began.now()
    });
    let (mut reads, mut creates) = (Vec::new(), Vec::new());
    while !running.is_finished() {
        let began = Clock::start();
        world.get(&path, &token).await.expect(200);
        reads.push(began.now());
        let began = Clock::start();
        world.post("/fhir/Patient", &token, patient("small")).await.expect(201);
        creates.push(began.now());
    }
    let whole = running.await.unwrap();
    reads.sort_unstable();
    creates.sort_unstable();
    let told = |sorted: &[Duration]| format!("p50 {:?}, p99 {:?}", percentile(sorted, 50), percentile(sorted, 99));
    println!(
        "a transaction of 5,000 entries took {whole:?}; meanwhile {} reads: {}; {} creates: {}",
        reads.len(),
        told(&reads),
        creates.len(),
        told(&creates)
    );
    assert!(
        percentile(&creates, 99) < whole.max(Duration::from_millis(500)),
        "a create waits for the whole transaction"
    );
}
