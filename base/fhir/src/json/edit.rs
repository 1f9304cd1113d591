//! Changing a document while it is written: everything that is not edited stays byte for byte, but for white space.

use super::value::{RawMember, Value, ValueKind};
use super::{Json, write_string};

/// A set of changes to one document, applied by [`Json::edited`]. Values given as bytes must be JSON; they are written as
/// they are.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    /// By position on the tape, in the order given.
    changes: Vec<(u32, Change)>,
}

#[derive(Clone, Debug)]
enum Change {
    Replace(Vec<u8>),
    Remove(String),
    InsertFirst(String, Vec<u8>),
    Append(Vec<u8>),
}

impl Edits {
    /// No changes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes `with` in the place of `value` (the last replacement of one value counts). Changes inside it are lost.
    pub fn replace(&mut self, value: Value<'_>, with: impl Into<Vec<u8>>) -> &mut Self {
        self.changes.push((value.index(), Change::Replace(with.into())));
        self
    }

    /// Leaves out the member with this name; nothing happens if there is none.
    pub fn remove_member(&mut self, object: Value<'_>, name: &str) -> &mut Self {
        self.changes.push((object.index(), Change::Remove(name.to_owned())));
        self
    }

    /// Writes a member before all others of the object; the first one inserted comes first. A member of that name which is
    /// already there is not touched: remove it too, or the name occurs twice.
    pub fn insert_first(&mut self, object: Value<'_>, name: &str, value: impl Into<Vec<u8>>) -> &mut Self {
        self.changes.push((object.index(), Change::InsertFirst(name.to_owned(), value.into())));
        self
    }

    /// Writes an item after all others of the array; the first one appended comes first.
    pub fn append(&mut self, array: Value<'_>, item: impl Into<Vec<u8>>) -> &mut Self {
        self.changes.push((array.index(), Change::Append(item.into())));
        self
    }
}

impl Json {
    /// The compact document with changes applied.
    #[must_use]
    pub fn edited(&self, mut edits: Edits) -> Vec<u8> {
        edits.changes.sort_by_key(|(node, _)| *node);
        let mut out = Vec::with_capacity(self.text.len());
        write(self.root(), &edits.changes, &mut out);
        out
    }
}

impl Value<'_> {
    /// Appends this value without white space between its tokens.
    pub fn compact_into(self, out: &mut Vec<u8>) {
        write(self, &[], out);
    }
}

/// Writes a value with the changes to it and to what is in it. The depth is bounded by the reader's limit.
fn write(value: Value<'_>, changes: &[(u32, Change)], out: &mut Vec<u8>) {
    let changes = within(value, changes);
    if changes.is_empty() && value.is_tight() {
        out.extend_from_slice(value.raw());
        return;
    }
    let own = &changes[..changes.partition_point(|(node, _)| *node == value.index())];
    let replaced = own.iter().rev().find_map(|(_, change)| match change {
        Change::Replace(with) => Some(with),
        Change::Remove(_) | Change::InsertFirst(..) | Change::Append(_) => None,
    });
    if let Some(with) = replaced {
        out.extend_from_slice(with);
        return;
    }
    match value.kind() {
        ValueKind::Array => {
            let mut separator = Separator::new(b'[', out);
            for item in value.items() {
                separator.before(out);
                write(item, changes, out);
            }
            for (_, change) in own {
                if let Change::Append(item) = change {
                    separator.before(out);
                    out.extend_from_slice(item);
                }
            }
            out.push(b']');
        }
        ValueKind::Object => write_object(value, own, changes, out),
        _ => out.extend_from_slice(value.raw()),
    }
}

fn write_object(object: Value<'_>, own: &[(u32, Change)], changes: &[(u32, Change)], out: &mut Vec<u8>) {
    let mut separator = Separator::new(b'{', out);
    for (_, change) in own {
        if let Change::InsertFirst(name, value) = change {
            separator.before(out);
            write_string(name, out);
            out.push(b':');
            out.extend_from_slice(value);
        }
    }
    for member in object.members_raw() {
        if removed(member, own) {
            continue;
        }
        separator.before(out);
        out.extend_from_slice(member.key().raw());
        out.push(b':');
        write(member.value, changes, out);
    }
    out.push(b'}');
}

fn removed(member: RawMember<'_>, own: &[(u32, Change)]) -> bool {
    own.iter().any(|(_, change)| matches!(change, Change::Remove(name) if member.name() == name.as_str()))
}

/// The changes to a value and to what is in it.
fn within<'c>(value: Value<'_>, changes: &'c [(u32, Change)]) -> &'c [(u32, Change)] {
    let from = changes.partition_point(|(node, _)| *node < value.index());
    let to = changes.partition_point(|(node, _)| *node < value.index_after());
    changes.get(from..to).unwrap_or_default()
}

/// Writes the comma between items.
struct Separator {
    first: bool,
}

impl Separator {
    fn new(open: u8, out: &mut Vec<u8>) -> Self {
        out.push(open);
        Self { first: true }
    }

    fn before(&mut self, out: &mut Vec<u8>) {
        if !self.first {
            out.push(b',');
        }
        self.first = false;
    }
}
