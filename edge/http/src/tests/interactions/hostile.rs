//! Searches as nobody means well asks them: by address and by form, with cursors of others, too long, twice, or not even text.

use axum::body::Body;
use axum::http::Request;
use iris_access::Role;

use super::super::tenants::elsewhere;
use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

/// What these tests ask of a world besides.
trait Hostile {
    /// POST of a form.
    async fn form(&self, path: &str, token: &str, kind: &str, body: &str) -> Reply;
    /// So many patients of one family.
    async fn family(&self, token: &str, name: &str, count: usize) -> Vec<String>;
    /// The names in a refusal.
    async fn refused(&self, path: &str, token: &str) -> (u16, Vec<String>);
}

impl Hostile for World {
    async fn form(&self, path: &str, token: &str, kind: &str, body: &str) -> Reply {
        let request = Request::post(path).header("authorization", format!("Bearer {token}"));
        let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn family(&self, token: &str, name: &str, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0..count {
            let mut body = patient(&number.to_string());
            body["name"] = json!([{"family": name, "given": [name]}]);
            let made = self.post("/fhir/Patient", token, body).await.expect(201).json();
            ids.push(made["id"].as_str().unwrap().to_owned());
        }
        ids
    }

    async fn refused(&self, path: &str, token: &str) -> (u16, Vec<String>) {
        let reply = self.get(path, token).await;
        (reply.status.as_u16(), named(&reply))
    }
}

fn named(reply: &Reply) -> Vec<String> {
    let issues = reply.json()["issue"].as_array().cloned().unwrap_or_default();
    issues.iter().map(|issue| issue["expression"][0].as_str().unwrap_or_default().to_owned()).collect()
}

/// The address of the page after this one, without the server's own.
fn next(page: &Value) -> Option<String> {
    let next = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next")?;
    Some(next["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned())
}

fn cursor(page: &Value) -> String {
    let next = next(page).unwrap();
    form_urlencoded::parse(next.split_once('?').unwrap().1.as_bytes())
        .find(|(name, _)| name == "_cursor")
        .unwrap()
        .1
        .into_owned()
}

#[tokio::test]
async fn a_form_asks_what_an_address_asks() {
    let world = World::new();
    let token = world.admin().await;
    world.family(&token, "Smith", 3).await;
    let pairs = "family=Smith&_sort=-_id&_count=2&_elements=name&_format=json";
    for path in ["/fhir/Patient", "/fhir"] {
        let pairs = if path == "/fhir" { "_type=Patient&_count=2&_pretty=true" } else { pairs };
        let asked = world.get(&format!("{path}?{pairs}"), &token).await.expect(200).json();
        let posted = world.form(&format!("{path}/_search"), &token, FORM, pairs).await.expect(200).json();
        let (first, second) = pairs.split_once('&').unwrap();
        let mixed = world.form(&format!("{path}/_search?{first}"), &token, FORM, second).await.expect(200).json();
        let plain = |mut page: Value| {
            page.as_object_mut().unwrap().remove("link");
            page
        };
        assert!(next(&asked).is_some() && next(&posted).is_some() && next(&mixed).is_some());
        assert_eq!(plain(asked.clone()), plain(posted));
        assert_eq!(plain(asked.clone()), plain(mixed));
        // A cursor goes on by either way.
        let rest = world.get(&next(&asked).unwrap(), &token).await.expect(200).json();
        let body = format!("{pairs}&_cursor={}", cursor(&asked));
        let posted = world.form(&format!("{path}/_search"), &token, FORM, &body).await.expect(200).json();
        assert_eq!(plain(rest), plain(posted));
    }
    for kind in ["application/json", "multipart/form-data; boundary=x", "application/fhir+json", "text/plain"] {
        world.form("/fhir/Patient/_search", &token, kind, pairs).await.expect(415);
    }
    let latin = format!("{FORM}; charset=iso-8859-1");
    world.form("/fhir/Patient/_search", &token, &latin, pairs).await.expect(415);
    world.form("/fhir/Patient/_search", &token, &format!("{FORM}; charset=UTF-8"), pairs).await.expect(200);
    // Parts of a form are no two searches: what stands in both stands twice.
    world.form("/fhir/Patient/_search?_count=1", &token, FORM, "_count=2").await.expect(400);
    world.form("/fhir/Patient/_search?_format=json", &token, FORM, "_format=xml").await.expect(400);
    world.form("/fhir/Patient/_search", "", FORM, pairs).await.expect(401);
    world.get("/fhir/Patient/_search", &token).await.expect(405);
}

#[tokio::test]
async fn controls_stand_once_and_every_fault_is_named() {
    let world = World::new();
    let token = world.admin().await;
    for control in [
        "_count=1",
        "_sort=_id",
        "_summary=true",
        "_total=none",
        "_elements=name",
        "_cursor=x",
        "_format=json",
        "_pretty=true",
        "_contained=false",
        "_containedType=container",
    ] {
        let name = control.split('=').next().unwrap();
        let (status, names) = world.refused(&format!("/fhir/Patient?{control}&{control}"), &token).await;
        assert_eq!((status, names), (400, vec![format!("http.{name}")]), "{control}");
    }
    // What is wrong about how it is shown hides nothing else that is wrong.
    let (status, mut names) =
        world.refused("/fhir/Patient?_summary=all&_total=some&colour=red&_elements=hue", &token).await;
    names.sort();
    assert_eq!((status, names.join(" ")), (400, "http._elements http._summary http._total http.colour".to_owned()));
    let (status, names) = world.refused("/fhir/Patient/1/_history?_count=1&_count=2", &token).await;
    assert_eq!((status, names), (400, vec!["http._count".to_owned()]));
    let lenient = [("prefer", "handling=lenient")];
    let path = "/fhir/Patient/1/_history?_count=1&_count=2&colour=red";
    let reply = world.call("GET", path, &token, &lenient, None).await;
    assert_eq!((reply.status.as_u16(), named(&reply)), (400, vec!["http._count".to_owned()]), "lenient, not careless");
    // The first of two preferences counts (RFC 7240 §2).
    let both = [("prefer", "handling=strict, handling=lenient")];
    world.call("GET", "/fhir/Patient?colour=red", &token, &both, None).await.expect(400);
    let both = [("prefer", "handling=lenient"), ("prefer", "handling=strict")];
    world.call("GET", "/fhir/Patient?colour=red", &token, &both, None).await.expect(200);
    for odd in ["=x", "family", "family=", "&family=&", "%3D=x", "family%00=x", "_sort", "_count=", "_cursor="] {
        let reply = world.get(&format!("/fhir/Patient?{odd}"), &token).await;
        assert_eq!(reply.status, 400, "{odd}: {}", String::from_utf8_lossy(&reply.body));
    }
}

#[tokio::test]
async fn what_is_encoded_is_decoded_once_and_must_be_text() {
    let world = World::new();
    let token = world.admin().await;
    let found = async |query: &str| world.count(&token, &format!("Patient?{query}")).await;
    world.family(&token, "Müller", 1).await;
    world.family(&token, "M%C3%BCller", 1).await;
    assert_eq!(found("family:exact=M%C3%BCller").await, 1);
    assert_eq!(found("family:exact=M%25C3%25BCller").await, 1);
    assert_eq!(found("family:exact=M%2525C3%2525BCller").await, 0);
    assert_eq!(found("family%3Aexact=M%C3%BCller").await, 1);
    // Latin-1 is no UTF-8. Read as if it were, it would find nothing, or everything, without a word.
    for wrong in ["family=M%FCller", "family=%FF", "family:exact=%C3", "fam%FFily=x", "_sort=%FF", "_id=%80"] {
        let reply = world.get(&format!("/fhir/Patient?{wrong}"), &token).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", String::from_utf8_lossy(&reply.body));
        let posted = world.form("/fhir/Patient/_search", &token, FORM, wrong).await;
        assert_eq!(posted.status, 400, "{wrong}");
    }
    let once = [("if-none-exist", "family=M%FCller")];
    world.call("POST", "/fhir/Patient", &token, &once, Some(patient("1"))).await.expect(400);
    let asked = bundle("batch", &[entry("GET", "Patient?family=M%FCller", None)]);
    assert_eq!(statuses(&world.post("/fhir", &token, asked).await.expect(200).json()), ["400"]);
}

#[tokio::test]
async fn what_is_too_long_is_refused_and_no_link_leads_to_a_refusal() {
    let world = World::new();
    let token = world.admin().await;
    let query = |bytes: usize| {
        let start = "family=x&_id=";
        format!("{start}{}", "a,".repeat(bytes).get(..bytes - start.len()).unwrap())
    };
    // 8,192 bytes are looked at (and these have too many alternatives), one more is not.
    world.get(&format!("/fhir/Patient?{}", query(8_192)), &token).await.expect(400);
    world.get(&format!("/fhir/Patient?{}", query(8_193)), &token).await.expect(413);
    let many = |count: usize| vec!["family=x"; count].join("&");
    world.get(&format!("/fhir/Patient?{}", many(100)), &token).await.expect(200);
    world.get(&format!("/fhir/Patient?{}", many(101)), &token).await.expect(400);
    world.get(&format!("/fhir/Patient?{}", many(201)), &token).await.expect(413);
    world.form("/fhir/Patient/_search", &token, FORM, &many(101)).await.expect(400);
    world.form("/fhir/Patient/_search", &token, FORM, &many(201)).await.expect(413);
    world.form(&format!("/fhir/Patient/_search?{}", many(150)), &token, FORM, &many(51)).await.expect(413);
    world.form("/fhir/Patient/_search", &token, FORM, &format!("family={}", "x".repeat(1_025))).await.expect(400);
    // A form may be longer than an address; then there is no address of its second page, and that is said.
    let ids = world.family(&token, "Smith", 3).await;
    let all: Vec<String> = ids.into_iter().chain((0..300).map(|at| format!("{at:036}"))).collect();
    let form = format!("_id={}", all.join(","));
    let whole = world.form("/fhir/Patient/_search", &token, FORM, &form).await.expect(200).json();
    assert_eq!((&whole["total"], next(&whole)), (&json!(3), None));
    let refused = world.form("/fhir/Patient/_search", &token, FORM, &format!("{form}&_count=2")).await.expect(413);
    assert!(refused.json()["issue"][0]["diagnostics"].as_str().unwrap().contains("_count"), "{}", refused.json());
}

#[tokio::test]
async fn a_cursor_is_of_one_caller_one_search_and_one_place() {
    let world = World::new();
    let token = world.admin().await;
    let ids = world.family(&token, "Smith", 3).await;
    for id in &ids {
        for _ in 0..2 {
            let subject = json!({"reference": format!("Patient/{id}")});
            let body =
                json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject});
            world.post("/fhir/Observation", &token, body).await.expect(201);
        }
    }
    let page = async |path: &str| world.get(path, &token).await.expect(200).json();
    let held = cursor(&page("/fhir/Patient?family=Smith&_count=1").await);
    world.get(&format!("/fhir/Patient?family=Smith&_count=1&_cursor={held}"), &token).await.expect(200);
    let mut flipped = held.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let bad = [
        String::from_utf8(flipped).unwrap(),
        held[..held.len() - 1].to_owned(),
        format!("{held}A"),
        format!("{held}="),
        format!("{held}%0A"),
        "A".to_owned(),
        "AAAA".to_owned(),
        "A".repeat(4_000),
        "%00".to_owned(),
        "..%2F..".to_owned(),
    ];
    for wrong in &bad {
        let (status, names) =
            world.refused(&format!("/fhir/Patient?family=Smith&_count=1&_cursor={wrong}"), &token).await;
        assert_eq!((status, names), (400, vec!["http._cursor".to_owned()]), "{wrong}");
    }
    // Another search, another order, another page size, another route.
    let id = &ids[0];
    for other in [
        "/fhir/Patient?family=Smit&_count=1".to_owned(),
        "/fhir/Patient?family=Smith&_count=1&_sort=_id".to_owned(),
        "/fhir/Patient?family=Smith&_count=2".to_owned(),
        "/fhir/Patient?_count=1&family=Smith".to_owned(),
        "/fhir/Person?family=Smith&_count=1".to_owned(),
        "/fhir?_type=Patient&family=Smith&_count=1".to_owned(),
        format!("/fhir/Patient/{id}/Patient?family=Smith&_count=1"),
        "/fhir/Patient/_history?_count=1".to_owned(),
        format!("/fhir/Patient/{id}/$everything?_count=1"),
    ] {
        let reply = world.get(&format!("{other}&_cursor={held}"), &token).await;
        assert!(matches!(reply.status.as_u16(), 400 | 404), "{other}: {}", reply.status);
    }
    // A compartment's cursor is of that compartment.
    let within = |id: &str| format!("/fhir/Patient/{id}/Observation?_count=1");
    let inner = cursor(&page(&within(id)).await);
    world.get(&format!("{}&_cursor={inner}", within(id)), &token).await.expect(200);
    world.get(&format!("{}&_cursor={inner}", within(&ids[1])), &token).await.expect(400);
    world.get(&format!("/fhir/Observation?_count=1&_cursor={inner}"), &token).await.expect(400);
    // Another caller, though they may see just as much, and somebody of another tenant.
    let callers = [world.user("second", Role::Admin, None).await, elsewhere(&world).await];
    for other in callers {
        world.get(&format!("/fhir/Patient?family=Smith&_count=1&_cursor={held}"), &other).await.expect(400);
    }
}

/// Two searches that look alike once they are strung together are two: a value may look like a parameter.
#[tokio::test]
async fn a_cursor_knows_a_value_from_a_parameter() {
    let world = World::new();
    let token = world.admin().await;
    for _ in 0..3 {
        let mut body = patient("1");
        body["name"] = json!([{"family": "x&_sort=family", "given": ["x&_sort=given"]}]);
        world.post("/fhir/Patient", &token, body).await.expect(201);
    }
    let one = "/fhir/Patient?family=x&_sort=family&given=x%26_sort%3Dgiven&_count=1";
    let other = "/fhir/Patient?family=x%26_sort%3Dfamily&given=x&_sort=given&_count=1";
    let page = world.get(one, &token).await.expect(200).json();
    assert_eq!((&page["total"], &world.get(other, &token).await.expect(200).json()["total"]), (&json!(3), &json!(3)));
    world.get(&format!("{one}&_cursor={}", cursor(&page)), &token).await.expect(200);
    world.get(&format!("{other}&_cursor={}", cursor(&page)), &token).await.expect(400);
}

#[tokio::test]
async fn a_search_has_no_tag_and_no_page_of_another_place_may_ask() {
    let world = World::new();
    let token = world.admin().await;
    world.family(&token, "Smith", 1).await;
    let path = "/fhir/Patient?family=Smith";
    let asked = world.get(path, &token).await.expect(200);
    assert_eq!((asked.header("etag"), asked.header("last-modified")), ("", ""));
    assert_eq!(asked.header("cache-control"), "no-store");
    for (name, value) in [
        ("if-none-match", "*"),
        ("if-none-match", "W/\"1\""),
        ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ("range", "bytes=0-1"),
        ("x-http-method-override", "DELETE"),
    ] {
        let again = world.call("GET", path, &token, &[(name, value)], None).await.expect(200);
        assert_eq!(again.json()["total"], 1, "{name}");
    }
    let head = world.call("HEAD", path, &token, &[], None).await.expect(200);
    assert_eq!(head.header("content-type"), asked.header("content-type"));
    world.call("HEAD", "/fhir/Patient?colour=red", &token, &[], None).await.expect(400);
    world.call("HEAD", path, "", &[], None).await.expect(401);
    for method in ["PUT", "DELETE", "PATCH"] {
        let reply = world.call(method, "/fhir/Patient/_search", &token, &[], None).await;
        assert_eq!(reply.status, 405, "{method}");
    }
    // A page of another origin may neither ask nor read.
    let origin = [("origin", "https://elsewhere.example"), ("access-control-request-method", "GET")];
    for method in ["GET", "OPTIONS"] {
        let reply = world.call(method, path, &token, &origin, None).await;
        let told = reply.headers.keys().filter(|name| name.as_str().starts_with("access-control")).count();
        assert_eq!((reply.status.is_success(), told), (true, 0), "{method}");
    }
    // A token in the address is none, and is refused by its name.
    let (status, _) = world.refused(&format!("{path}&access_token={token}"), "").await;
    assert_eq!(status, 401);
}
