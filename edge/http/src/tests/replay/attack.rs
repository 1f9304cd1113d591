//! Asking again what others asked.

use iris_access::Role;

use super::canary::Canaries;
use super::session::Asked;
use super::story::{Recorded, plain};
use super::{Clinic, Elsewhere};

/// Somebody who may not.
struct Attacker {
    name: &'static str,
    token: String,
    tenant: Where,
    glass: Glass,
}

/// What somebody has to do with emergencies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Glass {
    No,
    Breaks,
    Reviews,
}

/// Where somebody is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Here,
    Elsewhere,
    /// Signed out, or never signed in.
    Nowhere,
}

/// What an attack finds wrong.
type Faults = Vec<String>;

async fn attackers(clinic: &Clinic) -> Vec<Attacker> {
    let world = &clinic.world;
    let there = Elsewhere::new(world).await;
    let other = world.patient(&clinic.registrar, "Ben", "Other").await;
    let ended = world.user("ended", Role::Physician, None).await;
    world.call("POST", "/api/v1/auth/logout", &ended, &[], None).await.expect(204);
    let of = |tenant| move |name, token, glass| Attacker { name, token, tenant, glass };
    let (here, elsewhere, nowhere) = (of(Where::Here), of(Where::Elsewhere), of(Where::Nowhere));
    let physician = world.user("stranger", Role::Physician, None).await;
    let head = world.user("head", Role::ClinicalAdmin, None).await;
    vec![
        here("a physician who does not treat the patient", physician, Glass::Breaks),
        here("the head of those who treat", head, Glass::Reviews),
        here("another patient", world.user("other", Role::Patient, Some(&other)).await, Glass::No),
        here("somebody with an account alone", world.user("anybody", Role::User, None).await, Glass::No),
        elsewhere("a physician of another tenant", there.user("doc", Role::Physician).await, Glass::No),
        elsewhere("an administrator of another tenant", there.user("root", Role::Admin).await, Glass::No),
        elsewhere("an auditor of another tenant", there.user("eyes", Role::Auditor).await, Glass::No),
        elsewhere("a machine of another tenant", there.machine().await, Glass::No),
        nowhere("nobody", String::new(), Glass::No),
        nowhere("somebody with a made-up token", "eyJhbGciOiJub25lIn0.e30.".to_owned(), Glass::No),
        nowhere("somebody who has signed out", ended, Glass::No),
    ]
}

/// What the product lets somebody do on purpose, so that it is no fault: whoever treats may break the glass, with a reason and before
/// everybody's eyes, and whoever leads them reviews that.
fn is_allowed(attacker: &Attacker, asked: &Asked) -> bool {
    match attacker.glass {
        Glass::No => false,
        Glass::Breaks => asked.method == "POST" && asked.path == "/api/v1/break-glass",
        Glass::Reviews => asked.path.starts_with("/api/v1/break-glass"),
    }
}

/// Whether it gives somebody a number of the house that is already somebody's. It is refused to whoever may not see that person,
/// too, since two people with one number would be mixed up; this tells that the number is in use, and nothing else.
fn takes_a_number(asked: &Asked) -> bool {
    asked.body.as_deref().is_some_and(|body| body.contains("medical_record_number")) && asked.path == "/api/v1/patients"
}

/// Everything about the patients, as an administrator is shown it.
async fn state(clinic: &Clinic, recorded: &Recorded) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<String> = recorded.records.iter().map(|path| format!("{path}/_history?_count=100")).collect();
    for patient in &recorded.patients {
        let tails =
            ["", "/summary", "/timeline?limit=100", "/consents", "/care-team", "/immunizations?limit=100&total=true"];
        paths.extend(tails.map(|tail| plain(patient, tail)));
        let kinds = recorded.records.iter().filter_map(|path| path.split('/').nth(2)).filter(|kind| *kind != "Patient");
        let mut kinds: Vec<&str> = kinds.collect();
        kinds.sort_unstable();
        kinds.dedup();
        let about = |kind: &&str| !["Binary", "Bundle"].contains(kind);
        paths.extend(kinds.into_iter().filter(about).map(|kind| {
            let by = if kind == "Appointment" { "actor" } else { "patient" };
            format!("/fhir/{kind}?{by}=Patient/{patient}&_count=100&_total=accurate")
        }));
    }
    paths.push("/api/v1/admin/policy".to_owned());
    let mut state = Vec::new();
    for path in paths {
        let reply = clinic.world.get(&path, &clinic.admin).await;
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
        state.push((path, reply.body));
    }
    state
}

/// Asks one thing again, then the same of what never was. `said` is what the attacker's own people said, and find again in their own
/// log and records; what they now store is added.
async fn try_one(
    clinic: &Clinic,
    canaries: &Canaries,
    attacker: &Attacker,
    asked: &Asked,
    said: &mut String,
) -> Faults {
    let what = format!("{}: {} {}", attacker.name, asked.method, asked.path);
    let mut faults = Vec::new();
    let reply = asked.ask(&clinic.world, &attacker.token).await;
    let leaks = canaries.leaks(&format!("{} {said}", asked.sent()), &reply);
    if !leaks.is_empty() {
        faults.push(format!("{what}: {} with {leaks:?}", reply.status));
    }
    if attacker.tenant == Where::Nowhere && reply.status != 401 {
        faults.push(format!("{what}: {} without a token", reply.status));
    }
    let twin = asked.twin(canaries);
    let is_kept = asked.is_of_the_log() || (!asked.is_a_read() && reply.status.is_success());
    if is_kept && attacker.tenant == Where::Elsewhere {
        said.push_str(&asked.sent());
    }
    if twin.sent() == asked.sent() || asked.is_of_the_log() {
        return faults;
    }
    let absent = twin.ask(&clinic.world, &attacker.token).await;
    if attacker.tenant == Where::Here && takes_a_number(asked) && reply.status == 409 {
        return faults;
    }
    let (hidden, absent) = (canaries.plain(&reply), canaries.plain(&absent));
    if hidden != absent {
        faults.push(format!("{what}\n  hidden: {hidden}\n  absent: {absent}"));
    }
    faults
}

/// Asks everything again as everybody. What the log of a tenant holds is what its people asked, so it is read first; what writes
/// comes last, so that nothing that they made themselves is among what they read.
pub(super) async fn replay(clinic: &Clinic, canaries: &Canaries, recorded: &Recorded) {
    let attackers = attackers(clinic).await;
    let before = state(clinic, recorded).await;
    let (mut tried, mut faults) = (0, Faults::new());
    let turns: [fn(&Asked) -> bool; 3] = [
        Asked::is_of_the_log,
        |asked| !asked.is_of_the_log() && asked.is_a_read(),
        |asked| !asked.is_of_the_log() && !asked.is_a_read(),
    ];
    for turn in turns {
        // Those from elsewhere share one log.
        let mut said = String::new();
        for attacker in &attackers {
            for asked in recorded.asked.iter().filter(|asked| turn(asked) && !is_allowed(attacker, asked)) {
                faults.extend(try_one(clinic, canaries, attacker, asked, &mut said).await);
                tried += 1;
            }
        }
    }
    for ((path, before), (_, after)) in before.iter().zip(state(clinic, recorded).await) {
        if *before != after {
            faults.push(format!("changed: {path}"));
        }
    }
    let asked = recorded.asked.len();
    println!("{asked} requests, {tried} replays, {} canaries, {} faults", canaries.count(), faults.len());
    assert!(asked > 400 && tried > 4_000 && canaries.count() > 300, "{asked} {tried} {}", canaries.count());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Asks for the pages that somebody else's cursors lead to, as somebody who sees the same.
pub(super) async fn borrow_cursors(clinic: &Clinic, recorded: &Recorded) {
    let second = clinic.world.user("robert", Role::Registrar, None).await;
    let mut tried = 0;
    for asked in recorded.asked.iter().filter(|asked| asked.path.contains("cursor=")) {
        // Places in the log, in the list of emergencies and in a history say nothing; what stands there is decided anew.
        if ["/audit/", "/break-glass", "/_history"].iter().any(|part| asked.path.contains(part)) {
            continue;
        }
        let other = match () {
            () if asked.is_by(&clinic.clinician) => &clinic.colleague,
            () if asked.is_by(&clinic.registrar) => &second,
            () => continue,
        };
        let cut = asked.path.find("cursor=").unwrap();
        let first = asked.path[..cut].trim_end_matches(['_', '&', '?']);
        clinic.world.get(first, other).await.expect(200);
        let refused = clinic.world.get(&asked.path, other).await;
        assert_eq!(refused.status, 400, "{}", asked.path);
        tried += 1;
    }
    assert!(tried > 10, "{tried}");
}

/// How much longer one answer may take than another, in microseconds, before somebody far away can tell them apart.
const BAND_US: u128 = 2_000;
/// How often each is asked.
const ROUNDS: usize = 15;

/// Asks for what is hidden and what never was, in turn, and compares how long the answers take.
#[allow(clippy::disallowed_methods, reason = "this is about real time")]
pub(super) async fn compare_times(clinic: &Clinic, patient: &str) {
    const NEVER: &str = "00000000-0000-4000-8000-000000000000";
    let stranger = clinic.world.user("stranger", Role::Physician, None).await;
    for path in ["/api/v1/patients/ID", "/api/v1/patients/ID/timeline", "/fhir/Patient/ID", "/fhir/Patient/ID/_history"]
    {
        let mut times = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            for (times, id) in times.iter_mut().zip([patient, NEVER]) {
                let begun = std::time::Instant::now();
                clinic.world.get(&path.replace("ID", id), &stranger).await.expect(404);
                times.push(begun.elapsed().as_micros());
            }
        }
        let [hidden, absent] = times.map(|mut times| {
            times.sort_unstable();
            times[ROUNDS / 2]
        });
        let (less, more) = (hidden.min(absent), hidden.max(absent));
        assert!(more <= less * 2 + BAND_US, "{path}: {hidden} µs hidden, {absent} µs absent");
    }
}
