//! What can be wrong with an XML document, and where.

use std::fmt;

use iris_kernel::{Fault, limits};

/// Longest path that a fault carries, in bytes.
const PATH_BYTES_MAX: usize = 512;

/// The sort of an [`XmlFault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum XmlFaultKind {
    /// Not well-formed by XML 1.0 or its namespaces.
    Syntax,
    /// The document ends in the middle of an element.
    Truncated,
    /// Bytes that are not UTF-8, or a declaration of another encoding.
    NotUtf8,
    /// A document type declaration, and with it every declared or external entity.
    Doctype,
    /// A reference to an entity that XML itself does not have.
    Entity,
    /// Nested deeper than [`crate::XML_DEPTH_MAX`], or than [`limits::JSON_DEPTH_MAX`] in JSON.
    Depth,
    /// More bytes, attributes or namespaces than are allowed.
    TooLarge,
    /// An element that is in the wrong namespace.
    Namespace,
    /// A resource type that R4 does not have, or none or several where there is one.
    Resource,
    /// An element that its parent does not have.
    Element,
    /// An attribute that its element does not have.
    Attribute,
    /// An element before one that precedes it in the definitions.
    Order,
    /// An element twice that does not repeat.
    Repeated,
    /// Text between elements.
    Text,
    /// A value that JSON cannot say, or none where there must be one.
    Value,
    /// Not a fault: how many more there are than are listed.
    More,
}

/// Something wrong with an XML document. The message never repeats the document's values, which may be PHI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlFault {
    /// The sort.
    pub kind: XmlFaultKind,
    /// What is wrong, in words.
    pub what: String,
    /// Line, from 1; 0 for the whole document.
    pub line: usize,
    /// Column in characters, from 1; 0 for the whole document.
    pub column: usize,
    /// The element, as a FHIRPath expression (`Patient.name[0].given[1]`); empty outside the resource.
    pub path: String,
}

impl XmlFault {
    /// A fault of the whole document.
    pub(crate) fn whole(what: impl Into<String>) -> Self {
        Self { kind: XmlFaultKind::Value, what: what.into(), line: 0, column: 0, path: String::new() }
    }
}

impl fmt::Display for XmlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.what)?;
        if self.line > 0 { write!(f, " (line {}, column {})", self.line, self.column) } else { Ok(()) }
    }
}

impl std::error::Error for XmlFault {}

impl From<&XmlFault> for Fault {
    /// The path as the place; line and column in the sentence.
    fn from(fault: &XmlFault) -> Self {
        let what = if fault.line > 0 {
            format!("{} (line {}, column {})", fault.what, fault.line, fault.column)
        } else {
            fault.what.clone()
        };
        Self::new(fault.path.clone(), what)
    }
}

/// What the scanner stops at: a byte offset, the sort, and words for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) at: usize,
    pub(crate) kind: XmlFaultKind,
    pub(crate) what: &'static str,
}

impl Refusal {
    pub(crate) const fn new(at: usize, kind: XmlFaultKind, what: &'static str) -> Self {
        Self { at, kind, what }
    }

    pub(crate) const fn syntax(at: usize, what: &'static str) -> Self {
        Self::new(at, XmlFaultKind::Syntax, what)
    }
}

/// The faults so far.
pub(crate) struct Faults<'a> {
    text: &'a [u8],
    listed: Vec<XmlFault>,
    more: usize,
    /// A byte offset, its line, and where that line starts: lines are counted on from here, since faults come in order.
    reached: (usize, usize, usize),
}

impl<'a> Faults<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, listed: Vec::new(), more: 0, reached: (0, 1, 0) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Lists a fault at a byte offset; the path is only made if there is room for it.
    pub(crate) fn add(&mut self, refusal: Refusal, what: impl Into<String>, path: impl FnOnce() -> String) {
        if self.listed.len() >= limits::FAULTS_MAX {
            self.more += 1;
            return;
        }
        let (line, column) = self.place(refusal.at);
        let mut path = path();
        if path.len() > PATH_BYTES_MAX {
            path.truncate(path.floor_char_boundary(PATH_BYTES_MAX));
            path.push('…');
        }
        self.listed.push(XmlFault { kind: refusal.kind, what: what.into(), line, column, path });
    }

    fn place(&mut self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let (from, mut line, mut line_start) = if at >= self.reached.0 { self.reached } else { (0, 1, 0) };
        for end in memchr::memchr_iter(b'\n', self.text.get(from..at).unwrap_or_default()) {
            line += 1;
            line_start = from + end + 1;
        }
        self.reached = (at, line, line_start);
        let before = self.text.get(line_start..at).unwrap_or_default();
        // Continuation bytes are no characters of their own.
        (line, 1 + before.iter().filter(|&&byte| byte & 0xC0 != 0x80).count())
    }

    /// The list; if there were more than it may hold, its last entry says how many.
    pub(crate) fn finish(mut self) -> Vec<XmlFault> {
        if self.more > 0 {
            let mut more = XmlFault::whole(format!("There are {} more faults", self.more));
            more.kind = XmlFaultKind::More;
            self.listed.push(more);
        }
        self.listed
    }
}
