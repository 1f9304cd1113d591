//! Rules of single types that the element tables do not hold.

use iris_kernel::Kind;

use crate::definitions::{ElementType, Structure, Targets};
use crate::json::{Value, ValueKind};
use crate::reference::Parts;
use crate::resource::kind_of;

use super::walk::{Contained, Walk};

/// After the members of an object of this type have been looked at.
pub(super) fn complex<'a>(walk: &mut Walk<'a>, value: Value<'a>, of_type: &ElementType, structure: &Structure) {
    match structure.name {
        "Extension" => extension(walk, value),
        "Reference" => reference(walk, value, &of_type.targets),
        "CodeableConcept" => bound_concept(walk, value, of_type),
        _ => {}
    }
}

/// A value or nested extensions, not both and not neither (R4 extensibility.html, ext-1).
fn extension(walk: &mut Walk<'_>, value: Value<'_>) {
    let nested = value.get("extension").is_some();
    let valued = value.members_raw().any(|member| {
        member.key().plain_bytes().is_some_and(|name| name.starts_with(b"value") || name.starts_with(b"_value"))
    });
    match (nested, valued) {
        (true, true) => walk.faults.at(value, "An extension has a value or nested extensions, not both"),
        (false, false) => walk.faults.at(value, "An extension has a value or nested extensions"),
        _ => {}
    }
}

/// The form of the reference, and the type it leads to where that can be seen (R4 references.html).
fn reference<'a>(walk: &mut Walk<'a>, value: Value<'a>, targets: &Targets) {
    let Some(target) = value.get("reference") else { return };
    let Some(text) = target.as_str() else { return };
    match Parts::of(&text) {
        Parts::Local { kind, .. } | Parts::Conditional { kind, .. } => allowed_target(walk, target, kind, targets),
        Parts::Contained(id) => contained_target(walk, target, id, targets),
        Parts::Absolute(text) | Parts::Urn(text) => {
            if text.contains(char::is_whitespace) {
                walk.faults.at(target, "A reference has no white space");
            }
        }
        Parts::Other => walk.faults.at(target, "Not a reference: expected Type/id, #id, a URL, urn:uuid: or urn:oid:"),
    }
}

fn allowed_target(walk: &mut Walk<'_>, target: Value<'_>, kind: Kind, targets: &Targets) {
    if let Targets::Only(kinds) = targets
        && !kinds.contains(&kind)
    {
        let names: Vec<&str> = kinds.iter().map(|kind| walk.definitions.name_of(*kind)).collect();
        walk.faults.at(target, format!("This element may refer to {} only", names.join(", ")));
    }
}

fn contained_target(walk: &mut Walk<'_>, target: Value<'_>, id: &str, targets: &Targets) {
    // `#` alone is the resource that contains this one.
    if id.is_empty() {
        return;
    }
    match walk.contained.get(id).copied() {
        None => walk.faults.at(target, "There is no contained resource with this id"),
        Some(kind) => kind.into_iter().for_each(|kind| allowed_target(walk, target, kind, targets)),
    }
}

/// The contained resources by id; an id that two of them have is a fault.
pub(super) fn contained_ids<'a>(walk: &mut Walk<'a>, resource: Value<'a>) -> Contained<'a> {
    let mut ids = Contained::new();
    for one in resource.get("contained").into_iter().flat_map(Value::items) {
        let Some(id) = one.get("id") else { continue };
        let Some(text) = id.as_str() else { continue };
        if ids.insert(text, kind_of(one).ok()).is_some() {
            walk.faults.at(id, "Two contained resources have this id");
        }
    }
    ids
}

/// A contained resource is part of its container: it has an id to be referred to by, no versions of its own, and contains
/// nothing (R4 domainresource.html, dom-2 to dom-4).
pub(super) fn contained(walk: &mut Walk<'_>, value: Value<'_>) {
    if value.get("id").is_none() {
        walk.faults.member(value, "id", "A contained resource needs an id");
    }
    if let Some(nested) = value.get("contained") {
        walk.faults.at(nested, "A contained resource cannot contain resources");
    }
    let meta = value.get("meta");
    for name in ["versionId", "lastUpdated"] {
        if let Some(own) = meta.and_then(|meta| meta.get(name)) {
            walk.faults.at(own, "A contained resource has no versions of its own");
        }
    }
}

/// A code of a required binding is in its list.
pub(super) fn bound_code(walk: &mut Walk<'_>, value: Value<'_>, of_type: &ElementType) {
    let Some(list) = of_type.codes.and_then(|list| walk.definitions.code_list(list)) else { return };
    if value.as_str().is_some_and(|code| !list.has(&code)) {
        walk.faults.at(value, format!("This code is not in the required value set {}", list.name));
    }
}

/// At least one coding of a concept with a required binding is in its list.
fn bound_concept(walk: &mut Walk<'_>, value: Value<'_>, of_type: &ElementType) {
    let Some(list) = of_type.codes.and_then(|list| walk.definitions.code_list(list)) else { return };
    let Some(codings) = value.get("coding").filter(|codings| codings.kind() == ValueKind::Array) else {
        if value.get("extension").is_none() {
            walk.faults.member(value, "coding", format!("A code of the required value set {} is missing", list.name));
        }
        return;
    };
    let bound = codings.items().any(|coding| {
        let (system, code) = (coding.str_of("system"), coding.str_of("code"));
        system.zip(code).is_some_and(|(system, code)| list.has_in(&system, &code))
    });
    if !bound {
        walk.faults.at(codings, format!("No coding is in the required value set {}", list.name));
    }
}
