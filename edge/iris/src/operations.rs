//! The commands, carried out on an opened installation.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use iris_access::{AccessError, Caller, Create, Facts, Named, Permit, Read, Role, RoleSet, Update, decide};
use iris_audit::{Action, Opening, Outcome, Report as AuditReport};
use iris_identity::imported::Imported;
use iris_identity::{FirstPassword, NewAccount, TenantChange};
use iris_kernel::{Seq, Tenant};
use iris_store::Scrubbed;
use serde_json::{Value, json};

use crate::application::{Application, failure};
use crate::command::{AdminCommand, Details, Failure, Go, ImportCommand, Operations, Progress, Report};
use crate::demo;
use crate::doctor;
use crate::import;
use crate::storing::Storing;
use crate::words::Password;

/// Threads that parse and check documents of an import.
const IMPORT_WORKERS: usize = 2;
/// Most findings that a verification shows on the terminal; its result counts all.
const FINDINGS_SHOWN_MAX: usize = 20;

impl Operations for Application {
    fn execute(&self, command: AdminCommand, report: &mut Report<'_>) -> Result<Value, Failure> {
        let what = command.name();
        match command {
            AdminCommand::UserCreate { name, roles, tenant, patient, password, hashed, generated } => {
                let caller = self.caller(Tenant(tenant), what);
                self.user_create(&caller, NewUserWords { name, roles, patient, password, hashed, generated })
            }
            AdminCommand::UserResetFactors { name, tenant } => {
                self.user_reset_factors(&self.caller(Tenant(tenant), what), &name)
            }
            AdminCommand::ClientCreate { name, scope, tenant } => {
                self.client_create(&self.caller(Tenant(tenant), what), &name, &scope)
            }
            AdminCommand::TenantCreate { name, admin } => self.tenant_create(what, &name, admin),
            AdminCommand::TenantChange { number, name, on } => {
                self.tenant_change(what, number, TenantChange { name, on })
            }
            AdminCommand::TenantList => self.tenant_list(what),
            AdminCommand::Import(import) => self.import(&import, report),
            AdminCommand::DemoSeed(seed) => demo::seed(self, &self.demo_plan(&seed)?, report),
            AdminCommand::IndexRebuild => self.index_rebuild(),
            AdminCommand::IndexVerify => self.index_verify(),
            AdminCommand::AuditVerify => self.audit_verify(report),
            AdminCommand::AuditExport { file, details } => self.audit_export(&file, details),
            AdminCommand::AuditKey => Ok(json!({ "key": self.audit.public_key().to_string() })),
            AdminCommand::StoreVerify => self.store_verify(report),
            AdminCommand::VaccinesLoad { file } => self.vaccines_load(&file),
            AdminCommand::VaccinesReset => self.vaccines_reset(),
            AdminCommand::KeysRotate => self.keys_rotate(&self.caller(Tenant::PLATFORM, what)),
            AdminCommand::Doctor => doctor::examine(self),
        }
    }
}

/// What `iris user create` says.
struct NewUserWords {
    name: String,
    roles: Vec<String>,
    patient: Option<String>,
    password: Password,
    hashed: bool,
    generated: bool,
}

impl Application {
    /// The installation itself, as the audit log will show it.
    pub(crate) fn caller(&self, tenant: Tenant, what: &str) -> Arc<Caller> {
        Arc::new(Caller::system(tenant, &format!("iris {what}"), &self.entropy.uuid().to_string()))
    }

    fn user_create(&self, caller: &Arc<Caller>, words: NewUserWords) -> Result<Value, Failure> {
        let known: Vec<Role> = words.roles.iter().filter_map(|role| role.parse().ok()).collect();
        if known.len() < words.roles.len() {
            let unknown = words.roles.iter().filter(|role| role.parse::<Role>().is_err());
            let faults = unknown.map(|role| format!("role: there is no role {role}")).collect();
            return Err(Failure { faults, ..Failure::new("the user was not made") });
        }
        let password = words.password.0;
        let shown = words.generated.then(|| password.expose().clone());
        let first = if words.hashed {
            let hash =
                Imported::parse(password.expose(), "password").map_err(|fault| Failure::new(fault.to_string()))?;
            FirstPassword::Imported(hash)
        } else {
            FirstPassword::Chosen(password)
        };
        let user = NewAccount {
            name: words.name,
            password: first,
            roles: RoleSet::of(&known).names().into_iter().map(str::to_owned).collect(),
            patient: words.patient,
            ..NewAccount::default()
        };
        let permit = permit(caller, Named::Accounts)?;
        let made = self.runtime.block_on(self.identity.account_create(&permit, user)).map_err(refused)?;
        Ok(json!({
            "id": made.id,
            "name": made.name,
            "roles": made.roles,
            "tenant": caller.tenant.0,
            "patient_id": made.patient_id,
            "password": shown,
        }))
    }

    /// For somebody at the machine: whoever can run this could read the key too, so it asks for no proof. It is in the log.
    fn user_reset_factors(&self, caller: &Arc<Caller>, name: &str) -> Result<Value, Failure> {
        let on_accounts = Facts::named(Named::Accounts);
        let denied = |denial| failure("not allowed", &denial);
        let read = decide(caller, Read, &on_accounts).map_err(denied)?;
        let update = decide(caller, Update, &on_accounts).map_err(denied)?;
        let unchanged = |error| failure("nothing was changed", &error);
        self.runtime.block_on(async {
            let user = self.identity.user_by_name(&read, name).await.map_err(unchanged)?;
            let had = self.identity.factors_of(&read, user.id).map_err(unchanged)?;
            self.identity.user_factors_reset(&update, user.id).await.map_err(unchanged)?;
            Ok(json!({
                "id": user.id,
                "name": user.name,
                "tenant": caller.tenant.0,
                "authenticator_app": had.totp,
                "passkeys": had.passkeys.len(),
            }))
        })
    }

    fn client_create(&self, caller: &Arc<Caller>, name: &str, scope: &str) -> Result<Value, Failure> {
        let permit = permit(caller, Named::Accounts)?;
        let made = self.runtime.block_on(self.identity.client_create(&permit, name, scope)).map_err(refused)?;
        Ok(json!({
            "client_id": made.client.client_id,
            "client_secret": made.secret.expose(),
            "name": made.client.name,
            "scope": made.client.scope,
            "tenant": caller.tenant.0,
        }))
    }

    fn keys_rotate(&self, caller: &Arc<Caller>) -> Result<Value, Failure> {
        let permit = decide(caller, Update, &Facts::named(Named::Operation));
        let permit = permit.map_err(|denial| failure("not allowed", &denial))?;
        let keys = self.runtime.block_on(self.identity.signing_key_rotate(&permit)).map_err(refused)?;
        let shown = keys.iter().map(|key| {
            let retired = key.retired.map(|at| at.rfc3339());
            json!({ "id": key.id, "algorithm": key.algorithm, "created_at": key.created, "active": key.active, "retired_at": retired })
        });
        Ok(json!({ "signing_keys": shown.collect::<Vec<_>>() }))
    }

    fn import(&self, command: &ImportCommand, report: &mut Report<'_>) -> Result<Value, Failure> {
        let tenant = Tenant(command.tenant);
        let caller = self.caller(tenant, "import");
        self.record(Action::ImportStart, Outcome::Success, &format!("tenant {}", tenant.0))?;
        let sink = Storing { records: self.records.clone(), caller };
        let outcome = import::run(command, &sink, &*self.clock, IMPORT_WORKERS, report);
        let (ended, summary) = match &outcome {
            Ok(summary) => (Outcome::Success, summary),
            Err(failure) => (Outcome::Failure, &failure.result),
        };
        let counts = ["stored", "present", "rejected"].map(|name| format!("{name} {}", summary[name]));
        self.record(Action::ImportFinish, ended, &counts.join(", "))?;
        outcome
    }

    fn index_rebuild(&self) -> Result<Value, Failure> {
        self.record(Action::IndexRebuild, Outcome::Success, "")?;
        self.index.rebuild().map_err(|error| failure("the index could not be rebuilt", &error))?;
        let status = self.index.status();
        Ok(json!({ "documents": status.documents, "applied": status.applied.0 }))
    }

    fn index_verify(&self) -> Result<Value, Failure> {
        let report = self.index.verify().map_err(|error| {
            failure("the index could not be compared with the store; `iris index rebuild` makes it anew", &error)
        })?;
        let good = report.is_good();
        self.record(Action::IndexVerify, judged(good), "")?;
        let result = json!({
            "good": good,
            "applied": report.applied.0,
            "rows": report.rows,
            "documents": report.documents,
            "missing": report.missing.0,
            "missing_rows": numbers(&report.missing.1),
            "extra": report.extra.0,
            "extra_rows": numbers(&report.extra.1),
            "different": report.different.0,
            "different_rows": numbers(&report.different.1),
        });
        if good {
            return Ok(result);
        }
        let message = "the index and the store differ; `iris index rebuild` makes it anew".to_owned();
        Err(Failure { message, faults: Vec::new(), result })
    }

    fn audit_verify(&self, report: &mut Report<'_>) -> Result<Value, Failure> {
        let found = self.audit.verify(|done, total| {
            // It reads in blocks and cannot be left in the middle; whoever left will not be missed at the next one.
            let _ = report(Progress { done, total, items: done, unit: "entries".to_owned() });
        });
        let found = found.map_err(|error| failure("the audit log could not be read", &error))?;
        self.record(Action::AuditVerify, judged(found.good()), "")?;
        verdict(&found)
    }

    fn audit_export(&self, file: &Path, details: Details) -> Result<Value, Failure> {
        let written = |error: std::io::Error| Failure::new(format!("{} cannot be written: {error}", file.display()));
        let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(written)?;
        let receipt = self.record(Action::AuditExport, Outcome::Success, details.words())?;
        let mut out = BufWriter::new(open);
        let opening = match details {
            Details::Sealed => Opening::Sealed,
            Details::Open => Opening::All,
        };
        let entries = self
            .audit
            .export(&mut out, opening, &receipt)
            .map_err(|error| failure("the audit log could not be exported", &error))?;
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(written)?;
        Ok(json!({
            "file": file.display().to_string(),
            "entries": entries,
            "key": self.audit.public_key().to_string(),
        }))
    }

    fn store_verify(&self, report: &mut Report<'_>) -> Result<Value, Failure> {
        let found = self.store.scrub_while(&mut |Scrubbed { done, total }| {
            report(Progress { done, total, items: done, unit: "rows".to_owned() }) == Go::On
        });
        let found = found.map_err(|error| failure("the store could not be read", &error))?;
        let found =
            found.ok_or_else(|| Failure::new("the verification was stopped; what it did not read may be damaged"))?;
        self.record(Action::StoreScrub, judged(found.is_good()), "")?;
        let place = |seq: Option<Seq>| seq.map_or_else(|| "store".to_owned(), |seq| format!("row {}", seq.0));
        let findings: Vec<String> =
            found.damage.iter().map(|one| format!("{}: {}", place(one.seq), one.what)).collect();
        let result = json!({
            "good": found.is_good(),
            "rows": found.rows,
            "keys": found.keys,
            "damaged": found.damage.len() as u64 + found.more,
            "damage": findings,
        });
        if found.is_good() {
            return Ok(result);
        }
        let faults = findings.into_iter().take(FINDINGS_SHOWN_MAX).collect();
        Err(Failure { message: "the store is damaged".to_owned(), faults, result })
    }
}

/// The report of an audit verification as a result, or as a failure that locates what is wrong.
///
/// # Errors
/// The log is not whole or not unchanged.
pub fn verdict(report: &AuditReport) -> Result<Value, Failure> {
    let mut result = serde_json::to_value(report).map_err(|error| Failure::new(error.to_string()))?;
    result["good"] = report.good().into();
    if report.good() {
        return Ok(result);
    }
    let faults = report.faults.iter().take(FINDINGS_SHOWN_MAX);
    let faults =
        faults.map(|fault| fault.position.map_or(fault.what.clone(), |at| format!("entry {at}: {}", fault.what)));
    Err(Failure { message: "the audit log does not verify".to_owned(), faults: faults.collect(), result })
}

pub(crate) fn permit(caller: &Arc<Caller>, named: Named) -> Result<Permit<Create>, Failure> {
    decide(caller, Create, &Facts::named(named)).map_err(|denial| failure("not allowed", &denial))
}

pub(crate) fn refused(error: AccessError) -> Failure {
    match error {
        AccessError::Invalid(faults) | AccessError::Scope(faults) => Failure::with_faults("nothing was made", &faults),
        other => failure("nothing was made", &other),
    }
}

fn judged(good: bool) -> Outcome {
    if good { Outcome::Success } else { Outcome::Error }
}

fn numbers(seqs: &[Seq]) -> Vec<u64> {
    seqs.iter().map(|seq| seq.0).collect()
}
