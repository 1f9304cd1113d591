use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::World;
use crate::endpoints;

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.insert(reference.clone());
            }
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_openapi_document_describes_every_route_and_nothing_else() {
    let world = World::new();
    let document = world.get("/openapi.json", "").await.expect(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut told = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            told.insert(format!("{} {path}", method.to_uppercase()));
            assert!(ids.insert(operation["operationId"].to_string()), "{operation}");
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
            let declared: Vec<&str> =
                path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            for name in declared {
                let params = operation["parameters"].as_array().unwrap();
                assert!(params.iter().any(|p| p["name"] == name && p["in"] == "path"), "{path} tells {name}");
            }
        }
    }
    let routed: BTreeSet<String> = endpoints().iter().map(|e| format!("{} {}", e.method, e.path)).collect();
    assert_eq!(told, routed);
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        let name = reference.strip_prefix("#/components/schemas/").unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
    }
    let list: String = routed.iter().map(|route| format!("{route}\n")).collect();
    crate::golden::check("routes.txt", &list);
}

/// The web client's types are made from this file.
#[tokio::test]
async fn the_openapi_document_is_the_golden_one() {
    let world = World::new();
    let document = world.get("/openapi.json", "").await.expect(200).json();
    let text = serde_json::to_string_pretty(&document).unwrap();
    crate::golden::check("openapi.json", &format!("{text}\n"));
}

#[tokio::test]
async fn operations_have_names_that_read() {
    let world = World::new();
    let document = world.get("/openapi.json", "").await.expect(200).json();
    let id = |path: &str, method: &str| document["paths"][path][method]["operationId"].as_str().unwrap().to_owned();
    for (path, method, name) in [
        ("/api/v1/patients", "get", "patients"),
        ("/api/v1/patients", "post", "patient_create"),
        ("/api/v1/patients/{id}", "get", "patient"),
        ("/api/v1/patients/{id}", "put", "patient_update"),
        ("/api/v1/patients/{id}/timeline", "get", "patient_timeline"),
        ("/api/v1/patients/{id}/lab-results/trends", "get", "patient_lab_results_trends"),
        ("/api/v1/patients/{id}/immunizations", "post", "patient_immunization_create"),
        ("/api/v1/auth/login", "post", "auth_login"),
        ("/api/v1/audit/logs/{id}/proof", "get", "audit_log_proof"),
        ("/fhir/{type}", "post", "fhir_create"),
    ] {
        assert_eq!(id(path, method), name, "{method} {path}");
    }
}

#[tokio::test]
async fn the_documents_page_has_no_script_and_a_strict_policy() {
    let world = World::new();
    let page = world.call("GET", "/redoc", "", &[("accept", "text/html")], None).await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert!(
        !text.contains("<script") && !text.contains("style=\"") && !text.contains("javascript:"),
        "no script of any form"
    );
    for endpoint in endpoints() {
        assert!(text.contains(&format!("<code>{}</code>", endpoint.path)), "{}", endpoint.path);
    }
    for kind in crate::KINDS {
        assert!(text.contains(&format!("id=\"{}\"", crate::table(kind).error_type)));
    }
}

#[tokio::test]
async fn the_documents_are_made_once_and_shared() {
    let world = World::new();
    for path in ["/fhir/metadata", "/openapi.json", "/docs"] {
        let bytes = async || {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = world.router.clone().oneshot(request).await.unwrap();
            response.into_body().collect().await.unwrap().to_bytes()
        };
        let (first, second) = (bytes().await, bytes().await);
        assert!(first.len() > 1_000);
        assert_eq!(first.as_ptr(), second.as_ptr(), "{path} is copied for each caller");
    }
}
