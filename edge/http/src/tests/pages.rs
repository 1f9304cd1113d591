use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use iris_crypto::digest::sha256;

use super::{Reply, World};
use crate::app::router_of;
use crate::pages::{File, Files};

const SCRIPT: &str = "/app/assets/index-B4x.js";

/// A build with the files that a web build makes.
struct Table(&'static [(&'static str, &'static str)]);

impl Files for Table {
    fn get(&self, name: &str) -> Option<File> {
        let (_, text) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(File::new(Bytes::from_static(text.as_bytes()), sha256(&[text.as_bytes()])))
    }
}

const BUILD: Table = Table(&[
    ("index.html", "<html><meta name=\"csp-nonce\" content=\"__CSP_NONCE__\"><style nonce=\"__CSP_NONCE__\"></style>"),
    ("index.html.gz", "packed page"),
    ("iris.svg", "<svg/>"),
    ("assets/index-B4x.js", "plain script"),
    ("assets/index-B4x.js.gz", "gzip script"),
    ("assets/index-B4x.js.br", "brotli script"),
    ("assets/only-gz.css", "plain style"),
    ("assets/only-gz.css.gz", "gzip style"),
    // What no name may lead to, were it asked for.
    ("../secret", "secret"),
    ("assets/../../secret", "secret"),
    (".hidden", "secret"),
]);

fn world(files: Table) -> World {
    let mut world = World::new();
    let files: Arc<dyn Files> = Arc::new(files);
    world.router = router_of(&world.app, crate::endpoints(), &files);
    world
}

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Reply {
    world.call("GET", path, "", headers, None).await
}

#[tokio::test]
async fn every_path_of_the_application_is_the_first_page_with_a_nonce_of_its_own() {
    let world = world(BUILD);
    let mut nonces = Vec::new();
    for path in ["/app", "/app/", "/app/index.html", "/app/patients/abc?x=y", "/app/a.b/c", "/app/patients/%2e%2e/x"] {
        let reply = get(&world, path, &[("accept-encoding", "gzip, br")]).await.expect(200);
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!((reply.header("content-encoding"), reply.header("etag")), ("", ""), "never packed, never kept");
        assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin");
        assert!(reply.header("permissions-policy").contains("camera=()"));
        let policy = reply.header("content-security-policy").to_owned();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert_eq!(
            policy,
            format!(
                "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
                 font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
                 frame-ancestors 'none'"
            )
        );
        let text = String::from_utf8(reply.body).unwrap();
        assert_eq!(text.matches(&nonce).count(), 2, "{text}");
        assert!(!text.contains("__CSP_NONCE__") && nonce.len() == 24);
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 6, "a nonce came twice");
}

#[tokio::test]
async fn hashed_files_are_kept_for_ever_and_come_packed_where_that_is_taken() {
    let world = world(BUILD);
    let cases = [
        ("", "plain script", ""),
        ("gzip", "gzip script", "gzip"),
        ("gzip, br", "brotli script", "br"),
        ("br;q=0, gzip", "gzip script", "gzip"),
        ("zstd", "plain script", ""),
    ];
    let mut tags = Vec::new();
    for (accepted, body, encoding) in cases {
        let reply = get(&world, SCRIPT, &[("accept-encoding", accepted)]).await.expect(200);
        assert_eq!(String::from_utf8_lossy(&reply.body), body);
        assert_eq!(reply.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(reply.header("vary"), "accept-encoding");
        assert_eq!(reply.header("content-type"), "text/javascript; charset=utf-8");
        let tag = reply.header("etag").to_owned();
        let headers = [("accept-encoding", accepted), ("if-none-match", &format!("\"x\", W/{tag}"))];
        let same = get(&world, SCRIPT, &headers).await.expect(304);
        assert!(same.body.is_empty() && same.header("etag") == tag);
        assert_eq!(same.header("cache-control"), "public, max-age=31536000, immutable");
        tags.push(tag);
    }
    assert_eq!((&tags[0], &tags[1]), (&tags[4], &tags[3]));
    assert!(tags[0] != tags[1] && tags[1] != tags[2], "each form has its own tag: {tags:?}");
    let other = get(&world, SCRIPT, &[("if-none-match", "\"x\"")]).await.expect(200);
    assert_eq!(other.body, b"plain script");
    let only = get(&world, "/app/assets/only-gz.css", &[("accept-encoding", "gzip, br")]).await.expect(200);
    assert_eq!((only.body.as_slice(), only.header("content-encoding")), (&b"gzip style"[..], "gzip"));
    let icon = get(&world, "/app/iris.svg", &[]).await.expect(200);
    assert_eq!((icon.header("cache-control"), icon.header("content-type")), ("no-cache", "image/svg+xml"));
}

#[tokio::test]
async fn no_path_leads_out_of_the_build() {
    let world = world(BUILD);
    for path in [
        "/app/../secret",
        "/app/%2e%2e/secret",
        "/app/..%2fsecret",
        "/app/%2e%2e%2fsecret",
        "/app/.hidden",
        "/app//../secret",
        "/app/..\\secret",
        "/app/assets/../../secret",
        "/app/assets/%2e%2e/%2e%2e/secret",
        "/app/assets/index-B4x.js.br",
        "/app/index.html.gz",
        "/app/assets/",
        "/app/assets/gone-1.js",
        "/app/assets/index-B4x.js%00.html",
    ] {
        let Ok(uri) = path.parse::<axum::http::Uri>() else { continue };
        let reply = get(&world, &uri.to_string(), &[]).await;
        let text = String::from_utf8_lossy(&reply.body);
        assert!(!text.contains("secret") && !text.contains("brotli") && !text.contains("packed"), "{path}: {text}");
        assert!(matches!(reply.status, StatusCode::OK | StatusCode::NOT_FOUND), "{path}: {}", reply.status);
        let below = path.starts_with("/app/assets/");
        assert_eq!(reply.status == StatusCode::NOT_FOUND, below, "{path}: a page in place of a file");
    }
}

#[tokio::test]
async fn a_browser_at_the_root_is_led_to_the_pages_and_a_program_is_not() {
    let world = world(BUILD);
    let html = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let reply = get(&world, "/", &html).await.expect(302);
    assert_eq!((reply.header("location"), reply.header("vary")), ("/app/", "accept"));
    for headers in [&[][..], &[("accept", "application/json")], &[("accept", "*/*")]] {
        let reply = get(&world, "/", headers).await.expect(404);
        assert_eq!(reply.header("content-type"), "application/problem+json");
    }
    world.call("POST", "/", "", &html, None).await.expect(404);
    let refused = world.call("POST", "/app/", "", &html, None).await.expect(405);
    assert_eq!(refused.header("allow"), "GET, HEAD");
    world.call("HEAD", "/app/", "", &html, None).await.expect(200);
    get(&world, "/application", &html).await.expect(404);
}

#[tokio::test]
async fn a_build_without_pages_says_how_to_make_them() {
    let world = world(Table(&[]));
    for path in ["/app", "/app/", "/app/patients"] {
        let reply = get(&world, path, &[]).await.expect(503);
        assert_eq!((reply.header("content-type"), reply.header("retry-after")), ("text/html; charset=utf-8", "2"));
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
        let text = String::from_utf8(reply.body).unwrap();
        assert!(text.contains("make run") && text.contains("npm ci") && text.contains("web/"), "{text}");
    }
    get(&world, SCRIPT, &[]).await.expect(404);
}

/// No alias may take a path of the pages away, and no page stands in the documents of the API.
#[tokio::test]
async fn pages_are_no_endpoints_and_no_aliases() {
    for path in ["/app", "/app/", "/app/patients/1", "/app/auth/login", "/app/audit", "/"] {
        assert!(crate::alias::resolve(&path.parse().unwrap()).is_none(), "{path}");
    }
    assert!(crate::endpoints().iter().all(|endpoint| !endpoint.path.starts_with("/app") && endpoint.path != "/"));
}
