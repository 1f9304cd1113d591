//! Rules of single types that the element tables do not hold.

use iris_kernel::Kind;

use crate::definitions::{CodeList, ElementType, Structure, Targets, name_of};
use crate::json::{Value, ValueKind};
use crate::reference::Parts;
use crate::resource::kind_of;

use super::walk::{Contained, Walk};
use super::{IssueCode, Visitor};

/// After the members of an object of this type have been looked at.
pub(super) fn complex<'a, V: Visitor<'a>>(
    walk: &mut Walk<'a, '_, V>,
    value: Value<'a>,
    of_type: &ElementType,
    structure: &Structure,
) {
    match structure.name {
        "Extension" => extension(walk, value),
        "Reference" => reference(walk, value, &of_type.targets),
        "CodeableConcept" => bound_concept(walk, value, of_type),
        "Coding" => bound_coding(walk, value, of_type),
        _ => {}
    }
}

/// A value or nested extensions, not both and not neither (R4 extensibility.html, ext-1).
fn extension<'a, V: Visitor<'a>>(walk: &mut Walk<'a, '_, V>, value: Value<'a>) {
    let nested = value.get("extension").is_some();
    let valued = value.members_raw().any(|member| {
        member.key().plain_bytes().is_some_and(|name| name.starts_with(b"value") || name.starts_with(b"_value"))
    });
    let what = match (nested, valued) {
        (true, true) => "An extension has a value or nested extensions, not both (ext-1)",
        (false, false) => "An extension has a value or nested extensions (ext-1)",
        _ => return,
    };
    walk.faults.at(value, IssueCode::Invariant, what);
}

/// The form of the reference, and the type it leads to where that can be seen (R4 references.html).
fn reference<'a, V: Visitor<'a>>(walk: &mut Walk<'a, '_, V>, value: Value<'a>, targets: &Targets) {
    let named = value.get("type").and_then(|named| Some((named, walk.definitions.kind_of(&named.as_str()?)?)));
    if let Some((named, kind)) = named {
        allowed_target(walk, named, kind, targets);
    }
    let Some(target) = value.get("reference") else { return };
    let Some(text) = target.as_str() else { return };
    let parts = Parts::of(&text);
    if let (Some((named, kind)), Parts::Local { kind: own, .. } | Parts::Conditional { kind: own, .. }) = (named, parts)
        && kind != own
    {
        let what = format!("The type is {}, but the reference leads to {}", name_of(kind), name_of(own));
        walk.faults.at(named, IssueCode::Invalid, what);
    }
    match parts {
        Parts::Local { kind, .. } | Parts::Conditional { kind, .. } => allowed_target(walk, target, kind, targets),
        Parts::Contained(id) => contained_target(walk, target, id, targets),
        Parts::Absolute(text) | Parts::Urn(text) => {
            if text.contains(char::is_whitespace) {
                walk.faults.at(target, IssueCode::Value, "A reference has no white space");
            }
        }
        Parts::Other => {
            let what = "Not a reference: expected Type/id, #id, a URL, urn:uuid: or urn:oid:";
            walk.faults.at(target, IssueCode::Value, what);
        }
    }
}

fn allowed_target<'a, V: Visitor<'a>>(walk: &mut Walk<'a, '_, V>, target: Value<'a>, kind: Kind, targets: &Targets) {
    if let Some(what) = targets.refuse(kind) {
        walk.faults.at(target, IssueCode::Structure, what);
    }
}

fn contained_target<'a, V: Visitor<'a>>(walk: &mut Walk<'a, '_, V>, target: Value<'a>, id: &str, targets: &Targets) {
    // `#` alone is the resource that contains this one.
    if id.is_empty() {
        return;
    }
    match walk.contained.get(id).copied() {
        None => walk.faults.at(target, IssueCode::NotFound, "There is no contained resource with this id (ref-1)"),
        Some(kind) => kind.into_iter().for_each(|kind| allowed_target(walk, target, kind, targets)),
    }
}

/// The contained resources by id; an id that two of them have is a fault.
pub(super) fn contained_ids<'a, V: Visitor<'a>>(walk: &mut Walk<'a, '_, V>, resource: Value<'a>) -> Contained<'a> {
    let mut ids = Contained::new();
    for one in resource.get("contained").into_iter().flat_map(Value::items) {
        let Some(id) = one.get("id") else { continue };
        let Some(text) = id.as_str() else { continue };
        if ids.insert(text, kind_of(one).ok()).is_some() {
            walk.faults.at(id, IssueCode::Duplicate, "Two contained resources have this id");
        }
    }
    ids
}

/// A contained resource is part of its container: it has an id to be referred to by, no versions of its own, and contains
/// nothing (R4 domainresource.html, dom-2 to dom-4).
pub(super) fn contained<'a, V: Visitor<'a>>(walk: &mut Walk<'a, '_, V>, value: Value<'a>) {
    if value.get("id").is_none() {
        walk.faults.member(value, "id", IssueCode::Required, "A contained resource needs an id");
    }
    if let Some(nested) = value.get("contained") {
        walk.faults.at(nested, IssueCode::Invariant, "A contained resource cannot contain resources (dom-2)");
    }
    let meta = value.get("meta");
    for name in ["versionId", "lastUpdated"] {
        if let Some(own) = meta.and_then(|meta| meta.get(name)) {
            walk.faults.at(own, IssueCode::Invariant, "A contained resource has no versions of its own (dom-4)");
        }
    }
}

/// Most codes that a message lists.
const CODES_SHOWN_MAX: usize = 12;

/// What is allowed, where that is a short list: codes of the definitions, no values of the sender.
fn allowed(list: &CodeList) -> String {
    let count: usize = list.systems.iter().map(|(_, codes)| codes.len()).sum();
    if count > CODES_SHOWN_MAX {
        return String::new();
    }
    let codes: Vec<&str> = list.systems.iter().flat_map(|(_, codes)| codes).copied().collect();
    format!(", which has {}", codes.join(", "))
}

/// A code of a required binding is in its list.
pub(super) fn bound_code<'a, V: Visitor<'a>>(walk: &mut Walk<'a, '_, V>, value: Value<'a>, of_type: &ElementType) {
    let Some(list) = of_type.codes.and_then(|list| walk.definitions.code_list(list)) else { return };
    if value.as_str().is_some_and(|code| !list.has(&code)) {
        let what = format!("This code is not in the required value set {}{}", list.name, allowed(list));
        walk.faults.at(value, IssueCode::CodeInvalid, what);
    }
}

/// At least one coding of a concept with a required binding is in its list.
fn bound_concept<'a, V: Visitor<'a>>(walk: &mut Walk<'a, '_, V>, value: Value<'a>, of_type: &ElementType) {
    let Some(list) = of_type.codes.and_then(|list| walk.definitions.code_list(list)) else { return };
    let Some(codings) = value.get("coding").filter(|codings| codings.kind() == ValueKind::Array) else {
        if value.get("extension").is_none() {
            let what = format!("A code of the required value set {} is missing", list.name);
            walk.faults.member(value, "coding", IssueCode::CodeInvalid, what);
        }
        return;
    };
    let bound = codings.items().any(|coding| {
        let (system, code) = (coding.str_of("system"), coding.str_of("code"));
        system.zip(code).is_some_and(|(system, code)| list.has_in(&system, &code))
    });
    if !bound {
        let what = format!("No coding is in the required value set {}{}", list.name, allowed(list));
        walk.faults.at(codings, IssueCode::CodeInvalid, what);
    }
}

/// The code of a coding with a required binding is in its list.
fn bound_coding<'a, V: Visitor<'a>>(walk: &mut Walk<'a, '_, V>, value: Value<'a>, of_type: &ElementType) {
    let Some(list) = of_type.codes.and_then(|list| walk.definitions.code_list(list)) else { return };
    let (system, code) = (value.str_of("system"), value.str_of("code"));
    if !system.zip(code).is_some_and(|(system, code)| list.has_in(&system, &code)) {
        let what = format!("This coding is not in the required value set {}{}", list.name, allowed(list));
        walk.faults.at(value, IssueCode::CodeInvalid, what);
    }
}
