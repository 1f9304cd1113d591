//! The plain consent of `/api/v1` and the FHIR Consent. What a consent means for access is `iris_access::consent`'s to say; here
//! it is written down and read.

mod fields;
mod input;
mod write;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use iris_access::consent::{ACCOUNTS, CLIENTS, compile};
use iris_fhir::json::{Value, Writer};
use iris_kernel::Timestamp;
use iris_plain::{Record, shown};

pub use fields::{CONSENT, PERIOD, PROVISION};
pub(crate) use input::period;
pub use input::{ConsentInput, Purpose};
pub(crate) use write::reference;
pub use write::{create, edit, field_of, revoke};

/// Extension that says why a consent was taken back.
pub const REVOKE_REASON: &str = "urn:iris:extension:consent-revoke-reason";
/// System of `scope`.
const SCOPE_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
/// System of the codes that say what holds where no provision applies, and of sensitivities.
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// A span of time, as FHIR writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// `start`
    pub start: Option<String>,
    /// `end`
    pub end: Option<String>,
}

impl Span {
    pub(crate) fn of(owner: Value<'_>) -> Option<Self> {
        let period = owner.get("period")?;
        Some(Self { start: text(period, "start"), end: text(period, "end") })
    }

    pub(crate) fn show(&self, w: &mut Writer) {
        w.key("period").object();
        for (name, value) in [("start", &self.start), ("end", &self.end)] {
            if let Some(value) = value {
                w.member(name, &shown(value));
            }
        }
        w.end();
    }

    pub(crate) fn write(&self) -> Option<Vec<u8>> {
        let bound = |value: &Option<String>| value.as_deref().map(iris_plain::element::string);
        iris_plain::element::object(None, &[("start", bound(&self.start)), ("end", bound(&self.end))])
    }
}

/// An exception to what a consent says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provision {
    /// `decision`
    pub decision: String,
    /// `actors`
    pub actors: Vec<String>,
    /// `purposes`
    pub purposes: Vec<String>,
    /// `classes`
    pub classes: Vec<String>,
    /// `labels`
    pub labels: Vec<String>,
    /// `actions`
    pub actions: Vec<String>,
    /// `period`
    pub period: Option<Span>,
    /// Whether the plain dialect does not show all of it.
    pub further: bool,
}

/// What the plain dialect sees in a Consent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// `patient_id`
    pub patient_id: Option<String>,
    /// `status`
    pub status: Option<String>,
    /// `decision`
    pub decision: Option<String>,
    /// `scope`
    pub scope: Option<String>,
    /// `category`
    pub category: Option<String>,
    /// `given_at`
    pub given_at: Option<String>,
    /// `period`
    pub period: Option<Span>,
    /// `provisions`
    pub provisions: Vec<Provision>,
    /// `policy_text`
    pub policy_text: Option<String>,
    /// `verified_by`
    pub verified_by: Option<String>,
    /// `verified_at`
    pub verified_at: Option<String>,
    /// `revoke_reason`
    pub revoke_reason: Option<String>,
}

fn text(owner: Value<'_>, name: &str) -> Option<String> {
    owner.str_of(name).map(Cow::into_owned)
}

fn items<'a>(owner: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    owner.get(name).map(Value::items).into_iter().flatten()
}

fn codes<'a>(owner: Value<'a>, name: &str) -> impl Iterator<Item = String> {
    let concept = owner.get(name);
    concept.into_iter().flat_map(|concept| items(concept, "coding")).filter_map(|coding| text(coding, "code"))
}

fn concept_text(concept: Value<'_>) -> Option<String> {
    let of_coding = |part: &'static str| items(concept, "coding").find_map(|coding| text(coding, part));
    text(concept, "text").or_else(|| of_coding("display")).or_else(|| of_coding("code"))
}

/// Whom a Reference names, as the plain dialect writes it.
pub(crate) fn actor(reference: Value<'_>) -> Option<String> {
    let identifier = reference.get("identifier");
    let of_system = |wanted: &str| {
        let identifier = identifier.filter(|one| one.str_of("system").is_some_and(|system| system == wanted))?;
        text(identifier, "value")
    };
    of_system(ACCOUNTS)
        .map(|id| format!("Account/{id}"))
        .or_else(|| of_system(CLIENTS).map(|id| format!("Client/{id}")))
        .or_else(|| text(reference, "reference"))
        .or_else(|| text(reference, "display"))
}

impl Provision {
    /// What the plain dialect shows of a provision.
    const SHOWN: [&str; 7] = ["type", "period", "actor", "purpose", "class", "securityLabel", "action"];

    fn of(provision: Value<'_>) -> Self {
        let codings = |name| items(provision, name).filter_map(|coding| text(coding, "code")).collect();
        let actions =
            items(provision, "action").filter_map(|action| items(action, "coding").find_map(|c| text(c, "code")));
        Self {
            decision: text(provision, "type").unwrap_or_else(|| "deny".to_owned()),
            actors: items(provision, "actor").filter_map(|one| actor(one.get("reference")?)).collect(),
            purposes: codings("purpose"),
            classes: codings("class"),
            labels: codings("securityLabel"),
            actions: actions.collect(),
            period: Span::of(provision),
            further: provision.members().any(|(name, _)| !Self::SHOWN.contains(&&*name)),
        }
    }

    fn show(&self, w: &mut Writer) {
        w.object().member("decision", &self.decision);
        let lists = [
            ("actors", &self.actors),
            ("purposes", &self.purposes),
            ("classes", &self.classes),
            ("labels", &self.labels),
            ("actions", &self.actions),
        ];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            texts(name, list, w);
        }
        if let Some(period) = &self.period {
            period.show(w);
        }
        if self.further {
            w.key("further").bool(true);
        }
        w.end();
    }
}

fn texts(name: &str, list: &[String], w: &mut Writer) {
    w.key(name).array();
    for text in list {
        w.string(text);
    }
    w.end();
}

impl Consent {
    /// What the plain dialect sees.
    #[must_use]
    pub fn of(root: Value<'_>) -> Self {
        let provision = root.get("provision");
        let patient = root.get("patient").and_then(|patient| text(patient, "reference"));
        let base = codes(root, "policyRule").find_map(|code| match code.as_str() {
            "OPTIN" | "OPTINR" => Some("permit".to_owned()),
            "OPTOUT" | "OPTOUTE" => Some("deny".to_owned()),
            _ => None,
        });
        let verification = items(root, "verification").next();
        let reason = items(root, "extension").find(|one| one.str_of("url").is_some_and(|url| url == REVOKE_REASON));
        Self {
            patient_id: patient.as_deref().and_then(|reference| reference.strip_prefix("Patient/")).map(str::to_owned),
            status: text(root, "status"),
            decision: provision.and_then(|provision| text(provision, "type")).or(base),
            scope: codes(root, "scope").next(),
            category: items(root, "category").next().and_then(concept_text),
            given_at: text(root, "dateTime"),
            period: provision.and_then(Span::of),
            provisions: provision.into_iter().flat_map(|one| items(one, "provision")).map(Provision::of).collect(),
            policy_text: root.get("policyRule").and_then(|rule| text(rule, "text")),
            verified_by: verification.and_then(|one| actor(one.get("verifiedWith")?)),
            verified_at: verification.and_then(|one| text(one, "verificationDate")),
            revoke_reason: reason.and_then(|reason| text(reason, "valueString")),
        }
    }

    /// Writes the object; it stays open.
    pub fn show(&self, record: &Record, w: &mut Writer) {
        w.object().member("id", &record.id);
        let times = [&self.given_at, &self.verified_at].map(|at| at.as_deref().map(shown));
        let members = [
            ("patient_id", self.patient_id.as_deref()),
            ("status", self.status.as_deref()),
            ("decision", self.decision.as_deref()),
            ("scope", self.scope.as_deref()),
            ("category", self.category.as_deref()),
            ("given_at", times[0].as_deref()),
            ("policy_text", self.policy_text.as_deref()),
            ("verified_by", self.verified_by.as_deref()),
            ("verified_at", times[1].as_deref()),
            ("revoke_reason", self.revoke_reason.as_deref()),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                w.member(name, value);
            }
        }
        if let Some(period) = &self.period {
            period.show(w);
        }
        w.key("provisions").array();
        self.provisions.iter().for_each(|provision| provision.show(w));
        w.end();
        w.member("fhir_id", &format!("Consent/{}", record.id));
        record.show(w);
    }
}

/// Writes whether a Consent counts now, and what the caller should know about how it is taken, into the open object.
pub fn show_meaning(root: Value<'_>, now: Timestamp, w: &mut Writer) {
    let compiled = compile(root);
    w.key("counts").bool(compiled.as_ref().is_some_and(|consent| consent.counts(now)));
    let mut warnings = compiled.map(|consent| consent.doubts).unwrap_or_default();
    if codes(root, "scope").next().is_some_and(|scope| scope != "patient-privacy") {
        warnings.push("it decides about nothing here: only consents of the scope patient-privacy do".to_owned());
    }
    texts("warnings", &warnings, w);
}
