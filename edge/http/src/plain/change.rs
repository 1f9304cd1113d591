//! The course that every change of a plain record takes, whatever the record: read it, lay what was sent over it, store it if it is
//! still the version that was meant.

use axum::http::header::ETAG;
use axum::http::{HeaderValue, StatusCode};
use iris_access::{Delete, Permit, Read, Update};
use iris_fhir::json::{Json, Value, Writer};
use iris_kernel::{ErrorKind, Version};
use iris_plain::Record;
use iris_resources::{Content, ReferencePolicy, Refusal, Stored, Which};

use super::{checked, etag, in_plain, one, record_of};
use crate::answer::Answer;
use crate::call::{Call, kind_named};
use crate::endpoint::Outcome;
use crate::problem::Problem;

/// How often an update without `If-Match` is tried anew when somebody else changes the record in between.
const UPDATE_TRIES_MAX: usize = 4;

/// What one sort of record adds to the common course.
pub(super) trait Editable: Sync {
    /// Writes a resource as the plain dialect shows it; the object stays open.
    fn show(&self, resource: Value<'_>, record: &Record, w: &mut Writer);

    /// The stored resource with what the caller sent laid over it.
    ///
    /// # Errors
    /// Every fault of what was sent, at its field.
    fn edit(&self, call: &Call, stored: Value<'_>, sent: Value<'_>, shown: Value<'_>) -> Result<Edited, Problem>;

    /// The plain field behind a place in the resource.
    fn field_of(pointer: &str) -> String;
}

/// A resource as it is to be stored.
pub(super) struct Edited {
    /// FHIR JSON, not checked yet.
    pub(super) body: Vec<u8>,
    /// What the caller should know about it, where the answer tells that at all.
    pub(super) warnings: Option<Vec<String>>,
}

/// `PUT`: absent fields stay, `null` takes a field away. Without `If-Match` the caller changes fields, not a version: what it did
/// not name comes from the newest.
pub(super) async fn update<E: Editable>(mut call: Call, name: &'static str, form: E) -> Outcome {
    let kind = kind_named(name)?;
    let permit = call.permit(Update, kind).await?;
    let reading = call.permit(Read, kind).await?;
    let wanted = call.if_match()?;
    let (json, _held) = call.json().await?;
    let mut tries = 0;
    loop {
        let stored = current(&call, &reading).await?;
        if wanted.is_some_and(|wanted| wanted != stored.version) {
            return Err(lost_update(stored.version));
        }
        let record = record_of(&call, &reading, &stored)?;
        tries += 1;
        match attempt(&call, &permit, &form, json.root(), &stored, &record).await? {
            Ok(answer) => return Ok(answer),
            // Somebody was faster: with If-Match the next round tells what is there now, without it takes that as the base.
            Err(refusal) if refusal.kind == ErrorKind::LostUpdate && tries < UPDATE_TRIES_MAX => {}
            Err(refusal) => return Err(in_plain(refusal, E::field_of)),
        }
    }
}

async fn current(call: &Call, reading: &Permit<Read>) -> Result<Stored, Problem> {
    Ok(call.release(call.app.records.read(reading, call.id()?)?).await?.found()?)
}

/// One try on the version that was just read.
async fn attempt<E: Editable>(
    call: &Call,
    permit: &Permit<Update>,
    form: &E,
    sent: Value<'_>,
    stored: &Stored,
    record: &Record,
) -> Result<Result<Answer, Refusal>, Problem> {
    // What the caller sees masked and does not name stays as it is.
    let resource = stored.whole()?;
    let mut w = Writer::new();
    form.show(stored.resource()?.root(), record, &mut w);
    let shown = Json::parse(w.finish())
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the record cannot be shown", cause))?;
    let edited = form.edit(call, resource.root(), sent, shown.root())?;
    let after = checked(edited.body, E::field_of)?;
    let condition = Some(stored.version).into();
    let (which, references) = (Which::Id(&stored.id), Some(ReferencePolicy::Checked));
    let written = match call.app.records.update(permit, which, Content::Whole(&after), condition, references).await {
        Ok(written) => written,
        Err(refusal) => return Ok(Err(refusal)),
    };
    call.wrote(&written);
    let author = call.caller()?.subject.id.to_string();
    let record = Record { version: written.version, updated_at: written.at, updated_by: author, ..record.clone() };
    let mut w = Writer::new();
    let shown = iris_fhir::Resource::parse(written.body)
        .map_err(|cause| Problem::caused(ErrorKind::Internal, "the record cannot be shown", cause))?;
    form.show(shown.root(), &record, &mut w);
    if let Some(warnings) = &edited.warnings {
        super::immunization_create::show_warnings(warnings, &mut w);
    }
    Ok(Ok(one(StatusCode::OK, w.finish(), written.version, written.at)))
}

/// `DELETE`: the record is gone, its versions stay in the history.
pub(super) async fn delete(call: Call, name: &'static str) -> Outcome {
    let kind = kind_named(name)?;
    let permit = call.permit(Delete, kind).await?;
    match call.app.records.delete(&permit, call.id()?, call.if_match()?).await {
        Ok(gone) => {
            call.wrote(&gone);
            Ok(Answer::empty())
        }
        Err(refusal) if refusal.kind == ErrorKind::LostUpdate => {
            let reading = call.permit(Read, kind).await?;
            Err(lost_update(current(&call, &reading).await?.version))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// 412 with the version that is there now, so that a page can show what has become of the record.
fn lost_update(now: Version) -> Problem {
    let what = "somebody changed the record since you read it; nothing was stored";
    let mut problem = Problem::at(ErrorKind::LostUpdate, "If-Match", what);
    problem.current = Some(now);
    if let Ok(tag) = HeaderValue::from_str(&etag(now)) {
        problem.headers.push((ETAG, tag));
    }
    problem
}
