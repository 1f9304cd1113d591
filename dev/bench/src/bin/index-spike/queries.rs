//! The searches that are measured.

use std::time::{Duration, Instant};

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_index::{Index, Page, Restriction};
use iris_kernel::{Seq, Timestamp};
use iris_search::{Query, QueryContext, compartment_term, parse_query};
use iris_store::Follower as _;

use crate::rows::{Rows, TENANT, birth_date, family, uuid_text};
use crate::{Outcome, ms, thread_time, timed};

/// How long each shape is run, after a warm-up of a tenth.
const RUN: Duration = Duration::from_secs(3);
/// Different queries of one shape.
const VARIANTS: usize = 500;

/// One shape of search.
struct Shape {
    name: &'static str,
    queries: Vec<(Query, Restriction)>,
    size: usize,
}

impl Shape {
    fn new(name: &'static str, size: usize, mut make: impl FnMut(usize) -> Outcome<Query>) -> Outcome<Self> {
        let queries = (0..VARIANTS).map(|variant| Ok((make(variant)?, Restriction::NONE))).collect::<Outcome<_>>()?;
        Ok(Self { name, queries, size })
    }

    /// Runs the shape on `threads` threads and prints what it costs.
    fn measure(&self, index: &Index, threads: usize) -> Outcome<()> {
        let mut matches = 0;
        for (query, restriction) in &self.queries {
            matches += index.count(TENANT, query, restriction)?;
        }
        let taken = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..threads).map(|thread| scope.spawn(move || self.run(index, thread))).collect();
            runs.into_iter().filter_map(|run| run.join().ok()).collect::<Vec<_>>()
        });
        let processor: Duration = taken.iter().map(|(_, processor)| *processor).sum();
        let mut taken: Vec<Duration> = taken.into_iter().flat_map(|(taken, _)| taken).collect();
        taken.sort_unstable();
        let at = |share: f64| ms(taken[((taken.len() - 1) as f64 * share) as usize]);
        println!(
            "{}: {:.0}/s on {threads} thread(s), processor {:.1} us, p50 {:.3} ms, p99 {:.3} ms, {:.0} matches each",
            self.name,
            taken.len() as f64 / RUN.as_secs_f64(),
            ms(processor) * 1e3 / taken.len() as f64,
            at(0.5),
            at(0.99),
            matches as f64 / self.queries.len() as f64,
        );
        Ok(())
    }

    /// How long each search took, and the time of a processor for all of them.
    fn run(&self, index: &Index, thread: usize) -> (Vec<Duration>, Duration) {
        let page = Page { size: self.size, after: None };
        let mut taken = Vec::new();
        let mut processor = thread_time();
        let start = Instant::now();
        let mut place = thread * 17;
        while start.elapsed() < RUN + RUN / 10 {
            let (query, restriction) = &self.queries[place % self.queries.len()];
            place += 1;
            let (answer, took) = timed(|| index.search(TENANT, query, restriction, page.clone()));
            if answer.is_err() {
                return (Vec::new(), Duration::ZERO);
            }
            if start.elapsed() > RUN / 10 {
                taken.push(took);
            } else {
                processor = thread_time();
            }
        }
        (taken, thread_time().saturating_sub(processor))
    }
}

fn query(kind: &str, pairs: &[(&str, String)]) -> Outcome<Query> {
    let kind = kind_of(kind).ok_or("a kind")?;
    let pairs: Vec<(String, String)> = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let context = QueryContext::new("http://localhost/fhir", Timestamp(0));
    Ok(parse_query(kind, &pairs, &context).map_err(|faults| format!("{faults:?}"))?)
}

/// The subjects and codes of some Observations, to ask for.
fn observations(rows: &Rows) -> Outcome<Vec<(String, String)>> {
    let kind = kind_of("Observation").ok_or("a kind")?;
    let step = (rows.len() / 20_000).max(1) | 1;
    let mut found = Vec::new();
    for row in (0..rows.len()).step_by(step) {
        let (of, _, body) = rows.resource(row);
        if of != kind {
            continue;
        }
        let resource = Resource::parse(body)?;
        let root = resource.root();
        let subject = root.get("subject").and_then(|it| it.get("reference")).and_then(iris_fhir::json::Value::as_str);
        let coding = root.get("code").and_then(|it| it.get("coding")).and_then(|it| it.items().next());
        let code = coding.and_then(|it| it.get("code")).and_then(iris_fhir::json::Value::as_str);
        if let (Some(subject), Some(code)) = (subject, code) {
            found.push((subject.into_owned(), code.into_owned()));
        }
    }
    if found.is_empty() { Err("no Observations".into()) } else { Ok(found) }
}

fn shapes(rows: &Rows) -> Outcome<Vec<Shape>> {
    let seen = observations(rows)?;
    let pick = |variant: usize| &seen[variant * 7 % seen.len()];
    let demographics = rows.len() / 10;
    let someone = |variant: usize| variant * 7_919 % demographics;
    let text = |word: &str| word.to_owned();
    let own = Shape::new("patient's own Observations (compartment restriction), newest 20", 20, |_| {
        query("Observation", &[("_sort", text("-date"))])
    })?;
    let mut own = own;
    for (variant, (_, restriction)) in own.queries.iter_mut().enumerate() {
        let (_, id) = pick(variant).0.split_once('/').ok_or("a reference")?;
        *restriction = Restriction::required(compartment_term(id));
    }
    Ok(vec![
        Shape::new("patient + code, sorted by date, 20", 20, |variant| {
            let (patient, code) = pick(variant);
            let code = format!("http://loinc.org|{code}");
            query("Observation", &[("patient", patient.clone()), ("code", code), ("_sort", text("-date"))])
        })?,
        Shape::new("patient, sorted by date, 20", 20, |variant| {
            query("Observation", &[("patient", pick(variant).0.clone()), ("_sort", text("-date"))])
        })?,
        own,
        Shape::new("family + birth date", 20, |variant| {
            let number = someone(variant);
            query("Patient", &[("family", family(number)), ("birthdate", birth_date(number))])
        })?,
        Shape::new("family prefix of 3 letters + birth date", 20, |variant| {
            let number = someone(variant);
            query("Patient", &[("family", family(number)[..3].to_owned()), ("birthdate", birth_date(number))])
        })?,
        Shape::new("identifier", 20, |variant| {
            query("Patient", &[("identifier", format!("http://hospital.example/mrn|M{:08}", someone(variant)))])
        })?,
        Shape::new("_id", 20, |variant| {
            let (_, id, _) = rows.resource(someone(variant) * 10);
            query("Patient", &[("_id", uuid_text(id))])
        })?,
        Shape::new("code + date range, count", 0, |variant| {
            let year = 2010 + variant % 10;
            let (from, to) = (format!("ge{year}-01-01"), format!("lt{}-01-01", year + 1));
            query("Observation", &[("code", pick(variant).1.clone()), ("date", from), ("date", to)])
        })?,
        Shape::new("date range alone, count", 0, |variant| {
            query("Observation", &[("date", format!("ge{}-06", 2000 + variant % 20))])
        })?,
        Shape::new("whole type sorted by date, 20", 20, |_| query("Observation", &[("_sort", text("-date"))]))?,
        Shape::new("whole type newest first, 20", 20, |_| query("Observation", &[]))?,
        Shape::new("whole type, count", 0, |_| query("Observation", &[]))?,
        Shape::new("status token of a whole type, by _lastUpdated, 20", 20, |_| {
            query("Observation", &[("status", text("final")), ("_sort", text("_lastUpdated"))])
        })?,
    ])
}

pub(crate) fn measure(index: &Index, rows: &Rows) -> Outcome<()> {
    let shapes = shapes(rows)?;
    for shape in &shapes {
        shape.measure(index, 1)?;
    }
    println!("two threads:");
    for shape in shapes.iter().take(4) {
        shape.measure(index, 2)?;
    }
    // Updates that stay in memory: the tail full, and as many rows of the disk hidden.
    let updates = 3_000;
    let changes = (0..updates).map(|number| {
        let mut change = rows.change(number * 11);
        (change.superseded, change.seq) = (Some(change.seq), Seq((rows.len() + number + 1) as u64));
        change
    });
    let mut changes: Vec<_> = changes.collect();
    let ((), took) = timed(|| index.committed(&mut changes));
    println!(
        "{updates} updates pushed in {:.2} ms; with them in memory, before the commit of the next second:",
        ms(took)
    );
    let start = Instant::now();
    for shape in [&shapes[0], &shapes[9]] {
        let (query, restriction) = &shape.queries[0];
        let page = Page { size: shape.size, after: None };
        let first = timed(|| index.search(TENANT, query, restriction, page.clone()).map(|_| ())).1;
        let rest: Vec<f64> = (1..30)
            .map(|it| ms(timed(|| index.search(TENANT, &shape.queries[it].0, restriction, page.clone())).1))
            .collect();
        let mean = rest.iter().sum::<f64>() / rest.len() as f64;
        println!("  {}: first {:.3} ms, then {mean:.3} ms", shape.name, ms(first));
    }
    println!("  tail then: {} changes, {:.0} ms after the push", index.status().tail, ms(start.elapsed()));
    let (done, took) = timed(|| index.flush());
    done?;
    println!("their commit (deletes in every segment included): {:.0} ms", ms(took));
    Ok(())
}
