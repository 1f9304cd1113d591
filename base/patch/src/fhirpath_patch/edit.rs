//! The five operations, on the members of one object.

use iris_fhir::definitions::{Element, Structure, definitions};
use iris_fhir::json::write_string;
use iris_fhir::{Edits, Json, Value};
use iris_fhirpath::Node;

use super::place::{Entry, Place, Side, entries, structure_of};
use super::value::Brought;
use super::{Refusal, target};

type Edited = Result<Vec<u8>, Refusal>;

/// Adds an element to another by its name: as the last one, if it repeats.
pub(super) fn add(json: &Json, node: &Node<'_>, name: &str, brought: &Brought<'_>) -> Edited {
    let (object, structure) = structure_of(*node)?;
    let (element, typed) = match structure.element(name) {
        Some(element) => (element, None),
        // The name of one type of a choice will do (`valueQuantity`).
        None => match structure.member(name.as_bytes()) {
            Some((_, element, of_type)) => (element, Some(of_type.name)),
            None => return target(format!("{} has no such element", structure.name)),
        },
    };
    let entry = brought.entry(element)?;
    if typed.is_some() && entry.name != name {
        return target("The value has another type than the name says");
    }
    let mut list = entries(object, structure, element);
    if !element.repeats() && !list.is_empty() {
        return target("This element does not repeat and is there already; replace it");
    }
    list.push(entry);
    Ok(write(json, object, structure, element, &list))
}

/// Adds an item to a list at a position.
pub(super) fn insert(json: &Json, nodes: &[Node<'_>], index: usize, brought: &Brought<'_>) -> Edited {
    let (object, structure, element) = list_of(json, nodes)?;
    let mut list = entries(object, structure, element);
    if index > list.len() {
        return target("The position is not in the list");
    }
    list.insert(index, brought.entry(element)?);
    Ok(write(json, object, structure, element, &list))
}

/// Moves an item of a list.
pub(super) fn reorder(json: &Json, nodes: &[Node<'_>], from: usize, to: usize) -> Edited {
    let (object, structure, element) = list_of(json, nodes)?;
    let mut list = entries(object, structure, element);
    if from >= list.len() || to >= list.len() {
        return target("The position is not in the list");
    }
    let entry = list.remove(from);
    list.insert(to, entry);
    Ok(write(json, object, structure, element, &list))
}

/// Puts another element in the place of one.
pub(super) fn replace(json: &Json, node: &Node<'_>, brought: &Brought<'_>) -> Edited {
    let place = Place::of(json, *node)?;
    let Some((object, step)) = place.objects.last().copied() else { return target("There is nothing at this path") };
    let Some(structure) = definitions().structure(step.structure) else { return target("There is no such type") };
    let mut list = entries(object, structure, place.element);
    let Some(entry) = list.get_mut(step.index.unwrap_or(0)) else { return target("There is nothing at this path") };
    *entry = brought.entry(place.element)?;
    Ok(write(json, object, structure, place.element, &list))
}

/// Takes out an element, and with it what would be empty without it: nothing in FHIR is.
pub(super) fn delete(json: &Json, node: &Node<'_>) -> Edited {
    let mut place = Place::of(json, *node)?;
    while let Some((object, step)) = place.objects.pop() {
        let found = definitions().structure(step.structure);
        let Some((structure, element)) =
            found.and_then(|structure| Some((structure, structure.element(step.element)?)))
        else {
            return target("There is no such type");
        };
        let mut list = entries(object, structure, element);
        let at = step.index.unwrap_or(0);
        if at >= list.len() {
            return target("There is nothing at this path");
        }
        list.remove(at);
        let text = rewritten(object, structure, element, &list);
        if text != b"{}" || place.objects.is_empty() {
            return Ok(replaced(json, object, text));
        }
    }
    target("There is nothing at this path")
}

/// The list that a path leads to: all items of one element of one object, in order.
fn list_of<'a>(
    json: &'a Json,
    nodes: &[Node<'a>],
) -> Result<(Value<'a>, &'static Structure, &'static Element), Refusal> {
    let Some(first) = nodes.first() else {
        return target("There is no list at this path; what is not there yet is added by its name");
    };
    let place = Place::of(json, *first)?;
    let Some((object, step)) = place.objects.last().copied() else { return target("There is nothing at this path") };
    if step.index.is_none() {
        return target("The element at this path does not repeat");
    }
    let Some(structure) = definitions().structure(step.structure) else { return target("There is no such type") };
    if !is_whole_list(object, structure, place.element, nodes) {
        return target("The path does not lead to one whole list");
    }
    Ok((object, structure, place.element))
}

/// Whether the nodes are the items of the element in this object, all of them, in order. Both are walked once.
fn is_whole_list(object: Value<'_>, structure: &Structure, element: &Element, nodes: &[Node<'_>]) -> bool {
    let own = |name: &str| structure.member(name.as_bytes()).is_some_and(|(_, of, _)| of.name == element.name);
    let mut values = None;
    let mut besides = None;
    for (name, value) in object.members() {
        match name.strip_prefix('_') {
            Some(plain) if own(plain) => besides = Some(value.items()),
            None if own(&name) => values = Some(value.items()),
            _ => {}
        }
    }
    let given = |value: &Value<'_>| !value.is_null();
    let mut nodes = nodes.iter();
    loop {
        let value = values.as_mut().and_then(Iterator::next);
        let beside = besides.as_mut().and_then(Iterator::next);
        if value.is_none() && beside.is_none() {
            return nodes.next().is_none();
        }
        let item = value.filter(given).or(beside.filter(given)).map(Value::index);
        let node = nodes.next().and_then(|node| node.value().or(node.beside())).map(Value::index);
        if item.is_none() || item != node {
            return false;
        }
    }
}

fn write(json: &Json, object: Value<'_>, structure: &Structure, element: &Element, list: &[Entry]) -> Vec<u8> {
    replaced(json, object, rewritten(object, structure, element, list))
}

fn replaced(json: &Json, object: Value<'_>, text: Vec<u8>) -> Vec<u8> {
    let mut edits = Edits::new();
    edits.replace(object, text);
    json.edited(edits)
}

/// The object with these items of the element, where the element was or else at the end; all else as it is.
fn rewritten(object: Value<'_>, structure: &Structure, element: &Element, list: &[Entry]) -> Vec<u8> {
    let mut out = vec![b'{'];
    let mut written = false;
    for (name, value) in object.members() {
        let plain = name.strip_prefix('_').unwrap_or(&name);
        if structure.member(plain.as_bytes()).is_none_or(|(_, of, _)| of.name != element.name) {
            separate(&mut out);
            write_string(&name, &mut out);
            out.push(b':');
            value.compact_into(&mut out);
        } else if !std::mem::replace(&mut written, true) {
            write_list(element, list, &mut out);
        }
    }
    if !written {
        write_list(element, list, &mut out);
    }
    out.push(b'}');
    out
}

fn separate(out: &mut Vec<u8>) {
    if out.len() > 1 {
        out.push(b',');
    }
}

/// Writes the members of an element: its values, and what stands beside them.
fn write_list(element: &Element, list: &[Entry], out: &mut Vec<u8>) {
    let Some(first) = list.first() else { return };
    for (prefix, side) in [("", Side::Value), ("_", Side::Beside)] {
        if list.iter().all(|entry| entry.text(side).is_none()) {
            continue;
        }
        separate(out);
        write_string(&format!("{prefix}{}", first.name), out);
        out.push(b':');
        if element.repeats() {
            out.push(b'[');
        }
        for (at, entry) in list.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(entry.text(side).unwrap_or(b"null"));
        }
        if element.repeats() {
            out.push(b']');
        }
    }
}
