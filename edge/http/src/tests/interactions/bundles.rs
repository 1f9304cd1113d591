use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

const URN: &str = "urn:uuid:6f6d2bd0-0b6c-4c8f-9d2b-3b1f4b9a1a01";

fn created(resource: Value) -> Value {
    let kind = resource["resourceType"].as_str().unwrap().to_owned();
    entry("POST", &kind, Some(resource))
}

fn named(url: &str, mut entry: Value) -> Value {
    entry["fullUrl"] = json!(url);
    entry
}

/// A patient who is made if there is none with this number.
fn once(number: &str) -> Value {
    let mut entry = created(patient(number));
    entry["request"]["ifNoneExist"] = json!(format!("identifier=urn:x|{number}"));
    entry
}

fn observation(subject: &str) -> Value {
    json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": subject}})
}

#[tokio::test]
async fn every_interaction_goes_into_a_transaction_in_the_order_of_the_specification() {
    let world = World::new();
    let token = world.admin().await;
    let old = world.known(&token, "old").await;
    let kept = world.known(&token, "kept").await;
    let (old, kept) = (old.strip_prefix("/fhir/").unwrap(), kept.strip_prefix("/fhir/").unwrap());
    let patch = STANDARD.encode(r#"[{"op":"replace","path":"/active","value":false}]"#);
    let binary = json!({"resourceType": "Binary", "contentType": "application/json-patch+json", "data": patch});
    let again = operation("add", "Patient.name[0]", None);
    let mut again = again;
    again["parameter"][0]["part"]
        .as_array_mut()
        .unwrap()
        .extend([json!({"name": "name", "valueString": "text"}), json!({"name": "value", "valueString": "Ann Smith"})]);
    world.known(&token, "third").await;
    // What reads stands first, what deletes last: that is not the order in which they are carried out.
    let entries = [
        entry("GET", kept, None),
        entry("GET", "Patient?identifier=urn:x|new", None),
        entry("PATCH", kept, Some(binary)),
        entry("PATCH", "Patient?identifier=urn:x|third", Some(again)),
        entry("PUT", "Patient?identifier=urn:x|new", Some(patient("new"))),
        once("old"),
        created(observation("Patient?identifier=urn:x|new")),
        entry("DELETE", "Patient?identifier=urn:x|nobody", None),
        entry("DELETE", old, None),
    ];
    let told = [("prefer", "return=representation")];
    let answer = world.call("POST", "/fhir", &token, &told, Some(bundle("transaction", &entries))).await;
    let answer = answer.expect(200).json();
    assert_eq!(statuses(&answer), ["200", "200", "200", "200", "201", "201", "201", "204", "204"]);
    let of = |at: usize| &answer["entry"][at]["resource"];
    assert_eq!(of(0)["active"], false, "it reads what was written");
    assert_eq!(of(1)["total"], 1);
    assert_eq!((&of(2)["active"], &of(3)["name"][0]["text"]), (&json!(false), &json!("Ann Smith")));
    assert_eq!(of(6)["subject"]["reference"], format!("Patient/{}", of(4)["id"].as_str().unwrap()));
    world.get(&format!("/fhir/{old}"), &token).await.expect(410);
    let outcome = [("prefer", "return=OperationOutcome")];
    let entries = [entry("DELETE", kept, None), created(patient("last"))];
    let answer = world.call("POST", "/fhir", &token, &outcome, Some(bundle("transaction", &entries))).await;
    let answer = answer.expect(200).json();
    assert!((0..2).all(|at| answer["entry"][at]["response"]["outcome"]["resourceType"] == "OperationOutcome"));
}

#[tokio::test]
async fn names_of_entries_become_references_wherever_they_stand() {
    let world = World::new();
    let token = world.admin().await;
    let oid = "urn:oid:1.2.3.4.5";
    let away = "http://elsewhere.test/fhir/Organization/7";
    let seen = "http://elsewhere.test/fhir/Observation/8";
    let mut about = observation(URN);
    about["performer"] = json!([{"reference": oid}, {"reference": away}]);
    about["subject"]["extension"] = json!([{"url": "urn:e", "valueReference": {"reference": URN}}]);
    about["extension"] = json!([{"url": "urn:u", "valueUri": URN}, {"url": "urn:l", "valueUrl": away},
        {"url": "urn:s", "valueString": URN}, {"url": "urn:c", "valueCanonical": URN}]);
    let div =
        |link: &str| format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{URN} &amp; <a href='{link}'>x</a></div>");
    about["text"] = json!({"status": "generated", "div": div(URN)});
    about["hasMember"] = json!([{"reference": format!("{seen}/_history/9")}]);
    about["_status"] = json!({"extension": [{"url": "urn:p", "valueReference": {"reference": URN}}]});
    about["contained"] =
        json!([{"resourceType": "Basic", "id": "c", "code": {"text": "x"}, "subject": {"reference": URN}}]);
    about["focus"] = json!([{"reference": "#c"}]);
    let organization = |name: &str| json!({"resourceType": "Organization", "name": name});
    let entries = [
        created(about),
        named(URN, created(patient("1"))),
        named(oid, created(organization("a"))),
        named(away, created(organization("b"))),
        named(seen, created(observation(URN))),
    ];
    let told = [("prefer", "return=representation")];
    let answer = world.call("POST", "/fhir", &token, &told, Some(bundle("transaction", &entries))).await;
    let answer = answer.expect(200).json();
    let of = |at: usize| {
        let resource = &answer["entry"][at]["resource"];
        json!(format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap()))
    };
    let (made, patient, first, second) = (&answer["entry"][0]["resource"], of(1), of(2), of(3));
    assert_eq!(made["text"]["div"], div(patient.as_str().unwrap()));
    assert_eq!(made["hasMember"][0]["reference"], format!("{}/_history/1", of(4).as_str().unwrap()));
    assert_eq!(made["performer"], json!([{"reference": first}, {"reference": second}]));
    let pointers = [
        ("/subject/reference", &patient),
        ("/subject/extension/0/valueReference/reference", &patient),
        ("/_status/extension/0/valueReference/reference", &patient),
        ("/contained/0/subject/reference", &patient),
        ("/extension/1/valueUrl", &second),
        ("/extension/0/valueUri", &patient),
    ];
    for (pointer, wanted) in pointers {
        assert_eq!(made.pointer(pointer), Some(wanted), "{pointer}");
    }
    assert_eq!(made["extension"][2]["valueString"], URN, "a text is no link");
    assert_eq!(made["extension"][3]["valueCanonical"], URN, "canonicals are not rewritten (R4 3.1.0.11.2)");
}

#[tokio::test]
async fn a_name_that_would_lead_to_the_wrong_type_or_be_none_is_refused() {
    let world = World::new();
    let token = world.admin().await;
    let mut about = observation(URN);
    about["extension"] = json!([{"url": "urn:d", "valueUuid": URN}]);
    let organization = json!({"resourceType": "Organization", "name": "a"});
    let entries = [created(about), named(URN, created(organization))];
    let answer = world.call("POST", "/fhir", &token, &[], Some(bundle("transaction", &entries))).await;
    let answer = answer.expect(422).json();
    let found: Vec<_> =
        answer["issue"].as_array().unwrap().iter().map(|issue| issue["expression"][0].clone()).collect();
    assert_eq!(found, ["entry[0].resource.subject.reference", "entry[0].resource.extension[0].valueUuid"]);
    assert_eq!(world.get("/fhir/Organization", &token).await.json()["total"], 0);
}

/// A transaction that is refused by the entry that is its fault, beside one that has none.
async fn refused_whole(world: &World, token: &str, (what, status): (&str, u16), mut entries: Vec<Value>) {
    entries.insert(0, created(patient("beside")));
    let refused = world.post("/fhir", token, bundle("transaction", &entries)).await;
    assert_eq!(refused.status.as_u16(), status, "{what}: {}", String::from_utf8_lossy(&refused.body));
    let at = refused.json()["issue"][0]["expression"][0].as_str().unwrap_or_default().to_owned();
    assert!(at.starts_with("entry[") && !at.starts_with("entry[0]"), "{what} at {at}");
    assert_eq!(world.count(token, "Patient?identifier=urn:x|beside").await, 0, "{what}");
}

#[tokio::test]
async fn criteria_of_a_transaction_mean_what_is_stored_and_nothing_that_it_writes_itself() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let reference = path.strip_prefix("/fhir/").unwrap();
    let mut renumbered = patient("7");
    renumbered["id"] = json!(reference.strip_prefix("Patient/").unwrap());
    let mut searched_unless = entry("GET", "Patient?identifier=urn:x|1", None);
    searched_unless["request"]["ifNoneMatch"] = json!("W/\"1\"");
    let mut once_about = created(observation(URN));
    once_about["request"]["ifNoneExist"] = json!(format!("status=final&subject={URN}"));
    let cases = [
        (
            "criteria that come to mean what another entry changes",
            412,
            vec![
                entry("PUT", reference, Some(renumbered)),
                entry("PUT", "Patient?identifier=urn:x|7", Some(patient("7"))),
            ],
        ),
        (
            "a patch by criteria that mean what another entry makes",
            412,
            vec![
                entry("PATCH", "Patient?identifier=urn:x|1", Some(operation("delete", "Patient.name", None))),
                created(patient("1")),
            ],
        ),
        ("a version of what is searched for", 422, vec![searched_unless]),
        ("a condition by the name of an entry", 422, vec![once_about, named(URN, created(patient("6")))]),
        (
            "criteria by the name of an entry",
            422,
            vec![entry("GET", &format!("Observation?subject:Patient={URN}"), None), named(URN, created(patient("6")))],
        ),
    ];
    for (what, status, entries) in cases {
        refused_whole(&world, &token, (what, status), entries).await;
    }
    assert_eq!(world.get(&path, &token).await.expect(200).header("etag"), "W/\"1\"");
}

#[tokio::test]
async fn a_transaction_with_one_fault_leaves_nothing_and_names_it() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let reference = path.strip_prefix("/fhir/").unwrap();
    let mut own = patient("1");
    own["id"] = json!(reference.strip_prefix("Patient/").unwrap());
    let patch = operation("delete", "Patient.name", None);
    let cases = [
        (
            "the same record twice",
            422,
            vec![entry("PUT", reference, Some(own.clone())), entry("PATCH", reference, Some(patch))],
        ),
        ("deleted and replaced", 422, vec![entry("DELETE", reference, None), entry("PUT", reference, Some(own))]),
        (
            "criteria that mean a record of another entry",
            422,
            vec![entry("DELETE", reference, None), entry("DELETE", "Patient?identifier=urn:x|1", None)],
        ),
        ("nothing to read", 404, vec![entry("GET", "Patient/nobody", None)]),
        ("read after it is deleted", 404, vec![entry("DELETE", reference, None), entry("GET", reference, None)]),
        ("an unknown reference", 422, vec![created(observation("Patient?identifier=urn:x|none"))]),
        ("a reference to two", 422, vec![created(patient("1")), created(observation("Patient?identifier=urn:x|1"))]),
        (
            "nothing to patch",
            404,
            vec![entry("PATCH", "Patient?identifier=urn:x|9", Some(operation("delete", "Patient.name", None)))],
        ),
        ("nobody's head", 404, vec![entry("HEAD", "Patient/nobody", None)]),
        ("a part of what is written", 422, vec![entry("DELETE", &format!("{reference}?_summary=true"), None)]),
        (
            "criteria that mean what another entry makes",
            412,
            vec![created(patient("7")), entry("PUT", "Patient?identifier=urn:x|7", Some(patient("7")))],
        ),
        ("the same of a conditional create", 412, vec![created(patient("8")), once("8")]),
        ("a relative name", 422, vec![named("Patient/9", created(patient("9")))]),
        ("two of one name", 422, vec![named(URN, created(patient("5"))), named(URN, created(patient("6")))]),
    ];
    for (what, status, entries) in cases {
        refused_whole(&world, &token, (what, status), entries).await;
    }
    assert_eq!(world.get(&path, &token).await.expect(200).header("etag"), "W/\"1\"");
}

#[tokio::test]
async fn each_entry_of_a_batch_stands_alone_whatever_it_asks() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let reference = path.strip_prefix("/fhir/").unwrap();
    let mut unchanged = entry("GET", reference, None);
    unchanged["request"]["ifNoneMatch"] = json!("W/\"1\"");
    let mut stale = entry("DELETE", reference, None);
    stale["request"]["ifMatch"] = json!("W/\"4\"");
    let entries = [
        unchanged,
        entry("GET", &format!("{reference}/_history/1"), None),
        entry("PUT", "Patient?identifier=urn:x|2", Some(patient("2"))),
        entry("PATCH", "Patient?identifier=urn:x|2", Some(operation("delete", "Patient.active", None))),
        entry("DELETE", "Patient?identifier=urn:x|2", None),
        stale,
        entry("DELETE", "Patient?colour=red", None),
        created(observation("Patient?identifier=urn:x|1")),
    ];
    let answer = world.post("/fhir", &token, bundle("batch", &entries)).await.expect(200).json();
    assert_eq!(statuses(&answer), ["304", "200", "201", "200", "204", "412", "400", "201"]);
}

#[tokio::test]
async fn a_patch_in_a_transaction_leaves_what_stands_in_the_record() {
    let world = World::new();
    let token = world.admin().await;
    let there = world.known(&token, "there").await.strip_prefix("/fhir/").unwrap().to_owned();
    let mut about = observation(&there);
    let device = world.post("/fhir/Device", &token, json!({"resourceType": "Device"})).await.expect(201).json();
    let gone = format!("Device/{}", device["id"].as_str().unwrap());
    about["focus"] = json!([{"reference": gone}]);
    let made = world.post("/fhir/Observation", &token, about).await.expect(201).json();
    let path = format!("Observation/{}", made["id"].as_str().unwrap());
    world.call("DELETE", &format!("/fhir/{gone}"), &token, &[], None).await.expect(204);
    // To somebody else these names mean other records: what stands here is about this server's.
    let elsewhere = "http://elsewhere.test/fhir/";
    let patch = STANDARD.encode(r#"[{"op":"replace","path":"/status","value":"amended"}]"#);
    let binary = json!({"resourceType": "Binary", "contentType": "application/json-patch+json", "data": patch});
    let mut other = patient("other");
    other["id"] = json!(there.strip_prefix("Patient/").unwrap());
    let entries = [
        named(&format!("{elsewhere}{path}"), entry("PATCH", &path, Some(binary))),
        named(&format!("{elsewhere}{there}"), created(other)),
    ];
    let told = [("prefer", "return=representation")];
    let answer = world.call("POST", "/fhir", &token, &told, Some(bundle("transaction", &entries))).await;
    let patched = &answer.expect(200).json()["entry"][0]["resource"];
    assert_eq!(patched["status"], "amended");
    assert_eq!((&patched["subject"]["reference"], &patched["focus"]), (&json!(there), &json!([{"reference": gone}])));
}

#[tokio::test]
async fn entries_that_read_are_shown_in_part_or_by_their_status_alone() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let reference = path.strip_prefix("/fhir/").unwrap();
    for query in
        ["_summary=true", "_summary=text", "_summary=data", "_summary=false", "_elements=name", "_elements=active,name"]
    {
        let one = world.get(&format!("/fhir/{reference}?{query}"), &token).await.expect(200).json();
        let found = world.get(&format!("/fhir/Patient?identifier=urn:x|1&{query}"), &token).await.expect(200).json();
        let entries = [
            entry("GET", &format!("{reference}?{query}"), None),
            entry("GET", &format!("{reference}/_history/1?{query}"), None),
            entry("GET", &format!("Patient?identifier=urn:x|1&{query}"), None),
        ];
        for kind in ["batch", "transaction"] {
            let answer = world.post("/fhir", &token, bundle(kind, &entries)).await.expect(200).json();
            let of = |at: usize| &answer["entry"][at]["resource"];
            assert_eq!((of(0), of(1)), (&one, &one), "{kind} {query}");
            assert_eq!(of(2)["entry"], found["entry"], "{kind} {query}");
        }
    }
    let entries = [
        entry("HEAD", reference, None),
        entry("HEAD", "Patient?identifier=urn:x|1", None),
        entry("GET", reference, None),
    ];
    for kind in ["batch", "transaction"] {
        let answer = world.post("/fhir", &token, bundle(kind, &entries)).await.expect(200).json();
        assert_eq!(statuses(&answer), ["200", "200", "200"]);
        assert!((0..2).all(|at| answer["entry"][at].get("resource").is_none()));
        assert_eq!(answer["entry"][0]["response"], answer["entry"][2]["response"]);
    }
}

#[tokio::test]
async fn what_an_entry_that_reads_cannot_be_asked_is_refused_by_name() {
    let world = World::new();
    let token = world.admin().await;
    let path = world.known(&token, "1").await;
    let reference = path.strip_prefix("/fhir/").unwrap();
    let cases = ["_pretty=true", "_format=json", "_summary=count", "_summary=yes", "_elements=colour", "name=x"];
    let one = cases.iter().map(|query| entry("GET", &format!("{reference}?{query}"), None));
    let cases: Vec<_> = cases[..5].iter().filter(|query| **query != "_summary=count").collect();
    let all = cases.iter().map(|query| entry("GET", &format!("Patient?{query}"), None));
    let entries: Vec<_> = one.chain(all).collect();
    let answer = world.post("/fhir", &token, bundle("batch", &entries)).await.expect(200).json();
    for (at, sent) in entries.iter().enumerate() {
        let response = &answer["entry"][at]["response"];
        assert!(response["status"].as_str().unwrap().starts_with('4'), "{sent} {response}");
        let url = sent["request"]["url"].as_str().unwrap();
        let name = url.split_once('?').unwrap().1.split_once('=').unwrap().0;
        assert!(response["outcome"].to_string().contains(name), "{url} {response}");
    }
}

#[tokio::test]
async fn five_thousand_entries_are_answered_one_by_one_in_their_order() {
    let world = World::new();
    let token = world.admin().await;
    let urn = |n: usize| format!("urn:uuid:00000000-0000-4000-8000-{n:012}");
    let mut entries: Vec<Value> = (0..2_500).map(|n| named(&urn(n), created(patient(&format!("n{n}"))))).collect();
    entries.extend((0..2_500).map(|n| created(observation(&urn(n)))));
    let answer = world.post("/fhir", &token, bundle("transaction", &entries)).await.expect(200).json();
    let answers = answer["entry"].as_array().unwrap();
    assert_eq!(answers.len(), 5_000);
    for (at, answer) in answers.iter().enumerate() {
        let kind = if at < 2_500 { "Patient" } else { "Observation" };
        let location = answer["response"]["location"].as_str().unwrap();
        assert!(location.starts_with(&format!("{BASE}/fhir/{kind}/")), "{at}: {location}");
    }
    let of = |at: usize| answers[at]["response"]["location"].as_str().unwrap().strip_prefix(BASE).unwrap();
    let last = world.get(of(4_999), &token).await.expect(200).json();
    let subject = last["subject"]["reference"].as_str().unwrap();
    assert!(of(2_499).starts_with(&format!("/fhir/{subject}/")), "{subject}");
}

#[tokio::test]
async fn a_page_of_a_bundle_has_a_next_one_that_can_be_asked_for() {
    let world = World::new();
    let token = world.admin().await;
    world.known(&token, "1").await;
    world.known(&token, "2").await;
    let long = format!("identifier=urn:x|1,urn:x|2{}", format!(",{}", "x".repeat(1_000)).repeat(9));
    let entries = [1, 2].map(|count| entry("GET", &format!("Patient?{long}&_count={count}"), None));
    for kind in ["batch", "transaction"] {
        let answer = world.post("/fhir", &token, bundle(kind, &entries)).await.expect(200).json();
        assert_eq!(statuses(&answer), ["413", "200"], "{kind}");
    }
}

#[tokio::test]
async fn what_the_entries_of_a_bundle_read_together_has_a_limit() {
    const PATIENTS: usize = 100;
    let world = World::new();
    let token = world.admin().await;
    let all: Vec<Value> = (0..PATIENTS).map(|number| created(patient(&number.to_string()))).collect();
    world.post("/fhir", &token, bundle("transaction", &all)).await.expect(200);
    let search = |method: &str, count: usize| entry(method, &format!("Patient?_count={count}"), None);
    let mut entries = vec![search("GET", PATIENTS); iris_resources::BUNDLE_READ_MAX / PATIENTS];
    entries.extend([search("HEAD", PATIENTS), search("GET", 1), search("HEAD", 1)]);
    for kind in ["batch", "transaction"] {
        let answer = world.post("/fhir", &token, bundle(kind, &entries)).await.expect(200).json();
        let statuses = statuses(&answer);
        let (within, beyond) = statuses.split_at(entries.len() - 2);
        assert!(within.iter().all(|status| status == "200"), "{kind}: {within:?}");
        assert_eq!(beyond, ["413", "413"], "{kind}");
    }
}
