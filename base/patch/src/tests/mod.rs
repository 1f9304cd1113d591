//! What operations do, what is refused and by which name.

use iris_fhir::Json;

use super::*;

mod fhirpath;
mod laws;

/// The outcome of a patch, or what is wrong with it.
fn patched(document: &str, patch: &str) -> Result<String, String> {
    let faults = |faults: Vec<PatchFault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let patch = JsonPatch::parse(patch.to_owned()).map_err(faults)?;
    let out = patch.apply(&Json::parse(document.to_owned()).unwrap()).map_err(|fault| fault.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

#[track_caller]
fn good(document: &str, patch: &str, outcome: &str) {
    assert_eq!(patched(document, patch).as_deref(), Ok(outcome), "{patch}");
}

#[track_caller]
fn bad(document: &str, patch: &str, fault: &str) {
    assert_eq!(patched(document, patch).as_ref().map_err(|fault| &**fault), Err(fault), "{patch}");
}

#[test]
fn what_is_not_touched_keeps_its_text() {
    let document = r#"{ "a" : [ 1.50, {"b":6.30e0, "\u0063":"\/\u00e4"} ],  "d": {"e":-0.00} }"#;
    good(document, "[]", r#"{"a":[1.50,{"b":6.30e0,"\u0063":"\/\u00e4"}],"d":{"e":-0.00}}"#);
    good(
        document,
        r#"[{"op":"add","path":"/f","value": 0.10 },{"op":"remove","path":"/d/e"}]"#,
        r#"{"a":[1.50,{"b":6.30e0,"\u0063":"\/\u00e4"}],"d":{},"f":0.10}"#,
    );
    good(
        document,
        r#"[{"op":"replace","path":"/a/1/c","value":1.0}]"#,
        r#"{"a":[1.50,{"b":6.30e0,"c":1.0}],"d":{"e":-0.00}}"#,
    );
}

#[test]
fn operations_do_what_the_rfc_says() {
    let document = r#"{"a":[1,2,3],"b":{"c":"d"},"":0,"~/":1}"#;
    for (operation, outcome) in [
        (r#""add","path":"/a/0","value":null"#, r#"{"a":[null,1,2,3],"b":{"c":"d"},"":0,"~/":1}"#),
        (r#""add","path":"/a/3","value":4"#, r#"{"a":[1,2,3,4],"b":{"c":"d"},"":0,"~/":1}"#),
        (r#""add","path":"/a/-","value":4"#, r#"{"a":[1,2,3,4],"b":{"c":"d"},"":0,"~/":1}"#),
        (r#""add","path":"/b/c","value":[]"#, r#"{"a":[1,2,3],"b":{"c":[]},"":0,"~/":1}"#),
        (r#""add","path":"","value":7"#, "7"),
        (r#""replace","path":"","value":{}"#, "{}"),
        (r#""replace","path":"/","value":9"#, r#"{"a":[1,2,3],"b":{"c":"d"},"":9,"~/":1}"#),
        (r#""replace","path":"/~0~1","value":9"#, r#"{"a":[1,2,3],"b":{"c":"d"},"":0,"~/":9}"#),
        (r#""remove","path":"/a/1""#, r#"{"a":[1,3],"b":{"c":"d"},"":0,"~/":1}"#),
        (r#""move","from":"/a/0","path":"/a/2""#, r#"{"a":[2,3,1],"b":{"c":"d"},"":0,"~/":1}"#),
        (r#""move","from":"/b/c","path":"/b/c""#, r#"{"a":[1,2,3],"b":{"c":"d"},"":0,"~/":1}"#),
        (r#""move","from":"/b/c","path":"/b""#, r#"{"a":[1,2,3],"b":"d","":0,"~/":1}"#),
        (
            r#""copy","from":"","path":"/a/-""#,
            r#"{"a":[1,2,3,{"a":[1,2,3],"b":{"c":"d"},"":0,"~/":1}],"b":{"c":"d"},"":0,"~/":1}"#,
        ),
        (r#""test","path":"/a","value":[1.0,20e-1,3]"#, r#"{"a":[1,2,3],"b":{"c":"d"},"":0,"~/":1}"#),
        (
            r#""test","path":"","value":{"b":{"c":"\u0064"},"~/":1,"":-0,"a":[1,2,3]}"#,
            r#"{"a":[1,2,3],"b":{"c":"d"},"":0,"~/":1}"#,
        ),
    ] {
        good(document, &format!("[{{\"op\":{operation}}}]"), outcome);
    }
}

#[test]
fn what_cannot_be_applied_is_refused_by_name() {
    let document = r#"{"a":[1,2,3],"b":{"c":"d"}}"#;
    let nothing = "/0/path: There is nothing at this path";
    let parent = "/0/path: There is nothing to add to: the path leads into something that is not there";
    let position = "/0/path: The position is not in the array, or not written as digits without zeros before them";
    for (operation, fault) in [
        (r#""add","path":"/x/y","value":1"#, parent),
        (r#""add","path":"/b/c/d","value":1"#, parent),
        (r#""add","path":"/a/4","value":1"#, position),
        (r#""add","path":"/a/01","value":1"#, position),
        (r#""add","path":"/a/x","value":1"#, position),
        (r#""remove","path":"/x""#, nothing),
        (r#""remove","path":"/a/3""#, nothing),
        (r#""remove","path":"/a/-""#, nothing),
        (r#""remove","path":"""#, "/0/path: The whole resource cannot be removed by a patch"),
        (r#""replace","path":"/x","value":1"#, nothing),
        (r#""replace","path":"/a/-","value":1"#, nothing),
        (r#""move","from":"/x","path":"/y""#, "/0: There is nothing at this path"),
        (r#""copy","from":"/x","path":"/y""#, "/0: There is nothing at this path"),
        (r#""test","path":"/x","value":null"#, nothing),
        (r#""test","path":"/a/0","value":"1""#, "/0/value: The test failed: something else is there"),
        (r#""test","path":"/a","value":[1,3,2]"#, "/0/value: The test failed: something else is there"),
        (r#""test","path":"/b","value":{"c":"d","e":1}"#, "/0/value: The test failed: something else is there"),
    ] {
        bad(document, &format!("[{{\"op\":{operation}}}]"), fault);
    }
    // The third operation fails: the first two have changed nothing.
    bad(
        document,
        r#"[{"op":"remove","path":"/a"},{"op":"remove","path":"/b"},{"op":"test","path":"/b","value":1}]"#,
        "/2/path: There is nothing at this path",
    );
}

#[test]
fn every_fault_of_the_document_is_named_at_once() {
    let patch = r#"[1,{"op":"add","path":"/a"},{"op":"Add","path":"/a","value":1},{"path":"a"},{"op":"copy","path":"/a","from":"/~"},
        {"op":"move","from":"/a","path":"/a/b"},{"op":"test","path":5,"value":null},{"op":"remove","path":"/x","more":1}]"#;
    let faults = JsonPatch::parse(patch.to_owned()).unwrap_err();
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "/0: An operation is a JSON object",
            "/1/value: This operation has a value",
            "/2/op: There is no such operation: it is add, remove, replace, move, copy or test",
            "/3/path: A JSON pointer is empty or starts with /",
            "/3/op: An operation has a name: add, remove, replace, move, copy or test",
            "/4/from: In a JSON pointer, ~ is written ~0 and / is written ~1",
            "/5/path: Nothing can be moved into itself",
            "/6/path: This operation has a JSON pointer here",
        ]
    );
    assert!(faults.iter().all(|fault| fault.kind == PatchFaultKind::Document));
    bad("{}", "{}", "A JSON Patch is an array of operations");
    assert!(patched("{}", "[").unwrap_err().starts_with("The patch is not valid JSON: "));
    // RFC 6902, A.13: a name twice.
    assert!(
        patched("{}", r#"[{"op":"add","path":"/a","value":1,"op":"remove"}]"#).unwrap_err().contains("not valid JSON")
    );
}

#[test]
fn the_limits_hold_at_the_limit_and_one_more() {
    let operations = |count: usize| format!("[{}]", vec![r#"{"op":"test","path":"","value":{}}"#; count].join(","));
    good("{}", &operations(OPERATIONS_MAX), "{}");
    bad("{}", &operations(OPERATIONS_MAX + 1), "A patch has at most 1000 operations");
    let faulty = format!("[{}]", vec!["1"; limits::FAULTS_MAX + 5].join(","));
    let faults = JsonPatch::parse(faulty).unwrap_err();
    assert_eq!((faults.len(), &*faults[limits::FAULTS_MAX].what), (limits::FAULTS_MAX + 1, "There are 5 more faults"));
    // Depth: each operation puts an object into the one before.
    let deeper = |levels: usize| {
        let paths = (1..levels).map(|at| format!(r#"{{"op":"add","path":"{}","value":{{}}}}"#, "/a".repeat(at)));
        format!("[{}]", paths.collect::<Vec<_>>().join(","))
    };
    assert!(patched("{}", &deeper(limits::JSON_DEPTH_MAX)).is_ok());
    let fault = patched("{}", &deeper(limits::JSON_DEPTH_MAX + 1)).unwrap_err();
    assert!(fault.ends_with("The outcome would be nested too deep"), "{fault}");
    // And in one go, from both sides.
    let half = limits::JSON_DEPTH_MAX / 2;
    let nested = |levels: usize| format!("{}{{}}{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    let replaced =
        |levels: usize| format!(r#"[{{"op":"replace","path":"{}","value":{}}}]"#, "/a".repeat(half), nested(levels));
    assert!(patched(&nested(half), &replaced(half - 1)).is_ok());
    assert!(patched(&nested(half), &replaced(half)).is_err());
}

#[test]
fn attack_doubling_copies_are_bounded() {
    let document = format!(r#"{{"a":["{}"]}}"#, "x".repeat(1 << 20));
    let doubling = vec![r#"{"op":"copy","from":"/a","path":"/a/-"}"#; 40].join(",");
    let fault = patched(&document, &format!("[{doubling}]")).unwrap_err();
    assert!(fault.ends_with("is allowed"), "{fault}");
    let flat = vec![r#"{"op":"copy","from":"/a/0","path":"/a/-"}"#; 100].join(",");
    assert!(
        patched(&document, &format!("[{flat}]")).unwrap_err().ends_with("The outcome would be larger than is allowed")
    );
}

#[test]
fn attack_work_is_bounded() {
    let items = vec!["1"; 200_000].join(",");
    let document = Json::parse(format!("[{items}]")).unwrap();
    let inserts = vec![r#"{"op":"add","path":"/0","value":1}"#; OPERATIONS_MAX].join(",");
    let fault = JsonPatch::parse(format!("[{inserts}]")).unwrap().apply(&document).unwrap_err();
    assert_eq!(
        (fault.kind, &*fault.what),
        (PatchFaultKind::Limit, "The patch copies and compares more than is allowed")
    );
    let one = JsonPatch::parse(r#"[{"op":"test","path":"/a","value":"xxxx"}]"#.to_owned()).unwrap();
    let document = Json::parse(r#"{"a":"xxxx"}"#.to_owned()).unwrap();
    // Opening one member, looking at it, comparing six bytes.
    assert!(one.apply_within(&document, 15, 100).is_ok());
    assert_eq!(one.apply_within(&document, 14, 100).unwrap_err().kind, PatchFaultKind::Limit);
}

#[test]
fn the_outcome_is_the_same_resource() {
    let resource =
        iris_fhir::Resource::parse(r#"{"resourceType":"Patient","id":"a","active":true}"#.to_owned()).unwrap();
    let apply = |operation: &str| {
        let patch = JsonPatch::parse(format!("[{operation}]")).unwrap();
        patch.apply_to(&resource).map(|outcome| String::from_utf8(outcome.json().compact()).unwrap())
    };
    assert_eq!(apply(r#"{"op":"remove","path":"/active"}"#).unwrap(), r#"{"resourceType":"Patient","id":"a"}"#);
    for (operation, what) in [
        (r#"{"op":"replace","path":"/id","value":"b"}"#, "A patch cannot change the id of a resource"),
        (r#"{"op":"remove","path":"/id"}"#, "A patch cannot change the id of a resource"),
        (r#"{"op":"replace","path":"/resourceType","value":"Basic"}"#, "A patch cannot change the type of a resource"),
        (r#"{"op":"remove","path":"/resourceType"}"#, "The outcome is no resource: The resource has no resourceType"),
        (r#"{"op":"replace","path":"","value":[]}"#, "The outcome is no resource: A resource is a JSON object"),
    ] {
        let faults = apply(operation).unwrap_err();
        assert_eq!((faults.len(), faults[0].kind, &*faults[0].what), (1, PatchFaultKind::Identity, what));
    }
}
