//! Every invariant of R4 on every element of every example of the specification: each comes to a truth value, and holds.
#![allow(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use std::collections::HashMap;

use iris_fhir::Json;
use iris_fhirpath::{Context, EvalError, Focus, Host, Item, Node, Program, Settings, TypeRef, compile, parse};
use iris_kernel::Timestamp;

const INVARIANTS: &str = include_str!("../../fhir/tables/invariants.txt");

/// Invariants that examples of the specification break, by the letter of their expressions; each on how many elements, counted by
/// hand as well. What validation makes of them stands in `base/fhir/tables/mended.txt`.
///
/// - `que-1`: the questionnaires that are generated from profiles have groups without items. The invariant is right, they are not.
/// - `que-2`: the same have link ids twice, where the types of a choice have parts of the same name.
/// - `que-7` asks whether an answer `is Boolean`. A name that FHIR does not have is one of the language (`FHIRPath` § 10.1: types are
///   looked for in the model first, then in `System`), and an element of the type `boolean` is no `System.Boolean`, although it
///   converts to one: `is` does not convert (§ 6.3.1). So the letter refuses every question that `exists`. R4B and R5 say `boolean`.
const BROKEN: [(&str, usize); 3] = [("que-1", 61), ("que-2", 65), ("que-7", 1)];

struct Invariant {
    key: &'static str,
    is_error: bool,
    program: Program,
}

/// Narrative is checked elsewhere.
struct Outside;

impl<'a> Host<'a> for Outside {
    fn html_checks(&self, _: &str) -> Option<bool> {
        Some(true)
    }
}

#[derive(Default)]
struct Tally {
    evaluations: usize,
    faults: Vec<(&'static str, String, EvalError)>,
    broken: HashMap<&'static str, Vec<String>>,
}

fn invariants() -> HashMap<&'static str, Vec<Invariant>> {
    let mut by_type: HashMap<&'static str, Vec<Invariant>> = HashMap::new();
    for line in INVARIANTS.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&'static str> = line.split('\t').collect();
        let [path, key, severity, expression, _] = parts[..] else { panic!("{line}") };
        // What stands on an element that is no type of its own needs its parent's type.
        let Some(of) = TypeRef::named(path) else { continue };
        let expr = parse(expression).expect(key);
        let program = compile(&expr, &Settings::of_definitions(Focus::Type(of))).expect(key);
        by_type.entry(path).or_default().push(Invariant { key, is_error: severity == "error", program });
    }
    by_type
}

struct Walk<'i> {
    invariants: &'i HashMap<&'static str, Vec<Invariant>>,
    children: Program,
    file: String,
}

impl Walk<'_> {
    fn node<'a>(&self, node: Node<'a>, context: &Context<'a, '_>, tally: &mut Tally) {
        let mut of = Some(node.of());
        while let Some(own) = of {
            for invariant in self.invariants.get(own.name()).into_iter().flatten() {
                tally.evaluations += 1;
                match invariant.program.test(Item::Node(node), context) {
                    Ok(Some(false)) if invariant.is_error => {
                        tally.broken.entry(invariant.key).or_default().push(self.file.clone());
                    }
                    Ok(_) => {}
                    Err(error) => tally.faults.push((invariant.key, self.file.clone(), error)),
                }
            }
            of = own.base();
        }
        let children = self.children.evaluate(Item::Node(node), context).expect("children");
        for child in children.iter().filter_map(Item::node) {
            if !child.of().is_resource() {
                self.node(child, context, tally);
            } else if node.of().name().starts_with("Bundle") || node.of().name().starts_with("Parameters") {
                self.node(child, &Context { resource: child, root: child, ..*context }, tally);
            } else {
                self.node(child, &Context { resource: child, ..*context }, tally);
            }
        }
    }
}

#[test]
fn every_invariant_evaluates_on_every_example() {
    let Some(folder) = iris_testkit::archive("fhir-r4-examples") else { return };
    let invariants = invariants();
    let children =
        compile(&parse("children()").expect("an expression"), &Settings::strict(Focus::Any)).expect("a program");
    let mut walk = Walk { invariants: &invariants, children, file: String::new() };
    let (mut tally, mut files) = (Tally::default(), 0);
    let mut folders = vec![folder.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let json = Json::parse(std::fs::read(&path).expect("a file")).expect("JSON");
            let Some(resource) = Node::resource(json.root()) else { continue };
            files += 1;
            walk.file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let now = Timestamp::parse("2026-11-22T10:00:00Z").expect("a time");
            walk.node(resource, &Context::of(resource, now).with_host(&Outside), &mut tally);
        }
    }
    println!("invariants evaluated: {} on {files} examples", tally.evaluations);
    assert_eq!(tally.faults, [], "evaluations without a result");
    let mut broken: Vec<_> = tally.broken.iter().map(|(key, files)| (*key, files.len())).collect();
    broken.sort_unstable();
    assert_eq!(broken, BROKEN, "{:?}", tally.broken);
    assert!(files >= 526, "{files}");
}
