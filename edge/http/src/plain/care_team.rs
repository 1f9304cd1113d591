//! `GET` and `PUT /api/v1/patients/{id}/care-team`

use axum::http::{Method, StatusCode};
use iris_access::{ActionKind, Create, Permit, Read, Search, Update};
use iris_fhir::json::Writer;
use iris_kernel::ErrorKind;
use iris_plain::Record;
use iris_records::care_team::{self, Member, SYSTEM, create, edit, field_of, members};
use iris_resources::{Content, CreateOptions, ReferencePolicy, Stored, Which};

use super::chart::patient;
use super::consents::lost_update;
use super::{IF_MATCH, PATIENT, PORTAL, PURPOSE, checked, in_plain, one, parse, record_made, record_of};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

const PATH: &str = "/api/v1/patients/{id}/care-team";
/// Most further teams that are named.
const OTHERS_MAX: usize = 50;
/// How often a change is tried anew when somebody else changes the team in between.
const TRIES_MAX: usize = 4;

pub(super) fn read_endpoint() -> Endpoint {
    Endpoint::new(Method::GET, PATH, "Who treats a patient", read)
        .needs(Needs::Records(ActionKind::Search, "CareTeam"))
        .params(&[PATIENT, PURPOSE, PORTAL])
        .gives(&[(200, Some("CareTeam"))])
        .fails(&[ErrorKind::NotFound, ErrorKind::Gone])
}

pub(super) fn write_endpoint() -> Endpoint {
    Endpoint::new(Method::PUT, PATH, "Say who treats a patient; it counts at once, on all nodes", write)
        .needs(Needs::Records(ActionKind::Update, "CareTeam"))
        .params(&[PATIENT, IF_MATCH])
        .takes("CareTeamChange")
        .gives(&[(200, Some("CareTeam"))])
        .fails(&[
            ErrorKind::Invalid,
            ErrorKind::NotFound,
            ErrorKind::Gone,
            ErrorKind::LostUpdate,
            ErrorKind::Conflict,
            ErrorKind::MediaType,
        ])
}

/// The patient's own team, and the references of the other active ones.
struct Found {
    own: Option<Stored>,
    others: Vec<String>,
}

async fn teams(call: &Call, patient: &str) -> Result<Found, Problem> {
    let kind = kind_named("CareTeam")?;
    let permit: Permit<Search> = call.permit(Search, kind).await?;
    let pairs = [
        ("patient".to_owned(), format!("Patient/{patient}")),
        ("_sort".to_owned(), "_lastUpdated".to_owned()),
        ("_count".to_owned(), OTHERS_MAX.to_string()),
        ("_total".to_owned(), "none".to_owned()),
    ];
    let own = [("identifier".to_owned(), format!("{SYSTEM}|{patient}")), ("_count".to_owned(), "1".to_owned())];
    let own = call.release(call.app.records.search(&permit, &parse(call, kind, &own)?)?).await?.items.pop();
    let all = call.release(call.app.records.search(&permit, &parse(call, kind, &pairs)?)?).await?.items;
    let mut others = Vec::new();
    for stored in all.iter().filter(|stored| own.as_ref().is_none_or(|own| own.id != stored.id)) {
        if stored.resource()?.root().str_of("status").is_some_and(|status| status == "active") {
            others.push(stored.reference());
        }
    }
    Ok(Found { own, others })
}

async fn read(call: Call) -> Outcome {
    let patient = patient(&call).await?;
    let Found { own, others } = teams(&call, &patient).await?;
    let Some(stored) = own else {
        let mut w = Writer::new();
        care_team::show(&patient, None, &others, &mut w);
        w.end();
        return Ok(Answer::json(StatusCode::OK, w.finish()));
    };
    let reading = call.permit(Read, stored.kind).await?;
    let record = record_of(&call, &reading, &stored)?;
    Ok(shown(&patient, &members(stored.resource()?.root()), &record, &others))
}

fn shown(patient: &str, members: &[Member], record: &Record, others: &[String]) -> Answer {
    let mut w = Writer::new();
    care_team::show(patient, Some((members, record)), others, &mut w);
    w.end();
    one(StatusCode::OK, w.finish(), record.version, record.updated_at)
}

async fn write(mut call: Call) -> Outcome {
    let kind = kind_named("CareTeam")?;
    let patient = patient(&call).await?;
    let (json, _held) = call.json().await?;
    let given = care_team::read(json.root()).map_err(|faults| Problem::with(ErrorKind::Invalid, faults))?;
    let wanted = call.if_match()?;
    for _ in 0..TRIES_MAX {
        let Found { own, others } = teams(&call, &patient).await?;
        let now = own.as_ref().map(|own| own.version);
        if wanted.is_some() && wanted != now {
            return Err(now.map_or_else(not_yet, lost_update));
        }
        let record = match &own {
            Some(own) => changed(&call, own, &given).await?,
            None => {
                let permit = call.permit(Create, kind).await?;
                made(&call, &permit, &patient, &given).await?
            }
        };
        if let Some(record) = record {
            return Ok(shown(&patient, &given, &record, &others));
        }
    }
    Err(Problem::new(ErrorKind::Conflict, "others change the care team at the same time; nothing was stored"))
}

fn not_yet() -> Problem {
    Problem::at(ErrorKind::LostUpdate, "If-Match", "there is no care team yet; nothing was stored")
}

/// A new version of the team; `None` if somebody else was faster.
async fn changed(call: &Call, own: &Stored, given: &[Member]) -> Result<Option<Record>, Problem> {
    let (writing, reading) = (call.permit(Update, own.kind).await?, call.permit(Read, own.kind).await?);
    let record = record_of(call, &reading, own)?;
    let after = checked(edit(own.resource()?.root(), given), field_of)?;
    let condition = Some(own.version).into();
    let (which, references) = (Which::Id(&own.id), Some(ReferencePolicy::Checked));
    match call.app.records.update(&writing, which, Content::Sent(&after), condition, references).await {
        Ok(written) => {
            call.wrote(&written);
            let updated_by = call.caller()?.subject.id.to_string();
            Ok(Some(Record { version: written.version, updated_at: written.at, updated_by, ..record }))
        }
        Err(refusal) if refusal.kind == ErrorKind::LostUpdate => Ok(None),
        Err(refusal) => Err(in_plain(refusal, field_of)),
    }
}

/// The first version of the team; `None` if somebody else was faster.
async fn made(
    call: &Call,
    permit: &Permit<Create>,
    patient: &str,
    given: &[Member],
) -> Result<Option<Record>, Problem> {
    let resource = checked(create(given, patient), field_of)?;
    let pairs = [("identifier".to_owned(), format!("{SYSTEM}|{patient}"))];
    let criteria = call.app.records.criteria_of(call.caller()?, resource.kind(), &pairs)?;
    let options = CreateOptions {
        if_none_exist: Some(criteria),
        references: Some(ReferencePolicy::Checked),
        ..CreateOptions::default()
    };
    let written = call.app.records.create(permit, &resource, &options).await;
    let written = written.map_err(|refusal| in_plain(refusal, field_of))?;
    call.wrote(&written);
    if written.outcome == iris_resources::Outcome::Existed {
        return Ok(None);
    }
    record_made(call, &written).map(Some)
}
