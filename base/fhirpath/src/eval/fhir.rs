//! The functions that R4 adds (fhirpath.html § Additional functions), and what looks around.

use std::borrow::Cow;

use iris_fhir::json::{Value, ValueKind};

use super::truth::has_value;
use super::{Done, Flow, Machine, Scope, Visit, fhir_of, single, system_of};
use crate::context::{Code, Resolved};
use crate::error::EvalError;
use crate::function::Function;
use crate::item::{Item, Items, Node, TypeInfo};
use crate::model::{TypeRef, member};
use crate::moment::Moment;
use crate::program::StepId;

/// Where the base definitions live.
const DEFINITION: &str = "http://hl7.org/fhir/StructureDefinition/";

impl<'a, 'e, 'c> Machine<'a, 'e, 'c> {
    pub(super) fn fhir(
        &mut self,
        function: Function,
        input: &Items<'a>,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        match (function, arguments) {
            (Function::Descendants, _) => self.descendants(input, out)?,
            (Function::Type, _) => out.extend(input.iter().map(type_of).map(Item::Type)),
            (Function::GetValue, _) => {
                if let Some(item) = single(input, "getValue()")?.filter(|item| has_value(item)) {
                    out.extend(item.plain());
                }
            }
            (Function::Now, _) => out.extend(self.now()?.map(Item::Moment)),
            (Function::Today, _) => out.extend(self.now()?.map(|now| Item::Moment(now.date()))),
            (Function::TimeOfDay, _) => out.extend(self.now()?.map(|now| Item::Moment(now.time()))),
            (Function::HtmlChecks, _) => out.extend(self.html_checks(input)?),
            (Function::Trace, [name, projection @ ..]) => {
                self.trace(input, *name, projection.first().copied(), scope)?;
                out.extend(input.iter().cloned());
            }
            (_, [url, ..]) => {
                let Some(url) = self.text(*url, scope, "a URL")? else { return Ok(()) };
                let Some(item) = single(input, "memberOf() or conformsTo()")? else { return Ok(()) };
                let result = if function == Function::MemberOf {
                    self.member_of(item, url.as_str())?
                } else {
                    self.conforms_to(item, url.as_str())?
                };
                out.push(Item::Boolean(result));
            }
            (_, []) => {}
        }
        Ok(())
    }

    fn now(&self) -> Result<Option<Moment>, EvalError> {
        Ok(Moment::now(self.context.now))
    }

    /// By levels, as `repeat(children())` finds them.
    fn descendants(&mut self, input: &Items<'a>, out: &mut Items<'a>) -> Done {
        let mut from = out.len();
        for node in input.iter().filter_map(Item::node) {
            self.children(node, out)?;
        }
        while from < out.len() {
            let to = out.len();
            for at in from..to {
                if let Some(node) = out.get(at).and_then(Item::node) {
                    self.children(node, out)?;
                }
            }
            from = to;
        }
        Ok(())
    }

    fn children(&mut self, node: Node<'a>, out: &mut Items<'a>) -> Done {
        node.each_child(&mut |_, child| {
            out.push(Item::Node(child));
            self.fits(out.len())?;
            self.spend(1)
        })
    }

    /// `extension()`, which is short for `extension.where(url = …)`.
    pub(super) fn extension(
        &mut self,
        of: StepId,
        url: StepId,
        scope: Scope<'a, '_>,
        visit: &mut Visit<'_, 'a, 'e, 'c>,
    ) -> Flow {
        let Some(url) = self.text(url, scope, "extension()")? else { return Ok(()) };
        let Some(extension) = member("extension") else { return Ok(()) };
        self.each(of, scope, &mut |machine, item| {
            let Item::Node(node) = item else { return Ok(()) };
            node.each_member(extension, &mut |node| {
                machine.spend(1)?;
                let own = node.value().and_then(|value| value.str_of("url"));
                if own.is_some_and(|own| own == url.as_str()) { visit(machine, &Item::Node(node)) } else { Ok(()) }
            })
        })
    }

    fn trace(&mut self, input: &Items<'a>, name: StepId, projection: Option<StepId>, scope: Scope<'a, '_>) -> Done {
        let Some(name) = self.text(name, scope, "trace()")? else { return Ok(()) };
        let Some(projection) = projection else {
            self.context.host.trace(name.as_str(), input);
            return Ok(());
        };
        let mut shown = Items::new();
        for (item, at) in input.iter().zip(0..) {
            self.run(projection, scope.of_item(item, at), &mut shown)?;
        }
        self.context.host.trace(name.as_str(), &shown);
        Ok(())
    }

    /// Where an item leads; what leads nowhere is left out (R4).
    pub(super) fn resolve(&self, item: &Item<'a>) -> Option<Item<'a>> {
        let resolved = match item {
            Item::String(text) => match text.as_str().strip_prefix('#') {
                Some(id) => return self.contained(id).map(Item::Node),
                None => self.context.host.resolve(text.as_str()),
            },
            Item::Node(node) => {
                let reference = reference(*node);
                match reference.as_deref().and_then(|reference| reference.strip_prefix('#')) {
                    Some(id) => return self.contained(id).map(Item::Node),
                    None => self.context.host.resolve_element(*node, reference.as_deref()),
                }
            }
            _ => return None,
        };
        match resolved {
            Resolved::Nowhere => None,
            Resolved::Resource(value) => Node::resource(value).map(Item::Node),
            Resolved::Type(kind) => Some(Item::Target(kind)),
        }
    }

    /// The contained resource with this id; `#` alone is the container.
    fn contained(&self, id: &str) -> Option<Node<'a>> {
        let root = self.context.root;
        if id.is_empty() {
            return Some(root);
        }
        let contained = root.value()?.get("contained")?;
        contained.items().find(|resource| resource.str_of("id").is_some_and(|own| own == id)).and_then(Node::resource)
    }

    fn html_checks(&self, input: &Items<'a>) -> Result<Option<Item<'a>>, EvalError> {
        let Some(item) = single(input, "htmlChecks()")? else { return Ok(None) };
        let Some(div) = item.node().and_then(Node::value).and_then(Value::as_str) else { return Ok(None) };
        let checked = self.context.host.html_checks(&div).ok_or(EvalError::Unavailable("htmlChecks()"))?;
        Ok(Some(Item::Boolean(checked)))
    }

    fn member_of(&self, item: &Item<'a>, value_set: &str) -> Result<bool, EvalError> {
        const UNAVAILABLE: EvalError = EvalError::Unavailable("the value set of memberOf()");
        let host = self.context.host;
        let Some(node) = item.node() else {
            let Some(Item::String(code)) = item.plain() else { return Err(EvalError::Type("memberOf() is for codes")) };
            let code = Code { system: None, version: None, code: code.as_str() };
            return host.member_of(code, value_set).ok_or(UNAVAILABLE);
        };
        let Some(value) = node.value() else { return Ok(false) };
        match value.kind() {
            ValueKind::String => {
                let code = value.as_str().unwrap_or_default();
                host.member_of(Code { system: None, version: None, code: &code }, value_set).ok_or(UNAVAILABLE)
            }
            _ if node.of().name() == "CodeableConcept" => {
                // Any coding will do; one that nobody knows about matters only if no other is in the set.
                let mut unknown = false;
                for coding in value.get("coding").into_iter().flat_map(Value::items) {
                    match self.coding_is_member(coding, value_set) {
                        Some(true) => return Ok(true),
                        Some(false) => {}
                        None => unknown = true,
                    }
                }
                if unknown { Err(UNAVAILABLE) } else { Ok(false) }
            }
            _ => self.coding_is_member(value, value_set).ok_or(UNAVAILABLE),
        }
    }

    fn coding_is_member(&self, coding: Value<'a>, value_set: &str) -> Option<bool> {
        let (system, version) = (coding.str_of("system"), coding.str_of("version"));
        let Some(code) = coding.str_of("code") else { return Some(false) };
        let code = Code { system: system.as_deref(), version: version.as_deref(), code: &code };
        self.context.host.member_of(code, value_set)
    }

    fn conforms_to(&self, item: &Item<'a>, profile: &str) -> Result<bool, EvalError> {
        let Some(node) = item.node() else { return Err(EvalError::Type("conformsTo() is for elements and resources")) };
        if let Some(of) = profile.strip_prefix(DEFINITION).and_then(TypeRef::named) {
            return Ok(node.of().is_a(of));
        }
        self.context.host.conforms_to(node, profile).ok_or(EvalError::Unavailable("the profile of conformsTo()"))
    }
}

fn reference(node: Node<'_>) -> Option<Cow<'_, str>> {
    let value = node.value()?;
    match value.kind() {
        ValueKind::String => value.as_str(),
        _ => value.str_of("reference"),
    }
}

fn type_of(item: &Item<'_>) -> TypeInfo {
    match (fhir_of(item), system_of(item)) {
        (Some(of), _) => TypeInfo { namespace: "FHIR", name: of.name() },
        (None, Some(of)) => TypeInfo { namespace: "System", name: of.name() },
        (None, None) => TypeInfo { namespace: "System", name: "TypeInfo" },
    }
}
