//! What a search through references costs among patients with whole records: chained and reverse-chained searches, what comes along,
//! and a patient's whole record. Each shape's answers are checked against plainer questions before it is measured.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::Value;

use crate::Outcome;
use crate::client::{Failed, connect, exchange};
use crate::process::{Place, Serving, token};
use crate::report::Report;

const PATIENTS: u32 = 1_000;
/// Patients whose records the requests are about; each answer of some of them is checked.
const ASKED: usize = 200;
const CHECKED: usize = 10;
const WARM: usize = 100;
const REQUESTS: usize = 1_000;

/// One shape: what it is called, what is aimed at, and its requests.
struct Shape {
    figure: &'static str,
    target: &'static str,
    paths: Vec<String>,
    check: fn(&Client<'_>, &str) -> Outcome<()>,
}

/// Somebody who asks, one request at a time.
struct Client<'a> {
    base: &'a str,
    authorization: String,
}

/// A patient, as the requests name them.
struct Named {
    id: String,
    family: String,
    code: String,
}

pub(crate) fn measure(report: &mut Report, binary: &Path) -> Outcome<()> {
    let place = Place::new(binary, None)?;
    let serving = Serving::start(&place)?;
    let client = Client { base: &serving.base, authorization: format!("Bearer {}", token(&place, &serving.base)?) };
    seed(&place)?;
    let named = client.named()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for shape in shapes(&named) {
        for path in shape.paths.iter().take(CHECKED) {
            (shape.check)(&client, path).map_err(|error| format!("{}: {error}", shape.figure))?;
        }
        let run = run(serving.authority(), &client.authorization, &shape.paths);
        let mut took = runtime.block_on(run).map_err(|failed| failed.to_string())?;
        took.sort_unstable();
        let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_secs_f64() * 1e3;
        let measured = format!("p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms", at(50), at(95), at(99));
        report.note(shape.figure, shape.target, measured);
    }
    serving.stop()
}

fn seed(place: &Place<'_>) -> Outcome<()> {
    let patients = PATIENTS.to_string();
    let what = ["demo", "seed", "--patients", &patients, "--seed", "1", "--detail", "full", "--yes", "-o", "json"];
    let output = place.command().args(what).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("the seeding failed: {}", String::from_utf8_lossy(&output.stderr)).into())
}

fn shapes(named: &[Named]) -> [Shape; 4] {
    let paths = |path: &dyn Fn(&Named) -> String| named.iter().map(path).collect();
    [
        Shape {
            figure: "chained search: observations of a code by the patient's family name",
            target: "p95 20 ms",
            paths: paths(&|one| {
                format!("Observation?subject:Patient.family={}&code={}&_count=50", one.family, one.code)
            }),
            check: chained,
        },
        Shape {
            figure: "reverse-chained search: patients of a family name with an observation of a code",
            target: "p95 20 ms",
            paths: paths(&|one| {
                format!("Patient?family={}&_has:Observation:patient:code={}&_count=50", one.family, one.code)
            }),
            check: reverse,
        },
        Shape {
            figure: "search with _include: a patient's observations, the patient, encounters and performers along with them",
            target: "p95 20 ms",
            paths: paths(&|one| {
                let along = ["subject", "encounter", "performer"].map(|code| format!("&_include=Observation:{code}"));
                format!("Observation?patient={}&_count=50{}", one.id, along.concat())
            }),
            check: along,
        },
        Shape {
            figure: "$everything of a patient",
            target: "p95 50 ms",
            paths: paths(&|one| format!("Patient/{}/$everything", one.id)),
            check: everything,
        },
    ]
}

/// How long each request took, one after the other on one connection.
async fn run(authority: &str, authorization: &str, paths: &[String]) -> Result<Vec<Duration>, Failed> {
    let mut sender = connect(authority).await?;
    let mut took = Vec::with_capacity(REQUESTS);
    for (at, path) in paths.iter().cycle().take(WARM + REQUESTS).enumerate() {
        let request = Request::builder().uri(format!("/fhir/{path}"));
        let request = request.header("host", authority).header("authorization", authorization);
        let request = request.body(Full::<Bytes>::default())?;
        let begun = Instant::now();
        exchange(&mut sender, request).await?;
        if at >= WARM {
            took.push(begun.elapsed());
        }
    }
    Ok(took)
}

impl Client<'_> {
    fn get(&self, path: &str) -> Outcome<Value> {
        let mut answer =
            ureq::get(format!("{}/fhir/{path}", self.base)).header("authorization", &self.authorization).call()?;
        Ok(serde_json::from_slice(&answer.body_mut().with_config().limit(64 << 20).read_to_vec()?)?)
    }

    /// Patients who have been observed.
    fn named(&self) -> Outcome<Vec<Named>> {
        let page = self.get(&format!("Patient?_count={ASKED}"))?;
        let mut named = Vec::new();
        for patient in entries(&page, "match") {
            let id = text(&patient["id"]);
            let observed = self.get(&format!("Observation?patient={id}&_count=1"))?;
            let family = text(&patient["name"][0]["family"]);
            let plain = family.bytes().all(|byte| byte.is_ascii_alphabetic());
            if let (Some(observation), true) = (entries(&observed, "match").next(), plain) {
                named.push(Named { code: text(&observation["code"]["coding"][0]["code"]), id, family });
            }
        }
        if named.len() < CHECKED { Err("too few patients have been observed".into()) } else { Ok(named) }
    }

    fn total(&self, path: &str) -> Outcome<u64> {
        Ok(self.get(&format!("{path}&_summary=count"))?["total"].as_u64().ok_or("no total")?)
    }

    /// The ids of the patients of a family name.
    fn of_family(&self, family: &str) -> Outcome<Vec<String>> {
        Ok(entries(&self.get(&format!("Patient?family={family}&_count=1000"))?, "match")
            .map(|one| text(&one["id"]))
            .collect())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn entries<'a>(page: &'a Value, mode: &'a str) -> impl Iterator<Item = &'a Value> {
    let all = page["entry"].as_array().into_iter().flatten();
    all.filter(move |entry| entry["search"]["mode"] == mode).map(|entry| &entry["resource"])
}

fn reference(resource: &Value) -> String {
    format!("{}/{}", text(&resource["resourceType"]), text(&resource["id"]))
}

/// The value of a parameter of a path.
fn value<'a>(path: &'a str, name: &str) -> &'a str {
    let (_, query) = path.split_once('?').unwrap_or_default();
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(other, _)| *other == name)
        .map_or("", |(_, value)| value)
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Outcome<()> {
    if found == expected { Ok(()) } else { Err(format!("found {found:?}, expected {expected:?}").into()) }
}

/// As many as each patient of the name has by themselves.
fn chained(client: &Client<'_>, path: &str) -> Outcome<()> {
    let code = value(path, "code");
    let mut expected = 0;
    for id in client.of_family(value(path, "subject:Patient.family"))? {
        expected += client.total(&format!("Observation?patient={id}&code={code}"))?;
    }
    same(&client.get(path)?["total"].as_u64(), &Some(expected))
}

/// Those who have such an observation by themselves.
fn reverse(client: &Client<'_>, path: &str) -> Outcome<()> {
    let code = value(path, "_has:Observation:patient:code");
    let mut expected = 0;
    for id in client.of_family(value(path, "family"))? {
        expected += u64::from(client.total(&format!("Observation?patient={id}&code={code}"))? > 0);
    }
    same(&client.get(path)?["total"].as_u64(), &Some(expected))
}

/// What the matches refer to, each once.
fn along(client: &Client<'_>, path: &str) -> Outcome<()> {
    let page = client.get(path)?;
    let mut expected = BTreeSet::new();
    for observation in entries(&page, "match") {
        let performers = observation["performer"].as_array().into_iter().flatten();
        let referred = [&observation["subject"], &observation["encounter"]].into_iter().chain(performers);
        expected.extend(referred.map(|one| text(&one["reference"])).filter(|one| !one.is_empty()));
    }
    let found: Vec<String> = entries(&page, "include").map(reference).collect();
    same(&found.len(), &expected.len())?;
    same(&found.into_iter().collect(), &expected)
}

/// All that the patient's compartment has of some types, and what that refers to elsewhere, each once.
fn everything(client: &Client<'_>, path: &str) -> Outcome<()> {
    let id = path.trim_start_matches("Patient/").trim_end_matches("/$everything");
    let page = client.get(path)?;
    let found: Vec<String> = entries(&page, "match").map(reference).collect();
    let along: BTreeSet<String> = entries(&page, "include").map(reference).collect();
    same(&found.first().cloned(), &Some(format!("Patient/{id}")))?;
    same(&found.iter().collect::<BTreeSet<_>>().len(), &found.len())?;
    for kind in ["Observation", "Encounter", "Condition", "Immunization", "MedicationRequest"] {
        let expected = client.total(&format!("{kind}?patient={id}"))?;
        let here = found.iter().filter(|reference| reference.split('/').next() == Some(kind)).count();
        same(&(here as u64), &expected)?;
    }
    for encounter in entries(&page, "match").filter(|one| one["resourceType"] == "Encounter") {
        let provider = text(&encounter["serviceProvider"]["reference"]);
        if !provider.is_empty() && !along.contains(&provider) {
            return Err(format!("{provider} did not come along").into());
        }
    }
    Ok(())
}
