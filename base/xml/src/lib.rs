//! FHIR's XML (R4 xml.html), read into and written from the JSON that everything else works on: there is one resource,
//! whichever way it came and goes.
//!
//! Reading is strict where leniency would let two programs see two documents: XML 1.0 and its namespaces to the letter, no
//! document type declaration and so no entities but the five that XML itself has, elements in the order of the definitions.
//! Every fault has its line and its path, and all faults of the content come at once. What XML alone can say (comments,
//! processing instructions, white space between elements, prefixes) is not part of a resource and is left out; narrative is
//! kept character by character.
//!
//! Pure, like all of `base`: bytes in, bytes out.

mod chars;
mod fault;
mod narrative;
mod number;
mod read;
mod scan;
mod scope;
mod write;

#[cfg(test)]
mod tests;

use iris_fhir::{Resource, Value};
use iris_kernel::{Fault, limits};

pub use fault::{XmlFault, XmlFaultKind};
pub use narrative::{NarrativePart, narrative_parts, narrative_relinked};
pub use write::Layout;

/// The namespace of FHIR's elements.
pub const FHIR: &str = "http://hl7.org/fhir";
/// The namespace of narrative.
pub const XHTML: &str = "http://www.w3.org/1999/xhtml";
/// Largest document that is read, in bytes.
pub const XML_BYTES_MAX: usize = limits::BODY_BYTES_MAX;
/// Deepest nesting of elements, those of narrative included. What is nested too deep for JSON
/// ([`limits::JSON_DEPTH_MAX`]) is refused as well.
pub const XML_DEPTH_MAX: usize = 128;
/// Most attributes of one element, declarations of namespaces included.
pub const ATTRIBUTES_MAX: usize = 64;
/// Most declarations of namespaces that hold at one place.
pub const NAMESPACES_MAX: usize = 64;

/// The JSON text of the resource that an XML document holds.
///
/// The members stand in the order of the definitions, numbers are spelt as in the document. The text is compact JSON with the
/// shape of R4's JSON format; whether it is a valid resource is for [`iris_fhir::validate()`] to say.
///
/// # Errors
/// Everything that is wrong, in the order of the document; see [`XmlFaultKind`] for the sorts. A document that is not
/// well-formed is read up to that place. At most [`limits::FAULTS_MAX`] are listed, and one more counts the rest.
pub fn to_json(xml: &[u8]) -> Result<Vec<u8>, Vec<XmlFault>> {
    read::read(xml)
}

/// Reads the resource that an XML document holds.
///
/// # Errors
/// Those of [`to_json`].
pub fn parse(xml: &[u8]) -> Result<Resource, Vec<XmlFault>> {
    // What the reader writes is JSON of a resource; should it not be, that is said rather than assumed.
    Resource::parse(to_json(xml)?).map_err(|error| vec![XmlFault::whole(error.to_string())])
}

/// The XML document of a resource: elements in the order of the definitions, numbers as they are spelt, narrative as it is.
///
/// # Errors
/// What R4's XML cannot say, each with its JSON pointer: members that are no elements, values of another shape, characters
/// that XML does not have, narrative that is not well-formed. A valid resource has none of these. The list is capped like
/// that of [`to_json`].
pub fn write(resource: Value<'_>, layout: Layout) -> Result<Vec<u8>, Vec<Fault>> {
    write::write(resource, layout)
}
