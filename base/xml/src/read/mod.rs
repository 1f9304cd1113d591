//! XML to JSON text, in one pass and without recursion. An element is written as soon as it starts; only the ids and
//! extensions of repeated primitives wait beside, because JSON has them in an array of their own.

mod frame;
mod value;

use iris_fhir::definitions::{Definitions, Element, ElementType, Primitive, Shape, Structure, definitions};
use iris_fhir::json::write_string;
use iris_kernel::limits;

use crate::fault::{Faults, Refusal, XmlFault, XmlFaultKind};
use crate::scan::{Scanner, Space, Start, Token, check_characters};
use crate::{XML_BYTES_MAX, chars, narrative};

use frame::{Content, Frame, Run};

/// Longest name of the sender's that a path repeats, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Reads a document.
pub(crate) fn read(xml: &[u8]) -> Result<Vec<u8>, Vec<XmlFault>> {
    let mut faults = Faults::new(xml);
    let mut frames = Vec::new();
    let mut out = Vec::with_capacity(xml.len().min(XML_BYTES_MAX));
    if let Err(refusal) = whole(xml, &mut faults, &mut frames, &mut out) {
        faults.add(refusal, refusal.what, || frame::path(&frames, None));
    }
    if faults.is_empty() { Ok(out) } else { Err(faults.finish()) }
}

fn whole<'a>(
    xml: &'a [u8],
    faults: &mut Faults<'a>,
    frames: &mut Vec<Frame<'a>>,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    if xml.len() > XML_BYTES_MAX {
        return Err(Refusal::new(0, XmlFaultKind::TooLarge, "The document has more bytes than are allowed"));
    }
    let scanner = Scanner::new(check_characters(xml)?)?;
    Reader { scanner, definitions: definitions(), faults, frames, out }.document()
}

struct Reader<'a, 'b> {
    scanner: Scanner<'a>,
    definitions: &'static Definitions,
    faults: &'b mut Faults<'a>,
    /// The open elements of FHIR, outermost first.
    frames: &'b mut Vec<Frame<'a>>,
    out: &'b mut Vec<u8>,
}

/// What the definitions say of an element.
#[derive(Clone, Copy)]
struct Known {
    position: usize,
    element: &'static Element,
    of_type: &'static ElementType,
}

type Done = Result<(), Refusal>;

impl<'a> Reader<'a, '_> {
    fn document(&mut self) -> Done {
        loop {
            match self.scanner.next()? {
                Token::Start(start) => self.start(start)?,
                Token::End(at) => self.end(at),
                Token::Text { blank: false, at } => {
                    self.fault(XmlFaultKind::Text, at, "There is text between elements", None);
                }
                Token::Text { .. } | Token::Aside => {}
                Token::Eof => return Ok(()),
            }
        }
    }

    fn fault(&mut self, kind: XmlFaultKind, at: usize, what: impl Into<String>, last: Option<&str>) {
        let frames = &self.frames;
        let last = last.filter(|name| name.len() <= NAME_BYTES_MAX);
        self.faults.add(Refusal::new(at, kind, ""), what, || frame::path(frames, last));
    }

    /// A fault of an element that is then left out, with all that is in it.
    fn refuse(&mut self, kind: XmlFaultKind, start: Start<'a>, what: impl Into<String>) -> Done {
        self.fault(kind, start.at, what, Some(start.local));
        self.scanner.skip()
    }

    fn start(&mut self, start: Start<'a>) -> Done {
        match self.frames.last().map(|frame| (frame.content, frame.structure)) {
            None => self.resource(start, 1),
            Some((Content::Holder, _)) => {
                let Some(holder) = self.frames.last_mut() else { return Ok(()) };
                let (again, depth) = (holder.members, holder.depth);
                holder.members = true;
                if again {
                    return self.refuse(
                        XmlFaultKind::Resource,
                        start,
                        "There is more than one resource in this element",
                    );
                }
                self.resource(start, depth)
            }
            Some((_, structure)) => self.member(start, structure),
        }
    }

    /// The root, or the one element in `contained` or `resource`.
    fn resource(&mut self, start: Start<'a>, depth: usize) -> Done {
        if start.space != Space::Fhir {
            return self.refuse(XmlFaultKind::Namespace, start, "A resource is in the namespace http://hl7.org/fhir");
        }
        let kind = self.definitions.kind_of(start.local);
        let Some(structure) = kind.and_then(|kind| self.definitions.structure_of(kind)) else {
            return self.refuse(XmlFaultKind::Resource, start, "R4 has no such resource type");
        };
        self.out.extend_from_slice(b"{\"resourceType\":\"");
        self.out.extend_from_slice(structure.name.as_bytes());
        self.out.push(b'"');
        let name = if self.frames.is_empty() { start.local } else { "" };
        self.frames.push(Frame { members: true, ..Frame::new(Content::Resource, structure, name, depth) });
        self.attributes(start, &[]);
        Ok(())
    }

    /// An element of a resource or of a part of one.
    fn member(&mut self, start: Start<'a>, structure: &'static Structure) -> Done {
        let Some((position, element, of_type)) = structure.member(start.local.as_bytes()) else {
            let what = format!("{} has no such element", structure.name);
            return self.refuse(XmlFaultKind::Element, start, what);
        };
        let known = Known { position, element, of_type };
        let narrative = of_type.shape == Shape::Primitive(Primitive::Xhtml);
        let (space, what) = if narrative {
            (Space::Xhtml, "Narrative is in the namespace http://www.w3.org/1999/xhtml")
        } else {
            (Space::Fhir, "An element of FHIR is in the namespace http://hl7.org/fhir")
        };
        if start.space != space {
            return self.refuse(XmlFaultKind::Namespace, start, what);
        }
        let of_element = self.frames.last().is_some_and(|frame| frame.content != Content::Resource);
        if of_element && is_attribute(structure, element) {
            return self.refuse(XmlFaultKind::Element, start, "This is an attribute in XML, not an element");
        }
        if let Some((kind, what)) = self.misplaced(start, structure, known) {
            return self.refuse(kind, start, what);
        }
        let index = self.begin(start, known)?;
        match of_type.shape {
            Shape::Primitive(Primitive::Xhtml) => self.narrative(start),
            Shape::Primitive(primitive) => self.primitive(start, known, primitive, index),
            Shape::Complex(number) => {
                let structure = self.definitions.structure_at(number).unwrap_or(structure);
                self.complex(start, known, structure, index);
                Ok(())
            }
            Shape::Resource => {
                let depth = self.depth_within(known);
                self.frames.push(Frame { index, ..Frame::new(Content::Holder, structure, start.local, depth) });
                self.attributes(start, &[]);
                Ok(())
            }
        }
    }

    /// What is wrong with the place of an element, by those before it.
    fn misplaced(&self, start: Start<'_>, structure: &Structure, known: Known) -> Option<(XmlFaultKind, String)> {
        let frame = self.frames.last()?;
        let reached = frame.reached?;
        if known.position > reached {
            return None;
        }
        let before = structure.elements.get(reached).map_or("", |element| element.name);
        if known.position < reached {
            return Some((XmlFaultKind::Order, format!("This element stands before {before} by the definitions")));
        }
        match &frame.run {
            Some(run) if run.name != start.local => {
                Some((XmlFaultKind::Repeated, format!("{before}[x] may have only one type")))
            }
            _ if known.element.repeats() => None,
            _ => Some((XmlFaultKind::Repeated, "This element does not repeat".to_owned())),
        }
    }

    /// How deep in JSON an object stands that is the value of this element.
    fn depth_within(&self, known: Known) -> usize {
        self.frames.last().map_or(0, |frame| frame.depth) + 1 + usize::from(known.element.repeats())
    }

    /// Writes what comes before a value: a comma and a name, or a comma in an array that is open already. Its position if the
    /// element repeats.
    fn begin(&mut self, start: Start<'a>, known: Known) -> Result<Option<usize>, Refusal> {
        let repeats = known.element.repeats();
        let primitive = matches!(known.of_type.shape, Shape::Primitive(_));
        if self.depth_within(known) - usize::from(primitive) > limits::JSON_DEPTH_MAX {
            return Err(Refusal::new(start.at, XmlFaultKind::Depth, "The document is nested too deep"));
        }
        if let Some(run) = self.frames.last_mut().and_then(|frame| frame.run.as_mut())
            && repeats
            && run.name == start.local
        {
            run.count += 1;
            let index = run.count - 1;
            self.out.push(b',');
            return Ok(Some(index));
        }
        self.close_run();
        let Some(frame) = self.frames.last_mut() else { return Ok(None) };
        frame.reached = Some(known.position);
        let run = Run::new(start.local, repeats, primitive, self.out.len(), frame.members);
        frame.run = Some(run);
        // Of a single primitive nobody knows yet whether there is a value.
        if repeats || !primitive {
            frame::separate(self.frames, self.out);
            frame::key("", start.local, self.out);
        }
        if repeats {
            self.out.push(b'[');
        }
        Ok(repeats.then_some(0))
    }

    /// Ends the array that is open in the innermost element, if one is.
    fn close_run(&mut self) {
        let Some(run) = self.frames.last_mut().and_then(|frame| frame.run.take()) else { return };
        if !run.repeats {
            return;
        }
        if !run.primitive || run.valued {
            self.out.push(b']');
        } else {
            // Nothing but nulls: the array beside it says it all.
            self.out.truncate(run.from);
            if let Some(frame) = self.frames.last_mut() {
                frame.members = run.members_before;
            }
        }
        if !run.beside.is_empty() {
            frame::separate(self.frames, self.out);
            frame::key("_", run.name, self.out);
            self.out.push(b'[');
            self.out.extend_from_slice(&run.beside);
            self.out.push(b']');
        }
    }

    fn complex(&mut self, start: Start<'a>, known: Known, structure: &'static Structure, index: Option<usize>) {
        let depth = self.depth_within(known);
        self.out.push(b'{');
        self.frames.push(Frame { index, ..Frame::new(Content::Complex, structure, start.local, depth) });
        self.attributes(start, if structure.name == "Extension" { &["id", "url"] } else { &["id"] });
    }

    /// Writes the attributes of an element that are members in JSON, and names all others.
    fn attributes(&mut self, start: Start<'a>, allowed: &[&str]) {
        for at in 0..self.scanner.attributes().len() {
            let Some(attribute) = self.scanner.attributes().get(at).copied() else { break };
            if attribute.space == Space::None && allowed.contains(&attribute.local) {
                frame::separate(self.frames, self.out);
                frame::key("", attribute.local, self.out);
                write_string(&chars::attribute_value(attribute.value), self.out);
            } else {
                self.alien_attribute(start, attribute);
            }
        }
    }

    /// Writes narrative as one string.
    fn narrative(&mut self, start: Start<'a>) -> Done {
        let (text, fault) = narrative::read(&mut self.scanner, start)?;
        if let Some(refusal) = fault {
            self.fault(refusal.kind, refusal.at, refusal.what, Some(start.local));
        }
        frame::separate(self.frames, self.out);
        frame::key("", start.local, self.out);
        write_string(&text, self.out);
        Ok(())
    }

    /// The end of the innermost open element of FHIR.
    fn end(&mut self, at: usize) {
        match self.frames.last().map(|frame| frame.content) {
            None => {}
            Some(Content::Resource | Content::Complex) => {
                self.close_run();
                self.out.push(b'}');
                self.frames.pop();
            }
            Some(Content::Primitive) => self.end_of_primitive(at),
            Some(Content::Holder) => {
                if self.frames.last().is_some_and(|frame| !frame.members) {
                    self.fault(XmlFaultKind::Resource, at, "There is no resource in this element", None);
                }
                self.frames.pop();
            }
        }
    }
}

/// These are attributes in XML: the id of everything but a resource, and the URL of an extension.
pub(crate) fn is_attribute(structure: &Structure, element: &Element) -> bool {
    element.name == "id" || element.name == "url" && structure.name == "Extension"
}
