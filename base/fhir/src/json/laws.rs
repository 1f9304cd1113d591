//! Laws of the reader and the writer, against generated and mutated documents, with an independent reader as the judge.

use proptest::prelude::*;

use super::*;

/// JSON text of any shape, with white space, escapes and exotic numbers.
pub(crate) fn json_text() -> impl Strategy<Value = String> {
    let space = || "[ \n\t\r]{0,3}";
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?";
    let string = || {
        let piece = prop_oneof![
            "[ -!#-\\[\\]-~äß€\u{1F600}]{0,6}",
            Just("\\\"".to_owned()),
            Just("\\\\".to_owned()),
            Just("\\n\\/\\b".to_owned()),
            Just("\\u00e4\\u0000".to_owned()),
            Just("\\uD83D\\uDE00".to_owned()),
        ];
        proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    };
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        number,
        string().prop_map(|inside| format!("\"{inside}\"")),
    ];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let item = (space(), inner.clone(), space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        let member = (space(), string(), space(), item.clone()).prop_map(|(a, name, b, item)| (name, a, b, item));
        prop_oneof![
            (space(), proptest::collection::vec(item, 0..8))
                .prop_map(|(space, items)| format!("[{space}{}]", items.join(","))),
            (space(), proptest::collection::vec(member, 0..8)).prop_map(|(space, members)| {
                // The position makes the names differ.
                let members =
                    members.iter().enumerate().map(|(at, (name, a, b, item))| format!("{a}\"{name}{at}\"{b}:{item}"));
                format!("{{{space}{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// What the judge says: the document without white space, or nothing if it refuses.
fn judge(text: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(text).ok()
}

/// Our reading must be the judge's, unless we refuse on purpose or the judge cannot hold a number.
fn agree(text: &[u8]) -> Result<(), TestCaseError> {
    match (Json::parse(text.to_vec()), judge(text)) {
        (Ok(json), Some(judged)) => prop_assert_eq!(judge(&json.compact()), Some(judged)),
        (Ok(json), None) => prop_assert!(huge_number(json.root()), "we accept what is no JSON"),
        (Err(fault), Some(_)) => {
            prop_assert!(matches!(fault.kind, JsonErrorKind::DuplicateKey | JsonErrorKind::Depth), "{}", fault);
        }
        (Err(fault), None) => prop_assert!(fault.offset <= text.len()),
    }
    Ok(())
}

/// The judge refuses numbers beyond a double's range.
fn huge_number(value: Value<'_>) -> bool {
    value.number().is_some_and(|number| number.parse::<f64>().is_ok_and(f64::is_infinite))
        || value.items().any(huge_number)
        || value.members().any(|(_, value)| huge_number(value))
}

const REAL: &str = r#"{"resourceType":"Observation","id":"f001","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a &amp; b</div>"},
 "identifier":[{"use":"official","value":"6323"}],"_given":[null,{"extension":[{"url":"u","valueDecimal":6.30}]}],
 "valueQuantity":{"value":6.3e-2,"unit":"mmol\/l","code":"\u00b5g"},"flag":true,"none":null,"empty":[],"nothing":{}}"#;

proptest! {
    #[test]
    fn compacting_keeps_the_data_and_is_done_once(text in json_text()) {
        let json = Json::parse(text.clone()).unwrap();
        let compact = Json::parse(json.compact()).unwrap();
        prop_assert!(json.root().same_as(compact.root()));
        prop_assert_eq!(compact.compact(), &compact.text()[..]);
        prop_assert_eq!(json.edited(Edits::new()), json.compact());
        agree(text.as_bytes())?;
    }

    #[test]
    fn the_writer_writes_what_the_reader_reads(text in json_text(), names in proptest::collection::vec(".*", 3)) {
        let json = Json::parse(text).unwrap();
        let mut writer = Writer::new();
        writer.array().value(json.root()).object();
        for (at, name) in names.iter().enumerate() {
            writer.member(&format!("{at}{name}"), name);
        }
        writer.end().bool(true).null().integer(-5);
        let written = Json::parse(writer.finish()).unwrap();
        let items: Vec<Value<'_>> = written.root().items().collect();
        prop_assert!(items[0].same_as(json.root()));
        for (at, name) in names.iter().enumerate() {
            let read = items[1].str_of(&format!("{at}{name}"));
            prop_assert_eq!(read.as_deref(), Some(name.as_str()));
        }
        prop_assert_eq!(items[4].number(), Some("-5"));
    }

    /// Replacing one value changes that value and no other.
    #[test]
    fn an_edit_changes_only_its_place(text in json_text(), pick in any::<prop::sample::Index>()) {
        let json = Json::parse(text).unwrap();
        let places = all(json.root());
        let place = places[pick.index(places.len())];
        let mut edits = Edits::new();
        edits.replace(place, *b"\"edited\"");
        let edited = Json::parse(json.edited(edits)).unwrap();
        let mut at = edited.root();
        for step in place.pointer().split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            at = at.get(&name).or_else(|| at.items().nth(name.parse().ok()?)).unwrap();
        }
        prop_assert_eq!(at.plain_bytes(), Some(&b"edited"[..]));
        let mut back = Edits::new();
        back.replace(at, place.raw());
        prop_assert_eq!(Json::parse(edited.edited(back)).unwrap().compact(), json.compact());
    }

    /// The quick ways to a member find what the plain way finds.
    #[test]
    fn members_are_found_by_each_way(text in json_text(), other in "[a-z_]{0,12}") {
        let json = Json::parse(text).unwrap();
        for value in all(json.root()) {
            let names = value.members().map(|(name, _)| name.into_owned()).chain([other.clone()]);
            for name in names {
                let (plain, quick) = (value.get(&name), value.get_named(&MemberName::new(&name)));
                prop_assert_eq!(plain.map(Value::index), quick.map(Value::index), "{}", name);
                prop_assert!(plain.is_none() || !name.starts_with('_') || value.may_have_shadows());
            }
            let bytes = value.members_in_bytes().map(|(name, value)| (name.into_owned(), value.index()));
            let texts = value.members().map(|(name, value)| (name.into_owned().into_bytes(), value.index()));
            prop_assert!(bytes.eq(texts));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        agree(&text)?;
    }

    #[test]
    fn json_like_bytes_are_read_or_refused(text in "[\\[\\]{}:,\"\\\\ntrue0-9.eE+ u-]{0,60}") {
        agree(text.as_bytes())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_damaged_document_is_read_or_refused(
        damages in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..4)
    ) {
        let mut text = REAL.as_bytes().to_vec();
        for (place, byte, how) in damages {
            if text.is_empty() {
                break;
            }
            let at = place.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                2 => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
        }
        agree(&text)?;
    }
}

fn all(value: Value<'_>) -> Vec<Value<'_>> {
    let mut found = vec![value];
    found.extend(value.items().flat_map(all));
    found.extend(value.members().flat_map(|(_, value)| all(value)));
    found
}
