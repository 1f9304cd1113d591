//! Everything that the CapabilityStatement claims, asked for.

use serde_json::{Value, json};

use super::World;

/// Values of which at least one is legal for a parameter of a sort.
fn values(sort: &str, name: &str) -> &'static [&'static str] {
    match sort {
        "number" | "quantity" => &["1"],
        "date" => &["2020-01-01"],
        "reference" => &["x"],
        "uri" => &["urn:x"],
        "string" => &["x"],
        "token" => &["x", "true"],
        "composite" => {
            &["x$1", "x$x", "x$2020-01-01", "x$true", "x$x$x", "1$1$2", "x$1$2", "Patient/x$x", "x$Patient/x"]
        }
        "special" if name == "near" => &["42.25|-83.69|11.2|km"],
        _ => &["x"],
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

async fn status(world: &World, token: &str, path: &str) -> u16 {
    world.get(path, token).await.status.as_u16()
}

/// A request for an interaction on records that are not there, and what may come of it.
fn interaction(code: &str, kind: &str) -> (&'static str, String, Option<Value>, &'static [u16]) {
    let body = || Some(json!({"resourceType": kind, "id": "claim"}));
    let made: &[u16] = &[200, 201, 422];
    match code {
        "read" => ("GET", format!("/fhir/{kind}/absent"), None, &[404]),
        "vread" => ("GET", format!("/fhir/{kind}/absent/_history/1"), None, &[404]),
        "update" => ("PUT", format!("/fhir/{kind}/claim"), body(), made),
        "patch" => ("PATCH", format!("/fhir/{kind}/absent"), Some(json!([])), &[404]),
        "delete" => ("DELETE", format!("/fhir/{kind}/absent"), None, &[204, 404]),
        "create" => ("POST", format!("/fhir/{kind}"), Some(json!({"resourceType": kind})), made),
        "search-type" => ("GET", format!("/fhir/{kind}?_count=1"), None, &[200]),
        "history-type" => ("GET", format!("/fhir/{kind}/_history?_count=1"), None, &[200]),
        "history-instance" => ("GET", format!("/fhir/{kind}/absent/_history"), None, &[404]),
        other => panic!("nobody has said how {other} is asked for"),
    }
}

#[tokio::test]
async fn every_interaction_and_operation_that_is_claimed_is_there() {
    let world = World::new();
    let token = world.admin().await;
    let statement = world.get("/fhir/metadata", "").await.expect(200).json();
    let mut count = 0;
    for of_type in list(&statement["rest"][0], "resource") {
        let kind = of_type["type"].as_str().unwrap();
        for code in list(of_type, "interaction").iter().map(|i| i["code"].as_str().unwrap()) {
            let (method, path, body, good) = interaction(code, kind);
            let patch = [("content-type", "application/json-patch+json")];
            let headers: &[(&str, &str)] = if method == "PATCH" { &patch } else { &[] };
            let reply = world.call(method, &path, &token, headers, body).await;
            assert!(
                good.contains(&reply.status.as_u16()),
                "{method} {path}: {} {:?}",
                reply.status,
                String::from_utf8_lossy(&reply.body)
            );
            count += 1;
        }
        for name in list(of_type, "operation").iter().map(|o| o["name"].as_str().unwrap()) {
            let tag = json!({"name": "meta", "valueMeta": {"tag": [{"system": "urn:x", "code": "x"}]}});
            let (method, path, body, good) = match name {
                "validate" => ("POST", format!("/fhir/{kind}/$validate"), Some(json!({"resourceType": kind})), 200),
                "meta" | "everything" => ("GET", format!("/fhir/{kind}/absent/${name}"), None, 404),
                "meta-add" | "meta-delete" => {
                    let parameters = json!({"resourceType": "Parameters", "parameter": [tag]});
                    ("POST", format!("/fhir/{kind}/absent/${name}"), Some(parameters), 404)
                }
                other => panic!("nobody has said how {other} is asked for"),
            };
            let reply = world.call(method, &path, &token, &[], body).await;
            let told = String::from_utf8_lossy(&reply.body).into_owned();
            assert!(
                reply.status.as_u16() == good && !told.contains("there is no operation"),
                "{method} {path}: {told}"
            );
            count += 1;
        }
    }
    let bundle = |kind: &str| json!({"resourceType": "Bundle", "type": kind});
    for code in list(&statement["rest"][0], "interaction").iter().map(|i| i["code"].as_str().unwrap()) {
        let reply = match code {
            "batch" | "transaction" => world.post("/fhir", &token, bundle(code)).await,
            "search-system" => world.get("/fhir?_type=Patient,Observation&_count=1", &token).await,
            "history-system" => world.get("/fhir/_history?_count=1", &token).await,
            other => panic!("nobody has said how {other} is asked for"),
        };
        assert_eq!(reply.status, 200, "{code}");
        count += 1;
    }
    println!("{count} interactions and operations are there as claimed");
    assert!(count > 1_000);
}

#[tokio::test]
async fn every_search_parameter_that_is_claimed_is_taken_and_no_other() {
    let world = World::new();
    let token = world.admin().await;
    let statement = world.get("/fhir/metadata", "").await.expect(200).json();
    let (mut params, mut modified, mut wrong) = (0, 0, Vec::new());
    for of_type in list(&statement["rest"][0], "resource") {
        let kind = of_type["type"].as_str().unwrap();
        for param in list(of_type, "searchParam") {
            let (name, sort) = (param["name"].as_str().unwrap(), param["type"].as_str().unwrap());
            let mut legal = None;
            for value in values(sort, name) {
                if status(&world, &token, &format!("/fhir/{kind}?{name}={value}&_summary=count")).await == 200 {
                    legal = Some(value);
                    break;
                }
            }
            if legal.is_none() {
                wrong.push(format!("{kind}?{name} ({sort})"));
            }
            params += 1;
            let what = param["documentation"].as_str().unwrap_or_default();
            for modifier in ["missing", "exact", "contains", "not", "text"] {
                let claimed = what.split([' ', ',', '.']).any(|word| word == modifier);
                let value = if modifier == "missing" { "true" } else { legal.copied().unwrap_or("x") };
                let came =
                    status(&world, &token, &format!("/fhir/{kind}?{name}:{modifier}={value}&_summary=count")).await;
                if (came == 200) != claimed {
                    wrong.push(format!("{kind}?{name}:{modifier} came to {came}, claimed: {claimed}"));
                }
                modified += 1;
            }
        }
        assert_eq!(status(&world, &token, &format!("/fhir/{kind}?colour=red")).await, 400, "{kind}");
    }
    println!("{params} search parameters and {modified} modifiers of theirs are taken, or refused, as claimed");
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
    assert!(params > 1_375);
}

#[tokio::test]
async fn every_include_that_is_claimed_is_taken_and_no_other() {
    let world = World::new();
    let token = world.admin().await;
    let statement = world.get("/fhir/metadata", "").await.expect(200).json();
    let (mut count, mut wrong) = (0, Vec::new());
    for of_type in list(&statement["rest"][0], "resource") {
        let kind = of_type["type"].as_str().unwrap();
        for (claim, parameter) in [("searchInclude", "_include"), ("searchRevInclude", "_revinclude")] {
            // As many at once as a search may ask for.
            for some in list(of_type, claim).chunks(40) {
                let asked: Vec<String> =
                    some.iter().map(|one| format!("{parameter}={}", one.as_str().unwrap())).collect();
                let path = format!("/fhir/{kind}?_count=1&{}", asked.join("&"));
                let reply = world.get(&path, &token).await;
                if reply.status != 200 {
                    wrong.push(format!("{path}: {}", String::from_utf8_lossy(&reply.body)));
                }
                count += some.len();
            }
            assert_eq!(status(&world, &token, &format!("/fhir/{kind}?{parameter}={kind}:colour")).await, 400, "{kind}");
        }
    }
    println!("{count} includes are taken as claimed");
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    assert!(count > 1_000);
}
