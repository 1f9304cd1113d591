//! What rules cost a read: processor time of the server for the same records, read by a physician whom a care team, consents and
//! masks bind, and by an administrator of a tenant without any rule.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::client::{Failed, connect, exchange};
use crate::process::{Place, Serving};
use crate::report::{Report, median};
use crate::sign_in::sign_in;

const PATIENTS: usize = 1_000;
/// Patients of one transaction.
const TOGETHER: usize = 20;
const CONNECTIONS: usize = 16;
const WARM: Duration = Duration::from_secs(2);
const PASS: Duration = Duration::from_secs(3);
/// Of each, one after the other in turn.
const PASSES: usize = 11;

/// Somebody who reads.
struct Reader {
    authorization: String,
    paths: Vec<String>,
    next: AtomicUsize,
}

pub(crate) fn measure(report: &mut Report, binary: &Path) -> Outcome<()> {
    let place = Place::new(binary, None)?;
    let serving = Serving::start(&place)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build()?;
    let open = place.tenant("open")?;
    let physician = place.user("physician", "physician", 1)?;
    place.user("root", "admin", 1)?;
    place.user("boss", "admin", open)?;
    let made = runtime.block_on(clinics(serving.authority(), &physician)).map_err(|failed| failed.to_string())?;
    let [bound, free] = made.map(Arc::new);
    let mut took: [Vec<f64>; 2] = Default::default();
    for reader in [&bound, &free] {
        cpu(&runtime, &serving, reader, WARM)?;
    }
    for pass in 0..PASSES {
        // In turn, and who is first in turn as well: what drifts must not fall on one of them.
        let mut of_pass = [0.0; 2];
        for turn in 0..2 {
            let at = (pass + turn) % 2;
            of_pass[at] = cpu(&runtime, &serving, [&bound, &free][at], PASS)?;
        }
        for (all, one) in took.iter_mut().zip(of_pass) {
            all.push(one);
        }
    }
    let more = took[0].iter().zip(&took[1]).map(|(bound, free)| (bound / free - 1.0) * 100.0).collect();
    let measured = format!(
        "{:+.1} %: {:.4} ms instead of {:.4} ms, the median of {PASSES} passes",
        median(more),
        median(took[0].clone()),
        median(took[1].clone())
    );
    let figure = "processor time of a read (half patients, half observations) under care teams, consents and masks, beside one without rules";
    report.note(figure, "+10 %", measured);
    serving.stop()
}

/// Milliseconds of the server's processor time for one read.
fn cpu(runtime: &Runtime, serving: &Serving, reader: &Arc<Reader>, span: Duration) -> Outcome<f64> {
    let before = serving.cpu_ms()?;
    let reads = runtime.block_on(read(serving.authority(), reader, span)).map_err(|failed| failed.to_string())?;
    Ok((serving.cpu_ms()? - before) / reads as f64)
}

/// Reads on all connections for so long, and gives how often.
async fn read(authority: &str, reader: &Arc<Reader>, span: Duration) -> Result<usize, Failed> {
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (authority, reader) = (authority.to_owned(), Arc::clone(reader));
        all.spawn(async move {
            let mut sender = connect(&authority).await?;
            let mut reads = 0;
            while begun.elapsed() < span {
                let path = &reader.paths[reader.next.fetch_add(1, Ordering::Relaxed) % reader.paths.len()];
                exchange(&mut sender, asking(&authority, &reader.authorization, path)?).await?;
                reads += 1;
            }
            Ok::<usize, Failed>(reads)
        });
    }
    all.join_all().await.into_iter().sum()
}

fn asking(authority: &str, authorization: &str, path: &str) -> Result<Request<Full<Bytes>>, Failed> {
    let request = Request::builder().uri(path).header("host", authority).header("authorization", authorization);
    Ok(request.body(Full::default())?)
}

/// The same patients in both tenants, with rules in the first; whoever reads them there, and here.
async fn clinics(authority: &str, physician: &str) -> Result<[Reader; 2], Failed> {
    let bearer =
        async |name: &str, tenant| Ok::<_, Failed>(format!("Bearer {}", sign_in(authority, name, tenant).await?));
    let (root, boss) = (bearer("root", None).await?, bearer("boss", Some("open")).await?);
    let doctor = json!({ "resourceType": "Practitioner", "id": "doctor", "name": [{ "family": "Doctor" }] });
    send(authority, &root, Method::PUT, "/fhir/Practitioner/doctor", &doctor).await?;
    let change = json!({ "practitioner_id": "doctor" });
    send(authority, &root, Method::PATCH, &format!("/api/v1/admin/users/{physician}"), &change).await?;
    for at in (0..PATIENTS).step_by(TOGETHER) {
        let records: Vec<Value> = (at..at + TOGETHER).flat_map(records).collect();
        let rules: Vec<Value> = (at..at + TOGETHER).flat_map(rules).collect();
        let others: Vec<Value> = (at..at + TOGETHER).flat_map(others).collect();
        for (who, records) in [(&boss, &records), (&boss, &others), (&root, &records), (&root, &rules)] {
            store(authority, who, records).await?;
        }
    }
    let policy = json!({ "care_team": "required" });
    send(authority, &root, Method::PUT, "/api/v1/admin/policy", &policy).await?;
    // One more, in whose care team the physician is not.
    let stranger = json!({ "resourceType": "Patient", "id": "stranger", "name": [{ "family": "Stranger" }] });
    send(authority, &root, Method::PUT, "/fhir/Patient/stranger", &stranger).await?;
    let physician = bearer("physician", None).await?;
    let both = [physician, boss].map(|authorization| Reader {
        authorization,
        paths: (0..PATIENTS)
            .flat_map(|at| [format!("/fhir/Patient/p{at}"), format!("/fhir/Observation/o{at}")])
            .collect(),
        next: AtomicUsize::new(0),
    });
    check(authority, &both).await?;
    Ok(both)
}

/// The rules count where they should, and nowhere else: a figure of anything else would mean nothing.
async fn check(authority: &str, [bound, free]: &[Reader; 2]) -> Result<(), Failed> {
    let mut sender = connect(authority).await?;
    let mut shows = async |reader: &Reader, path: &str| -> Result<bool, Failed> {
        let body = exchange(&mut sender, asking(authority, &reader.authorization, path)?).await?;
        Ok(String::from_utf8_lossy(&body).contains(&ssn(1)))
    };
    let masked = !shows(bound, "/fhir/Patient/p1").await?;
    let shown = shows(free, "/fhir/Patient/p1").await?;
    let hidden = shows(bound, "/fhir/Patient/stranger").await.is_err();
    if masked && shown && hidden { Ok(()) } else { Err("the rules are not those that were made".into()) }
}

async fn send(authority: &str, bearer: &str, method: Method, path: &str, body: &Value) -> Result<(), Failed> {
    let kind = if path.starts_with("/fhir") { "application/fhir+json" } else { "application/json" };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", authority)
        .header("authorization", bearer)
        .header("content-type", kind)
        .body(Full::new(Bytes::from(body.to_string())))?;
    exchange(&mut connect(authority).await?, request).await.map(drop)
}

/// Stores records in one transaction.
async fn store(authority: &str, bearer: &str, records: &[Value]) -> Result<(), Failed> {
    let entry = |record: &Value| {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let url = format!("{}/{}", text("resourceType"), text("id"));
        json!({ "resource": record, "request": { "method": "PUT", "url": url } })
    };
    let entries: Vec<Value> = records.iter().map(entry).collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
    send(authority, bearer, Method::POST, "/fhir", &bundle).await
}

fn coded(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn ssn(at: usize) -> String {
    format!("123-45-{:04}", at + 1)
}

/// A patient with a number that is masked, and something observed in them.
fn records(at: usize) -> [Value; 2] {
    let patient = json!({ "resourceType": "Patient", "id": format!("p{at}"),
        "identifier": [
            { "system": "urn:mrn", "value": format!("{at:06}") },
            { "system": "http://hl7.org/fhir/sid/us-ssn", "value": ssn(at) }],
        "name": [{ "use": "official", "family": "Garcia", "given": ["Maria", "Luz"] }],
        "telecom": [{ "system": "phone", "value": "555-0100", "use": "home" }],
        "gender": "female", "birthDate": "1987-04-12",
        "address": [{ "line": ["1 Way"], "city": "Springfield", "state": "NM", "postalCode": "87001", "country": "US" }],
        "maritalStatus": coded("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "M"),
        "communication": [{ "language": coded("urn:ietf:bcp:47", "es"), "preferred": true }] });
    let observation = json!({ "resourceType": "Observation", "id": format!("o{at}"), "status": "final",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")],
        "code": coded("http://loinc.org", "8867-4"), "subject": { "reference": format!("Patient/p{at}") },
        "effectiveDateTime": "2026-11-01T10:00:00Z",
        "valueQuantity": { "value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min" } });
    [patient, observation]
}

/// As many records as [`rules`] has, which bind nobody: the tenants are to be of one size.
fn others(at: usize) -> [Value; 2] {
    let [_, observation] = records(at);
    ["a", "b"].map(|one| {
        let mut other = observation.clone();
        other["id"] = format!("o{at}{one}").into();
        other
    })
}

/// Who treats the patient, and a consent with an exception for somebody else.
fn rules(at: usize) -> [Value; 2] {
    let subject = json!({ "reference": format!("Patient/p{at}") });
    let team = json!({ "resourceType": "CareTeam", "id": format!("t{at}"), "status": "active", "subject": subject,
        "participant": [{ "member": { "reference": "Practitioner/doctor" } }] });
    let consent = json!({ "resourceType": "Consent", "id": format!("c{at}"), "status": "active", "patient": subject,
        "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coded("http://loinc.org", "59284-0")],
        "policyRule": coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"),
        "provision": { "type": "permit", "provision": [
            { "type": "deny", "class": [{ "system": "http://hl7.org/fhir/resource-types", "code": "DocumentReference" }] }] } });
    [team, consent]
}
