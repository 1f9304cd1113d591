//! The invariants that are held by code of our own, beside their FHIRPath: on every example of the specification, as published and
//! with parts taken out of it, both say the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use std::collections::BTreeSet;

use iris_fhir::{Json, Resource};
use iris_fhirpath::{Context, Focus, Item, Node, Program, Settings, TypeRef, compile, parse};
use iris_kernel::Timestamp;
use iris_validation::validate;
use serde_json::Value;

const INVARIANTS: &str = include_str!("../../fhir/tables/invariants.txt");
/// Narrative has no FHIRPath of its own, and `bdl-7` is compared as well.
const NATIVE: [&str; 9] = ["bdl-7", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ele-1", "ext-1", "ref-1"];
/// Variants of each example.
const VARIANTS: u64 = 4;

struct Judges {
    programs: Vec<(&'static str, &'static str, Program)>,
    children: Program,
}

impl Judges {
    fn new() -> Self {
        let lines = INVARIANTS.lines().filter(|line| !line.starts_with('#'));
        let rows = lines.map(|line| line.split('\t').collect::<Vec<_>>()).filter(|row| NATIVE.contains(&row[1]));
        let programs = rows.map(|row| {
            let focus = Focus::Type(TypeRef::named(row[0]).unwrap());
            (row[0], row[1], compile(&parse(row[3]).unwrap(), &Settings::of_definitions(focus)).unwrap())
        });
        let children = compile(&parse("children()").unwrap(), &Settings::strict(Focus::Any)).unwrap();
        Self { programs: programs.collect(), children }
    }

    fn node<'a>(&self, node: Node<'a>, context: &Context<'a, '_>, broken: &mut BTreeSet<&'static str>) {
        let mut of = Some(node.of());
        while let Some(own) = of {
            for (_, key, program) in self.programs.iter().filter(|(path, ..)| *path == own.name()) {
                let is_contained = context.resource.value().unwrap().index() != context.root.value().unwrap().index();
                // What a container is asked for, what it contains is not.
                let is_asked = !(is_contained && key.starts_with("dom-"));
                if is_asked && program.test(Item::Node(node), context) == Ok(Some(false)) {
                    broken.insert(key);
                }
            }
            of = own.base();
        }
        for child in self.children.evaluate(Item::Node(node), context).unwrap().iter().filter_map(Item::node) {
            let is_own = ["Bundle", "Parameters"].iter().any(|name| node.of().name().starts_with(name));
            match (child.of().is_resource(), is_own) {
                (false, _) => self.node(child, context, broken),
                (true, true) => self.node(child, &Context { resource: child, root: child, ..*context }, broken),
                (true, false) => self.node(child, &Context { resource: child, ..*context }, broken),
            }
        }
    }
}

fn by_code(resource: &Resource) -> BTreeSet<&'static str> {
    let issues = validate(resource, iris_validation::Settings::ALL).issues;
    let keys = NATIVE.iter().copied();
    keys.filter(|key| issues.iter().any(|issue| issue.what.contains(&format!("({key})")))).collect()
}

/// How many members and items there are.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(|value| 1 + count(value)).sum(),
        Value::Array(items) => items.iter().map(|value| 1 + count(value)).sum(),
        _ => 0,
    }
}

/// Takes out the member or item of this number.
fn take_out(value: &mut Value, left: &mut usize) -> bool {
    match value {
        Value::Object(members) => {
            for name in members.keys().cloned().collect::<Vec<_>>() {
                if *left == 0 {
                    // Without a type there is nothing to compare.
                    return name == "resourceType" || members.remove(&name).is_some();
                }
                *left -= 1;
                if members.get_mut(&name).is_some_and(|value| take_out(value, left)) {
                    return true;
                }
            }
            false
        }
        Value::Array(items) => {
            for at in 0..items.len() {
                if *left == 0 {
                    // An empty array is no JSON of FHIR.
                    if items.len() > 1 {
                        items.remove(at);
                    }
                    return true;
                }
                *left -= 1;
                if take_out(&mut items[at], left) {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

#[test]
fn code_and_expression_say_the_same() {
    let Some(examples) = iris_testkit::examples() else { return };
    let judges = Judges::new();
    let (mut compared, mut broken_ones, mut seed) = (0, 0, 1_u64);
    for (name, text) in examples {
        // The largest few would take most of the time.
        let Ok(example) = serde_json::from_slice::<Value>(&text) else { continue };
        if text.len() > 60_000 || example["resourceType"].is_null() {
            continue;
        }
        let members = count(&example).max(1) as u64;
        for variant in 0..=VARIANTS {
            let mut document = example.clone();
            if variant > 0 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                take_out(&mut document, &mut usize::try_from((seed >> 33) % members).unwrap());
            }
            let text = document.to_string();
            let resource = Resource::parse(text.clone()).unwrap();
            let json = Json::parse(text).unwrap();
            let node = Node::resource(json.root()).unwrap();
            let mut expected = BTreeSet::new();
            judges.node(node, &Context::of(node, Timestamp(0)), &mut expected);
            let ours = by_code(&resource);
            assert_eq!(ours, expected, "{name} variant {variant}: {document}");
            compared += 1;
            broken_ones += usize::from(!expected.is_empty());
        }
    }
    println!("invariants held by code: {compared} documents, {broken_ones} of them with something broken");
    assert!(compared > 1_500 && broken_ones > 0);
}
