//! Which elements there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::{LeftOut, Source, VERSION, last_part, list, text};

/// In the package's resource definitions, but no elements of 4.0.1. The list of data elements in the package is unpatched and
/// settles most; these are too long for it, or parts without an entry of their own there.
const NOT_R4: [&str; 3] = [
    "EvidenceVariable.characteristic.definitionByTypeAndValue",
    "EvidenceVariable.characteristic.definitionByCombination",
    "EvidenceVariable.characteristic.timeFromEvent",
];
/// Data elements whose id would be longer than a FHIR id may be have no entry.
const DATA_ELEMENT_ID_MAX: usize = 64;
/// Types that have what `Quantity` has, and nothing of their own.
const QUANTITIES: [&str; 4] = ["Age", "Count", "Distance", "Duration"];
/// Parts whose cardinality the package has changed.
const CARDINALITY: [(&str, &str); 1] = [("EvidenceVariable.characteristic", "1..*")];

/// Elements that every resource has from `DomainResource`.
const INHERITED: [&str; 5] = ["contained", "implicitRules", "language", "meta", "text"];

const PATCHED: &str = "because R4 4.0.1 has no such element (patched in by the package)";

/// Everything about elements.
pub(super) struct Elements {
    /// Concrete resource types.
    pub(super) kinds: BTreeSet<String>,
    /// Value sets of required and extensible bindings, with the types of the elements that have them.
    pub(super) bindings: BTreeMap<String, BTreeSet<String>>,
    structures: BTreeMap<String, Structure>,
}

struct Structure {
    base: String,
    elements: Vec<Element>,
}

struct Element {
    name: String,
    cardinality: String,
    types: Vec<Type>,
}

struct Type {
    name: String,
    targets: BTreeSet<String>,
    /// Value set of a required or extensible binding.
    binding: Option<Binding>,
}

/// What binds the codes of an element.
#[derive(Clone)]
struct Binding {
    value_set: String,
    /// What stands before the name of the list in the table: `=` where it is required, `~` where it can be extended.
    sign: char,
}

/// Reads the element definitions.
pub(super) fn table(source: &Source, left_out: &mut LeftOut) -> Result<Elements, String> {
    let mut definitions = source.resources("profiles-types.json")?;
    definitions.extend(source.resources("profiles-resources.json")?);
    let plain = data_elements(source)?;
    let mut elements = Elements { kinds: BTreeSet::new(), bindings: BTreeMap::new(), structures: BTreeMap::new() };
    for definition in definitions.iter().filter(|d| text(d, "resourceType") == "StructureDefinition") {
        let name = text(definition, "name");
        let sort = text(definition, "kind");
        if !matches!(text(definition, "fhirVersion"), VERSION) {
            left_out.add("because it is of another version of FHIR", name);
            continue;
        }
        match (sort, text(definition, "derivation")) {
            ("primitive-type", _) => continue,
            ("resource" | "complex-type", "" | "specialization") => {}
            _ => {
                left_out.add("because it is a profile or a logical model", name);
                continue;
            }
        }
        if sort == "resource" && definition.get("abstract") == Some(&Value::Bool(false)) {
            elements.kinds.insert(name.to_owned());
        }
        elements.structure(definition, &plain, left_out);
    }
    elements.add_missing(&plain);
    elements.drop_empty(left_out);
    elements.find_bindings();
    Ok(elements)
}

/// Path → definition, out of the package's unpatched list.
fn data_elements(source: &Source) -> Result<BTreeMap<String, Value>, String> {
    let mut plain = BTreeMap::new();
    for definition in source.resources("dataelements.json")? {
        let snapshot = definition.get("snapshot").unwrap_or(&Value::Null);
        for element in list(snapshot, "element") {
            plain.entry(text(element, "path").to_owned()).or_insert_with(|| element.clone());
        }
    }
    Ok(plain)
}

impl Elements {
    fn structure(&mut self, definition: &Value, plain: &BTreeMap<String, Value>, left_out: &mut LeftOut) {
        let name = text(definition, "name");
        let base = last_part(text(definition, "baseDefinition")).to_owned();
        self.structures.insert(name.to_owned(), Structure { base, elements: Vec::new() });
        for element in list(definition.get("snapshot").unwrap_or(&Value::Null), "element") {
            let path = text(element, "path");
            let Some((parent, own_name)) = path.rsplit_once('.') else { continue };
            let inherited = element.pointer("/base/path").and_then(Value::as_str).is_some_and(|base| base != path);
            if inherited || QUANTITIES.contains(&name) || text(element, "max") == "0" {
                continue;
            }
            if NOT_R4
                .iter()
                .any(|not| path.strip_prefix(not).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
            {
                left_out.add(PATCHED, path);
                continue;
            }
            let is_part = is_part(element);
            let known = plain.get(path);
            let settled = known.is_some()
                || is_part
                || element.get("contentReference").is_some()
                || path.len() + 3 > DATA_ELEMENT_ID_MAX;
            if !settled && !is_root(name) {
                left_out.add(PATCHED, path);
                continue;
            }
            if is_part {
                let base = text(&list(element, "type")[0], "code").to_owned();
                self.structures.insert(path.to_owned(), Structure { base, elements: Vec::new() });
            }
            let read = read(path, own_name, known.filter(|_| !is_part).unwrap_or(element), definition);
            if let Some(structure) = self.structures.get_mut(parent) {
                structure.elements.push(read);
            }
        }
    }

    /// Elements that the package has taken away.
    fn add_missing(&mut self, plain: &BTreeMap<String, Value>) {
        for (path, element) in plain {
            let Some((parent, name)) = path.rsplit_once('.') else { continue };
            let Some(structure) = self.structures.get_mut(parent) else { continue };
            let inherited = element.pointer("/base/path").and_then(Value::as_str).is_some_and(|base| base != path);
            let there = structure.elements.iter().any(|own| own.name == name);
            // Some entries do not say that they are inherited.
            if there || inherited || is_root(parent) || INHERITED.contains(&name) && !parent.contains('.') {
                continue;
            }
            if matches!(name, "id" | "extension" | "modifierExtension") {
                continue;
            }
            structure.elements.push(read(path, name, element, &Value::Null));
        }
    }

    /// Parts of which nothing is left were patched in whole.
    fn drop_empty(&mut self, left_out: &mut LeftOut) {
        let empty: Vec<String> = self
            .structures
            .iter()
            .filter(|(path, structure)| path.contains('.') && structure.elements.is_empty())
            .map(|(path, _)| path.clone())
            .collect();
        for path in empty {
            self.structures.remove(&path);
            if let Some((parent, name)) = path.rsplit_once('.')
                && let Some(structure) = self.structures.get_mut(parent)
            {
                structure.elements.retain(|element| element.name != name);
            }
            left_out.add(PATCHED, path);
        }
    }

    fn find_bindings(&mut self) {
        for of_type in self.structures.values().flat_map(|s| &s.elements).flat_map(|e| &e.types) {
            if let Some(binding) = &of_type.binding {
                self.bindings.entry(binding.value_set.clone()).or_default().insert(of_type.name.clone());
            }
        }
    }

    /// Whether there is a type, a part of one, or an element with this path.
    pub(super) fn has(&self, path: &str) -> bool {
        let is_element = path.rsplit_once('.').is_some_and(|(parent, name)| {
            let own = self.structures.get(parent).map(|structure| &structure.elements);
            own.is_some_and(|elements| elements.iter().any(|element| element.name == name))
        });
        is_element || self.structures.contains_key(path)
    }

    /// The table. A binding is only written where its codes are known.
    pub(super) fn text(&self, code_lists: &BTreeMap<String, String>) -> String {
        let mut out = String::new();
        for (path, structure) in &self.structures {
            let _ = writeln!(out, "{path} : {}", if structure.base.is_empty() { "-" } else { &structure.base });
            for element in &structure.elements {
                let _ = write!(out, "  {} {}", element.name, element.cardinality);
                for of_type in &element.types {
                    let _ = write!(out, " {}", of_type.name);
                    if !of_type.targets.is_empty() {
                        let targets: Vec<&str> = of_type.targets.iter().map(String::as_str).collect();
                        let _ = write!(out, ">{}", targets.join("|"));
                    }
                    if let Some(binding) = &of_type.binding
                        && let Some(name) = code_lists.get(&binding.value_set)
                    {
                        let _ = write!(out, "{}{name}", binding.sign);
                    }
                }
                out.push('\n');
            }
        }
        out
    }
}

/// The types that everything else specialises; the list of data elements does not have their elements.
fn is_root(name: &str) -> bool {
    matches!(name, "Element" | "BackboneElement" | "Resource" | "DomainResource")
}

fn is_part(element: &Value) -> bool {
    let types = list(element, "type");
    types.len() == 1 && matches!(text(&types[0], "code"), "BackboneElement" | "Element")
}

fn read(path: &str, name: &str, element: &Value, definition: &Value) -> Element {
    let cardinality = CARDINALITY.iter().find(|(own, _)| *own == path).map_or_else(
        || format!("{}..{}", element.get("min").and_then(Value::as_u64).unwrap_or(0), text(element, "max")),
        |(_, cardinality)| (*cardinality).to_owned(),
    );
    let types = if is_part(element) {
        vec![Type { name: path.to_owned(), targets: BTreeSet::new(), binding: None }]
    } else if let Some(reference) = element.get("contentReference").and_then(Value::as_str) {
        let name = reference.rsplit('#').next().unwrap_or_default().to_owned();
        vec![Type { name, targets: BTreeSet::new(), binding: None }]
    } else {
        let binding = binding_of(element);
        list(element, "type").iter().map(|of_type| read_type(path, of_type, binding.as_ref(), definition)).collect()
    };
    Element { name: name.to_owned(), cardinality, types }
}

fn read_type(path: &str, of_type: &Value, binding: Option<&Binding>, definition: &Value) -> Type {
    let code = text(of_type, "code");
    let name = match code.strip_prefix("http://hl7.org/fhirpath/System.") {
        // `id` of a resource is an `id` (R4 resource.html); the definitions say string, by a mistake that R4B repairs.
        Some(_)
            if path.ends_with(".id") && text(definition, "kind") == "resource" && path.matches('.').count() == 1 =>
        {
            "id"
        }
        Some(_) if path.ends_with(".url") => "uri",
        Some(_) => "string",
        None => code,
    };
    let targets = list(of_type, "targetProfile")
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|url| url.strip_prefix("http://hl7.org/fhir/StructureDefinition/"))
        .filter(|name| *name != "Resource")
        .map(str::to_owned)
        .collect();
    let bound = matches!(name, "code" | "Coding" | "CodeableConcept" | "string" | "uri" | "Quantity");
    Type { name: name.to_owned(), targets, binding: binding.filter(|_| bound).cloned() }
}

fn binding_of(element: &Value) -> Option<Binding> {
    let binding = element.get("binding")?;
    let value_set = text(binding, "valueSet").split('|').next().unwrap_or_default().to_owned();
    let sign = match text(binding, "strength") {
        "required" => '=',
        "extensible" => '~',
        _ => return None,
    };
    (!value_set.is_empty()).then_some(Binding { value_set, sign })
}
