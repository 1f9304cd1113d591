use iris_kernel::limits;

use super::*;

fn fault(text: impl Into<Bytes>) -> JsonError {
    Json::parse(text).unwrap_err()
}

#[test]
fn only_json_is_json() {
    let good = [
        "0",
        "-0",
        " 1.10 ",
        "1e-400",
        "-0.0E+07",
        "\"\"",
        "[]",
        "{}",
        "null",
        "[ ]",
        "{ }",
        "[1,[2,{\"a\":[]}]]",
        "\"\\u0000\"",
    ];
    for text in good {
        assert!(Json::parse(text).is_ok(), "{text}");
    }
    let bad = [
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "-",
        "0x1",
        "1_0",
        "NaN",
        "Infinity",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{\"a\":}",
        "[1 2]",
        "'a'",
        "tru",
        "True",
        "nul",
        "[}",
        "{]",
        "]",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "\"\u{1}\"",
        "/**/1",
        "\"\\uD800\"",
        "\"\\uDC00\"",
        "\"\\uD800\\u0041\"",
        "\"\\uD800x\"",
        "1a",
        "\u{feff}{}",
        "1.5.2",
        "--1",
    ];
    for text in bad {
        let kind = fault(text).kind;
        assert!(matches!(kind, JsonErrorKind::Syntax | JsonErrorKind::Truncated), "{text}: {kind:?}");
    }
    assert_eq!(fault("\u{feff}{}").what, "JSON does not start with a byte order mark");
    assert_eq!(fault("{} x").kind, JsonErrorKind::TrailingBytes);
    assert_eq!(fault("1,").kind, JsonErrorKind::TrailingBytes);
    for utf8 in [&b"\"\xff\""[..], b"\"\xc0\x80\"", b"\"\xed\xa0\x80\"", b"\xff", b"\"\xf5\x80\x80\x80\"", b"\"\xc3"] {
        assert_eq!(fault(utf8).kind, JsonErrorKind::NotUtf8);
    }
}

#[test]
fn every_truncation_is_refused() {
    let text = r#"{"a":[1.5e3,"x\u00e9\n",true,{"b":null}],"c":false}"#;
    for end in 0..text.len() {
        assert_eq!(fault(text[..end].to_owned()).kind, JsonErrorKind::Truncated, "{}", &text[..end]);
    }
}

#[test]
fn a_fault_names_its_line_and_column() {
    let fault = fault("{\n  \"ä\": 1,\n  \"ö\" 2\n}");
    assert_eq!((fault.line, fault.column, fault.offset), (3, 7, 20));
    assert_eq!(fault.to_string(), "Expected a colon after the member name (line 3, column 7)");
}

#[test]
fn the_depth_is_capped_at_its_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::parse(nested(limits::JSON_DEPTH_MAX)).is_ok());
    let past = fault(nested(limits::JSON_DEPTH_MAX + 1));
    assert_eq!((past.kind, past.offset), (JsonErrorKind::Depth, limits::JSON_DEPTH_MAX));
    assert_eq!(fault("[".repeat(100_000)).kind, JsonErrorKind::Depth);
    assert_eq!(fault("{\"a\":".repeat(100_000)).kind, JsonErrorKind::Depth);
}

#[test]
fn the_number_of_values_is_capped_at_its_limit() {
    let text = b"[0,{\"a\":1,\"b\":[]}]";
    assert!(parse::parse(text, 5, 8).is_ok());
    assert_eq!(parse::parse(text, 4, 8).unwrap_err().kind, JsonErrorKind::TooLarge);
}

#[test]
fn a_name_may_occur_once() {
    for twice in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"[{"x":{"":1,"":2}}]"#,
        r#"{"\n":1,"\u000a":2}"#,
        r#"{"aaaaaaaa1bbbbbbbb":1,"aaaaaaaa1bbbbbbbb":1}"#,
    ] {
        assert_eq!(fault(twice).kind, JsonErrorKind::DuplicateKey, "{twice}");
    }
    let twice = fault(r#"{"first":1,"a":{"first":2},"first":3}"#);
    assert_eq!((twice.kind, twice.column), (JsonErrorKind::DuplicateKey, 28));
    // Same length and same ends: the cheap comparison does not decide.
    assert!(Json::parse(r#"{"aaaaaaaa1bbbbbbbb":1,"aaaaaaaa2bbbbbbbb":1,"a":{"a":1},"A":1,"a ":1}"#).is_ok());
}

#[test]
fn names_in_objects_of_every_size_are_compared() {
    for count in [2, 23, 24, 25, 26, 1_000] {
        let names = |skip: usize| (skip..count).map(|at| format!("\"k{at}\":{at}")).collect::<Vec<_>>().join(",");
        assert!(Json::parse(format!("{{{}}}", names(0))).is_ok());
        let twice = format!("{{{},\"\\u006b{}\":0}}", names(1), count - 1);
        assert_eq!(fault(twice).kind, JsonErrorKind::DuplicateKey, "{count}");
    }
}

#[test]
fn numbers_keep_their_spelling() {
    for literal in [
        "1.10",
        "1e-400",
        "0.0000000000000000000000000000000000000000000001000",
        "-0.0",
        "1E+5",
        "123456789012345678901234567890",
    ] {
        let json = Json::parse(format!("{{\"value\": {literal} }}")).unwrap();
        assert_eq!(json.root().get("value").unwrap().number(), Some(literal));
        assert_eq!(json.compact(), format!("{{\"value\":{literal}}}").into_bytes());
    }
}

#[test]
fn strings_are_decoded_when_asked_for() {
    let json = Json::parse(r#"["plain","\"\\\/\b\f\n\r\t","\u00e4\uD83D\uDE00\u0000","ä€"]"#).unwrap();
    let texts: Vec<String> = json.root().items().map(|item| item.as_str().unwrap().into_owned()).collect();
    assert_eq!(texts, ["plain", "\"\\/\u{8}\u{c}\n\r\t", "ä😀\0", "ä€"]);
    let items: Vec<Value<'_>> = json.root().items().collect();
    assert_eq!(items[0].plain_bytes(), Some(&b"plain"[..]));
    assert_eq!(items[1].plain_bytes(), None);
    assert_eq!(items[1].raw(), br#""\"\\\/\b\f\n\r\t""#);
}

#[test]
fn values_are_reached_by_name_position_and_pointer() {
    let json = Json::parse(r#"{"a":[true,{"b/c~":"x","\u0064":1.0}],"e":null,"f":{}}"#).unwrap();
    let root = json.root();
    assert_eq!((root.kind(), root.len(), root.is_empty()), (ValueKind::Object, 3, false));
    let inner = root.get("a").unwrap().items().nth(1).unwrap();
    assert_eq!(inner.get("d").unwrap().number(), Some("1.0"));
    assert_eq!(inner.get("d").unwrap().pointer(), "/a/1/d");
    assert_eq!(inner.get("b/c~").unwrap().pointer(), "/a/1/b~1c~0");
    assert_eq!(root.pointer(), "");
    assert_eq!(root.get("a").unwrap().items().next().unwrap().as_bool(), Some(true));
    assert!(root.get("e").unwrap().is_null() && root.get("f").unwrap().is_empty());
    assert!(root.get("b").is_none() && inner.get("x").is_none() && root.items().next().is_none());
    let names: Vec<_> = inner.members().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["b/c~", "d"]);
    assert_eq!(format!("{inner:?}"), r#"Object at "/a/1""#);
}

#[test]
fn the_same_data_is_told_from_other_data() {
    let same =
        |a: &str, b: &str| Json::parse(a.to_owned()).unwrap().root().same_as(Json::parse(b.to_owned()).unwrap().root());
    assert!(same(r#"{"a": 1, "b":["\u0061"]}"#, r#"{"b":["a"],"a":1}"#));
    for (a, b) in [
        ("1.0", "1.00"),
        ("[1,2]", "[2,1]"),
        ("{\"a\":1}", "{\"b\":1}"),
        ("null", "false"),
        ("true", "false"),
        ("[]", "{}"),
        ("[1]", "[]"),
    ] {
        assert!(!same(a, b), "{a} {b}");
    }
}

#[test]
fn edits_change_their_places_and_nothing_else() {
    let json = Json::parse(r#"{ "a" : [ 1 , 2.50 ], "b" : { "c" : "x" , "d" : "y" }, "e" : "z" }"#).unwrap();
    let root = json.root();
    let object = root.get("b").unwrap();
    let mut edits = Edits::new();
    edits.remove_member(object, "c").remove_member(object, "absent");
    edits.insert_first(object, "n\"", *b"[0]").insert_first(object, "m", *b"1");
    edits.replace(root.get("a").unwrap().items().next().unwrap(), *b"{}");
    edits.replace(root.get("e").unwrap(), *b"3").replace(root.get("e").unwrap(), *b"4");
    assert_eq!(
        String::from_utf8(json.edited(edits)).unwrap(),
        r#"{"a":[{},2.50],"b":{"n\"":[0],"m":1,"d":"y"},"e":4}"#
    );
    let mut edits = Edits::new();
    edits.remove_member(object, "c").remove_member(object, "d");
    assert!(json.edited(edits).ends_with(br#""b":{},"e":"z"}"#));
}

#[test]
fn the_writer_escapes_what_must_be() {
    let mut out = Vec::new();
    write_string("a\"\\\n\r\t\u{0}\u{1f}\u{7f}ä/", &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "\"a\\\"\\\\\\n\\r\\t\\u0000\\u001f\u{7f}ä/\"");
    let mut writer = Writer::new();
    writer.object().key("a").array().object();
    assert_eq!(writer.finish(), br#"{"a":[{}]}"#, "what is open is closed");
}

#[test]
fn members_beside_primitives_are_announced() {
    let may = |text: &str| Json::parse(text.to_owned()).unwrap().root().may_have_shadows();
    assert!(may(r#"{"a":1,"_a":{}}"#) && may(r#"{"_":{}}"#) && may(r#"{"\u005fa":{}}"#));
    assert!(!may(r#"{"a":{"_b":{}},"b_":[{"_c":1}]}"#) && !may("{}") && !may(r#"["_a"]"#) && !may(r#"{"a":"_b"}"#));
}
