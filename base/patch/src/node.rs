//! A document that is being changed: a tree over the tape, of which only what an operation goes through is taken apart.

use std::borrow::Cow;

use iris_fhir::json::write_string;
use iris_fhir::{Value, ValueKind};
use iris_kernel::limits;

use crate::equal;
use crate::fault::{PatchFaultKind, Refusal};
use crate::pointer::index;
use crate::work::Work;

/// A value. Its depth never exceeds [`limits::JSON_DEPTH_MAX`], so that recursion over it is bounded.
#[derive(Clone)]
pub(crate) enum Node<'a> {
    /// As it stands in some document.
    Kept(Value<'a>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
    Array(Vec<Node<'a>>),
}

/// What an item costs beside its bytes.
const ITEM_UNITS: usize = 8;

const TOO_DEEP: Refusal = (PatchFaultKind::Limit, "The outcome would be nested too deep");
const NOT_THERE: Refusal = (PatchFaultKind::Target, "There is nothing at this path");
const PARENT_NOT_THERE: Refusal =
    (PatchFaultKind::Target, "There is nothing to add to: the path leads into something that is not there");
const NOT_A_POSITION: Refusal =
    (PatchFaultKind::Target, "The position is not in the array, or not written as digits without zeros before them");

impl<'a> Node<'a> {
    /// Takes a container apart into its items, which are kept as they stand.
    fn open(&mut self, work: &mut Work) -> Result<(), Refusal> {
        let Self::Kept(value) = *self else { return Ok(()) };
        work.charge(value.len() * ITEM_UNITS)?;
        match value.kind() {
            ValueKind::Object => {
                *self = Self::Object(value.members().map(|(name, value)| (name, Self::Kept(value))).collect());
            }
            ValueKind::Array => *self = Self::Array(value.items().map(Self::Kept).collect()),
            _ => {}
        }
        Ok(())
    }

    /// What a token leads to.
    fn child(&mut self, token: &str, work: &mut Work) -> Result<Option<&mut Self>, Refusal> {
        self.open(work)?;
        match self {
            Self::Kept(_) => Ok(None),
            Self::Object(members) => {
                work.charge(members.len())?;
                Ok(members.iter_mut().find(|(name, _)| name == token).map(|(_, value)| value))
            }
            Self::Array(items) => Ok(index(token).and_then(|at| items.get_mut(at))),
        }
    }

    /// What the tokens lead to.
    pub(crate) fn at(&mut self, tokens: &[String], work: &mut Work) -> Result<&mut Self, Refusal> {
        let mut node = self;
        for token in tokens {
            node = node.child(token, work)?.ok_or(NOT_THERE)?;
        }
        Ok(node)
    }

    /// Adds a value (RFC 6902, 4.1).
    pub(crate) fn add(&mut self, tokens: &[String], value: Self, work: &mut Work) -> Result<(), Refusal> {
        if tokens.len() + value.depth(work)? > limits::JSON_DEPTH_MAX {
            return Err(TOO_DEEP);
        }
        let Some((last, parents)) = tokens.split_last() else {
            *self = value;
            return Ok(());
        };
        let parent =
            self.at(parents, work).map_err(|refusal| if refusal == NOT_THERE { PARENT_NOT_THERE } else { refusal })?;
        parent.open(work)?;
        match parent {
            Self::Kept(_) => return Err(PARENT_NOT_THERE),
            Self::Object(members) => {
                work.charge(members.len())?;
                match members.iter_mut().find(|(name, _)| name == last) {
                    Some((_, old)) => *old = value,
                    None => members.push((Cow::Owned(last.clone()), value)),
                }
            }
            Self::Array(items) => {
                let at = if last == "-" { items.len() } else { index(last).ok_or(NOT_A_POSITION)? };
                if at > items.len() {
                    return Err(NOT_A_POSITION);
                }
                work.charge((items.len() - at) * ITEM_UNITS)?;
                items.insert(at, value);
            }
        }
        Ok(())
    }

    /// Puts a value in the place of another (RFC 6902, 4.3).
    pub(crate) fn replace(&mut self, tokens: &[String], value: Self, work: &mut Work) -> Result<(), Refusal> {
        if tokens.len() + value.depth(work)? > limits::JSON_DEPTH_MAX {
            return Err(TOO_DEEP);
        }
        *self.at(tokens, work)? = value;
        Ok(())
    }

    /// Takes out what is at the tokens (RFC 6902, 4.2).
    pub(crate) fn remove(&mut self, tokens: &[String], work: &mut Work) -> Result<Self, Refusal> {
        let Some((last, parents)) = tokens.split_last() else {
            return Err((PatchFaultKind::Target, "The whole resource cannot be removed by a patch"));
        };
        let parent = self.at(parents, work)?;
        parent.open(work)?;
        match parent {
            Self::Kept(_) => Err(NOT_THERE),
            Self::Object(members) => {
                work.charge(members.len() * ITEM_UNITS)?;
                let at = members.iter().position(|(name, _)| name == last).ok_or(NOT_THERE)?;
                Ok(members.remove(at).1)
            }
            Self::Array(items) => {
                let at = index(last).filter(|at| *at < items.len()).ok_or(NOT_THERE)?;
                work.charge((items.len() - at) * ITEM_UNITS)?;
                Ok(items.remove(at))
            }
        }
    }

    /// How many containers are inside of each other, this one included.
    fn depth(&self, work: &mut Work) -> Result<usize, Refusal> {
        let inner = match self {
            Self::Kept(value) => {
                work.charge(value.raw().len())?;
                return Ok(depth_of(*value));
            }
            Self::Object(members) => {
                members.iter().map(|(_, value)| value.depth(work)).try_fold(0, |most, depth| Ok(most.max(depth?)))?
            }
            Self::Array(items) => {
                items.iter().map(|value| value.depth(work)).try_fold(0, |most, depth| Ok(most.max(depth?)))?
            }
        };
        work.charge(ITEM_UNITS)?;
        Ok(1 + inner)
    }

    /// How many bytes it is when written, or a few more.
    pub(crate) fn size(&self, work: &mut Work) -> Result<usize, Refusal> {
        work.charge(ITEM_UNITS)?;
        let mut size: usize = 2;
        match self {
            Self::Kept(value) => size = value.raw().len(),
            Self::Object(members) => {
                for (name, value) in members {
                    size = size.saturating_add(name.len() + 4).saturating_add(value.size(work)?);
                }
            }
            Self::Array(items) => {
                for item in items {
                    size = size.saturating_add(1).saturating_add(item.size(work)?);
                }
            }
        }
        Ok(size)
    }

    /// Whether both are the same data (RFC 6902, 4.6): numbers by value, members in any order.
    pub(crate) fn equals(&mut self, other: Value<'_>, work: &mut Work) -> Result<bool, Refusal> {
        if let Self::Kept(value) = self {
            let (kind, count) = (value.kind(), value.len());
            work.charge(value.raw().len().min(other.raw().len()))?;
            if kind != other.kind() || count != other.len() {
                return Ok(false);
            }
            match kind {
                ValueKind::Null => return Ok(true),
                ValueKind::Bool => return Ok(value.raw() == other.raw()),
                ValueKind::String => return Ok(value.as_str() == other.as_str()),
                ValueKind::Number => {
                    let both = value.number().zip(other.number());
                    return Ok(both.is_some_and(|(a, b)| equal::numbers(a, b)));
                }
                ValueKind::Array | ValueKind::Object => self.open(work)?,
            }
        }
        match self {
            Self::Kept(_) => Ok(false),
            Self::Array(items) => {
                if other.kind() != ValueKind::Array || items.len() != other.len() {
                    return Ok(false);
                }
                for (item, other) in items.iter_mut().zip(other.items()) {
                    if !item.equals(other, work)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Object(members) => {
                if other.kind() != ValueKind::Object || members.len() != other.len() {
                    return Ok(false);
                }
                for (name, value) in other.members() {
                    work.charge(members.len())?;
                    let Some((_, own)) = members.iter_mut().find(|(own, _)| *own == name) else { return Ok(false) };
                    if !own.equals(value, work)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Writes compact JSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Kept(value) => value.compact_into(out),
            Self::Object(members) => {
                let mut separator = b'{';
                for (name, value) in members {
                    out.push(separator);
                    write_string(name, out);
                    out.push(b':');
                    value.write(out);
                    separator = b',';
                }
                out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
            }
            Self::Array(items) => {
                let mut separator = b'[';
                for item in items {
                    out.push(separator);
                    item.write(out);
                    separator = b',';
                }
                out.extend_from_slice(if separator == b'[' { b"[]" } else { b"]" });
            }
        }
    }
}

fn depth_of(value: Value<'_>) -> usize {
    match value.kind() {
        ValueKind::Array => 1 + value.items().map(depth_of).max().unwrap_or(0),
        ValueKind::Object => 1 + value.members().map(|(_, value)| depth_of(value)).max().unwrap_or(0),
        _ => 0,
    }
}
