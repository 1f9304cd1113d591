//! `iris migrate`: what the schema of the database is, whether this program would start with it, and bringing it up to date.

use iris_kernel::Clock;
use iris_store::migrations::{self, Applies, Plan};
use iris_store::{Database, StoreConfig};
use serde_json::{Value, json};

use crate::application::{failure, store_config};
use crate::cli::MigrateFlags;
use crate::command::Failure;
use crate::config::Config;

/// Carries out whichever of the three was asked for.
///
/// # Errors
/// The database does not answer, this program must not start with it, or a migration was not applied.
pub(crate) fn run(config: &Config, flags: &MigrateFlags, clock: &dyn Clock) -> Result<Value, Failure> {
    let store = store_config(config);
    if flags.check {
        migrations::check(&store).map_err(|error| failure("iris would not start", &error))?;
    }
    let before = match (&store.database, flags.apply) {
        (Database::Postgres(postgres), true) => {
            migrations::apply(postgres, clock).map_err(|error| failure("the schema is not up to date", &error))?
        }
        _ => plan(&store)?,
    };
    let applied: Vec<&str> = match (before.applies, flags.apply) {
        (Applies::AnOperator, true) => before.pending().map(|(_, name)| name).collect(),
        _ => Vec::new(),
    };
    let now = if flags.apply { plan(&store)? } else { before.clone() };
    Ok(json!({
        "database": if now.applies == Applies::TheStart { "SQLite" } else { "PostgreSQL" },
        "migrations": shown(&now),
        "applied": applied,
        "note": note(&now),
    }))
}

fn plan(store: &StoreConfig) -> Result<Plan, Failure> {
    migrations::plan(store).map_err(|error| failure("the schema cannot be looked at", &error))
}

fn shown(plan: &Plan) -> Vec<Value> {
    let one = |(number, name, state): &(u32, String, migrations::State)| json!({ "number": number, "name": name, "state": state.to_string() });
    plan.states.iter().map(one).collect()
}

/// Who applies what is pending, where something is.
fn note(plan: &Plan) -> Option<&'static str> {
    plan.pending().next()?;
    Some(match plan.applies {
        Applies::TheStart => "with SQLite, the next start of iris applies what is pending",
        Applies::AnOperator if plan.is_empty_database() => {
            "the database is empty: the first start makes its tables, or: iris migrate --apply"
        }
        Applies::AnOperator => "run: iris migrate --apply",
    })
}
