//! What only an opened installation can say: its key, its accounts, its log, its index, its database.

use iris_access::{Facts, Named, Read, Role, Search, decide};
use iris_index::Phase;
use iris_kernel::Tenant;

use super::{Finding, database};
use crate::application::{Application, KeyProtection};
use crate::demo;

/// Administrators that an installation should have: one can be ill.
const ADMINISTRATORS_MIN: u32 = 2;
/// How far the newest entry of the log may lie in the future, in microseconds, before the clock is taken to be wrong.
const AHEAD_US_MAX: i64 = 60_000_000;

pub(super) fn examine(application: &Application) -> Vec<Finding> {
    let mut findings = vec![
        key(application),
        accounts(application),
        second_factors(application),
        demonstration(application),
        index(application),
    ];
    findings.extend(log(application));
    match application.store.database_report() {
        Ok(report) => findings.extend(database::examine(&report)),
        Err(error) => findings.push(Finding::missing(
            "database.answers",
            format!("the database does not say how it is set up: {error}"),
            "look at the database and its log",
        )),
    }
    findings
}

fn key(application: &Application) -> Finding {
    match application.key_protection {
        KeyProtection::Passphrase => Finding::good("key.passphrase", "a passphrase seals the root key"),
        KeyProtection::ModeOnly => Finding::missing(
            "key.passphrase",
            "whoever reads the data folder reads everything in it",
            "IRIS_KEY_PASSPHRASE_FILE before the first start; the key of an installation keeps what it was made with",
        ),
    }
}

fn accounts(application: &Application) -> Finding {
    let caller = application.caller(Tenant::DEFAULT, "doctor");
    let counted = decide(&caller, Search, &Facts::named(Named::Accounts)).map_err(|denial| denial.to_string());
    let counted = counted.and_then(|permit| application.identity.administrators(&permit).map_err(|e| e.to_string()));
    let fix = "iris user create --name … --role admin";
    match counted {
        Ok(Some(0)) => Finding::missing("accounts.administrators", "nobody can administer the installation", fix),
        Ok(Some(count)) if count < ADMINISTRATORS_MIN => {
            Finding::advice("accounts.administrators", "one administrator alone", format!("a second one: {fix}"))
        }
        Ok(Some(count)) => Finding::good("accounts.administrators", format!("{count} administrators")),
        Ok(None) => Finding::good("accounts.administrators", "too many accounts to count them"),
        Err(why) => Finding::missing("accounts.administrators", format!("cannot be counted: {why}"), "look at the log"),
    }
}

/// Whoever runs the installation holds more than anybody: a password alone is too little for that. A first administrator must get in
/// without anything else, so this is asked for before patients' data go in, and not before the first sign-in (ADR 0017).
fn second_factors(application: &Application) -> Finding {
    const CHECK: &str = "accounts.second_factor";
    let caller = application.caller(Tenant::DEFAULT, "doctor");
    let read = decide(&caller, Read, &Facts::named(Named::Accounts)).map_err(|denial| denial.to_string());
    let policy =
        read.and_then(|permit| application.identity.policies().policy_read(&permit).map_err(|e| e.to_string()));
    match policy {
        Ok(stored) => {
            let asked = |role: Role| stored.policy.mfa_roles.iter().any(|asked| asked == role.name());
            let free: Vec<&str> =
                [Role::Admin, Role::Administrator].into_iter().filter(|role| !asked(*role)).map(Role::name).collect();
            if free.is_empty() {
                return Finding::good(CHECK, "who runs the installation needs a second factor");
            }
            let found = format!("a password alone is enough for the role {}", free.join(" and for "));
            Finding::missing(
                CHECK,
                found,
                "PUT /api/v1/admin/policy (or its page): mfa_roles with admin and administrator",
            )
        }
        Err(why) => Finding::missing(CHECK, format!("the policy cannot be read: {why}"), "look at the log"),
    }
}

fn demonstration(application: &Application) -> Finding {
    if demo::is_one(&application.folder) {
        let fix = "IRIS_DATA_DIR in an empty folder, and serve without --demo";
        return Finding::missing("accounts.demo", "it is a demo clinic whose passwords lie in a file beside it", fix);
    }
    Finding::good("accounts.demo", "it is no demo clinic")
}

fn index(application: &Application) -> Finding {
    match application.index.status().phase {
        Phase::Ready => Finding::good("index.ready", "searches are answered"),
        Phase::Building => Finding::advice("index.ready", "it is being built; searching does not work yet", "wait"),
        Phase::Failed(_) | Phase::Closed => {
            Finding::missing("index.ready", "searching does not work", "iris index rebuild, and look at the log")
        }
    }
}

fn log(application: &Application) -> Vec<Finding> {
    let standing = match application.audit.standing() {
        Ok(standing) => standing,
        Err(error) => {
            let found = format!("how the access log stands cannot be told: {error}");
            return vec![Finding::missing("audit.signing", found, "iris audit verify")];
        }
    };
    let signing = match standing.stopped {
        false => Finding::good("audit.signing", format!("{} entries are signed", standing.signed)),
        true => {
            Finding::missing("audit.signing", "entries are not signed any more", "iris audit verify; look at the log")
        }
    };
    let ahead = standing.signed_at.map_or(0, |at| at.0.saturating_sub(application.clock.now().0));
    let clock = match ahead > AHEAD_US_MAX {
        false => Finding::good("machine.clock_backwards", "the newest entry of the log lies in the past"),
        true => Finding::missing(
            "machine.clock_backwards",
            format!("the newest entry of the log lies {} s in the future", ahead / 1_000_000),
            "set the clock: it was ahead once, or is behind now",
        ),
    };
    vec![signing, clock]
}
