//! The reader: bytes to tape, in one pass, without recursion.

use std::borrow::Cow;

use super::error::{JsonError, JsonErrorKind};
use super::scan;
use super::text;
use super::value::{Node, ValueKind};

/// Objects with at most this many members are checked for equal names pair by pair; larger ones by sorting.
const PAIRWISE_MAX: usize = 24;

type Parsed<T> = Result<T, JsonError>;

/// A container that has not been closed yet.
struct Open {
    node: u32,
    object: bool,
    count: u32,
    /// Whether a member's name begins with `_`, or may.
    shadows: bool,
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    open: Vec<Open>,
    /// One past the last white space between tokens; 0 if there was none yet.
    space_end: usize,
    /// How many more values may come.
    values_left: usize,
    depth_max: usize,
}

/// What follows after a value.
enum Next {
    Value,
    End,
}

/// Reads `text` into a tape whose first node is the root. The caps are arguments so that a test can reach them.
pub(super) fn parse(text: &[u8], values_max: usize, depth_max: usize) -> Parsed<Vec<Node>> {
    let mut parser = Parser {
        text,
        at: 0,
        nodes: Vec::with_capacity(text.len() / 16 + 4),
        open: Vec::with_capacity(depth_max),
        space_end: 0,
        values_left: values_max,
        depth_max,
    };
    if u32::try_from(text.len()).is_err() {
        return Err(parser.fault(0, JsonErrorKind::TooLarge, "The document is longer than 4 GiB"));
    }
    if let Err(fault) = std::str::from_utf8(text) {
        return Err(parser.fault(fault.valid_up_to(), JsonErrorKind::NotUtf8, "The bytes are not UTF-8"));
    }
    if text.starts_with(b"\xEF\xBB\xBF") {
        return Err(parser.fault(0, JsonErrorKind::Syntax, "JSON does not start with a byte order mark"));
    }
    parser.document()?;
    Ok(parser.nodes)
}

impl Parser<'_> {
    fn document(&mut self) -> Parsed<()> {
        self.space();
        loop {
            let complete = self.value()?;
            if !complete {
                continue;
            }
            match self.after_value()? {
                Next::Value => {}
                Next::End => break,
            }
        }
        self.space();
        if self.at < self.text.len() {
            return Err(self.fault(
                self.at,
                JsonErrorKind::TrailingBytes,
                "There is something after the end of the document",
            ));
        }
        Ok(())
    }

    /// Reads one value that starts here. False if it was the opening of a container whose first value comes next.
    fn value(&mut self) -> Parsed<bool> {
        let start = self.at;
        if self.values_left == 0 {
            return Err(self.fault(start, JsonErrorKind::TooLarge, "The document has more values than are allowed"));
        }
        self.values_left -= 1;
        match self.text.get(start) {
            Some(b'"') => {
                let escaped = self.string()?;
                self.push(start, ValueKind::String, escaped);
            }
            Some(b'{') => return self.open_object(),
            Some(b'[') => return self.open_array(),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                self.push(start, ValueKind::Number, false);
            }
            Some(b't') => self.literal(b"true", ValueKind::Bool)?,
            Some(b'f') => self.literal(b"false", ValueKind::Bool)?,
            Some(b'n') => self.literal(b"null", ValueKind::Null)?,
            _ => return Err(self.unexpected("Expected a value")),
        }
        Ok(true)
    }

    fn open_object(&mut self) -> Parsed<bool> {
        self.open_container(ValueKind::Object)?;
        if self.text.get(self.at) == Some(&b'}') {
            self.close()?;
            return Ok(true);
        }
        self.key()?;
        Ok(false)
    }

    fn open_array(&mut self) -> Parsed<bool> {
        self.open_container(ValueKind::Array)?;
        if self.text.get(self.at) == Some(&b']') {
            self.close()?;
            return Ok(true);
        }
        Ok(false)
    }

    fn open_container(&mut self, kind: ValueKind) -> Parsed<()> {
        if self.open.len() >= self.depth_max {
            return Err(self.fault(self.at, JsonErrorKind::Depth, "The document is nested too deep"));
        }
        let node = index(self.nodes.len());
        self.at += 1;
        self.push(self.at - 1, kind, false);
        self.open.push(Open { node, object: kind == ValueKind::Object, count: 0, shadows: false });
        self.space();
        Ok(())
    }

    /// After a value: closes what closes here, and moves to the next value if there is one.
    fn after_value(&mut self) -> Parsed<Next> {
        loop {
            let Some(top) = self.open.last_mut() else { return Ok(Next::End) };
            top.count += 1;
            let object = top.object;
            self.space();
            match (self.text.get(self.at), object) {
                (Some(b','), _) => {
                    self.at += 1;
                    self.space();
                    if object {
                        self.key()?;
                    }
                    return Ok(Next::Value);
                }
                (Some(b'}'), true) | (Some(b']'), false) => self.close()?,
                (_, true) => return Err(self.unexpected("Expected a comma or the end of the object")),
                (_, false) => return Err(self.unexpected("Expected a comma or the end of the array")),
            }
        }
    }

    fn close(&mut self) -> Parsed<()> {
        self.at += 1;
        let Some(closed) = self.open.pop() else { return Ok(()) };
        let next = index(self.nodes.len());
        if closed.object && closed.count > 1 {
            self.refuse_duplicates(closed.node as usize, closed.count as usize)?;
        }
        let end = index(self.at);
        if let Some(node) = self.nodes.get_mut(closed.node as usize) {
            let tight = self.space_end <= node.start as usize;
            node.close(end, next, closed.count, tight);
            if closed.shadows {
                node.mark_shadows();
            }
        }
        Ok(())
    }

    /// A member name, the colon and the white space around it.
    fn key(&mut self) -> Parsed<()> {
        let start = self.at;
        if self.text.get(start) != Some(&b'"') {
            return Err(self.unexpected("Expected a member name in quotes"));
        }
        let escaped = self.string()?;
        let name = self.text.get(start + 1..self.at - 1).unwrap_or_default();
        let hash = if escaped { hash(text::unescape(name).as_bytes()) } else { hash(name) };
        self.nodes.push(Node::key(index(start), index(self.at), hash, escaped));
        if escaped || name.first() == Some(&b'_') {
            self.open.last_mut().into_iter().for_each(|open| open.shadows = true);
        }
        self.space();
        if self.text.get(self.at) != Some(&b':') {
            return Err(self.unexpected("Expected a colon after the member name"));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Reads over a string that starts here. True if it has escapes.
    fn string(&mut self) -> Parsed<bool> {
        let mut at = self.at + 1;
        let mut escaped = false;
        loop {
            at = scan::string_stop(self.text, at);
            match self.text.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    at = text::escape_end(self.text, at).map_err(|(at, kind, what)| self.fault(at, kind, what))?;
                }
                Some(_) => {
                    return Err(self.fault(
                        at,
                        JsonErrorKind::Syntax,
                        "A control character in a string must be escaped",
                    ));
                }
                None => return Err(self.fault(at, JsonErrorKind::Truncated, "The document ends inside a string")),
            }
        }
    }

    fn number(&mut self) -> Parsed<()> {
        match text::number_end(self.text, self.at) {
            Ok(end) => {
                self.at = end;
                Ok(())
            }
            Err(at) => {
                self.at = at;
                Err(self.unexpected("This is not a number in JSON's spelling"))
            }
        }
    }

    fn literal(&mut self, word: &'static [u8], kind: ValueKind) -> Parsed<()> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        if !rest.starts_with(word) {
            // Only the part that is there can be wrong: `tru` at the end of the text is truncated.
            self.at += rest.iter().zip(word).take_while(|(a, b)| a == b).count();
            return Err(self.unexpected("Expected a value"));
        }
        self.at += word.len();
        self.push(start, kind, false);
        Ok(())
    }

    fn push(&mut self, start: usize, kind: ValueKind, escaped: bool) {
        let next = index(self.nodes.len() + 1);
        self.nodes.push(Node::value(index(start), index(self.at), next, kind, escaped));
    }

    fn space(&mut self) {
        if matches!(self.text.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at = scan::skip_space(self.text, self.at);
            self.space_end = self.at;
        }
    }

    /// Refuses an object in which two members have the same name, however they are spelt.
    fn refuse_duplicates(&self, object: usize, count: usize) -> Parsed<()> {
        let keys = Keys { nodes: &self.nodes, at: object + 1 };
        let twice = if count <= PAIRWISE_MAX { self.twice_among_few(keys) } else { self.twice_among_many(keys, count) };
        match twice {
            Some(key) => {
                let start = self.nodes.get(key).map_or(0, |node| node.start as usize);
                Err(self.fault(start, JsonErrorKind::DuplicateKey, "This member name occurs twice in its object"))
            }
            None => Ok(()),
        }
    }

    fn twice_among_few(&self, keys: Keys<'_>) -> Option<usize> {
        let mut seen = [(0_u32, 0_usize); PAIRWISE_MAX];
        for (count, key) in keys.enumerate() {
            let hash = self.nodes.get(key)?.key_hash();
            for &(other_hash, other) in seen.get(..count)? {
                if other_hash == hash && self.name(other) == self.name(key) {
                    return Some(key);
                }
            }
            *seen.get_mut(count)? = (hash, key);
        }
        None
    }

    /// By sorting rather than by hashing: nobody can choose names that make it slow.
    fn twice_among_many(&self, keys: Keys<'_>, count: usize) -> Option<usize> {
        let mut names = Vec::with_capacity(count);
        names.extend(keys.map(|key| (self.name(key), key)));
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1)
    }

    fn name(&self, key: usize) -> Cow<'_, [u8]> {
        let Some(node) = self.nodes.get(key) else { return Cow::Borrowed(&[]) };
        let raw = self.text.get(node.start as usize + 1..node.end as usize - 1).unwrap_or_default();
        if node.escaped() { Cow::Owned(text::unescape(raw).into_bytes()) } else { Cow::Borrowed(raw) }
    }

    fn unexpected(&self, what: &'static str) -> JsonError {
        if self.at >= self.text.len() {
            let what = if self.text.is_empty() { "The document is empty" } else { "The document ends too early" };
            return self.fault(self.at, JsonErrorKind::Truncated, what);
        }
        self.fault(self.at, JsonErrorKind::Syntax, what)
    }

    fn fault(&self, at: usize, kind: JsonErrorKind, what: &'static str) -> JsonError {
        JsonError::at(self.text, at, kind, what)
    }
}

/// The key nodes of an object, read off the tape.
struct Keys<'a> {
    nodes: &'a [Node],
    at: usize,
}

impl Iterator for Keys<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let key = self.at;
        self.at = self.nodes.get(key + 1)?.next as usize;
        Some(key)
    }
}

/// A text is at most 4 GiB long (checked first) and has fewer nodes than bytes, so this never saturates.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A hash of a member name that is only there to save comparisons: length and both ends.
pub(super) fn hash(name: &[u8]) -> u32 {
    let mut head = [0; 8];
    let mut tail = [0; 8];
    let size = name.len().min(8);
    head[..size].copy_from_slice(&name[..size]);
    tail[..size].copy_from_slice(&name[name.len() - size..]);
    let mixed = u64::from_le_bytes(head)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(29)
        .wrapping_add(u64::from_le_bytes(tail) ^ name.len() as u64)
        .wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (mixed >> 32) as u32
}
