//! Mail by SMTP (RFC 5321), over TLS from the first byte or by STARTTLS, which is demanded and not merely tried: somebody on the
//! way who hides the server's offer gets nothing.

use std::time::Duration;

use iris_identity::messages::{Mail, Mailer, SendError, Sending};
use iris_kernel::Secret;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use crate::letter::Sender;
use crate::tls::NotStarted;

/// Longest wait for one answer of the server.
const ANSWER_SECONDS_MAX: u64 = 15;
/// Longest time for one mail, from the connection to its end.
const MAIL_SECONDS_MAX: u64 = 45;

/// How a mail server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// In clear; only to this machine itself.
    Off,
    /// TLS begins with STARTTLS; without it nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Wrapped,
}

/// Where mails go.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// Host name or address, which the certificate must name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether and how TLS is spoken.
    pub security: Security,
    /// User name and password, if the server wants any.
    pub login: Option<(String, Secret<String>)>,
    /// Who vouches for the server, as PEM; the machine's own list where absent.
    pub authorities: Option<String>,
    /// Who the mails come from.
    pub from: Sender,
}

/// Sends each mail over a connection of its own.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Sender,
}

impl SmtpMailer {
    /// Gets ready; connects to nobody yet. Blocks: reads the machine's list of authorities.
    ///
    /// # Errors
    /// [`NotStarted`]
    pub fn new(config: SmtpConfig) -> Result<Self, NotStarted> {
        let SmtpConfig { host, port, security, login, authorities, from } = config;
        let tls = match security {
            Security::Off => Tls::None,
            Security::StartTls => Tls::Required(parameters(&host, authorities.as_deref())?),
            Security::Wrapped => Tls::Wrapper(parameters(&host, authorities.as_deref())?),
        };
        // Every door to less than what is named here is closed by naming it here: hence the builder that assumes nothing.
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .hello_name(ClientId::Domain(from.domain().to_owned()))
            .timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX)));
        if let Some((name, password)) = login {
            builder = builder.credentials(Credentials::new(name, password.expose().clone()));
        }
        Ok(Self { transport: builder.build(), from })
    }

    async fn try_send(&self, mail: &Mail) -> Result<(), SendError> {
        let letter = self.from.letter(mail)?;
        let patience = Duration::from_secs(MAIL_SECONDS_MAX);
        match tokio::time::timeout(patience, self.transport.send(letter)).await {
            Err(_) => Err(SendError::Later("the mail server took too long".to_owned())),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(told(&error)),
        }
    }
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(self.try_send(mail))
    }
}

fn parameters(host: &str, authorities: Option<&str>) -> Result<TlsParameters, NotStarted> {
    let fault = |error: lettre::transport::smtp::Error| NotStarted(format!("TLS to the mail server: {error}"));
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(fault)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(fault)
}

/// What the server said, without its words: they may repeat the address.
fn told(error: &lettre::transport::smtp::Error) -> SendError {
    match error.status() {
        // What it says about our own login or our own conduct is no verdict on this mail.
        Some(code) if error.is_permanent() && !is_about_us(code.into()) => {
            SendError::Never(format!("the mail server answered {code}"))
        }
        Some(code) => SendError::Later(format!("the mail server answered {code}")),
        None if error.is_tls() => SendError::Later("no verified TLS to the mail server".to_owned()),
        None if error.is_timeout() => SendError::Later("the mail server took too long".to_owned()),
        None if error.is_client() => {
            SendError::Later("the mail server lacks what is needed, STARTTLS perhaps".to_owned())
        }
        None => SendError::Later("the mail server cannot be reached".to_owned()),
    }
}

/// Replies about authentication and about commands (RFC 4954, RFC 5321 4.2.2): somebody has to mend a setting, and the mail can
/// wait for that.
const fn is_about_us(code: u16) -> bool {
    matches!(code, 500..=504 | 530 | 534 | 535 | 538)
}
