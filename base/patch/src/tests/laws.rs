//! Laws, against generated documents and patches, with a naive patcher over another reader's values as the judge.

use proptest::prelude::*;
use serde_json::Value as Judged;

use super::*;

/// A small document with few names, so that pointers hit.
fn document() -> impl Strategy<Value = Judged> {
    let leaf = prop_oneof![
        Just(Judged::Null),
        any::<bool>().prop_map(Judged::from),
        (0..5_i64).prop_map(Judged::from),
        "[ab~/é\"]{0,2}".prop_map(Judged::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Judged::from),
            proptest::collection::btree_map("[ab~/]{0,2}", inner, 0..4)
                .prop_map(|members| Judged::Object(members.into_iter().collect())),
        ]
    })
}

/// A pointer that leads somewhere, or nearly.
fn pointer() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        3 => Just("a"), 3 => Just("b"), 2 => Just("0"), 2 => Just("1"), 1 => Just("-"), 1 => Just("~0"), 1 => Just("~1a"), 1 => Just(""), 1 => Just("01")
    ];
    proptest::collection::vec(token, 0..4).prop_map(|tokens| tokens.iter().map(|token| format!("/{token}")).collect())
}

fn operation() -> impl Strategy<Value = Judged> {
    let name = proptest::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"]);
    (name, pointer(), pointer(), document())
        .prop_map(|(op, path, from, value)| serde_json::json!({ "op": op, "path": path, "from": from, "value": value }))
}

fn split(pointer: &str) -> Option<(&str, String)> {
    let (parent, last) = pointer.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn position(token: &str, length: usize) -> Option<usize> {
    let at: usize = token.parse().ok()?;
    (at.to_string() == token && at <= length).then_some(at)
}

fn add(root: &mut Judged, path: &str, value: Judged) -> Option<()> {
    let Some((parent, last)) = split(path) else {
        *root = value;
        return Some(());
    };
    match root.pointer_mut(parent)? {
        Judged::Object(members) => drop(members.insert(last, value)),
        Judged::Array(items) if last == "-" => items.push(value),
        Judged::Array(items) => items.insert(position(&last, items.len())?, value),
        _ => return None,
    }
    Some(())
}

fn remove(root: &mut Judged, path: &str) -> Option<Judged> {
    let (parent, last) = split(path)?;
    match root.pointer_mut(parent)? {
        Judged::Object(members) => members.remove(&last),
        Judged::Array(items) => {
            let at = position(&last, items.len()).filter(|at| *at < items.len())?;
            Some(items.remove(at))
        }
        _ => None,
    }
}

/// One operation, naively.
fn judge(root: &mut Judged, operation: &Judged) -> Option<()> {
    let text = |name: &str| operation[name].as_str().unwrap();
    let (path, from, value) = (text("path"), text("from"), operation["value"].clone());
    match text("op") {
        "add" => add(root, path, value),
        "remove" => remove(root, path).map(drop),
        "replace" => root.pointer_mut(path).map(|old| *old = value),
        "move" if path == from => root.pointer(path).map(drop),
        "move" => {
            let moved = remove(root, from)?;
            add(root, path, moved)
        }
        "copy" => {
            let copied = root.pointer(from)?.clone();
            add(root, path, copied)
        }
        _ => (root.pointer(path)? == &value).then_some(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Every patch does what the naive patcher does, and fails where that fails.
    #[test]
    fn patches_do_what_the_judge_does(document in document(), operations in proptest::collection::vec(operation(), 1..5)) {
        let into_itself = |operation: &Judged| {
            let (path, from) = (operation["path"].as_str().unwrap(), operation["from"].as_str().unwrap());
            operation["op"] == "move" && path.len() > from.len() && path.starts_with(&format!("{from}/"))
        };
        let patch = JsonPatch::parse(Judged::from(operations.clone()).to_string());
        prop_assert_eq!(patch.is_err(), operations.iter().any(into_itself));
        let Ok(patch) = patch else { return Ok(()) };
        let ours = patch.apply(&Json::parse(document.to_string()).unwrap());
        let mut judged = document;
        let fails = operations.iter().position(|operation| judge(&mut judged, operation).is_none());
        match ours {
            Ok(ours) => {
                prop_assert_eq!(fails, None);
                prop_assert_eq!(serde_json::from_slice::<Judged>(&ours).unwrap(), judged);
                prop_assert!(Json::parse(ours).is_ok());
            }
            Err(fault) => prop_assert_eq!(fault.operation, fails, "{}", fault),
        }
    }

    #[test]
    fn any_patch_is_read_or_refused(patch in "[\\[\\]{}:,\"~/opathvluerm0-9]{0,80}") {
        match JsonPatch::parse(patch) {
            Ok(patch) => drop(patch.apply(&Json::parse("{}").unwrap())),
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
    }
}
