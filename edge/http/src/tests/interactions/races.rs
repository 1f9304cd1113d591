use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// Entries of the large transaction.
const LARGE: usize = 5_000;
/// Reads and creates, each, that are timed with nothing beside them.
const ALONE: usize = 200;
/// Fewest reads and creates, each, beside the transaction: a creator who is made to wait for all of it comes to one or two.
const BESIDE_MIN: usize = 20;
/// The p99 of a single read or create beside the transaction, at most, in a build without optimisation whose machine does other work:
/// so long, or so many times what it is alone, should the machine be that busy.
const P99_MAX: Duration = Duration::from_millis(400);
const P99_TIMES_MAX: u32 = 10;
/// The longest wait of all, as a part of the whole transaction: the writer is held for its commit, not while it is worked out.
const LONGEST_PARTS: u32 = 2;

/// What single reads and creates took, sorted.
#[derive(Default)]
struct Load {
    reads: Vec<Duration>,
    creates: Vec<Duration>,
}

impl Load {
    /// A reader and a creator, each asking one thing after the other until it is told to end.
    async fn run(
        world: &Arc<World>,
        token: &str,
        path: &str,
        ends: impl Fn(usize) -> bool + Clone + Send + 'static,
    ) -> Self {
        let (there, bearer, path, ended) = (Arc::clone(world), token.to_owned(), path.to_owned(), ends.clone());
        let reader = tokio::spawn(async move {
            let mut taken = Vec::new();
            while !ended(taken.len()) {
                let began = Clock::start();
                there.get(&path, &bearer).await.expect(200);
                taken.push(began.now());
            }
            taken
        });
        let (there, bearer) = (Arc::clone(world), token.to_owned());
        let creator = tokio::spawn(async move {
            let mut taken = Vec::new();
            while !ends(taken.len()) {
                let began = Clock::start();
                there.post("/fhir/Patient", &bearer, patient("small")).await.expect(201);
                taken.push(began.now());
            }
            taken
        });
        let (mut reads, mut creates) = (reader.await.unwrap(), creator.await.unwrap());
        reads.sort_unstable();
        creates.sort_unstable();
        Self { reads, creates }
    }

    fn told(&self) -> String {
        let of = |what: &str, sorted: &[Duration]| {
            let (half, most) = (percentile(sorted, 50), percentile(sorted, 99));
            let longest = sorted.last().copied().unwrap_or_default();
            format!("{} {what}: p50 {half:?}, p99 {most:?}, longest {longest:?}", sorted.len())
        };
        format!("{}; {}", of("reads", &self.reads), of("creates", &self.creates))
    }
}

/// How long others wait while a transaction of five thousand entries is carried out, beside what they wait without it. Were the writer
/// held until the transaction is done, a create would take as long as all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transaction_of_five_thousand_entries_does_not_stall_others() {
    let world = Arc::new(World::new());
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let alone = Load::run(&world, &token, &path, |done| done >= ALONE).await;
    let entries: Vec<Value> =
        (0..LARGE).map(|at| entry("POST", "Patient", Some(patient(&format!("big{at}"))))).collect();
    let (there, bearer, large) = (Arc::clone(&world), token.clone(), bundle("transaction", &entries));
    let over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&over);
    let running = tokio::spawn(async move {
        let began = Clock::start();
        let reply = there.post("/fhir", &bearer, large).await;
        let taken = began.now();
        ends.store(true, Ordering::Relaxed);
        reply.expect(200);
        taken
    });
    let beside = Load::run(&world, &token, &path, move |_| over.load(Ordering::Relaxed)).await;
    let whole = running.await.unwrap();
    println!("a transaction of {LARGE} entries took {whole:?}\nbeside it: {}\nalone: {}", beside.told(), alone.told());
    for (what, alone, beside) in
        [("a read", &alone.reads, &beside.reads), ("a create", &alone.creates, &beside.creates)]
    {
        let (before, now) = (percentile(alone, 99), percentile(beside, 99));
        assert!(beside.len() >= BESIDE_MIN, "only {} times {what} beside the transaction", beside.len());
        assert!(now <= P99_MAX.max(before * P99_TIMES_MAX), "{what} waits: p99 {now:?}, {before:?} without it");
        let longest = beside.last().copied().unwrap_or_default();
        assert!(longest <= P99_MAX.max(whole / LONGEST_PARTS), "{what} waited {longest:?} of {whole:?}");
    }
}
