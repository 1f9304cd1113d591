//! Primitive elements: a value, an id, extensions.

use iris_fhir::definitions::Primitive;
use iris_fhir::json::write_string;
use iris_kernel::limits;

use crate::chars;
use crate::fault::{Refusal, XmlFaultKind};
use crate::number::json_number;
use crate::scan::{Attribute, Space, Start};

use super::frame::{self, Content, Frame};
use super::{Done, Known, Reader};

impl<'a> Reader<'a, '_> {
    pub(super) fn primitive(
        &mut self,
        start: Start<'a>,
        known: Known,
        primitive: Primitive,
        index: Option<usize>,
    ) -> Done {
        let depth = self.depth_within(known);
        // The tables have this type; should they not, nothing may stand in a primitive.
        let Some(structure) = self.definitions.structure("Element") else { return self.scanner.skip() };
        let find = |name: &str| {
            let mut own = self.scanner.attributes().iter();
            own.find(|attribute| attribute.space == Space::None && attribute.local == name).copied()
        };
        let (value, id) = (find("value"), find("id"));
        if let Some(value) = value {
            if index.is_none() {
                frame::separate(self.frames, self.out);
                frame::key("", start.local, self.out);
            }
            self.value(value, primitive, start);
            if let Some(run) = self.frames.last_mut().and_then(|frame| frame.run.as_mut()) {
                run.valued = true;
            }
        } else if index.is_some() {
            self.out.extend_from_slice(b"null");
        }
        let (valued, mark) = (value.is_some(), self.out.len());
        let frame = Frame::new(Content::Primitive, structure, start.local, depth);
        self.frames.push(Frame { index, valued, mark, ..frame });
        if let Some(id) = id {
            if depth > limits::JSON_DEPTH_MAX {
                return Err(Refusal::new(start.at, XmlFaultKind::Depth, "The document is nested too deep"));
            }
            frame::separate(self.frames, self.out);
            frame::key("", "id", self.out);
            write_string(&chars::attribute_value(id.value), self.out);
        }
        for at in 0..self.scanner.attributes().len() {
            let Some(attribute) = self.scanner.attributes().get(at).copied() else { break };
            if attribute.space != Space::None || !matches!(attribute.local, "value" | "id") {
                self.alien_attribute(start, attribute);
            }
        }
        Ok(())
    }

    fn value(&mut self, attribute: Attribute<'a>, primitive: Primitive, start: Start<'a>) {
        let text = chars::attribute_value(attribute.value);
        let (written, what) = match primitive {
            Primitive::Boolean => {
                (Some(&*text).filter(|text| matches!(*text, "true" | "false")), "A boolean is true or false")
            }
            Primitive::Decimal => {
                (json_number(primitive, &text), "A decimal is digits with a point, maybe a power of ten")
            }
            Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt => {
                (json_number(primitive, &text), "A whole number is digits, maybe with a sign")
            }
            _ => return write_string(&text, self.out),
        };
        match written {
            Some(written) => self.out.extend_from_slice(written.as_bytes()),
            None => self.fault(XmlFaultKind::Value, attribute.at, what, Some(start.local)),
        }
    }

    /// Names an attribute that does not belong here, if it is not the one that may stand anywhere. The element is the
    /// innermost.
    pub(super) fn alien_attribute(&mut self, start: Start<'a>, attribute: Attribute<'a>) {
        // Says where a schema is. It is never fetched.
        if attribute.space == Space::SchemaInstance
            && matches!(attribute.local, "schemaLocation" | "noNamespaceSchemaLocation")
        {
            return;
        }
        let what = match (attribute.space, attribute.local) {
            (Space::None, "value") => format!("{} is no primitive: it has no attribute value", start.local),
            (Space::None, "id") => "The id of a resource is an element".to_owned(),
            _ => format!("{} has no such attribute", start.local),
        };
        let name = format!("@{}", attribute.name);
        self.fault(XmlFaultKind::Attribute, attribute.at, what, Some(&name));
    }

    pub(super) fn end_of_primitive(&mut self, at: usize) {
        self.close_run();
        let Some(frame) = self.frames.last() else { return };
        let (opened, valued, repeats, mark) = (frame.opened, frame.valued, frame.index.is_some(), frame.mark);
        if opened {
            self.out.push(b'}');
        } else if !valued {
            self.fault(XmlFaultKind::Value, at, "An element has a value, an id or extensions", None);
        }
        self.frames.pop();
        if !repeats {
            return;
        }
        if let Some(run) = self.frames.last_mut().and_then(|frame| frame.run.as_mut()) {
            run.add_beside(self.out.get(mark..).unwrap_or_default());
        }
        self.out.truncate(mark);
    }
}
