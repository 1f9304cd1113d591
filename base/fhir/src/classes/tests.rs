//! The tables of classes are whole, say nothing twice, and come to what a reviewer has agreed to.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use super::*;
use crate::definitions::kind_of;
use crate::json::Json;

/// How deep data types within data types are followed; deeper there is nothing that the table could tell apart.
const DEPTH_MAX: usize = 6;

fn class(kind: &str, path: &str) -> Option<DataClass> {
    class_of(kind_of(kind).unwrap(), path)
}

#[test]
fn the_tables_can_be_read() {
    load::classes().unwrap();
    load::identifiers().unwrap();
}

/// Visits every element of a structure and what is in it, by the JSON names.
fn visit(
    structure: &'static Structure,
    path: &str,
    on_way: &mut Vec<&'static str>,
    see: &mut impl FnMut(&str, &'static Structure),
) {
    on_way.push(structure.name);
    for element in &structure.elements {
        for of in &element.types {
            let name = match element.choice {
                false => element.name.to_owned(),
                true => {
                    let (first, rest) = of.name.split_at(1);
                    format!("{}{}{rest}", element.name, first.to_uppercase())
                }
            };
            let below = if path.is_empty() { name } else { format!("{path}.{name}") };
            see(&below, structure);
            if let Shape::Complex(index) = of.shape {
                let inside = definitions().structure_at(index).unwrap();
                // An extension may hold every type there is, and so an extension again: what is in one is as the extension.
                let is_followed = !on_way.contains(&inside.name) && of.name != "Extension";
                if is_followed && on_way.len() < DEPTH_MAX {
                    visit(inside, &below, on_way, see);
                }
            }
        }
    }
    on_way.pop();
}

#[test]
fn every_element_of_the_definitions_has_exactly_one_class() {
    let (mut seen, mut count) = (HashSet::new(), 0);
    for kind in definitions().kinds() {
        let structure = definitions().structure_of(kind).unwrap();
        visit(structure, "", &mut Vec::new(), &mut |path, structure| {
            assert!(class_of(kind, path).is_some(), "{} {path}", definitions().name_of(kind));
            seen.insert(structure.name);
            count += 1;
        });
    }
    assert!(count > 50_000, "{count}");
    // What no resource leads to is not in any record: roots, profiles of types, what only definitions of definitions need.
    let unseen: BTreeSet<_> =
        definitions().structures().iter().map(|structure| structure.name).filter(|name| !seen.contains(name)).collect();
    let abstract_ones = ["BackboneElement", "DomainResource", "Element", "Extension", "Resource"];
    assert!(unseen.iter().all(|name| abstract_ones.contains(name) || !name.contains('.')), "{unseen:?}");
}

#[test]
fn what_r4_does_not_have_has_no_class() {
    for path in ["", "colour", "name.colour", "name.", "Patient.name", "deceased.value", "contained.id"] {
        assert_eq!(class("Patient", path), None, "{path:?}");
    }
    assert_eq!(class_of(Kind(0), "id"), None);
    assert_eq!(class_of_kind(Kind(Kind::INTERNAL)), DataClass::Sensitive, "what is no resource type is told to nobody");
}

#[test]
fn the_nearest_line_on_the_way_counts() {
    for (kind, path, expected) in [
        ("Patient", "name.given", DataClass::Pii),
        ("Patient", "active", DataClass::Internal),
        ("Patient", "deceased", DataClass::Phi),
        ("Patient", "deceasedDateTime", DataClass::Phi),
        ("Patient", "meta.versionId", DataClass::Internal),
        ("Patient", "meta.security.code", DataClass::Phi),
        ("Patient", "extension.valueAddress.city", DataClass::Phi),
        ("Observation", "valueQuantity.value", DataClass::Phi),
        ("Observation", "meta.security", DataClass::Phi),
        ("Claim", "accident.locationAddress.city", DataClass::Pii),
        ("Organization", "contact.name.family", DataClass::Internal),
        ("Practitioner", "name", DataClass::Internal),
        ("Practitioner", "address.line", DataClass::Pii),
        ("ValueSet", "contact.telecom.value", DataClass::Public),
        ("ValueSet", "meta.lastUpdated", DataClass::Public),
        ("MolecularSequence", "observedSeq", DataClass::Sensitive),
        ("Bundle", "entry.resource", DataClass::Phi),
        ("Task", "input.valueString", DataClass::Phi),
        ("Task", "input.valueHumanName.family", DataClass::Pii),
    ] {
        assert_eq!(class(kind, path), Some(expected), "{kind} {path}");
    }
}

#[test]
fn every_line_of_the_table_changes_something() {
    let table = load::classes().unwrap();
    let used = |name: &str| {
        definitions().structures().iter().any(|s| s.elements.iter().any(|e| e.types.iter().any(|t| t.name == name)))
    };
    assert!(table.types.keys().all(|name| used(name)));
    for (path, class) in &table.paths {
        let (kind, below) = path.split_once('.').unwrap();
        let without = {
            let mut table = load::classes().unwrap();
            table.paths.remove(path);
            table.of_path(kind_of(kind).unwrap(), below)
        };
        assert_ne!(without, Some(*class), "{path} is so without its line");
        assert!(without.is_some(), "{path} is nothing that R4 has");
    }
    for path in table.common.keys() {
        assert!(class("Observation", path).is_some(), "{path}");
    }
}

fn found(text: &str) -> Vec<String> {
    let json = Json::parse(text.to_owned()).unwrap();
    let mut found = Vec::new();
    identified(json.root(), &mut |one| found.push(one.form.mask(&one.text())));
    assert!(found.is_empty() || may_hold_identifiers(text.as_bytes()), "{text}");
    found
}

#[test]
fn identifiers_are_known_by_system_and_by_type_wherever_they_stand() {
    let typed = |system: &str, code: &str| {
        format!(
            r#"{{"identifier":[{{"type":{{"coding":[{{"system":"{system}","code":"{code}"}}]}},"value":"AB1234567"}}]}}"#
        )
    };
    let v2 = "http://terminology.hl7.org/CodeSystem/v2-0203";
    for system in [
        v2,
        "http://hl7.org/fhir/v2/0203",
        "urn:oid:2.16.840.1.113883.18.108",
        "https://terminology.hl7.org/CodeSystem/v2-0203/",
    ] {
        assert_eq!(found(&typed(system, "DL")), ["***4567"], "{system}");
    }
    for code in ["SS", "PPN", "NI", "NNUSA", "TAX"] {
        assert_eq!(found(&typed(v2, code)).len(), 1, "{code}");
    }
    for code in ["MR", "NPI", "MC", "SNO", "SSX"] {
        assert!(found(&typed(v2, code)).is_empty(), "{code}");
    }
    assert!(found(&typed("http://other", "SS")).is_empty());
    let with = |system: &str| format!(r#"{{"a":[{{"b":{{"system":"{system}","value":"123-45-6789"}}}}]}}"#);
    for system in [
        "http://hl7.org/fhir/sid/us-ssn",
        "HTTP://HL7.org/fhir/sid/us-ssn",
        "https://hl7.org/fhir/sid/us-ssn/",
        "http:\\/\\/hl7.org\\/fhir\\/sid\\/us-ssn",
        "http://hl7.org/fhir/sid/us\\u002dssn",
        "urn:oid:2.16.840.1.113883.4.1",
    ] {
        assert_eq!(found(&with(system)), ["***-**-6789"], "{system}");
    }
    assert_eq!(found(&with("http://hl7.org/fhir/sid/passport-USA")), ["***6789"]);
    for system in ["http://hl7.org/fhir/sid/us-npi", "urn:oid:2.16.840.1.113883.4.10", "phone"] {
        assert!(found(&with(system)).is_empty(), "{system}");
    }
}

#[test]
fn a_mask_tells_four_signs_of_a_long_number_and_nothing_of_a_short_one() {
    for (form, value, mask) in [
        (Form::Ssn, "123-45-6789", "***-**-6789"),
        (Form::Ssn, "123456789", "***-**-6789"),
        (Form::Ssn, "123 45 6789 ", "***-**-6789"),
        (Form::Ssn, "123-45-678", "***"),
        (Form::Ssn, "12345678Ä", "***"),
        (Form::Short, "X12345678", "***5678"),
        (Form::Short, "1234567", "***"),
        (Form::Short, "", "***"),
        (Form::None, "123456789", "***"),
    ] {
        assert_eq!(form.mask(value), mask, "{value}");
        assert!(form.is_mask(mask) && form.mask(mask) != *value, "{value}");
    }
    for (form, value) in [(Form::Ssn, "123-45-6789"), (Form::Short, "SMIT*JA123AB"), (Form::Short, "XXX12345")] {
        assert!(!form.is_mask(value), "{value}");
    }
    for value in ["***-**-6789", "xxx-xx-6789", "•••-••-6789", "123-45-****", "---", " ***1"] {
        assert!(Form::Ssn.is_mask(value), "{value}");
    }
}

/// The elements of a type that are of another class than what they stand in, by their class; what is so in every type about
/// persons is left out.
fn exceptions(kind: Kind, counts: &mut BTreeMap<DataClass, usize>) -> BTreeMap<DataClass, Vec<String>> {
    let common = load::classes().unwrap().common;
    let mut others: BTreeMap<DataClass, Vec<String>> = BTreeMap::new();
    let mut known: Vec<(String, DataClass)> = Vec::new();
    visit(definitions().structure_of(kind).unwrap(), "", &mut Vec::new(), &mut |path, _| {
        let own = class_of(kind, path).unwrap();
        *counts.entry(own).or_default() += 1;
        let above = known.iter().rev().find(|(above, _)| path.starts_with(&format!("{above}.")));
        if own != above.map_or(class_of_kind(kind), |(_, class)| *class) {
            known.push((path.to_owned(), own));
            if !class_of_kind(kind).is_personal() || common.get(path) != Some(&own) {
                others.entry(own).or_default().push(path.to_owned());
            }
        }
    });
    others
}

#[test]
fn the_classes_are_the_golden_table() {
    let mut text = String::from(
        "Which class of data each element of R4 is. Made from tables/classes.txt and tables/classes_identifiers.txt by a test, which\n\
         fails when they come to something else.\n\n\
         public     published knowledge; nobody is in it\n\
         internal   the house's own: staff at work, places, machines, what the server keeps beside a record\n\
         PII        tells who somebody is, or how to reach them\n\
         PHI        tells of somebody's health, care or its payment, or may\n\
         sensitive  national identifiers, account numbers, genomes\n\n\
         Each resource type with what its elements are, and below it those that are something else. What is inside an element is as\n\
         the element. In types that are PII, PHI or sensitive these are always internal:\n ",
    );
    let common: BTreeSet<_> = load::classes().unwrap().common.into_keys().collect();
    writeln!(text, " {}", common.into_iter().collect::<Vec<_>>().join(", ")).unwrap();
    let mut counts: BTreeMap<DataClass, usize> = BTreeMap::new();
    for class in DataClass::ALL {
        writeln!(text, "\n{}", class.name()).unwrap();
        for kind in definitions().kinds().filter(|kind| class_of_kind(*kind) == class) {
            writeln!(text, "  {}", definitions().name_of(kind)).unwrap();
            for (class, paths) in exceptions(kind, &mut counts) {
                writeln!(text, "    {:9} {}", class.name(), paths.join(", ")).unwrap();
            }
        }
    }
    text.push_str("\nElements of each class, those inside data types included:\n");
    for (class, count) in counts {
        writeln!(text, "  {:9} {count}", class.name()).unwrap();
    }
    text.push_str(
        "\nIdentifiers that are sensitive wherever they stand. Only with the permission healthcare:identifiers are they shown in full\n\
         and can be searched by; to all others 123-45-6789 is shown as:\n",
    );
    for row in sensitive_identifiers() {
        writeln!(text, "  {:6} {:73} {:11} {}", row.by, row.name, row.form.mask("123-45-6789"), row.what).unwrap();
    }
    check("classes.txt", &text);
}

/// Compares with `tests/golden/<name>`; `IRIS_GOLDEN_WRITE=1` accepts a wanted change.
#[allow(clippy::disallowed_methods, reason = "a switch of the developer's shell, not a setting of the product")]
fn check(name: &str, made: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var("IRIS_GOLDEN_WRITE").is_ok() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "tests/golden/{name} differs; if the change is wanted, run the test once with IRIS_GOLDEN_WRITE=1"
    );
}
