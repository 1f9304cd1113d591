//! `POST /fhir`: batch and transaction.

use axum::http::{Method, StatusCode};
use bytes::Bytes;
use iris_fhir::Resource;
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_resources::{
    Batched, BundleInput, BundleKind, EntryOutcome, Instance, Outcome as Wrote, Part, Refusal, Stored, Written,
};

use super::search::bundle as searchset;
use super::showing::part;
use super::{RETURN, Return, as_preferred, versioned_path, wanted};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Outcome};
use crate::plain::etag;
use crate::problem::{Problem, outcome, table};

pub(super) fn endpoint(path: &'static str) -> Endpoint {
    Endpoint::new(Method::POST, path, "Carry out a batch or a transaction", handle)
        .params(&[RETURN])
        .takes("Bundle")
        .gives(&[(200, Some("Bundle"))])
}

async fn handle(mut call: Call) -> Outcome {
    let (bundle, held) = call.any_resource().await?;
    if bundle.kind_name() != "Bundle" {
        let what = "is not Bundle; other resources are posted to the path of their type";
        return Err(Problem::at(ErrorKind::Malformed, "/resourceType", what));
    }
    let input = parse(bundle).await?;
    let (kind, caller) = (input.kind, call.caller()?.clone());
    let Batched { outcomes, concerns } = match kind {
        BundleKind::Batch => call.app.records.batch(caller, input.entries).await?,
        BundleKind::Transaction => call.app.records.transaction(caller, input).await?,
    };
    call.concerns(|| concerns);
    outcomes.iter().for_each(|outcome| {
        if let EntryOutcome::Found { page, .. } = outcome {
            call.counted(page);
        }
    });
    drop(held);
    call.concerns(|| outcomes.iter().flat_map(concerned).cloned().collect());
    let shown = wanted(&call, Return::Minimal);
    let base = call.app.fhir_base();
    let mut w = Writer::new();
    let name = if kind == BundleKind::Batch { "batch-response" } else { "transaction-response" };
    w.object().member("resourceType", "Bundle").member("type", name);
    if !outcomes.is_empty() {
        w.key("entry").array();
        for outcome in &outcomes {
            entry(outcome, shown, &base, &call.correlation, &mut w);
        }
        w.end();
    }
    Ok(as_preferred(&call, Answer::fhir(StatusCode::OK, w.finish())))
}

/// The patients of whom an entry's outcome tells, as far as reading did not tell already.
fn concerned(outcome: &EntryOutcome) -> Vec<&String> {
    match outcome {
        EntryOutcome::Written(written) => written.patients.iter().collect(),
        EntryOutcome::Deleted(all) => all.iter().flat_map(|written| &written.patients).collect(),
        EntryOutcome::Refused(refusal) => refusal.concerns.iter().collect(),
        EntryOutcome::Read(..) | EntryOutcome::Unchanged(..) | EntryOutcome::Found { .. } => Vec::new(),
    }
}

/// Checks every entry; long bundles take a while, so this runs where it may block.
async fn parse(bundle: Resource) -> Result<BundleInput, Problem> {
    let parsed = crate::blocking::blocking(move || BundleInput::parse(&bundle)).await;
    let parsed =
        parsed.map_err(|cause| Problem::caused(ErrorKind::Internal, "the bundle could not be checked", cause))?;
    parsed.map_err(Problem::from)
}

fn entry(outcome: &EntryOutcome, shown: Return, base: &str, correlation: &str, w: &mut Writer) {
    w.object();
    match outcome {
        EntryOutcome::Written(written) => wrote(written, shown, base, w),
        EntryOutcome::Deleted(all) => {
            w.key("response").object().member("status", "204 No Content");
            if shown == Return::Outcome {
                w.key("outcome").raw(&told(&format!("deleted: {}", all.len())));
            }
            w.end();
        }
        EntryOutcome::Unchanged(version, at) => {
            w.key("response").object().member("status", "304 Not Modified").member("etag", &etag(*version));
            w.member("lastModified", &at.rfc3339()).end();
        }
        EntryOutcome::Read(Instance::Found(stored), part) => match in_part(part, stored.body.clone(), false) {
            Ok(body) => read(stored, body.as_ref(), base, w),
            Err(refusal) => refused(&refusal, correlation, w),
        },
        EntryOutcome::Read(Instance::Gone, _) => {
            refused(&Refusal::new(ErrorKind::Gone, "", "the record was deleted"), correlation, w);
        }
        EntryOutcome::Read(Instance::Absent, _) => refused(&Refusal::not_found(), correlation, w),
        EntryOutcome::Found { page, query, part } => {
            let page = searchset(base, query.kind, query, page);
            match page.and_then(|page| in_part(part, page.into(), true)) {
                Ok(body) => found(body.as_ref(), w),
                Err(refusal) => refused(&refusal, correlation, w),
            }
        }
        EntryOutcome::Refused(refusal) => refused(refusal, correlation, w),
    }
    w.end();
}

fn wrote(written: &Written, shown: Return, base: &str, w: &mut Writer) {
    let (status, what) = match written.outcome {
        Wrote::Created => ("201 Created", "created"),
        Wrote::Updated => ("200 OK", "stored"),
        Wrote::Existed => ("200 OK", "there already; nothing was stored"),
        Wrote::Deleted => ("204 No Content", "deleted"),
    };
    let path = versioned_path(written);
    if shown == Return::Representation && !written.body.is_empty() {
        w.key("resource").raw(&written.body);
    }
    w.key("response").object().member("status", status);
    if written.outcome != Wrote::Deleted {
        w.member("location", &format!("{base}/{path}"));
    }
    w.member("etag", &etag(written.version)).member("lastModified", &written.at.rfc3339());
    if shown == Return::Outcome {
        w.key("outcome").raw(&told(what));
    }
    w.end();
}

/// An OperationOutcome that says what was done.
fn told(what: &str) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().member("resourceType", "OperationOutcome").key("issue").array().object();
    w.member("severity", "information").member("code", "informational").member("diagnostics", what);
    w.end().end().end();
    w.finish()
}

/// What of an answer an entry shows: nothing to who asked with HEAD. `of_many` as in [`part`].
fn in_part(asked: &Part, body: Bytes, of_many: bool) -> Result<Option<Bytes>, Refusal> {
    match asked {
        Part::Whole => Ok(Some(body)),
        Part::Subset(subset) => {
            part(body, subset, of_many).map(Some).map_err(|problem| Refusal::with(problem.kind, problem.faults))
        }
        Part::Head => Ok(None),
    }
}

fn found(body: Option<&Bytes>, w: &mut Writer) {
    if let Some(body) = body {
        w.key("resource").raw(body);
    }
    w.key("response").object().member("status", "200 OK").end();
}

fn read(stored: &Stored, body: Option<&Bytes>, base: &str, w: &mut Writer) {
    w.member("fullUrl", &format!("{base}/{}", stored.reference()));
    if let Some(body) = body {
        w.key("resource").raw(body);
    }
    w.key("response").object().member("status", "200 OK").member("etag", &etag(stored.version));
    w.member("lastModified", &stored.at.rfc3339()).end();
}

/// An entry that was refused. Its cause is logged here, because nothing above will see it.
fn refused(refusal: &Refusal, correlation: &str, w: &mut Writer) {
    let row = table(refusal.kind);
    if let Some(cause) = refusal.cause.as_ref().filter(|_| row.status.is_server_error()) {
        tracing::error!(kind = ?refusal.kind, correlation, %cause, "an entry of a batch failed");
    }
    w.key("response").object().member("status", &row.status.to_string());
    w.key("outcome").raw(&outcome(row.issue, &refusal.faults)).end();
}
