//! The formats, by example.

use super::*;
use crate::json::Json;

fn accepts(primitive: Primitive, json: &str) -> bool {
    fault(primitive, Json::parse(json.to_owned()).unwrap().root()).is_none()
}

/// Strings of a type that are accepted, then strings that are not.
#[track_caller]
fn strings(primitive: Primitive, good: &[&str], bad: &[&str]) {
    for (texts, expected) in [(good, true), (bad, false)] {
        for text in texts {
            let mut json = Vec::new();
            crate::json::write_string(text, &mut json);
            assert_eq!(
                accepts(primitive, &String::from_utf8(json).unwrap()),
                expected,
                "{} {text:?}",
                primitive.name()
            );
        }
    }
    for other in ["1", "true", "null", "[]", "{}", "\"\""] {
        assert!(!accepts(primitive, other), "{} {other}", primitive.name());
    }
}

#[test]
fn dates_exist() {
    strings(
        Primitive::Date,
        &["2000", "0001", "9999-12", "2024-02-29", "2000-02-29", "1999-12-31"],
        &[
            "0000",
            "200",
            "20000",
            "2000-13",
            "2000-00",
            "2023-02-29",
            "1900-02-29",
            "2000-04-31",
            "2000-1-1",
            "2000-01-00",
            "2000-01-01T",
            "2000-",
            "x",
            " 2000",
            "2000-01-01Z",
            "-2000",
            "２０００",
        ],
    );
    strings(
        Primitive::DateTime,
        &[
            "2000",
            "2000-01",
            "2000-01-01",
            "2000-01-01T00:00:00Z",
            "2000-01-01T23:59:60.123456789+14:00",
            "2000-01-01T10:00:00-00:30",
        ],
        &[
            "2000-01-01T00:00:00",
            "2000-01-01T24:00:00Z",
            "2000-01-01T00:60:00Z",
            "2000-01-01T00:00:61Z",
            "2000-01-01T00:00Z",
            "2000-01T00:00:00Z",
            "2000-01-01 00:00:00Z",
            "2000-01-01T00:00:00.Z",
            "2000-01-01T00:00:00+14:01",
            "2000-01-01T00:00:00+0100",
            "2000-01-01T00:00:00+01",
            "2000-01-01T00:00:00z",
            "2000-01-01T00:00:00Z ",
            "2000-01-01T00:00:00+01:60",
            "2023-02-30T00:00:00Z",
        ],
    );
    strings(
        Primitive::Instant,
        &["2015-02-07T13:28:17.239+02:00", "2015-02-07T13:28:17Z"],
        &["2015", "2015-02-07", "2015-02-07T13:28:17"],
    );
    strings(
        Primitive::Time,
        &["00:00:00", "23:59:60", "10:00:00.5"],
        &["24:00:00", "10:00", "10:00:00Z", "10:00:00.", "1:00:00", "10:00:00,5"],
    );
}

#[test]
fn numbers_are_in_range() {
    for (primitive, good, bad) in [
        (
            Primitive::Integer,
            &["0", "-1", "2147483647", "-2147483648"][..],
            &["-0", "2147483648", "-2147483649", "1.0", "1e2", "\"1\"", "null"][..],
        ),
        (Primitive::UnsignedInt, &["0", "2147483647"], &["-1", "2147483648", "-0", "0.5", "99999999999999999999"]),
        (Primitive::PositiveInt, &["1", "2147483647"], &["0", "-1", "2147483648", "true"]),
        (
            Primitive::Decimal,
            &["0", "-0.0", "1.10", "1e-400", "1E+5", "123456789012345678901234567890.5"],
            &["\"1.0\"", "null", "true", "[]"],
        ),
        (Primitive::Boolean, &["true", "false"], &["\"true\"", "0", "null"]),
    ] {
        assert!(good.iter().all(|json| accepts(primitive, json)), "{}", primitive.name());
        assert!(bad.iter().all(|json| !accepts(primitive, json)), "{}", primitive.name());
    }
}

#[test]
fn codes_ids_and_uris_have_their_letters() {
    strings(Primitive::Code, &["a", "a b", "<=", "ä\tb"], &[" a", "a ", "a  b", " ", "\n"]);
    strings(Primitive::Id, &["a", "A-1.b", &"x".repeat(64)], &["a_b", "a b", "ä", &"x".repeat(65), "a/b"]);
    for uri in [Primitive::Uri, Primitive::Url, Primitive::Canonical] {
        strings(uri, &["http://x", "urn:oid:1", "#a", "http://x|1.0", "ä"], &["a b", " a", "a\n", "\u{a0}"]);
    }
    strings(
        Primitive::Oid,
        &["urn:oid:1.2.840.0", "urn:oid:2.16"],
        &[
            "1.2",
            "urn:oid:3.1",
            "urn:oid:1",
            "urn:oid:1.02",
            "urn:oid:1..2",
            "urn:oid:1.2.",
            "urn:oid:1.a",
            "URN:oid:1.2",
        ],
    );
    strings(
        Primitive::Uuid,
        &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
        &[
            "c757873d-ec9a-4326-a141-556f43239520",
            "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
            "urn:uuid:c757873d",
            "urn:uuid:c757873dxec9a-4326-a141-556f43239520",
        ],
    );
}

#[test]
fn texts_are_short_enough_and_stay_what_they_are() {
    let injection = "'; DROP TABLE x; -- <script>alert(1)</script>";
    for text in [Primitive::String, Primitive::Markdown] {
        strings(text, &["a", " a ", "\n", injection, "\u{0}"], &[]);
        assert!(accepts(text, &format!("\"{}\"", "ä".repeat(STRING_CHARS_MAX))));
        assert!(!accepts(text, &format!("\"{}\"", "ä".repeat(STRING_CHARS_MAX + 1))));
    }
    strings(
        Primitive::Base64Binary,
        &["AAAA", "AAA=", "AA==", "AA A\n="],
        &["AAA", "A===", "AA=A", "A-_A", "====AAAA", "%", " "],
    );
    strings(
        Primitive::Xhtml,
        &["<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>", "<div/>", " <div>a</div>\n"],
        &["a", "<p>a</p>", "<divx>a</divx>", "<div>a", "<div"],
    );
}
