//! The open elements, and the commas between what is written in them.

use iris_fhir::definitions::Structure;

/// What an open element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A resource.
    Resource,
    /// A data type or a part of a resource.
    Complex,
    /// A primitive: its object holds an id and extensions, and is only written if there are any.
    Primitive,
    /// `contained` or `resource`: it holds one resource.
    Holder,
}

/// An open element of FHIR.
pub(super) struct Frame<'a> {
    pub(super) content: Content,
    /// What may stand in it.
    pub(super) structure: &'static Structure,
    /// Its name; empty for a resource in a holder, which is no step of a path.
    pub(super) name: &'a str,
    /// Its position, if it repeats.
    pub(super) index: Option<usize>,
    /// How deep its object stands in JSON, from 1.
    pub(super) depth: usize,
    /// The position of the last element in it by the definitions.
    pub(super) reached: Option<usize>,
    /// The elements of one name that are being read.
    pub(super) run: Option<Run<'a>>,
    /// Whether its object has been begun.
    pub(super) opened: bool,
    /// Whether its object has members, or the holder its resource.
    pub(super) members: bool,
    /// Of a primitive: whether it has a value.
    pub(super) valued: bool,
    /// Of a repeated primitive: where its object starts in the output.
    pub(super) mark: usize,
}

impl<'a> Frame<'a> {
    pub(super) fn new(content: Content, structure: &'static Structure, name: &'a str, depth: usize) -> Self {
        Self {
            content,
            structure,
            name,
            index: None,
            depth,
            reached: None,
            run: None,
            opened: content != Content::Primitive,
            members: false,
            valued: false,
            mark: 0,
        }
    }
}

/// Elements of one name, one after the other.
pub(super) struct Run<'a> {
    pub(super) name: &'a str,
    pub(super) repeats: bool,
    pub(super) primitive: bool,
    pub(super) count: usize,
    /// Where it starts in the output, and whether there were members before it.
    pub(super) from: usize,
    pub(super) members_before: bool,
    /// Whether one of them has a value.
    pub(super) valued: bool,
    /// Ids and extensions of repeated primitives, from the first that has any on: items of the array beside.
    pub(super) beside: Vec<u8>,
}

impl<'a> Run<'a> {
    pub(super) fn new(name: &'a str, repeats: bool, primitive: bool, from: usize, members_before: bool) -> Self {
        Self { name, repeats, primitive, count: 1, from, members_before, valued: false, beside: Vec::new() }
    }

    /// Adds what stands beside the last item: an object, or nothing.
    pub(super) fn add_beside(&mut self, object: &[u8]) {
        if self.beside.is_empty() {
            if object.is_empty() {
                return;
            }
            for _ in 1..self.count {
                self.beside.extend_from_slice(b"null,");
            }
        } else {
            self.beside.push(b',');
        }
        self.beside.extend_from_slice(if object.is_empty() { b"null" } else { object });
    }
}

/// Writes the comma before a member of the innermost element, and begins its object if that has not been done.
pub(super) fn separate(frames: &mut [Frame<'_>], out: &mut Vec<u8>) {
    let Some((frame, outer)) = frames.split_last_mut() else { return };
    if !frame.opened {
        frame.opened = true;
        if frame.index.is_none() {
            if let Some(parent) = outer.last_mut() {
                comma(parent, out);
            }
            key("_", frame.name, out);
        }
        out.push(b'{');
    }
    comma(frame, out);
}

fn comma(frame: &mut Frame<'_>, out: &mut Vec<u8>) {
    if frame.members {
        out.push(b',');
    }
    frame.members = true;
}

/// Writes a member name. Names come from the definitions: letters and digits only.
pub(super) fn key(prefix: &str, name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// The path of the innermost element, or of one in it.
pub(super) fn path(frames: &[Frame<'_>], last: Option<&str>) -> String {
    let mut path = String::new();
    for frame in frames.iter().filter(|frame| !frame.name.is_empty()) {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(frame.name);
        if let Some(index) = frame.index {
            path.push('[');
            path.push_str(&index.to_string());
            path.push(']');
        }
    }
    if let Some(last) = last {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(last);
    }
    path
}
