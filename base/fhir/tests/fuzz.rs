//! The JSON reader against mutated documents: it ends, within bounds, and what it takes in is what an independent reader reads.
#![allow(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use iris_fhir::{Json, Resource, validate};
use iris_testkit::Fuzz;

const SAMPLES: [&[u8]; 4] = [
    br#"{"resourceType":"Patient","id":"p1","name":[{"family":"\u00c4ngstr\u00f6m","given":["A","B"]}],"birthDate":"1980-02-29","_birthDate":{"extension":[{"url":"http://x.example/y","valueDecimal":1.50}]}}"#,
    br#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a","resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":-1.0e-3}},"request":{"method":"POST","url":"Observation"}}]}"#,
    br#"[0, -0.0, 1e10, 12345678901234567890.123456789, "\ud83d\ude00\n\\", true, false, null, {}, [[]]]"#,
    b" { \"a\" : [ { } , [ ] ] } \r\n\t",
];
const TOKENS: [&[u8]; 20] = [
    b"{\"a\":",
    b"[",
    b"]",
    b"}",
    b",",
    b"\"",
    b"\\u0000",
    b"\\ud83d",
    b"\\udc00",
    b"1e999",
    b"-",
    b"0.",
    b"null",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\"resourceType\":\"Patient\",",
    b"\"resourceType\":\"Bundle\",",
    b"\"extension\":[{\"url\":\"x\"}],",
    b"\"contained\":[{\"resourceType\":\"Patient\"}],",
    b"\"_id\":{},",
];

#[test]
fn hostile_json_is_read_rightly_or_refused() {
    Fuzz { name: "JSON", samples: &SAMPLES, tokens: &TOKENS, megabytes_max: 64 }.run(|input| {
        let Ok(json) = Json::parse(input.to_vec()) else { return false };
        let compact = json.compact();
        let again = Json::parse(compact.clone()).unwrap();
        assert!(again.root().same_as(json.root()) && again.compact() == compact);
        // What the judge cannot hold (1e999) it refuses.
        if let (Ok(one), Ok(other)) =
            (serde_json::from_slice::<serde_json::Value>(input), serde_json::from_slice::<serde_json::Value>(&compact))
        {
            assert_eq!(one, other);
        }
        if let Ok(resource) = Resource::parse(input.to_vec()) {
            drop(validate(&resource));
        }
        true
    });
}
