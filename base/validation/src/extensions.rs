//! Extensions that R4 itself defines: where they may stand and what they hold. All others are accepted as they are.

use std::collections::HashMap;
use std::sync::LazyLock;

use iris_fhir::definitions::definitions;
use iris_fhir::json::Value;
use iris_fhir::validate::{Faults, Found, IssueCode};

use crate::bundle::is_absolute;

const EXTENSIONS: &str = include_str!("../../fhir/tables/extensions.txt");
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Places where R4's own definitions (profiles-types.json) use extensions of R4 that are defined for other places.
const RELAXED: [(&str, &str); 3] = [
    ("regex", "ElementDefinition.type"),
    ("structuredefinition-fhir-type", "ElementDefinition.type"),
    ("structuredefinition-normative-version", "ElementDefinition"),
];

struct Known {
    is_modifier: bool,
    places: Vec<&'static str>,
    types: Vec<&'static str>,
    parts: Vec<&'static str>,
}

static KNOWN: LazyLock<HashMap<&'static str, Known>> = LazyLock::new(|| {
    let words = |list: &'static str| list.split(' ').filter(|word| *word != "-").collect();
    EXTENSIONS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut parts = line.split('\t');
            let mut part = || parts.next();
            let (name, modifier, places, types, nested) = (part()?, part()?, part()?, part()?, part()?);
            let known = Known {
                is_modifier: modifier == "M",
                places: words(places),
                types: words(types),
                parts: words(nested),
            };
            Some((name, known))
        })
        .collect()
});

/// An extension has a URL that says which it is; if R4 defines that one, it stands where it may and holds what it should.
pub(crate) fn extension(found: Found<'_>, faults: &mut Faults) {
    let Some(at) = found.value.get("url") else { return };
    let Some(url) = at.as_str() else { return };
    let is_nested = found.parent.name == "Extension";
    if !is_nested && !is_absolute(&url) {
        return faults.at(at, IssueCode::Value, "The URL of an extension is absolute");
    }
    let Some((name, known)) = url.strip_prefix(BASE).and_then(|name| KNOWN.get_key_value(name)) else { return };
    let relaxed = RELAXED.iter().filter(|(own, _)| own == name).map(|(_, place)| place);
    if !is_nested && !known.places.iter().chain(relaxed).any(|place| stands_at(&found, place)) {
        let what = format!("The extension {name} may not stand here, only at {}", known.places.join(", "));
        faults.at(found.value, IssueCode::Structure, what);
    }
    if known.is_modifier != (found.element.name == "modifierExtension") && !is_nested {
        let what = if known.is_modifier {
            "This extension is a modifierExtension"
        } else {
            "This extension is no modifierExtension"
        };
        faults.at(found.value, IssueCode::Structure, what);
    }
    holds(found.value, known, faults);
}

fn holds(value: Value<'_>, known: &Known, faults: &mut Faults) {
    let has = |part: &str| {
        let nested = value.get("extension").into_iter().flat_map(Value::items);
        nested.filter_map(|nested| nested.str_of("url")).any(|own| own == part)
    };
    for part in known.parts.iter().filter(|part| !has(part)) {
        faults.at(value, IssueCode::Required, format!("This extension needs a nested extension {part}"));
    }
    let Some(extension) = definitions().structure("Extension") else { return };
    for (name, member) in value.members() {
        let plain = name.strip_prefix('_').unwrap_or(&name);
        let Some((_, element, of_type)) = extension.member(plain.as_bytes()) else { continue };
        if element.name == "value" && !known.types.contains(&of_type.name) {
            let what = match known.types.as_slice() {
                [] => "This extension has no value of its own".to_owned(),
                types => format!("The value of this extension is {}, found {}", types.join(" or "), of_type.name),
            };
            faults.at(member, IssueCode::Structure, what);
        }
    }
}

/// Whether a place in the table means where the extension stands.
fn stands_at(found: &Found<'_>, place: &str) -> bool {
    // R4's own definitions have such extensions on resources as well.
    if place == "Element" {
        return true;
    }
    // The object itself: its type, what that specialises, or the element that it is.
    let mut of = Some(found.parent);
    while let Some(structure) = of.filter(|structure| structure.name != "Element" || found.holder.is_none()) {
        if structure.name == place {
            return true;
        }
        of = definitions().structure(structure.base);
    }
    let Some((parent, element)) = found.holder else { return false };
    if element.types.iter().any(|of_type| of_type.name == place) {
        return true;
    }
    match place.rsplit_once('.') {
        Some((structure, name)) if name == element.name => {
            let mut of = Some(parent);
            while let Some(own) = of {
                if own.name == structure {
                    return true;
                }
                of = definitions().structure(own.base);
            }
            // `Patient.name.family` is an element of `HumanName`, which knows nothing of where it stands.
            definitions().structure(structure).is_none()
        }
        _ => false,
    }
}
