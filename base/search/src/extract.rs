//! From a resource to what it is found by.

use std::borrow::Cow;

use iris_kernel::{Kind, Timestamp};

use super::date;
use super::plan::{LAST_UPDATED_SLOT, Plan, Planned, Reading, Values, is_birth, is_phone, plan};
use super::{DateRange, SearchDocument, Term, join_key, labels_of, sound, term, words};
use iris_fhir::Resource;
use iris_fhir::classes::form_of;
use iris_fhir::definitions::{definitions, kind_of};
use iris_fhir::json::Value;
use iris_fhir::validate::primitive::is_id;

/// The system that R4 gives to booleans (search.html#token).
const SPECIAL_VALUES: &str = "http://terminology.hl7.org/CodeSystem/special-values";
/// The parts of a name that a search looks at.
const HUMAN_NAME_PARTS: [&str; 5] = ["text", "family", "given", "prefix", "suffix"];
/// The parts of an address that a search looks at.
const ADDRESS_PARTS: [&str; 7] = ["text", "line", "city", "district", "state", "postalCode", "country"];
/// Length of a date that names its day.
const DAY_LENGTH: usize = 10;
/// Where an unknown start or end of a period lies.
const OPEN: date::Range = (i64::MIN, i64::MAX);

/// Everything that a resource is found by: the values of each served parameter, its own id, the time of the change, and
/// the compartments of patients that it is in and its security labels.
///
/// `at` is the resource's `lastUpdated`, which the server gives; what stands in the text is not looked at. It counts to the
/// millisecond, as it is shown.
#[must_use]
pub fn extract(resource: &Resource, at: Timestamp) -> SearchDocument {
    let id = resource.id().unwrap_or_default();
    extract_as(resource, &id, at)
}

/// [`extract`] for a resource that is about to be stored under `id`, whatever id its text has.
#[must_use]
pub fn extract_as(resource: &Resource, id: &str, at: Timestamp) -> SearchDocument {
    let mut sink = Sink::default();
    if let Some(plan) = plan(resource.kind()) {
        sink.terms.reserve(64);
        sink.collect(plan, resource.root(), id);
    }
    let low = at.0.div_euclid(1_000).saturating_mul(1_000);
    sink.dates.push(DateRange { slot: LAST_UPDATED_SLOT, low, high: low.saturating_add(1_000) });
    let patients = patients_of_as(resource, id);
    if !patients.is_empty() {
        sink.terms.push(term::compartments_term());
    }
    sink.terms.extend(patients.iter().map(|patient| term::compartment_term(patient)));
    sink.terms.extend(labels_of(resource).iter().map(term::label_term));
    let mut document = sink.finish();
    if !id.is_empty() {
        document.own = join_key(resource.kind(), id);
    }
    document
}

/// The logical ids of the patients in whose compartment a resource is, each once, by the definitions' compartment table
/// (R4 compartmentdefinition-patient). A Patient is in its own; a Binary is in that of the patient whom its `securityContext`
/// names (R4 binary.html: a proxy "when deciding and enforcing access control rules"); a stored Bundle in those of its entries.
#[must_use]
pub fn patients_of(resource: &Resource) -> Vec<String> {
    let id = resource.id().unwrap_or_default();
    patients_of_as(resource, &id)
}

/// [`patients_of`] for a resource that is about to be stored under `id`, whatever id its text has.
#[must_use]
pub fn patients_of_as(resource: &Resource, id: &str) -> Vec<String> {
    let mut patients: Vec<String> = Vec::new();
    if resource.kind_name() == PATIENT && !id.is_empty() {
        patients.push(id.to_owned());
    }
    gather_patients(resource.kind_name(), resource.root(), &mut patients);
    patients
}

/// [`patients_of`] of what stands at `root`, without the own id of a Patient.
fn gather_patients(name: &str, root: Value<'_>, patients: &mut Vec<String>) {
    match name {
        "Binary" => root.get("securityContext").into_iter().for_each(|context| add_patient(context, patients)),
        "Bundle" => {
            for inner in items(root, "entry").filter_map(|entry| entry.get("resource")) {
                let name = inner.str_of("resourceType").unwrap_or_default();
                if let Some(id) = inner.str_of("id").filter(|id| name == PATIENT && is_id(id))
                    && !patients.iter().any(|known| *known == id)
                {
                    patients.push(id.into_owned());
                }
                gather_patients(&name, inner, patients);
            }
        }
        _ => {}
    }
    let Some(plan) = kind_of(name).and_then(plan) else { return };
    for planned in plan.params.iter().filter(|planned| planned.compartment) {
        let Values::Paths(paths) = &planned.values else { continue };
        for (branch, _) in paths {
            branch.each(root, root, &mut |value| add_patient(value, patients));
        }
    }
}

/// Adds the patient whom a Reference names.
fn add_patient(reference: Value<'_>, patients: &mut Vec<String>) {
    let Some(text) = reference.get("reference").and_then(Value::as_str) else { return };
    if let Some((PATIENT, id)) = local_parts(&text)
        && !patients.iter().any(|known| known == id)
    {
        patients.push(id.to_owned());
    }
}

/// Whether resources of this type can be in a patient's compartment, see [`patients_of`].
#[must_use]
pub fn may_be_of_patients(kind: Kind) -> bool {
    let name = definitions().name_of(kind);
    matches!(name, PATIENT | "Binary" | "Bundle") || !definitions().patient_compartment(kind).is_empty()
}

/// The type whose compartments there are.
const PATIENT: &str = "Patient";

/// Type and id of a reference to a resource of this server: `Patient/1`, `Patient/1/_history/2`.
pub(super) fn local_parts(text: &str) -> Option<(&'static str, &str)> {
    let (name, rest) = text.split_once('/')?;
    let id = rest.split_once("/_history/").map_or(rest, |(id, _)| id);
    let kind = kind_of(name).filter(|_| is_id(id))?;
    Some((definitions().name_of(kind), id))
}

/// Collects terms and ranges.
#[derive(Default)]
struct Sink {
    is_of_persons: bool,
    terms: Vec<Term>,
    dates: Vec<DateRange>,
}

impl Sink {
    fn collect(&mut self, plan: &Plan, root: Value<'_>, id: &str) {
        self.is_of_persons = plan.is_of_persons;
        for planned in &plan.params {
            let index = planned.param.index;
            match &planned.values {
                Values::Paths(paths) => {
                    for (branch, reading) in paths {
                        branch.each(root, root, &mut |value| self.read(planned, *reading, value));
                    }
                }
                Values::Test(test) => {
                    if let Some(value) = test.holds(root, root) {
                        self.boolean(index, value);
                    }
                }
                Values::Server if planned.slot.is_none() && !id.is_empty() => self.terms.push(term::code(index, id)),
                Values::Server => {}
            }
        }
    }

    fn finish(mut self) -> SearchDocument {
        self.terms.sort_unstable();
        self.terms.dedup();
        self.dates.sort_unstable();
        self.dates.dedup();
        SearchDocument { terms: self.terms, dates: self.dates, own: 0 }
    }

    fn read(&mut self, planned: &Planned, reading: Reading, value: Value<'_>) {
        let index = planned.param.index;
        match reading {
            Reading::Coding => self.coding(index, value),
            Reading::Concept => items(value, "coding").for_each(|coding| self.coding(index, coding)),
            Reading::Identifier => self.identifier(index, value),
            Reading::Contact => self.contact(planned, value),
            Reading::Code(system) => self.code(index, system, value),
            Reading::Boolean => {
                if let Some(value) = value.as_bool() {
                    self.boolean(index, value);
                }
            }
            Reading::TextToken => self.token(index, None, value.as_str().as_deref()),
            Reading::Text => self.string(index, value),
            Reading::HumanName => parts(value, &HUMAN_NAME_PARTS, |part| {
                self.string(index, part);
                self.words(index, part);
            }),
            Reading::Address => parts(value, &ADDRESS_PARTS, |part| self.string(index, part)),
            Reading::Sound => self.sound(index, value),
            Reading::HumanNameSound => parts(value, &HUMAN_NAME_PARTS, |part| self.sound(index, part)),
            Reading::Reference => {
                if let Some(text) = text(value, "reference") {
                    self.reference(index, &text);
                }
            }
            Reading::Uri => {
                if let Some(text) = value.as_str() {
                    self.uri(index, &text);
                }
            }
            Reading::Inline => {
                if let (Some(kind), Some(id)) = (text(value, "resourceType"), text(value, "id")) {
                    self.reference(index, &format!("{kind}/{id}"));
                }
            }
            Reading::Moment | Reading::Period | Reading::Timing => {
                if let (Some(slot), Some((low, high))) = (planned.slot, range(reading, value)) {
                    self.dates.push(DateRange { slot, low, high });
                    let day = value.as_str().filter(|day| is_birth(planned.param) && day.len() == DAY_LENGTH);
                    self.terms.extend(day.map(|day| term::day(index, &day)));
                }
            }
        }
    }

    /// One that not everybody sees in full is found by other terms, and a mask, which says nothing, by none.
    fn identifier(&mut self, index: u16, identifier: Value<'_>) {
        let code = text(identifier, "value");
        let form = form_of(identifier);
        if form.zip(code.as_deref()).is_some_and(|(form, code)| form.is_mask(code)) {
            return;
        }
        let from = self.terms.len();
        self.token(index, text(identifier, "system").as_deref(), code.as_deref());
        self.terms.extend(code.filter(|_| self.is_of_persons).map(|code| term::plain_identifier(index, &code)));
        if form.is_some() {
            self.terms[from..].iter_mut().for_each(|term| *term = term::guarded(term));
        }
    }

    fn coding(&mut self, index: u16, coding: Value<'_>) {
        self.token(index, text(coding, "system").as_deref(), text(coding, "code").as_deref());
    }

    fn token(&mut self, index: u16, system: Option<&str>, code: Option<&str>) {
        if let Some(system) = system {
            self.terms.push(term::system(index, system));
        }
        let Some(code) = code else { return };
        self.terms.push(term::code(index, code));
        self.terms.push(match system {
            Some(system) => term::system_code(index, system, code),
            None => term::no_system(index, code),
        });
    }

    fn code(&mut self, index: u16, system: Option<&'static str>, value: Value<'_>) {
        let Some(code) = value.as_str() else { return };
        // A code has a system even where the binding does not tell which: it is no token without system.
        self.terms.push(term::code(index, &code));
        if let Some(system) = system {
            self.terms.push(term::system(index, system));
            self.terms.push(term::system_code(index, system, &code));
        }
    }

    fn boolean(&mut self, index: u16, value: bool) {
        let code = if value { "true" } else { "false" };
        self.token(index, Some(SPECIAL_VALUES), Some(code));
    }

    fn contact(&mut self, planned: &Planned, contact: Value<'_>) {
        let Some(value) = text(contact, "value") else { return };
        let index = planned.param.index;
        if self.is_of_persons && is_phone(planned.param) {
            self.terms.extend(term::contact_ends(index, &value));
        }
        self.terms.push(term::normalised_term(index, &value));
        self.token(index, None, Some(&value));
    }

    fn string(&mut self, index: u16, value: Value<'_>) {
        let Some(text) = value.as_str() else { return };
        self.terms.push(term::folded(index, &text));
        self.terms.push(term::exact(index, &text));
    }

    fn words(&mut self, index: u16, value: Value<'_>) {
        let Some(text) = value.as_str() else { return };
        for word in words::found_by(&text) {
            self.terms.extend(words::starts(&word).map(|start| term::word_start(index, start)));
            self.terms.push(term::word(index, &word));
        }
    }

    fn sound(&mut self, index: u16, value: Value<'_>) {
        let Some(text) = value.as_str() else { return };
        self.terms.extend(sound::keys(&text).iter().map(|key| term::sound(index, key)));
    }

    fn reference(&mut self, index: u16, text: &str) {
        if let Some((kind, id)) = local_parts(text) {
            self.terms.push(term::local(index, kind, id));
            self.terms.push(term::local_id(index, id));
        } else if !text.starts_with('#') {
            self.uri(index, text);
        }
    }

    /// A URI by its whole text, and without the version that a canonical or a versioned reference ends in.
    fn uri(&mut self, index: u16, text: &str) {
        self.terms.push(term::uri(index, text));
        if let Some((unversioned, _)) = text.split_once('|').or_else(|| text.split_once("/_history/")) {
            self.terms.push(term::uri(index, unversioned));
        }
    }
}

/// Calls `visit` with each item of the members of these names.
fn parts<'a>(object: Value<'a>, names: &[&str], mut visit: impl FnMut(Value<'a>)) {
    for name in names {
        items(object, name).for_each(&mut visit);
    }
}

/// The string member of this name.
fn text<'a>(object: Value<'a>, name: &str) -> Option<Cow<'a, str>> {
    object.get(name)?.as_str()
}

/// The items of the member of this name, or the member itself if it is no array.
fn items<'a>(object: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    let member = object.get(name);
    let is_array = member.is_some_and(|member| member.kind() == iris_fhir::json::ValueKind::Array);
    let items = member.filter(|_| is_array).into_iter().flat_map(Value::items);
    member.filter(|_| !is_array).into_iter().chain(items)
}

/// The stretch of time that a value stands for; `None` if it has none.
fn range(reading: Reading, value: Value<'_>) -> Option<date::Range> {
    match reading {
        Reading::Moment => date::range(&value.as_str()?),
        Reading::Period => period(value),
        _ => timing(value),
    }
}

/// A period reaches to the end of its `end`; a missing end is open. A period that ends before it starts has no range, nor
/// has one without either.
fn period(period: Value<'_>) -> Option<date::Range> {
    let start = text(period, "start").and_then(|text| date::range(&text));
    let end = text(period, "end").and_then(|text| date::range(&text));
    if start.is_none() && end.is_none() {
        return None;
    }
    let (low, high) = (start.map_or(OPEN.0, |range| range.0), end.map_or(OPEN.1, |range| range.1));
    (low < high).then_some((low, high))
}

/// A timing counts by its outer limits (R4 search.html#date): from the first to the last of its events and of the period
/// that bounds its repetition. Without either it has no range.
fn timing(timing: Value<'_>) -> Option<date::Range> {
    let events = items(timing, "event").filter_map(|event| date::range(&event.as_str()?));
    let bounds = timing.get("repeat").and_then(|repeat| repeat.get("boundsPeriod")).and_then(period);
    events.chain(bounds).reduce(|whole, next| (whole.0.min(next.0), whole.1.max(next.1)))
}
