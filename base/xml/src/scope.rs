//! Namespaces (Namespaces in XML 1.0).

use std::borrow::Cow;

use crate::NAMESPACES_MAX;
use crate::fault::{Refusal, XmlFaultKind};

/// The namespace of `xml:` attributes.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

struct Declaration<'a> {
    /// Empty for the default.
    prefix: &'a str,
    uri: Cow<'a, str>,
    /// How many elements were open where it was made, its own included.
    depth: usize,
}

/// The declarations that hold at a place.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    declared: Vec<Declaration<'a>>,
}

impl<'a> Scope<'a> {
    /// Adds a declaration of the element at `depth`.
    pub(crate) fn declare(
        &mut self,
        prefix: &'a str,
        uri: Cow<'a, str>,
        depth: usize,
        at: usize,
    ) -> Result<(), Refusal> {
        let fine = match prefix {
            "xml" => uri == XML,
            "xmlns" => false,
            "" => uri != XML && uri != XMLNS,
            _ => !uri.is_empty() && uri != XML && uri != XMLNS,
        };
        if !fine {
            return Err(Refusal::syntax(at, "This namespace cannot be declared so"));
        }
        if self.declared.len() >= NAMESPACES_MAX {
            return Err(Refusal::new(at, XmlFaultKind::TooLarge, "Too many namespaces are declared"));
        }
        self.declared.push(Declaration { prefix, uri, depth });
        Ok(())
    }

    /// Forgets what the elements deeper than `depth` declared.
    pub(crate) fn leave(&mut self, depth: usize) {
        while self.declared.last().is_some_and(|last| last.depth > depth) {
            self.declared.pop();
        }
    }

    /// The namespace of a prefix (empty for the default) and the depth at which it was declared.
    pub(crate) fn resolve(&self, prefix: &str) -> Option<(&str, usize)> {
        let found = self.declared.iter().rev().find(|declaration| declaration.prefix == prefix);
        match found {
            Some(declaration) => Some((&declaration.uri, declaration.depth)),
            // Nothing needs to declare these two.
            None if prefix.is_empty() => Some(("", usize::MAX)),
            None if prefix == "xml" => Some((XML, usize::MAX)),
            None => None,
        }
    }
}
