//! From a FHIR R4 Consent to rules.

use iris_fhir::Reference;
use iris_fhir::json::Value;
use iris_search::{Label, Labels};

use super::criteria::{Actions, Actor, Any, Criteria, LabelScope};
use super::purpose::is_purpose;
use super::{ACCOUNTS, CLIENTS, Consent, Decision, Period, Provision};
use crate::action::ActionKind;
use crate::names::{kind_of, name_of};

/// The code of `scope` of the consents that decide about access.
const PRIVACY: &str = "patient-privacy";
/// Systems of `provision.class` that name resource types.
const TYPES: [&str; 2] = ["http://hl7.org/fhir/resource-types", "http://hl7.org/fhir/ValueSet/resource-types"];
/// What the root provision is called in doubts.
const ROOT: &str = "the consent";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// Reads a Consent; `None` for one that does not count: it is not active, is about something else than privacy, or about a
/// patient of another server.
#[must_use]
pub fn compile(root: Value<'_>) -> Option<Consent> {
    let is_active = root.str_of("status").is_some_and(|status| status == "active");
    let is_privacy = root.get("scope").is_some_and(|scope| codes(Some(scope)).any(|(_, code)| code == PRIVACY));
    if !is_active || !is_privacy {
        return None;
    }
    let patient = local(root.get("patient")?, "Patient")?;
    let mut doubts = Vec::new();
    let rule = match root.get("provision") {
        Some(provision) => read(provision, base(root), ROOT, &mut doubts),
        None => Provision { decision: base(root), ..Provision::default() },
    };
    if rule.decision.is_none() && rule.exceptions.is_empty() {
        doubts.push("the consent neither permits nor denies anything: it has no provision of a type".to_owned());
    }
    Some(Consent { patient, root: rule, doubts })
}

/// What the rule behind the consent says where no provision applies (v3-ActCode `_ActConsentDirective`).
fn base(root: Value<'_>) -> Option<Decision> {
    codes(root.get("policyRule")).find_map(|(_, code)| match code.as_str() {
        "OPTIN" | "OPTINR" => Some(Decision::Permit),
        "OPTOUT" | "OPTOUTE" => Some(Decision::Deny),
        _ => None,
    })
}

/// Reads a provision. `otherwise` is what one without a type does: the root has none (R4: "not permitted in root rule, required in
/// all nested rules") and goes by the rule behind the consent.
fn read(provision: Value<'_>, otherwise: Option<Decision>, place: &str, doubts: &mut Vec<String>) -> Provision {
    let decision = match provision.str_of("type").as_deref() {
        Some("permit") => Some(Decision::Permit),
        Some("deny") => Some(Decision::Deny),
        _ => otherwise,
    };
    if place != ROOT && provision.get("type").is_none() {
        doubts.push(format!("{place} has no type; it is taken to deny"));
    }
    let criteria = Reading { decision, place, doubts }.criteria(provision);
    let inner = provision.get("provision").map(Value::items).into_iter().flatten().enumerate();
    let exceptions = inner
        .map(|(at, inner)| {
            let place = match place {
                ROOT => format!("provision {}", at + 1),
                _ => format!("{place}.{}", at + 1),
            };
            read(inner, Some(Decision::Deny), &place, doubts)
        })
        .collect();
    Provision { decision, criteria, exceptions }
}

/// The text and system of each coding of a CodeableConcept.
fn codes<'a>(concept: Option<Value<'a>>) -> impl Iterator<Item = (Option<String>, String)> + 'a {
    let codings = concept.and_then(|concept| concept.get("coding")).map(Value::items).into_iter().flatten();
    codings.filter_map(|coding| Some((text(coding, "system"), text(coding, "code")?)))
}

fn text(owner: Value<'_>, name: &str) -> Option<String> {
    owner.str_of(name).map(std::borrow::Cow::into_owned)
}

fn items<'a>(owner: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    owner.get(name).map(Value::items).into_iter().flatten()
}

/// The id in a reference to a resource of this type on this server.
pub(crate) fn local(reference: Value<'_>, name: &str) -> Option<Box<str>> {
    match Reference::parse(&reference.str_of("reference")?) {
        Reference::Local { kind, id, .. } if Some(kind) == kind_of(name) => Some(id.into()),
        _ => None,
    }
}

/// Reads the criteria of one provision.
struct Reading<'a> {
    decision: Option<Decision>,
    /// What the provision is called in doubts.
    place: &'a str,
    doubts: &'a mut Vec<String>,
}

impl Reading<'_> {
    fn criteria(mut self, provision: Value<'_>) -> Criteria {
        let mut criteria = Criteria {
            actors: self.actors(provision),
            purposes: self.purposes(provision),
            kinds: self.kinds(provision),
            actions: self.actions(provision),
            records: self.records(provision),
            labels: self.labels(provision),
            ..Criteria::default()
        };
        match provision.get("period").map(Period::read) {
            None => {}
            Some(Ok(period)) => criteria.period = period,
            Some(Err(why)) => criteria.beyond = self.doubt(&format!("the period {why}")),
        }
        for (name, what) in [("code", "the codes of the content"), ("dataPeriod", "the time of the data")] {
            if provision.get(name).is_some() {
                criteria.beyond = self.doubt(what);
            }
        }
        criteria
    }

    /// Notes what cannot be looked at; always true.
    fn doubt(&mut self, what: &str) -> bool {
        let taken = match self.decision {
            Some(Decision::Permit) => "a permission that depends on it permits nothing",
            Some(Decision::Deny) => "a denial that depends on it denies as if it always held",
            None => "what it permits counts as not permitted, what it denies as denied",
        };
        self.doubts.push(format!("{}: {what} cannot be evaluated here; {taken}", self.place));
        true
    }

    fn actors(&mut self, provision: Value<'_>) -> Any<Actor> {
        let mut any = Any::default();
        for actor in items(provision, "actor") {
            match actor.get("reference").map_or(Named::Unknown, named) {
                Named::Known(actor) => any.known.push(actor),
                // Nobody signs in as one, so it is nobody who asks: exact, and no reason to widen anything.
                Named::Nobody => any.known.push(Actor::Account("".into())),
                Named::Unknown => {
                    any.others =
                        self.doubt("an actor that is neither an account nor a practitioner, department or team");
                }
            }
        }
        any
    }

    fn purposes(&mut self, provision: Value<'_>) -> Any<Box<str>> {
        let mut any = Any::default();
        for coding in items(provision, "purpose") {
            match text(coding, "code").filter(|code| is_purpose(code)) {
                Some(code) => any.known.push(code.into()),
                None => any.others = self.doubt("a purpose that is none of v3-PurposeOfUse"),
            }
        }
        any
    }

    fn kinds(&mut self, provision: Value<'_>) -> Any<iris_kernel::Kind> {
        let mut any = Any::default();
        for coding in items(provision, "class") {
            let is_type = text(coding, "system").is_none_or(|system| TYPES.contains(&system.as_str()));
            match text(coding, "code").filter(|_| is_type).and_then(|code| kind_of(&code)) {
                Some(kind) => any.known.push(kind),
                None => any.others = self.doubt("a class that is no resource type"),
            }
        }
        any
    }

    fn actions(&mut self, provision: Value<'_>) -> Any<Actions> {
        use ActionKind as A;
        const SEEN: Actions = Actions::of(&[A::Read, A::VersionRead, A::History, A::Search]);
        const SEEN_OR_TAKEN: Actions = Actions::of(&[A::Read, A::VersionRead, A::History, A::Search, A::Export]);
        let denies = self.decision != Some(Decision::Permit);
        let mut any = Any::default();
        for concept in items(provision, "action") {
            let known = codes(Some(concept)).find_map(|(_, code)| {
                Some(match code.as_str() {
                    "access" | "use" if denies => SEEN_OR_TAKEN,
                    "access" | "use" => SEEN,
                    // What may not be given away is not shown: whoever sees it can.
                    "disclose" if denies => SEEN_OR_TAKEN,
                    "disclose" => Actions::of(&[A::Export]),
                    "collect" => Actions::of(&[A::Create, A::Update]),
                    "correct" => Actions::of(&[A::Update, A::Delete]),
                    _ => return None,
                })
            });
            match known {
                Some(actions) => any.known.push(actions),
                None => any.others = self.doubt("an action that is none of consentaction"),
            }
        }
        any
    }

    /// Single records. Only their types are looked at: which record is asked for is known too late for a search.
    fn records(&mut self, provision: Value<'_>) -> Any<iris_kernel::Kind> {
        let mut any = Any::default();
        for data in items(provision, "data") {
            let is_itself = text(data, "meaning").is_none_or(|meaning| meaning == "instance");
            let reference = data.get("reference").and_then(|reference| text(reference, "reference"));
            match reference.as_deref().map(Reference::parse) {
                Some(Reference::Local { kind, .. }) if is_itself => {
                    any.known.push(kind);
                    self.doubt(&format!("which {} is meant", name_of(kind)));
                }
                _ => any.others = self.doubt("which records are meant"),
            }
        }
        any
    }

    /// R4: a confidentiality code is a high-water mark. So a permission reaches up to it, and a denial begins at it.
    fn labels(&mut self, provision: Value<'_>) -> Option<LabelScope> {
        provision.get("securityLabel")?;
        let denies = self.decision != Some(Decision::Permit);
        let very = Labels::of(&[Label::VeryRestricted]);
        let mut scope = LabelScope { labels: Labels::NONE, unlabelled: false };
        let mut add = |labels: Labels, unlabelled: bool| {
            scope.labels = scope.labels.union(labels);
            scope.unlabelled |= unlabelled;
        };
        for coding in items(provision, "securityLabel") {
            let (system, code) = (text(coding, "system"), text(coding, "code"));
            let is_level = system.as_deref().is_none_or(|system| system == CONFIDENTIALITY);
            match (Label::of(system.as_deref(), code.as_deref()), denies) {
                (None, true) => add(Labels::ALL, true),
                (None, false) => add(Labels::NONE, true),
                (Some(Label::VeryRestricted), true) => add(very, false),
                (Some(Label::VeryRestricted), false) if is_level => add(Labels::ALL, true),
                (Some(Label::Restricted), true) => {
                    add(Labels::of(&[Label::Restricted, Label::VeryRestricted, Label::Other]), false);
                }
                (Some(Label::Restricted), false) => add(Labels::ALL.without(very), true),
                (Some(Label::Other), true) => {
                    add(Labels::of(&[Label::Other]), false);
                    self.doubt("a security label that is not known");
                }
                // Other records with labels that nobody knows would be permitted with it.
                (Some(Label::Other), false) => drop(self.doubt("a security label that is not known")),
                (Some(label), _) => add(Labels::of(&[label]), false),
            }
        }
        Some(scope)
    }
}

/// Whom a reference names.
enum Named {
    Known(Actor),
    /// Somebody who cannot sign in here as such.
    Nobody,
    Unknown,
}

/// Whom a reference names, if somebody can sign in as that.
pub(crate) fn actor_of(reference: Value<'_>) -> Option<Actor> {
    match named(reference) {
        Named::Known(actor) => Some(actor),
        Named::Nobody | Named::Unknown => None,
    }
}

fn named(reference: Value<'_>) -> Named {
    let identifier = reference.get("identifier");
    let of_system = identifier.and_then(|identifier| Some((text(identifier, "system")?, text(identifier, "value")?)));
    match of_system {
        Some((system, value)) if system == ACCOUNTS => return Named::Known(Actor::Account(value.into())),
        Some((system, value)) if system == CLIENTS => return Named::Known(Actor::Client(value.into())),
        _ => {}
    }
    let Some(reference) = text(reference, "reference") else { return Named::Unknown };
    let Reference::Local { kind, id, .. } = Reference::parse(&reference) else { return Named::Unknown };
    let id: Box<str> = id.into();
    Named::Known(match name_of(kind) {
        "Practitioner" => Actor::Practitioner(id),
        "Organization" => Actor::Organization(id),
        "Patient" => Actor::Patient(id),
        "CareTeam" => Actor::CareTeam(id),
        "Device" => Actor::Client(id),
        "RelatedPerson" => return Named::Nobody,
        _ => return Named::Unknown,
    })
}
