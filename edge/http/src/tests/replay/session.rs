//! What people of a clinic asked for, as it was asked.

use std::cell::RefCell;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use super::super::{Reply, World};
use super::canary::Canaries;

/// One request, to be asked again by others.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
    /// The token of who asked.
    by: String,
    /// What it was answered.
    pub(super) status: u16,
}

impl Asked {
    /// All that whoever asks this says, as one text.
    pub(super) fn sent(&self) -> String {
        let headers: Vec<&str> = self.headers.iter().map(|(_, value)| value.as_str()).collect();
        format!("{} {} {}", self.path, headers.join(" "), self.body.as_deref().unwrap_or_default())
    }

    /// The same about things that never existed.
    pub(super) fn twin(&self, canaries: &Canaries) -> Self {
        Self {
            path: canaries.twin(&self.path),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), canaries.twin(value))).collect(),
            body: self.body.as_deref().map(|body| canaries.twin(body)),
            ..self.clone()
        }
    }

    /// Whether it reads the access log, where what others asked stands as well.
    pub(super) fn is_of_the_log(&self) -> bool {
        self.path.starts_with("/api/v1/audit/") || self.path.starts_with("/api/v1/admin/")
    }

    /// Whether it changes nothing.
    pub(super) fn is_a_read(&self) -> bool {
        let searches = self.path.ends_with("/_search") || self.path.contains("/duplicates");
        self.method == "GET" || searches || self.path.ends_with("/verify-integrity") || self.is_a_batch_of_reads()
    }

    fn is_a_batch_of_reads(&self) -> bool {
        let body = self.body.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
        let entries = body.as_ref().and_then(|body| body["entry"].as_array());
        self.path.trim_end_matches('/') == "/fhir"
            && entries.is_some_and(|entries| entries.iter().all(|entry| entry["request"]["method"] == "GET"))
    }

    pub(super) fn is_by(&self, token: &str) -> bool {
        self.by == token
    }

    /// Asks it with this token; with none if it is empty.
    pub(super) async fn ask(&self, world: &World, token: &str) -> Reply {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        world.send(request.body(self.body.clone().map_or_else(Body::empty, Body::from)).unwrap()).await
    }
}

/// A session of several people, written down as it goes on.
pub(super) struct Session<'a> {
    pub(super) world: &'a World,
    pub(super) canaries: &'a Canaries,
    asked: RefCell<Vec<Asked>>,
    faults: RefCell<Vec<String>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(world: &'a World, canaries: &'a Canaries) -> Self {
        Self { world, canaries, asked: RefCell::default(), faults: RefCell::default() }
    }

    /// Everything that was asked, once all of it was answered as expected.
    pub(super) fn asked(self) -> Vec<Asked> {
        let faults = self.faults.into_inner();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        self.asked.into_inner()
    }

    /// Asks, writes down what was asked, and learns from the answer what is the patient's.
    pub(super) async fn ask(
        &self,
        by: &str,
        method: &'static str,
        path: &str,
        body: Option<Value>,
        status: u16,
    ) -> Reply {
        self.with(by, method, path, &[], body, status).await
    }

    /// [`Session::ask`] with headers. The status is the one that must be answered; 0 stands for any.
    pub(super) async fn with(
        &self,
        by: &str,
        method: &'static str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
        status: u16,
    ) -> Reply {
        let is_typed = headers.iter().any(|(name, _)| *name == "content-type");
        let json = body.as_ref().filter(|_| !is_typed).map(|_| ("content-type", "application/json"));
        let headers = headers.iter().copied().chain(json).collect::<Vec<_>>();
        let reply = self.sent(by, method, path, &headers, body.map(|body| body.to_string())).await;
        let told = String::from_utf8_lossy(&reply.body);
        let what = format!("{method} {path}: {} and not {status}: {told}", reply.status);
        self.want(status == 0 || reply.status == status, &what);
        reply
    }

    /// Notes what has to hold for the session to be one that is worth recording.
    pub(super) fn want(&self, holds: bool, what: &str) {
        if !holds {
            self.faults.borrow_mut().push(what.to_owned());
        }
    }

    /// A search whose parameters are a form.
    pub(super) async fn form(&self, by: &str, path: &str, form: &str) -> Reply {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.sent(by, "POST", path, &headers, Some(form.to_owned())).await
    }

    pub(super) async fn get(&self, by: &str, path: &str, status: u16) -> Reply {
        self.ask(by, "GET", path, None, status).await
    }

    async fn sent(
        &self,
        by: &str,
        method: &'static str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut asked = Asked { method, path: path.to_owned(), headers, body, by: by.to_owned(), status: 0 };
        let reply = asked.ask(self.world, by).await;
        asked.status = reply.status.as_u16();
        self.canaries.learn(&reply);
        self.asked.borrow_mut().push(asked);
        reply
    }

    /// Makes a record over `/fhir` and gives its path there.
    pub(super) async fn store(&self, by: &str, resource: Value) -> String {
        let kind = resource["resourceType"].as_str().unwrap().to_owned();
        let made = self.ask(by, "POST", &format!("/fhir/{kind}"), Some(resource), 201).await;
        let location = made.header("location");
        let refused = || panic!("{kind}: {}", String::from_utf8_lossy(&made.body));
        let id = location.split('/').rev().nth(2).unwrap_or_else(refused);
        format!("/fhir/{kind}/{id}")
    }
}
