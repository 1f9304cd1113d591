//! What extraction and invariants cost on Synthea's resources. Run by itself, optimised:
//! `cargo test --release -p iris-fhirpath --test speed -- --ignored --nocapture`
#![allow(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail like tests")]
#![allow(clippy::disallowed_methods, reason = "this is about real time")]

use std::collections::HashMap;
use std::process::Command;
use std::time::{Duration, Instant};

use iris_fhir::Json;
use iris_fhir::definitions::{definitions, kind_of};
use iris_fhirpath::{Context, Focus, Host, Item, Node, Program, Resolved, Settings, TypeRef, compile, parse};
use iris_kernel::{Kind, Timestamp};

const INVARIANTS: &str = include_str!("../../fhir/tables/invariants.txt");
/// Files of Synthea that are looked at, and how often; the best time counts.
const FILES: usize = 12;
const ROUNDS: usize = 5;
/// A named few are shown by themselves.
const SHOWN: usize = 12;

/// References lead to the type that their text names; narrative is checked elsewhere.
struct Outside;

impl<'a> Host<'a> for Outside {
    fn resolve(&self, reference: &str) -> Resolved<'a> {
        let named = reference.split(['/', '?']).find_map(kind_of);
        named.map_or(Resolved::Nowhere, Resolved::Type)
    }

    fn html_checks(&self, _: &str) -> Option<bool> {
        Some(true)
    }
}

/// Each resource of the bundles as a document of its own.
fn resources() -> Option<Vec<Json>> {
    let folder = iris_testkit::data_dir()?.join("synthea");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let mut resources = Vec::new();
    for file in files.iter().take(FILES) {
        let output = Command::new("bzip2").arg("-dc").arg(file).output().expect("bzip2 runs");
        let bundle = Json::parse(output.stdout).expect("JSON");
        let entries = bundle.root().get("entry").expect("entries");
        let inside = entries.items().filter_map(|entry| entry.get("resource"));
        resources.extend(inside.map(|resource| Json::parse(resource.raw().to_vec()).expect("JSON")));
    }
    Some(resources)
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").expect("a time")
}

fn best(mut round: impl FnMut()) -> Duration {
    let timed = |round: &mut dyn FnMut()| {
        let start = Instant::now();
        round();
        start.elapsed()
    };
    (0..ROUNDS).map(|_| timed(&mut round)).min().unwrap_or_default()
}

fn micros(time: Duration, of: usize) -> f64 {
    time.as_secs_f64() * 1e6 / of as f64
}

/// What costs most, by name.
fn shown(what: &str, mut costs: Vec<(String, Duration, usize)>, resources: usize) {
    costs.sort_by_key(|(_, time, _)| std::cmp::Reverse(*time));
    for (name, time, items) in costs.iter().take(SHOWN) {
        println!(
            "{what}: {:.3} us of each resource, {:.0} ns each: {name}",
            micros(*time, resources),
            micros(*time, *items) * 1e3
        );
    }
}

#[test]
#[ignore = "measures"]
fn extraction() {
    let Some(resources) = resources() else { return };
    let nodes: Vec<(Kind, Node<'_>)> = resources
        .iter()
        .filter_map(|json| Node::resource(json.root()))
        .filter_map(|node| Some((kind_of(node.of().name())?, node)))
        .collect();
    let mut programs: HashMap<Kind, Vec<(String, Program)>> = HashMap::new();
    for kind in definitions().kinds() {
        for param in definitions().params_of(kind).iter().filter(|param| !param.expression.is_empty()) {
            let expr = parse(param.expression).expect(param.code);
            let program = compile(&expr, &Settings::of_definitions(Focus::Resource(kind))).expect(param.code);
            programs.entry(kind).or_default().push((param.expression.to_owned(), program));
        }
    }
    let (mut found, now) = (0, now());
    let all = best(|| {
        found = 0;
        for (kind, node) in &nodes {
            let context = Context::of(*node, now).with_host(&Outside);
            for (_, program) in &programs[kind] {
                program.each(Item::Node(*node), &context, &mut |_| found += 1).expect("items");
            }
        }
    });
    println!("extraction: {:.2} us of each of {} resources, {found} values", micros(all, nodes.len()), nodes.len());
    let mut costs = Vec::new();
    for (kind, own) in &programs {
        let of_kind: Vec<Node<'_>> = nodes.iter().filter(|(of, _)| of == kind).map(|(_, node)| *node).collect();
        for (name, program) in own.iter().filter(|_| !of_kind.is_empty()) {
            let time = best(|| {
                for node in &of_kind {
                    let context = Context::of(*node, now).with_host(&Outside);
                    program.each(Item::Node(*node), &context, &mut |_| found += 1).expect("items");
                }
            });
            costs.push((name.clone(), time, of_kind.len()));
        }
    }
    shown("extraction", costs, nodes.len());
}

type Asked<'a> = Vec<(usize, Node<'a>, Node<'a>)>;

/// Which invariants are asked of which elements of a resource.
fn walk<'a>(node: Node<'a>, resource: Node<'a>, by_type: &ByType, asked: &mut Asked<'a>) {
    for at in by_type.get(&node.of()).into_iter().flatten() {
        asked.push((*at, node, resource));
    }
    let walked: Result<(), ()> = node.each_child(&mut |_, child| {
        walk(child, if child.of().is_resource() { child } else { resource }, by_type, asked);
        Ok(())
    });
    walked.expect("nothing fails");
}

/// By type, which invariants hold.
type ByType = HashMap<TypeRef, Vec<usize>>;

/// The invariants, and those of each type with what it specialises.
fn invariants() -> (Vec<(String, Program)>, ByType) {
    let (mut programs, mut own) = (Vec::new(), HashMap::<&str, Vec<usize>>::new());
    for line in INVARIANTS.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&'static str> = line.split('\t').collect();
        let [path, key, _, expression, _] = parts[..] else { panic!("{line}") };
        let Some(of) = TypeRef::named(path) else { continue };
        let expr = parse(expression).expect(key);
        own.entry(path).or_default().push(programs.len());
        let program = compile(&expr, &Settings::of_definitions(Focus::Type(of))).expect(key);
        programs.push((format!("{key} of {path}"), program));
    }
    let primitives = iris_fhir::definitions::Primitive::ALL.iter().map(|(_, primitive)| TypeRef::Primitive(*primitive));
    let structures = definitions().structures().iter().filter_map(|structure| TypeRef::named(structure.name));
    let mut by_type = HashMap::new();
    for of in primitives.chain(structures) {
        let mut all = Vec::new();
        let mut at = Some(of);
        while let Some(base) = at {
            all.extend(own.get(base.name()).into_iter().flatten().copied());
            at = base.base();
        }
        by_type.insert(of, all);
    }
    (programs, by_type)
}

#[test]
#[ignore = "measures"]
fn validation() {
    let Some(resources) = resources() else { return };
    let nodes: Vec<Node<'_>> = resources.iter().filter_map(|json| Node::resource(json.root())).collect();
    let (programs, by_type) = invariants();
    let mut asked = Vec::new();
    let walking = best(|| {
        asked.clear();
        nodes.iter().for_each(|node| walk(*node, *node, &by_type, &mut asked));
    });
    let now = now();
    let ask = |(at, node, resource): &(usize, Node<'_>, Node<'_>)| {
        let context = Context::of(*resource, now).with_host(&Outside);
        programs[*at].1.test(Item::Node(*node), &context).expect(&programs[*at].0)
    };
    let mut broken = 0;
    let all = best(|| broken = asked.iter().filter(|asked| ask(asked) == Some(false)).count());
    println!(
        "invariants: {:.2} us of each of {} resources and {:.2} us for walking, {} questions, {broken} are not so",
        micros(all, nodes.len()),
        nodes.len(),
        micros(walking, nodes.len()),
        asked.len()
    );
    let mut costs = Vec::new();
    for (at, (name, _)) in programs.iter().enumerate() {
        let own: Asked<'_> = asked.iter().filter(|(own, ..)| *own == at).copied().collect();
        if !own.is_empty() {
            let time = best(|| broken = own.iter().filter(|asked| ask(asked) == Some(false)).count());
            costs.push((name.clone(), time, own.len()));
        }
    }
    shown("invariants", costs, nodes.len());
}
