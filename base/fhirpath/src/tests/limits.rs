//! An expression from outside cannot crash, hang or eat memory.

use super::{on_patient, on_patient_within};
use crate::context::Limits;
use crate::{DEPTH_MAX, HEIGHT_MAX, PATTERN_BYTES_MAX, REGEXES_MAX, TEXT_BYTES_MAX, TOKENS_MAX, parse};

#[test]
fn text_tokens_depth_and_height_have_limits() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(DEPTH_MAX - 1)).is_ok());
    assert_eq!(parse(&nested(DEPTH_MAX)).unwrap_err().what, "nested too deeply");
    assert_eq!(parse(&nested(20_000)).unwrap_err().what, "more than 2048 tokens");
    let long = |steps: usize| vec!["a"; steps].join(".");
    assert!(parse(&long(HEIGHT_MAX)).is_ok());
    assert_eq!(parse(&long(HEIGHT_MAX + 1)).unwrap_err().what, "too many steps on one path");
    assert_eq!(parse(&" ".repeat(TEXT_BYTES_MAX + 1)).unwrap_err().what, "more than 65536 bytes");
    assert!(parse(&" ".repeat(TEXT_BYTES_MAX)).is_err());
}

#[test]
fn long_runs_of_one_operator_are_evaluated_without_depth() {
    for operator in [" | ", " or ", " and "] {
        let run = vec!["active"; TOKENS_MAX / 2].join(operator);
        assert_eq!(on_patient(&run), Ok(vec!["true".to_owned()]), "{operator}");
        let tree = parse(&run).unwrap();
        assert_eq!(parse(&tree.to_string()), Ok(tree), "{operator}");
    }
    let run = vec!["active"; TOKENS_MAX / 2 + 1].join(" | ");
    assert_eq!(parse(&run).unwrap_err().what, "more than 2048 tokens");
}

#[test]
fn the_tallest_trees_are_evaluated() {
    let sum = vec!["1"; HEIGHT_MAX].join(" + ");
    assert_eq!(on_patient(&sum), Ok(vec![HEIGHT_MAX.to_string()]));
    let nested = |depth: usize| format!("{}true{}", "iif(true, ".repeat(depth), ")".repeat(depth));
    assert_eq!(on_patient(&nested(DEPTH_MAX - 1)), Ok(vec!["true".to_owned()]));
    let wheres = format!("name{}.count()", ".where(true)".repeat(HEIGHT_MAX - 2));
    assert_eq!(on_patient(&wheres), Ok(vec!["2".to_owned()]));
    let deep = format!("{}$this.exists(){}", "name.where(".repeat(DEPTH_MAX / 2), ")".repeat(DEPTH_MAX / 2));
    assert!(on_patient(&deep).is_err(), "a name has no name");
}

#[test]
fn steps_have_a_limit() {
    let counted = |fuel: u64| on_patient_within("name.given.count()", Limits { fuel, ..Limits::default() });
    let needed = (1..1_000).find(|fuel| counted(*fuel).is_ok()).unwrap();
    assert_eq!(counted(needed), Ok(vec!["3".to_owned()]));
    assert!(counted(needed - 1).unwrap_err().contains("limit of steps"));
}

#[test]
fn collections_have_a_limit() {
    let counted = |items: usize| on_patient_within("descendants().count()", Limits { items, ..Limits::default() });
    let needed = (1..1_000).find(|items| counted(*items).is_ok()).unwrap();
    assert!(counted(needed - 1).unwrap_err().contains("limit of items"));
}

#[test]
fn regular_expressions_have_limits() {
    let runs = |count: usize| vec!["'a'.matches('a')"; count].join(" and ");
    assert_eq!(on_patient(&runs(REGEXES_MAX)), Ok(vec!["true".to_owned()]));
    assert!(on_patient(&runs(REGEXES_MAX + 1)).unwrap_err().contains("more than 16"));
    let long = |bytes: usize| format!("'a'.matches('{}')", "a".repeat(bytes));
    assert_eq!(on_patient(&long(PATTERN_BYTES_MAX)), Ok(vec!["false".to_owned()]));
    assert!(on_patient(&long(PATTERN_BYTES_MAX + 1)).is_err());
}

#[test]
fn comparing_large_elements_costs_more_than_small_ones() {
    let counted = |fuel: u64, text: &str| on_patient_within(text, Limits { fuel, ..Limits::default() }).is_ok();
    let needed = |text: &str| (1..5_000).find(|fuel| counted(*fuel, text)).unwrap();
    assert!(needed("('a' | 'b').isDistinct()") < needed(&format!("('{0}a' | '{0}b').isDistinct()", "x".repeat(9_000))));
}

#[test]
fn what_would_grow_without_end_ends() {
    for hostile in [
        "repeat($this & 'a')",
        "'a'.repeat($this & $this)",
        "name.repeat($this | descendants() | %resource)",
        "'aaaaaaaaaaaaaaaa'.select($this.replace('a', $this)).select($this.replace('a', $this)).select($this.replace('a', $this)).select($this.replace('a', $this)).select($this.replace('a', $this))",
        "descendants().select(%resource.descendants().select(%resource.descendants().select(%resource.descendants().select(%resource.descendants()))))",
        "'1'.repeat((toInteger() + 1).toString())",
        "(1).repeat($this + 1)",
        "'a'.encode('hex').encode('hex').matches('(' & 'a{1000}){1000}')",
        "'x'.matches('((a{100}){100}){100}' & '')",
        "(1).power(2147483647).power(2147483647)",
        "(99999999.99).power(2147483647)",
        "(1.0000001).power(2147483647)",
    ] {
        let _ = on_patient_within(hostile, Limits { fuel: 300_000, items: 10_000 });
    }
    for (hostile, why) in [
        ("(1).repeat($this + 1)", "limit"),
        ("'a'.repeat($this & 'a')", "limit"),
        ("'x'.matches('((a{100}){100}){100}' & '')", "not a regular expression"),
    ] {
        let error = on_patient_within(hostile, Limits { fuel: 300_000, items: 10_000 }).unwrap_err();
        assert!(error.contains(why), "{hostile}: {error}");
    }
}
