//! A clinic's day in a minute: a thousand people, each with a connection of their own, each asking twice a second.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};

use crate::Outcome;
use crate::client::{Failed, Sender, connect, exchange};
use crate::report::{Report, thousands};

const USERS: u32 = 1_000;
/// Between two requests of one user.
const PAUSE: Duration = Duration::from_millis(500);
const RUN: Duration = Duration::from_secs(60);
const WARM: Duration = Duration::from_secs(5);

/// What the users ask for, out of a hundred: reads, patients by name and birth date, Observations by date, new patients.
const MIX: [(u32, Ask); 4] = [(70, Ask::Read), (85, Ask::Patient), (95, Ask::Observations), (100, Ask::Create)];

#[derive(Clone, Copy)]
enum Ask {
    Read,
    Patient,
    Observations,
    Create,
}

/// The targets of `bench.py seed`, and who asks.
struct Day {
    authority: String,
    authorization: String,
    paths: [Vec<String>; 3],
    patient: Bytes,
    start: Instant,
}

/// What one user met: milliseconds from when a request was due to its answer, and how many went wrong.
#[derive(Default)]
struct Met {
    waited_ms: Vec<f64>,
    failed: u64,
}

pub(crate) fn measure(report: &mut Report, aim: &'static str, base: &str, token: &str, state: &Path) -> Outcome<()> {
    let lines = |name: &str| -> Outcome<Vec<String>> {
        let text = std::fs::read_to_string(state.join(name))?;
        Ok(text.lines().map(|line| format!("/fhir/{line}")).collect())
    };
    let day = Arc::new(Day {
        authority: base.trim_start_matches("http://").to_owned(),
        authorization: format!("Bearer {token}"),
        paths: [lines("read.txt")?, lines("search_patient.txt")?, lines("search_obs.txt")?],
        patient: std::fs::read(state.join("bodies/create-0000.json"))?.into(),
        start: Instant::now(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build()?;
    let met = runtime.block_on(async {
        let users: Vec<_> = (0..USERS).map(|number| tokio::spawn(user(day.clone(), number))).collect();
        let mut all = Met::default();
        for user in users {
            let met = user.await?;
            all.waited_ms.extend(met.waited_ms);
            all.failed += met.failed;
        }
        Ok::<_, tokio::task::JoinError>(all)
    })?;
    let mut waited = met.waited_ms;
    waited.sort_by(f64::total_cmp);
    let at = |share: f64| waited.get((waited.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    let rate = waited.len() as f64 / RUN.as_secs_f64();
    let measured =
        format!("{}/s, p50 {:.1} ms, p99 {:.1} ms, {} errors", thousands(rate), at(0.5), at(0.99), met.failed);
    report.note("1,000 users at once, 2,000 requests/s for 60 s", aim, measured);
    Ok(())
}

async fn user(day: Arc<Day>, number: u32) -> Met {
    let mut met = Met::default();
    let mut connection = None;
    // Spread over the pause, so that the thousand do not knock at once.
    let mut due = day.start + PAUSE * number / USERS;
    let mut turn = number;
    while due < day.start + WARM + RUN {
        tokio::time::sleep_until(due.into()).await;
        let answered = ask(&day, &mut connection, turn).await.is_ok();
        if due >= day.start + WARM {
            // From when it was due: a server that is late is late for everybody behind.
            met.waited_ms.push(due.elapsed().as_secs_f64() * 1e3);
            met.failed += u64::from(!answered);
        }
        due += PAUSE;
        turn = turn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    }
    met
}

async fn ask(day: &Day, connection: &mut Option<Sender>, turn: u32) -> Result<(), Failed> {
    let sender = match connection {
        Some(sender) => sender,
        None => connection.insert(connect(&day.authority).await?),
    };
    let answered = asked(day, sender, turn).await;
    if answered.is_err() {
        *connection = None;
    }
    answered
}

async fn asked(day: &Day, sender: &mut Sender, turn: u32) -> Result<(), Failed> {
    let draw = (turn >> 16) % 100;
    let ask = MIX.iter().find(|(below, _)| draw < *below).map_or(Ask::Read, |(_, ask)| *ask);
    let request = Request::builder().header("host", &day.authority).header("authorization", &day.authorization);
    let of = |paths: &[String]| paths[turn as usize % paths.len()].clone();
    let request = match ask {
        Ask::Read => request.uri(of(&day.paths[0])).body(Full::default())?,
        Ask::Patient => request.uri(of(&day.paths[1])).body(Full::default())?,
        Ask::Observations => request.uri(of(&day.paths[2])).body(Full::default())?,
        Ask::Create => request
            .method(Method::POST)
            .uri("/fhir/Patient")
            .header("content-type", "application/fhir+json")
            .body(Full::new(day.patient.clone()))?,
    };
    exchange(sender, request).await.map(drop)
}
