//! JSON and XML, on lines and compact, whole and in part: one resource, however it is shown.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{BASE, Reply, World};

const XML: &str = "application/fhir+xml; fhirVersion=4.0";

fn patient() -> Value {
    json!({"resourceType": "Patient", "active": true, "name": [{"family": "Smith & Söhne", "given": ["Ann"]}],
        "birthDate": "1970-01-01", "photo": [{"contentType": "image/png", "title": "p", "data": "AAAA"}],
        "contact": [{"name": {"family": "C"}}],
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>x</p></div>"}})
}

/// Sends text of a type, asking for a type.
async fn send(world: &World, method: &str, path: &str, token: &str, (kind, accept): (&str, &str), body: &str) -> Reply {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    let request = request.header("content-type", kind).header("accept", accept);
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn from_xml(reply: &Reply) -> Value {
    assert_eq!(reply.header("content-type"), XML);
    serde_json::from_slice(&iris_xml::to_json(&reply.body).unwrap()).unwrap()
}

#[tokio::test]
async fn what_comes_as_xml_goes_as_json_and_back() {
    let world = World::new();
    let token = world.admin().await;
    let json = iris_fhir::Json::parse(patient().to_string()).unwrap();
    let xml = String::from_utf8(iris_xml::write(json.root(), iris_xml::Layout::Pretty).unwrap()).unwrap();
    let made =
        send(&world, "POST", "/fhir/Patient", &token, ("application/fhir+xml", "text/xml"), &xml).await.expect(201);
    let shown = from_xml(&made);
    let id = shown["id"].as_str().unwrap().to_owned();
    let path = format!("/fhir/Patient/{id}");
    let stored = world.get(&path, &token).await.expect(200).json();
    assert_eq!(stored, shown);
    for (name, value) in patient().as_object().unwrap() {
        assert_eq!(&stored[name], value, "{name}");
    }
    // Every route answers in both forms, with the same content.
    for path in [
        path.clone(),
        format!("{path}/_history/1"),
        format!("{path}/_history"),
        "/fhir/Patient?family=smith".to_owned(),
        "/fhir/metadata".to_owned(),
    ] {
        let plain = world.get(&path, &token).await.expect(200).json();
        let marked = world.call("GET", &path, &token, &[("accept", "application/fhir+xml")], None).await.expect(200);
        assert_eq!(from_xml(&marked), plain, "{path}");
        let sign = if path.contains('?') { '&' } else { '?' };
        let asked = world
            .call("GET", &format!("{path}{sign}_format=xml&_pretty=true"), &token, &[("accept", "text/html")], None)
            .await;
        assert!(from_xml(&asked.expect(200)).is_object(), "{path}");
    }
    // A transaction, and a change, sent as XML.
    let mut changed = stored.clone();
    changed["active"] = json!(false);
    let json = iris_fhir::Json::parse(changed.to_string()).unwrap();
    let xml = String::from_utf8(iris_xml::write(json.root(), iris_xml::Layout::Compact).unwrap()).unwrap();
    let kinds = ("text/xml; charset=utf-8", "application/fhir+json");
    let put = send(&world, "PUT", &path, &token, kinds, &xml).await.expect(200).json();
    assert_eq!(put["active"], json!(false));
    let bundle = r#"<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource><Patient><active value="true"/></Patient></resource><request><method value="POST"/><url value="Patient"/></request></entry></Bundle>"#;
    let done = send(&world, "POST", "/fhir", &token, ("application/xml", "application/xml"), bundle).await.expect(200);
    assert_eq!(from_xml(&done)["entry"][0]["response"]["status"], "201 Created");
}

#[tokio::test]
async fn refusals_come_in_the_form_that_was_asked_for() {
    let world = World::new();
    let token = world.admin().await;
    let xml = ("application/fhir+xml", "application/fhir+xml");
    // What is no XML is told before what is no valid resource, with line and path.
    let broken = "<Patient xmlns=\"http://hl7.org/fhir\">\n<colour value=\"red\"/>\n<active value=\"true\"/></Patient>";
    let refused = send(&world, "POST", "/fhir/Patient", &token, xml, broken).await.expect(400);
    let outcome = from_xml(&refused);
    assert_eq!(outcome["issue"][0]["code"], "structure");
    assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains("line 2"), "{outcome}");
    assert!(outcome["issue"][0]["expression"][0].as_str().unwrap().starts_with("Patient"), "{outcome}");
    let invalid = "<Patient xmlns=\"http://hl7.org/fhir\"><gender value=\"F\"/></Patient>";
    let refused = send(&world, "POST", "/fhir/Patient", &token, xml, invalid).await.expect(422);
    assert_eq!(from_xml(&refused)["issue"][0]["expression"][0], "Patient.gender");
    for path in ["/fhir/Patient/nobody?_format=xml", "/fhir/Nonsense?_format=xml", "/fhir/a/b/c/d/e?_format=xml"] {
        assert_eq!(from_xml(&world.get(path, &token).await.expect(404))["issue"][0]["code"], "not-found", "{path}");
    }
    from_xml(&world.get("/fhir/Patient/1?_format=xml", "").await.expect(401));
    from_xml(&world.call("PUT", "/fhir/metadata?_format=xml", &token, &[], None).await.expect(405));
    for (header, value, status) in [
        ("accept", "application/fhir+turtle", 406),
        ("accept", "text/html", 406),
        ("accept", "application/fhir+json; fhirVersion=5.0", 406),
        ("accept", "application/fhir+json; fhirVersion=4.0", 404),
        ("content-type", "text/plain", 404),
    ] {
        world.call("GET", "/fhir/Patient/1", &token, &[(header, value)], None).await.expect(status);
    }
    for query in
        ["_format=html", "_format=xml&_format=json", "_format=ttl", "_pretty=yes", "_summary=some", "_elements=colour"]
    {
        let reply = world.get(&format!("/fhir/Patient/1?{query}"), &token).await;
        let expected = if query.contains("html") || query.contains("ttl") { 406 } else { 400 };
        let outcome = reply.expect(expected).json();
        let name = query.split('=').next().unwrap();
        assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains(name), "{outcome}");
    }
    let fifth = [("content-type", "application/fhir+json; fhirVersion=5.0")];
    let outcome = world.call("POST", "/fhir/Patient", &token, &fifth, Some(patient())).await.expect(415).json();
    assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains("Content-Type"), "{outcome}");
    let bomb = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><Patient xmlns=\"http://hl7.org/fhir\"/>";
    send(&world, "POST", "/fhir/Patient", &token, xml, bomb).await.expect(400);
}

#[tokio::test]
async fn parts_of_resources_are_tagged_and_nobody_stores_them() {
    let world = World::new();
    let token = world.admin().await;
    let made = world.post("/fhir/Patient", &token, patient()).await.expect(201).json();
    let path = format!("/fhir/Patient/{}", made["id"].as_str().unwrap());
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let cases = [
        ("_summary=true", "active birthDate id meta name resourceType"),
        ("_summary=text", "id meta resourceType text"),
        ("_summary=data", "active birthDate contact id meta name photo resourceType"),
        ("_summary=false", "active birthDate contact id meta name photo resourceType text"),
        ("_elements=birthDate,contact", "birthDate contact id meta resourceType"),
    ];
    for (query, expected) in cases {
        let one = world.get(&format!("{path}?{query}"), &token).await.expect(200).json();
        let version = world.get(&format!("{path}/_history/1?{query}"), &token).await.expect(200).json();
        let history = world.get(&format!("{path}/_history?{query}"), &token).await.expect(200).json();
        let search = world.get(&format!("/fhir/Patient?{query}"), &token).await.expect(200).json();
        for shown in [&one, &version, &history["entry"][0]["resource"], &search["entry"][0]["resource"]] {
            assert_eq!(keys(shown), expected, "{query}");
            let tagged = shown["meta"]["tag"][0]["code"] == "SUBSETTED";
            assert_eq!(tagged, query != "_summary=false", "{query}");
        }
        if query == "_summary=false" {
            continue;
        }
        // What is missing would be wiped.
        let refused = world.put(&path, &token, one.clone()).await.expect(422).json();
        assert!(refused["issue"][0]["diagnostics"].as_str().unwrap().contains("SUBSETTED"), "{refused}");
        let entry = json!({"resource": one, "request": {"method": "PUT", "url": path.trim_start_matches("/fhir/")}});
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
        world.post("/fhir", &token, bundle).await.expect(422);
    }
    assert_eq!(world.get(&path, &token).await.expect(200).header("etag"), "W/\"1\"");
    world.get(&format!("{path}?_summary=count"), &token).await.expect(400);
    world.get(&format!("{path}?_summary=true&_elements=name"), &token).await.expect(400);
    world.get(&format!("{path}?_elements=name&_elements=active"), &token).await.expect(400);
}

#[tokio::test]
async fn unknown_parameters_are_named_unless_the_caller_is_lenient() {
    let world = World::new();
    let token = world.admin().await;
    let made = world.post("/fhir/Patient", &token, patient()).await.expect(201).json();
    let path = format!("/fhir/Patient/{}", made["id"].as_str().unwrap());
    let lenient = [("prefer", "return=minimal; handling=lenient")];
    for path in [path.clone(), format!("{path}/_history"), format!("{path}/_history/1")] {
        let outcome = world.get(&format!("{path}?colour=red"), &token).await.expect(400).json();
        assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains("colour"), "{path}");
        world.call("GET", &format!("{path}?colour=red"), &token, &lenient, None).await.expect(200);
    }
    world.call("POST", "/fhir/Patient?colour=red", &token, &[], Some(patient())).await.expect(400);
    world.call("DELETE", &format!("{path}?colour=red"), &token, &[], None).await.expect(400);
}

#[tokio::test]
async fn head_and_options() {
    let world = World::new();
    let token = world.admin().await;
    let made = world.post("/fhir/Patient", &token, patient()).await.expect(201);
    let path = made.header("location").strip_prefix(BASE).unwrap().split("/_history").next().unwrap().to_owned();
    let head = world.call("HEAD", &path, &token, &[], None).await.expect(200);
    assert_eq!(head.header("etag"), "W/\"1\"");
    let options = world.call("OPTIONS", &path, "", &[], None).await.expect(204);
    let allowed = options.header("allow");
    for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        assert!(allowed.contains(method), "{allowed}");
    }
    world.call("OPTIONS", "/fhir/metadata", "", &[], None).await.expect(204);
}

#[tokio::test]
async fn operations_that_there_are_not_are_named() {
    let world = World::new();
    let token = world.admin().await;
    for (method, path) in [
        ("GET", "/fhir/$export"),
        ("POST", "/fhir/Patient/$match"),
        ("GET", "/fhir/Patient/1/$nothing"),
        ("POST", "/fhir/ValueSet/$expand"),
    ] {
        let outcome = world.call(method, path, &token, &[], None).await.expect(404).json();
        let name = &path[path.find('$').unwrap()..];
        assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains(name), "{path}: {outcome}");
    }
}
