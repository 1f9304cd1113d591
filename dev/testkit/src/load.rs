//! Requests at a fixed rate, whatever comes back, and an account of each.
#![allow(clippy::disallowed_methods, reason = "a rate is kept by the clock")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::caller::{Answer, Caller};

/// Longest wait for one answer. Longer than a load balancer waits for a node.
const PATIENCE: Duration = Duration::from_secs(40);

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What kind it is, in the words of the test.
    pub what: &'static str,
    /// GET, POST, PUT.
    pub method: &'static str,
    /// Path with query.
    pub path: String,
    /// Headers beside those of the load.
    pub headers: Vec<(&'static str, String)>,
    /// The body, if there is one.
    pub body: Option<String>,
}

/// What became of a request.
#[derive(Debug)]
pub struct Outcome {
    /// Its number, from 0; its correlation id is `<name of the load>-<number>`.
    pub number: u64,
    /// What kind it is.
    pub what: &'static str,
    /// When it was sent, from the beginning of the load.
    pub at: Duration,
    /// How long the answer took.
    pub took: Duration,
    /// The answer, or what broke.
    pub answer: Result<Answer, String>,
}

impl Outcome {
    /// The status; 0 where the connection broke.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }

    /// Whether it was answered as asked.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status())
    }
}

/// How much, for how long.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// Its name, the beginning of each correlation id.
    pub name: &'a str,
    /// `http://host:port`
    pub base: &'a str,
    /// `Bearer …`, where the requests have none of their own.
    pub bearer: Option<&'a str>,
    /// Requests a second.
    pub rate: u64,
    /// For how many seconds.
    pub seconds: u64,
    /// Connections; each carries one request at a time.
    pub connections: usize,
}

impl Load<'_> {
    /// Sends the requests that `make` gives for each number, each at its time, or as soon as a connection is free after it.
    /// Gives what became of each, in order.
    ///
    /// # Panics
    /// When `make` does.
    pub fn run(&self, make: &(impl Fn(u64) -> Request + Sync)) -> Vec<Outcome> {
        self.run_while(&AtomicBool::new(true), make)
    }

    /// [`Load::run`] that begins no further request once `going` is false.
    ///
    /// # Panics
    /// When `make` does.
    pub fn run_while(&self, going: &AtomicBool, make: &(impl Fn(u64) -> Request + Sync)) -> Vec<Outcome> {
        let start = Instant::now();
        let next = AtomicU64::new(0);
        let worker = || {
            let caller = Caller::within(self.base, PATIENCE);
            let mut outcomes = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.rate * self.seconds || !going.load(Ordering::Relaxed) {
                    return outcomes;
                }
                let due = Duration::from_micros(number * 1_000_000 / self.rate);
                std::thread::sleep(due.saturating_sub(start.elapsed()));
                outcomes.push(self.send(&caller, number, start, &make(number)));
            }
        };
        let mut outcomes = std::thread::scope(|scope| {
            let workers = (0..self.connections).map(|_| scope.spawn(worker)).collect::<Vec<_>>();
            workers.into_iter().flat_map(|worker| worker.join().expect("a connection's thread")).collect::<Vec<_>>()
        });
        outcomes.sort_unstable_by_key(|outcome| outcome.number);
        outcomes
    }

    fn send(&self, caller: &Caller, number: u64, start: Instant, request: &Request) -> Outcome {
        let correlation = format!("{}-{number}", self.name);
        let mut headers = vec![("x-correlation-id", correlation.as_str())];
        headers.extend(self.bearer.map(|bearer| ("authorization", bearer)));
        headers.extend(request.headers.iter().map(|(name, value)| (*name, value.as_str())));
        let at = start.elapsed();
        let answer =
            caller.try_send(request.method, &request.path, &headers, request.body.as_deref().map(str::as_bytes));
        let took = start.elapsed() - at;
        Outcome { number, what: request.what, at, took, answer: answer.map_err(|error| error.to_string()) }
    }
}

/// Requests a second that were sent, answers by kind and status, and how long the middle and the slowest hundredth took.
#[must_use]
pub fn summary(outcomes: &[Outcome]) -> String {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;
    let mut table: BTreeMap<(&str, u16), Vec<Duration>> = BTreeMap::new();
    for outcome in outcomes {
        table.entry((outcome.what, outcome.status())).or_default().push(outcome.took);
    }
    let end = outcomes.iter().map(|outcome| outcome.at + outcome.took).max().unwrap_or_default();
    let mut text = format!("{} requests in {:.1} s\n", outcomes.len(), end.as_secs_f64());
    for ((what, status), mut took) in table {
        took.sort_unstable();
        let (middle, slow) = (took[took.len() / 2], took[took.len() * 99 / 100]);
        writeln!(text, "  {what:<12} {status:>3}: {:>6}  p50 {middle:>9.1?}  p99 {slow:>9.1?}", took.len())
            .expect("writing to a text");
    }
    text
}
