//! The suite's inputs are XML: just enough of a reader for them, by the element tables.

use iris_fhir::definitions::{Shape, Structure, definitions};
use serde_json::{Map, Value, json};

/// A FHIR XML document as JSON text.
pub(crate) fn to_json(text: &str) -> String {
    let document = roxmltree::Document::parse(text).expect("well-formed");
    resource(text, document.root_element()).to_string()
}

fn resource(text: &str, node: roxmltree::Node<'_, '_>) -> Value {
    let name = node.tag_name().name();
    let structure = definitions().structure(name).expect("a type");
    let mut object = elements(text, node, structure);
    object.insert("resourceType".to_owned(), json!(name));
    Value::Object(object)
}

fn elements(text: &str, node: roxmltree::Node<'_, '_>, structure: &Structure) -> Map<String, Value> {
    let mut object = Map::new();
    for name in ["id", "url"] {
        if let Some(value) = node.attribute(name) {
            object.insert(name.to_owned(), json!(value));
        }
    }
    for child in node.children().filter(roxmltree::Node::is_element) {
        let name = child.tag_name().name();
        let (_, element, of) = structure.member(name.as_bytes()).unwrap_or_else(|| panic!("{name}"));
        let (value, beside) = match of.shape {
            Shape::Resource => {
                let inner = child.children().find(roxmltree::Node::is_element).expect("a resource");
                (Some(resource(text, inner)), None)
            }
            Shape::Complex(index) => {
                let inner = definitions().structure_at(index).expect("a structure");
                (Some(Value::Object(elements(text, child, inner))), None)
            }
            Shape::Primitive(_) if name == "div" => (Some(json!(&text[child.range()])), None),
            Shape::Primitive(primitive) => {
                let value = child.attribute("value").map(|value| match primitive.name() {
                    "boolean" | "integer" | "decimal" | "unsignedInt" | "positiveInt" => {
                        serde_json::from_str(value).expect("a number or truth value")
                    }
                    _ => json!(value),
                });
                let beside = elements(text, child, definitions().structure("Element").expect("Element"));
                (value, (!beside.is_empty()).then_some(Value::Object(beside)))
            }
        };
        if element.repeats() {
            let shadow = format!("_{name}");
            let before = object.get(name).and_then(Value::as_array).map_or(0, Vec::len);
            let has_beside = beside.is_some() || object.contains_key(&shadow);
            if has_beside {
                let besides = object.entry(shadow).or_insert_with(|| json!(vec![Value::Null; before]));
                besides.as_array_mut().expect("a list").push(beside.unwrap_or(Value::Null));
            }
            let values = object.entry(name.to_owned()).or_insert_with(|| json!([]));
            values.as_array_mut().expect("a list").push(value.unwrap_or(Value::Null));
        } else {
            object.extend(value.map(|value| (name.to_owned(), value)));
            object.extend(beside.map(|beside| (format!("_{name}"), beside)));
        }
    }
    object
}
