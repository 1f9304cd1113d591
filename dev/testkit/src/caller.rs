//! A caller of a server over HTTP.

use std::time::Duration;

use serde_json::Value;

/// Speaks to one address, over connections that it keeps. Clones share them.
#[derive(Clone, Debug)]
pub struct Caller {
    base: String,
    agent: ureq::Agent,
}

/// One HTTP answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers with lower-case names, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `Null` when it is empty.
    ///
    /// # Panics
    /// When it is something else.
    #[must_use]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("not JSON ({e}): {}", String::from_utf8_lossy(&self.body)))
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// This answer, if it has the expected status.
    ///
    /// # Panics
    /// With the body shown, when it has another.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

impl Caller {
    /// A caller of `http://host:port` that waits for an answer as long as it takes.
    #[must_use]
    pub fn to(base: &str) -> Self {
        Self::with(base, None)
    }

    /// A caller that gives a request up after that long.
    #[must_use]
    pub fn within(base: &str, patience: Duration) -> Self {
        Self::with(base, Some(patience))
    }

    fn with(base: &str, patience: Option<Duration>) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(patience).build();
        Self { base: base.to_owned(), agent: config.new_agent() }
    }

    /// The address: `http://host:port`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Any method with headers and perhaps a body.
    ///
    /// # Panics
    /// When the connection fails.
    #[must_use]
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// As [`Caller::send`], for tests that expect the connection to break.
    ///
    /// # Errors
    /// What the connection says.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body.unwrap_or_default().to_vec())?)?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = response.body_mut().with_config().limit(u64::MAX).read_to_vec()?;
        Ok(Answer { status: response.status().as_u16(), headers, body })
    }
}
