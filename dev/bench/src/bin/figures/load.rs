//! The request shapes, at 16 connections, before and after growth.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use iris_testkit::postgres::Server;
use serde_json::Value;

use crate::aims::Aims;
use crate::process::{Place, Serving, token, watched};
use crate::report::{Report, thousands};
use crate::{Arguments, Outcome, users};

/// Patients of the search among many.
const PATIENTS: u32 = 100_000;
/// Patients with whole records at which memory is told.
const RECORDS: u32 = 10_000;
/// Resources up to which the store grows, and patients with whole records that it grows by.
const GROWN: u64 = 1_000_000;
const LOT: u32 = 1_000;
/// Lots whose rates tell of the beginning, and of the end.
const ENDS: usize = 3;
/// Patients whose family name and birth date are searched for among the many.
const SEARCHED: usize = 1_000;
const READS: &str = "read,search_patient,search_obs";

/// A lot of patients that went in: resources per second, and the memory of the process that made them.
struct Seeded {
    rate: f64,
    peak_mb: f64,
}

/// A server under load, with what its clients need.
struct Load<'a> {
    arguments: &'a Arguments,
    aims: &'a Aims,
    place: Place<'a>,
    serving: Serving,
    token: String,
}

/// Over a database of `server`, or over SQLite.
pub(crate) fn measure(report: &mut Report, arguments: &Arguments, aims: &Aims, server: Option<&Server>) -> Outcome<()> {
    clear(&arguments.out)?;
    let load = Load::start(arguments, aims, server)?;
    let idle = format!("{:.2} s, {:.0} MB", load.serving.started_in.as_secs_f64(), load.serving.resident_mb()?);
    report.note("listening in a fresh folder, memory idle", load.aims.idle, idle);
    load.fresh(report)?;
    load.beside(report)?;
    users::measure(report, aims.users, &load.serving.base, &load.token, &arguments.out.join("state"))?;
    load.grown(report)?;
    load.serving.stop()?;
    many(report, arguments, aims, server)
}

impl<'a> Load<'a> {
    fn start(arguments: &'a Arguments, aims: &'a Aims, server: Option<&'a Server>) -> Outcome<Self> {
        let place = Place::new(&arguments.binary, server)?;
        let serving = Serving::start(&place)?;
        let token = token(&place, &serving.base)?;
        Ok(Self { arguments, aims, place, serving, token })
    }

    fn fresh(&self, report: &mut Report) -> Outcome<()> {
        let result = self.bench(&["all", "--label", "fresh"])?;
        report.verified(&result["verify"])?;
        let serial = result["seed"]["resources_per_s_serial"].as_f64().ok_or("the seeding has no rate")?;
        let serial = format!("{} resources/s", thousands(serial));
        report.note("transactions of 100 entries, 1 client", self.aims.serial, serial);
        let run = &result["run"];
        report.shape("read by id, audit durable", self.aims.read, &run["read"], 1)?;
        report.shape("family + birth date, 20,000 resources", "", &run["search_patient"], 1)?;
        report.shape("patient + code by date, bundle sent", self.aims.observations, &run["search_obs"], 1)?;
        report.shape("create", self.aims.create, &run["create"], 1)?;
        report.shape("transactions of 100 entries, 16 clients", self.aims.transactions, &run["transaction"], 100)
    }

    /// Sixteen readers beside four creators.
    fn beside(&self, report: &mut Report) -> Outcome<()> {
        let creators = self.start_bench(&["run", "--label", "creators", "--shapes", "create", "--conns", "4"])?;
        let readers = self.start_bench(&["run", "--label", "readers", "--shapes", "read"])?;
        let (creators, readers) = (result_of(creators)?, result_of(readers)?);
        let number = |result: &Value, name: &str| result[name].as_f64().ok_or_else(|| format!("no {name}"));
        let (creates, reads) = (&creators["run"]["create"], &readers["run"]["read"]);
        let measured = format!(
            "{} + {}/s, read p99 {:.1} ms",
            thousands(number(reads, "rps")?),
            thousands(number(creates, "rps")?),
            number(reads, "p99_ms")?
        );
        report.note("16 readers beside 4 creators", self.aims.beside, measured);
        Ok(())
    }

    /// Whole records of the demonstration clinic until there are a million resources, then the reads once more.
    fn grown(&self, report: &mut Report) -> Outcome<()> {
        let mut lots = Vec::new();
        for _ in 0..RECORDS / LOT {
            lots.push(self.seed(LOT, lots.len() + 1, "full")?);
        }
        self.bench(&["run", "--label", "10,000 records", "--shapes", READS])?;
        let loaded = format!("{:.0} MB", self.serving.resident_mb()?);
        report.note("memory loaded, 10,000 patients with whole records", self.aims.loaded, loaded);
        while self.serving.head()? < GROWN {
            lots.push(self.seed(LOT, lots.len() + 1, "full")?);
        }
        self.growth(report, &lots)?;
        let result = self.bench(&["run", "--label", "grown", "--shapes", READS])?;
        let run = &result["run"];
        report.shape("after growth to 1 million resources: read", "", &run["read"], 1)?;
        report.shape("… family + birth date", self.aims.grown, &run["search_patient"], 1)?;
        report.shape("… patient + code by date", self.aims.grown, &run["search_obs"], 1)?;
        let each = self.place.bytes()? as f64 / self.serving.head()? as f64 / 1e3;
        let size = format!("{:.0} MB, {each:.2} KB a resource", self.serving.resident_mb()?);
        report.note("memory and disk at 1 million resources", "", size);
        Ok(())
    }

    /// How fast the million went in, at its beginning and at its end, and what memory that took.
    fn growth(&self, report: &mut Report, lots: &[Seeded]) -> Outcome<()> {
        let median = |lots: &[Seeded]| {
            let mut rates: Vec<f64> = lots.iter().map(|lot| lot.rate).collect();
            rates.sort_by(f64::total_cmp);
            rates.get(rates.len() / 2).copied().unwrap_or_default()
        };
        let (first, last) = (median(&lots[..ENDS]), median(&lots[lots.len() - ENDS..]));
        let rates = format!("{} resources/s", thousands(first));
        report.note("demonstration clinic seeded beside the server", "2,000/s", rates);
        let kept = format!("{:.0} % ({} resources/s)", last / first * 100.0, thousands(last));
        report.note("… its rate at the end of a million", "≥ 70 %", kept);
        let seeding = lots.iter().map(|lot| lot.peak_mb).fold(0.0, f64::max);
        let peaks = format!("server {:.0} MB, seeding process {seeding:.0} MB", self.serving.peak_mb()?);
        report.note("… most memory while they went in", "500 MB", peaks);
        Ok(())
    }

    fn seed(&self, patients: u32, seed: usize, detail: &str) -> Outcome<Seeded> {
        let mut command = self.place.command();
        command.args(["demo", "seed", "--patients", &patients.to_string(), "--seed", &seed.to_string()]);
        command.args(["--detail", detail, "--yes", "-o", "json"]);
        let (told, peak_mb) = watched(command)?;
        let rate = told["stored"].as_f64().ok_or("no count")? / told["seconds"].as_f64().ok_or("no time")?;
        Ok(Seeded { rate, peak_mb })
    }

    fn get(&self, path: &str) -> Outcome<Value> {
        let mut answer = ureq::get(format!("{}/fhir/{path}", self.serving.base))
            .header("authorization", format!("Bearer {}", self.token))
            .call()?;
        Ok(serde_json::from_slice(&answer.body_mut().with_config().limit(64 << 20).read_to_vec()?)?)
    }

    fn bench(&self, what: &[&str]) -> Outcome<Value> {
        result_of(self.start_bench(what)?)
    }

    fn start_bench(&self, what: &[&str]) -> Outcome<Child> {
        let state = if what.contains(&"--state") { None } else { Some(["--state", "state"]) };
        let child = Command::new("python3")
            .arg(self.arguments.bench.canonicalize()?.join("bench.py"))
            .args(what)
            .args(state.iter().flatten())
            .args(["--base", &format!("{}/fhir", self.serving.base), "--pids", &self.place.pids(&self.serving)?])
            .args(["--out", "results.jsonl", "--duration", &self.arguments.seconds.to_string()])
            .env("BENCH_TOKEN", &self.token)
            .stdout(Stdio::piped())
            .current_dir(&self.arguments.out)
            .spawn()?;
        Ok(child)
    }
}

fn result_of(child: Child) -> Outcome<Value> {
    let output = child.wait_with_output()?;
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout)?)
    } else {
        Err(format!("bench.py ended with {}", output.status).into())
    }
}

/// Family name and birth date among a hundred thousand patients without records.
fn many(report: &mut Report, arguments: &Arguments, aims: &Aims, server: Option<&Server>) -> Outcome<()> {
    let load = Load::start(arguments, aims, server)?;
    load.seed(PATIENTS, 1, "demographics")?;
    let page = load.get(&format!("Patient?_count={SEARCHED}"))?;
    let mut searches = String::new();
    for entry in page["entry"].as_array().ok_or("no patients")? {
        let patient = &entry["resource"];
        let (family, born) = (patient["name"][0]["family"].as_str(), patient["birthDate"].as_str());
        if let (Some(family), Some(born)) = (family, born) {
            writeln!(searches, "Patient?family={}&birthdate={born}", encoded(family))?;
        }
    }
    let state = arguments.out.join("patients");
    std::fs::create_dir_all(&state)?;
    std::fs::write(state.join("search_patient.txt"), searches)?;
    let what = ["run", "--label", "100,000 patients", "--shapes", "search_patient", "--state", "patients"];
    let result = load.bench(&what)?;
    report.shape("family + birth date among 100,000 patients", aims.many, &result["run"]["search_patient"], 1)?;
    load.serving.stop()
}

/// A name in a query.
fn encoded(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Removes what an earlier run left, so that no figure is of another run.
fn clear(out: &Path) -> Outcome<()> {
    for name in ["state", "patients"] {
        match std::fs::remove_dir_all(out.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
