//! What of a record its caller sees: national identifiers and account numbers in full only with `healthcare:identifiers` (minimum
//! necessary, HIPAA 45 CFR 164.502(b)), for all others under a mask.
//!
//! Every record that leaves [`crate::Records`] passes here, and so does every search, which for those others finds nothing by such an
//! identifier: a mask would be of no use to somebody who may ask "is it this one?".

use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::Bytes;
use iris_access::{Caller, Denial, Permission, Target};
use iris_fhir::Resource;
use iris_fhir::classes::{Identified, class_of_kind, form_of, identified, may_hold_identifiers};
use iris_fhir::json::{Edits, Json, Value, ValueKind, write_string};
use iris_kernel::limits::FAULTS_MAX;
use iris_kernel::{ErrorKind, Fault, Kind};
use iris_search::{Criterion, Query};

use crate::refusal::Refusal;
use crate::stored::Stored;

/// The system of the labels that a masked copy carries (HL7 v3).
const LABELS: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
/// In `meta.security`: something is masked (R4 security-labels).
const MASKED: &str = "MASKED";
/// In `meta.tag`: this is not the whole record and must not replace it (R4 §3.1.0.7).
const SUBSETTED: &str = "SUBSETTED";

/// Whether somebody sees sensitive identifiers in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Full,
    Masked,
}

impl Sight {
    /// Of a caller on one record of these patients; without patients, on records as such.
    pub(crate) fn of(caller: &Caller, kind: Kind, patients: &[String]) -> Self {
        match caller.holds(Permission::HealthcareIdentifiers, Target::Kind(kind).family(), patients) {
            true => Self::Full,
            false => Self::Masked,
        }
    }
}

/// What a record has of sensitive identifiers, for its entry in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sensitive {
    /// None.
    #[default]
    Absent,
    /// Some, masked.
    Masked,
    /// Some, in full.
    Shown,
}

/// A body as a caller sees it.
pub(crate) struct Seen {
    /// What is shown.
    pub(crate) body: Bytes,
    /// What was stored, where something else is shown.
    pub(crate) whole: Option<Bytes>,
    pub(crate) sensitive: Sensitive,
}

/// The body of a record as somebody sees it. `known` is what its head says: then a record is parsed for this only if there is
/// something to be masked; else its bytes are looked at first.
pub(crate) fn seen(body: Bytes, known: Option<bool>, sight: Sight) -> Result<Seen, Refusal> {
    let as_is = |body, sensitive| Seen { body, whole: None, sensitive };
    match (known, sight) {
        (Some(false), _) => return Ok(as_is(body, Sensitive::Absent)),
        (Some(true), Sight::Full) => return Ok(as_is(body, Sensitive::Shown)),
        (None, _) if !may_hold_identifiers(&body) => return Ok(as_is(body, Sensitive::Absent)),
        (Some(true), Sight::Masked) | (None, _) => {}
    }
    let json = parsed(&body)?;
    let found = found_in(&json);
    Ok(match (found.is_empty(), sight) {
        (true, _) => as_is(body, Sensitive::Absent),
        (false, Sight::Full) => as_is(body, Sensitive::Shown),
        (false, Sight::Masked) => masked(body, &json, &found),
    })
}

/// A part of a record that is masked for its caller, as they see it: what is masked elsewhere in the record may be told here in words,
/// so it is a masked copy whether or not it has an identifier of its own.
pub(crate) fn seen_of_masked(part: Bytes) -> Result<Seen, Refusal> {
    let json = parsed(&part)?;
    Ok(masked(part, &json, &found_in(&json)))
}

fn parsed(body: &Bytes) -> Result<Json, Refusal> {
    Json::parse(body.clone()).map_err(|e| Refusal::caused(ErrorKind::Damaged, "the stored record does not parse", e))
}

fn found_in(json: &Json) -> Vec<Identified<'_>> {
    let mut found = Vec::new();
    identified(json.root(), &mut |one| found.push(one));
    found
}

/// The document with masks, and with the labels that say so. Everything else stays as it was.
fn masked(whole: Bytes, json: &Json, found: &[Identified<'_>]) -> Seen {
    let mut edits = Edits::new();
    for one in found {
        edits.replace(one.value, quoted(&one.form.mask(&one.text())));
        // What stands beside the value may be the value in other words (`rendered-value`).
        edits.remove_member(one.object, "_value").remove_member(one.object, "extension");
    }
    without_narratives(json.root(), &mut edits);
    labelled(json.root(), &mut edits);
    Seen { body: json.edited(edits).into(), whole: Some(whole), sensitive: Sensitive::Masked }
}

fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    out
}

/// Leaves out what tells the record in words for people to read: numbers among them.
fn without_narratives(value: Value<'_>, edits: &mut Edits) {
    match value.kind() {
        ValueKind::Array => value.items().for_each(|item| without_narratives(item, edits)),
        ValueKind::Object => {
            for (name, member) in value.members() {
                if name == "text" && member.get("div").is_some() {
                    edits.remove_member(value, "text");
                } else {
                    without_narratives(member, edits);
                }
            }
        }
        ValueKind::Null | ValueKind::Bool | ValueKind::Number | ValueKind::String => {}
    }
}

fn labelled(root: Value<'_>, edits: &mut Edits) {
    let coding =
        |code: &str, display: &str| format!(r#"{{"system":"{LABELS}","code":"{code}","display":"{display}"}}"#);
    let labels = [("tag", coding(SUBSETTED, "subsetted")), ("security", coding(MASKED, "masked"))];
    let Some(meta) = root.get("meta") else {
        let [tag, security] = labels.map(|(name, label)| format!(r#""{name}":[{label}]"#));
        edits.insert_first(root, "meta", format!("{{{security},{tag}}}"));
        return;
    };
    for (name, label) in labels {
        match meta.get(name) {
            Some(list) => edits.append(list, label),
            None => edits.insert_first(meta, name, format!("[{label}]")),
        };
    }
}

impl Stored {
    /// The record as this caller sees it.
    pub(crate) fn seen_by(self, caller: &Caller) -> Result<Self, Refusal> {
        let sight = Sight::of(caller, self.kind, &self.head.patients);
        let Seen { body, whole, sensitive } = seen(self.body, self.head.sensitive, sight)?;
        Ok(Self { body, whole, sensitive, ..self })
    }
}

/// What an entry of the log tells of records: the classes of data that were shown, those of single identifiers included.
pub(crate) fn classes<'a>(records: impl Iterator<Item = &'a Stored>) -> Vec<String> {
    classes_of(records.map(|stored| (stored.kind, stored.sensitive)))
}

/// [`classes`] of records that are told by their types.
pub(crate) fn classes_of(records: impl Iterator<Item = (Kind, Sensitive)>) -> Vec<String> {
    let mut classes = BTreeSet::new();
    for (kind, sensitive) in records {
        classes.insert(class_of_kind(kind).name());
        match sensitive {
            Sensitive::Absent => {}
            Sensitive::Masked => drop(classes.insert("sensitive (masked)")),
            Sensitive::Shown => drop(classes.insert("sensitive")),
        }
    }
    classes.into_iter().map(str::to_owned).collect()
}

/// [`asked_by`] for records of another type, by whose masks what they contain is seen.
pub(crate) fn asked_as_of<'q>(caller: &Caller, container: Kind, query: &'q Query) -> Cow<'q, Query> {
    if query.has_guarded() && Sight::of(caller, container, &[]) == Sight::Masked {
        return Cow::Owned(query.without_guarded());
    }
    Cow::Borrowed(query)
}

/// The search without what its caller may not search by; what it asks of other records is for whoever resolves that.
pub(crate) fn asked_by<'q>(caller: &Caller, query: &'q Query) -> Cow<'q, Query> {
    asked_as_of(caller, query.kind, query)
}

/// Whether a caller may ask for identifiers of such a system at all. Without this a search for social security numbers would be
/// answered with nobody, and that taken for the truth. What it asks of other records, through chains, is looked at as well.
///
/// # Errors
/// The permission that is missing.
pub fn searchable(caller: &Caller, query: &Query) -> Result<(), Denial> {
    if query.names_guarded() && Sight::of(caller, query.kind, &[]) == Sight::Masked {
        return Err(Denial::Permission {
            missing: Permission::HealthcareIdentifiers,
            family: Target::Kind(query.kind).family(),
        });
    }
    // The reader of queries bounds how deep chains go.
    query.criteria().try_for_each(|criterion| match criterion {
        Criterion::Chain(chain) => searchable(caller, &chain.inner),
        Criterion::Has(has) => searchable(caller, &has.inner),
        _ => Ok(()),
    })
}

/// Refuses a mask where a number should be. Tells whether there are sensitive identifiers.
///
/// # Errors
/// Every mask, by its place.
pub(crate) fn unmasked(resource: &Resource) -> Result<Sensitive, Refusal> {
    if !may_hold_identifiers(resource.json().text()) {
        return Ok(Sensitive::Absent);
    }
    let (mut sensitive, mut faults) = (Sensitive::Absent, Vec::new());
    identified(resource.root(), &mut |one| {
        sensitive = Sensitive::Shown;
        if one.is_masked() && faults.len() < FAULTS_MAX {
            let what = "is masked and would overwrite the real value; leave this identifier out to keep it";
            faults.push(Fault::new(one.value.pointer(), what));
        }
    });
    if faults.is_empty() { Ok(sensitive) } else { Err(Refusal::with(ErrorKind::Invalid, faults)) }
}

/// What replaces a record when somebody writes it who does not see all of it: the sensitive identifiers of the stored version that
/// were left out stay, those with a new value are replaced. `None` where what was sent is all of it.
///
/// # Errors
/// What was sent says itself that it is a masked copy.
pub(crate) fn with_unseen(
    caller: &Caller,
    before: Option<&Stored>,
    sent: &Resource,
) -> Result<Option<Resource>, Refusal> {
    let Some(before) = before.filter(|before| !before.deleted) else { return Ok(None) };
    copy_refused(before, sent)?;
    if Sight::of(caller, before.kind, &before.head.patients) == Sight::Full || !may_hold_identifiers(&before.body) {
        return Ok(None);
    }
    let stored = before.resource()?;
    let items = identifiers(stored.root()).into_iter().flat_map(Value::items);
    let given = identifiers(sent.root());
    let is_given = |own: Value<'_>| given.into_iter().flat_map(Value::items).any(|other| are_alike(own, other));
    let kept: Vec<&[u8]> = items.filter(|item| form_of(*item).is_some() && !is_given(*item)).map(Value::raw).collect();
    if kept.is_empty() {
        return Ok(None);
    }
    let mut edits = Edits::new();
    if let Some(list) = given {
        for item in kept {
            edits.append(list, item);
        }
    } else {
        let list = [b"[".as_slice(), &kept.join(&b','), b"]"].concat();
        edits.insert_first(sent.root(), "identifier", list);
    }
    Resource::parse(sent.json().edited(edits))
        .map(Some)
        .map_err(|e| Refusal::caused(ErrorKind::Internal, "what stays of the record could not be kept", e))
}

/// The list of a resource's own identifiers.
fn identifiers(root: Value<'_>) -> Option<Value<'_>> {
    root.get("identifier").filter(|list| list.kind() == ValueKind::Array)
}

/// Whether two Identifiers are numbers of one sort: of one system, or of one type where there is no system.
fn are_alike(a: Value<'_>, b: Value<'_>) -> bool {
    match (a.str_of("system"), b.str_of("system")) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.get("type").zip(b.get("type")).is_some_and(|(a, b)| a.same_as(b)),
        _ => false,
    }
}

/// Refuses a masked copy or a part in the place of the record. A record that was stored with such a label may keep it.
fn copy_refused(before: &Stored, sent: &Resource) -> Result<(), Refusal> {
    let Some((list, place)) = label_of_copy(sent.root()) else { return Ok(()) };
    if label_of_copy(before.resource()?.root()).is_some() {
        return Ok(());
    }
    let label = if list == "tag" { SUBSETTED } else { MASKED };
    let what = format!(
        "says {label}: it is a masked copy, or a part (_summary, _elements), which must not replace the record; read it whole, leave \
         this label out, and what you see masked, which stays"
    );
    Err(Refusal::new(ErrorKind::Invalid, format!("/meta/{list}/{place}"), what))
}

/// Where a resource says that it is a masked copy.
fn label_of_copy(root: Value<'_>) -> Option<(&'static str, usize)> {
    let meta = root.get("meta")?;
    [("security", MASKED), ("tag", SUBSETTED)].into_iter().find_map(|(list, code)| {
        let mut codings = meta.get(list)?.items();
        let is = |coding: Value<'_>| {
            coding.str_of("system").as_deref() == Some(LABELS) && coding.str_of("code").as_deref() == Some(code)
        };
        codings.position(is).map(|place| (list, place))
    })
}

#[cfg(test)]
#[path = "mask_tests.rs"]
mod tests;
