//! Collects the terms and ranges of one resource.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use iris_fhir::classes::form_of;
use iris_fhir::definitions::ParamKind;
use iris_fhir::json::Value;
use iris_fhirpath::{Context, Item, Limits, Node};
use iris_kernel::Timestamp;
use smallvec::SmallVec;

use super::components::{Component, Composite};
use super::extract::add_patient;
use super::plan::{Expression, Plan, Planned, Reading, Values, is_birth, is_phone};
use super::read::{ByText, implied_system, items, local_parts, measured, range, text};
use super::term::Mode;
use super::{DateRange, SearchDocument, Term, composite, number, position, quantity, sound, term, words};

/// The system that R4 gives to booleans (search.html#token).
const SPECIAL_VALUES: &str = "http://terminology.hl7.org/CodeSystem/special-values";
/// The parts of a name that a search looks at.
const HUMAN_NAME_PARTS: [&str; 5] = ["text", "family", "given", "prefix", "suffix"];
/// The parts of an address that a search looks at.
const ADDRESS_PARTS: [&str; 7] = ["text", "line", "city", "district", "state", "postalCode", "country"];
/// Length of a date that names its day.
const DAY_LENGTH: usize = 10;
/// Most terms of composites that one resource is found by. They are as many as the combinations of their components' values, which a
/// resource of a few kilobytes can make millions of; one that has more is not stored ([`super::extract_whole`]), because what comes
/// after these would not be found.
pub const COMPOSITES_MAX: usize = 10_000;

/// A resource has more than [`COMPOSITES_MAX`] combinations of values: what comes after these would not be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowded {
    /// The composite parameter at which they are too many.
    pub code: &'static str,
}

impl fmt::Display for Crowded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code } = self;
        write!(f, "has more than {COMPOSITES_MAX} combinations of values that it could be found by, reached at {code}")
    }
}

impl std::error::Error for Crowded {}

/// What the expressions of R4 themselves cost grows with the resource alone, whose size is bounded.
const LIMITS: Limits = Limits { fuel: u64::MAX, items: usize::MAX };

/// In what the expressions of a resource are evaluated: nothing outside it, but of references what type they lead to.
pub(super) fn surroundings<'a, 'c>(root: Node<'a>, now: Timestamp) -> Context<'a, 'c> {
    Context { limits: LIMITS, ..Context::of(root, now).with_host(&ByText) }
}

/// Whether a value is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Presence {
    /// No: there is nothing, or a mask, which says nothing.
    Absent,
    /// For those who see every identifier.
    Guarded,
    /// For everybody.
    Open,
}

/// Collects terms and ranges.
#[derive(Default)]
pub(super) struct Sink {
    is_of_persons: bool,
    composites: usize,
    /// The first composite parameter of which not every combination is a term.
    pub(super) crowded: Option<Crowded>,
    memory: Memory,
    /// The patients that the parameters of the compartment refer to.
    pub(super) patients: Vec<String>,
    pub(super) terms: Vec<Term>,
    pub(super) dates: Vec<DateRange>,
}

impl Sink {
    pub(super) fn collect(&mut self, plan: &Plan, root: Node<'_>, id: &str, at: Timestamp) {
        self.is_of_persons = plan.is_of_persons;
        self.terms.reserve(64);
        let context = surroundings(root, at);
        let Some(value) = root.value() else { return };
        debug_assert!(plan.params.is_sorted_by_key(|planned| planned.param.index));
        for planned in plan.candidates(value) {
            let index = planned.param.index;
            let from = self.terms.len();
            let mut presence = Presence::Absent;
            let done = match &planned.values {
                Values::Items(expression) => expression.program.each(Item::Node(root), &context, &mut |item| {
                    presence = presence.max(self.item(planned, expression, &item));
                }),
                Values::Composite(composite) => composite.program.each(Item::Node(root), &context, &mut |item| {
                    self.composite(planned, composite, &item, &context);
                }),
                Values::Server => {
                    if planned.slot.is_some() {
                        presence = Presence::Open;
                    } else if !id.is_empty() {
                        presence = Presence::Open;
                        self.terms.push(term::code(index, id));
                    }
                    Ok(())
                }
            };
            // A test runs them over every example of the specification.
            debug_assert!(done.is_ok(), "{}: {done:?}", planned.param.url);
            match presence {
                Presence::Absent => {}
                Presence::Guarded => self.terms.push(term::guarded(&term::present(index))),
                Presence::Open => self.terms.push(term::present(index)),
            }
            // Parameters come in the order of their terms, so that only each one's own are left to be sorted.
            self.terms[from..].sort_unstable();
        }
    }

    pub(super) fn finish(mut self) -> SearchDocument {
        self.terms.sort_unstable();
        self.terms.dedup();
        self.dates.sort_unstable();
        self.dates.dedup();
        SearchDocument { terms: self.terms, dates: self.dates, own: 0 }
    }

    fn item(&mut self, planned: &Planned, expression: &Expression, item: &Item<'_>) -> Presence {
        match item {
            Item::Boolean(value) => {
                self.boolean(planned.param.index, *value);
                Presence::Open
            }
            Item::Node(node) => match (node.value(), expression.reading(node.of())) {
                (Some(value), Some(reading)) => self.read(planned, reading, *node, value),
                (Some(_), None) => Presence::Open,
                (None, _) => Presence::Absent,
            },
            _ => Presence::Absent,
        }
    }

    fn read(&mut self, planned: &Planned, reading: Reading, node: Node<'_>, value: Value<'_>) -> Presence {
        let index = planned.param.index;
        match reading {
            Reading::Coding => self.coding(index, value),
            Reading::Concept => {
                items(value, "coding").for_each(|coding| self.coding(index, coding));
                self.text(index, text(value, "text"));
            }
            Reading::Identifier => return self.identifier(index, value),
            Reading::Contact => self.contact(planned, value),
            Reading::Code => self.code(index, node.codes().and_then(implied_system), value),
            Reading::Boolean => value.as_bool().into_iter().for_each(|value| self.boolean(index, value)),
            Reading::TextToken => self.token(index, None, value.as_str().as_deref()),
            Reading::Text => self.string(index, value),
            Reading::HumanName => parts(value, &HUMAN_NAME_PARTS, |part| {
                self.string(index, part);
                self.words(index, part);
            }),
            Reading::Address => parts(value, &ADDRESS_PARTS, |part| self.string(index, part)),
            Reading::Sound => self.sound(index, value),
            Reading::HumanNameSound => parts(value, &HUMAN_NAME_PARTS, |part| self.sound(index, part)),
            Reading::Reference => return self.reference_of(planned, value),
            Reading::Uri => value.as_str().iter().for_each(|text| {
                self.uri(index, text);
                if planned.param.kind == ParamKind::Reference {
                    self.canonical(index, text);
                }
            }),
            Reading::Inline => {
                if let (Some(kind), Some(id)) = (text(value, "resourceType"), text(value, "id")) {
                    self.reference(index, &format!("{kind}/{id}"));
                }
            }
            Reading::Moment | Reading::Period | Reading::Timing => self.moment(planned, reading, value),
            Reading::Position => {
                let place = position::read(value).map(position::written);
                self.terms.extend(place.map(|place| term::of_value(index, Mode::Position, &place)));
            }
            Reading::Number | Reading::Quantity | Reading::Money | Reading::Range | Reading::SampledData => {
                self.amount(planned, reading, node, value);
            }
        }
        Presence::Open
    }

    /// A number or quantity as its parameter has it.
    fn amount(&mut self, planned: &Planned, reading: Reading, node: Node<'_>, value: Value<'_>) {
        let index = planned.param.index;
        if planned.param.kind == ParamKind::Number {
            measured(reading, value, &mut |measured| {
                let mut bytes = Vec::with_capacity(16);
                number::push(&mut bytes, quantity::extent(measured.low, measured.high));
                self.terms.push(term::of_value(index, Mode::Number, &bytes));
            });
            return;
        }
        let values = self.memory.values(reading, node, value);
        self.terms.extend(values.iter().map(|value| term::of_value(index, Mode::Quantity, value)));
    }

    fn moment(&mut self, planned: &Planned, reading: Reading, value: Value<'_>) {
        let (Some(slot), Some((low, high))) = (planned.slot, range(reading, value)) else { return };
        self.dates.push(DateRange { slot, low, high });
        let day = value.as_str().filter(|day| is_birth(planned.param) && day.len() == DAY_LENGTH);
        self.terms.extend(day.map(|day| term::day(planned.param.index, &day)));
    }

    /// One that not everybody sees in full is found by other terms, and a mask, which says nothing, by none.
    fn identifier(&mut self, index: u16, identifier: Value<'_>) -> Presence {
        let code = text(identifier, "value");
        let form = form_of(identifier);
        if form.zip(code.as_deref()).is_some_and(|(form, code)| form.is_mask(code)) {
            return Presence::Absent;
        }
        let from = self.terms.len();
        self.token(index, text(identifier, "system").as_deref(), code.as_deref());
        if let Some(of) = identifier.get("type") {
            self.text(index, text(of, "text"));
            for coding in items(of, "coding") {
                if let (Some(of), Some(code)) = (text(coding, "code"), code.as_deref()) {
                    let system = text(coding, "system").unwrap_or_default();
                    self.terms.push(term::of_type(index, &system, &of, code));
                }
            }
        }
        self.terms.extend(code.filter(|_| self.is_of_persons).map(|code| term::plain_identifier(index, &code)));
        if form.is_none() {
            return Presence::Open;
        }
        self.terms[from..].iter_mut().for_each(|term| *term = term::guarded(term));
        Presence::Guarded
    }

    fn reference_of(&mut self, planned: &Planned, value: Value<'_>) -> Presence {
        let index = planned.param.index;
        let reference = text(value, "reference");
        reference.iter().for_each(|text| self.reference(index, text));
        if planned.compartment {
            add_patient(value, &mut self.patients);
        }
        let Some(identifier) = value.get("identifier") else { return Presence::Open };
        let form = form_of(identifier);
        let code = text(identifier, "value");
        let is_mask = form.zip(code.as_deref()).is_some_and(|(form, code)| form.is_mask(code));
        if let Some(code) = code.filter(|_| !is_mask) {
            let system = text(identifier, "system").unwrap_or_default();
            let of = |system| term::ref_identifier(index, system, &code);
            let both = [of(None), of(Some(&system))];
            self.terms.extend(if form.is_some() { both.map(|term| term::guarded(&term)) } else { both });
        }
        match (reference, form) {
            (Some(_), _) | (None, None) => Presence::Open,
            (None, Some(_)) if is_mask => Presence::Absent,
            (None, Some(_)) => Presence::Guarded,
        }
    }

    fn coding(&mut self, index: u16, coding: Value<'_>) {
        self.token(index, text(coding, "system").as_deref(), text(coding, "code").as_deref());
        self.text(index, text(coding, "display"));
    }

    /// What people read beside a code.
    fn text(&mut self, index: u16, text: Option<Cow<'_, str>>) {
        let term = text.map(|text| term::text(index, &text));
        self.terms.extend(term.filter(|term| !term::is_without_value(term)));
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
        self.token(index, Some(SPECIAL_VALUES), Some(truth(value)));
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

    /// A version is part of the whole text only: it is asked for with it or not at all.
    fn reference(&mut self, index: u16, text: &str) {
        if let Some((kind, id)) = local_parts(text) {
            self.terms.push(term::local(index, kind, id));
            self.terms.push(term::local_id(index, id));
            if text.contains("/_history/") {
                self.terms.push(term::uri(index, text));
            }
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

    /// What a reference by canonical address names, for who follows it; a part of that is no other place.
    fn canonical(&mut self, index: u16, text: &str) {
        let name = text.split_once('#').map_or(text, |(name, _)| name);
        let (url, version) = name.split_once('|').unwrap_or((name, ""));
        self.terms.extend((!url.is_empty()).then(|| term::canonical(index, url, version)));
    }

    /// The values of one component of an element, as they stand in a composite's terms.
    fn component_values<'a>(
        &mut self,
        component: &Component,
        of: &Item<'a>,
        context: &Context<'a, '_>,
    ) -> Vec<Vec<u8>> {
        let mut found: Vec<Vec<u8>> = Vec::new();
        let done = component.expression.program.each(of.clone(), context, &mut |item| {
            let Some(node) = item.node() else { return };
            if let (Some(value), Some(reading)) = (node.value(), component.expression.reading(node.of())) {
                found.extend(self.memory.values(reading, node, value).iter().cloned());
            }
        });
        debug_assert!(done.is_ok(), "{done:?}");
        found
    }

    /// One term for each combination of the values of the components of one element.
    fn composite<'a>(&mut self, planned: &Planned, composite: &Composite, item: &Item<'a>, context: &Context<'a, '_>) {
        let Some(node) = item.node() else { return };
        let mut values: Vec<Vec<Vec<u8>>> = Vec::new();
        // The code comes first and is there more often than the value.
        for component in composite.components(node.of()).iter().rev() {
            let found = self.component_values(component, item, context);
            if found.is_empty() {
                return;
            }
            values.push(found);
        }
        let mut combined: Vec<Vec<u8>> = vec![Vec::new()];
        let room = COMPOSITES_MAX.saturating_sub(self.composites);
        if values.iter().fold(1, |product: usize, values| product.saturating_mul(values.len())) > room {
            self.crowded.get_or_insert(Crowded { code: planned.param.code });
        }
        for values in values.iter().rev() {
            let all = combined.iter().flat_map(|start| values.iter().map(|value| [&**start, value].concat()));
            combined = all.take(room).collect();
        }
        self.composites += combined.len();
        let index = planned.param.index;
        self.terms.extend(combined.iter().map(|value| term::of_value(index, Mode::Composite, value)));
    }
}

/// How many values are remembered.
const REMEMBERED: usize = 8;

/// The values of a node, read in a way.
type Remembered = (u32, Reading, Rc<[Vec<u8>]>);

/// The bytes of the last values: several parameters read the same ones, and converting a unit takes microseconds.
#[derive(Default)]
struct Memory {
    values: SmallVec<[Remembered; REMEMBERED]>,
    next: usize,
}

impl Memory {
    fn values(&mut self, reading: Reading, node: Node<'_>, value: Value<'_>) -> Rc<[Vec<u8>]> {
        let index = value.index();
        if let Some((.., known)) = self.values.iter().find(|(own, read, _)| (*own, *read) == (index, reading)) {
            return Rc::clone(known);
        }
        let mut found = Vec::new();
        component_value(reading, node, value, &mut found);
        let found: Rc<[Vec<u8>]> = found.into();
        let entry = (index, reading, Rc::clone(&found));
        match self.values.get_mut(self.next) {
            Some(oldest) => *oldest = entry,
            None => self.values.push(entry),
        }
        self.next = (self.next + 1) % REMEMBERED;
        found
    }
}

fn component_value(reading: Reading, node: Node<'_>, value: Value<'_>, found: &mut Vec<Vec<u8>>) {
    let mut push = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::with_capacity(48);
        write(&mut bytes);
        found.push(bytes);
    };
    let mut token = |system: Option<&str>, code: &str| push(&|out| composite::push_token(out, system, code));
    let mut coding = |coding: Value<'_>| {
        token(text(coding, "system").as_deref(), text(coding, "code").as_deref().unwrap_or_default());
    };
    match reading {
        Reading::Coding => coding(value),
        Reading::Concept => items(value, "coding").for_each(coding),
        Reading::Code => {
            value.as_str().iter().for_each(|code| token(node.codes().and_then(implied_system), code));
        }
        Reading::Boolean => value.as_bool().into_iter().for_each(|value| token(Some(SPECIAL_VALUES), truth(value))),
        Reading::TextToken => value.as_str().iter().for_each(|code| token(None, code)),
        Reading::Text => value.as_str().iter().for_each(|text| {
            push(&|out| composite::push_text(out, term::folded(0, text).get(term::HEAD_BYTES..).unwrap_or_default()));
        }),
        Reading::Moment | Reading::Period | Reading::Timing => {
            range(reading, value).into_iter().for_each(|range| push(&|out| composite::push_date(out, range)));
        }
        Reading::Reference => text(value, "reference").iter().for_each(|text| {
            push(&|out| match local_parts(text) {
                Some((kind, id)) => composite::push_reference(out, &format!("{kind}/{id}"), Some(id)),
                None => composite::push_reference(out, text, None),
            });
        }),
        Reading::Number => measured(reading, value, &mut |measured| {
            push(&|out| number::push(out, quantity::extent(measured.low, measured.high)));
        }),
        Reading::Quantity | Reading::Money | Reading::Range | Reading::SampledData => {
            measured(reading, value, &mut |measured| push(&|out| quantity::push_measured(out, measured)));
        }
        // No composite of R4 has one of these.
        Reading::Position
        | Reading::Identifier
        | Reading::Contact
        | Reading::HumanName
        | Reading::Address
        | Reading::Sound
        | Reading::HumanNameSound
        | Reading::Uri
        | Reading::Inline => {}
    }
}

const fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Calls `visit` with each item of the members of these names.
fn parts<'a>(object: Value<'a>, names: &[&str], mut visit: impl FnMut(Value<'a>)) {
    for name in names {
        items(object, name).for_each(&mut visit);
    }
}
