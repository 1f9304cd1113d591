//! One value of a document, as a cursor into the tape.

use std::borrow::Cow;

use super::parse::hash;
use super::{Json, text};

/// The six sorts of JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, of which the exact spelling is kept.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A node of the tape: a value or a member name. 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// First byte in the text (the quote of a string).
    pub(super) start: u32,
    /// One past the last byte.
    pub(super) end: u32,
    /// The node after this value and everything in it; a hash of the name for member names, whose value simply follows.
    pub(super) next: u32,
    /// Bits 0–2 the kind, bit 3 [`FLAG`], bit 4 [`SHADOWS`], bits 8–31 how many items or members.
    info: u32,
}

/// Of a string: has escapes. Of a container: has no white space between its tokens.
const FLAG: u32 = 8;
/// Of an object: some member's name may begin with `_`.
const SHADOWS: u32 = 16;
const COUNT_SHIFT: u32 = 8;

impl Node {
    pub(super) const fn value(start: u32, end: u32, next: u32, kind: ValueKind, escaped: bool) -> Self {
        Self { start, end, next, info: kind as u32 | if escaped { FLAG } else { 0 } }
    }

    pub(super) const fn key(start: u32, end: u32, hash: u32, escaped: bool) -> Self {
        Self::value(start, end, hash, ValueKind::String, escaped)
    }

    pub(super) const fn close(&mut self, end: u32, next: u32, count: u32, tight: bool) {
        self.end = end;
        self.next = next;
        self.info |= (count << COUNT_SHIFT) | if tight { FLAG } else { 0 };
    }

    pub(super) const fn mark_shadows(&mut self) {
        self.info |= SHADOWS;
    }

    pub(super) const fn key_hash(&self) -> u32 {
        self.next
    }

    pub(super) const fn escaped(&self) -> bool {
        self.info & FLAG != 0
    }

    const fn kind(&self) -> ValueKind {
        match self.info & 7 {
            0 => ValueKind::Null,
            1 => ValueKind::Bool,
            2 => ValueKind::Number,
            3 => ValueKind::String,
            4 => ValueKind::Array,
            _ => ValueKind::Object,
        }
    }
}

/// The name of a member, with the hash by which the tape tells names apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberName {
    name: Box<str>,
    hash: u32,
}

impl MemberName {
    /// The member with this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), hash: hash(name.as_bytes()) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

/// A value of a document; cheap to copy.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    json: &'a Json,
    node: u32,
}

impl<'a> Value<'a> {
    pub(super) const fn new(json: &'a Json, node: u32) -> Self {
        Self { json, node }
    }

    fn node(self) -> Node {
        // A value is only ever made for a node that is there; the reader never makes an empty tape.
        self.json.nodes.get(self.node as usize).copied().unwrap_or(Node::value(0, 0, 0, ValueKind::Null, false))
    }

    /// Position on the tape; orders and tells apart the values of one document.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.node
    }

    /// Position on the tape of what follows this value and all that is in it.
    pub(super) fn index_after(self) -> u32 {
        self.node().next
    }

    /// Which sort of value this is.
    #[must_use]
    pub fn kind(self) -> ValueKind {
        self.node().kind()
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == ValueKind::Null
    }

    /// The text of this value as sent: with quotes and escapes, with white space inside containers.
    #[must_use]
    pub fn raw(self) -> &'a [u8] {
        let node = self.node();
        self.json.text.get(node.start as usize..node.end as usize).unwrap_or_default()
    }

    /// How many items or members; 0 for everything that is no container.
    #[must_use]
    pub fn len(self) -> usize {
        (self.node().info >> COUNT_SHIFT) as usize
    }

    /// Whether there are no items or members.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether compacting this value is copying it.
    pub(super) fn is_tight(self) -> bool {
        let node = self.node();
        match node.kind() {
            ValueKind::Array | ValueKind::Object => node.info & FLAG != 0,
            _ => true,
        }
    }

    /// The characters of a string; `None` for any other sort.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let node = self.node();
        (node.kind() == ValueKind::String).then(|| self.characters(node))
    }

    /// The bytes of a string that is spelt without escapes, for comparing without copying.
    #[must_use]
    pub fn plain_bytes(self) -> Option<&'a [u8]> {
        let node = self.node();
        (node.kind() == ValueKind::String && !node.escaped()).then(|| self.inside(node))
    }

    fn inside(self, node: Node) -> &'a [u8] {
        let end = (node.end as usize).saturating_sub(1);
        self.json.text.get(node.start as usize + 1..end).unwrap_or_default()
    }

    fn characters(self, node: Node) -> Cow<'a, str> {
        let inside = self.inside(node);
        if node.escaped() {
            return Cow::Owned(text::unescape(inside));
        }
        // The reader has checked the whole text, and a quote is never in the middle of a character.
        Cow::Borrowed(std::str::from_utf8(inside).unwrap_or_default())
    }

    /// The value of `true` or `false`; `None` for any other sort.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == ValueKind::Bool).then(|| self.raw() == b"true")
    }

    /// A number as it is spelt; `None` for any other sort.
    #[must_use]
    pub fn number(self) -> Option<&'a str> {
        (self.kind() == ValueKind::Number).then(|| std::str::from_utf8(self.raw()).unwrap_or_default())
    }

    /// The member of an object with this name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.members_raw().find(|member| member.named(name)).map(|member| member.value)
    }

    /// [`Self::get`] by a name that is looked for often: compares hashes, and texts only where those agree.
    #[must_use]
    pub fn get_named(self, name: &MemberName) -> Option<Value<'a>> {
        let nodes = self.json.nodes.as_slice();
        let left = if self.kind() == ValueKind::Object { self.len() } else { 0 };
        let mut at = self.node + 1;
        for _ in 0..left {
            let (key, value) = (nodes.get(at as usize)?, Value::new(self.json, at + 1));
            if key.key_hash() == name.hash && (RawMember { key: Value::new(self.json, at), value }).named(&name.name) {
                return Some(value);
            }
            at = nodes.get(at as usize + 1)?.next;
        }
        None
    }

    /// Whether an object may have members that stand beside primitive values, with names that begin with `_` (R4
    /// json.html#primitive). That it has none is certain.
    #[must_use]
    pub fn may_have_shadows(self) -> bool {
        let node = self.node();
        node.kind() == ValueKind::Object && node.info & SHADOWS != 0
    }

    /// The characters of the member of an object with this name, if it is a string.
    #[must_use]
    pub fn str_of(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.as_str()
    }

    /// The items of an array, in order; nothing for any other sort.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        let left = if self.kind() == ValueKind::Array { self.len() } else { 0 };
        Items { json: self.json, next: self.node + 1, left }
    }

    /// The members of an object, in the order sent; nothing for any other sort.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members(self.members_raw())
    }

    /// [`Self::members`] with names as bytes of UTF-8, which nothing has to look through.
    pub fn members_in_bytes(self) -> impl Iterator<Item = (Cow<'a, [u8]>, Value<'a>)> {
        self.members_raw().map(|member| {
            let node = member.key.node();
            let name = match node.escaped() {
                true => Cow::Owned(text::unescape(member.key.inside(node)).into_bytes()),
                false => Cow::Borrowed(member.key.inside(node)),
            };
            (name, member.value)
        })
    }

    pub(crate) fn members_raw(self) -> RawMembers<'a> {
        let left = if self.kind() == ValueKind::Object { self.len() } else { 0 };
        RawMembers { json: self.json, next: self.node + 1, left }
    }

    /// The JSON pointer (RFC 6901) of this value in its document. Walks from the root: for messages, not for loops.
    #[must_use]
    pub fn pointer(self) -> String {
        let mut pointer = String::new();
        let mut at = self.json.root();
        while at.node != self.node {
            let step = match at.kind() {
                ValueKind::Object => at.members().find(|(_, value)| value.holds(self.node)).map(|(name, value)| {
                    pointer.push('/');
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                    value
                }),
                ValueKind::Array => {
                    at.items().enumerate().find(|(_, value)| value.holds(self.node)).map(|(item, value)| {
                        pointer.push('/');
                        pointer.push_str(&item.to_string());
                        value
                    })
                }
                _ => None,
            };
            let Some(value) = step else { break };
            at = value;
        }
        pointer
    }

    /// The value of the whole document.
    pub(crate) fn document(self) -> Value<'a> {
        self.json.root()
    }

    /// Whether the value at this position is this one or in it.
    pub(crate) fn holds(self, node: u32) -> bool {
        (self.node..self.index_after()).contains(&node)
    }

    /// Whether both are the same data: white space, the order of members and the spelling of strings do not matter; the
    /// spelling of numbers does, because FHIR decimals carry their precision.
    #[must_use]
    pub fn same_as(self, other: Value<'_>) -> bool {
        if self.kind() != other.kind() || self.len() != other.len() {
            return false;
        }
        match self.kind() {
            ValueKind::Null => true,
            ValueKind::Bool | ValueKind::Number => self.raw() == other.raw(),
            ValueKind::String => self.as_str() == other.as_str(),
            ValueKind::Array => self.items().zip(other.items()).all(|(a, b)| a.same_as(b)),
            ValueKind::Object => {
                let in_order = self.members().zip(other.members()).all(|((a, x), (b, y))| a == b && x.same_as(y));
                in_order || self.members().all(|(name, a)| other.get(&name).is_some_and(|b| a.same_as(b)))
            }
        }
    }
}

impl std::fmt::Debug for Value<'_> {
    /// The place, not the content, which may be PHI.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {:?}", self.kind(), self.pointer())
    }
}

/// Iterator over the items of an array.
#[derive(Clone)]
pub struct Items<'a> {
    json: &'a Json,
    next: u32,
    left: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.left = self.left.checked_sub(1)?;
        let value = Value::new(self.json, self.next);
        self.next = value.index_after();
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// A member before its name is decoded.
#[derive(Clone, Copy)]
pub(crate) struct RawMember<'a> {
    key: Value<'a>,
    pub(crate) value: Value<'a>,
}

impl<'a> RawMember<'a> {
    pub(crate) fn key(self) -> Value<'a> {
        self.key
    }

    pub(crate) fn name(self) -> Cow<'a, str> {
        self.key.characters(self.key.node())
    }

    fn named(self, name: &str) -> bool {
        let node = self.key.node();
        if node.escaped() { self.name() == name } else { self.key.inside(node) == name.as_bytes() }
    }
}

#[derive(Clone)]
pub(crate) struct RawMembers<'a> {
    json: &'a Json,
    next: u32,
    left: usize,
}

impl<'a> Iterator for RawMembers<'a> {
    type Item = RawMember<'a>;

    fn next(&mut self) -> Option<RawMember<'a>> {
        self.left = self.left.checked_sub(1)?;
        let key = Value::new(self.json, self.next);
        let value = Value::new(self.json, self.next + 1);
        self.next = value.index_after();
        Some(RawMember { key, value })
    }
}

/// Iterator over the members of an object.
#[derive(Clone)]
pub struct Members<'a>(RawMembers<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|member| (member.name(), member.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.left, Some(self.0.left))
    }
}

impl ExactSizeIterator for Members<'_> {}
