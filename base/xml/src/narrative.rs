//! Narrative: one XHTML `div`, kept as it stands.

use std::borrow::Cow;

use crate::XHTML;
use crate::chars::{attribute_value, is_space};
use crate::fault::{Refusal, XmlFaultKind};
use crate::scan::{Scanner, Space, Start, Token, check_characters};
use crate::write::escape;

/// Reads on to the end of a `div` in the namespace of XHTML. The text as it stands if it is one that can stand by itself; else
/// without prefixes and with the namespace, so that it can. What cannot be said so is a fault, beside a text of no use.
pub(crate) fn read<'a>(scanner: &mut Scanner<'a>, div: Start<'a>) -> Result<(Cow<'a, str>, Option<Refusal>), Refusal> {
    if div.name == div.local && div.declares_default {
        return as_it_stands(scanner, div);
    }
    let outside = scanner.depth() - 1;
    let mut out = String::new();
    let mut fault = None;
    start_tag(scanner, div, Some(XHTML), &mut out, &mut fault);
    let mut from = scanner.offset();
    while scanner.depth() > outside {
        let token = scanner.next()?;
        let raw = scanner.slice(from, scanner.offset());
        match token {
            Token::Start(start) => start_tag(scanner, start, None, &mut out, &mut fault),
            // Nothing where the start has said so already.
            Token::End(_) if raw.is_empty() => {}
            Token::End(_) => {
                let name = raw.trim_start_matches("</");
                out.push_str("</");
                out.push_str(name.split_once(':').map_or(name, |(_, local)| local));
            }
            _ => out.push_str(raw),
        }
        from = scanner.offset();
    }
    Ok((Cow::Owned(out), fault))
}

fn as_it_stands<'a>(scanner: &mut Scanner<'a>, div: Start<'a>) -> Result<(Cow<'a, str>, Option<Refusal>), Refusal> {
    let depth = scanner.depth();
    let mut fault = leans_out(div, depth);
    while scanner.depth() >= depth {
        if let Token::Start(start) = scanner.next()? {
            fault = fault.or(leans_out(start, depth));
        }
    }
    Ok((Cow::Borrowed(scanner.slice(div.at, scanner.offset())), fault))
}

/// A prefix that is declared outside of the narrative would be lost with what is around it.
fn leans_out(start: Start<'_>, depth: usize) -> Option<Refusal> {
    let what = "Narrative uses a prefix that is declared outside of it";
    (start.prefix_depth < depth).then(|| Refusal::new(start.at, XmlFaultKind::Namespace, what))
}

/// Writes a start tag without prefixes.
fn start_tag(
    scanner: &Scanner<'_>,
    start: Start<'_>,
    declare: Option<&str>,
    out: &mut String,
    fault: &mut Option<Refusal>,
) {
    let foreign = |space: Space| !matches!(space, Space::None | Space::Xml);
    if start.space != Space::Xhtml || scanner.attributes().iter().any(|attribute| foreign(attribute.space)) {
        let what = "Narrative with prefixes holds nothing but XHTML";
        fault.get_or_insert(Refusal::new(start.at, XmlFaultKind::Namespace, what));
    }
    out.push('<');
    out.push_str(start.local);
    if let Some(uri) = declare {
        out.push_str(" xmlns=\"");
        out.push_str(uri);
        out.push('"');
    }
    for attribute in scanner.attributes() {
        out.push(' ');
        out.push_str(attribute.raw);
    }
    out.push_str(if start.empty { "/>" } else { ">" });
}

/// The `div` of a JSON string as it can stand in a document.
///
/// # Errors
/// What keeps it from that, in words.
pub(crate) fn for_document(text: &str) -> Result<Cow<'_, str>, &'static str> {
    const NOT_A_DIV: &str = "Narrative is one XHTML div element";
    let text = text.trim_matches(|c: char| c.is_ascii() && is_space(c as u8));
    let Some(inside) = text.strip_prefix("<div") else { return Err(NOT_A_DIV) };
    let div = root(text).map_err(|refusal| refusal.what)?;
    if !text.ends_with("</div>") && !text.ends_with("/>") || div.name != "div" {
        return Err(NOT_A_DIV);
    }
    match div.space {
        Space::Xhtml => Ok(Cow::Borrowed(text)),
        Space::None if !div.declares_default => Ok(Cow::Owned(format!("<div xmlns=\"{XHTML}\"{inside}"))),
        _ => Err("Narrative is in the namespace http://www.w3.org/1999/xhtml"),
    }
}

/// What narrative consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NarrativePart<'p> {
    /// The start of an element.
    Start {
        /// Its name without prefix.
        name: &'p str,
        /// Whether it is in the namespace of XHTML.
        is_xhtml: bool,
    },
    /// An attribute of the element that started last; declarations of namespaces are none.
    Attribute {
        /// Its name as it stands there.
        name: &'p str,
        /// Its value, references replaced.
        value: Cow<'p, str>,
    },
    /// Text that is not only white space.
    Text,
    /// A processing instruction.
    Instruction,
}

/// Shows each part of a text that is one XML element, in its order.
///
/// # Errors
/// Why the text is not well-formed, in words that repeat nothing of it; or more than the limits of a document allow.
pub fn narrative_parts(text: &str, mut each: impl FnMut(NarrativePart<'_>)) -> Result<(), &'static str> {
    let checked = check_characters(text.as_bytes()).map_err(|refusal| refusal.what)?;
    let mut scanner = Scanner::new(checked).map_err(|refusal| refusal.what)?;
    loop {
        let from = scanner.offset();
        match scanner.next().map_err(|refusal| refusal.what)? {
            Token::Start(start) => {
                each(NarrativePart::Start { name: start.local, is_xhtml: start.space == Space::Xhtml });
                for attribute in scanner.attributes() {
                    each(NarrativePart::Attribute { name: attribute.name, value: attribute_value(attribute.value) });
                }
            }
            Token::Text { blank: false, .. } => each(NarrativePart::Text),
            Token::Aside if scanner.slice(from, scanner.offset()).starts_with("<?") => each(NarrativePart::Instruction),
            Token::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// A text that is one XML element, with other links: `new` is asked for each `href` of an `a` and each `src` of an `img` of XHTML,
/// references in it replaced, and gives what is to stand there. All else stays to the byte. `None` where nothing is to be replaced.
///
/// # Errors
/// As [`narrative_parts`].
pub fn narrative_relinked(
    text: &str,
    mut new: impl FnMut(&str) -> Option<String>,
) -> Result<Option<String>, &'static str> {
    let checked = check_characters(text.as_bytes()).map_err(|refusal| refusal.what)?;
    let mut scanner = Scanner::new(checked).map_err(|refusal| refusal.what)?;
    let (mut out, mut copied) = (Vec::new(), 0);
    loop {
        match scanner.next().map_err(|refusal| refusal.what)? {
            Token::Start(start) if start.space == Space::Xhtml => {
                for attribute in scanner.attributes() {
                    if attribute.space != Space::None || !matches!((start.local, attribute.local), LINK | IMAGE) {
                        continue;
                    }
                    let Some(link) = new(&attribute_value(attribute.value)) else { continue };
                    // What stands between the quotes ends right before the last of them.
                    let end = attribute.at + attribute.raw.len() - 1;
                    out.extend_from_slice(scanner.slice(copied, end - attribute.value.len()).as_bytes());
                    for (at, piece) in link.split('\'').enumerate() {
                        out.extend_from_slice(if at == 0 { b"" } else { b"&#39;" });
                        escape(piece, &mut out);
                    }
                    copied = end;
                }
            }
            Token::Eof => break,
            _ => {}
        }
    }
    if copied == 0 {
        return Ok(None);
    }
    out.extend_from_slice(scanner.slice(copied, checked.len()).as_bytes());
    String::from_utf8(out).map(Some).map_err(|_| "The narrative could not be written")
}

/// What links from a narrative (R4 http.html#3.1.0.11.2), as element and attribute.
const LINK: (&str, &str) = ("a", "href");
const IMAGE: (&str, &str) = ("img", "src");

/// The root of a text that is well-formed as a whole.
fn root(text: &str) -> Result<Start<'_>, Refusal> {
    let mut scanner = Scanner::new(check_characters(text.as_bytes())?)?;
    let mut root = None;
    loop {
        match scanner.next()? {
            Token::Start(start) => root = root.or(Some(start)),
            Token::Eof => break,
            _ => {}
        }
    }
    root.ok_or(Refusal::syntax(0, "There is no element"))
}
