//! Loading invented families: made and checked on several threads, stored in order, through the path that every import takes.

use std::collections::BTreeMap;

use iris_audit::{Action, Outcome};
use iris_demo::{DAY_DEFAULT, Detail, Household, Plan, TAG};
use iris_fhir::definitions::kind_of;
use iris_index::Restriction;
use iris_kernel::{Fault, Tenant};
use iris_resources::ImportItem;
use iris_search::{Query, parse_query};
use serde_json::{Value, json};

use super::Demo;
use crate::application::{Application, failure};
use crate::command::{Failure, Go, Progress, Report, SeedCommand, SeedDetail};
use crate::import::pipeline::{self, Lost};
use crate::import::{NotStored, Sink as _};
use crate::storing::Storing;

/// Threads that make and check resources.
const WORKERS: usize = 2;
/// Most resources in one commit.
const BATCH_MAX: usize = 500;
/// Most faults that a failure shows.
const FAULTS_SHOWN_MAX: usize = 20;

impl Application {
    /// What the command asks for, as of the day of this folder's demo where it is one and no day is given.
    ///
    /// # Errors
    /// The day is none, the folder's demo cannot be read, or invented patients would stand among others without leave.
    pub(crate) fn demo_plan(&self, command: &SeedCommand) -> Result<Plan, Failure> {
        let demo = Demo::day_of(&self.folder)?.map(|day| day.to_string());
        if demo.is_none() && !command.yes {
            self.all_invented(Tenant(command.tenant))?;
        }
        let at = command.at.clone().or(demo);
        let at = at.as_deref().unwrap_or(DAY_DEFAULT).parse().map_err(|error| failure("at: expected a day", &error))?;
        let detail = match command.detail {
            SeedDetail::Demographics => Detail::Demographics,
            SeedDetail::Full => Detail::Full,
        };
        Ok(Plan { seed: command.seed, patients: command.patients, detail, at, tenant: Tenant(command.tenant) })
    }
}

impl Application {
    /// # Errors
    /// The tenant has patients that nobody invented, among whom invented ones would be taken for real; or that cannot be told.
    fn all_invented(&self, tenant: Tenant) -> Result<(), Failure> {
        const WHY: &str =
            "it cannot be told whether there are patients that nobody invented (--yes stores nevertheless)";
        let kind = kind_of("Patient").ok_or_else(|| Failure::new(WHY))?;
        let tagged = parse_query(kind, &[("_tag".to_owned(), TAG.to_owned())], &self.records.query_context());
        let tagged = tagged.map_err(|faults| Failure::with_faults(WHY, &faults))?;
        let query = Query { none: tagged.all, ..Query::everything(kind) };
        let others = self.index.count(tenant, &query, &Restriction::NONE).map_err(|error| failure(WHY, &error))?;
        if others == 0 {
            return Ok(());
        }
        Err(Failure::new(format!(
            "tenant {} has {others} patients that nobody invented; invented ones beside them would be taken for real, and \
             nothing takes them away again (--yes stores them nevertheless)",
            tenant.0
        )))
    }
}

/// What is made in one step.
enum Step {
    /// The clinic itself.
    House,
    /// A family.
    Of(Household),
}

/// What came of a step.
struct Made {
    patients: u32,
    items: Result<Vec<ImportItem>, Vec<Fault>>,
}

/// Why seeding ends before everybody is there.
enum End {
    Told,
    Rejected(Vec<Fault>),
    Broken(String),
}

impl From<Lost> for End {
    fn from(_: Lost) -> Self {
        Self::Broken("a family was lost by a defect while it was made".to_owned())
    }
}

/// Stores what the plan says and is not there yet.
///
/// # Errors
/// Something of the plan is stored with other content, the store takes nothing more, or `report` said stop. What was stored
/// until then stays, and running it again goes on from there.
pub(crate) fn run(application: &Application, plan: &Plan, report: &mut Report<'_>) -> Result<Value, Failure> {
    let Plan { seed, patients, detail, at, tenant } = plan;
    let what = format!("demo: tenant {}, seed {seed}, {patients} patients, {}, as of {at}", tenant.0, detail.word());
    application.record(Action::ImportStart, Outcome::Success, &what)?;
    let caller = application.caller(*tenant, "demo seed");
    let start = application.clock.monotonic();
    let mut seeding = Seeding {
        storing: Storing { records: application.records.clone(), caller },
        plan,
        report,
        waiting: Vec::new(),
        patients: 0,
        by_type: BTreeMap::new(),
        present: 0,
    };
    let steps = std::iter::once(Step::House).chain(plan.households().map(Step::Of));
    let ended = pipeline::run(steps, WORKERS, &|step| make(plan, &step), &mut |made| seeding.take(made));
    let ended = ended.and_then(|()| seeding.flush());
    let seconds = application.clock.monotonic().saturating_sub(start).as_secs_f64();
    let (stored, present) = (seeding.stored(), seeding.present);
    let result = seeding.result(seconds);
    let outcome = if ended.is_ok() { Outcome::Success } else { Outcome::Failure };
    application.record(Action::ImportFinish, outcome, &format!("stored {stored}, present {present}"))?;
    let failed = |message: String, faults: Vec<String>| Failure { message, faults, result: result.clone() };
    match ended {
        Ok(()) => Ok(result),
        Err(End::Told) => Err(failed("stopped; running it again goes on from here".to_owned(), Vec::new())),
        Err(End::Broken(why)) => Err(failed(format!("{why}; running it again goes on from here"), Vec::new())),
        Err(End::Rejected(faults)) => {
            let faults = faults.iter().take(FAULTS_SHOWN_MAX).map(ToString::to_string).collect();
            let message = format!(
                "the store does not take what seed {seed} makes as of {at}; the same seed with another day, or records \
                 that were changed since, are not overwritten"
            );
            Err(failed(message, faults))
        }
    }
}

fn make(plan: &Plan, step: &Step) -> Made {
    let (patients, texts) = match step {
        Step::House => (0, plan.house()),
        Step::Of(household) => (household.patients_so_far(), plan.documents(household)),
    };
    // Everything has its id, so the place that would tell two without ids apart is not looked at.
    let parsed = texts.into_iter().map(|text| ImportItem::parse(text, 0).map_err(|refusal| refusal.faults));
    Made { patients, items: parsed.collect() }
}

/// Seeding in progress.
struct Seeding<'a, 'r> {
    storing: Storing,
    plan: &'a Plan,
    report: &'a mut Report<'r>,
    waiting: Vec<ImportItem>,
    patients: u32,
    by_type: BTreeMap<&'static str, u64>,
    present: u64,
}

impl Seeding<'_, '_> {
    fn take(&mut self, made: Made) -> Result<(), End> {
        self.waiting.extend(made.items.map_err(End::Rejected)?);
        self.patients = made.patients;
        while self.waiting.len() >= BATCH_MAX {
            let rest = self.waiting.split_off(BATCH_MAX);
            let batch = std::mem::replace(&mut self.waiting, rest);
            self.store(batch)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), End> {
        let batch = std::mem::take(&mut self.waiting);
        self.store(batch)
    }

    fn store(&mut self, batch: Vec<ImportItem>) -> Result<(), End> {
        let mut rejected = Vec::new();
        for outcome in self.storing.store(batch) {
            match outcome {
                Ok(stored) => {
                    for (name, count) in stored.by_type {
                        *self.by_type.entry(name).or_default() += count;
                    }
                    self.present += stored.present;
                }
                Err(NotStored::Rejected(faults)) => rejected.extend(faults),
                Err(NotStored::Ended(why)) => return Err(End::Broken(why)),
            }
        }
        if !rejected.is_empty() {
            return Err(End::Rejected(rejected));
        }
        let progress = Progress {
            done: u64::from(self.patients),
            total: u64::from(self.plan.patients),
            items: self.stored() + self.present,
            unit: "resources".to_owned(),
        };
        match (self.report)(progress) {
            Go::On => Ok(()),
            Go::Stop => Err(End::Told),
        }
    }

    fn stored(&self) -> u64 {
        self.by_type.values().sum()
    }

    fn result(&self, seconds: f64) -> Value {
        let (stored, present) = (self.stored(), self.present);
        let rate = if seconds > 0.0 { ((stored + present) as f64 / seconds).round() } else { 0.0 };
        let note = (stored == 0 && present > 0).then_some("everything was there already; nothing was stored");
        json!({
            "seed": self.plan.seed,
            "at": self.plan.at.to_string(),
            "patients": self.plan.patients,
            "stored": stored,
            "present": present,
            "by_type": self.by_type,
            "seconds": (seconds * 1_000.0).round() / 1_000.0,
            "resources_per_second": rate,
            "note": note,
        })
    }
}
