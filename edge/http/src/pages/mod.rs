//! The pages: the web build under `/app`, out of the binary. No record is in any of these files; pages get records over the API
//! with the token of whoever signed in, so nobody needs one to load them.
//!
//! They stand beside the endpoints, not among them: a path below `/app` belongs to the application in the browser, and
//! `/openapi.json` does not tell of it.

mod encoding;
mod files;
mod policy;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH,
    LOCATION, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::routing::any;
use bytes::Bytes;
use iris_kernel::ErrorKind;

use crate::answer::Answer;
use crate::app::App;
use crate::endpoint::correlation;
use crate::frame::RouteLabel;
use crate::problem::{Dialect, Problem};

pub(crate) use files::{Built, File, Files};

/// The page that the browser's application starts from, whatever path of it is asked for.
const INDEX: &str = "index.html";
/// The folder whose file names hold a hash of the content, so that each name stands for one content for ever.
const HASHED: &str = "assets/";
/// What a build without pages answers. It has no style: the frame's policy allows none.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>IRIS without pages</title></head>\
<body><h1>This build of IRIS has no pages in it</h1><p>The API works; the pages were not there when the binary was made.</p>\
<p><code>make run</code> builds both. By hand: <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, then build the \
binary again.</p></body></html>";

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// `/`, `/app` and everything below.
pub(crate) fn routes(app: &Arc<App>, files: &Arc<dyn Files>) -> Router {
    let mut router = Router::new().route("/", any(root));
    for path in ["/app", "/app/", "/app/{*path}"] {
        let (app, files) = (app.clone(), files.clone());
        let handler = move |request: Request| {
            let response = page(&app, &*files, &request);
            async move { response }
        };
        router = router.route(path, any(handler));
    }
    router
}

/// Leads a browser to the pages; a program is told that there is nothing here.
async fn root(request: Request) -> Response<Body> {
    let html = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("text/html"));
    if !safe(&request) || !request.headers().get_all(ACCEPT).iter().any(html) {
        return refused(Problem::new(ErrorKind::NotFound, "there is nothing at this path"), &request, "/");
    }
    let answer = Answer::new(StatusCode::FOUND, Bytes::new()).with(LOCATION, HeaderValue::from_static("/app/"));
    finished(answer.with(VARY, HeaderValue::from_static("accept")), "/")
}

fn page(app: &App, files: &dyn Files, request: &Request) -> Response<Body> {
    const ROUTE: &str = "/app";
    if !safe(request) {
        return refused(Problem::method("GET, HEAD"), request, ROUTE);
    }
    let name = request.uri().path().strip_prefix("/app/").unwrap_or_default();
    let answer = match files::plain(name).then(|| files.get(name)).flatten() {
        Some(file) if name != INDEX => asset(files, name, file, request.headers()),
        None if name.starts_with(HASHED) => {
            // A name of an older build. The page must not come in place of a script: the browser would read it as one.
            return refused(Problem::new(ErrorKind::NotFound, "there is no such file"), request, ROUTE);
        }
        _ => index(app, files),
    };
    finished(answer, ROUTE)
}

fn safe(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

fn refused(problem: Problem, request: &Request, route: &'static str) -> Response<Body> {
    finished(problem.answer(Dialect::Plain, correlation(request)), route)
}

/// The frame adds what every answer carries; this is what only pages need.
fn finished(answer: Answer, route: &'static str) -> Response<Body> {
    let mut response = answer
        .with(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"))
        .with(PERMISSIONS_POLICY, HeaderValue::from_static(policy::PERMISSIONS))
        .response();
    response.extensions_mut().insert(RouteLabel(route));
    response
}

/// The first page with a nonce of its own, in its policy and in the element that tells it to the style library. Kept nowhere, or
/// a nonce would serve twice.
fn index(app: &App, files: &dyn Files) -> Answer {
    let Some(file) = files.get(INDEX) else {
        return Answer::new(StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT.into()).with(CONTENT_TYPE, HTML);
    };
    let nonce = policy::nonce(&*app.entropy);
    let text = String::from_utf8_lossy(&file.data).replace(policy::NONCE_MARK, &nonce);
    let answer = Answer::new(StatusCode::OK, text.into()).with(CONTENT_TYPE, HTML);
    let answer = answer.with(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match HeaderValue::from_str(&policy::content(&nonce)) {
        Ok(value) => answer.with(CONTENT_SECURITY_POLICY, value),
        // A nonce is always of visible ASCII. The frame's own policy, which allows nothing, would hold.
        Err(_) => answer,
    }
}

/// A file as it is, or its compressed twin where the caller takes that and the web build has made one.
fn asset(files: &dyn Files, name: &str, plain: File, headers: &HeaderMap) -> Answer {
    let twin = encoding::wanted(headers)
        .into_iter()
        .find_map(|encoding| Some((encoding, files.get(&format!("{name}.{}", encoding.suffix()))?)));
    let (encoding, file) = twin.map_or((None, plain), |(encoding, file)| (Some(encoding), file));
    let kept = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = |answer: Answer| {
        answer
            .with(ETAG, file.etag.clone())
            .with(CACHE_CONTROL, HeaderValue::from_static(kept))
            .with(VARY, HeaderValue::from_static("accept-encoding"))
    };
    if known(headers, &file.etag) {
        return common(Answer::new(StatusCode::NOT_MODIFIED, Bytes::new()));
    }
    let answer = common(Answer::new(StatusCode::OK, file.data.clone()))
        .with(CONTENT_TYPE, HeaderValue::from_static(files::media_type(name)));
    match encoding {
        Some(encoding) => answer.with(CONTENT_ENCODING, HeaderValue::from_static(encoding.name())),
        None => answer,
    }
}

/// Whether the caller has this content already (RFC 9110 §13.1.2, weak comparison).
fn known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|text| text.split(',')).map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.as_bytes() == etag.as_bytes()
    })
}
