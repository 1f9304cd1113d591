//! The scanner: bytes to tokens, namespaces resolved, strictly by XML 1.0. It keeps no text of its own, and nothing in it
//! grows but the list of open elements, which has a limit.

use crate::chars::{self, is_space};
use crate::fault::{Refusal, XmlFaultKind};
use crate::scope::{Scope, XML};
use crate::{ATTRIBUTES_MAX, FHIR, XHTML, XML_DEPTH_MAX};

/// A namespace, as far as anybody here cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    Fhir,
    Xhtml,
    /// None at all.
    None,
    Xml,
    SchemaInstance,
    Other,
}

const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

impl Space {
    fn of(uri: &str) -> Self {
        match uri {
            FHIR => Self::Fhir,
            XHTML => Self::Xhtml,
            "" => Self::None,
            XML => Self::Xml,
            SCHEMA_INSTANCE => Self::SchemaInstance,
            _ => Self::Other,
        }
    }
}

/// An attribute that declares no namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    /// Its name as it stands there.
    pub(crate) name: &'a str,
    /// Its name without prefix.
    pub(crate) local: &'a str,
    pub(crate) space: Space,
    /// Between the quotes: references checked, not replaced.
    pub(crate) value: &'a str,
    /// From the name to the closing quote.
    pub(crate) raw: &'a str,
    /// Byte offset of the name.
    pub(crate) at: usize,
}

/// The start of an element; its attributes are [`Scanner::attributes`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    pub(crate) name: &'a str,
    pub(crate) local: &'a str,
    pub(crate) space: Space,
    /// Byte offset of the `<`.
    pub(crate) at: usize,
    /// Whether the end is in the same tag. An end token follows all the same.
    pub(crate) empty: bool,
    /// Whether the default namespace is declared right here.
    pub(crate) declares_default: bool,
    /// The smallest depth at which a prefix that is used here was declared.
    pub(crate) prefix_depth: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Token<'a> {
    Start(Start<'a>),
    /// The byte offset after it.
    End(usize),
    /// Text or a CDATA section, which may be white space only.
    Text {
        blank: bool,
        at: usize,
    },
    /// A comment or a processing instruction.
    Aside,
    /// The end of a document whose root was closed.
    Eof,
}

pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The names of the open elements.
    open: Vec<&'a str>,
    scope: Scope<'a>,
    attributes: Vec<Attribute<'a>>,
    /// The last tag was `<a/>`: its end comes next.
    end_pending: bool,
    root_seen: bool,
}

type Scanned<T> = Result<T, Refusal>;

impl<'a> Scanner<'a> {
    /// A scanner at the start of a document whose characters have been checked ([`check_characters`]).
    pub(crate) fn new(text: &'a str) -> Scanned<Self> {
        let mut scanner = Self {
            text,
            at: 0,
            open: Vec::new(),
            scope: Scope::default(),
            attributes: Vec::new(),
            end_pending: false,
            root_seen: false,
        };
        if text.starts_with('\u{FEFF}') {
            scanner.at = 3;
        }
        scanner.declaration()?;
        Ok(scanner)
    }

    pub(crate) fn attributes(&self) -> &[Attribute<'a>] {
        &self.attributes
    }

    /// How many elements are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// How far it has read, in bytes.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// The text from one byte offset to another.
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn truncated(&self) -> Refusal {
        Refusal::new(self.text.len(), XmlFaultKind::Truncated, "The document ends too early")
    }

    fn syntax<T>(&self, what: &'static str) -> Scanned<T> {
        Err(if self.at >= self.text.len() { self.truncated() } else { Refusal::syntax(self.at, what) })
    }

    pub(crate) fn next(&mut self) -> Scanned<Token<'a>> {
        if self.end_pending {
            self.end_pending = false;
            return Ok(self.closed());
        }
        let rest = self.rest();
        match rest.as_bytes() {
            [] if self.root_seen && self.open.is_empty() => Ok(Token::Eof),
            [] => Err(self.truncated()),
            [b'<', b'/', ..] => self.end_tag(),
            [b'<', b'?', ..] => self.instruction(),
            [b'<', b'!', ..] => self.markup(),
            [b'<', ..] => self.start_tag(),
            _ => self.characters(),
        }
    }

    fn characters(&mut self) -> Scanned<Token<'a>> {
        let rest = self.rest();
        let end = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        let blank = chars::is_blank(text);
        if self.open.is_empty() && !blank {
            return self.syntax("There is text outside of the root element");
        }
        if !blank {
            chars::check_references(text, self.at)?;
            if let Some(at) = memchr::memmem::find(text.as_bytes(), b"]]>") {
                return Err(Refusal::syntax(self.at + at, "]]> is written ]]&gt;"));
            }
        }
        let at = self.at + text.bytes().take_while(|byte| is_space(*byte)).count();
        self.at += end;
        Ok(Token::Text { blank, at })
    }

    /// Comments, CDATA sections, and what is refused: document type declarations.
    fn markup(&mut self) -> Scanned<Token<'a>> {
        let rest = self.rest();
        let at = self.at;
        if let Some(comment) = rest.strip_prefix("<!--") {
            let Some(end) = comment.find("--") else { return Err(self.truncated()) };
            self.at += 4 + end + 2;
            if self.byte() != Some(b'>') {
                return self.syntax("There is no -- inside a comment");
            }
            self.at += 1;
            return Ok(Token::Aside);
        }
        if let Some(section) = rest.strip_prefix("<![CDATA[") {
            if self.open.is_empty() {
                return self.syntax("There is text outside of the root element");
            }
            let Some(end) = section.find("]]>") else { return Err(self.truncated()) };
            self.at += 9 + end + 3;
            return Ok(Token::Text { blank: chars::is_blank(section.get(..end).unwrap_or_default()), at });
        }
        if rest.starts_with("<!DOCTYPE") {
            let what = "There is a document type declaration, which FHIR's XML does not have: no entity is declared or fetched";
            return Err(Refusal::new(at, XmlFaultKind::Doctype, what));
        }
        self.syntax("There is no such markup")
    }

    fn instruction(&mut self) -> Scanned<Token<'a>> {
        let inside = self.rest().get(2..).unwrap_or_default();
        let Some(end) = inside.find("?>") else { return Err(self.truncated()) };
        let inside = inside.get(..end).unwrap_or_default();
        let target = inside.split(|c: char| c.is_ascii() && is_space(c as u8)).next().unwrap_or_default();
        if target.eq_ignore_ascii_case("xml") {
            return self.syntax("An XML declaration stands at the very start, once");
        }
        if !chars::is_name(target) {
            return self.syntax("A processing instruction has a name");
        }
        self.at += 2 + end + 2;
        Ok(Token::Aside)
    }

    /// `<?xml version="1.0" encoding="UTF-8"?>` at the start, if it is there.
    fn declaration(&mut self) -> Scanned<()> {
        let Some(inside) =
            self.rest().strip_prefix("<?xml").filter(|rest| rest.starts_with([' ', '\t', '\n', '\r', '?']))
        else {
            return Ok(());
        };
        if !inside.contains("?>") {
            return Err(self.truncated());
        }
        self.at += 5;
        // How far in the fixed order it is: version, encoding, standalone.
        let mut reached = 0;
        while self.space() {
            if self.byte() == Some(b'?') {
                break;
            }
            let at = self.at;
            let (name, value) = self.pair()?;
            reached = match (name, reached) {
                ("version", 0) if value == "1.0" => 1,
                ("version", 0) => return Err(Refusal::syntax(at, "Only XML 1.0 is read")),
                ("encoding", 1) if value.eq_ignore_ascii_case("utf-8") => 2,
                ("encoding", 1) => {
                    return Err(Refusal::new(at, XmlFaultKind::NotUtf8, "FHIR is exchanged in UTF-8 only"));
                }
                ("standalone", 1 | 2) if matches!(value, "yes" | "no") => 3,
                _ => return Err(Refusal::syntax(at, "An XML declaration has a version, an encoding and standalone")),
            };
        }
        if reached == 0 || !self.rest().starts_with("?>") {
            return self.syntax("An XML declaration has a version and ends with ?>");
        }
        self.at += 2;
        Ok(())
    }

    /// Skips white space; whether there was any.
    fn space(&mut self) -> bool {
        let from = self.at;
        while self.byte().is_some_and(is_space) {
            self.at += 1;
        }
        self.at > from
    }

    /// A name, maybe with a prefix: the whole and the two parts.
    fn name(&mut self) -> Scanned<(&'a str, &'a str, &'a str)> {
        let rest = self.rest();
        let end = rest.bytes().position(chars::ends_name).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let fine = chars::is_name(local) && (prefix.is_empty() && !name.starts_with(':') || chars::is_name(prefix));
        if !fine {
            return self.syntax("Expected a name");
        }
        self.at += end;
        Ok((name, prefix, local))
    }

    /// `name = "value"`: the name and what is between the quotes, with its references checked.
    fn pair(&mut self) -> Scanned<(&'a str, &'a str)> {
        let (name, _, _) = self.name()?;
        self.space();
        if self.byte() != Some(b'=') {
            return self.syntax("An attribute has a value");
        }
        self.at += 1;
        self.space();
        let Some(quote @ (b'"' | b'\'')) = self.byte() else { return self.syntax("A value stands in quotes") };
        self.at += 1;
        let rest = self.rest();
        let Some(end) = memchr::memchr2(quote, b'<', rest.as_bytes()) else { return Err(self.truncated()) };
        let value = rest.get(..end).unwrap_or_default();
        chars::check_references(value, self.at)?;
        self.at += end;
        if self.byte() == Some(b'<') {
            return self.syntax("In a value, < is written &lt;");
        }
        self.at += 1;
        Ok((name, value))
    }

    fn start_tag(&mut self) -> Scanned<Token<'a>> {
        let at = self.at;
        if self.open.is_empty() && self.root_seen {
            return self.syntax("There is more than one root element");
        }
        if self.open.len() >= XML_DEPTH_MAX {
            return Err(Refusal::new(at, XmlFaultKind::Depth, "The document is nested too deep"));
        }
        self.at += 1;
        let (name, prefix, local) = self.name()?;
        self.open.push(name);
        self.root_seen = true;
        let declares_default = self.attributes_of_tag()?;
        let empty = self.byte() == Some(b'/');
        self.at += usize::from(empty);
        if self.byte() != Some(b'>') {
            return self.syntax("Expected > at the end of the tag");
        }
        self.at += 1;
        self.end_pending = empty;
        let Some((uri, mut prefix_depth)) = self.scope.resolve(prefix) else {
            return Err(Refusal::syntax(at, "The prefix of this element is not declared"));
        };
        let space = Space::of(uri);
        if prefix.is_empty() {
            prefix_depth = usize::MAX;
        }
        let prefix_depth = prefix_depth.min(self.resolve_attributes()?);
        Ok(Token::Start(Start { name, local, space, at, empty, declares_default, prefix_depth }))
    }

    /// Reads the attributes up to the end of the tag; whether one of them declares the default namespace.
    fn attributes_of_tag(&mut self) -> Scanned<bool> {
        self.attributes.clear();
        let mut declares_default = false;
        let (mut count, depth) = (0, self.open.len());
        let mut declared: smallvec::SmallVec<[&str; 8]> = smallvec::SmallVec::new();
        loop {
            let spaced = self.space();
            match self.byte() {
                Some(b'/' | b'>') => return Ok(declares_default),
                Some(_) if !spaced => return self.syntax("Expected white space or the end of the tag"),
                _ => {}
            }
            let at = self.at;
            let (name, value) = self.pair()?;
            count += 1;
            if count > ATTRIBUTES_MAX {
                return Err(Refusal::new(at, XmlFaultKind::TooLarge, "The element has too many attributes"));
            }
            let prefix = if name == "xmlns" { Some("") } else { name.strip_prefix("xmlns:") };
            let Some(prefix) = prefix else {
                let local = name.split_once(':').map_or(name, |(_, local)| local);
                let raw = self.slice(at, self.at);
                if self.attributes.iter().any(|other| other.name == name) {
                    return Err(Refusal::syntax(at, "The element has this attribute twice"));
                }
                self.attributes.push(Attribute { name, local, space: Space::None, value, raw, at });
                continue;
            };
            if declared.contains(&name) {
                return Err(Refusal::syntax(at, "The element has this attribute twice"));
            }
            declared.push(name);
            declares_default |= prefix.is_empty();
            self.scope.declare(prefix, chars::attribute_value(value), depth, at)?;
        }
    }

    /// Gives the attributes their namespaces; the smallest depth at which one of their prefixes was declared.
    fn resolve_attributes(&mut self) -> Scanned<usize> {
        let mut least = usize::MAX;
        for at in 0..self.attributes.len() {
            let Some(attribute) = self.attributes.get(at).copied() else { break };
            let Some((prefix, _)) = attribute.name.split_once(':') else { continue };
            let Some((uri, depth)) = self.scope.resolve(prefix) else {
                return Err(Refusal::syntax(attribute.at, "The prefix of this attribute is not declared"));
            };
            let others = self.attributes.get(..at).unwrap_or_default();
            let same = |other: &&Attribute<'_>| {
                let prefix = other.name.split_once(':').map(|(prefix, _)| prefix);
                other.local == attribute.local
                    && prefix.and_then(|prefix| self.scope.resolve(prefix)).map(|(uri, _)| uri) == Some(uri)
            };
            if others.iter().find(same).is_some() {
                return Err(Refusal::syntax(attribute.at, "The element has this attribute twice, by two prefixes"));
            }
            least = least.min(depth);
            let space = Space::of(uri);
            if let Some(attribute) = self.attributes.get_mut(at) {
                attribute.space = space;
            }
        }
        Ok(least)
    }

    fn end_tag(&mut self) -> Scanned<Token<'a>> {
        let at = self.at;
        self.at += 2;
        let (name, _, _) = self.name()?;
        if self.open.last() != Some(&name) {
            return Err(Refusal::syntax(at, "This is not the end of the element that is open"));
        }
        self.space();
        if self.byte() != Some(b'>') {
            return self.syntax("Expected > at the end of the tag");
        }
        self.at += 1;
        Ok(self.closed())
    }

    fn closed(&mut self) -> Token<'a> {
        self.open.pop();
        self.scope.leave(self.open.len());
        Token::End(self.at)
    }

    /// Reads on to the end of the element that was opened last. What is in it is well-formed, and nothing else is known.
    pub(crate) fn skip(&mut self) -> Scanned<()> {
        let outside = self.open.len().saturating_sub(1);
        while self.open.len() > outside {
            self.next()?;
        }
        Ok(())
    }
}

/// The text of a document: UTF-8, and only characters that XML has.
pub(crate) fn check_characters(xml: &[u8]) -> Scanned<&str> {
    let text = std::str::from_utf8(xml).map_err(|fault| {
        let what = if xml.starts_with(b"\xFE\xFF") || xml.starts_with(b"\xFF\xFE") {
            "The document is in UTF-16; FHIR is exchanged in UTF-8 only"
        } else {
            "The bytes are not UTF-8"
        };
        Refusal::new(fault.valid_up_to(), XmlFaultKind::NotUtf8, what)
    })?;
    match chars::first_alien(xml) {
        Some(at) => Err(Refusal::syntax(at, "XML does not have this character")),
        None => Ok(text),
    }
}

/// Whether a document is well-formed, and where not. Of the content nothing is asked.
#[cfg(test)]
pub(crate) fn well_formed(xml: &[u8]) -> Scanned<()> {
    let mut scanner = Scanner::new(check_characters(xml)?)?;
    while !matches!(scanner.next()?, Token::Eof) {}
    Ok(())
}
