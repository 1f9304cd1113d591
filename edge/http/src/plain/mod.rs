//! The plain dialect: `/api/v1/patients` and `/api/v1/immunizations`. Each handler is a straight line; what a field means is the
//! contexts' business, and what is stored `iris-resources`'.

mod care_team;
mod change;
mod chart;
mod consents;
mod history;
mod immunization_create;
mod immunization_delete;
mod immunization_list;
mod immunization_read;
mod immunization_update;
mod patient_create;
mod patient_delete;
mod patient_duplicates;
mod patient_find;
mod patient_immunizations;
mod patient_list;
mod patient_read;
mod patient_summary;
mod patient_update;
mod timeline;
mod trends;
mod vaccines;

use std::time::{Duration, SystemTime};

use axum::http::header::{ETAG, IF_NONE_MATCH, LAST_MODIFIED};
use axum::http::{HeaderValue, StatusCode};
use iris_access::{Permit, Read};
use iris_fhir::json::Writer;
use iris_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
use iris_kernel::{ErrorKind, Fault, Kind, Timestamp, Version};
use iris_plain::{Form, Record};
use iris_resources::{Refusal, Stored, Written};
use iris_search::{Query, parse_query};
use iris_validation::Valid;
use uuid::Uuid;

use crate::answer::Answer;
use crate::call::{Call, Pairs};
use crate::endpoint::{Endpoint, Param, header, path, query};
use crate::problem::Problem;

pub(crate) use consents::REVOKE;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    [records(), consents::endpoints(), chart::endpoints(), trends::endpoints(), vec![timeline::endpoint()]].concat()
}

fn records() -> Vec<Endpoint> {
    vec![
        patient_create::endpoint(),
        patient_list::endpoint(),
        patient_find::endpoint(),
        patient_duplicates::endpoint(),
        patient_duplicates::compare_endpoint(),
        patient_read::endpoint(),
        patient_update::endpoint(),
        patient_delete::endpoint(),
        patient_summary::endpoint(),
        care_team::read_endpoint(),
        care_team::write_endpoint(),
        patient_immunizations::list_endpoint(),
        patient_immunizations::create_endpoint(),
        immunization_create::endpoint(),
        immunization_list::endpoint(),
        immunization_read::endpoint(),
        immunization_update::endpoint(),
        immunization_delete::endpoint(),
        vaccines::endpoint(),
        vaccines::manufacturers_endpoint(),
    ]
}

const PATIENT: Param = path("id", "The patient's id.");
const LIMIT: Param = query("limit", "Most items of a page, 20 where nothing is said, 100 at most.").of(Form::Integer);
const CURSOR: Param = query("cursor", "The `next_cursor` of the page before.");
const TOTAL: Param = query("total", "`true` counts all matches, `false` does not.").of(Form::Boolean);
pub(crate) const PURPOSE: Param = query(
    "access_purpose",
    "Why the record is looked at, for the access log and for consents: a code of HL7 v3 PurposeOfUse \
     (http://terminology.hl7.org/ValueSet/v3-PurposeOfUse) that the caller's roles allow: TREAT, CAREMGT, COC, ETREAT, \
     BTG, HPAYMT, COVERAGE, ELIGVER, HOPERAT, PATADMIN, HQUALIMP, HRESCH, HCOMPL, HSYSADMIN, PUBHLTH, PATRQT; another one is \
     refused. clinical_review, which is no claim, where nothing is said.",
);
const PORTAL: Param = query(
    "patient_portal",
    "Whether the request comes from the patient portal; changes nothing about what may be seen.",
)
.of(Form::Boolean);
pub(crate) const IF_MATCH: Param =
    header("If-Match", "The ETag of the version that must be current; 412 if it is not.");
const KEY: Param = header("Idempotency-Key", "A request that is sent again under the same key makes nothing twice.");

/// A resource that we made ourselves, checked once more: what fails here is told at the plain field it came from.
fn checked(body: Vec<u8>, field_of: fn(&str) -> String) -> Result<Valid, Problem> {
    let resource = iris_fhir::Resource::parse(body)
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the record could not be prepared", cause))?;
    Valid::check(resource).map_err(|(_, faults)| Problem::with(ErrorKind::Invalid, renamed(faults, field_of)))
}

/// A refusal of the write path with its places told in plain fields.
fn in_plain(refusal: Refusal, field_of: fn(&str) -> String) -> Problem {
    let mut problem = Problem::from(refusal);
    problem.faults = renamed(std::mem::take(&mut problem.faults), field_of);
    problem
}

fn renamed(faults: Vec<Fault>, field_of: fn(&str) -> String) -> Vec<Fault> {
    let rename = |fault: Fault| match fault.at.starts_with('/') {
        true => Fault::new(field_of(&fault.at), fault.what),
        false => fault,
    };
    faults.into_iter().map(rename).collect()
}

/// What a record that was just read carries besides its own fields.
fn record_of(call: &Call, permit: &Permit<Read>, stored: &Stored) -> Result<Record, Problem> {
    let (created_at, created_by) = call.app.records.birth(permit, stored)?;
    Ok(Record {
        id: stored.id.clone(),
        version: stored.version,
        created_at,
        created_by: Uuid::from_bytes(created_by).to_string(),
        updated_at: stored.at,
        updated_by: Uuid::from_bytes(stored.head.author).to_string(),
    })
}

/// What a record that the caller just made carries.
fn record_made(call: &Call, written: &Written) -> Result<Record, Problem> {
    let author = call.caller()?.subject.id.to_string();
    Ok(Record {
        id: written.id.clone(),
        version: written.version,
        created_at: written.at,
        created_by: author.clone(),
        updated_at: written.at,
        updated_by: author,
    })
}

/// An answer that shows one version of one record.
fn one(status: StatusCode, body: Vec<u8>, version: Version, at: Timestamp) -> Answer {
    versioned(Answer::json(status, body), version, at)
}

/// With `ETag` and `Last-Modified`.
pub(crate) fn versioned(answer: Answer, version: Version, at: Timestamp) -> Answer {
    let tag = HeaderValue::from_str(&etag(version));
    let since = Duration::from_secs(u64::try_from(at.seconds()).unwrap_or(0));
    let date = HeaderValue::from_str(&httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since));
    let answer = tag.into_iter().fold(answer, |answer, value| answer.with(ETAG, value));
    date.into_iter().fold(answer, |answer, value| answer.with(LAST_MODIFIED, value))
}

/// The ETag of a version.
pub(crate) fn etag(version: Version) -> String {
    format!("W/\"{version}\"")
}

/// Whether the caller has this version already (`If-None-Match`).
pub(crate) fn unchanged(call: &Call, version: Version) -> bool {
    let tags = call.header(&IF_NONE_MATCH).unwrap_or_default();
    tags.split(',').any(|tag| tag.trim() == "*" || iris_resources::parse_etag(tag) == Some(version))
}

/// 304, for a caller who has this version already.
pub(crate) fn not_modified(version: Version, at: Timestamp) -> Answer {
    versioned(Answer::new(StatusCode::NOT_MODIFIED, bytes::Bytes::new()), version, at)
}

/// The search of a list: its filters as FHIR parameters, and its page.
fn list_query(call: &Call, kind: Kind, mut pairs: Pairs, total: bool) -> Result<Query, Problem> {
    let limit = call.query_number("limit", PAGE_DEFAULT, 1, PAGE_MAX)?;
    pairs.push(("_count".to_owned(), limit.to_string()));
    if !counts(call, total)? {
        pairs.push(("_total".to_owned(), "none".to_owned()));
    }
    if let Some(cursor) = call.query_value("cursor") {
        pairs.push(("_cursor".to_owned(), cursor.to_owned()));
    }
    parse(call, kind, &pairs)
}

/// Whether the list is to be counted; `default` where nothing is said.
fn counts(call: &Call, default: bool) -> Result<bool, Problem> {
    match call.query_value("total") {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(Problem::at(ErrorKind::Invalid, "total", "must be true or false")),
    }
}

fn parse(call: &Call, kind: Kind, pairs: &[(String, String)]) -> Result<Query, Problem> {
    parse_query(kind, pairs, &call.app.records.query_context())
        .map_err(|faults| Problem::with(ErrorKind::Invalid, faults))
}

/// Refuses wrong filters, each by its name.
fn wrong_filters(faults: Vec<Fault>) -> Problem {
    Problem::with(ErrorKind::Invalid, faults)
}

/// Writes the end of a list: where it goes on, and how many there are.
fn list_end(w: &mut Writer, next: Option<&str>, total: Option<u64>) {
    w.key("next_cursor");
    match next {
        Some(cursor) => w.string(cursor),
        None => w.null(),
    };
    if let Some(total) = total {
        w.key("total").integer(i64::try_from(total).unwrap_or(i64::MAX));
    }
}
