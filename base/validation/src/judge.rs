//! The visitor: what the base definitions say beyond structure, looked at on the one walk.

use std::borrow::Cow;

use iris_fhir::Reference;
use iris_fhir::definitions::{Primitive, Structure};
use iris_fhir::json::Value;
use iris_fhir::validate::{Faults, Found, IssueCode, Severity, Standing, Visitor};
use iris_fhirpath::{Context, EvalError, Host, ITEMS_MAX, Item, Limits, Node, Resolved, TypeRef};
use iris_kernel::Timestamp;

use crate::bundle::{Entries, Place};
use crate::narrative::narrative_with;
use crate::plan::{Plan, Rule};
use crate::{Markup, rules};

/// Steps that an invariant may take on an element, whatever its size.
const STEPS_LEAST: u64 = 50_000;
/// Steps that an invariant may take for each byte of the element: what grows with the square of an element's size is refused
/// before it costs much more than reading the element.
const STEPS_PER_BYTE: u64 = 1;
/// No invariant of R4 asks the time (a test reads all of them).
const NO_TIME: Timestamp = Timestamp(0);

/// A resource on the way from the root to where the walk is.
struct Frame<'a> {
    node: Node<'a>,
    standing: Standing,
    /// Its entries, if it is a bundle.
    entries: Option<Entries<'a>>,
    /// Its own entry in the bundle around it.
    entry: Option<usize>,
    /// Whether it contains resources.
    has_contained: bool,
    /// The ids of `#…` in it and in what it contains.
    local: Vec<Cow<'a, str>>,
    /// Positions of contained resources that refer to their container.
    to_container: Vec<u32>,
    /// `#`, in a contained resource.
    names_container: bool,
}

pub(crate) struct Judge<'a> {
    plan: &'static Plan,
    markup: Markup,
    frames: Vec<Frame<'a>>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(plan: &'static Plan, markup: Markup) -> Self {
        Self { plan, markup, frames: Vec::new() }
    }

    /// The innermost resource that is not contained, and the one that it stands in.
    fn own(&mut self) -> Option<&mut Frame<'a>> {
        self.frames.iter_mut().rev().find(|frame| frame.standing == Standing::Own)
    }

    fn context<'c>(&self, bytes: usize, host: &'c dyn Host<'a>) -> Option<Context<'a, 'c>> {
        let resource = self.frames.last()?.node;
        let root = self.frames.iter().rev().find(|frame| frame.standing == Standing::Own)?.node;
        let fuel = STEPS_LEAST.saturating_add(STEPS_PER_BYTE.saturating_mul(bytes as u64));
        let limits = Limits { fuel, items: ITEMS_MAX };
        Some(Context { root, limits, ..Context::of(resource, NO_TIME).with_host(host) })
    }

    fn test(&self, rule: &Rule, node: Node<'a>, value: Value<'a>, faults: &mut Faults) {
        if !faults.wants(rule.severity) {
            return;
        }
        let Some(context) = self.context(value.raw().len(), &Outside) else { return };
        match rule.program.test(Item::Node(node), &context) {
            Ok(Some(true)) => {}
            // An invariant is to be true; what comes to nothing (moments of different precision) is not. Of advice no more is said
            // than that it is not followed.
            Ok(None) if rule.severity != Severity::Error => {}
            Ok(_) => {
                let what = format!("{} ({})", rule.human, rule.key);
                faults.add(rule.severity, IssueCode::Invariant, value, "", what);
            }
            Err(EvalError::Limit(_)) => {
                let what = format!("This is too large for the invariant {} to be judged", rule.key);
                faults.at(value, IssueCode::TooCostly, what);
            }
            // What has the wrong shape has been told; an invariant has no meaning for it.
            Err(_) if faults.errors() > 0 => {}
            Err(_) => {
                let what = format!("The invariant {} cannot be judged here", rule.key);
                faults.at(value, IssueCode::Invariant, what);
            }
        }
    }

    /// A string that refers to something: in a contained resource or its container, or to an entry of the bundle around it.
    fn refers(&mut self, found: Found<'a>, text: &str, faults: &mut Faults) {
        let is_contained = self.frames.last().is_some_and(|frame| frame.standing == Standing::Contained);
        if let Some(id) = text.strip_prefix('#') {
            if id.is_empty() {
                if let Some(frame) = self.frames.last_mut() {
                    frame.names_container = true;
                }
            } else if let Some(own) = self.own()
                && own.has_contained
            {
                own.local.push(Cow::Owned(id.to_owned()));
            }
            return;
        }
        if found.parent.name != "Reference" {
            return;
        }
        let Some(at) = self.frames.iter().rposition(|frame| frame.standing == Standing::Own) else { return };
        let Some(from) = self.frames.get(at).and_then(|frame| frame.entry) else { return };
        let entries = at.checked_sub(1).and_then(|at| self.frames.get(at)).and_then(|frame| frame.entries.as_ref());
        let (Some(entries), Some((parent, element))) = (entries, found.holder) else { return };
        let named = element.types.iter().find(|of_type| of_type.name == "Reference");
        let Some(of_type) = named else { return };
        let place = Place {
            value: found.value,
            parent: parent.name,
            element: element.name,
            targets: &of_type.targets,
            is_of_first: !is_contained,
        };
        entries.reference(from, &place, faults);
    }

    fn div(&mut self, value: Value<'a>, faults: &mut Faults) {
        let Some(text) = value.as_str() else { return };
        let mut own = self.own().filter(|own| own.has_contained);
        // A picture that is contained is referred to by what shows it.
        let verdict = narrative_with(&text, |id| {
            if let Some(own) = &mut own {
                own.local.push(Cow::Owned(id.to_owned()));
            }
        });
        if let Some(why) = verdict.malformed {
            faults.at(value, IssueCode::Invariant, format!("Narrative is well-formed XHTML (txt-1): {why}"));
        }
        if let Some(what) = verdict.unsafe_part {
            faults.at(value, IssueCode::Invariant, format!("{what} (txt-1)"));
        }
        if verdict.is_empty {
            // Two examples of the specification have such narrative (activitydefinition-servicerequest-example.json).
            let what = "Narrative has text or an image (txt-2)";
            faults.add(Severity::Warning, IssueCode::Invariant, value, "", what);
        }
    }

    fn tags(&self, value: Value<'a>, faults: &mut Faults) {
        let severity = match self.markup {
            Markup::Told => Severity::Warning,
            Markup::Refused => Severity::Error,
        };
        if faults.wants(severity) && value.as_str().is_some_and(|text| has_tag(&text)) {
            let what = "This text has what looks like an HTML tag; it is kept and shown as text";
            faults.add(severity, IssueCode::BusinessRule, value, "", what);
        }
    }

    /// dom-3, dom-5 and dom-6, of a resource that is not contained.
    fn contained(&self, frame: &mut Frame<'a>, resource: Value<'a>, of: &Structure, faults: &mut Faults) {
        if faults.wants(Severity::Warning) && of.base == "DomainResource" {
            let div = resource.get("text").and_then(|text| text.get("div"));
            if div.is_none() {
                let what = "A resource should have narrative for robust management (dom-6)";
                faults.add(Severity::Warning, IssueCode::Invariant, resource, "", what);
            }
        }
        if !frame.has_contained {
            return;
        }
        frame.local.sort_unstable();
        for contained in resource.get("contained").into_iter().flat_map(Value::items) {
            if let Some(security) = contained.get("meta").and_then(|meta| meta.get("security")) {
                faults.at(security, IssueCode::Invariant, "A contained resource has no security label (dom-5)");
            }
            let Some(id) = contained.str_of("id") else { continue };
            let is_named = frame.local.binary_search(&id).is_ok();
            if !is_named && !frame.to_container.contains(&contained.index()) {
                let what =
                    "A contained resource is referred to from elsewhere in the resource, or refers to it (dom-3)";
                faults.at(contained, IssueCode::Invariant, what);
            }
        }
    }
}

impl<'a> Visitor<'a> for Judge<'a> {
    fn enter(&mut self, resource: Value<'a>, of: &'static Structure, standing: Standing, _: &mut Faults) {
        let outer = self.frames.last().filter(|_| standing == Standing::Own);
        let entry = outer.and_then(|outer| outer.entries.as_ref()?.number_of(resource));
        let is_bundle = of.name == "Bundle";
        self.frames.push(Frame {
            node: Node::element(Some(resource), None, TypeRef::Structure(of.index)),
            standing,
            entries: is_bundle.then(|| Entries::new(resource)),
            entry,
            has_contained: standing == Standing::Own && resource.get("contained").is_some(),
            local: Vec::new(),
            to_container: Vec::new(),
            names_container: false,
        });
    }

    fn leave(&mut self, resource: Value<'a>, of: &'static Structure, standing: Standing, faults: &mut Faults) {
        let plan = self.plan;
        if let Some(node) = self.frames.last().map(|frame| frame.node) {
            for rule in plan.of_structure(of) {
                self.test(rule, node, resource, faults);
            }
        }
        rules::resource(resource, of.name, faults);
        let Some(mut frame) = self.frames.pop() else { return };
        if let Some(entries) = &frame.entries {
            entries.judge(resource, faults);
        }
        if standing == Standing::Own {
            self.contained(&mut frame, resource, of, faults);
        } else if frame.names_container
            && let Some(own) = self.own()
        {
            own.to_container.push(resource.index());
        }
    }

    fn complex(&mut self, found: Found<'a>, of: &'static Structure, faults: &mut Faults) {
        let plan = self.plan;
        let node = Node::element(Some(found.value), None, TypeRef::Structure(of.index));
        for rule in plan.of_structure(of).chain(plan.of_element(found.parent, found.position)) {
            self.test(rule, node, found.value, faults);
        }
        rules::complex(found, of.name, faults);
    }

    fn primitive(&mut self, found: Found<'a>, primitive: Primitive, faults: &mut Faults) {
        let node = Node::element(Some(found.value), None, TypeRef::Primitive(primitive));
        for rule in self.plan.of_element(found.parent, found.position) {
            self.test(rule, node, found.value, faults);
        }
        match primitive {
            Primitive::Xhtml => self.div(found.value, faults),
            Primitive::Uri | Primitive::Url | Primitive::Canonical => {
                if found.value.raw().starts_with(b"\"#")
                    && let Some(text) = found.value.as_str()
                {
                    self.refers(found, &text, faults);
                }
            }
            Primitive::String if found.parent.name == "Reference" && found.element.name == "reference" => {
                if let Some(text) = found.value.as_str() {
                    self.refers(found, &text, faults);
                }
            }
            Primitive::String => self.tags(found.value, faults),
            _ => {}
        }
    }
}

/// Whether a browser would take part of it for a tag.
fn has_tag(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = bytes.iter().skip(from).position(|byte| *byte == b'<').map(|at| at + from) {
        let next = bytes.get(at + 1).map(|next| if *next == b'/' { bytes.get(at + 2).copied() } else { Some(*next) });
        let starts = next.flatten().is_some_and(|next| next.is_ascii_alphabetic() || next == b'!');
        if starts && bytes.iter().skip(at).any(|byte| *byte == b'>') {
            return true;
        }
        // Without an end there is none for what comes later either.
        if starts {
            return false;
        }
        from = at + 1;
    }
    false
}

/// References lead to what their text says: a type, of which the content is not looked at.
struct Outside;

impl<'a> Host<'a> for Outside {
    fn resolve(&self, reference: &str) -> Resolved<'a> {
        match Reference::parse(reference) {
            Reference::Local { kind, .. } | Reference::Conditional { kind, .. } => Resolved::Type(kind),
            _ => Resolved::Nowhere,
        }
    }
}
