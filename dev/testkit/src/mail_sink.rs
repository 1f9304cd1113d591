//! A mail server of a test's own: a real SMTP server on loopback that keeps what it is given, or refuses it, or says nothing.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::postgres::certificates;

/// Longest wait for a mail.
const PATIENCE_SECONDS: u64 = 30;

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Mailed {
    /// `MAIL FROM`
    pub from: String,
    /// Each `RCPT TO`.
    pub to: Vec<String>,
    /// Header and body as sent, lines ending in `\n`.
    pub text: String,
    /// Whether it came over TLS.
    pub tls: bool,
}

impl Mailed {
    /// A header's value as sent; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let head = self.text.split("\n\n").next().unwrap_or_default();
        let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default()
    }

    /// The body, with its transfer encoding undone.
    #[must_use]
    pub fn body(&self) -> String {
        let body = self.text.split_once("\n\n").map_or("", |(_, body)| body);
        if self.header("Content-Transfer-Encoding") == "quoted-printable" { unquoted(body) } else { body.to_owned() }
    }

    /// The token of the link in the body.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn token(&self) -> String {
        let body = self.body();
        let (_, rest) = body.split_once("#token=").unwrap_or_else(|| panic!("no link in {body}"));
        rest.split_whitespace().next().unwrap_or_default().to_owned()
    }

    /// The code of eight digits in the body.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn code(&self) -> String {
        let body = self.body();
        let code = body.split_whitespace().find(|word| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit()));
        code.unwrap_or_else(|| panic!("no code in {body}")).to_owned()
    }
}

fn unquoted(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'=', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a mail server does with what it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Keeps it.
    #[default]
    Takes,
    /// Says that it cannot now.
    Later,
    /// Says that there is no such mailbox.
    Never,
    /// Takes the connection and says nothing.
    Silent,
}

/// How it speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkTls {
    /// Not at all.
    Off,
    /// After STARTTLS.
    StartTls,
    /// From the first byte.
    Wrapped,
}

#[derive(Default)]
struct Shared {
    mails: Mutex<Vec<Mailed>>,
    manner: Mutex<Manner>,
    came: Condvar,
}

/// A running mail server.
pub struct MailSink {
    port: u16,
    shared: Arc<Shared>,
    authority: Option<String>,
}

impl MailSink {
    /// Starts one that speaks no TLS.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start() -> Self {
        Self::speaking(SinkTls::Off)
    }

    /// Starts one.
    ///
    /// # Panics
    /// When there is no free port, or no certificate can be made.
    #[must_use]
    pub fn speaking(tls: SinkTls) -> Self {
        let (mut authority, mut config) = (None, None);
        if tls != SinkTls::Off {
            let folder = tempfile::tempdir().expect("a temporary folder");
            authority = Some(std::fs::read_to_string(certificates(folder.path())).expect("the authority"));
            let chain = CertificateDer::pem_file_iter(folder.path().join("server.crt")).expect("a certificate");
            let chain = chain.collect::<Result<_, _>>().expect("a certificate");
            let key = PrivateKeyDer::from_pem_file(folder.path().join("server.key")).expect("a key");
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let builder = builder.expect("versions").with_no_client_auth();
            config = Some(Arc::new(builder.with_single_cert(chain, key).expect("the certificate fits its key")));
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared::default());
        let of_listener = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, config) = (Arc::clone(&of_listener), config.clone());
                // A client that breaks off is none of a server's business.
                std::thread::spawn(move || drop(serve(stream, &shared, tls, config.as_ref())));
            }
        });
        Self { port, shared, authority }
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that vouches for `localhost`, as PEM, where it speaks TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Sets what it does from now on.
    ///
    /// # Panics
    /// When a thread of it has panicked.
    pub fn behave(&self, manner: Manner) {
        *self.shared.manner.lock().expect("the sink's lock") = manner;
    }

    /// What it was given so far.
    ///
    /// # Panics
    /// When a thread of it has panicked.
    #[must_use]
    pub fn mails(&self) -> Vec<Mailed> {
        self.shared.mails.lock().expect("the sink's lock").clone()
    }

    /// The mail with this number from 0, which may be on its way.
    ///
    /// # Panics
    /// When it does not come.
    #[must_use]
    pub fn mail(&self, number: usize) -> Mailed {
        let mails = self.shared.mails.lock().expect("the sink's lock");
        let patience = Duration::from_secs(PATIENCE_SECONDS);
        let waited = self.shared.came.wait_timeout_while(mails, patience, |mails| mails.len() <= number);
        let (mails, _) = waited.expect("the sink's lock");
        mails.get(number).cloned().unwrap_or_else(|| panic!("mail {number} did not come; there are {}", mails.len()))
    }
}

impl Shared {
    fn manner(&self) -> Manner {
        *self.manner.lock().expect("the sink's lock")
    }
}

fn serve(stream: TcpStream, shared: &Shared, tls: SinkTls, config: Option<&Arc<ServerConfig>>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(PATIENCE_SECONDS)))?;
    let secured = |stream: TcpStream| -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
        let config = config.cloned().ok_or_else(|| io::Error::other("no certificate"))?;
        Ok(StreamOwned::new(ServerConnection::new(config).map_err(io::Error::other)?, stream))
    };
    match tls {
        SinkTls::Off => talk(&mut BufReader::new(stream), shared, (false, false), true).map(|_| ()),
        SinkTls::Wrapped => talk(&mut BufReader::new(secured(stream)?), shared, (true, false), true).map(|_| ()),
        SinkTls::StartTls => {
            let mut reader = BufReader::new(stream);
            if talk(&mut reader, shared, (false, true), true)? {
                talk(&mut BufReader::new(secured(reader.into_inner())?), shared, (true, false), false)?;
            }
            Ok(())
        }
    }
}

/// Speaks SMTP to the end, or until TLS is to begin, which is the answer.
fn talk<S: Read + Write>(
    stream: &mut BufReader<S>,
    shared: &Shared,
    (tls, offers_tls): (bool, bool),
    greets: bool,
) -> io::Result<bool> {
    let mut mail = Mailed { from: String::new(), to: Vec::new(), text: String::new(), tls };
    if shared.manner() == Manner::Silent {
        let mut waste = String::new();
        stream.read_line(&mut waste)?;
        return Ok(false);
    }
    if greets {
        say(stream, "220 sink")?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let line = line.trim_end();
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match (word.as_str(), shared.manner()) {
            ("EHLO", _) if offers_tls => say(stream, "250-sink\r\n250 STARTTLS")?,
            ("EHLO", _) => say(stream, "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN")?,
            ("STARTTLS", _) if offers_tls => {
                say(stream, "220 go on")?;
                return Ok(true);
            }
            ("AUTH", _) => say(stream, "235 welcome")?,
            ("MAIL", _) if offers_tls => say(stream, "530 STARTTLS first")?,
            ("MAIL", _) => {
                mail.from = between(line);
                say(stream, "250 good")?;
            }
            ("RCPT", Manner::Later) => say(stream, "451 not now")?,
            ("RCPT", Manner::Never) => say(stream, "550 no such mailbox")?,
            ("RCPT", _) => {
                mail.to.push(between(line));
                say(stream, "250 good")?;
            }
            ("DATA", _) => {
                say(stream, "354 go on")?;
                mail.text = data(stream)?;
                shared.mails.lock().expect("the sink's lock").push(mail.clone());
                shared.came.notify_all();
                mail.to.clear();
                say(stream, "250 kept")?;
            }
            ("QUIT", _) => {
                say(stream, "221 bye")?;
                return Ok(false);
            }
            ("RSET" | "NOOP" | "HELO", _) => say(stream, "250 good")?,
            _ => say(stream, "502 what")?,
        }
    }
}

fn data<S: Read>(stream: &mut BufReader<S>) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end_matches(['\r', '\n']);
        if line == "." {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(line));
        text.push('\n');
    }
}

fn between(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(line, |(inner, _)| inner).to_owned()
}

fn say<S: Read + Write>(stream: &mut BufReader<S>, line: &str) -> io::Result<()> {
    let stream = stream.get_mut();
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    stream.flush()
}
