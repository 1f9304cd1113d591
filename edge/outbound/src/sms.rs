//! Text messages by a webhook: one `POST` with JSON to an address that the operator names, over verified TLS. What stands there
//! (a provider's API, or a few lines of glue before it) delivers.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use iris_identity::messages::{SendError, Sending, Text, Texter};
use iris_kernel::Secret;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::tls::{self, NotStarted};

/// Longest time for one message, from the connection to the answer.
const TEXT_SECONDS_MAX: u64 = 20;
/// Most bytes of an answer that are read; only its status counts.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Where text messages go.
#[derive(Clone, Debug)]
pub struct SmsConfig {
    /// Host name or address, which the certificate must name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether TLS is spoken. In clear only to this machine itself.
    pub tls: bool,
    /// Path and query. They may hold a key.
    pub path: Secret<String>,
    /// What is sent as `Authorization: Bearer`, if anything is.
    pub token: Option<Secret<String>>,
    /// Who vouches for the server, as PEM; the machine's own list where absent.
    pub authorities: Option<String>,
}

/// Posts `{"id", "to", "text"}` for each message. Follows no redirect: the text opens somebody's record.
pub struct SmsWebhook {
    config: SmsConfig,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl SmsWebhook {
    /// Gets ready; connects to nobody yet. Blocks: reads the machine's list of authorities.
    ///
    /// # Errors
    /// [`NotStarted`]
    pub fn new(config: SmsConfig) -> Result<Self, NotStarted> {
        let tls = match config.tls {
            false => None,
            true => {
                let name = ServerName::try_from(config.host.clone());
                let name = name.map_err(|_| NotStarted("the host of the SMS webhook is no name".to_owned()))?;
                Some((tls::client(config.authorities.as_deref())?, name))
            }
        };
        Ok(Self { config, tls })
    }

    async fn try_send(&self, text: &Text) -> Result<(), SendError> {
        let patience = Duration::from_secs(TEXT_SECONDS_MAX);
        match tokio::time::timeout(patience, self.deliver(text)).await {
            Err(_) => Err(SendError::Later("the SMS webhook took too long".to_owned())),
            Ok(Ok(status)) => judged(status),
            Ok(Err(why)) => Err(SendError::Later(why.to_owned())),
        }
    }

    async fn deliver(&self, text: &Text) -> Result<StatusCode, &'static str> {
        let stream = TcpStream::connect((self.config.host.as_str(), self.config.port)).await;
        let stream = stream.map_err(|_| "the SMS webhook cannot be reached")?;
        match &self.tls {
            None => self.post(stream, text).await,
            Some((config, name)) => {
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name.clone(), stream).await;
                self.post(stream.map_err(|_| "no verified TLS to the SMS webhook")?, text).await
            }
        }
    }

    async fn post<S>(&self, stream: S, text: &Text) -> Result<StatusCode, &'static str>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let broken = "the SMS webhook broke off";
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| broken)?;
        let request = self.request(text)?;
        let asking = async move {
            let answer = sender.send_request(request).await.map_err(|_| broken)?;
            let status = answer.status();
            // To the end, so that the other side is not cut off; what it says is of no interest.
            let _ = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok(status)
        };
        // The connection is worked on beside the request, and ends with it: nothing is left behind.
        let (status, _) = tokio::join!(asking, connection);
        status
    }

    fn request(&self, text: &Text) -> Result<Request<Full<Bytes>>, &'static str> {
        let SmsConfig { host, port, path, token, .. } = &self.config;
        let message = serde_json::json!({
            "id": text.id.to_string(), "to": text.to.as_str(), "text": text.text.expose(),
        });
        let mut request = Request::post(path.expose())
            .header(HOST, format!("{host}:{port}"))
            .header(USER_AGENT, "iris")
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        request
            .body(Full::new(message.to_string().into()))
            .map_err(|_| "the request to the SMS webhook cannot be written")
    }
}

impl Texter for SmsWebhook {
    fn send<'a>(&'a self, text: &'a Text) -> Sending<'a> {
        Box::pin(self.try_send(text))
    }
}

/// Only what is wrong with this one message is final: a wrong token or address of the webhook is mended by somebody.
fn judged(status: StatusCode) -> Result<(), SendError> {
    let said = format!("the SMS webhook answered {}", status.as_u16());
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Err(SendError::Never(said)),
        _ => Err(SendError::Later(said)),
    }
}
