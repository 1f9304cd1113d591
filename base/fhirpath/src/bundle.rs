//! References within a bundle.

use std::collections::HashMap;

use iris_fhir::json::Value;

use crate::context::{Host, Resolved};

/// A bundle as what lies outside each of its resources: references lead to its entries (R4 bundle.html#references), by full URL, or by
/// `Type/id` where just one entry has that.
#[derive(Debug)]
pub struct InBundle<'a> {
    /// `None` where a name stands for several resources.
    by_name: HashMap<String, Option<Value<'a>>>,
}

impl<'a> InBundle<'a> {
    /// Looks at every entry once.
    #[must_use]
    pub fn new(bundle: Value<'a>) -> Self {
        let mut by_name = HashMap::new();
        for entry in bundle.get("entry").into_iter().flat_map(Value::items) {
            let Some(resource) = entry.get("resource") else { continue };
            let full_url = entry.str_of("fullUrl").map(std::borrow::Cow::into_owned);
            let relative =
                resource.str_of("resourceType").zip(resource.str_of("id")).map(|(of, id)| format!("{of}/{id}"));
            for name in full_url.into_iter().chain(relative) {
                let place = by_name.entry(name).or_insert(Some(resource));
                if place.is_some_and(|known| known.index() != resource.index()) {
                    *place = None;
                }
            }
        }
        Self { by_name }
    }
}

impl<'a> Host<'a> for InBundle<'a> {
    fn resolve(&self, reference: &str) -> Resolved<'a> {
        self.by_name.get(reference).copied().flatten().map_or(Resolved::Nowhere, Resolved::Resource)
    }
}
