//! Reading a consent object.

use iris_access::consent::is_purpose;
use iris_fhir::definitions::definitions;
use iris_fhir::json::{Value, ValueKind};
use iris_kernel::{Fault, Timestamp};
use iris_plain::{FhirTime, Given, Object};
use iris_search::Label;

use super::fields::{ACTIONS, CONSENT, PERIOD, PROVISION};
use super::{Consent, Provision, Span};

/// Most provisions of a consent.
const PROVISIONS_MAX: usize = 100;
/// Most words of a list in a provision.
const WORDS_MAX: usize = 100;
/// What an actor may be: types that somebody can sign in as, and two words for accounts of ours.
const ACTORS: [&str; 9] = [
    "Practitioner",
    "Organization",
    "CareTeam",
    "Patient",
    "RelatedPerson",
    "PractitionerRole",
    "Device",
    "Account",
    "Client",
];

/// For what an object is read.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// To make a record.
    Create,
    /// To change a record: absent fields stay, `null` takes away; the server's own must be what is shown now.
    Update {
        /// The record as the API shows it now.
        shown: Value<'a>,
    },
}

/// A consent object as given: checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsentInput {
    status: Given<&'static str>,
    decision: Given<&'static str>,
    scope: Given<&'static str>,
    category: Given<String>,
    given_at: Given<String>,
    period: Given<Span>,
    provisions: Given<Vec<Provision>>,
    policy_text: Given<String>,
    verified_by: Given<String>,
    verified_at: Given<String>,
}

impl ConsentInput {
    /// Reads and checks a consent object.
    ///
    /// # Errors
    /// Every fault, each with its JSON pointer.
    pub fn read(body: Value<'_>, purpose: Purpose<'_>, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut object = Object::read(body, CONSENT, "");
        if let Purpose::Create = purpose {
            object.need(CONSENT);
        }
        server_fields(&mut object, purpose);
        let mut input = Self {
            status: object.choice("status"),
            decision: object.choice("decision"),
            scope: object.choice("scope"),
            category: object.text("category"),
            given_at: time(&mut object, "given_at"),
            period: period(&mut object),
            provisions: provisions(&mut object),
            policy_text: object.text("policy_text"),
            verified_by: object.with("verified_by", |value| reference(value, &["Patient", "RelatedPerson"])),
            verified_at: time(&mut object, "verified_at"),
        };
        match purpose {
            Purpose::Create => {
                if !input.given_at.is_given() {
                    input.given_at = Given::Value(now.rfc3339());
                }
            }
            Purpose::Update { shown } => input.check_update(&mut object, shown),
        }
        let faults = object.finish();
        if faults.is_empty() { Ok(input) } else { Err(faults) }
    }

    fn check_update(&mut self, object: &mut Object<'_>, shown: Value<'_>) {
        let nulls = [("status", &self.status), ("decision", &self.decision), ("scope", &self.scope)];
        for (name, _) in nulls.into_iter().filter(|(_, given)| **given == Given::Null) {
            object.fault(name, "cannot be taken away");
        }
        let is_further = |one: Value<'_>| one.get("further").and_then(Value::as_bool) == Some(true);
        let hides = shown.get("provisions").is_some_and(|list| list.items().any(is_further));
        let differs = match object.raw("provisions") {
            Given::Absent => false,
            Given::Null => true,
            Given::Value(sent) => !shown.get("provisions").is_some_and(|now| now.same_as(sent)),
        };
        if !differs {
            // What was sent back as it was shown may have parts that are not shown.
            self.provisions = Given::Absent;
        }
        if hides && differs {
            object.fault("provisions", "have parts that are not shown here; change them through the FHIR API");
        }
    }

    /// The consent after an update of what it was.
    #[must_use]
    pub fn over(&self, before: &Consent) -> Consent {
        let was = before.clone();
        let word = |given: &Given<&'static str>, was| given.clone().map(str::to_owned).over(was);
        Consent {
            patient_id: was.patient_id,
            status: word(&self.status, was.status),
            decision: word(&self.decision, was.decision),
            scope: word(&self.scope, was.scope),
            category: self.category.over(was.category),
            given_at: self.given_at.over(was.given_at),
            period: self.period.over(was.period),
            provisions: self.provisions.over(Some(was.provisions)).unwrap_or_default(),
            policy_text: self.policy_text.over(was.policy_text),
            verified_by: self.verified_by.over(was.verified_by),
            verified_at: self.verified_at.over(was.verified_at),
            revoke_reason: was.revoke_reason,
        }
    }
}

/// The server's own fields: refused on a create; on an update a caller may send back what it was shown.
fn server_fields(object: &mut Object<'_>, purpose: Purpose<'_>) {
    let given: Vec<_> = object.returned().collect();
    for (name, value) in given {
        let same = match purpose {
            Purpose::Create => false,
            Purpose::Update { shown } => shown.get(name).is_none_or(|now| now.same_as(value)),
        };
        if !same {
            object.fault(name, "is set by the server");
        }
    }
}

fn time(object: &mut Object<'_>, name: &str) -> Given<String> {
    object.time(name).map(|at| at.as_str().to_owned())
}

pub(crate) fn period(object: &mut Object<'_>) -> Given<Span> {
    let value = match object.raw("period") {
        Given::Absent => return Given::Absent,
        Given::Null => return Given::Null,
        Given::Value(value) => value,
    };
    let mut inner = Object::read(value, PERIOD, &object.pointer("period"));
    let bound = |inner: &mut Object<'_>, name: &str| inner.time(name).value();
    let (start, end) = (bound(&mut inner, "start"), bound(&mut inner, "end"));
    let moment = |at: &FhirTime| at.as_str().contains('T').then(|| Timestamp::parse(at.as_str()).ok()).flatten();
    // FHIR asks for it (per-1); of two dates the texts tell.
    let is_backwards = match (&start, &end) {
        (Some(start), Some(end)) => match (moment(start), moment(end)) {
            (Some(start), Some(end)) => end < start,
            _ => end.as_str().get(..10).unwrap_or(end.as_str()) < start.as_str().get(..10).unwrap_or(start.as_str()),
        },
        _ => false,
    };
    if is_backwards {
        inner.fault("end", "lies before the start");
    }
    if start.is_none() && end.is_none() {
        inner.fault("start", "is needed, or an end");
    }
    object.absorb(inner);
    let text = |at: Option<FhirTime>| at.map(|at| at.as_str().to_owned());
    Given::Value(Span { start: text(start), end: text(end) })
}

fn provisions(object: &mut Object<'_>) -> Given<Vec<Provision>> {
    let list = match object.raw("provisions") {
        Given::Absent => return Given::Absent,
        Given::Null => return Given::Null,
        Given::Value(list) => list,
    };
    if list.kind() != ValueKind::Array || list.len() > PROVISIONS_MAX {
        object.fault("provisions", format!("must be a list of at most {PROVISIONS_MAX} provisions"));
        return Given::Absent;
    }
    let at = object.pointer("provisions");
    let mut read = Vec::with_capacity(list.len());
    for (place, value) in list.items().enumerate() {
        let mut inner = Object::read(value, PROVISION, &format!("{at}/{place}"));
        inner.need(PROVISION);
        let mut list = |name: &str, check: &dyn Fn(&str) -> Result<(), String>| words(&mut inner, name, check);
        let actors = list("actors", &|text| is_actor(text, &ACTORS));
        let purposes = list("purposes", &|code| known(is_purpose(code), "is no code of v3-PurposeOfUse"));
        let classes =
            list("classes", &|name| known(definitions().kind_of(name).is_some(), "is no resource type of R4"));
        let labels = list("labels", &|code| known(is_label(code), "is no label that is known here"));
        let actions = list("actions", &|code| known(ACTIONS.contains(&code), "is no action"));
        let decision = inner.choice("decision").value().unwrap_or_default().to_owned();
        let period = period(&mut inner).value();
        read.push(Provision { decision, actors, purposes, classes, labels, actions, period, further: false });
        object.absorb(inner);
    }
    Given::Value(read)
}

fn known(is_known: bool, otherwise: &str) -> Result<(), String> {
    if is_known { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// Levels of confidentiality that may stand in a provision.
pub(super) const LEVELS: [&str; 3] = ["N", "R", "V"];

/// Whether it is a level of confidentiality, or a sensitivity that has a class of its own.
fn is_label(code: &str) -> bool {
    let system = Some(super::ACT_CODE);
    LEVELS.contains(&code) || Label::of(system, Some(code)).is_some_and(|label| label != Label::Other)
}

fn is_actor(text: &str, types: &[&str]) -> Result<(), String> {
    let good = text.split_once('/').is_some_and(|(name, id)| {
        let is_id =
            (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        types.contains(&name) && is_id
    });
    known(good, &format!("must be an id behind one of {}/", types.join("/, ")))
}

fn reference(value: Value<'_>, types: &[&str]) -> Result<String, String> {
    let text = value.as_str().ok_or("must be a text")?;
    is_actor(&text, types)?;
    Ok(text.into_owned())
}

fn words(object: &mut Object<'_>, name: &str, check: &dyn Fn(&str) -> Result<(), String>) -> Vec<String> {
    let read = object.with(name, |value| {
        if value.kind() != ValueKind::Array || value.len() > WORDS_MAX {
            return Err(format!("must be a list of at most {WORDS_MAX} texts"));
        }
        let word = |value: Value<'_>| {
            let text = value.as_str().ok_or("must hold texts only")?.into_owned();
            check(&text).map(|()| text).map_err(|what| format!("one of it {what}"))
        };
        value.items().map(word).collect::<Result<Vec<_>, String>>()
    });
    read.value().unwrap_or_default()
}
